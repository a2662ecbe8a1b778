from typing import Any

import polars as pl
import pytest

from connector.scoring.assess import assess
from connector.scoring.features.group import roots
from connector.scoring.features.tendency import Statistics
from tests.connector.scoring.books import POLICY, books, day, invoice, table


def of(*pairs: tuple[str, str | None]) -> dict[str, tuple[str, bool]]:
    frame = pl.DataFrame(pairs, schema={"account_id": pl.String, "parent_id": pl.String}, orient="row")
    accounts = frame["account_id"].to_list()
    tops, in_circle = roots(frame)
    return {
        account: (accounts[top], cycle)
        for account, top, cycle in zip(accounts, tops.tolist(), in_circle.tolist(), strict=True)
    }


def test_a_tree_has_one_root_and_a_circle_is_named() -> None:
    chain = [(f"C{n}", f"C{n + 1}") for n in range(40)] + [("C40", None)]
    circle = [("X1", "X2"), ("X2", "X3"), ("X3", "X1"), ("Y", "X1")]

    result = of(("A", None), ("B", "A"), ("S", "S"), ("U", "gone"), *chain, *circle)

    assert result["B"] == ("A", False)
    assert result["S"] == ("S", False)
    assert result["U"] == ("U", False)
    assert {result[account] for account, _ in chain} == {("C40", False)}
    assert [result[account] for account, _ in circle] == [(account, True) for account, _ in circle]


def group(**limits: int) -> dict[str, pl.DataFrame]:
    claims = [
        invoice("I1", 60_000_00, "2026-02-01", "2026-04-01", "Q1"),
        invoice("I2", 50_000_00, "2026-02-01", "2026-04-01", "Q2"),
        invoice("I3", 100_00, "2026-02-01", "2026-04-01", "X1"),
    ]
    parents = {"Q0": None, "Q1": "Q0", "Q2": "Q0", "X1": "X2", "X2": "X1"}
    tables = books(claims)
    tables["accounts"] = table(
        "accounts", *({"account_id": key, "name": key, "parent_id": up} for key, up in parents.items())
    )
    rows = [
        {
            "limit_id": key,
            "account_id": key,
            "scope": "group" if key == "Q0" else "account",
            "amount": amount,
            "currency": "USD",
        }
        for key, amount in limits.items()
    ]
    return {**tables, "limits": table("limits", *rows)}


def rated(tables: dict[str, pl.DataFrame]) -> dict[str, dict[str, Any]]:
    rows = assess(tables, POLICY, day("2026-03-01"), portfolio=Statistics(10_000_00, 80_000)).to_dicts()
    return {row["customer_id"]: row for row in rows}


def test_the_group_s_room_and_the_member_s_own_the_smaller_is_shown() -> None:
    rows = rated(group(Q0=100_000_00, Q1=80_000_00, Q2=80_000_00))

    assert [rows[key]["exposure"] for key in ("Q0", "Q1", "Q2")] == [0, 60_000_00, 50_000_00]
    for key in ("Q0", "Q1", "Q2"):
        assert rows[key]["group_exposure"] == 110_000_00
        assert rows[key]["available"] == 0
        assert "GROUP_LIMIT" in [flag["code"] for flag in rows[key]["flags"]]
    for key in ("X1", "X2"):
        assert rows[key]["notices"] == ["parent_cycle"]
        assert "GROUP_LIMIT" not in [flag["code"] for flag in rows[key]["flags"]]
    assert rows["X1"]["group_exposure"] == 100_00


@pytest.mark.parametrize(("limit", "room"), [(115_000_00, 5_000_00), (200_000_00, 20_000_00)])
def test_either_room_may_be_the_smaller_one(limit: int, room: int) -> None:
    assert rated(group(Q0=limit, Q1=80_000_00))["Q1"]["available"] == room
