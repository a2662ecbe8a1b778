"""What zixin writes into a system that a connector file describes: its own fields, and values into them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from adapters.common.outcomes import unanswered, without
from adapters.declarative import fields, rows, select
from adapters.declarative.models import Result, Write
from adapters.declarative.reader import Reader
from adapters.declarative.wire import Wrong, in_statuses
from connector.assessment import OutputField
from connector.errors import Exhausted, Misconfigured, Problem, Retry
from connector.ports import Aspect, Change, Described, Field, Growth, Outcome
from connector.ports import Step as FieldStep

#: Characters kept of a refusal.
_MOST_WORDS = 500
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_OK, _REDIRECT = 200, 300


class Writer(Reader):
    """A system whose connector file says how accounts are written."""

    def plan(self, wanted: Sequence[OutputField]) -> tuple[FieldStep, ...]:
        """What `apply` would create."""
        return fields.plan(self._connector, self.describe(self._accounts), wanted)

    def apply(self, wanted: Sequence[OutputField]) -> Mapping[str, str]:
        """Creates the missing fields and reads back what the system named them."""
        result = fields.apply(self._connector, self._wire, self._proof, self._accounts, self.describe, wanted)
        self._kinds = {}
        return result

    def growable(self) -> frozenset[Aspect]:
        """What the connector file says."""
        return fields.growable(self._connector)

    def grow(self, growths: Sequence[Growth]) -> Mapping[str, Misconfigured]:
        """Changes fields, where the file says how."""
        return fields.grow(self._connector, self._wire, self._proof, self._accounts, growths)

    def installed(self) -> Described:
        """The accounts' fields."""
        return self.describe(self._accounts)

    def placing(self) -> tuple[str, str] | None:
        """What the connector file says."""
        making = self._connector.create
        return (making.place, making.place_zh or making.place) if making and making.place else None

    def remove(self, gone: Sequence[Field]) -> None:
        """Deletes fields, where the file says how."""
        fields.remove(self._connector, self._wire, self._proof, self._accounts, gone)
        self._kinds = {}

    def write(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """Sets account fields; each record's outcome."""
        writing = self._connector.objects[self._accounts].write
        if writing is None:
            raise Misconfigured("E-CONNECTOR-BY", host=self._wire.host, object=f"{self._accounts}.write")
        size = writing.batch.size if writing.batch else 1
        remaining = iter(changes)
        while batch := list(islice(remaining, size)):
            yield from self._write(writing, batch)

    def _write(self, writing: Write, changes: Sequence[Change]) -> Iterator[Outcome]:
        ready = [(change, self._values(writing, change)) for change in changes]
        results: dict[str, Any] = {"id": changes[0].record, "values": ready[0][1]}
        if writing.batch is not None:
            results = {"items": [self._item(writing.batch.item, change.record, values) for change, values in ready]}
        try:
            given, repeats = self._wire.given(**results), writing.request.method == "PUT"
            answer = self._proof.ask(writing.request, given, idempotent=repeats, refused=writing.refused)
            payload = self._wire.document(answer)
        except (Exhausted, Retry) as problem:
            yield from unanswered(changes, problem)
            return
        except Problem as problem:
            yield from self._refused_whole(writing, changes, problem)
            return
        yield from self._outcomes(writing, changes, payload, answer.status)

    def _item(self, template: Any, record: str, values: Mapping[str, Any]) -> Any:
        return select.fill(template, {**self._wire.given(), "id": record, "values": values})

    def _refused_whole(self, writing: Write, changes: Sequence[Change], problem: Problem) -> Iterator[Outcome]:
        status = str(problem.facts.get("detail", "")).removeprefix("HTTP ")
        if problem.code != "E-CRM-ANSWER" or not (status.isdigit() and in_statuses(int(status), writing.refused)):
            raise problem
        if len(changes) > 1:
            half = len(changes) // 2
            for some in (changes[:half], changes[half:]):
                yield from self._write(writing, some)
            return
        payload = problem.document() if isinstance(problem, Wrong) else None
        yield _refused(writing, payload, changes[0], f"HTTP {status}")

    def _outcomes(self, writing: Write, changes: Sequence[Change], told: Any, status: int) -> Iterator[Outcome]:
        """Each record's outcome: taken and refused are said of it, all else is unknown."""
        shape = writing.result
        listed = select.every(shape.rows, told)
        by_id = {rows.text(each): row for row in listed for each in select.every(shape.id, row)} if shape.id else {}
        if not (shape.id or shape.only_failed or len(listed) == len(changes)):
            # Without ids, it is the place that tells whose an item is.
            listed = []
        for number, change in enumerate(changes):
            row = by_id.get(change.record) if shape.id else listed[number] if number < len(listed) else None
            state = rows.text(select.first(shape.state, row)) if shape.state and row is not None else None
            if shape.only_failed and row is not None:
                yield _refused(writing, row, change, "no reason given")
            elif state is not None and state not in shape.taken:
                yield _refused(writing, row, change, f"state {state}")
            elif state is not None or in_statuses(status, shape.statuses) or self._is_shown(shape, row, change):
                yield Outcome(change.record, "taken" if _OK <= status < _REDIRECT else "unknown")
            else:
                yield Outcome(change.record, "unknown")

    def _is_shown(self, shape: Result, row: Any, change: Change) -> bool:
        """Whether the record's own item shows every value that was sent."""
        if shape.shows is None or shape.id is None or row is None:
            return False
        record, item = select.first(shape.shows, row), self._connector.objects[self._accounts]
        return all(
            _same(rows.value(item.fields.get(name), name, record, self._wire.zone), value)
            for name, value in change.values.items()
        )

    def _values(self, writing: Write, change: Change) -> dict[str, Any]:
        if not self._kinds:
            self._kinds = fields.kinds(self._connector, self.describe(self._accounts))
        return {name: _as_sent(writing, value, self._kinds.get(name, "text")) for name, value in change.values.items()}


def _same(shown: str | None, sent: str | None) -> bool:
    if (shown or "") == (sent or ""):
        return True
    if shown and sent and _PLAIN.fullmatch(shown) and _PLAIN.fullmatch(sent):
        return Decimal(shown) == Decimal(sent)
    return set((shown or "").split(";")) == set((sent or "").split(";"))


def _refused(writing: Write, told: Any, change: Change, otherwise: str) -> Outcome:
    named = [rows.text(each) for path in writing.result.fields for each in select.every(path, told)]
    fields_ = tuple(dict.fromkeys(name for name in named if name is not None and name in change.values))
    return Outcome(change.record, "refused", _words(writing, told, change) or otherwise, fields_)


def _words(writing: Write, told: Any, change: Change) -> str:
    """The system's words, without the values that it refused."""
    messages = [text for path in writing.result.words for text in map(rows.text, select.every(path, told)) if text]
    messages = [text.strip().splitlines()[-1] if "Traceback" in text else text for text in messages]
    return without("; ".join(dict.fromkeys(messages)), change.values.values())[:_MOST_WORDS]


def _as_sent(writing: Write, value: str | None, kind: str) -> Any:
    if kind == "choices" and writing.lists == "list":
        return value.split(";") if value else []
    if value is None:
        return writing.empty
    if kind == "choices":
        return writing.lists.join(value.split(";"))
    if kind in ("number", "money") and writing.numbers == "number":
        # What is no number goes as it is, for the system to refuse that one record.
        return Decimal(value) if _PLAIN.fullmatch(value) else value
    return value
