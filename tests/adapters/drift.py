"""Ways in which a field of a simulated CRM drifts from what zixin made, told by its simulator's own attributes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.assessment import OutputField

Seed = Callable[[Any, str, OutputField], bool]


def gone(fields: Any, name: str, item: OutputField) -> bool:
    del fields[name]
    return True


def attribute(key: str, value: Any, kinds: tuple[str, ...] = ()) -> Seed:
    """Sets one attribute of a field, of the kinds that have it."""

    def seed(fields: Any, name: str, item: OutputField) -> bool:
        if kinds and item.kind not in kinds:
            return False
        meta = fields[name]
        if isinstance(meta, dict):
            meta[key] = value
        else:
            setattr(meta, key, value)
        return True

    return seed


NUMBERS = ("number", "money")


@dataclass(frozen=True)
class Drifts:
    """A simulated CRM whose fields a test changes behind zixin's back."""

    #: Its simulator's state → name of a field of accounts → its meta.
    fields: Callable[[Any], Any]
    #: Its simulator's state → id → account.
    accounts: Callable[[Any], dict[str, dict[str, Any]]]
    #: Kind of drift → what brings it about.
    seeds: Mapping[str, Seed]
