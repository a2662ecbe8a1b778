"""A real PostgreSQL, as companies have them: odd names and keys, rights that go, sessions that end."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text

from adapters.common.declared import Declarations, Declared
from adapters.sql import database as sql
from adapters.sql.crm import SqlDatabase
from connector.errors import Denied, Misconfigured, Retry
from connector.ports import Page, Source
from tests.postgres import postgres
from tests.simulated import Slots


@pytest.fixture
def url() -> Iterator[str]:
    with postgres() as address:
        yield address


@pytest.fixture
def owner(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


def run(owner: Engine, *words: str) -> None:
    with owner.begin() as transaction:
        for each in words:
            transaction.execute(text(each))


def opened(url: str, user: str = "owner", zone: str = "", late: int = 10, **tables: Declared) -> SqlDatabase:
    known = Declarations(
        tables={name.replace("__", "."): each for name, each in tables.items()}, zone=zone, late_minutes=late
    )
    return SqlDatabase(
        sql.Database(url.replace("owner", user), "", 5), known, "EUR", Slots(), page_rows=3, batch_rows=7
    )


def read(crm: SqlDatabase, name: str, *fields: str, cursor: str | None = None) -> tuple[list[Any], Page]:
    pages = list(crm.read(Source("s", name, fields), cursor))
    return [row for page in pages for row in page.frame.select("id", *fields).rows()], pages[-1]


def test_nothing_is_lost_of_any_type(url: str, owner: Engine) -> None:
    run(
        owner,
        "CREATE TYPE art AS ENUM ('R', 'G')",
        """CREATE TABLE "Rechnung" ("Beleg-Nr" text PRIMARY KEY, "Betrag €" numeric, 金额 numeric(30, 10), c money,
           f float8, r float4, b boolean, d date, t timestamp, z timestamptz, n text, art art, j jsonb, u uuid, g bigint)""",
        """INSERT INTO "Rechnung" VALUES ('R "1", a\n|\\', 12345678901234567890.123456789, -0.0000000001, 1234.5, 1e-7, 0.1,
           true, '2026-01-05', '2026-01-05 10:30', '2026-01-05 10:30:00.123456+08', '', 'G', '{"a": 1}',
           'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 9223372036854775807)""",
        """INSERT INTO "Rechnung" ("Beleg-Nr", d, n, f) VALUES ('NULL', 'infinity', '\\N', 'NaN')""",
    )
    fields = ("Betrag €", "金额", "c", "f", "r", "b", "d", "t", "z", "n", "art", "j", "u", "g")
    crm = opened(url)

    rows, last = read(crm, "Rechnung", *fields)

    assert rows[1] == (
        'R "1", a\n|\\', "12345678901234567890.123456789", "-0.0000000001", "1234.50", "0.0000001", "0.1", "true",
        "2026-01-05", "2026-01-05", "2026-01-05T02:30:00.123456+00:00", "", "G", '{"a": 1}',
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "9223372036854775807",
    )  # fmt: skip
    assert rows[0] == ("NULL", None, None, None, "NaN", *[None] * 5, "\\N", *[None] * 4)
    # No column of a change: everything is read each time.
    assert (last.cursor, last.complete) == ("", True)
    (page,) = crm.fetch(Source("s", "Rechnung", ("金额",)), ['R "1", a\n|\\', "gone"])
    assert (page.frame["金额"].to_list(), [each.record for each in page.gone]) == (["-0.0000000001"], ["gone"])


