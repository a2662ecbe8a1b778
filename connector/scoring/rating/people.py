"""What people decided about a customer: overrides, holds, releases. Only a person or their date ends them.

Decisions come last: after points, caps, stability and knock-outs (docs/rules.md, "Decisions"). An override lifts a
rating by at most the policy's notches above what would hold without it, whatever it was when it was made; a release
lowers only what zixin holds by itself, never what a person holds.
"""

from __future__ import annotations

import polars as pl

from connector.assessment import HOLDS, NOT_RATED, RATINGS
from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.customers import before_joined, own_account
from connector.scoring.frame.grades import HOLD_RANK, grade_at, grade_rank
from connector.scoring.frame.windows import not_expired

#: Kind of decision → the hold that it brings where it names none.
_HOLD_OF = {"blacklist": "block", "cash_only": "block", "legal": "approve", "hold": "block"}
_UNRATED = len(RATINGS)


def decisions_in_force(tables: Tables, as_of: int) -> pl.DataFrame:
    """One row per account with decisions in force on the day.

    What was decided for one of several accounts before they became one customer never lifts the customer: an override
    of then only caps, a release of then counts no more.

    Columns out: account_id, override (grade; null: none), override_cap (the worst that an account had before; null:
    none), held (worst hold by people, an index into HOLDS; null:
    none), released (least hold that a release lets through, an index; null: none), cash_only, confirmed (worst grade
    that was confirmed for a natural person, an index), decision_ends (last day of the first to end), lines (structs of
    kind, value, reason and until).
    """
    rows = table(tables, "decisions")
    started = pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of)
    rows = rows.filter(started & not_expired(as_of)).sort("valid_from", "decision_id", nulls_last=False)
    kind, value = pl.col("kind"), pl.col("value")
    hold = pl.coalesce(
        pl.when(kind == "hold").then(value.replace_strict(HOLD_RANK, default=None, return_dtype=pl.Int32)),
        kind.replace_strict(_BRINGS, default=None, return_dtype=pl.Int32),
    )
    let = value.replace_strict(HOLD_RANK, default=HOLD_RANK["none"], return_dtype=pl.Int32)
    grade = grade_rank(value)
    overrides, early = (kind == "override") & value.is_in(RATINGS), before_joined(rows)
    rows = rows.with_columns(early.alias("early"))
    own = pl.col(own_account(rows)).alias("own")
    newest = rows.filter(overrides & pl.col("early")).group_by("account_id", own, maintain_order=True)
    caps = newest.agg(grade.last().alias("cap")).group_by("account_id").agg(pl.col("cap").max().alias("override_cap"))
    result = rows.group_by("account_id", maintain_order=True).agg(
        value.filter(overrides & ~pl.col("early")).last().alias("override"),
        hold.max().alias("held"),
        let.filter((kind == "release") & ~pl.col("early")).min().alias("released"),
        (kind == "cash_only").any().alias("cash_only"),
        grade.filter(kind == "confirmation").max().alias("confirmed"),
        pl.col("valid_until").min().alias("decision_ends"),
        pl.struct("kind", "value", "reason", pl.col("valid_until").alias("until")).alias("lines"),
    )
    return result.join(caps, on="account_id", how="left", maintain_order="left")


_BRINGS = {kind: HOLD_RANK[hold] for kind, hold in _HOLD_OF.items()}
_LINE = pl.Struct({"kind": pl.String, "value": pl.String, "reason": pl.String, "until": pl.Int32})
_NONE: dict[str, pl.DataType] = {
    "override": pl.String(),
    "override_cap": pl.Int32(),
    "held": pl.Int32(),
    "released": pl.Int32(),
    "cash_only": pl.Boolean(),
    "confirmed": pl.Int32(),
    "decision_ends": pl.Int32(),
    "lines": pl.List(_LINE),
}


