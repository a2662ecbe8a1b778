"""The live claims of a day: due days filled, disputes judged, amounts in base currency.

Source: design/tables.md, "Rules that are easy to get wrong"; design/policy.md, "Disputes".
"""

from __future__ import annotations

import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.rates import Rates
from connector.scoring.terms import due_by_terms


def claims(tables: Tables, policy: Policy, as_of: int, rates: Rates) -> pl.DataFrame:
    """Receivables issued and not voided by the day.

    Columns out, beside those of the canonical table: due, original_due and due_basis, filled; disputed (a dispute is in
    force), contested (what of the amount it is about; 0 without one), at_fault (ours: it is our own doing), late_from
    (day after which lateness counts), amount_base (null without a rate), rate_missing.
    """
    issued = pl.col("issued") <= as_of
    live = table(tables, "receivables").filter(issued & (pl.col("voided_on").is_null() | (pl.col("voided_on") > as_of)))
    frame = _disputed(_due(live, table(tables, "terms"), policy), policy.exposure.disputes.max_days, as_of)
    return rates.based(frame, as_of, amount_base="amount")


def _due(live: pl.DataFrame, terms: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Without a due day: the agreed terms; without these the policy's, and listed as "due unknown"."""
    # A retention is kept back beyond the terms of the trade: these say nothing about it.
    retained = pl.col("component") == "retention"
    silent = pl.col("due").is_null() & (pl.col("due_basis") == "unknown")
    untold = live.filter(silent)
    # Nearly always nobody is silent, or nothing was agreed.
    told = untold.is_empty() or terms.is_empty()
    known = pl.lit(None, pl.Int32) if told else pl.when(~retained).then(due_by_terms(live, terms))
    frame = live.with_columns(known.cast(pl.Int32).alias("agreed"))
    usual = pl.when(retained).then(policy.terms.retention_days).otherwise(policy.terms.days)
    guessed = pl.when(silent).then(pl.coalesce("agreed", pl.col("issued") + usual))
    basis = pl.when(silent & pl.col("agreed").is_not_null()).then(pl.lit("computed")).otherwise("due_basis")
    due = pl.coalesce("due", guessed).cast(pl.Int32)
    return frame.with_columns(
        due.alias("due"),
        basis.alias("due_basis"),
        pl.coalesce("original_due", due).cast(pl.Int32).alias("original_due"),
    ).drop("agreed")


def _disputed(frame: pl.DataFrame, most: int, as_of: int) -> pl.DataFrame:
    """A dispute ends when it is closed, and by itself after `most` days.

    While it lasts the contested amount is not overdue. Where the fault is ours no lateness counts before its end, for
    who pays then as for who waits; else the item is as late as any other.
    """
    began = (pl.col("disputed_on") <= as_of).fill_null(value=False)
    known_end = pl.when(pl.col("dispute_closed_on") <= as_of).then("dispute_closed_on")
    end = pl.min_horizontal(known_end, pl.col("disputed_on") + most)
    disputed = (began & (end > as_of)).fill_null(value=False)
    ours = (began & (pl.col("dispute_fault") == "ours")).fill_null(value=False)
    contested = pl.min_horizontal(pl.col("disputed_amount").abs(), pl.col("amount").abs()) * pl.col("amount").sign()
    return frame.with_columns(
        disputed.alias("disputed"),
        pl.when(disputed).then(pl.coalesce(contested, "amount")).otherwise(0).alias("contested"),
        ours.alias("at_fault"),
        pl.when(ours).then(pl.max_horizontal("original_due", end)).otherwise("original_due").alias("late_from"),
    )
