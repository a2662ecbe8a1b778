"""Which mapping a connection is read by."""

from pathlib import Path

import pytest

from connector.errors import Misconfigured
from mappings.load import packaged
from zixin.compose import mapping_of
from zixin.config.connections import ConnectionConfig


def test_its_own_file_comes_before_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path))
    assert mapping_of("acme", "main", ConnectionConfig("zoho")) == packaged("zoho")
    assert (
        mapping_of("acme", "main", ConnectionConfig("salesforce", mapping="salesforce-billing"))
        .sources["invoices"]
        .object
        == "Invoice"
    )

    own = tmp_path / "acme" / "main.yaml"
    own.parent.mkdir()
    shipped = (Path(__file__).parents[3] / "mappings" / "zoho.yaml").read_text()
    own.write_text(shipped.replace("object: Invoices", "object: Rechnungen"))
    assert mapping_of("acme", "main", ConnectionConfig("zoho")).sources["invoices"].object == "Rechnungen"

    own.write_text(shipped.replace("crm: zoho", "crn: zoho"))
    with pytest.raises(Misconfigured, match=r"main\.yaml, line \d+.*did you mean 'crm'"):
        mapping_of("acme", "main", ConnectionConfig("zoho"))
