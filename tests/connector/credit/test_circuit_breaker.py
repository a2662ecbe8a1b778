import polars as pl
import pytest

from connector.credit.circuit_breaker import check_run
from connector.credit.moves import Moves, moves
from connector.policy import Checks


def frame(ratings: list[str]) -> pl.DataFrame:
    rows = {"customer_id": [str(n) for n in range(len(ratings))], "rating": ratings}
    return pl.DataFrame(rows, schema={"customer_id": pl.String, "rating": pl.String})


@pytest.mark.parametrize(
    ("before", "now", "changed", "fallen", "stopped"),
    [
        (["A"] * 100, ["A"] * 80 + ["BBB"] * 20, 20, 0, False),
        (["A"] * 100, ["A"] * 79 + ["BBB"] * 21, 21, 0, True),
        # Few customers never stop a run.
        (["A"] * 19, ["BBB"] * 19, 19, 0, False),
        (["A"] * 200, ["A"] * 196 + ["D"] * 4, 4, 4, False),
        (["A"] * 200, ["A"] * 195 + ["C"] * 5, 5, 5, True),
        (["A"] * 300, ["A"] * 294 + ["C"] * 6, 6, 6, False),
        # Who was there already does not fall; who was not rated may.
        (["C"] * 200, ["D"] * 10 + ["C"] * 190, 10, 0, False),
        (["NR"] * 200, ["NR"] * 195 + ["D"] * 5, 5, 5, True),
    ],
)
def test_it_stops_what_differs_too_much(
    before: list[str], now: list[str], changed: int, fallen: int, stopped: bool
) -> None:
    verdict = check_run(frame(now), frame(before), Checks())

    assert (verdict.rated, verdict.changed, verdict.fallen, verdict.stopped) == (len(before), changed, fallen, stopped)


def test_first_ratings_do_not_count_and_shares_are_of_the_whole_portfolio() -> None:
    assert not check_run(frame(["D"] * 500), frame([]), Checks()).stopped
    # An incremental run that rates 30 of 1,000 customers anew.
    assert not check_run(frame(["BBB"] * 30), frame(["A"] * 1000), Checks()).stopped


def test_whoever_the_engine_or_the_policy_moves_stops_it_however_few() -> None:
    nobody, one = (Moves(500, moved, 0, moved, 0, 0, 0, 0, 0) for moved in (0, 1))
    same = frame(["A"] * 500)

    assert not check_run(same, same, Checks(), nobody, nobody).stopped
    assert check_run(same, same, Checks(), one, nobody).stopped
    assert check_run(same, same, Checks(), policy=one).stopped


def test_moves_are_counted_by_what_moves() -> None:
    columns = {"customer_id": pl.String, "rating": pl.String, "limit": pl.Int64, "hold": pl.String}
    before = pl.DataFrame(
        [("a", "AA", 5, "none"), ("b", "NR", None, "none"), ("c", "B", 9, "warn"), ("d", "B", 9, "warn")],
        schema=columns,
        orient="row",
    )
    after = pl.DataFrame(
        [
            ("a", "A", 5, "none"),
            ("b", "B", 0, "warn"),
            ("c", "BB", 10, "none"),
            ("d", "B", 8, "warn"),
            ("e", "D", 0, "block"),
        ],
        schema=columns,
        orient="row",
    )

    assert moves(before, after) == Moves(
        customers=4, moved=4, better=1, worse=1, other=1, limits_up=1, limits_down=1, holds_tighter=1, holds_looser=1
    )
    assert moves(before, before).moved == 0
