"""Days as people write them: a column decides whether day or month comes first, and what begins with a year stays."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.sheets.days import days

TODAY = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025年12月31日", "2025-12-31"),
        ("2025.12.31", "2025-12-31"),
        ("2025/1/5", "2025-01-05"),
        ("20250105", "2025-01-05"),
        ("２０２５－０１－０５", "2025-01-05"),
        ("2025-01-05T16:30:00+08:00", "2025-01-05"),
        ("2025-01-05 00:00:00", "2025-01-05"),
        ("31.12.2025", "2025-12-31"),
        ("12/31/2025 5:30 PM", "2025-12-31"),
        ("5. Januar 2026", "2026-01-05"),
        ("5-Mrz-26", "2026-03-05"),
        ("Dec 31, 2025", "2025-12-31"),
        ("31 Dec 25", "2025-12-31"),
        ("31.12.98", "1998-12-31"),
        ("07.07.2026", "2026-07-07"),
        ("—", None),
        ("2025-02-30", "not_a_day"),
        ("31.02.2025", "not_a_day"),
        ("soon", "not_a_day"),
        ("45291", "not_a_day"),
        ("2025-12", "not_a_day"),
    ],
)
def test_one_text(text: str, day: str | None) -> None:
    found = days([text], TODAY)

    assert found.question is None
    assert found.bad.get(0, found.values[0]) == day


def test_the_column_decides_which_is_the_month() -> None:
    assert days(["12.07.2022", "13.07.2022"], TODAY).values == ["2022-07-12", "2022-07-13"]
    assert days(["07/12/2022", "07/13/2022"], TODAY).values == ["2022-07-12", "2022-07-13"]
    # What begins with a year is never turned round.
    assert days(["2022-06-11", "13.07.2022"], TODAY).values == ["2022-06-11", "2022-07-13"]


def test_a_column_that_may_be_read_both_ways_is_asked_with_both_readings() -> None:
    found = days(["03/04/2022", "05/06/2022", "2022-01-01"], TODAY)

    assert found.question is not None
    assert dict(found.question.readings) == {
        "day": (("03/04/2022", "2022-04-03"), ("05/06/2022", "2022-06-05")),
        "month": (("03/04/2022", "2022-03-04"), ("05/06/2022", "2022-05-06")),
    }
    assert days(["03/04/2022"], TODAY, order="month").values == ["2022-03-04"]
    assert days(["13.07.2022", "07.13.2022"], TODAY).question is not None
    assert days(["13.07.2022", "07.13.2022"], TODAY, order="day").bad == {1: "not_a_day"}


@given(
    st.dates(min_value=date(2000, 1, 1), max_value=date(2040, 1, 1)),
    st.sampled_from(["%Y-%m-%d", "%Y年%m月%d日", "%Y%m%d"]),
)
def test_what_is_written_with_the_year_first_is_read(day: date, form: str) -> None:
    assert days([day.strftime(form)], TODAY).values == [day.isoformat()]
