"""kill -9 at any point of a sync, and run again: the end is that of an undisturbed run."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connector.assessment import OUTPUT_FIELDS
from connector.schema import TABLES
from mappings.load import packaged
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store
from tests.connector.scoring.books import POLICY
from tests.simulated import Sim, simulated_zoho
from tests.story.quarter import TODAY, ledger

pytestmark = pytest.mark.apart

#: What two runs may differ in: provenance, instants, versions, the ids of runs.
IGNORED = {
    "known_from",
    "source_modified_at",
    "facts_version",
    "scored_version",
    "version",
    "seen_at",
    "answered_at",
    "read_at",
    "cursor",
    "since",
    "assessed_at",
}
COMPARED = (*TABLES, "assessments", "wanted", "sent", "observed", "flights", "rejects", "statistics", "cursors")


def secrets(sim: Sim) -> dict[str, str]:
    return {
        "accounts_server": sim.origin,
        "api_domain": sim.origin,
        "client_id": sim.org.client_id,
        "client_secret": sim.org.client_secret,
        "refresh_token": sim.org.refresh_token,
    }


class Zygote:
    """Forks off syncs that may die."""

    def __init__(self) -> None:
        # Coverage would double what each of these takes, and is killed with it.
        plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        words = [sys.executable, "-m", "tests.story.crashing"]
        root, pipe = Path(__file__).parents[2], subprocess.PIPE
        self.process = subprocess.Popen(words, cwd=root, env=plain, stdin=pipe, stdout=pipe, text=True)

    def sync(self, sim: Sim, store: Path, at: int | None, **more: Any) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        values = {"secrets": secrets(sim), "store": str(store), "as_of": TODAY, "at": at, **more}
        self.process.stdin.write(json.dumps(values) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    result = Zygote()
    yield result
    result.process.communicate()


def end(sim: Sim, path: Path) -> dict[str, Any]:
    """What is in the store and in the CRM, but for what two runs may differ in; ids as the folder names them."""
    store = Store(path)
    result: dict[str, Any] = {}
    with store.read() as session:
        for name in COMPARED:
            rows = session.tx.exec_driver_sql(f'select * from "{name}"').mappings()
            result[name] = sorted(
                json.dumps({k: plain(v) for k, v in row.items() if k not in IGNORED}, sort_keys=True) for row in rows
            )
        pending = session.tx.exec_driver_sql("select count(*) from wanted where pending").scalar_one()
    store.close()
    assert pending == 0
    result["crm"] = {
        key: {name: text(value) for name, value in row.items() if name.startswith("Credit_")}
        for key, row in sim.org.modules["Accounts"].records.items()
    }
    return result


def plain(value: Any) -> Any:
    """A document with its keys in order: what was read back from the CRM has them in another."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def text(value: Any) -> str:
    """A number as it was written, digit by digit."""
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)


def again(sim: Sim, path: Path) -> None:
    crm = sim.crm()
    mapping = packaged("zoho").with_written(dict(crm.apply(OUTPUT_FIELDS)))
    ended(sim, path, CrmConnection("sim", crm, mapping, crm.organisation(), clock=crm.now))


def ended(sim: Sim, path: Path, link: CrmConnection) -> None:
    """One more sync, undisturbed."""
    store = Store(path)
    sim.control("clock", advance_s=3600)
    run(store, link, POLICY, TODAY, language="en")
    store.close()


@pytest.fixture(scope="module")
def undisturbed(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    path = tmp_path_factory.mktemp("whole") / "zixin.db"
    with simulated_zoho(ledger()) as sim:
        done = zygote.sync(sim, path, None)
        assert done["status"] == 0, done["said"]
        again(sim, path)
        return end(sim, path), int(done["said"].split()[-1])


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8, 200))])
def test_killed_anywhere_and_run_again_it_ends_the_same(
    seed: int, zygote: Zygote, undisturbed: tuple[dict[str, Any], int], tmp_path: Path
) -> None:
    expected, points = undisturbed
    chance = random.Random(seed)
    at = chance.randint(1, points)
    with simulated_zoho(ledger()) as sim:
        if chance.random() < 0.5:
            # Taken by the CRM, and the answer is lost.
            sim.control("faults", api="write", status=0, times=1)
        killed = zygote.sync(sim, tmp_path / "zixin.db", at)
        again(sim, tmp_path / "zixin.db")

        result = end(sim, tmp_path / "zixin.db")

    assert killed["status"] == -9
    for name, rows in expected.items():
        assert result[name] == rows, f"{name} after a kill at point {at} of {points}"
