"""Proposed limits and the limit in force. Formulas of the methods: connector.messages.limits; docs/scoring.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from connector.assessment import LIMIT_TERM
from connector.policy import Policy
from connector.scoring.features.features import utilisation
from connector.scoring.frame.columns import (
    INT64_MAX,
    NEVER,
    Bool,
    Int,
    Values,
    Wide,
    days,
    is_known,
    largest,
    lists,
    mul_div,
    nullable,
    true,
    whole,
    widen,
    with_series,
)
from connector.scoring.frame.grades import GRADE_RANK, NONE, UNRATED, ranks
from connector.scoring.frame.keys import per_policy
from connector.scoring.frame.windows import YEAR

#: A customer of a few days has not shown yet what he needs: no rate of billing from less than a quarter.
_LEAST_DAYS = 90
_MILLI = 1000
_PPM = 10**6


@dataclass(frozen=True, slots=True)
class Amounts:
    """Amounts in minor units, by row, and where there is one."""

    minor: Int
    there: Bool

    @staticmethod
    def of(frame: pl.DataFrame, name: str) -> Amounts:
        """A column of the frame."""
        return Amounts(whole(frame, name), is_known(frame[name]))

    def where(self, holds: Bool) -> Amounts:
        """These where it holds, none elsewhere."""
        return Amounts(self.minor, self.there & holds)

    def else_(self, other: Amounts) -> Amounts:
        """These where there are some, the other's elsewhere."""
        return Amounts(np.where(self.there, self.minor, other.minor), self.there | other.there)

    def less(self, amount: Int) -> Amounts:
        """These less so much each."""
        return Amounts(self.minor - amount, self.there)

    def column(self, name: str) -> pl.Series:
        """A column of Polars, null where there is none."""
        return nullable(name, self.minor, self.there)


def limit(frame: pl.DataFrame, policy: Policy, base: str, as_of: int) -> pl.DataFrame:
    """The proposed limit, the one in force and the room left, in minor units.

    Columns in: rating, model_rating, nr_kind, features, agreed_limit, cash_only, natural_person, confirmed,
    unconfirmed, and of the assessment before: limit_before, rating_before, day_before (all null: there is none).
    Columns out, beside them: proposed_limit, limit_terms, limit (null: none in force), available, utilisation (of the
    limit in force) and unconfirmed (a natural person's lower limit waits, too). A proposal never rises above what
    people agreed while an exchange rate is missing.
    """
    rating, rules = ranks(frame["rating"]), _compiled(policy, base)
    agreed, secured = Amounts.of(frame, "agreed_limit"), whole(frame, "secured")
    terms = _terms(frame, policy, rules, rating, as_of)
    terms["cap"] = rules.caps.of(rating)
    terms["agreed"] = agreed.where(whole(frame, "rate_missing") > 0)
    least = np.min([np.where(each.there, each.minor, INT64_MAX) for each in terms.values()], axis=0)
    rounded = _rounded_down(np.where(least == INT64_MAX, 0, least), policy.limits.significant_digits)
    # What is insured or secured does not hang on the grade; a customer in default gets nothing on it.
    proposed = rounded + secured * (rating != GRADE_RANK["D"])
    own, waits = _in_force(frame, proposed, rating, policy, base)
    cash_only, chosen = true(frame["cash_only"]), agreed.else_(own)
    chosen = Amounts(np.where(cash_only, 0, chosen.minor), chosen.there | cash_only)
    exposure = whole(frame, "exposure")
    counts = chosen.there & (whole(frame, "prepaid") == 0)
    return with_series(
        frame,
        [
            pl.Series("proposed_limit", proposed),
            _terms_in_force(terms, least, secured),
            chosen.column("limit"),
            _available(frame, chosen, exposure).column("available"),
            pl.Series("utilisation", utilisation(exposure, chosen.minor, counts), nan_to_null=True),
            pl.Series("unconfirmed", true(frame["unconfirmed"]) | (waits & ~agreed.there)),
        ],
    )


@dataclass(frozen=True, slots=True)
class _ByGrade:
    """An amount of the scale for each rank of a grade."""

    minor: Int
    there: Bool

    def of(self, rating: Int) -> Amounts:
        """Those of the ratings."""
        return Amounts(self.minor[rating], self.there[rating])


@dataclass(frozen=True, slots=True)
class _Rules:
    """The policy's scale as columns by rank."""

    #: Thousandths of the need that the grade is proposed; of `NONE` that of who is not rated.
    factors: Int
    caps: _ByGrade
    #: What a method gives that has no data.
    without: _ByGrade


@per_policy
def _compiled(policy: Policy, base: str) -> _Rules:
    factors = np.zeros(NONE + 1, np.int64)
    factors[NONE] = round(policy.limits.unrated_share * _MILLI)
    for name, step in policy.scale.items():
        factors[GRADE_RANK[name]] = round(step.limit_factor * _MILLI)
    return _Rules(factors, *(_by_grade(policy, base, figure) for figure in ("limit_cap", "limit_without")))


def _by_grade(policy: Policy, base: str, figure: str) -> _ByGrade:
    minor, there = np.zeros(NONE + 1, np.int64), np.zeros(NONE + 1, bool)
    for name, step in policy.scale.items():
        amount = getattr(step, figure)
        if amount is not None:
            minor[GRADE_RANK[name]], there[GRADE_RANK[name]] = policy.minor(amount, base), True
    return _ByGrade(minor, there)


