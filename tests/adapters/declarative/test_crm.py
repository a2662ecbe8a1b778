"""What a system can do is told by its type, as its connector file says."""

import pytest

from adapters.declarative import crm
from adapters.declarative.connector import load
from connector.ports import Diagnostics, Installs, Reads, WebhookSource, Writes
from tests.adapters.declarative.systems import HOST, PLAIN
from tests.simulated import Slots

WRITE = "    write: {request: {method: PUT, path: '/items/{id}', body: '{values}'}}\n"
HOOK = "hook:\n  verify: {kind: token, header: x-token}\n  id: $.id\n"


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("calls", [False, True])
def test_it_has_the_ports_that_its_file_fills(writes: bool, calls: bool) -> None:
    text = PLAIN.format(
        auth="{kind: none}",
        read="{path: /items}",
        page="{kind: none}",
        more=HOOK if calls else "",
        object=WRITE if writes else "",
    )
    reader = crm.open_declared(load(text, "test.yaml"), {"base_url": HOST}, Slots(), name="x")
    assert isinstance(reader, Reads)
    assert isinstance(reader, Writes) == isinstance(reader, Installs) == writes
    assert isinstance(reader, WebhookSource) == calls
    assert not isinstance(reader, Diagnostics)
