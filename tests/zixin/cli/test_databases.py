"""A new admin's way from docs/sources.md: a database with odd names, attached, mapped, checked and rated."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from sqlalchemy import Engine, create_engine, text

from tests.postgres import postgres
from tests.zixin.calls import FORTY, document, run, served

GERMAN = (
    "CREATE SCHEMA fibu",
    'CREATE TABLE fibu."Debitoren" ("DebNr" integer PRIMARY KEY, "Firma" text, "USt-IdNr" text, "Land" text)',
    (
        'CREATE TABLE fibu."Rechnungen" ("BelegNr" text PRIMARY KEY, "DebNr" integer REFERENCES fibu."Debitoren",'
        ' "Belegdatum" date, "Fälligkeit" date, "Bruttobetrag" numeric(15,2), "Nettobetrag" numeric(15,2),'
        ' "Währung" char(3), "geändert_am" timestamp)'
    ),
    'CREATE TABLE fibu."Rechnungspositionen" (id serial PRIMARY KEY, "BelegNr" text, "Betrag" numeric)',
    (
        'CREATE TABLE fibu."Zahlungseingaenge" (id serial PRIMARY KEY, "DebNr" integer, "Zahlungsdatum" date,'
        ' "Betrag" numeric(15,2), "Waehrung" char(3))'
    ),
    (
        'CREATE TABLE fibu."Ausgleich" (id serial PRIMARY KEY, "Zahlung" integer REFERENCES fibu."Zahlungseingaenge",'
        ' "BelegNr" text, "Betrag" numeric(15,2), "Ausgleichsdatum" date)'
    ),
    "INSERT INTO fibu.\"Debitoren\" SELECT n, 'Firma ' || n || ' GmbH', NULL, 'DE' FROM generate_series(1, 9) n",
    (
        "INSERT INTO fibu.\"Rechnungen\" SELECT 'R' || n, n % 9 + 1, current_date - 200 + n, current_date - 170 + n, 119 + n,"
        " 100 + n, 'EUR', now() FROM generate_series(1, 90) n"
    ),
    (
        "INSERT INTO fibu.\"Zahlungseingaenge\" SELECT n, n % 9 + 1, current_date - 168 + n, 119 + n, 'EUR'"
        " FROM generate_series(1, 70) n"
    ),
    "INSERT INTO fibu.\"Ausgleich\" SELECT n, n, 'R' || n, 119 + n, current_date - 168 + n FROM generate_series(1, 70) n",
)
CHINESE = (
    "CREATE SCHEMA 财务",
    (
        "CREATE TABLE 财务.应收发票 (发票号 text PRIMARY KEY, 客户编号 text, 开票日期 date, 到期日 date, 价税合计 numeric(15,2),"
        " 币种 char(3), 修改时间 timestamp)"
    ),
    "CREATE TABLE 财务.收款单 (编号 bigint PRIMARY KEY, 客户编号 text, 收款日期 date, 收款金额 numeric(15,2), 币种 char(3))",
    (
        "CREATE TABLE 财务.核销 (编号 bigint PRIMARY KEY, 收款单 bigint REFERENCES 财务.收款单, 发票 text REFERENCES 财务.应收发票,"
        " 核销金额 numeric(15,2), 核销日期 date)"
    ),
    (
        "INSERT INTO 财务.应收发票 SELECT 'F' || n, 'A' || n % 9, current_date - 200 + n, current_date - 170 + n, 1000 + n,"
        " 'USD', now() FROM generate_series(1, 90) n"
    ),
    "INSERT INTO 财务.收款单 SELECT n, 'A' || n % 9, current_date - 168 + n, 1000 + n, 'USD' FROM generate_series(1, 70) n",
    "INSERT INTO 财务.核销 SELECT n, n, 'F' || n, 1000 + n, current_date - 168 + n FROM generate_series(1, 70) n",
)


@dataclass
class Erp:
    owner: Engine
    #: Settings of a user who may read everything of it.
    file: Path

    def run(self, *words: str) -> None:
        with self.owner.begin() as transaction:
            for each in words:
                transaction.execute(text(each))

    def filled(self, schema: str, words: tuple[str, ...]) -> None:
        self.run(
            *words,
            f"GRANT USAGE ON SCHEMA {schema} TO reader",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader",
        )


@pytest.fixture
def erp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Erp]:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with postgres() as url:
        engine = create_engine(url)
        file = tmp_path / "dwh.yaml"
        file.write_text(
            json.dumps({"url": url.replace("owner@", "reader@").replace("+psycopg", ""), "currency": "EUR"})
        )
        file.chmod(0o600)
        yield Erp(engine, file)
        engine.dispose()


def taken(capsys: pytest.CaptureFixture[str], *of: str) -> dict[str, str]:
    """The tables that are proposed first."""
    tables = document(capsys, "map", "suggest", *of)["tables"]
    return {table: some[0]["object"] for table, some in tables.items()}


@pytest.mark.slow
def test_a_german_erp_by_itself(erp: Erp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    erp.filled("fibu", GERMAN)
    said = document(capsys, "connect", "sql", "--as", "dwh", "--settings", str(erp.file))
    assert {line["what"]: line["state"] for line in said["lines"]} == {
        "organisation": "ok", "sql": "ok", "read only": "ok", "dwh": "look",
    }  # fmt: skip
    found = taken(capsys)
    assert found == {
        "accounts": "fibu.Debitoren", "receivables": "fibu.Rechnungen", "payments": "fibu.Zahlungseingaenge",
        "allocations": "fibu.Ausgleich",
    }  # fmt: skip

    chosen = [word for table, name in found.items() for word in ("--object", f"{table}={name}")]
    assert run("map", "suggest", *chosen, "--write") == 0
    written = YAML(typ="safe").load((tmp_path / "home" / "default" / "dwh.yaml").read_text())
    columns = {name: part["yields"][0]["columns"] for name, part in written["sources"].items()}
    assert columns["receivables"] == {
        "receivable_id": "id", "account_id": "DebNr", "number": "BelegNr", "issued": "Belegdatum", "due": "Fälligkeit",
        "amount": "Bruttobetrag", "currency": "Währung",
    }  # fmt: skip
    assert columns["allocations"] == {
        "allocation_id": "id", "receivable_id": "BelegNr", "payment_id": "Zahlung", "applied_on": "Ausgleichsdatum",
        "payment_amount": "Betrag",
    }  # fmt: skip
    assert run("map", "check") == 0, capsys.readouterr().out
    capsys.readouterr()
    run("doctor")
    assert "told apart by BelegNr; changes by geändert_am (by its name)" in capsys.readouterr().out

    done = document(capsys, "sync")
    assert (done["state"], done["accounts"], done["receivables"], done["payments"], done["rejected"]) == (
        "done", 9, 90, 70, 0,
    )  # fmt: skip
    before = {row["number"]: row for row in document(capsys, "list")["accounts"]}
    erp.run('UPDATE fibu."Rechnungen" SET "Bruttobetrag" = 50000, "geändert_am" = now() WHERE "BelegNr" = \'R80\'')
    document(capsys, "sync")
    after = {row["number"]: row for row in document(capsys, "list")["accounts"]}
    assert [number for number in after if after[number]["exposure"] != before[number]["exposure"]] == ["9"]

    erp.run('ALTER TABLE fibu."Rechnungen" RENAME "Bruttobetrag" TO "Brutto"')
    assert run("sync") == 1
    assert "fibu.Rechnungen has no column Bruttobetrag" in capsys.readouterr().err
    assert run("map", "check") == 1
    assert "Bruttobetrag" in capsys.readouterr().out
    assert document(capsys, "list")["accounts"] == list(after.values())


def test_a_chinese_database_beside_zoho(erp: Erp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    erp.filled("财务", CHINESE)
    (tmp_path / "zoho").mkdir()
    with served("zoho", {"accounts": FORTY["accounts"]}, tmp_path / "zoho") as zoho:
        document(capsys, "connect", "zoho", "--settings", str(zoho.file))
        feed = (
            "connect",
            "sql",
            "--as",
            "dwh",
            "--feeds",
            "zoho",
            "--settings",
            str(erp.file),
            "--number",
            "Account_Number",
        )
        document(capsys, *feed)
        assert run("fields", "apply") == 0
        found = taken(capsys, "--of", "dwh")
        assert found == {"receivables": "财务.应收发票", "payments": "财务.收款单", "allocations": "财务.核销"}
        chosen = [word for table, name in found.items() for word in ("--object", f"{table}={name}")]
        assert run("map", "suggest", "--of", "dwh", *chosen, "--write") == 0
        assert run("map", "check", "--of", "dwh") == 0, capsys.readouterr().out
        assert run("map", "check") == 0, capsys.readouterr().out

        done = document(capsys, "sync")

        assert (done["state"], done["rejected"], done["away"], done["receivables"], done["strangers"]) == (
            "done", 0, {}, 90, {},
        )  # fmt: skip
        row = document(capsys, "explain", "A3")
        assert row["same"]
        assert {each["source"] for each in row["sources"]} >= {"dwh.receivables", "dwh.payments"}

        erp.run("REVOKE ALL ON 财务.收款单 FROM reader")
        assert run("sync") == 4
        out = capsys.readouterr().out
        assert "SELECT on 财务.收款单, 42501" in out, out


def test_who_could_write_is_told(erp: Erp, capsys: pytest.CaptureFixture[str]) -> None:
    erp.run("CREATE TABLE t (id integer)", "GRANT SELECT, INSERT ON t TO reader")

    said = document(capsys, "connect", "sql", "--as", "dwh", "--settings", str(erp.file))

    line = next(each for each in said["lines"] if each["what"] == "read only")
    assert (line["state"], "could write (1 tables" in line["en"]) == ("look", True)
