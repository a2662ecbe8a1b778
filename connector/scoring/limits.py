"""Proposed limits and the limit in force. Formulas of the methods: connector.words.limits; docs/scoring.md, "Limit"."""

from __future__ import annotations

import polars as pl

from connector.assessment import LIMIT_TERM, NOT_RATED, RATINGS
from connector.policy import Policy
from connector.scoring.features import used
from connector.scoring.grades import grade_rank
from connector.scoring.windows import YEAR

#: A customer of a few days has not shown yet what he needs: no rate of billing from less than a quarter.
_LEAST_DAYS = 90
_MILLI = 1000
_PPM = 10**6


def limit(frame: pl.DataFrame, policy: Policy, base: str, as_of: int) -> pl.DataFrame:
    """The proposed limit, the one in force and the room left, in minor units.

    Columns in: rating, features, agreed_limit, and of the assessment before: limit_before, rating_before, day_before
    (all null: there is none). Columns out, beside them: proposed_limit, limit_terms, limit (null: none in force),
    available, utilisation (of the limit in force) and unconfirmed (a natural person's lower limit waits, too). A
    proposal never rises above what people agreed while an exchange rate is missing.
    """
    frame = frame.with_columns(_factor(policy).alias("factor"))
    terms = {f"term_{name}": _method(name, by, policy, base, as_of) for name, by in policy.limits.methods.items()}
    frame = frame.with_columns(amount.alias(name) for name, amount in terms.items())
    frame = frame.with_columns(
        _cap(policy, base).alias("term_cap"),
        pl.when((pl.col("rate_missing") > 0) & pl.col("agreed_limit").is_not_null())
        .then("agreed_limit")
        .alias("term_agreed"),
        pl.col("secured").alias("term_secured"),
    )
    bounds = [*terms, "term_cap", "term_agreed"]
    least = pl.min_horizontal(bounds).fill_null(0)
    rounded = _rounded_down(least, policy.limits.significant_digits)
    # What is insured or secured does not hang on the grade; a customer in default gets nothing on it.
    proposed = rounded + pl.when(pl.col("rating") != "D").then("secured").otherwise(0)
    frame = frame.with_columns(proposed.alias("proposed_limit"), _listed(bounds, least).alias("limit_terms"))
    frame = _in_force(frame, policy, base).drop(*bounds, "term_secured", "factor")
    # The smaller of the customer's own room and his group's; a null one does not count.
    own, group = pl.col("limit") - pl.col("exposure"), pl.col("group_limit") - pl.col("group_exposure")
    return frame.with_columns(
        pl.min_horizontal(own, group).clip(lower_bound=0).alias("available"),
        used("exposure", "limit").alias("utilisation"),
    )


def _factor(policy: Policy) -> pl.Expr:
    """The grade's factor in thousandths; of who has lost his evidence that of his last grade."""
    had = pl.col("rating_before").is_not_null() & (pl.col("nr_kind") == "thin")
    kept = pl.when(had).then("model_rating")
    grade = pl.when(pl.col("rating") == NOT_RATED).then(kept).otherwise("rating")
    factor = pl.lit(0)
    for name, step in policy.scale.items():
        factor = pl.when(grade == name).then(round(step.limit_factor * _MILLI)).otherwise(factor)
    return pl.when(grade.is_null()).then(round(policy.limits.unrated_share * _MILLI)).otherwise(factor)


