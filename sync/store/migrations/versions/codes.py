"""Assessments keep codes and figures in the place of sentences.

A line about an indicator or a gate that its policy knows becomes one of codes. Evidence of flags, and lines about what
people decided, exist as words only and stay words.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"

#: Rows that are read and written at a time.
_ROWS = 2_000
_GRADE = re.compile(r"(?:at most )?(AAA|AA|A|BBB|BB|B|CCC|CC|C|D|NR): ")
_READ = (
    "select connection, customer_id, as_of, policy_version, flags, reasons from assessments"
    " where (connection, customer_id, as_of) > (:c, :i, :d) order by connection, customer_id, as_of limit :most"
)
_WRITE = "update assessments set flags = :f, reasons = :r where connection = :c and customer_id = :i and as_of = :d"


def upgrade() -> None:
    """Make the table of wording, and write flags and reasons of every assessment anew."""
    op.create_table(
        "rendered",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection"),
        sqlite_with_rowid=False,
    )
    db = op.get_bind()
    policies = {version: json.loads(body) for version, body in db.execute(text("select version, body from policies"))}
    last: dict[str, Any] = {"c": "", "i": "", "d": -1}
    # A page at a time: a store of a year has more rows than fit in memory.
    while rows := db.execute(text(_READ), {**last, "most": _ROWS}).all():
        db.execute(text(_WRITE), [_coded(row, policies.get(row.policy_version) or {}) for row in rows])
        last = {"c": rows[-1].connection, "i": rows[-1].customer_id, "d": rows[-1].as_of}


def _coded(row: Any, policy: dict[str, Any]) -> dict[str, Any]:
    flags, reasons = json.loads(row.flags or "[]"), json.loads(row.reasons or "[]")
    return {
        "c": row.connection,
        "i": row.customer_id,
        "d": row.as_of,
        "f": _packed(_flag(flag) for flag in flags),
        "r": _packed(_reason(line, policy) for line in reasons),
    }


def _packed(items: Iterable[dict[str, Any]]) -> str:
    kept = [{key: value for key, value in item.items() if value is not None} for item in items]
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _flag(flag: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: flag.get(name) for name in ("code", "severity", "since", "measure")},
        "evidence": [],
        "segment": None,
        "words_en": flag.get("evidence_en"),
        "words_zh": flag.get("evidence_zh"),
    }


def _reason(line: dict[str, Any], policy: dict[str, Any]) -> dict[str, Any]:
    name = line["indicator"]
    indicator = policy.get("indicators", {}).get(name)
    grade = _GRADE.match(line.get("en") or "")
    known = indicator is not None or (grade is not None and (name in policy.get("gates", {}) or _absent(name)))
    return {
        "indicator": name,
        "feature": None if indicator is None else indicator["feature"],
        **{key: line.get(key) for key in ("value", "points", "lost")},
        "grade": grade[1] if grade and indicator is None else None,
        **dict.fromkeys(("segment", "decided", "until", "why")),
        "words_en": None if known else line.get("en"),
        "words_zh": None if known else line.get("zh"),
    }


def _absent(name: str) -> bool:
    return name.startswith("absent_")
