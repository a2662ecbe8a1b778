"""What the product counts on of any database that its store lies in."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from sync.store import Store, dialect, tables
from tests.store.databases import DATABASES, Database

CUSTOMER = ["connection", "account_id"]


def customer(account: str, version: int = 0) -> dict[str, object]:
    return {"connection": "c", "account_id": account, "facts_version": version}


def put(store: Store, *rows: dict[str, object]) -> None:
    with store.write("c") as session:
        dialect.upsert(session, tables.customers, rows, CUSTOMER)


def versions(store: Store) -> dict[str, int]:
    with store.read("c") as session:
        cursor_result = session.tx.execute(tables.customers.select().order_by(tables.customers.c.account_id))
        return {row.account_id: row.facts_version for row in cursor_result}


def test_what_fails_leaves_nothing(store: Store) -> None:
    put(store, customer("A", 1))

    def midway() -> None:
        with store.write("c") as session:
            dialect.upsert(session, tables.customers, [customer("A", 2), customer("B")], CUSTOMER)
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        midway()
    assert versions(store) == {"A": 1}


def test_a_row_of_the_same_key_is_refused_by_a_plain_insert_and_nothing_of_the_transaction_stays(store: Store) -> None:
    put(store, customer("A", 1))
    rows = [("c", "B", 1), ("c", "A", 2)]
    with pytest.raises(IntegrityError), store.write("c") as session:
        dialect.insert_tuples(session, tables.customers, [*CUSTOMER, "facts_version"], rows)
    assert versions(store) == {"A": 1}


def test_a_reader_sees_one_moment_and_keeps_no_writer_waiting(opened: Callable[[], Store]) -> None:
    store, other = opened(), opened()
    put(store, customer("A", 1))
    with store.read("c") as session:
        count = tables.customers.select().where(tables.customers.c.account_id == "A")
        assert session.tx.execute(count).one().facts_version == 1
        put(other, customer("A", 2))
        assert session.tx.execute(count).one().facts_version == 1
    assert versions(store) == {"A": 2}


def test_a_reader_does_not_see_what_is_not_committed(opened: Callable[[], Store]) -> None:
    store, other = opened(), opened()
    with store.write("c") as session:
        dialect.upsert(session, tables.customers, [customer("A")], CUSTOMER)
        assert versions(other) == {}
    assert versions(other) == {"A": 0}


def test_writers_come_one_after_another_and_lose_nothing(opened: Callable[[], Store]) -> None:
    stores = [opened() for _ in range(4)]

    def raise_it(store: Store) -> None:
        for _ in range(10):
            # Read, reckon, write: right only because nobody writes between.
            with store.write("c") as session:
                result = session.tx.execute(tables.customers.select()).one_or_none()
                row = customer("A", result.facts_version + 1 if result else 1)
                dialect.upsert(session, tables.customers, [row], CUSTOMER)

    threads = [threading.Thread(target=raise_it, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions(stores[0]) == {"A": 40}


#: Another process, killed within its transaction.
KILLED = """
import os, signal, sys
from pathlib import Path
from sync.store import dialect, tables
from tests.store.databases import DATABASES
database = next(each for each in DATABASES if each.name == sys.argv[1])
with database.store(Path(sys.argv[2])).write("c") as session:
    row = {"connection": "c", "account_id": "A", "facts_version": 2}
    dialect.upsert(session, tables.customers, [row], ["connection", "account_id"])
    print("written", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_writer_that_is_killed_leaves_what_was_there_and_nobody_waits_for_it(
    database: Database, tmp_path: Path, opened: Callable[[], Store]
) -> None:
    put(opened(), customer("A", 1))
    command = [sys.executable, "-c", KILLED, database.name, str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout == "written\n"
    put(opened(), customer("B", 1))
    assert versions(opened()) == {"A": 1, "B": 1}


def test_of_rows_of_one_key_in_one_call_the_last_one_stays(store: Store) -> None:
    put(store, customer("A", 1), customer("B", 1), customer("A", 2))
    assert versions(store) == {"A": 2, "B": 1}


def test_a_counter_begins_at_one_and_goes_up(store: Store) -> None:
    with store.write("c") as session:
        for accounts in (["a"], ["a", "b"], []):
            rows = [{"connection": "c", "account_id": account} for account in accounts]
            dialect.raise_counter(session, tables.customers, rows, CUSTOMER, "facts_version")
    assert versions(store) == {"a": 2, "b": 1}


def test_a_row_that_is_there_is_left_as_it_is(store: Store) -> None:
    key = ["connection", "day"]
    with store.write("c") as session:
        first = [{"connection": "c", "day": 1, "body": "one"}]
        assert dialect.insert_new(session, tables.statistics, first, key) == 1
        again = [{"connection": "c", "day": 1, "body": "two"}, {"connection": "c", "day": 2, "body": "two"}]
        assert dialect.insert_new(session, tables.statistics, again, key) == 1
        rows = session.tx.execute(tables.statistics.select().order_by(tables.statistics.c.day)).all()
    assert [(row.day, row.body) for row in rows] == [(1, "one"), (2, "two")]


#: Told apart, kept as they are, in the order of their code points.
TEXTS = ("", " ", "A", "AB", "a", "b ", "b", "00123", "NA", "é", "e\u0301", "\\", "'; drop table customers; --", "%_",
         "上海永盛贸易有限公司", "𠮷", "\u202eabc", "x" * 5_000)  # fmt: skip


def test_texts_are_told_apart_and_come_back_as_they_are_in_the_order_of_code_points(store: Store) -> None:
    put(store, *(customer(text, number) for number, text in enumerate(TEXTS)))
    result = versions(store)
    assert result == {text: number for number, text in enumerate(TEXTS)}
    assert list(result) == sorted(TEXTS)


def test_a_nul_in_a_text_comes_back(database: Database, store: Store) -> None:
    if not database.keeps_nul:
        pytest.skip("this database has no such text: the mapping rejects it")
    put(store, customer("a\0b"))
    assert versions(store) == {"a\0b": 0}


def test_whole_numbers_are_exact_to_64_bits(store: Store) -> None:
    put(store, customer("A", 2**63 - 1), customer("B", -(2**63)), customer("C", 2**53 + 1))
    assert versions(store) == {"A": 2**63 - 1, "B": -(2**63), "C": 2**53 + 1}


def test_a_copy_is_of_one_moment_and_whole(database: Database, store: Store, tmp_path: Path) -> None:
    if not database.in_a_file:
        pytest.skip("a server's database is backed up by the server's own means")
    put(store, customer("A", 1))
    db = dialect.connect_readonly(store.path)
    assert dialect.copy(db, tmp_path / "copy") is None
    db.close()
    put(store, customer("B", 1))
    assert dialect.counts(tmp_path / "copy")["customers"] == 1
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0


def test_what_a_database_does_not_keep_has_a_reason_and_is_a_promise() -> None:
    promises = {name for name in globals() if name.startswith("test_")}
    for each in DATABASES:
        assert set(each.exempt) <= promises
        assert all(each.exempt.values())
