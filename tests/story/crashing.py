"""A sync that is killed at a given point, in a process of its own.

    python -m tests.story.crashing < '{"secrets": …, "store": …, "as_of": …, "at": 17}'

One line of JSON a sync; each is forked off a process that has imported everything and started nothing, and answered by
one line: its exit status (-9: killed), the points it passed, and what it said. Points are the beginning and the end of every transaction that writes, and every call to the CRM before and after it.
Without `at` it runs to its end and prints how many points it passed.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from adapters.zoho.auth import Credentials
from adapters.zoho.crm import Zoho
from connector.assessment import OUTPUT_FIELDS
from mappings.load import packaged
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store
from sync.store.session import Writing
from tests.connector.scoring.books import POLICY
from tests.simulated import Slots
from tests.story.three import linked

passed = 0


def point(at: int | None) -> None:
    global passed
    passed += 1
    if passed == at:
        os.kill(os.getpid(), signal.SIGKILL)


def watch(at: int | None) -> None:
    """Count the points, and die at one of them."""
    send, write = requests.Session.send, Store.write

    def sent(self: requests.Session, request: Any, **more: Any) -> requests.Response:
        point(at)
        answer = send(self, request, **more)
        point(at)
        return answer

    @contextmanager
    def written(self: Store, connection: str = "") -> Iterator[Writing]:
        with write(self, connection) as session:
            yield session
            point(at)
        point(at)

    requests.Session.send, Store.write = sent, written  # type: ignore[method-assign]


def sync(given: dict[str, Any]) -> None:
    crm = Zoho(Credentials(**given["secrets"]), Slots())
    store = Store(Path(given["store"]))
    if "feeds" in given:
        link = linked(crm, given["feeds"])
    else:
        mapping = packaged("zoho").with_written(dict(crm.apply(OUTPUT_FIELDS)))
        link = CrmConnection("sim", crm, mapping, crm.organisation(), clock=crm.now)
    watch(given.get("at"))
    run(store, link, POLICY, given["as_of"], language="en")
    store.close()


def forked(given: dict[str, Any]) -> dict[str, Any]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.dup2(write, 2)
            sync(given)
            os.write(write, f"passed {passed}".encode())
            status = 0
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        message = pipe.read().decode()
    return {"status": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), "said": message}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(forked(json.loads(line))) + "\n")
        sys.stdout.flush()
