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


@pytest.mark.parametrize(
    ("one", "other", "country"),
    [
        ("BE0428759497", "BE428759497", None),
        ("CHE-107.787.577 MWST", "CHE-107.787.577", None),
        ("CHE-107.787.577 TVA", "CHE107787577", "CH"),
        ("DE136695976", "USt-IdNr. DE136695976", None),
        ("FR40303265045", "303 265 045", "FR"),
        ("NL4495445B01", "NL004495445B01", None),
        ("NO995525828MVA", "995525828", "NO"),
        ("税号：91110000600037341L", "CN91110000600037341L", None),
        ("VAT no. DE136695976", "136695976", "DE"),
        ("094259216", "EL094259216", "EL"),
    ],
)
def test_one_id_written_in_two_ways_is_one(one: str, other: str, country: str | None) -> None:
    first, second = tax_id(one, country), tax_id(other, country)
    assert first is not None
    assert first == second
    assert first.is_proven


@pytest.mark.parametrize(
    "text",
    [
        "123456789012345678", "PL1111111111", "PL0000000000", "HU00000000", "FI00000000", "LU00000000", "BG000000000",
        "ESA00000000", "SE000000000001", "IE0000000W", "DE123456788", "DE111111125", "000001", "00098", "XEXX010101000",
    ],
)  # fmt: skip
def test_what_somebody_typed_to_fill_a_field_proves_nothing(text: str) -> None:
    found = tax_id(text)
    assert found is None or not found.is_proven


def test_a_central_company_s_zeros_are_no_filler() -> None:
    found = tax_id("91100000100003962T")
    assert found is not None
    assert found.is_proven


def test_a_form_that_proves_nothing_does_not_contradict_one_that_does() -> None:
    assert not contradict(tax_id("DE136695976"), tax_id("21/815/08150", "DE"))
