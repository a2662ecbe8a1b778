"""Lists that are not what they say: the read fails or is whole, never less in silence; one bad record is one reject."""

from collections.abc import Iterator

import polars as pl
import pytest

from adapters.simulation.lies import RECORDS, WHOLE, Lie
from connector.errors import Retry
from mappings.apply import apply
from tests.connector.scoring.books import books, invoice
from tests.contract.doubles import DOUBLES, Double, every

#: Each costs a system of its own; the quick part has their like in test_holes and test_events.
pytestmark = pytest.mark.slow

MANY = 430
#: Lies that can be told of a file of rows, and those that can only be told of one.
_OF_FILES = {"no_body", "cut_gzip", "cut_rows"}


@pytest.fixture(params=every(), scope="module")
def double(request: pytest.FixtureRequest) -> Iterator[Double]:
    claims = [invoice(f"I{n:03d}", 100_00 + n, "2025-01-01", "2025-01-31", "A0") for n in range(MANY)]
    with DOUBLES[request.param](books(claims, [], "A0")) as result:
        yield result


def told_of_files(double: Double) -> bool:
    return getattr(double, "bulk_from", 1) == 0 or bool(getattr(double, "bulk", False))


def read(double: Double) -> tuple[pl.DataFrame, list[str]]:
    """Invoices that a read brings, and the reasons of those that it rejects."""
    # Zoho lets nobody download without pause.
    double.advance(60)
    crm = double.crm()
    organisation, frames, reasons = crm.organisation(), [], []
    for page in crm.read(double.mapping.source("invoices"), None):
        applied = apply(double.mapping, "invoices", page.frame, organisation).with_misfits(page.misfits)
        frames.append(applied.tables["receivables"])
        reasons += applied.rejects["reason"].to_list()
    return pl.concat(frames), reasons


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_a_list_that_is_a_lie_is_never_a_shorter_list(double: Double, kind: str, skip: int) -> None:
    if told_of_files(double) != (kind in _OF_FILES) and kind not in _OF_FILES - {"cut_rows"}:
        pytest.skip("this system's lists have no such form")
    if told_of_files(double) and skip:
        pytest.skip("the file is one page")
    lie = Lie(kind, skip=skip if kind != "repeated" else 1)
    double.lies.ordered[:] = [lie]

    outcome: int | str
    try:
        outcome = read(double)[0]["number"].n_unique()
    except Retry as problem:
        outcome = problem.code

    assert lie.times == 0
    assert outcome in (MANY, "E-CRM-ENVELOPE", "E-CRM-GARBLED", "E-CRM-INCOMPLETE", "E-CRM-PAGES", "E-CRM-LOST")
    assert read(double)[0]["number"].n_unique() == MANY, "and when it tells the truth again, everything is there"


@pytest.mark.parametrize("kind", sorted(RECORDS))
def test_one_bad_record_is_one_reject_and_the_others_are_read(double: Double, kind: str) -> None:
    if told_of_files(double):
        pytest.skip("a file has no such values")
    columns = double.mapping.sources["invoices"].yields[0].columns
    column = {"half_character": "number", "exponent": "amount", "digits": "amount"}.get(kind, "due")
    lie = Lie(kind, field=str(columns[column].field))
    double.lies.ordered[:] = [lie]

    rows, reasons = read(double)

    expected = {
        "half_character": {"not_text"},
        "no_id": {"no_id"},
        "no_record": {"no_id"},
        "exponent": {"not_an_amount", "too_large"},
        "digits": {"not_an_amount", "too_large"},
    }.get(kind, {"not_a_day"})
    assert (rows["number"].n_unique(), len(reasons), lie.times) == (MANY - 1, 1, 0)
    assert set(reasons) <= expected
