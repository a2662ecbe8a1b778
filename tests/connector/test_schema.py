from datetime import date

import pytest

from connector.schema import DTYPES, TABLES, TRACE, day_number, day_of


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_is_declared_soundly(name: str) -> None:
    table = TABLES[name]
    columns = {column.name: column for column in table.columns}

    assert len(columns) == len(table.columns)
    assert set(table.key) <= set(columns)
    for column in table.columns:
        assert column.kind != "choice" or column.options
        assert column.default is None or column.kind != "choice" or column.default in column.options
        assert column.kind != "money" or column.of in columns
    assert list(table.empty().columns) == [*columns, *(column.name for column in TRACE)]
    assert table.schema() == {column.name: DTYPES[column.kind] for column in table.columns}


def test_days_count_from_1970() -> None:
    assert day_number(date(1970, 1, 2)) == 1
    assert day_of(day_number(date(2026, 11, 25))) == date(2026, 11, 25)
