"""Fields of a system: listed, compared with what zixin writes, and made where the connector file says how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.common.field_plan import steps
from adapters.declarative import rows, select
from adapters.declarative.auth import Proof
from adapters.declarative.connector import Connector, Create, Listed
from adapters.declarative.wire import Wire
from connector.assessment import OutputField
from connector.errors import Misconfigured
from connector.ports import Aspect, Described, Field, Growth, Step

_TRUE = ("true", "True", "1", "yes")


def describe(connector: Connector, wire: Wire, proof: Proof, name: str) -> Described:
    """The fields of an object; none where the file does not say how to list them."""
    result: dict[str, Field] = {}
    item = connector.objects.get(name)
    if item is not None and (item.children is not None or not item.described):
        return Described(name, ())  # Rows within another object's records: nothing lists their fields.
    for part in connector.describe:
        payload = wire.document(proof.ask(part.request, wire.given(object=name)))
        for field in _list_fields(part, payload):
            result |= {each.name: each for each in _attributes(part, field)}
        beside = {**part.everywhere, **(item.named if item else {}), **dict.fromkeys(item.fields if item else (), "")}
        if result:
            result |= {
                key: Field(key, key, type_, writable=False) for key, type_ in beside.items() if key not in result
            }
    return Described(name, tuple(result.values()))


def kinds(connector: Connector, described: Described) -> dict[str, str]:
    """Field → kind of a written value, by the types that the file names; a type that it does not name is text."""
    by_type = {own: kind for kind, own in connector.create.types.items()} if connector.create else {}
    return {field.name: by_type.get(field.type, "text") for field in described.fields}


def plan(connector: Connector, described: Described, wanted: Sequence[OutputField]) -> tuple[Step, ...]:
    """One step a written field: create it, keep it, or say that another kind of field stands under its name."""
    making = connector.create
    types = making.types if making else {}

    def named(item: OutputField) -> str:
        return _expected(making, item) if making else item.name

    return steps(wanted, lambda item: _find_field(connector, described, item), named, types)


def apply(
    connector: Connector,
    wire: Wire,
    proof: Proof,
    name: str,
    describe_: Callable[[str], Described],
    wanted: Sequence[OutputField],
) -> Mapping[str, str]:
    """Makes what is missing; `Written.name` → the system's field name, read back.

    Raises Misconfigured: the file does not say how fields are made, and some are missing.
    """
    making = connector.create
    described = describe_(name)
    missing = [item for item in wanted if _find_field(connector, described, item) is None]
    for item in missing:
        if making is None:
            raise Misconfigured("E-CONNECTOR-BY", host=wire.host, object=f"{name}.create")
        values = wire.given(object=name, **_words(making, item))
        wire.document(
            proof.ask(making.request, wire.given(**values, spec=select.fill(making.kinds[item.kind], values)))
        )
    if missing and making is not None and making.afterwards is not None:
        proof.ask(making.afterwards, wire.given(object=name))
    described = describe_(name) if missing else described
    result = {item.name: _find_field(connector, described, item) for item in wanted}
    return {key: field.name for key, field in result.items() if field is not None}


def growable(connector: Connector) -> frozenset[Aspect]:
    """What of a field can be changed, as the file says."""
    making = connector.create
    return frozenset(making.changes) if making and making.change else frozenset()


def grow(
    connector: Connector, wire: Wire, proof: Proof, name: str, growths: Sequence[Growth]
) -> Mapping[str, Misconfigured]:
    """Changes fields, one per call; `Written.name` → why the system did not. Raises Misconfigured: no file says how."""
    making = connector.create
    if making is None or making.change is None:
        raise Misconfigured("E-CONNECTOR-BY", host=wire.host, object=f"{name}.create.change")
    wrong: dict[str, Misconfigured] = {}
    for growth in growths:
        field, had = growth.field, growth.field.places
        # What of it is not to change goes as it is: some systems take the description as a whole.
        item = replace(
            growth.item,
            label=growth.label or field.label,
            length=growth.length or field.length or growth.item.length,
            options=(*(option for option in field.options if option), *growth.options),
            field=field.name,
            places=growth.item.places if had is None else had,
        )
        words = {**_words(making, item), "name": field.name, "id": field.id or field.name}
        values = wire.given(object=name, **words)
        values = wire.given(**values, spec=select.fill(making.kinds[item.kind], values))
        try:
            wire.document(proof.ask(making.change, values))
        except Misconfigured as problem:
            wrong[growth.item.name] = problem
    if len(wrong) < len(growths) and making.afterwards is not None:
        proof.ask(making.afterwards, wire.given(object=name))
    return wrong


def remove(connector: Connector, wire: Wire, proof: Proof, name: str, fields: Sequence[Field]) -> None:
    """Deletes fields. Raises Misconfigured: the file does not say how."""
    making = connector.create
    if making is None or making.remove is None:
        raise Misconfigured("E-CONNECTOR-BY", host=wire.host, object=f"{name}.create.remove")
    for field in fields:
        proof.ask(making.remove, wire.given(object=name, name=field.name, id=field.id or field.name))
    if fields and making.afterwards is not None:
        proof.ask(making.afterwards, wire.given(object=name))


def _words(making: Create, item: OutputField) -> dict[str, Any]:
    return {
        **_styles(item),
        "name": _requested_type(making, item),
        "label": item.shown,
        "label_zh": item.zh,
        "tip": item.tip,
        "kind": item.kind,
        "options": list(item.options),
        "options_lines": "\n".join(item.options),
        "places": item.places,
        "length": item.length,
    }


def _requested_type(making: Create, item: OutputField) -> str:
    return str(select.fill(making.name, _styles(item)))


def _styles(item: OutputField) -> dict[str, str]:
    """A field's name in the styles that systems write names in."""
    key = item.en.lower().replace(" ", "_")
    camel = "".join(part.capitalize() for part in key.split("_"))
    return {"key": key, "camel": camel, "small_camel": camel[:1].lower() + camel[1:]}


