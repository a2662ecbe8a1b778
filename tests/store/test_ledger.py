from pathlib import Path

import polars as pl
import pytest

from connector.errors import Misconfigured
from connector.ports import Gone, Organisation, Page
from mappings.apply import Applied, apply
from mappings.load import packaged
from sync.store import Store, facts, ledger, rejects, tables
from sync.taking import together

ZOHO = packaged("zoho")
ORG = Organisation("x", "USD")


def page(source: str, *rows: dict[str, str]) -> Applied:
    columns = ["id", "modified_at", *ZOHO.source(source).fields]
    cells = [{name: row.get(name) for name in columns} for row in rows]
    return apply(ZOHO, source, pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String)), ORG)


def account(key: str, **more: str) -> dict[str, str]:
    return {"id": key, "Account_Name": f"name {key}", **more}


def invoice(key: str, owner: str, amount: str = "10", **more: str) -> dict[str, str]:
    return {
        "id": key,
        "Account_Name": owner,
        "Invoice_Date": "2025-01-01",
        "Due_Date": "2025-02-01",
        "Grand_Total": amount,
        **more,
    }


def payment(key: str, owner: str, claim: str, amount: str = "10") -> dict[str, str]:
    return {"id": key, "Account": owner, "Invoice": claim, "Paid_On": "2025-01-20", "Amount": amount}


def put(store: Store, source: str, *rows: dict[str, str], gone: tuple[str, ...] = (), at: int = 1) -> set[str]:
    with store.write("c") as session:
        return facts.apply_page(session, source, page(source, *rows), [Gone(key, "deleted") for key in gone], at)


def versions(store: Store) -> dict[str, int]:
    with store.read() as session:
        return {row.account_id: row.facts_version for row in session.tx.execute(tables.customers.select())}


def test_only_rows_that_changed_are_touched_and_whose_they_are_is_told(store: Store) -> None:
    assert put(store, "accounts", account("A"), account("B")) == {"A", "B"}
    assert put(store, "invoices", invoice("1", "A"), invoice("2", "B")) == {"A", "B"}

    assert put(store, "invoices", invoice("1", "A"), invoice("2", "B", "11"), at=2) == {"B"}
    assert put(store, "accounts", account("A", modified_at="2025-06-30T10:00:00+00:00"), account("B"), at=3) == set()
    assert versions(store) == {"A": 2, "B": 3}


def test_a_record_that_moves_to_another_account_concerns_both(store: Store) -> None:
    put(store, "invoices", invoice("1", "A"))

    assert put(store, "invoices", invoice("1", "B")) == {"A", "B"}


def test_what_a_record_no_longer_yields_is_taken_away(store: Store) -> None:
    put(store, "invoices", invoice("1", "A"))
    put(store, "payments", payment("7", "B", "1"))

    assert put(store, "payments", {**payment("7", "B", "1"), "Invoice": ""}) == {"A"}
    with store.read("c") as session:
        assert ledger.load(session)["allocations"].is_empty()
        assert ledger.load(session)["payments"].height == 1

    assert put(store, "payments", gone=("7",)) == {"B"}
    with store.read("c") as session:
        assert ledger.totals(session) == {"accounts": 0, "receivables": 1, "payments": 0}


def test_a_rejected_record_is_listed_until_it_fits(store: Store) -> None:
    put(store, "invoices", invoice("1", "A", Due_Date="soon"))
    with store.read("c") as session:
        assert [(row["record"], row["column"], row["reason"]) for row in rejects.every(session)] == [
            ("1", "due", "not_a_day")
        ]

    put(store, "invoices", invoice("1", "A"))
    with store.read("c") as session:
        assert rejects.every(session) == []


