"""A mapping on real records: what would be rejected, and why."""

import polars as pl
import pytest

from connector.ports import Organisation, Page
from mappings.check import Finding
from mappings.load import packaged
from mappings.samples import look

MAPPING = packaged("rest")
FIELDS = MAPPING.source("invoices").fields


def records(**values: object) -> pl.DataFrame:
    """Invoices that fit, but for the given values: one, or a list that is gone through again and again."""
    good = {"account_id": "A", "number": "1", "issued": "2025-01-01", "due": "2025-01-31", "amount": "12.50"}
    rows = []
    for number in range(40):
        row: dict[str, object] = {
            **dict.fromkeys(FIELDS),
            **good,
            "id": f"i{number}",
            "modified_at": "2025-01-01T00:00:00Z",
        }
        for name, value in values.items():
            row[name] = value[number % len(value)] if isinstance(value, list) else value
        rows.append(row)
    return pl.DataFrame(rows, schema=dict.fromkeys(["id", "modified_at", *FIELDS], pl.String))


def paged(frame: pl.DataFrame) -> Page:
    return Page("invoices", frame, (), "", complete=False)


def found(frame: pl.DataFrame, currency: str = "USD") -> list[Finding]:
    return look(MAPPING, paged(frame), Organisation("Ltd", currency), "UTC")


def test_what_fits_is_not_talked_of() -> None:
    assert found(records()) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"amount": ["1.234,50", "7.000,00"]},
            "likely a decimal comma, points between thousands (1.234,50 · 7.000,00)",
        ),
        ({"due": ["31/01/2025", "05/02/2025"]}, "likely day, month, year (31/01/2025 · 05/02/2025)"),
        ({"currency": "US Dollar"}, "likely names or signs: translate them by `values` (US Dollar)"),
        ({"account_id": None}, "a value is needed here"),
    ],
)
def test_a_column_of_which_every_value_fails_says_the_likely_reason(values: dict[str, object], words: str) -> None:
    finding, *others = found(records(**values))

    assert (finding.severe, finding.what, finding.field, others) == (True, "values", next(iter(values)), [])
    assert finding.en.startswith(f"{finding.field} → receivables.{finding.field}: none of 40 fits")
    assert finding.en.endswith(words)
    assert "40 行中有 40 行不符合要求" in finding.zh


def test_few_that_fail_are_worth_a_look_and_many_are_severe() -> None:
    few, many = found(records(amount=["1.00"] * 39 + ["x1"])), found(records(amount=["1.00"] * 7 + ["x1"]))
    assert [(each.severe, "1 of 40" in each.en) for each in few] == [(False, True)]
    assert [(each.severe, "5 of 40" in each.en) for each in many] == [(True, True)]


def test_values_that_fit_and_look_wrong_are_said() -> None:
    assert ["thousands" in each.en for each in found(records(amount=["1.234", "12.567"]))] == [True]
    assert ["negative" in each.en for each in found(records(amount="-5.00"))] == [True]
    assert [each.field for each in found(records(due=None))] == ["due"]


def test_a_condition_that_no_record_meets_is_said_of_what_everybody_has() -> None:
    part = MAPPING.sources["invoices"]
    when = {**part.model_dump(by_alias=True), "yields": []}
    item = part.yields[0].model_dump(by_alias=True, exclude_none=True)
    text = {**when, "yields": [{**item, "when": {"field": "number", "in": ["invoice"]}}]}
    mapping = MAPPING.model_copy(update={"sources": {**MAPPING.sources, "invoices": type(part).model_validate(text)}})

    (finding,) = look(mapping, paged(records()), Organisation("Ltd", "USD"), "UTC")

    assert finding.en == "no record yields receivables: number is 1, never invoice"
