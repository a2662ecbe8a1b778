"""The company behind the customer: age, capital, public records and financial statements.

Ratios are computed from the newest statement known on the day, one of the company itself before one of its group.
Formulas: connector.words.features; Altman's three variants: Altman 1968, 1983, 1995.
"""

from __future__ import annotations

import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.ledger import Ledger
from connector.scoring.windows import lasts

#: Tax credit grades 纳税信用 (税务总局公告2014年第40号; M since 2018年第8号) → points.
TAX_GRADES = {"A": 4, "B": 3, "M": 3, "C": 1, "D": 0}
#: Altman's Z: working capital, retained earnings, EBIT (each ÷ total assets), value ÷ liabilities, sales ÷ assets.
ALTMAN = {
    "altman_z": ((1.2, 1.4, 3.3, 0.6, 0.999), "market_value"),
    "altman_z1": ((0.717, 0.847, 3.107, 0.420, 0.998), "book_value"),
    "altman_z2": ((6.56, 3.26, 6.72, 1.05, 0.0), "book_value"),
}
_MOST_COVER = 100.0


def standing(tables: Tables, state: Ledger, policy: Policy, as_of: int) -> pl.DataFrame:
    """One row an account: account_id, company_age, registered_capital, tax_grade, legal_cases, insolvency."""
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
            none.alias("tax_grade"), none.alias("legal_cases"), pl.lit(0, pl.Int64).alias("insolvency")
        )
    rows = evidence.filter((pl.col("observed_on") <= as_of) & lasts(as_of))
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
    return frame.join(grades, on="account_id", how="left").join(records, on="account_id", how="left").with_columns(
        pl.col("insolvency").fill_null(0)
    )  # fmt: skip


def finances(tables: Tables, state: Ledger, as_of: int) -> pl.DataFrame | None:
    """account_id, the ratios, statement_age; None without a statement. A ratio is null where a figure of it is."""
    known = pl.coalesce("published_on", "period_end") <= as_of
    rows = table(tables, "statements").filter(known & (pl.col("period_end") <= as_of))
    if rows.is_empty():
        return None
    own_first = rows.sort(
        "period_end", pl.col("consolidated").fill_null(value=False).not_(), "published_on", nulls_last=False
    )
    frame = own_first.group_by("account_id", maintain_order=True).last()
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
    return frame.select(
        "account_id",
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
        (as_of - pl.col("period_end")).alias("statement_age"),
    )


def altman(parts: dict[str, pl.Expr], value: pl.Expr, weights: tuple[float, float, float, float, float]) -> pl.Expr:
    """Altman's Z from working capital, retained earnings, EBIT and sales (each ÷ total assets) and value ÷ debt."""
    working, retained, ebit, solvency, sales = weights
    z = parts["working"] * working + parts["retained"] * retained + parts["ebit"] * ebit + value * solvency
    return z + parts["sales"] * sales if sales else z


def _positive(name: str) -> pl.Expr:
    return pl.when(pl.col(name) > 0).then(pl.col(name))