def test_a_customer_s_tables_are_whole_with_what_others_paid_and_what_he_paid_for_others(store: Store) -> None:
    put(store, "accounts", account("A"), account("B"), account("C"))
    put(store, "invoices", invoice("1", "A"), invoice("2", "B"), invoice("3", "C"))
    put(store, "payments", payment("7", "B", "1"), payment("8", "A", "2"), payment("9", "C", "3"))
    put(
        store,
        "currencies",
        {"id": "5", "iso_code": "EUR", "home_iso_code": "USD", "read_on": "2025-06-30", "exchange_rate": "2"},
    )

    with store.read("c") as session:
        result = ledger.load(session, ["A"])

    assert result["accounts"]["account_id"].to_list() == ["A"]
    assert sorted(result["receivables"]["receivable_id"]) == ["1", "2"]
    assert sorted(result["payments"]["payment_id"]) == ["7", "8"]
    assert result["rates"].height == 1


def test_a_new_rate_concerns_those_who_owe_in_it_and_the_same_rate_on_another_day_nobody(store: Store) -> None:
    put(store, "accounts", account("A"), account("B"))
    put(store, "invoices", invoice("1", "A", Currency="EUR"), invoice("2", "B"))
    rate = {"id": "5", "iso_code": "EUR", "home_iso_code": "USD", "read_on": "2025-06-30", "exchange_rate": "2"}

    assert put(store, "currencies", rate) == {"A"}
    assert put(store, "currencies", rate) == set()
    assert put(store, "currencies", {**rate, "id": "5:2", "read_on": "2025-07-01"}) == set()
    assert put(store, "currencies", {**rate, "id": "5:2", "read_on": "2025-07-01", "exchange_rate": "3"}) == {"A"}


