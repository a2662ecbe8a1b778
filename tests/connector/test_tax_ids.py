"""Tax ids: one form of many spellings, and only a check digit proves one."""

from __future__ import annotations

import pytest

from connector.tax_ids import TaxId, contradict, tax_id

USCC = "91110000600037341L"


@pytest.mark.parametrize(
    ("text", "country"),
    [
        (USCC, "CN"),
        (USCC, None),
        ("９１１１００００６０００３７３４１Ｌ", "CN"),
        ("9111 0000 6000 3734 1l", None),
        ("91110000-600037341L", "HK"),
    ],
)
def test_every_way_of_writing_a_credit_code_is_the_same(text: str, country: str | None) -> None:
    assert tax_id(text, country) == TaxId("CN", USCC, is_proven=True)


@pytest.mark.parametrize(
    ("text", "country", "key"),
    [
        ("DE 136,695 976", None, "DE:136695976"),
        ("136695976", "DE", "DE:136695976"),
        ("de136695976", "DE", "DE:136695976"),
        ("EL 094259216", None, "GR:094259216"),
        ("094259216", "GR", "GR:094259216"),
        ("EL094259216", "GR", "GR:094259216"),
        ("GB 980 7806 84", "GB", "GB:980780684"),
        ("2138 00KU D8LA JWSQ 9D15", None, "LEI:213800KUD8LAJWSQ9D15"),
    ],
)
def test_vat_and_lei_are_read_with_and_without_their_country(text: str, country: str | None, key: str) -> None:
    found = tax_id(text, country)
    assert found is not None
    assert (found.key, found.is_proven) == (key, True)


@pytest.mark.parametrize("text", ["", None, "N/A", "none", "-", "0000000000", "111111111111111111", "无", "１２３"])
def test_what_stands_in_for_an_id_is_none(text: str | None) -> None:
    assert tax_id(text, "CN") is None


@pytest.mark.parametrize(
    ("text", "country"), [("91110000600037341M", "CN"), ("136695977", "DE"), ("12-3456789", "US"), ("123456789", None)]
)
def test_a_slip_or_a_form_without_a_check_digit_proves_nothing(text: str, country: str | None) -> None:
    found = tax_id(text, country)
    assert found is not None
    assert not found.is_proven


def test_two_of_one_kind_contradict_and_two_of_different_kinds_do_not() -> None:
    one, slip, other = tax_id(USCC, "CN"), tax_id("91110000600037341M", "CN"), tax_id("DE136695976")
    assert contradict(one, slip)
    assert not contradict(one, one)
    assert not contradict(one, other)
    assert not contradict(one, None)