def with_decisions(frame: pl.DataFrame, tables: Tables, as_of: int) -> pl.DataFrame:
    """The frame with natural_person and the columns of `decided`; `next_day` no later than a decision's end."""
    frame = frame.with_columns(tables["accounts"]["natural_person"])
    if table(tables, "decisions").is_empty():
        return frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in _NONE.items())
    joined = frame.join(decisions_in_force(tables, as_of), on="account_id", how="left", maintain_order="left")
    return joined.with_columns(pl.min_horizontal("next_day", pl.col("decision_ends") + 1).alias("next_day"))


def apply_overrides(frame: pl.DataFrame, policy: Policy, as_of: int) -> pl.DataFrame:
    """The rating with what people decided, and what waits for them.

    Columns in: rating, rating_before, pending_rating, pending_since, natural_person and those of `decided`. Columns
    out, beside them: unconfirmed (a natural person's lower grade or limit that a person has yet to confirm); rating,
    pending_rating and pending_since replaced.
    """
    given = frame["override"].is_not_null() | frame["override_cap"].is_not_null()
    nobody = not given.any() and not frame["natural_person"].any(ignore_nulls=True)
    if nobody:
        return frame.with_columns(pl.lit(value=False).alias("unconfirmed"))
    before = grade_rank("rating", _UNRATED)
    condition = grade_rank("override")
    most = policy.overrides.most_notches
    # Nobody who is not rated has a grade to count notches from.
    best = pl.when(pl.col("rating") == NOT_RATED).then(0).otherwise(before - most)
    lifted = pl.when(condition.is_not_null()).then(pl.max_horizontal(condition, best)).otherwise(before)
    # What was decided since the accounts are one customer stands against what one of them had before.
    cap = pl.when(condition.is_null() & (pl.col("rating") != NOT_RATED)).then("override_cap")
    frame = frame.with_columns(pl.max_horizontal(lifted, cap).alias("grade_now"))
    person = pl.col("natural_person").fill_null(value=False)
    falls = person & (pl.col("grade_now") > grade_rank("rating_before")) & (pl.col("grade_now") < _UNRATED)
    allowed = pl.max_horizontal(grade_rank("rating_before"), "confirmed")
    waits = falls & (pl.col("grade_now") > allowed) & condition.is_null() & pl.col("override_cap").is_null()
    now = pl.when(waits).then(allowed).otherwise(pl.col("grade_now"))
    rating, pended = grade_at(now).fill_null(NOT_RATED), grade_at(pl.col("grade_now"))
    return frame.with_columns(
        rating.alias("rating"),
        pl.when(waits).then(pended).otherwise("pending_rating").alias("pending_rating"),
        pl.when(waits).then(as_of).otherwise("pending_since").cast(pl.Int32).alias("pending_since"),
        waits.fill_null(value=False).alias("unconfirmed"),
    ).drop("grade_now")


def apply_holds(frame: pl.DataFrame) -> pl.DataFrame:
    """The hold with what people decided: a release lowers ours, and what a person holds stands.

    Columns in: hold and those of `decided`.
    """
    if frame["lines"].null_count() == frame.height:
        return frame
    ours = pl.col("hold").replace_strict(HOLD_RANK, return_dtype=pl.Int32)
    lowered = pl.when(pl.col("released").is_not_null()).then(pl.min_horizontal(ours, "released")).otherwise(ours)
    worst = pl.max_horizontal(lowered, pl.col("held").fill_null(0))
    return frame.with_columns(worst.replace_strict(dict(enumerate(HOLDS)), return_dtype=pl.String).alias("hold"))


def reasons(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns out: row (its number in the frame), indicator, decided, until, why; a line per decision in force."""
    rows = frame.select("lines").with_row_index("row").explode("lines").drop_nulls("lines").unnest("lines")
    return rows.select(
        "row",
        (pl.lit("decided_") + pl.col("kind")).alias("indicator"),
        pl.col("value").cast(pl.String).alias("decided"),
        pl.col("until").cast(pl.Int32),
        pl.col("reason").cast(pl.String).alias("why"),
    )