def test_cursors_are_kept_and_records_that_a_full_read_does_not_show_are_told(store: Store) -> None:
    put(store, "invoices", invoice("1", "A"), invoice("2", "A"))
    with store.write("c") as session:
        assert ledger.cursor(session, "invoices") is None
        ledger.save_cursor(session, "invoices", ledger.Cursor("x", "f", complete=False), 1)
        ledger.save_cursor(session, "invoices", ledger.Cursor("y", "f", complete=True), 2)
    with store.read("c") as session:
        assert ledger.cursor(session, "invoices") == ledger.Cursor("y", "f", complete=True)
        assert ledger.records_stored(session, "invoices") == {"1", "2"}


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def half() -> None:
        with store.write("c") as session:
            ledger.bump(session, {"A"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()

    assert versions(store) == {}


def test_a_store_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(Misconfigured, match="cannot be opened"):
        Store(tmp_path / "x.db")
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be opened"):
        Store(tmp_path / "file" / "x.db")


def test_a_fact_of_one_member_concerns_his_whole_tree(store: Store) -> None:
    put(
        store,
        "accounts",
        account("A"),
        account("B", Parent_Account="A"),
        account("C", Parent_Account="B"),
        account("D"),
    )

    with store.read("c") as session:
        assert ledger.with_trees(session, {"C"}) == {"A", "B", "C"}
        assert ledger.with_trees(session, {"D"}) == {"D"}
        assert sorted(ledger.load(session, ["B"])["accounts"]["account_id"]) == ["A", "B", "C"]


def test_a_full_disk_says_so_and_nothing_is_half_written(store: Store) -> None:
    with store.write() as session:
        session.tx.exec_driver_sql("insert into statistics values ('c', 1, 'kept')")
    with store.read() as before:
        pages = before.tx.exec_driver_sql("pragma page_count").scalar_one()

    def fill() -> None:
        with store.write() as session:
            # SQLite's own way to have no more room.
            session.tx.exec_driver_sql(f"pragma max_page_count = {pages}")
            for n in range(50):
                session.tx.exec_driver_sql("insert into statistics values (?, 2, ?)", (str(n), "x" * 10_000))

    with pytest.raises(Misconfigured) as raised:
        fill()

    assert raised.value.code == "E-STORE-FULL"
    with store.read() as after:
        assert after.tx.exec_driver_sql("select body from statistics").scalars().all() == ["kept"]


def test_a_damaged_file_says_so(store: Store) -> None:
    with store.write() as session:
        for n in range(400):
            session.tx.exec_driver_sql("insert into statistics values (?, 1, ?)", (str(n), "x" * 1_000))
    store.close()
    size = store.path.stat().st_size
    with store.path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xa5" * (size // 3))

    def look() -> None:
        with Store(store.path).read() as session:
            session.tx.exec_driver_sql("select sum(length(body)) from statistics").scalar_one()

    with pytest.raises(Misconfigured) as raised:
        look()

    assert raised.value.code == "E-STORE-OPEN"
    assert "Traceback" not in raised.value.text()


def held(store: Store) -> dict[str, int]:
    with store.read("c") as session:
        return {row["receivable_id"]: row["amount"] for row in ledger.load(session)["receivables"].to_dicts()}


def at(hour: int) -> str:
    return f"2025-06-30T{hour:02d}:00:00+00:00"


def test_more_rows_than_an_expression_is_deep_leave_in_one_page(store: Store) -> None:
    keys = [f"{n:04d}" for n in range(2_500)]
    put(store, "invoices", *(invoice(key, "A") for key in keys))

    assert put(store, "invoices", gone=tuple(keys[1:]), at=2) == {"A"}
    assert held(store) == {keys[0]: 10_00}


def late(store: Store, *rows: dict[str, str], gone: tuple[str, ...] = (), asked: int = 0) -> set[str]:
    """A page that was asked for at an instant and is stored much later."""
    with store.write("c") as session:
        left = [Gone(key, "deleted") for key in gone]
        return facts.apply_page(session, "invoices", page("invoices", *rows), left, 100, asked)


def test_an_older_page_does_not_replace_what_another_reader_stored_meanwhile(store: Store) -> None:
    put(store, "accounts", account("A"))
    put(
        store,
        "invoices",
        invoice("1", "A", "12", modified_at=at(12)),
        invoice("2", "A", "12", modified_at=at(12)),
        at=50,
    )

    touched = late(
        store,
        invoice("1", "A", "10", modified_at=at(10)),
        invoice("2", "A", "11", modified_at=at(13)),
        invoice("3", "A", "10", modified_at=at(10)),
        asked=40,
    )

    assert touched == {"A"}
    assert held(store) == {"1": 12_00, "2": 11_00, "3": 10_00}


def test_an_older_page_neither_rejects_nor_takes_away_what_is_newer(store: Store) -> None:
    put(store, "invoices", invoice("1", "A", "12", modified_at=at(12)), invoice("2", "A"), at=50)

    late(store, invoice("1", "A", "twelve", modified_at=at(10)), gone=("2",), asked=40)

    with store.read("c") as session:
        assert rejects.every(session) == []
    assert held(store) == {"1": 12_00, "2": 10_00}


def test_a_page_that_was_asked_for_afterwards_is_the_truth_whatever_its_times_say(store: Store) -> None:
    # A zone that was corrected, an hour that comes twice, a restored backup, a stamp of 2099 that was mended.
    put(store, "invoices", invoice("1", "A", "12", modified_at="2099-01-01T00:00:00+00:00"), invoice("2", "A"), at=50)

    assert late(store, invoice("1", "A", "10", modified_at=at(10)), gone=("2",), asked=60) == {"A"}

    assert held(store) == {"1": 10_00}


def test_a_record_that_comes_twice_in_a_page_counts_as_it_was_later(store: Store) -> None:
    put(store, "invoices", invoice("1", "A", "12", modified_at=at(12)), invoice("1", "A", "10", modified_at=at(10)))

    assert held(store) == {"1": 12_00}


def test_rows_of_one_record_on_two_pages_are_stored_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.taking.RECORDS_A_TRANSACTION", 2)
    ids = [["1", "2"], ["2", "2"], ["2", "3"], ["4", "4"], ["5"]]
    pages = [Page("x", pl.DataFrame({"id": part}), (), str(n), n == len(ids) - 1) for n, part in enumerate(ids)]

    joined = list(together(pages))

    assert [page.frame["id"].to_list() for page in joined] == [["1", "2", "2", "2", "2", "3"], ["4", "4"], ["5"]]
    assert [page.cursor for page in joined] == ["2", "3", "4"]
