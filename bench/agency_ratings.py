"""How the `financial-ratios` policy orders companies, beside rating agencies: Spearman's rank correlation.

    python bench/agency_ratings.py corporate_rating.csv

FILE: one row a rating, with the columns of `_COLUMNS` and Rating, Name (as in the corporate credit rating data on
Kaggle; not part of this repository). "fitted": each ratio's points are the mean grade of its tenth of one half of the
companies, scored on the other half, and the other way round.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import polars as pl

from connector.assessment import RATINGS
from connector.editions import preset_text
from connector.messages.features import FEATURES
from connector.policy import Indicator, Policy, load
from connector.scoring.rating.scorecard import scorecard

#: Feature → column of the file. Interest cover is not in it.
_COLUMNS = {
    "return_on_assets": "returnOnAssets",
    "return_on_capital": "returnOnCapitalEmployed",
    "operating_margin": "ebitPerRevenue",
    "net_margin": "netProfitMargin",
    "debt_ratio": "debtRatio",
    "current_ratio": "currentRatio",
    "cash_flow_margin": "operatingCashFlowSalesRatio",
}


def main(file: Path) -> None:
    """Print the correlations."""
    rows = pl.read_csv(file).select(
        pl.int_range(pl.len()).cast(pl.String).alias("account_id"),
        pl.col("Name").alias("name"),
        pl.col("Rating").replace_strict({grade: n for n, grade in enumerate(RATINGS)}).alias("grade"),
        *(pl.col(column).alias(feature) for feature, column in _COLUMNS.items()),
    )
    policy = load(preset_text("financial-ratios"), "financial-ratios")
    print(f"{rows.height} ratings of {rows['name'].n_unique()} companies")
    print(f"nothing fitted              {correlation(rows, policy):.3f}")
    halves = [rows.filter(_half(rows) == side) for side in (0, 1)]
    for train, test in (halves, halves[::-1]):
        print(
            f"curves fitted on the others {correlation(test, fitted(train, policy)):.3f}"
            f"   (nothing fitted, the same companies: {correlation(test, policy):.3f})"
        )


def _half(rows: pl.DataFrame) -> pl.Series:
    """0 or 1 by company, the same in every run."""
    return pl.Series([zlib.crc32(name.encode()) % 2 for name in rows["name"]])


def correlation(rows: pl.DataFrame, policy: Policy) -> float:
    """Spearman's rank correlation of score and grade; the score by the product's own scorecard."""
    given = {"settles": pl.lit(value=True), "history": pl.lit(0)}
    absent = {item.feature: pl.lit(None, pl.Float64) for item in policy.indicators.values() if item.feature not in rows}
    frame = scorecard(rows.with_columns(**given, **absent), policy, policy.base_currency)
    return -float(frame.select(pl.corr("score_milli", "grade", method="spearman")).item())


def fitted(rows: pl.DataFrame, policy: Policy) -> Policy:
    """The policy with points by the mean grade of each tenth of a ratio, and weights by its own rank correlation."""
    made: dict[str, Indicator] = {}
    for name, item in policy.indicators.items():
        if item.feature not in rows.columns:
            continue
        known = rows.drop_nulls(item.feature)
        tenths = known.with_columns((pl.col(item.feature).rank("ordinal") * 10 // (known.height + 1)).alias("tenth"))
        curve = tenths.group_by("tenth").agg(pl.col(item.feature).median(), pl.col("grade").mean()).sort("tenth")
        best, worst = curve["grade"].min(), curve["grade"].max()
        points = {x: 100 * (worst - y) / (worst - best) for _, x, y in curve.iter_rows()}  # type: ignore[operator]
        strength = abs(known.select(pl.corr(item.feature, "grade", method="spearman")).item())
        made[name] = item.model_copy(update={"points": tuple(points.items()), "weight": strength})
        assert FEATURES[item.feature].unit in ("share", "ratio")
    return policy.model_copy(update={"indicators": made})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
