from collections.abc import Mapping
from typing import Any

import pytest

from adapters.zoho.simulator.coql import InvalidQueryError, parsed, selected

ROWS: list[Mapping[str, Any]] = [
    {"id": "5000000000000003", "Name": "b", "At": "2025-01-02T00:00:00+00:00", "Account": {"id": "7", "name": "x"}},
    {"id": "5000000000000001", "Name": "a", "At": "2025-01-01T01:00:00+01:00", "Account": None},
    {"id": "5000000000000002", "Name": None, "At": "2025-01-03T00:00:00+00:00", "Account": {"id": "8", "name": "y"}},
]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("id > 0 order by id asc", [1, 2, 3]),
        ("(At >= '2025-01-01T00:00:00+00:00') and (id > 5000000000000001) order by id", [2, 3]),
        ("At = '2025-01-01T00:00:00+00:00'", [1]),
        ("Account in ('7', '8') order by id desc", [3, 2]),
        ("Name is null or Account is null order by id", [1, 2]),
        ("Name is not null order by Name", [1, 3]),
        ("((Name = 'a') or (Name = 'b')) and id != 5000000000000001", [3]),
        ("id is not null order by id limit 1 offset 1", [2]),
    ],
)
def test_what_a_query_selects(where: str, ids: list[int]) -> None:
    rows, _ = selected(parsed(f"select Name from M where {where}"), ROWS)

    assert [int(row["id"][-1]) for row in rows] == ids


def test_a_lookup_comes_as_its_id_and_more_rows_are_told() -> None:
    rows, more = selected(parsed("select Account from M where id > 0 order by id limit 2"), ROWS)

    assert rows[1]["Account"] == {"id": "8"}
    assert more


@pytest.mark.parametrize(
    "text",
    [
        "select a from M",
        "select a from M where id > 0 limit 2001",
        "select a from M where a = 1 and b = 2 and c = 3",
        "select a from M where id in (" + ",".join(["1"] * 101) + ")",
        "update M set a = 1",
    ],
)
def test_what_zoho_refuses_is_refused(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        parsed(text)
