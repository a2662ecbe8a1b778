"""What a simulated CRM has no place for comes from the folder: the demo rates a folder as `evaluate` does."""

from datetime import date
from pathlib import Path

import pytest

from connector.editions import editions
from connector.schema import day_number
from connector.scoring.assess import assess, portfolio_statistics
from mappings import portfolio
from sync.store import ledger, ratings
from zixin import compose
from zixin.trial.demo import PROFILE, running_demo

FILES = {
    "accounts": "account_id,number,name,country,since,currency,segment,founded_on,registered_capital\n"
    "A1,100,One,CN,2020-01-01,USD,,2019-01-01,5000000\nA2,200,Two,CN,2020-01-01,USD,,,\nA3,300,Three,CN,2021-01-01,USD,,,\n"
    "A4,400,Four,CN,2021-01-01,USD,,2025-05-01,\n",
    "invoices": "invoice_id,account_id,issued,due,amount,currency\n"
    + "".join(
        f"{account}-{month},{account},2025-{month:02d}-01,2025-{month:02d}-21,1000.00,USD\n"
        for account in ("A1", "A2", "A3", "A4")
        for month in range(1, 7)
    ),
    "payments": "payment_id,account_id,invoice_id,paid_on,amount,currency\n"
    + "".join(
        f"P{account}-{month},{account},{account}-{month},2025-{month:02d}-20,{part},USD\n"
        for account in ("A1", "A2", "A3", "A4")
        for month in range(1, 6)
        # Twice the same payment on the same invoice: two parts of it.
        for part in ("400.00", "600.00")
    ),
    "evidence": "evidence_id,account_id,kind,observed_on,value\nE1,A2,legal,2025-06-01,bankruptcy\n",
    "statements": "account_id,period_end,consolidated,currency,total_assets,equity,revenue,net_profit\n"
    "A1,2024-12-31,false,USD,900000,500000,1200000,90000\n",
    "orders": "order_id,account_id,ordered_on,amount,currency\nO1,A3,2025-06-20,7000.00,USD\n",
    "limits": "limit_id,account_id,scope,kind,amount,currency\nL1,A3,account,permanent,5000,USD\nL2,A3,account,insured,2000,USD\n",
    "promises": "promise_id,account_id,receivable_id,made_on,due,amount,currency\nX1,A4,A4-6,2025-06-22,2025-06-25,1000,USD\n",
    "decisions": "decision_id,account_id,kind,value,by\nD1,A1,hold,block,Li\n",
    "terms": "account_id,valid_from,kind,days\nA3,2025-01-01,net,20\n",
}  # fmt: skip
AS_OF = date(2025, 6, 30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("facts")
    for name, text in FILES.items():
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
    return place


@pytest.mark.parametrize("crm", ["zoho", *(pytest.param(name, marks=pytest.mark.slow) for name in ("erpnext", "rest"))])
def test_the_demo_rates_a_folder_as_evaluate_does(
    crm: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    tables = portfolio.read(folder).tables
    day = day_number(AS_OF)

    with running_demo(crm, folder, AS_OF, AS_OF, "en", lambda _: None) as done:
        assert done.simulated["left_out"] == []
        assert done.summary["rejected"] == 0
        with compose.open_workspace(PROFILE) as workspace, workspace.store.read(workspace.link.name) as session:
            found, numbers = ratings.assessments(session), ledger.numbers(session)
            stored = {name: frame.height for name, frame in ledger.load(session).items()}

    rules = editions("default")[-1].rules("USD")
    wanted = assess(tables, rules, day, portfolio=portfolio_statistics(tables, rules, day))
    assert {name: stored[name] for name in FILES if name not in ("invoices", "payments")} == {
        name: frame.height for name, frame in tables.items() if name in FILES and name not in ("payments",)
    }
    theirs = dict(tables["accounts"].select("account_id", "number").rows())
    alike = "rating score limit proposed_limit exposure available overdue max_days_overdue hold".split()
    got = {numbers[row["customer_id"]]: row for row in found.to_dicts()}
    for want in wanted.to_dicts():
        have = got[theirs[want["customer_id"]]]
        assert {name: have[name] for name in alike} == {name: want[name] for name in alike}
        assert [flag["code"] for flag in have["flags"]] == [flag["code"] for flag in want["flags"]]
