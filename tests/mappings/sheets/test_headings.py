"""Heads of columns in three languages, below titles; what nothing is called by is told."""

import pytest

from connector.schema import TABLES
from mappings.sheets.headings import FINDERS, find, known, said, words


@pytest.mark.parametrize(
    ("row", "table", "columns"),
    [
        (["客户编号", "客户名称", "报表截止日", "币种", "资产总计", "负债合计", "营业收入", "净利润"], "statements",
         ["account_id", "name", "period_end", "currency", "total_assets", "total_liabilities", "revenue", "net_profit"]),
        (["Konto", "Stichtag", "Währung", "Saldo"], "reconciliations", ["account_id", "period_end", "currency", "balance"]),
        (["客户编号", "报表截止日", "币种", "对账差异"], "reconciliations",
         ["account_id", "period_end", "currency", "difference"]),
        (["account_id", "period_end", "balance", "currency"], "reconciliations",
         ["account_id", "period_end", "balance", "currency"]),
        (["统一社会信用代码", "企业名称", "立案日期", "执行标的(元)"], "evidence", ["tax_id", "name", "observed_on", "amount"]),
        (["Kunden-Nr.", "Rechnungsnummer", "Rechnungsdatum", "Fällig am", "Bruttobetrag (EUR)"], "receivables",
         ["account_id", "number", "issued", "due", "amount"]),
        (["Customer No", "Payment Date", "Amount", "Payment Method"], "payments",
         ["account_id", "paid_on", "amount", "instrument"]),
        (["客户编码", "授信额度（万元）", "有效期至"], "limits", ["account_id", "amount", "valid_until"]),
        (["币种", "本位币", "日期", "汇率"], "rates", ["currency", "base", "day", "rate"]),
    ],
)  # fmt: skip
def test_heads_say_which_table_it_is(row: list[str], table: str, columns: list[str]) -> None:
    rows: list[list[str | None]] = [
        ["某公司报表", *[None] * (len(row) - 1)],
        ["单位：元", *[None] * (len(row) - 1)],
        [*row],
        ["x"] * len(row),
    ]

    (heads, *others) = find(rows)

    assert (heads.table, heads.row, [heads.columns[at] for at in sorted(heads.columns)]) == (table, 2, columns)
    assert others == []


def test_what_nothing_is_called_by_is_told_and_can_be_said() -> None:
    rows = [["Konto", "Saldo", "Region", "Gebucht bis"]]

    (heads,) = find(rows)
    assert dict(heads.unknown) == {2: "Region", 3: "Gebucht bis"}
    (said_,) = find(rows, columns={"gebucht bis": "period_end"})
    assert dict(said_.columns) == {0: "account_id", 1: "balance", 3: "period_end"}
    assert find([["Region", "Umsatzstufe"]]) == []


def test_a_table_that_is_said_needs_no_telling_column() -> None:
    assert find([["customer", "date"]], "orders")[0].table == "orders"


def test_every_word_is_of_a_column_that_the_table_has_and_of_one_alone() -> None:
    for table in TABLES:
        names = {*TABLES[table].names(), *FINDERS}
        assert set(words(table).values()) <= names


def test_heads_are_compared_without_what_says_nothing() -> None:
    assert said(" Brutto-Betrag （EUR） ") == "bruttobetrag"
    assert known("客户编号,资产总计;金额\tx") == 3
