"""Bytes of a text file: strictly, by known headers, else asked."""

import pytest

from mappings.sheets.decoding import decoded

HEADERS = {"客户编号", "资产总计", "währung", "saldo", "account_id"}


def known(line: str) -> int:
    return sum(each.strip().lower() in HEADERS for each in line.replace(";", ",").split(","))


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("客户编号,资产总计\n1,￥5万\n", "gb18030", "gb18030"),
        ("Konto;Währung;Saldo\nD1;EUR;5 €\n", "cp1252", "cp1252"),
        ("Konto;Währung\n", "utf-8", "utf-8"),
        ("客户编号\n", "utf-8-sig", "utf-8-sig"),
        ("客户编号\tÜ\n", "utf-16", "utf-16"),
        ("account_id\nA1\n", "ascii", "utf-8"),
    ],
)
def test_what_it_was_written_in_is_found(text: str, encoding: str, found: str) -> None:
    result = decoded(text.encode(encoding), known)

    assert result is not None
    assert (result.text, result.encoding) == (text, found)


def test_where_two_fit_and_no_header_tells_it_is_asked_with_both_readings() -> None:
    data = "Größe;Länge\n".encode("cp1252")

    result = decoded(data, known)

    assert result is not None
    assert result.text is None
    assert result.readings["cp1252"] == "Größe;Länge"
    assert set(result.readings) == {"gb18030", "cp1252"}
    said = decoded(data, known, "cp1252")
    assert said is not None
    assert said.text == "Größe;Länge\n"


@pytest.mark.parametrize("data", [b"\x00a\x00b", b"\xff\xfea", "客户,编号\n".encode("utf-16-le"), b"\x81\xff\x81\xff"])
def test_what_is_no_text_is_none(data: bytes) -> None:
    assert decoded(data, known) is None
    assert decoded(data, known, "utf-8") is None or b"\x00" in data