def _method(name: str, by: float, policy: Policy, base: str, as_of: int) -> pl.Expr:
    """What one method gives; without data the grade's conservative figure, null where the policy names none."""
    share, factor = round(by * _PPM), pl.col("factor")
    if name in ("needs", "average_sales"):
        terms = pl.col("terms_days").fill_null(policy.terms.days)
        late = pl.col("days_beyond_terms").fill_null(0) if name == "needs" else pl.lit(0.0)
        days = ((terms + late) * 100).round().cast(pl.Int64)
        peak = round(policy.limits.peak * _MILLI) if name == "needs" else _MILLI
        active = (as_of - pl.col("first_issued")).clip(_LEAST_DAYS, YEAR).fill_null(YEAR).cast(pl.Int64)
        upper = pl.col("volume").cast(pl.Int128) * days * factor * (peak * share // _PPM)
        # Beyond what an amount can be nothing is proposed.
        return (upper // (active * (100 * _MILLI * _MILLI))).cast(pl.Int64, strict=False)
    given = pl.col(name).clip(lower_bound=0).cast(pl.Int128) * share * factor // (_PPM * _MILLI)
    given = given.cast(pl.Int64, strict=False)
    return pl.coalesce(given, _by_grade(policy, base, "limit_without"))


def _cap(policy: Policy, base: str) -> pl.Expr:
    return _by_grade(policy, base, "limit_cap")


def _by_grade(policy: Policy, base: str, figure: str) -> pl.Expr:
    """An amount of the scale, by the rating; null where the policy has none."""
    found = pl.lit(None, pl.Int64)
    for grade, step in policy.scale.items():
        amount = getattr(step, figure)
        if amount is not None:
            found = pl.when(pl.col("rating") == grade).then(policy.minor(amount, base)).otherwise(found)
    return found


def _listed(bounds: list[str], least: pl.Expr) -> pl.Expr:
    """The terms that have an amount, those that bind marked; securities last."""
    lines = [_term(name, pl.col(name) == least) for name in bounds]
    pledged = pl.when(pl.col("term_secured") > 0).then(_term("term_secured", pl.lit(value=False)))
    return pl.concat_list(*lines, pledged).list.drop_nulls().cast(pl.List(LIMIT_TERM))


def _term(name: str, binding: pl.Expr) -> pl.Expr:
    cells = pl.struct(
        pl.lit(name.removeprefix("term_")).alias("method"), pl.col(name).alias("amount"), binding.alias("binding")
    )
    return pl.when(pl.col(name).is_not_null()).then(cells)


def _in_force(frame: pl.DataFrame, policy: Policy, base: str) -> pl.DataFrame:
    """`limit`: what people agreed; else the proposal, as far as it takes effect by itself; 0 for who pays cash only.

    A lower proposal counts at once, for a natural person once it is confirmed; a higher one by at least `least_rise`,
    with new facts or a better grade, and not from a stale picture. Who is not rated keeps at most what he had.
    """
    before, now = pl.col("limit_before"), pl.col("proposed_limit")
    limit_above = policy.approvals.limit_above
    most = None if limit_above is None else policy.minor(limit_above, base)
    by_itself = pl.lit(value=False) if most is None else now <= most
    sure = (pl.col("rate_missing") == 0) & (pl.col("rating") != NOT_RATED)
    better = grade_rank("rating") < grade_rank("rating_before", len(RATINGS))
    news = pl.max_horizontal("last_issued", "last_paid") > pl.col("day_before")
    enough = now >= before + (before.cast(pl.Int128) * round(policy.limits.least_rise * _PPM) // _PPM).cast(pl.Int64)
    fresh = (pl.col("data_age").fill_null(0) <= policy.review.stale_days) & (better | news).fill_null(value=False)
    rises = sure & by_itself & (before.is_null() | (enough & fresh))
    falls = before.is_not_null() & (now <= before)
    waits = falls & (now < before) & pl.col("natural_person").fill_null(value=False) & pl.col("confirmed").is_null()
    # Nobody gets a limit by himself where the policy leaves every one to a person.
    own = pl.when(falls & ~waits).then(now).when(rises).then(now).otherwise(before)
    own = pl.lit(None, pl.Int64) if most is None else own
    agreed = pl.col("agreed_limit")
    chosen = pl.coalesce(agreed, own)
    return frame.with_columns(
        pl.when(pl.col("cash_only").fill_null(value=False)).then(0).otherwise(chosen).alias("limit"),
        (pl.col("unconfirmed") | (waits & agreed.is_null()).fill_null(value=False)).alias("unconfirmed"),
    )


def _rounded_down(amount: pl.Expr, digits: int) -> pl.Expr:
    """The leading digits of a non-negative amount, the rest zeros."""
    surplus = (amount.cast(pl.String).str.len_chars().cast(pl.Int64) - digits).clip(lower_bound=0)
    unit = surplus.replace_strict(list(range(19)), [10**n for n in range(19)], return_dtype=pl.Int64)
    return amount // unit * unit