def _terms(frame: pl.DataFrame, policy: Policy, rules: _Rules, rating: Int, as_of: int) -> dict[str, Amounts]:
    """What each method of the policy gives; without data the grade's conservative figure, if the policy names one."""
    # Who has lost his evidence is proposed what his last grade was.
    keeps = (ranks(frame["rating_before"]) != NONE) & true(frame["nr_kind"] == "thin")
    factor = rules.factors[np.where(rating == UNRATED, np.where(keeps, ranks(frame["model_rating"]), NONE), rating)]
    values = Values(frame)
    terms: dict[str, Amounts] = {}
    for name, by in policy.limits.methods.items():
        share = round(by * _PPM)
        if name in ("needs", "average_sales"):
            terms[name] = _by_volume(name, share, factor, frame, values, policy, as_of)
        else:
            amounts = Amounts.of(frame, name)
            minor = mul_div(np.maximum(amounts.minor, 0), share * factor, _PPM * _MILLI)
            terms[name] = Amounts(minor, amounts.there).else_(rules.without.of(rating))
    return terms


def _by_volume(
    name: str, share: int, factor: Int, frame: pl.DataFrame, values: Values, policy: Policy, as_of: int
) -> Amounts:
    """What was billed a day × days of credit (and of lateness, for needs) × peak × factor."""
    terms = np.where(np.isnan(values["terms_days"]), policy.terms.days, values["terms_days"])
    late = np.nan_to_num(values["days_beyond_terms"]) if name == "needs" else 0.0
    span = np.rint((terms + late) * 100).astype(np.int64)
    peak = round(policy.limits.peak * _MILLI) if name == "needs" else _MILLI
    first = days(frame, "first_issued")
    active = np.where(first == NEVER, YEAR, np.clip(as_of - first, _LEAST_DAYS, YEAR))
    volume, by = whole(frame, "volume"), peak * share // _PPM
    wide: Wide = widen(volume, largest(volume) * max(largest(span), 1) * max(largest(factor), 1) * max(by, 1))
    upper = wide * span * factor * by // (active * (100 * _MILLI * _MILLI))
    # Beyond what an amount can be nothing is proposed.
    fits = np.asarray(upper <= INT64_MAX, bool)
    return Amounts(np.where(fits, upper, 0).astype(np.int64), fits)


def _available(frame: pl.DataFrame, chosen: Amounts, exposure: Int) -> Amounts:
    """The smaller of the customer's own room and his group's, at least 0; one that is not there does not count."""
    own = chosen.less(exposure)
    group = Amounts.of(frame, "group_limit").less(whole(frame, "group_exposure"))
    both = own.there & group.there
    room = Amounts(np.where(both, np.minimum(own.minor, group.minor), own.else_(group).minor), own.there | group.there)
    return Amounts(np.maximum(room.minor, 0), room.there)


def _terms_in_force(terms: dict[str, Amounts], least: Int, secured: Int) -> pl.Series:
    """The column limit_terms: the terms that have an amount, those that bind marked; securities last."""
    listed = {**terms, "secured": Amounts(secured, secured > 0)}
    row, term = np.nonzero(np.stack([each.there for each in listed.values()], axis=1))
    amount = np.stack([each.minor for each in listed.values()], axis=1)[row, term]
    binding = (term < len(terms)) & (amount == least[row])
    cells = pl.DataFrame({"method": pl.Series(list(listed)).gather(term), "amount": amount, "binding": binding})
    return lists(row, cells.to_struct("limit_terms"), LIMIT_TERM, len(least))


def _in_force(frame: pl.DataFrame, now: Int, rating: Int, policy: Policy, base: str) -> tuple[Amounts, Bool]:
    """The proposal, as far as it takes effect by itself; and where a lower one waits for a person.

    A lower proposal counts at once, for a natural person once it is confirmed; a higher one by at least `least_rise`,
    with new facts or a better grade, and not from a stale picture. Who is not rated keeps at most what he had.
    """
    before, rated = Amounts.of(frame, "limit_before"), ranks(frame["rating_before"])
    most = policy.approvals.limit_above
    # Nobody gets a limit by himself where the policy leaves every one to a person.
    if most is None:
        nobody = np.zeros(len(now), bool)
        lower = before.there & (now < before.minor)
        return Amounts(np.zeros_like(now), nobody), lower & _waits(frame)
    away = true(frame["away"])
    sure = (whole(frame, "rate_missing") == 0) & (rating != UNRATED) & ~true(frame["unread"])
    better = rating < np.minimum(rated, UNRATED)
    last_fact = np.maximum(whole(frame, "last_issued", -NEVER), whole(frame, "last_paid", -NEVER))
    recent = whole(frame, "data_age") <= policy.review.stale_days
    fresh = recent & ~away & (better | (last_fact > days(frame, "day_before")))
    enough = now >= before.minor + mul_div(before.minor, round(policy.limits.least_rise * _PPM), _PPM)
    first = ~before.there & (recent | ~away)
    rises = sure & (now <= policy.minor(most, base)) & (first | (before.there & enough & fresh))
    falls = before.there & (now <= before.minor)
    waits = falls & (now < before.minor) & _waits(frame)
    moves = (falls & ~waits) | rises
    return Amounts(np.where(moves, now, before.minor), moves | before.there), waits


def _waits(frame: pl.DataFrame) -> Bool:
    """Whose lower limit a person has to confirm."""
    return true(frame["natural_person"]) & ~is_known(frame["confirmed"])


def _rounded_down(amount: Int, digits: int) -> Int:
    """The leading digits of a non-negative amount, the rest zeros."""
    powers = 10 ** np.arange(19)
    unit = powers[np.maximum(np.searchsorted(powers, amount, side="right") - digits, 0)]
    return amount // unit * unit
