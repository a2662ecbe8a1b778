"""What must never help and what must never hurt, on frames of many customers: payments, notes, new invoices, ageing."""

from typing import Any

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from connector.schema import day_of
from connector.scoring.assess import measured
from connector.scoring.features.tendency import Statistics
from connector.scoring.ledger.ledger import ledger
from tests.connector.scoring.books import POLICY, books, day, invoice, table
from tests.examples import TOGETHER, together

TODAY = day("2025-06-30")
PORTFOLIO = Statistics(100_00, 100_000)
#: Amount, days since due, days late when paid or None, disputed so many days ago or None, whose fault.
CLAIM = st.tuples(
    st.integers(1_00, 1_000_00),
    st.integers(-40, 300),
    st.none() | st.integers(-30, 90),
    st.none() | st.integers(0, 250),
    st.sampled_from([None, "ours", "theirs"]),
)
CASE = st.tuples(st.lists(CLAIM, min_size=1, max_size=5), st.integers(0, 4), st.integers(1, 99), st.integers(1, 40))
Claim = tuple[int, int, int | None, int | None, str | None]
#: What happens to the chosen item: `now` nothing.
VARIANTS = ("now", "whole", "part", "parts", "aged", "fresh", "write_off", "credit_note", "fee", "discount")


class Made:
    """One account for each variant of each case, the chosen item being open until the variant touches it."""

    def __init__(self, cases: list[tuple[list[Claim], int, int, int]]) -> None:
        self.rows: list[dict[str, object]] = []
        self.paid: list[tuple[str, str | None, str, int]] = []
        self.notes: list[dict[str, object]] = []
        for number, case in enumerate(cases):
            for variant in VARIANTS:
                self._customer(f"{variant}{number}", variant, *case)

    def _customer(self, account: str, variant: str, claims: list[Claim], which: int, share: int, days: int) -> None:
        for k, (amount, age, late, disputed, fault) in enumerate(claims):
            key, chosen = f"{account}-{k}", k == which % len(claims)
            due = TODAY - age - (days if chosen and variant == "aged" else 0)
            dispute = {"disputed_on": None if disputed is None else TODAY - disputed, "dispute_fault": fault}
            self.rows.append({**invoice(key, amount, "2024-01-01", None, account), "due": due, **dispute})
            if chosen:
                self._happens(variant, key, account, amount, share, days)
            elif late is not None and late <= age:
                self.paid.append((f"P{key}", key, day_of(TODAY - age + late).isoformat(), amount))
        if variant == "fresh":
            self.rows.append({**invoice(f"{account}-f", share, "2025-06-30", None, account), "due": TODAY + days})

    def _happens(self, variant: str, key: str, account: str, amount: int, share: int, days: int) -> None:
        part = max(1, amount * share // 100)
        today = day_of(TODAY).isoformat()
        if variant == "whole":
            self.paid.append((f"P{key}", key, today, amount))
        elif variant in ("part", "parts"):
            self.paid.append((f"P{key}", key, today, part))
            if variant == "parts" and part < amount:
                self.paid.append((f"Q{key}", key, today, amount - part))
        elif variant not in ("now", "aged", "fresh"):
            self.notes.append({"kind": variant, "account_id": account, "receivable_id": key, "amount": amount})

    def pillar(self) -> dict[str, int]:
        """Points of the payment pillar of each account."""
        tables = books(self.rows, self.paid)
        dated = {"booked_on": TODAY, "currency": "USD"}
        tables["adjustments"] = table(
            "adjustments",
            *(
                {
                    **dated,
                    "adjustment_id": str(n),
                    "kind": note["kind"],
                    "account_id": note["account_id"],
                    "amount": note["amount"],
                }
                for n, note in enumerate(self.notes)
            ),
        )
        applied: list[dict[str, Any]] = [
            {
                "allocation_id": f"N{n}",
                "adjustment_id": str(n),
                "receivable_id": note["receivable_id"],
                "amount": note["amount"],
                "currency": "USD",
            }
            for n, note in enumerate(self.notes)
        ]
        tables["allocations"] = pl.concat([tables["allocations"], table("allocations", *applied)])
        frame = measured(tables, ledger(tables, POLICY, TODAY), POLICY, PORTFOLIO, TODAY)
        own = {name: item.weight for name, item in POLICY.indicators.items() if item.pillar == "payment"}
        points = pl.sum_horizontal(pl.col(f"points_{name}") * round(weight) for name, weight in own.items())
        return dict(frame.select("account_id", points.alias("pillar")).rows())


#: Paying a cent of an overdue item thinned out what was paid early: the score fell by 56 in three millions.
EARLY: tuple[list[Claim], int, int, int] = (
    [
        (7_39, 0, -10, None, None),
        (1_00, 0, None, None, None),
        (108_00, 16, None, None, None),
        (9_28, 31, None, None, None),
        (1_00, 6, None, None, None),
        (4_93, 0, 0, None, None),
    ],
    4,
    1,
    1,
)


@together
@example([EARLY] * TOGETHER)
@given(st.lists(CASE, min_size=TOGETHER, max_size=TOGETHER))
def test_the_payment_pillar_rises_and_falls_the_right_way(cases: list[tuple[list[Claim], int, int, int]]) -> None:
    points = Made(cases).pillar()

    for number, (claims, which, _, _) in enumerate(cases):
        now, whole = points[f"now{number}"], points[f"whole{number}"]
        assert points[f"aged{number}"] <= now, "an item due earlier scores higher"
        assert points[f"fresh{number}"] <= now, "an item not yet due raises the score"
        assert points[f"parts{number}"] == whole, "the same money in parts scores otherwise"
        if claims[which % len(claims)][1] > 0:
            assert whole >= now, "paying an overdue item lowers the score"
            assert points[f"part{number}"] >= now, "paying part of an overdue item lowers the score"
        for kind in ("write_off", "credit_note", "fee", "discount"):
            assert points[f"{kind}{number}"] <= whole, f"a {kind} scores above paying that day"
