"""What an installation would do, from what a CRM's object has and what zixin writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connector.assessment import OutputField
from connector.ports import Field, Step


def steps(
    wanted: Sequence[OutputField],
    find: Callable[[OutputField], Field | None],
    name_of: Callable[[OutputField], str],
    types: Mapping[str, str],
) -> tuple[Step, ...]:
    """One step a written field: create it as `name_of` says, keep it, or say that another kind stands in its place.

    `types`: kind of a written field → the CRM's own word; a kind that is not there fits any.
    """
    results = []
    for item in wanted:
        field, right = find(item), types.get(item.kind)
        if field is None:
            results.append(Step(item.name, "create", name_of(item)))
        elif right is not None and field.type != right:
            results.append(Step(item.name, "mend", field.name, f"{field.type}, not {right}"))
        else:
            results.append(Step(item.name, "keep", field.name))
    return tuple(results)
