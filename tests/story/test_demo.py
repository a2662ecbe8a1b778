"""The demo as its user meets it: processes, standard output, signals."""

import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.editions import default_text
from connector.schema import TABLES
from mappings import portfolio
from tests.waiting import ANSWER_S, code_of, wait_for
from zixin.cli.main import main
from zixin.trial.generate import generate

pytestmark = pytest.mark.apart

ZIXIN = [sys.executable, "-m", "zixin"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("portfolio")
    generate(path, date(2025, 6, 30), accounts=40)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path))
    return tmp_path


def zixin(*words: str) -> subprocess.CompletedProcess[str]:
    """One call, within this process: a demo that stands, and signals, are for processes of their own."""
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
            main(words)
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    return subprocess.CompletedProcess(words, int(left.value.code or 0), out.getvalue(), err.getvalue())


def called(*words: str) -> subprocess.CompletedProcess[str]:
    """One call as a person makes it: a process of its own."""
    return subprocess.run([*ZIXIN, *words], capture_output=True, text=True, check=False)


def document(*words: str, code: int = 0) -> Any:
    done = zixin(*words, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@contextmanager
def standing(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A demo that stands, and its document."""
    process = subprocess.Popen(
        [*ZIXIN, "demo", "--json", "--no-serve", "--data", str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        text = ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                break
        yield process, json.loads(text)
    finally:
        process.kill()
        process.communicate()


def is_gone(url: str) -> bool:
    """Whether nobody listens there any more."""
    try:
        requests.get(url, timeout=ANSWER_S)
    except requests.ConnectionError:
        return True
    return False


def test_a_generated_portfolio_fits_and_is_the_same_again(folder: Path, tmp_path: Path) -> None:
    read = portfolio.read(folder)

    assert read.rejects.is_empty()
    assert read.tables["accounts"].height == 40
    # Links come with the accounts of several systems; every other table has rows.
    assert {name for name in TABLES if name not in read.tables or read.tables[name].is_empty()} <= {
        "links", "profiles", "actions", "decisions", "promises",
    }  # fmt: skip
    generate(tmp_path / "again", date(2025, 6, 30), accounts=40)
    assert (tmp_path / "again" / "evidence.csv").read_bytes() == (folder / "evidence.csv").read_bytes()
    assert (tmp_path / "again" / "payments.csv").read_bytes() == (folder / "payments.csv").read_bytes()


def test_once_prints_one_document_and_the_store_answers_afterwards(folder: Path, home: Path) -> None:
    done = json.loads(called("demo", "--once", "--data", str(folder), "--as-of", "2025-07-01", "--json").stdout)

    assert (done["accounts"], done["assessed"], done["written"], done["refused"], done["rejected"]) == (
        40,
        40,
        40,
        0,
        0,
    )
    assert sum(done["ratings"].values()) == 40
    assert set(done["seconds"]) == {
        "simulator",
        "install",
        "pull",
        "history",
        "score",
        "store",
        "push",
        "sweep",
        "total",
    }
    listed = document("--profile", "demo", "list")["accounts"]
    assert len(listed) == 40
    assert {"account_id", "number", "name", "rating", "score", "limit", "exposure", "flags", "reasons"} <= set(
        listed[0]
    )
    assert listed[0]["as_of"] == "2025-07-01"
    texts = zixin("--profile", "demo", "list", "--rating", "AAA").stdout.splitlines()
    assert len(texts) - 1 == sum(row["rating"] == "AAA" for row in listed)
    table = zixin("--profile", "demo", "list", "--csv").stdout.splitlines()
    assert table[0].startswith("number,name,rating,score")
    assert len(table) == 41
    assert (home / "demo" / "connections.json").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_a_sync_when_the_crm_is_gone_says_so_and_loses_nothing(folder: Path, home: Path) -> None:
    english = zixin("demo", "--once", "--data", str(folder))
    assert "Ratings as of" in english.stdout
    assert "Watch list" in english.stdout

    done = zixin("--profile", "demo", "sync")

    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert len(document("--profile", "demo", "list")["accounts"]) == 40


@pytest.mark.slow
def test_a_standing_demo_is_synced_again_and_ends_whole(folder: Path, home: Path) -> None:
    with standing(folder) as (process, first):
        again = document("--profile", "demo", "sync")
        assert (again["assessed"], again["written"], again["unchanged"]) == (0, 0, first["accounts"])

        records = requests.get(f"{first['control']}/records/Customer_Payments", timeout=ANSWER_S).json()["records"]
        payment = next(row for row in reversed(records) if row["Invoice"])
        change = {"module": "Customer_Payments", "id": payment["id"], "set": {"Amount": "0.01"}}
        assert requests.post(f"{first['control']}/change", json=change, timeout=ANSWER_S).status_code == 200
        moved = document("--profile", "demo", "sync")
        assert (moved["assessed"], moved["written"]) == (1, 1)

        path = home / "demo" / "connections.json"
        named = path.read_text()
        path.write_text(named.replace('"Credit_Rating"', '"Credit_Rating_gone"'))
        lacking = zixin("--profile", "demo", "sync")
        assert (lacking.returncode, "lacks zixin's fields on Accounts: Credit_Rating_gone" in lacking.stderr) == (
            5,
            True,
        )
        path.write_text(named)

        requests.post(f"{first['control']}/revoke", json={}, timeout=ANSWER_S)
        refused = zixin("--profile", "demo", "sync", "--lang", "zh-CN")
        assert refused.returncode == 5
        assert "请用新凭证重新连接" in refused.stderr

        process.send_signal(signal.SIGTERM)
        assert code_of(process, "the demo") == 143
        wait_for("the simulator to end with its demo", lambda: is_gone(f"{first['control']}/ledger"))


def test_a_folder_that_is_none_ends_with_one_message(tmp_path: Path, home: Path) -> None:
    done = zixin("demo", "--once", "--data", str(tmp_path))

    assert done.returncode == 1
    assert "accounts.csv is not there" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.environ["ZIXIN_HOME"] == str(home)
    assert zixin("--profile", "empty", "sync").returncode == 1
    assert zixin("simulate", "nobodys", "--data", str(tmp_path)).returncode == 2


@pytest.mark.slow
def test_ctrl_c_ends_a_standing_demo(folder: Path, home: Path) -> None:
    with standing(folder) as (process, _):
        process.send_signal(signal.SIGINT)

        assert code_of(process, "the demo") == 130


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_ends_the_demo_and_its_simulator(
    folder: Path, home: Path, sent: signal.Signals, code: int
) -> None:
    process = subprocess.Popen([*ZIXIN, "demo", "--data", str(folder)], stderr=subprocess.PIPE, text=True)
    assert process.stderr
    # What the simulated CRM has no place for is told first.
    line = next(line for line in process.stderr if " at " in line)
    process.send_signal(sent)

    assert code_of(process, "the demo") == code
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    origin = line.split(" at ")[1].split(",")[0]
    assert is_gone(origin)


def test_a_rating_is_explained_down_to_its_facts(folder: Path, home: Path) -> None:
    completed_process = zixin("demo", "--once", "--data", str(folder), "--lang", "zh-CN")
    assert "信用等级" in completed_process.stdout
    assert "写回" in completed_process.stdout
    listed = document("--profile", "demo", "list")["accounts"]
    row = next(row for row in listed if row["overdue"] != "0.00" and row["score"] and row["proposed_limit"] != "0.00")

    match = document("--profile", "demo", "explain", row["number"])

    # The arithmetic is done again by hand from what is shown.
    tendency = match["tendency"]
    late = sum(part["weight"] * int(part["late"][0]) / 5 for part in match["facts"]["settled"])
    weight = sum(part["weight"] for part in match["facts"]["settled"])
    assert tendency["late"] >= late + tendency["portfolio_late_rate"] - 1e-6
    assert tendency["weight"] >= weight + 1 - 1e-6
    assert tendency["late_rate"] == pytest.approx(tendency["late"] / tendency["weight"])
    rate = tendency["late_rate"]
    odds = math.log(rate / (1 - rate)) - tendency["early_share"] + 0.3 * math.log(1 + min(tendency["unpaid"], 4)) - 0.15
    assert tendency["log_odds"] == pytest.approx(odds)
    lost = sum(point["lost"] for point in match["points"] if point["lost"] is not None)
    assert match["score"] == pytest.approx(100 - lost, abs=0.01)
    assert (match["score"], match["rating"]) == (row["score"], row["rating"])
    limit = match["limit"]
    needs = (
        float(limit["billed_12_months"]) / limit["days_active"] * (limit["days_of_credit"] + limit["days_beyond_terms"])
    )
    assert float(limit["proposed"]) == pytest.approx(needs * limit["peak"] * limit["factor"], rel=0.1)
    overdue = sum(
        float(item["open"]) for item in match["facts"]["open"] if item["days_overdue"] and item["currency"] == "CNY"
    )
    assert overdue <= float(row["overdue"]) + 0.01

    assert match["same"] is True
    earlier = document("--profile", "demo", "explain", row["number"], "--as-of", match["as_of"])
    assert earlier == match
    assert (
        "was not assessed on 2020-01-01"
        in zixin("--profile", "demo", "explain", row["number"], "--as-of", "2020-01-01").stderr
    )

    english = zixin("--profile", "demo", "explain", row["name"]).stdout
    assert "the same as stored" in english
    chinese = zixin("--profile", "demo", "explain", row["account_id"], "--all", "--lang", "zh-CN").stdout
    assert f"rating {row['rating']}, hold {row['hold']}" in english
    assert f"等级 {row['rating']}，管控 {row['hold']}" in chinese
    missing = zixin("--profile", "demo", "explain", "nobody")
    assert (missing.returncode, "no account nobody" in missing.stderr) == (1, True)


@pytest.mark.slow
def test_a_folder_s_rejected_rows_are_listed_and_counted_and_the_others_rated(
    folder: Path, home: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with (copy / "invoices.csv").open("a") as file:
        file.write("X,K00001,2025-06-01,2025-13-01,1,CNY,false\n")

    # The simulator says it, which is another process.
    done = called("demo", "--once", "--json", "--data", str(copy))

    assert done.returncode == 4
    assert "due '2025-13-01': not a day of the form YYYY-MM-DD" in done.stderr
    match = json.loads(done.stdout)
    assert (match["rejected"], match["assessed"]) == (1, 40)


@pytest.mark.slow
def test_the_brake_as_operations_meet_it(folder: Path, home: Path) -> None:
    harsh = default_text().replace("base_currency: USD", "base_currency: CNY")
    for floor, higher in {"90": "99.5", "82": "99", "74": "98.5", "66": "98", "58": "97", "50": "96"}.items():
        harsh = harsh.replace(f"from: {floor},", f"from: {higher},")
    with standing(folder) as (_, first):
        quiet = document("--profile", "demo", "sync", "--dry-run")
        assert (quiet["state"], quiet["changes"], quiet["written"]) == ("dry", [], 0)
        requests.post(
            f"{first['control']}/change",
            json={"module": "Accounts", "id": first_account(home), "set": {"Credit_Rating": "D"}},
            timeout=ANSWER_S,
        )
        # Clocks are told to the second: what was changed within the last one is read by the next run.
        requests.post(f"{first['control']}/clock", json={"advance_s": 5}, timeout=ANSWER_S)
        completed_process = zixin("--profile", "demo", "sync", "--dry-run")
        assert completed_process.returncode == 0
        assert "rating: D → " in completed_process.stdout

        (home / "demo" / "policy.yaml").write_text(harsh, encoding="utf-8")
        # Steady grades fall by three notches a day at most: still enough.
        stopped = zixin("--profile", "demo", "sync")
        assert stopped.returncode == 8
        assert "ratings would differ" in stopped.stdout
        assert "the policy moves " in stopped.stdout
        assert "已制动" in zixin("--profile", "demo", "sync", "--lang", "zh-CN").stdout
        rows = document("--profile", "demo", "runs")["runs"]
        assert [row["state"] for row in rows] == ["braked", "braked", "dry", "dry", "done"]
        assert "braked" in zixin("--profile", "demo", "runs").stdout
        one = document("--profile", "demo", "runs", rows[0]["run"])["runs"]
        assert one[0]["summary"]["brake"]["stopped"] is True
        assert "finished_at" in zixin("--profile", "demo", "runs", rows[0]["run"]).stdout

        approved = document("--profile", "demo", "approve", rows[0]["run"], "--by", "Ms Li")
        assert approved["state"] == "approved"
        assert approved["written"] > 20
        again = zixin("--profile", "demo", "approve", rows[0]["run"])
        assert again.returncode == 1
        assert "does not wait for approval" in again.stderr

        bad = {"module": "Invoices", "id": some_invoice(first), "set": {"Grand_Total": "1e999"}}
        requests.post(f"{first['control']}/change", json=bad, timeout=ANSWER_S)
        done = document("--profile", "demo", "sync", code=4)
        assert done["rejected"] == 1, done
        last = document("--profile", "demo", "runs")["runs"][0]["run"]
        wrong = document("--profile", "demo", "errors", last)["errors"]
        assert [(row["what"], row["new"]) for row in wrong] == [("rejected invoices", "new")]
        assert "1e999" in zixin("--profile", "demo", "errors", last, "--csv").stdout
        requests.post(f"{first['control']}/change", json={**bad, "set": {"Grand_Total": "100.00"}}, timeout=ANSWER_S)
        assert zixin("--profile", "demo", "retry", last).returncode == 0
        assert "no errors" in zixin("--profile", "demo", "errors", last).stdout
        assert zixin("--profile", "demo", "errors", "sim-0").returncode == 1


def first_account(home: Path) -> str:
    rows = document("--profile", "demo", "list")["accounts"]
    return str(next(row["account_id"] for row in rows if row["rating"] != "D"))


def some_invoice(first: dict[str, Any]) -> str:
    records = requests.get(f"{first['control']}/records/Invoices", timeout=ANSWER_S).json()["records"]
    return str(records[0]["id"])
