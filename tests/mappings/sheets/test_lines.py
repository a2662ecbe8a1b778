"""Totals, subtotals, repeated heads and remarks are told apart from facts; a customer called Total Energies is one."""

from mappings.sheets.headings import find
from mappings.sheets.lines import sort_out

SHEET: list[list[str | None]] = [
    ["应收账款明细表", None, None, None],
    ["客户编号", "发票号", "开票日期", "金额"],
    ["A1", "F1", "2026-01-05", "100"],
    ["A1", "F2", "2026-01-06", "200"],
    ["小计", None, None, "300"],
    [None, None, None, None],
    ["客户编号", "发票号", "开票日期", "金额"],
    ["A2", "F3", "2026-01-05", "50"],
    ["A2 小计", None, None, "50"],
    ["合计：", None, None, "350"],
    ["备注：以上为未审计数", None, None, None],
]


def test_what_stands_between_the_rows_is_told_by_its_kind() -> None:
    (heads,) = find(SHEET)

    lines = sort_out(SHEET, heads)

    assert lines.facts == (2, 3, 7)
    assert dict(lines.asides) == {4: "subtotal", 6: "heads", 8: "subtotal", 9: "total", 10: "remark"}


def test_customers_that_are_called_so_stay() -> None:
    rows: list[list[str | None]] = [
        ["Customer No", "Company", "Credit Limit"],
        ["K1", "Total Energies SE", "5000"],
        ["K2", "Sum Sang Ltd", "100"],
        [None, "Zwischensumme Nord", "5100"],
        ["Total", None, "5100"],
        ["K3", None, "7"],
    ]
    heads = find(rows, "limits")[0]

    lines = sort_out(rows, heads)

    assert lines.facts == (1, 2, 5)
    assert dict(lines.asides) == {3: "subtotal", 4: "total"}