def _expected(making: Create, item: OutputField) -> str:
    text = _requested_type(making, item)
    inner = text[:1].upper() + text[1:] if making.prefix and making.capitalise else text
    return f"{making.prefix}{inner}{making.suffix}"


def _find_field(connector: Connector, described: Described, item: OutputField) -> Field | None:
    expected = _expected(connector.create, item) if connector.create else item.name
    by_name = next((field for field in described.fields if field.name in (item.field, expected)), None)
    return by_name or next((field for field in described.fields if field.label in (item.shown, item.en, item.zh)), None)


def _list_fields(part: Listed, told: Any) -> list[Field]:
    every = select.every(part.rows, told)
    if part.by_name:
        every = [{"name": key, **value} for each in every if isinstance(each, dict) for key, value in each.items()]
    fields = []
    for row in every:
        name, label, kind = (rows.text(select.first(path, row)) or "" for path in (part.name, part.label, part.type))
        options = select.first(part.options, row) if part.options else None
        listed = options.split("\n") if isinstance(options, str) else [str(each) for each in options or ()]
        fields.append(
            Field(
                name,
                label or name,
                kind,
                _writable(part, row),
                tuple(listed),
                target=_text(part.target, row),
                id=_text(part.id, row) or name,
                tip=None if part.tip is None else _text(part.tip, row),
                length=_number(part.length, row),
                places=_number(part.places, row),
            )
        )
    return [field for field in fields if field.name]


def _attributes(part: Listed, field: Field) -> list[Field]:
    """A field as it stands in a record: a link is the id it points to, an amount has its currency beside it."""
    names = [select.fill(each, {"name": field.name}) for each in part.attributes.get(field.type, ("{name}",))]
    return [replace(field, name=str(key), type=field.type if n == 0 else "text") for n, key in enumerate(names)]


def _text(path: str | None, row: Any) -> str:
    return "" if path is None else rows.text(select.first(path, row)) or ""


def _number(path: str | None, row: Any) -> int | None:
    message = _text(path, row)
    # Zero stands for the system's own default.
    return int(message) if message.isdigit() and int(message) else None


def _writable(part: Listed, row: Any) -> bool:
    if part.read_only is not None:
        return rows.text(select.first(part.read_only, row)) not in _TRUE
    if part.writable is None:
        return True
    return rows.text(select.first(part.writable, row)) in _TRUE
