"""Reading and writing Salesforce beside simple-salesforce, rows a CPU second of the client, in one run.

PYTHONPATH=. python bench/salesforce.py

A server in a process of its own hands out canned pages (2,000 records of REST, 50,000 rows of Bulk, 12 fields) and
takes whatever is uploaded. Ours counts up to the frame that `Crm.read` yields, theirs up to the dict that a user gets:
`query_all_iter`; `bulk2.query` with csv.DictReader; `bulk2.upsert(records=…)`.
"""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce as Theirs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.salesforce.auth import Credentials
from adapters.salesforce.crm import Salesforce
from connector.ports import Change, Source
from tests.simulated import Slots
from zixin.web.server import serve

PAGE, PAGES, BULK, BULK_PAGES, OUTPUT_FIELDS = 2_000, 50, 50_000, 4, 100_000
FIELDS = tuple(f"F{n}__c" for n in range(12))


def _row(n: int) -> dict[str, str | float]:
    return {
        "Id": f"a00{n:012d}AAA",
        "SystemModstamp": "2026-01-01T00:00:00.000+0000",
        **{name: f"value {n} of {name}" for name in FIELDS},
    }


def _application() -> Starlette:
    rows = [{"attributes": {"type": "X", "url": f"/x/{n}"}, **_row(n)} for n in range(PAGE)]
    body = json.dumps(rows)
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["Id", "SystemModstamp", *FIELDS])
    writer.writerows(list(_row(n).values()) for n in range(BULK))
    table = out.getvalue().encode()
    pages = {"n": 0}
    done = ["sf__Id,sf__Created", *(f"a00{n:012d}AAA,false" for n in range(50_000))]
    good = "\n".join(done).encode()

    async def answer(request: Request) -> Response:
        path, query = request.url.path.rstrip("/"), request.query_params.get("q", "")
        await request.body()
        if path.endswith("token"):
            return _json({"access_token": "t", "instance_url": str(request.base_url).rstrip("/")})
        if path.endswith("describe"):
            return _json(
                {
                    "fields": [
                        {"name": name, "label": name, "type": "string"} for name in ("Id", "SystemModstamp", *FIELDS)
                    ]
                }
            )
        if "COUNT()" in query:
            return _json({"totalSize": 1, "done": True, "records": []})
        if "/query" in path and "/jobs/" not in path:
            pages["n"] += 1
            more = pages["n"] % PAGES != 0
            ours = "LIMIT" in query
            shown = body if more or not ours else json.dumps(rows[:-1])
            link = "" if ours or not more else f'"nextRecordsUrl":"/services/data/v66.0/query/0r8-{pages["n"]}",'
            done = "true" if ours or not more else "false"
            return _json(f'{{"totalSize":{PAGE * PAGES},"done":{done},{link}"records":{shown}}}')
        if path.endswith("results"):
            at = int(request.query_params.get("locator") or 0) + 1
            headers = {"Sforce-Locator": "null" if at >= BULK_PAGES else str(at), "Sforce-NumberOfRecords": str(BULK)}
            return Response(table, headers=headers, media_type="text/csv")
        if path.endswith("successfulResults"):
            return Response(good, media_type="text/csv")
        if path.endswith(("failedResults", "unprocessedrecords")):
            return Response(b"sf__Id,sf__Error,Id\n", media_type="text/csv")
        if path.endswith("batches"):
            return Response(status_code=201)
        state = "JobComplete" if request.method == "GET" else "Open"
        return _json(
            {
                "id": "750",
                "state": state,
                "numberRecordsProcessed": 0,
                "numberRecordsFailed": 0,
                "numberRecordsTotal": 0,
            }
        )

    return Starlette(routes=[Route("/{rest:path}", answer, methods=["GET", "POST", "PUT", "PATCH"])])


def _json(body: Any) -> Response:
    return Response(body if isinstance(body, str) else json.dumps(body), media_type="application/json")


def _server(pipe: Any) -> None:
    serve(_application(), 0, pipe.send)


class _Reroute(HTTPAdapter):
    """simple-salesforce insists on https."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    def send(self, request: Any, **how: Any) -> Any:
        request.url = self._origin + "/" + request.url.split("/", 3)[3]
        return super().send(request, **how)


def _rate(rows: int, work: Callable[[], int]) -> int:
    best = 0.0
    for _ in range(3):
        started = time.process_time()
        assert work() >= rows - 1
        best = max(best, rows / (time.process_time() - started))
    return round(best)


def main() -> None:
    """Print one JSON line."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_server, args=(there,), daemon=True)
    process.start()
    origin = str(here.recv())
    ours = Salesforce(Credentials(origin, "id", "secret"), Slots())
    session = requests.Session()
    session.mount("https://", _Reroute(origin))
    theirs: Any = Theirs(instance_url=origin, session_id="t", session=session, version="66.0")
    source = Source("x", "X__c", FIELDS)
    rest, bulk = PAGE * PAGES, BULK * BULK_PAGES

    def read() -> int:
        ours.reading.bulk_from = 20_000
        return sum(page.frame.height for page in ours.read(source, None))

    def read_bulk() -> int:
        ours.reading.bulk_from = 0
        return sum(page.frame.height for page in ours.read(source, None))

    def their_bulk() -> int:
        return sum(
            1
            for page in theirs.bulk2.X__c.query("SELECT Id FROM X__c", wait=0)
            for _ in csv.DictReader(io.StringIO(page))
        )

    changes = [Change(f"a00{n:012d}AAA", dict.fromkeys(FIELDS[:8], f"value {n}")) for n in range(OUTPUT_FIELDS)]
    records = [{"Id": change.record, **change.values} for change in changes]

    def write() -> int:
        return sum(1 for _ in ours.write(changes))

    def upsert() -> int:
        theirs.bulk2.X__c.upsert(records=records, external_id_field="Id", wait=0)
        return OUTPUT_FIELDS

    def their_read() -> int:
        return sum(1 for _ in theirs.query_all_iter("SELECT Id FROM X__c"))

    figures = {"read": _rate(rest, read), "query_all_iter": _rate(rest, their_read)}
    figures |= {"read_bulk": _rate(bulk, read_bulk), "bulk2_dictreader": _rate(bulk, their_bulk)}
    figures |= {"write_bulk": _rate(OUTPUT_FIELDS, write), "bulk2_upsert": _rate(OUTPUT_FIELDS, upsert)}
    pairs = (("read", "query_all_iter"), ("read_bulk", "bulk2_dictreader"), ("write_bulk", "bulk2_upsert"))
    ratios = {one: figures[one] / figures[other] for one, other in pairs}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        json.dumps(
            {
                "rows_per_cpu_s": figures,
                "ratio": {key: round(value, 1) for key, value in ratios.items()},
                "peak_mb": memory,
            }
        )
    )
    process.kill()


if __name__ == "__main__":
    main()
