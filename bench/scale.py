"""A portfolio of 20,000 customers and some 500,000 invoices through simulator, sync and score.

PYTHONPATH=. ZIXIN_HOME=/tmp/scale python bench/scale.py [ACCOUNTS [FULL]]

Prints seconds by phase, CPU seconds of this process, peak memory, and records read per CPU second of the pull. The
second run is a night in which nothing changed.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.schema import day_number
from sync.run import run
from zixin import compose
from zixin.services import crm_fields
from zixin.trial import demo, generate

AS_OF = date(2026, 11, 1)


def main() -> None:
    """Print one JSON document a run."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        making = multiprocessing.Process(
            target=generate.generate, args=(data, AS_OF), kwargs={"accounts": accounts, "seed": 7}
        )
        making.start()
        making.join()
        with demo._simulator(data, AS_OF) as simulated:
            compose.connect("scale", "simulated", "zoho", simulated["credentials"], "en")
            with compose.open_workspace("scale") as opened:
                house = replace(opened, link=crm_fields.install("scale", opened.link)[0])
                for day in (day_number(AS_OF), day_number(AS_OF)):
                    cpu, wall, at_pull = time.process_time(), time.perf_counter(), []

                    def tell(_source: str, _records: int, at: list[float] = at_pull) -> None:
                        at[:] = [time.process_time()]

                    house.link.crm.spent.calls.clear()
                    house.link.crm.spent.credits = 0
                    ran = run(house.store, house.link, house.policy, day, language="en", tell=tell)
                    records = sum(ran.pulled.records.values())
                    pulled = (at_pull[0] if at_pull else time.process_time()) - cpu
                    print(
                        json.dumps(
                            {
                                "accounts": ran.totals.get("accounts"),
                                "receivables": ran.totals.get("receivables"),
                                "records": records,
                                "seconds": ran.summary(house.link)["seconds"],
                                "wall_s": round(time.perf_counter() - wall, 1),
                                "cpu_s": round(time.process_time() - cpu, 1),
                                "records_per_cpu_s": round(records / max(pulled, 0.001)),
                                "written": ran.pushed.written,
                                "credits": house.link.crm.spent.credits,
                                "calls": dict(house.link.crm.spent.calls),
                                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                            }
                        )
                    )


if __name__ == "__main__":
    main()
