"""The company behind the customer: age, capital, public records and financial statements.

Ratios are computed from the newest statement known on the day, one of the company itself before one of its group.
Formulas: connector.messages.features; Altman's three variants: Altman 1968, 1983, 1995.
"""

from __future__ import annotations

import polars as pl

from connector.assessment import RATINGS
from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.frame.windows import not_expired
from connector.scoring.ledger.ledger import Ledger

#: Tax credit grades 纳税信用 (税务总局公告2014年第40号; M since 2018年第8号) → points.
TAX_GRADES = {"A": 4, "B": 3, "M": 3, "C": 1, "D": 0}
#: Altman's Z: working capital, retained earnings, EBIT (each ÷ total assets), value ÷ liabilities, sales ÷ assets.
ALTMAN = {
    "altman_z": ((1.2, 1.4, 3.3, 0.6, 0.999), "market_value"),
    "altman_z1": ((0.717, 0.847, 3.107, 0.420, 0.998), "book_value"),
    "altman_z2": ((6.56, 3.26, 6.72, 1.05, 0.0), "book_value"),
}
_MOST_COVER = 100.0
#: Figures and outside judgements count for two years; then they say that they are stale, and help no more.
STALE = 730
#: Kinds of evidence that hold a judgement of the customer: a number of 0 to 100, or a grade.
JUDGEMENTS = ("bureau", "management", "industry", "partner", "visit", "news")
_GRADES = {grade: round(100 - n * 100 / (len(RATINGS) - 1)) for n, grade in enumerate(RATINGS)}
_PPM = 10**6


def company_record(tables: Tables, state: Ledger, policy: Policy, as_of: int) -> pl.DataFrame:
    """One row per account.

    Columns out: account_id, company_age, registered_capital, tax_grade, legal_cases, insolvency, external_score,
    external_age.
    """
    accounts = tables["accounts"].select("account_id", "founded_on", "registered_capital", "currency")
    frame = state.rates.based(accounts, as_of, registered_capital="registered_capital").select(
        "account_id",
        pl.when(pl.col("founded_on") <= as_of).then(as_of - pl.col("founded_on")).alias("company_age"),
        "registered_capital",
    )
    evidence = table(tables, "evidence")
    if evidence.is_empty():
        none = pl.lit(None, pl.Int64)
        return frame.with_columns(
            none.alias("tax_grade"),
            none.alias("legal_cases"),
            pl.lit(0, pl.Int64).alias("insolvency"),
            pl.lit(None, pl.Float64).alias("external_score"),
            none.alias("external_age"),
        )
    rows = evidence.filter((pl.col("observed_on") <= as_of) & not_expired(as_of))
    tax = rows.filter(pl.col("kind") == "tax").sort("observed_on", "evidence_id")
    grade = (
        pl.col("value")
        .str.strip_chars()
        .str.to_uppercase()
        .replace_strict(TAX_GRADES, default=None, return_dtype=pl.Int64)
    )
    grades = tax.group_by("account_id", maintain_order=True).agg(grade.last().alias("tax_grade"))
    legal = rows.filter(pl.col("kind") == "legal")
    code = pl.col("value").str.strip_chars().str.to_lowercase()
    insolvent = code.is_in(list(policy.default.insolvency_codes)).fill_null(value=False)
    records = legal.group_by("account_id", maintain_order=True).agg(
        (~insolvent).sum().cast(pl.Int64).alias("legal_cases"), insolvent.sum().cast(pl.Int64).alias("insolvency")
    )
    for part in (grades, records, _judgements(evidence, as_of)):
        frame = frame.join(part, on="account_id", how="left")
    return frame.with_columns(pl.col("insolvency").fill_null(0))