def test_ids_are_compared_as_the_columns_own_type(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (id bigint PRIMARY KEY, k integer, updated_at timestamptz DEFAULT now())")
    run(owner, "INSERT INTO t SELECT n, n % 3 FROM generate_series(1, 23) n")
    crm = opened(url)

    rows, last = read(crm, "t", "k")

    assert [row[0] for row in rows] == [str(n) for n in range(1, 24)]
    assert last.cursor
    (page,) = crm.fetch(Source("s", "t", ()), ["9", "10", "K7", "9223372036854775808"])
    assert page.frame["id"].to_list() == ["9", "10"]
    assert [each.record for each in page.gone] == ["K7", "9223372036854775808"]
    (page,) = crm.ledger(Source("s", "t", ("k",)), "k", ["2", "nobody"])
    assert page.complete
    assert len(page.frame) == 8


def test_keys_of_several_columns_and_views_with_declared_ones(url: str, owner: Engine) -> None:
    run(
        owner,
        "CREATE SCHEMA ar",
        "CREATE TABLE ar.items (company text, no integer, amount numeric, PRIMARY KEY (company, no))",
        "INSERT INTO ar.items SELECT c, n, n FROM unnest(ARRAY['a|b', 'c\\d', 'e']) c, generate_series(1, 5) n",
        "CREATE VIEW ar.open AS SELECT company || no AS key, amount FROM ar.items",
        "CREATE VIEW ar.twice AS SELECT company AS key, amount FROM ar.items",
        "CREATE VIEW ar.some AS SELECT CASE WHEN no > 1 THEN company || no END AS key FROM ar.items",
        "CREATE VIEW ar.bare AS SELECT amount FROM ar.items",
    )
    crm = opened(url, ar__open=Declared(id=("key",)), ar__twice=Declared(id=("key",)), ar__some=Declared(id=("key",)))

    rows, _ = read(crm, "ar.items", "amount")
    assert [row[0] for row in rows][:6] == [r"a\|b|1", r"a\|b|2", r"a\|b|3", r"a\|b|4", r"a\|b|5", r"c\\d|1"]
    assert len(rows) == 15
    fetched = list(crm.fetch(Source("s", "ar.items", ("amount",)), [r"a\|b|3", r"c\\d|9", "e", "e|x"]))
    assert [page.frame.rows() for page in fetched] == [[(r"a\|b|3", None, "3")]]
    assert [each.record for each in fetched[0].gone] == [r"c\\d|9", "e", "e|x"]

    assert len(read(crm, "ar.open", "amount")[0]) == 15
    with pytest.raises(Misconfigured, match=r"ar\.twice share a value of key"):
        read(crm, "ar.twice")
    with pytest.raises(Misconfigured, match=r"tells the rows of ar\.bare apart"):
        read(crm, "ar.bare")
    pages = list(crm.read(Source("s", "ar.some", ()), None))
    assert sum(page.frame.height for page in pages) == 12
    assert [(each.record, each.value) for page in pages for each in page.misfits] == [("?ar.some", "3 rows")]


def test_what_is_not_there_is_named(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (id integer PRIMARY KEY, amount numeric)")
    crm = opened(url, u=Declared(modified="changed"))

    with pytest.raises(Misconfigured, match="no object invoices"):
        read(crm, "invoices")
    with pytest.raises(Misconfigured, match="t has no column betrag, due"):
        read(crm, "t", "amount", "betrag", "due")
    run(owner, "CREATE TABLE u (id integer PRIMARY KEY)")
    with pytest.raises(Misconfigured, match="u has no column changed"):
        read(crm, "u")
    run(owner, "ALTER TABLE t RENAME amount TO betrag")
    with pytest.raises(Misconfigured, match="t has no column amount"):
        read(crm, "t", "amount")


def test_rights_that_are_withdrawn_are_told_as_rights(url: str, owner: Engine) -> None:
    run(
        owner,
        "CREATE ROLE withdrawn LOGIN",
        "CREATE TABLE t (id integer PRIMARY KEY)",
        "INSERT INTO t VALUES (1)",
        "GRANT SELECT ON t TO withdrawn",
    )
    crm = opened(url, "withdrawn")
    assert read(crm, "t")[0] == [("1",)]

    run(owner, "REVOKE SELECT ON t FROM withdrawn")
    with pytest.raises(Denied, match="SELECT on t, 42501"):
        read(crm, "t")
    run(owner, "ALTER ROLE withdrawn NOLOGIN")
    with pytest.raises(Denied, match="credentials"):
        read(crm, "t")


def test_a_session_of_ours_cannot_write(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (id integer PRIMARY KEY)")
    database = sql.Database(url, "", 5)

    with pytest.raises(Misconfigured, match="25006"):
        database.ask("t", lambda connection: connection.execute(text("INSERT INTO t VALUES (1)")))


def test_a_query_that_takes_too_long_is_told_with_what_to_index(url: str, owner: Engine) -> None:
    run(owner, "CREATE VIEW slow AS SELECT 1 AS id, pg_sleep(3)::text AS x")
    crm = SqlDatabase(sql.Database(url, "", 1), Declarations(), "EUR", Slots())

    with pytest.raises(Retry, match="Index the columns"):
        read(crm, "slow", "x")


def test_a_transaction_that_commits_late_is_read(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (id integer PRIMARY KEY, updated_at timestamptz)")
    run(owner, "INSERT INTO t SELECT n, now() - interval '1 hour' FROM generate_series(1, 5) n")
    address = url.replace("postgresql+psycopg", "postgresql")
    crm = opened(url)
    with psycopg.connect(address) as late:
        late.execute("INSERT INTO t VALUES (6, now())")
        run(owner, "INSERT INTO t VALUES (7, now())")
        rows, last = read(crm, "t")
        assert ("6",) not in rows
        late.commit()

    assert {row[0] for row in read(crm, "t", cursor=last.cursor)[0]} == {"6", "7"}


def test_sessions_that_are_ended_cost_nothing(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (id integer PRIMARY KEY, x text)")
    run(owner, "INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(1, 200) n")
    crm, stop = opened(url), threading.Event()

    def end_all() -> None:
        while not stop.wait(0.06):
            run(owner, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'zixin'")

    other = threading.Thread(target=end_all)
    other.start()
    try:
        rows = read(crm, "t", "x")[0]
    finally:
        stop.set()
        other.join()

    assert [row[0] for row in rows] == [str(n) for n in range(1, 201)]


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("timestamp", ["2026-01-05 10:00", "2026-01-05 11:00", "2026-01-05 11:30"]),
        ("date", ["2026-01-05", "2026-01-06", "2026-01-06"]),
        ("bigint", ["1767609015000", "1767612615000", "1767614415000"]),
        ("text", ["2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z", "2026-01-05T11:30:00.5Z"]),
        ("varchar", ["1767609015.25", "1767612615.5", "1767614415.0"]),
    ],
)
def test_changes_are_found_whatever_the_times_are_kept_in(
    url: str, owner: Engine, type_: str, values: Sequence[str]
) -> None:
    run(owner, f"CREATE TABLE t (id integer PRIMARY KEY, changed {type_})")
    run(owner, *(f"INSERT INTO t VALUES ({n}, '{value}')" for n, value in enumerate(values[:2])))
    crm = opened(url, t=Declared(modified="changed"), zone="Asia/Shanghai")
    rows, last = read(crm, "t")
    assert len(rows) == 2

    run(owner, f"INSERT INTO t VALUES (2, '{values[2]}'), (3, NULL)")

    found = {row[0] for row in read(crm, "t", cursor=last.cursor)[0]}
    # What changed an hour before is not read again; what bears no time is.
    assert {"2", "3"} <= found <= ({"0", "1", "2", "3"} if type_ == "date" else {"1", "2", "3"})


@pytest.mark.parametrize(
    ("type_", "there", "gone"),
    [
        ("timestamp", "0001-01-01 00:00:00", "2026-01-05 10:00:00"),
        ("timestamptz", "9999-12-31 00:00:00+00", "2026-01-05 10:00:00+00"),
        ("text", "否", "是"),
        ("boolean", "false", "true"),
        ("integer", "0", "1"),
        ("varchar", "N", "Y"),
    ],
)
def test_what_stands_for_not_deleted_deletes_nothing(
    url: str, owner: Engine, type_: str, there: str, gone: str
) -> None:
    run(owner, f"CREATE TABLE t (id integer PRIMARY KEY, deleted_at {type_})")
    run(owner, f"INSERT INTO t VALUES (1, '{there}'), (2, '{gone}'), (3, NULL)")

    (page,) = opened(url).read(Source("s", "t", ()), None)

    assert (page.frame["id"].to_list(), [each.record for each in page.gone]) == (["1", "3"], ["2"])


def test_a_column_that_deletes_everything_or_nothing_in_words_is_not_believed(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (id integer PRIMARY KEY, is_deleted text)")
    run(owner, "INSERT INTO t SELECT n, 'Y' FROM generate_series(1, 25) n")
    with pytest.raises(Misconfigured, match=r"is_deleted of t does not tell .* all rows"):
        read(opened(url), "t")
    assert read(opened(url, t=Declared(deleted="is_deleted")), "t")[0] == []
    run(owner, "UPDATE t SET is_deleted = 'archived' WHERE id = 7")
    with pytest.raises(Misconfigured, match="neither yes nor no"):
        read(opened(url), "t")


def test_other_keys_than_those_of_the_last_read_are_told(url: str, owner: Engine) -> None:
    run(
        owner,
        "CREATE TABLE t (id integer PRIMARY KEY, x integer, _fivetran_synced timestamptz, _fivetran_deleted boolean)",
        "INSERT INTO t SELECT n, n, now(), n = 3 FROM generate_series(1, 5) n",
    )
    _, last = read(opened(url), "t")
    for change, back in (
        ("ALTER TABLE t RENAME _fivetran_deleted TO gone", "ALTER TABLE t RENAME gone TO _fivetran_deleted"),
        ("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, x)", ""),
    ):
        run(owner, change)
        with pytest.raises(
            Misconfigured, match=r"t is read by .* were id / _fivetran_synced / _fivetran_deleted and are"
        ):
            read(opened(url), "t", cursor=last.cursor)
        run(owner, back or "SELECT 1")


def test_bounds_without_end_and_padded_keys(url: str, owner: Engine) -> None:
    run(
        owner,
        "CREATE TABLE t (id char(6) PRIMARY KEY, customer char(8), updated_at timestamptz)",
        "INSERT INTO t VALUES ('R1', 'K7', 'infinity'), ('R2', 'K8', now())",
    )
    crm = opened(url)

    rows, last = read(crm, "t", "customer")

    assert rows == [("R1", "K7"), ("R2", "K8")]
    assert ("R1",) in read(crm, "t", cursor=last.cursor)[0]
    (page,) = crm.fetch(Source("s", "t", ("customer",)), ["R1", "R3"])
    assert (page.frame["id"].to_list(), [each.record for each in page.gone]) == (["R1"], ["R3"])
    (page,) = crm.ledger(Source("s", "t", ("customer",)), "customer", ["K8"])
    assert page.frame["id"].to_list() == ["R2"]


@pytest.mark.parametrize(
    ("type_", "made"),
    [
        ("bytea", "decode(lpad(to_hex(n), 4, '0'), 'hex')"),
        ("interval", "n * interval '1 day'"),
        ("integer[]", "ARRAY[n, 1]"),
        ("date", "CASE WHEN n = 20 THEN 'infinity' ELSE date '2026-01-01' + n END"),
        ("numeric(38, 2)", "n * 1e30"),
        ("uuid", "md5(n::text)::uuid"),
        ("citizen", "n"),
        ("timestamptz", "timestamptz '2026-01-01' + n * interval '1 microsecond'"),
    ],
)
def test_ids_of_any_type_are_read_in_order_and_asked_for(url: str, owner: Engine, type_: str, made: str) -> None:
    run(
        owner,
        "CREATE DOMAIN citizen AS bigint CHECK (VALUE > 0)",
        f"CREATE TABLE t (a boolean, k {type_}, PRIMARY KEY (a, k))",
    )
    run(owner, f"INSERT INTO t SELECT n % 2 = 0, {made} FROM generate_series(1, 20) n")
    crm = opened(url)

    ids = [row[0] for row in read(crm, "t")[0]]

    assert len(set(ids)) == len(ids) == 20
    (page,) = crm.fetch(Source("s", "t", ()), [*ids, "t|nothing", "nothing"])
    assert (sorted(page.frame["id"]), [each.record for each in page.gone]) == (sorted(ids), ["t|nothing", "nothing"])


def test_numbers_of_never_and_several_forms_of_times(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (id integer PRIMARY KEY, updated_at bigint)")
    run(owner, "INSERT INTO t VALUES (1, extract(epoch FROM now())::bigint - 9000), (2, 253402300799)")
    _, last = read(opened(url), "t")
    run(owner, "INSERT INTO t SELECT n, extract(epoch FROM now())::bigint FROM generate_series(3, 9) n")
    assert {row[0] for row in read(opened(url), "t", cursor=last.cursor)[0]} >= {str(n) for n in range(3, 10)}

    run(owner, "CREATE TABLE u (id integer PRIMARY KEY, updated_at text)")
    run(owner, "INSERT INTO u VALUES (1, '2026-01-05T10:00:00'), (2, '2026-01-05 11:00:00')")
    with pytest.raises(Misconfigured, match="of several forms"):
        read(opened(url), "u")


def test_a_declared_id_beside_a_primary_key_is_held_to_it(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (pk serial PRIMARY KEY, number text)")
    run(owner, "INSERT INTO t (number) SELECT CASE WHEN n > 3 THEN 'R' || n END FROM generate_series(1, 20) n")
    crm = opened(url, t=Declared(id=("number",)))
    pages = list(crm.read(Source("s", "t", ()), None))
    assert sum(page.frame.height for page in pages) == 17
    assert [each.value for page in pages for each in page.misfits] == ["3 rows"]
    run(owner, "INSERT INTO t (number) VALUES ('R20')")
    with pytest.raises(Misconfigured, match="share a value of number"):
        read(crm, "t")


def test_rows_of_tables_that_inherit_are_held_to_one_key(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (id integer PRIMARY KEY, x text)", "CREATE TABLE heir (LIKE t) INHERITS (t)")
    run(owner, "INSERT INTO t SELECT n FROM generate_series(1, 10) n", "INSERT INTO heir VALUES (11), (12)")
    assert len(read(opened(url), "t")[0]) == 12
    run(owner, "INSERT INTO heir VALUES (7)")
    with pytest.raises(Misconfigured, match="share a value of id"):
        read(opened(url), "t")


def test_a_password_at_a_wrong_place_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="setting password") as caught:
        sql.Database(f"{url}&password=canary", "", 5)
    assert "canary" not in str(caught.value)


def test_a_first_page_of_rows_dated_ahead_moves_no_read_past_the_rows_behind_it(url: str, owner: Engine) -> None:
    run(owner, "CREATE TABLE t (id integer PRIMARY KEY, updated_at timestamptz)")
    run(owner, "INSERT INTO t SELECT n, now() + interval '9 days' FROM generate_series(1, 4) n")
    run(owner, "INSERT INTO t VALUES (5, now() - interval '5 days')")
    crm = opened(url)
    _, last = read(crm, "t")

    run(owner, "INSERT INTO t VALUES (6, now() - interval '4 days')")

    assert ("6",) in read(crm, "t", cursor=last.cursor)[0]
