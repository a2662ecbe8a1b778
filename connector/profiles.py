"""What other systems know of a customer, beside what the CRM's account says.

The CRM comes first: a profile fills only what its account leaves open. Of several profiles the first by id counts.
"""

from __future__ import annotations

import polars as pl

#: Columns of `accounts` that a profile may fill.
FILLS = (
    "tax_id", "parent_id", "country", "industry", "segment", "since", "founded_on", "natural_person",
    "registered_capital", "status",
)  # fmt: skip


def filled(accounts: pl.DataFrame, profiles: pl.DataFrame | None) -> pl.DataFrame:
    """The accounts with what their profiles add. Columns in and out: those of the canonical tables.

    A registered capital counts only where it is in the account's currency.
    """
    if profiles is None or profiles.is_empty() or accounts.is_empty():
        return accounts
    first = [pl.col(name).drop_nulls().first() for name in FILLS if name != "registered_capital"]
    capital = pl.struct("registered_capital", "currency").filter(pl.col("registered_capital").is_not_null()).first()
    rows = profiles.sort("profile_id").group_by("account_id").agg(*first, capital.alias("capital"))
    joined = accounts.join(rows, on="account_id", how="left", suffix="?", maintain_order="left")
    told = pl.col("capital").struct
    same = (told.field("currency") == pl.col("currency")) | pl.col("currency").is_null()
    values = [pl.coalesce(name, f"{name}?").alias(name) for name in FILLS if name != "registered_capital"]
    values.append(pl.coalesce("registered_capital", pl.when(same).then(told.field("registered_capital"))))
    return joined.with_columns(values).select(accounts.columns)
