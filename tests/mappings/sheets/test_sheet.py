"""Whole sheets, as others had trouble with them: nothing is guessed, and nothing is lost without a word."""

from datetime import date
from typing import Any

from mappings.sheets.grids import Grid, book
from mappings.sheets.headings import find, known
from mappings.sheets.sheet import Answers, Taken, take

TODAY = date(2026, 12, 1)


def taken(text: str, encoding: str = "utf-8", table: str = "", **answers: Any) -> Taken:
    (grid,) = book(text.encode(encoding), "a.csv", known).grids
    (heads,) = find(grid.texts, table)
    return take(grid, heads, Answers(**answers), TODAY)


def told(found: Taken) -> list[tuple[str, str | None, str]]:
    return [(row["column"], row["value"], row["reason"]) for row in found.rejects.to_dicts()]


def test_figures_of_a_chinese_sheet_in_gb18030() -> None:
    found = taken(
        "客户编号,客户名称,报表截止日,币种,资产总计,负债合计,营业收入,净利润\n"
        '00123,联通商贸(虚构),2025年12月31日,人民币,"￥1,234.5万",１２３４５６.７８,1.2亿,—\n'
        '00124,璟翀实业（虚构）,2025.12.31,CNY,1 000 000,"(1,234.50)",￥0,-5.5万\n',
        "gb18030",
    )

    assert (found.table, found.questions, told(found)) == ("statements", (), [])
    assert found.frame.drop("record", "name").rows() == [
        ("00123", "2025-12-31", "CNY", "12345000", "123456.78", "120000000", None),
        ("00124", "2025-12-31", "CNY", "1000000", "-1234.5", "0", "-55000"),
    ]


def test_the_decimal_mark_of_a_german_sheet_in_cp1252() -> None:
    head = "Konto;Stichtag;Währung;Saldo\n"
    found = taken(
        f"{head}D001;31.12.2025;EUR;236,48\nD002;31.12.2025;EUR;1.488,69\nD003;31.12.2025;EUR;1.000\n"
        "D004;31.12.2025;EUR;4.711,98 €\nD005;31.12.2025;EUR;-89,9\n",
        "cp1252",
    )
    assert dict(found.frame.select("account_id", "balance").iter_rows()) == {
        "D001": "236.48", "D002": "1488.69", "D003": "1000", "D004": "4711.98", "D005": "-89.9",
    }  # fmt: skip

    doubtful = f"{head}D001;31.12.2025;EUR;1.234\nD002;31.12.2025;EUR;2.500\n"
    asked = taken(doubtful)
    assert (asked.frame.height, [each.column for each in asked.questions]) == (0, ["balance"])
    said = taken(doubtful, marks={"balance": ","})
    assert said.frame["balance"].to_list() == ["1234", "2500"]


def test_signs_in_disguise_and_sides_that_nobody_explained() -> None:
    found = taken(
        "客户编号,报表截止日,币种,对账差异\n"
        'K001,2025-12-31,CNY,"(1,234.50)"\nK002,2025-12-31,CNY,"1,200.00-"\nK003,2025-12-31,CNY,（９８７.６５）\n'
        "K004,2025-12-31,CNY,−45.00\nK005,2025-12-31,CNY,△300\nK006,2025-12-31,CNY,12.00 贷\n"
    )

    assert found.frame["difference"].to_list() == ["-1234.5", "-1200", "-987.65", "-45", "-300"]
    assert told(found) == [("difference", "12.00 贷", "debit_or_credit")]
    assert found.rejects["record"].to_list() == ["a.csv:7"]


def test_days_whose_month_only_the_column_tells() -> None:
    head = "account_id,period_end,balance,currency\n"
    first = taken(f"{head}D001,12.07.2022,100.00,EUR\nD002,13.07.2022,100.00,EUR\n")
    assert first.frame["period_end"].to_list() == ["2022-07-12", "2022-07-13"]
    doubtful = f"{head}D001,03/04/2022,100.00,EUR\nD002,05/06/2022,100.00,EUR\n"
    assert [each.question.what for each in taken(doubtful).questions] == ["order"]
    assert taken(doubtful, orders={"*": "month"}).frame["period_end"].to_list() == ["2022-03-04", "2022-05-06"]
    third = taken(f"{head}D001,2022-06-11,100.00,EUR\nD002,13.07.2022,100.00,EUR\n")
    assert third.frame["period_end"].to_list() == ["2022-06-11", "2022-07-13"]


def test_tax_ids_that_a_spreadsheet_ate() -> None:
    found = taken(
        "统一社会信用代码,企业名称,立案日期,执行标的(元)\n"
        '9199009978290E0866,虚构甲公司,2026-01-15,"50,000.00"\n'
        '\'919900997829000107,虚构乙公司,2026-01-16,"60,000.00"\n'
        '9.13205E+17,虚构乙公司,2026-01-17,"70,000.00"\n'
        '９１９９００９７８２９０Ｅ０８６６,虚构甲公司,2026-01-19,"90,000.00"\n',
        currency="CNY",
    )

    assert found.frame.select("tax_id", "amount", "currency").rows() == [
        ("9199009978290E0866", "50000", "CNY"),
        ("919900997829000107", "60000", "CNY"),
        ("919900978290E0866", "90000", "CNY"),
    ]
    assert told(found) == [("tax_id", "9.13205E+17", "eaten")]


def test_subtotals_are_no_invoices_and_a_total_is_held_against_the_rows() -> None:
    head = "客户编号,发票号,开票日期,到期日,金额,币种\n"
    rows = "B1,F1,2026-01-05,2026-02-09,1500,CNY\n小计,,,,1500,\nB2,F2,2026-01-06,2026-03-09,700,CNY\n合计,,,,{},\n"
    found = taken(head + rows.format(2200))
    assert found.frame["amount"].to_list() == ["1500", "700"]
    assert dict(found.asides) == {2: "subtotal", 4: "total"}
    assert found.unequal == ()
    assert taken(head + rows.format(2300)).unequal == ((4, "amount", "2300", "2200"),)
    # By the mark that a person said, too.
    doubtful = "B1,F1,2026-01-05,2026-02-09,1.500,CNY\n合计,,,,1.700,\n"
    assert taken(head + doubtful, marks={"amount": "."}).unequal == ((2, "amount", "1.7", "1.5"),)


def test_numbers_of_a_workbook_need_no_mark_and_take_the_unit_of_their_head() -> None:
    grid = Grid(
        "一月",
        [["客户编号", "授信额度（万元）", "生效日期"], ["00123", "1.234", "2026-01-05"], ["919900997829000107", "5", "45291"]],
        [["t", "t", "t"], ["t", "n", "d"], ["n", "n", "n"]],
    )  # fmt: skip
    heads = find(grid.texts)[0]

    found = take(grid, heads, Answers(currency="CNY"), TODAY)

    assert found.table == "limits"
    assert found.frame.rows() == [("一月:2", "00123", "12340", "2026-01-05", "CNY")]
    assert told(found) == [("account_id", "919900997829000107", "eaten"), ("valid_from", "45291", "not_a_day")]
