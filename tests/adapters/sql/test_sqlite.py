"""A file of SQLite, whose columns hold whatever was put there; and how a database is named."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from adapters import registry
from connector.errors import Misconfigured
from connector.ports import Source
from tests.simulated import Slots


def opened(path: Path, **settings: str) -> Any:
    return registry.open_crm("sql", {"url": f"sqlite:///{path}", "currency": "EUR", **settings}, Slots(), "dwh")


def made(path: Path, *words: str) -> Path:
    with sqlite3.connect(path) as connection:
        for each in words:
            connection.execute(each)
    connection.close()
    return path


def read(crm: Any, name: str, *fields: str) -> Any:
    (page,) = crm.read(Source("s", name, fields), None)
    return page


def test_values_come_as_they_are_kept(tmp_path: Path) -> None:
    path = made(
        tmp_path / "erp.db",
        "CREATE TABLE t (id, amount NUMERIC, day DATE, at DATETIME, flag BOOLEAN, note TEXT)",
        "INSERT INTO t VALUES (7, 1234567890123.45, '2026-01-05', '2026-01-05 10:00:00', 1, '0012')",
        "INSERT INTO t VALUES ('K7', '0.10', NULL, '2026-01-05T10:00:00Z', 0, '')",
        "INSERT INTO t VALUES ('K8', 1e-7, 'soon', NULL, NULL, NULL)",
    )
    crm = opened(path)

    page = read(crm, "t", "amount", "day", "at", "flag", "note")

    assert page.frame.drop("modified_at").rows() == [
        ("7", "1234567890123.45", "2026-01-05", "2026-01-05", "true", "0012"),
        ("K7", "0.1", None, "2026-01-05T10:00:00+00:00", "false", ""),
        ("K8", "0.0000001", "soon", None, None, None),
    ]
    (found,) = crm.fetch(Source("s", "t", ("note",)), ["7", "K7", "K9"])
    assert (sorted(found.frame["id"]), [each.record for each in found.gone]) == (["7", "K7"], ["K9"])


def test_text_of_another_encoding_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    path = made(
        tmp_path / "erp.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, seal BLOB)",
        "INSERT INTO t VALUES (1, 'Müller', x'ff00')",
        "INSERT INTO t VALUES (2, CAST(x'4dfc6c6c6572' AS TEXT), NULL)",
    )

    page = read(opened(path), "t", "name", "seal")

    assert page.frame.select("id", "name", "seal").rows() == [("1", "Müller", "ff00")]
    assert [(each.record, each.field, each.reason) for each in page.misfits] == [("2", "name", "not_text")]


def test_a_file_is_opened_for_reading_only_and_never_made(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no such file"):
        opened(tmp_path / "none.db").organisation()
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("this is no database, though it is long enough to be looked at as one")
    with pytest.raises(Misconfigured, match="refused a query"):
        opened(tmp_path / "text.db").organisation()


def test_an_address_holds_no_password_and_repeats_nothing(tmp_path: Path) -> None:
    for url in ("postgresql://zixin:canary@db/erp", "canary", "postgresql://zixin:ca/na@ry@[db/erp"):
        with pytest.raises(Misconfigured, match="setting url") as caught:
            registry.open_crm("sql", {"url": url, "currency": "EUR"}, Slots(), "dwh")
        assert "canary" not in str(caught.value)
    secret = tmp_path / "password"
    secret.write_text("canary\n")
    settings = {"url": "postgresql://zixin@127.0.0.1:1/erp", "currency": "EUR", "password_file": str(secret)}
    crm = registry.open_crm("sql", settings, Slots(), "dwh")
    assert "canary" not in repr(vars(crm))


def test_a_driver_that_is_missing_is_named_as_it_is_installed() -> None:
    with pytest.raises(Misconfigured, match="pip install oracledb"):
        registry.open_crm("sql", {"url": "oracle://zixin@db/erp", "currency": "EUR"}, Slots(), "dwh")
    with pytest.raises(Misconfigured, match="pip install nosuch"):
        registry.open_crm("sql", {"url": "nosuch://zixin@db/erp", "currency": "EUR"}, Slots(), "dwh")


def test_a_zone_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="'Asia/Peking' is no IANA time zone"):
        opened(made(tmp_path / "erp.db", "CREATE TABLE t (id)"), zone="Asia/Peking")


def test_a_declaration_is_strict(tmp_path: Path) -> None:
    path = made(tmp_path / "erp.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
    for text, told in (
        ("tables:\n  t: {modifed: x}\n", "did you mean 'modified'"),
        ("zone: Asia/Peking\n", "no IANA time zone"),
        ("late_minutes: -1\n", "late_minutes"),
    ):
        declared = tmp_path / "tables.yaml"
        declared.write_text(text)
        with pytest.raises(Misconfigured, match=told):
            opened(path, declared=str(declared))