def _judgements(evidence: pl.DataFrame, as_of: int) -> pl.DataFrame:
    """account_id, external_score (weighted mean of those in force, 0 to 100), external_age (of the newest ever)."""
    frame = evidence.filter((pl.col("observed_on") <= as_of) & pl.col("kind").is_in(JUDGEMENTS))
    text = pl.col("value").str.strip_chars()
    grade = text.str.to_uppercase().replace_strict(_GRADES, default=None, return_dtype=pl.Float64)
    points = pl.coalesce(text.cast(pl.Float64, strict=False), grade)
    whole = pl.when(points.is_finite()).then(points.clip(0, 100) * _PPM).round().cast(pl.Int64).alias("points")
    weight = (pl.col("weight").fill_null(1.0).clip(0, 1000) * _PPM).round().cast(pl.Int64).alias("weight")
    rows = frame.with_columns(whole, weight).drop_nulls("points")
    counts = rows.filter(not_expired(as_of) & (pl.col("observed_on") > as_of - STALE) & (pl.col("weight") > 0))
    ages = rows.group_by("account_id", maintain_order=True).agg(
        (as_of - pl.col("observed_on")).min().cast(pl.Int64).alias("external_age")
    )
    sums = counts.group_by("account_id", maintain_order=True).agg(
        (pl.col("points").cast(pl.Int128) * pl.col("weight")).sum().alias("sum"), pl.col("weight").sum()
    )
    mean = (pl.col("sum") // pl.col("weight")).cast(pl.Float64) / pl.lit(_PPM, pl.Float64)
    means = sums.select("account_id", mean.alias("external_score"))
    return ages.join(means, on="account_id", how="left", maintain_order="left")


def finances(tables: Tables, state: Ledger, as_of: int) -> pl.DataFrame | None:
    """account_id, the ratios, statement_age; None without a statement. A ratio is null where a figure of it is."""
    condition = pl.coalesce("published_on", "period_end") <= as_of
    rows = table(tables, "statements").filter(condition & (pl.col("period_end") <= as_of))
    if rows.is_empty():
        return None
    own_first = rows.sort(
        "period_end", pl.col("consolidated").fill_null(value=False).not_(), "published_on", nulls_last=False
    )
    ages = own_first.group_by("account_id", maintain_order=True).agg(
        (as_of - pl.col("period_end").last()).alias("statement_age")
    )
    fresh = own_first.filter(pl.col("period_end") > as_of - STALE)
    frame = fresh.group_by("account_id", maintain_order=True).last()
    frame = frame.join(_year_before(own_first, frame), on="account_id", how="left", maintain_order="left")
    book_value = pl.coalesce("equity", pl.col("total_assets") - pl.col("total_liabilities"))
    capital = pl.col("current_assets") - pl.col("current_liabilities")
    frame = frame.with_columns(book_value.alias("book_value"), capital.alias("capital"))
    frame = state.rates.based(frame, as_of, equity="book_value", working_capital="capital")
    year = (pl.lit(12) / pl.col("months").fill_null(12).clip(lower_bound=1)).alias("year")
    frame = frame.with_columns(year)
    assets, short = _positive("total_assets"), _positive("current_liabilities")
    sales, debt = _positive("revenue"), _positive("total_liabilities")
    cover = pl.col("ebit") / _positive("interest_expense")
    employed = pl.col("total_assets") - pl.col("current_liabilities")
    free = (pl.col("interest_expense") == 0) & (pl.col("ebit") >= 0)
    parts = {
        "working": (pl.col("current_assets") - pl.col("current_liabilities")) / assets,
        "retained": pl.col("retained_earnings") / assets,
        "ebit": pl.col("ebit") * pl.col("year") / assets,
        "sales": pl.col("revenue") * pl.col("year") / assets,
    }
    ratios = frame.select(
        "account_id",
        ((pl.col("revenue") * pl.col("year") - pl.col("revenue_before")) / _positive("revenue_before")).alias(
            "revenue_change"
        ),
        (pl.col("debt_before") - pl.col("total_liabilities") / assets).alias("debt_change"),
        (pl.col("current_assets") / short).alias("current_ratio"),
        ((pl.col("current_assets") - pl.col("inventory")) / short).alias("quick_ratio"),
        (pl.col("total_liabilities") / assets).alias("debt_ratio"),
        "equity",
        "working_capital",
        (pl.col("net_profit") / sales).alias("net_margin"),
        (pl.col("net_profit") * pl.col("year") / assets).alias("return_on_assets"),
        (pl.col("ebit") * pl.col("year") / pl.when(employed > 0).then(employed)).alias("return_on_capital"),
        (pl.col("ebit") / sales).alias("operating_margin"),
        (pl.col("operating_cash_flow") / sales).alias("cash_flow_margin"),
        ((pl.col("revenue") - pl.col("cost_of_sales")) / sales).alias("gross_margin"),
        pl.when(free).then(_MOST_COVER).otherwise(cover).clip(-_MOST_COVER, _MOST_COVER).alias("interest_cover"),
        parts["sales"].alias("asset_turnover"),
        (pl.col("operating_cash_flow") * pl.col("year") / short).alias("cash_flow_ratio"),
        ((pl.col("net_profit") > 0).cast(pl.Int64) + (pl.col("operating_cash_flow") > 0)).alias("earning_signs"),
        *(altman(parts, pl.col(value) / debt, weights).alias(name) for name, (weights, value) in ALTMAN.items()),
    )
    return ages.join(ratios, on="account_id", how="left", maintain_order="left")


def _year_before(rows: pl.DataFrame, newest: pl.DataFrame) -> pl.DataFrame:
    """account_id, revenue_before (a year's), debt_before (ratio): of the newest statement that ended a year earlier.

    A statement of the same kind, consolidated or not, that ended 300 to 430 days before.
    """
    kind = pl.col("consolidated").fill_null(value=False)
    this = newest.select("account_id", pl.col("period_end").alias("end"), kind.alias("kind"))
    earlier = rows.join(this, on="account_id", how="inner", maintain_order="left")
    span = pl.col("end") - pl.col("period_end")
    earlier = earlier.filter(span.is_between(300, 430) & (kind == pl.col("kind")))
    year = pl.lit(12) / pl.col("months").fill_null(12).clip(lower_bound=1)
    return earlier.group_by("account_id", maintain_order=True).agg(
        (pl.col("revenue") * year).last().alias("revenue_before"),
        (pl.col("total_liabilities") / _positive("total_assets")).last().alias("debt_before"),
    )


def altman(parts: dict[str, pl.Expr], value: pl.Expr, weights: tuple[float, float, float, float, float]) -> pl.Expr:
    """Altman's Z from working capital, retained earnings, EBIT and sales (each ÷ total assets) and value ÷ debt."""
    working, retained, ebit, solvency, sales = weights
    z = parts["working"] * working + parts["retained"] * retained + parts["ebit"] * ebit + value * solvency
    return z + parts["sales"] * sales if sales else z


def _positive(name: str) -> pl.Expr:
    return pl.when(pl.col(name) > 0).then(pl.col(name))
