"""Files of sheets as people have them, by what they are and not by what they are called."""

import datetime as dt
import io
import random
from collections.abc import Callable
from typing import Any

import msoffcrypto
import pytest
import xlsxwriter

from connector.errors import Misconfigured
from mappings.sheets.grids import Book, book, is_inexact


def known(line: str) -> int:
    return sum(each in line for each in ("客户编号", "Konto", "account_id"))


def workbook(fill: Callable[[Any, Any], Any], **options: Any) -> bytes:
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True, **options})
    fill(made, made.add_worksheet("账"))
    made.close()
    return out.getvalue()


def only(found: Book) -> list[list[str | None]]:
    (grid,) = found.grids
    return grid.texts


def test_a_workbook_keeps_kinds_and_merged_heads() -> None:
    def fill(made: Any, sheet: Any) -> None:
        day = made.add_format({"num_format": "yyyy-mm-dd"})
        sheet.merge_range(0, 0, 0, 2, "应收账款")
        sheet.write_row(1, 0, ["客户编号", "金额", "到期日"])
        sheet.write_string(2, 0, "00123")
        sheet.write_number(2, 1, 0.1 + 0.2)
        sheet.write_datetime(2, 2, dt.datetime(2026, 1, 5), day)  # noqa: DTZ001
        sheet.write_number(3, 0, 919900997829000107)
        sheet.write_boolean(3, 1, True)
        made.add_worksheet("空")

    (grid,) = book(workbook(fill), "a.xlsx", known).grids

    assert (grid.name, grid.merged) == ("账", ((0, 0, 0, 2),))
    assert grid.texts[2] == ["00123", "0.3", "2026-01-05"]
    assert grid.kinds[2] == ["t", "n", "d"]
    assert grid.kinds[3][:2] == ["n", "b"]
    assert is_inexact(str(grid.texts[3][0]))
    assert not is_inexact("123456789012.5")


def test_days_of_a_workbook_that_counts_from_1904() -> None:
    def fill(made: Any, sheet: Any) -> None:
        sheet.write_datetime(0, 0, dt.datetime(2026, 1, 5), made.add_format({"num_format": "yyyy-mm-dd"}))  # noqa: DTZ001

    assert only(book(workbook(fill, date_1904=True), "a.xlsx", known)) == [["2026-01-05"]]


def test_an_encrypted_workbook_is_opened_with_its_password() -> None:
    plain = workbook(lambda _made, sheet: sheet.write(0, 0, "x"))
    out = io.BytesIO()
    office = msoffcrypto.OfficeFile(io.BytesIO(plain))
    office.encrypt("geheim", out)

    assert only(book(out.getvalue(), "a.xlsx", known, password="geheim")) == [["x"]]
    for wrong in ("", "canary"):
        with pytest.raises(Misconfigured, match="is encrypted") as caught:
            book(out.getvalue(), "a.xlsx", known, password=wrong)
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Konto;Saldo\nD1;1,5\n", [["Konto", "Saldo"], ["D1", "1,5"]]),
        ("Konto\tSaldo\nD1\t1,5\n", [["Konto", "Saldo"], ["D1", "1,5"]]),
        ('account_id,"a, b"\nA1,"x\ny"\n', [["account_id", "a, b"], ["A1", "x\ny"]]),
        ("account_id\nA1\nA2\n", [["account_id"], ["A1"], ["A2"]]),
        ("Umsatz 2025, netto;;\nKonto;Saldo;\nD1;5;\n\n;;\n", [
            ["Umsatz 2025, netto", None, None], ["Konto", "Saldo", None], ["D1", "5", None],
        ]),
    ],
)  # fmt: skip
def test_text_by_the_delimiter_that_its_lines_agree_on(text: str, rows: list[list[str | None]]) -> None:
    assert only(book(text.encode(), "a.csv", known)) == rows


def test_a_web_page_that_calls_itself_xls() -> None:
    page = (
        "<html><body><table border=1><tr><th colspan=2>应收</th></tr><tr><td>客户编号<td>金额</td></tr>"
        "<tr><td>A1</td><td>1&nbsp;234<br>元</td></tr></table><table><tr><td>x</td></tr></table></body></html>"
    )

    first, second = book(page.encode(), "报表.xls", known).grids

    assert first.texts == [["应收", None], ["客户编号", "金额"], ["A1", "1 234 元"]]
    assert (second.name, second.texts) == ("table 2", [["x"]])


def test_where_two_encodings_fit_somebody_is_asked() -> None:
    found = book("Größe;Länge\n".encode("cp1252"), "a.csv", known)

    assert (found.grids, set(found.readings)) == ([], {"gb18030", "cp1252"})
    assert only(book("Größe;Länge\n".encode("cp1252"), "a.csv", known, encoding="cp1252")) == [["Größe", "Länge"]]


@pytest.mark.parametrize("seed", [*range(20), *(pytest.param(n, marks=pytest.mark.slow) for n in range(20, 1_000))])
def test_a_damaged_file_ends_in_a_message(seed: int) -> None:
    chance = random.Random(seed)
    rows: list[list[Any]] = [["客户编号", "金额", "到期日"], *([f"A{n}", n * 1.5, "2026-01-05"] for n in range(40))]
    whole = chance.choice([
        workbook(lambda _made, sheet: [sheet.write_row(at, 0, row) for at, row in enumerate(rows)]),
        "\n".join(",".join(str(each) for each in row) for row in rows).encode("gb18030"),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + chance.randbytes(2_000),
        "<table><tr><td>客户编号</table>".encode(),
    ])  # fmt: skip
    data = bytearray(whole)
    for _ in range(chance.randint(1, 30)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    cut = bytes(data[: chance.randint(1, len(data))]) if chance.random() < 0.5 else bytes(data)

    try:
        found = book(cut, "a.xlsx", known)
    except Misconfigured as problem:
        code = problem.code
    else:
        code = "E-SHEET"
        assert all(
            len(row) == len(kinds) for grid in found.grids for row, kinds in zip(grid.texts, grid.kinds, strict=True)
        )
    assert code.startswith("E-SHEET")
