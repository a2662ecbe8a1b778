"""Notifications of the simulator reach whoever subscribed, with his token."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.simulation.serving import serve_in_thread
from adapters.zoho import hook
from connector.errors import Misconfigured
from tests.simulated import Sim
from tests.waiting import wait_for

heard: list[bytes] = []


async def listen(request: Request) -> Response:
    heard.append(await request.body())
    return Response("")


def test_a_change_is_told_to_the_channel_until_it_expires(sim: Sim) -> None:
    heard.clear()
    crm = sim.crm()
    with serve_in_thread(Starlette(routes=[Route("/hooks/sim", listen, methods=["POST"])])) as origin:
        until = crm.subscribe(f"{origin}/hooks/sim", "tok", ["Invoices"])
        crm.subscribe(f"{origin}/hooks/sim", "tok", ["Invoices"])
        record = next(iter(sim.org.modules["Invoices"].records))
        sim.control("change", module="Invoices", id=record, set={"Due_Date": "2025-02-01"})
        sim.control("change", module="Accounts", where={"Account_Number": "A1"}, set={"Industry": "x"})
        bodies = wait_for("the notification", lambda: list(heard))
        sim.control("clock", advance_s=8 * 86_400)
        sim.control("change", module="Invoices", id=record, set={"Due_Date": "2025-02-02"})
        assert list(
            wait_for("its answer", lambda: sim.org.notified, lambda seen: None not in seen.values()).values()
        ) == [200]

    event = hook.verify({}, bodies[0], ["tok"]).events[0]
    assert (event.object, event.records, event.op) == ("Invoices", (record,), "update")
    assert len(heard) == 1
    assert (until - crm.now()).days < 7


def test_a_channel_that_zoho_refuses_is_told(sim: Sim) -> None:
    with pytest.raises(Misconfigured, match="INVALID_DATA"):
        sim.crm().subscribe("http://127.0.0.1:1/x", "t" * 51, ["Invoices"])


def test_the_body_of_a_channel_names_every_module_and_keeps_its_number() -> None:
    from datetime import UTC, datetime

    result: Any = hook.channel("https://x/hooks/a", "s", ["Invoices", "Accounts"], datetime(2026, 1, 1, tzinfo=UTC))

    assert result["watch"][0]["events"] == ["Invoices.all", "Accounts.all"]
    again: Any = hook.channel("https://x/hooks/a", "t", [], datetime(2026, 1, 2, tzinfo=UTC))
    assert result["watch"][0]["channel_id"] == again["watch"][0]["channel_id"]
