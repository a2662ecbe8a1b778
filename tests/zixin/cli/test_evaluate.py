import json
from pathlib import Path

import pytest

from connector.editions import default_text
from tests.zixin.calls import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    (tmp_path / "accounts.csv").write_text("account_id,name,country,since\nA1,x,DE,2020-01-01\nA2,y,DE,2020-01-01\n")
    (tmp_path / "invoices.csv").write_text(
        "invoice_id,account_id,issued,due,amount,currency\n"
        "I1,A1,2025-01-01,2025-01-31,100.00,EUR\nI2,A1,2025-02-01,2025-03-15,100.00,EUR\n"
        "I3,A2,2025-01-01,2025-01-31,100.00,EUR\nI4,A2,2025-02-01,2025-03-15,100.00,EUR\n"
    )
    (tmp_path / "payments.csv").write_text(
        "payment_id,account_id,invoice_id,paid_on,amount,currency\n"
        "P1,A1,I1,2025-01-31,100.00,EUR\nP2,A1,I2,2025-03-15,100.00,EUR\nP3,A2,I3,2025-02-25,100.00,EUR\n"
    )
    return tmp_path


def test_it_prints_metrics_and_one_object_an_account(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", str(folder), "--as-of", "2025-02-28", "--json") == 0

    document = json.loads(capsys.readouterr().out)
    assert document["metrics"]["auc"] == 1.0
    assert (document["metrics"]["customers"], document["metrics"]["bads"]) == (2, 1)
    assert document["metrics"]["dates"][0]["as_of"] == "2025-02-28"
    first = document["accounts"][0]
    assert list(first) == ["account_id", "score", "rating", "limit", "flags"]
    assert first["score"] > document["accounts"][1]["score"]


def test_a_person_reads_it_in_his_language(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", str(folder), "--as-of", "2025-01-15, 2025-02-28") == 0
    assert "2 customers, 1 of them bad" in capsys.readouterr().out

    assert run("evaluate", str(folder), "--as-of", "2025-02-28", "--lang", "zh-CN") == 0
    assert "2 个客户，其中 1 个逾期" in capsys.readouterr().out


def test_rejected_rows_are_listed_and_the_exit_code_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "invoices.csv").open("a") as file:
        file.write("I5,A1,2025-13-01,2025-01-31,1,EUR\n" * 22)

    assert run("evaluate", str(folder), "--as-of", "2025-02-28", "--json") == 4

    shown = capsys.readouterr()
    assert "invoices.csv, line 6, issued '2025-13-01': not a day of the form YYYY-MM-DD" in shown.err
    assert "and 2 more rows rejected" in shown.err
    assert json.loads(shown.out)["rejected"] == 22


def test_problems_end_with_one_message_and_their_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = folder / "policy.yaml"
    policy.write_text(default_text().replace("review: {", "reviews: {"))

    assert run("evaluate", str(folder), "--as-of", "2025-02-28", "--policy", str(policy)) == 1
    assert "unknown key reviews; did you mean 'review'" in capsys.readouterr().err
    assert (
        run("evaluate", str(folder), "--as-of", "2025-02-28", "--policy", str(folder / "no.yaml"), "--lang=zh-CN") == 1
    )
    assert "无法读取" in capsys.readouterr().err
    assert run("evaluate", str(folder), "--as-of", "28.2.2025") == 2
    assert run("evaluate", str(folder / "nowhere"), "--as-of", "2025-02-28") == 2
    assert run("--profile", "../x", "evaluate", str(folder), "--as-of", "2025-02-28") == 1
    (folder / "payments.csv").unlink()
    assert run("evaluate", str(folder), "--as-of", "2025-02-28") == 1
    assert "payments.csv is not there" in capsys.readouterr().err
