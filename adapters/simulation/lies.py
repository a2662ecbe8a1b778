"""Answers of status 200 that are not what they say: a tester orders them, and adapters must not believe them.

Ordered by a simulator's control, `lies`: kind, times, skip (answers to let pass first), field (of a record's lie).
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

#: Stands for a number in JSON that Python would not write.
_MARK = "@number@"
#: Keys under which a record's id stands, in the simulated systems.
_IDS = ("id", "Id", "name")
#: Levels that no parser goes down to.
_DEEP = 20_000


@dataclass(slots=True)
class Lie:
    """A lie of the next lists."""

    kind: str
    times: int = 1
    skip: int = 0
    field: str = ""


@dataclass(slots=True)
class WriteLie:
    """A lie of the next writes: an answer of status 200 whose body shows nothing of what was written."""

    kind: str
    times: int = 1
    #: The write has not happened.
    lost: bool = False


@dataclass(slots=True)
class Lies:
    """Those that are ordered, and the list that was told last."""

    ordered: list[Lie] = field(default_factory=list)
    last: dict[str, bytes] = field(default_factory=dict)
    of_writes: list[WriteLie] = field(default_factory=list)

    def of_write(self) -> tuple[Response, bool] | None:
        """What is told of the next write in the place of its answer, and whether it has not happened; None: no lie."""
        for lie in self.of_writes:
            if lie.times > 0:
                lie.times -= 1
                return Response(WRITES[lie.kind], media_type="application/json"), lie.lost
        return None

    def order(self, told: Mapping[str, Any]) -> None:
        """Let the next lists be a lie, or with `writes` the next writes. Raises ValueError: there is no such kind."""
        if told.get("writes"):
            if told["kind"] not in WRITES:
                raise ValueError(f"{told['kind']}: one of {', '.join(sorted(WRITES))}")
            lost = bool(told.get("lost"))
            self.of_writes.append(WriteLie(str(told["kind"]), int(told.get("times", 1)), lost))
            return
        if told["kind"] not in WHOLE | RECORDS:
            raise ValueError(f"{told['kind']}: one of {', '.join(sorted(WHOLE | RECORDS))}")
        lie = Lie(str(told["kind"]), int(told.get("times", 1)), int(told.get("skip", 0)), str(told.get("field", "")))
        self.ordered.append(lie)

    def told(self, answer: Response, api: str) -> Response:
        """The answer, or what is told in its place."""
        before, body = self.last.get(api, b""), bytes(answer.body)
        self.last[api] = body
        for lie in self.ordered:
            if lie.times <= 0 or not body:
                continue
            if lie.skip > 0:
                lie.skip -= 1
                return answer
            packed = _made(lie, body, before)
            if packed is None:
                continue
            lie.times -= 1
            headers = {key: value for key, value in answer.headers.items() if key.lower() != "content-length"}
            if lie.kind == "cut_gzip":
                headers["Content-Encoding"] = "gzip"
            return Response(packed, answer.status_code, headers)
        return answer


def _made(lie: Lie, body: bytes, before: bytes) -> bytes | None:
    """The lie; None: this answer is none that it could be told of."""
    if lie.kind in WHOLE:
        return _WHOLE[lie.kind](body, before)
    if not body.lstrip().startswith(b"{"):
        return None
    document = json.loads(body)
    rows = next((value for value in document.values() if isinstance(value, list) and value), None)
    if rows is None or not isinstance(rows[0], dict):
        return None
    number = _spoilt(lie, rows)
    return json.dumps(document).replace(f'"{_MARK}"', number).encode()


def _spoilt(lie: Lie, rows: list[Any]) -> str:
    """Spoils the first record; returns what stands for the mark."""
    first = rows[0]
    match lie.kind:
        case "half_character":
            first[lie.field] = "half \ud83d"
        case "deep":
            first[lie.field] = _MARK
            return "[" * _DEEP + "]" * _DEEP
        case "no_id":
            for key in _IDS:
                first.pop(key, None)
        case "no_record":
            rows[0] = 1
        case "object":
            first[lie.field] = {"value": {"day": 1}}
        case "exponent":
            first[lie.field] = _MARK
            return "1e999999999"
        case "digits":
            first[lie.field] = _MARK
            return "9" * 5_000
    return ""


def _cut_gzip(body: bytes, before: bytes) -> bytes:  # noqa: ARG001
    packed = gzip.compress(body)
    return packed[: len(packed) * 2 // 3]


def _cut_rows(body: bytes, before: bytes) -> bytes | None:  # noqa: ARG001
    """A CSV, packed in a ZIP or not, that ends behind one of its rows."""
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            name = archive.namelist()[0]
            rows = archive.read(name)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, _half(rows))
        return out.getvalue()
    return None if body.lstrip().startswith((b"{", b"[")) else _half(body)


def _half(rows: bytes) -> bytes:
    lines = rows.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2 + 1])


def _null_list(body: bytes, before: bytes) -> bytes | None:  # noqa: ARG001
    document = json.loads(body) if body.lstrip().startswith(b"{") else None
    if document is None:
        return None
    return json.dumps({key: None if isinstance(value, list) else value for key, value in document.items()}).encode()


def _json_only(lie: bytes) -> Callable[[bytes, bytes], bytes | None]:
    return lambda body, _: lie if body.lstrip().startswith(b"{") else None


def _repeated(body: bytes, before: bytes) -> bytes | None:
    return before if before and before != body else None


_WHOLE: dict[str, Callable[[bytes, bytes], bytes | None]] = {
    "empty_object": _json_only(b"{}"),
    "null": _json_only(b"null"),
    "no_body": lambda _body, _before: b"",
    "error": _json_only(b'{"error": "try later"}'),
    "null_list": _null_list,
    "cut_gzip": _cut_gzip,
    "cut_rows": _cut_rows,
    "repeated": _repeated,
}
#: Lies of a write.
WRITES = {
    "empty_object": b"{}",
    "null": b"null",
    "no_body": b"",
    "empty_list": b"[]",
    "text": b'"success"',
    "error": b'{"error": "try later"}',
    "login": b"<html><body>Please sign in</body></html>",
    "empty_rows": b'{"message": {}, "data": [], "results": []}',
    "other_record": b'{"id": "x0", "name": "x0", "success": true, "status": "success", "ok": true}',
    "another_form": b'{"data": {"status": "done"}, "message": "Saved"}',
}
#: Lies of a whole answer: the read fails.
WHOLE = frozenset(_WHOLE)
#: Lies of the first record of an answer: it is rejected, and the others are read.
RECORDS = frozenset({"half_character", "deep", "no_id", "no_record", "object", "exponent", "digits"})
