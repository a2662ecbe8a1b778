"""How a connection to Salesforce is opened."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.registry import Need
from adapters.salesforce.auth import Credentials
from adapters.salesforce.crm import Salesforce
from connector.ports import Crm, Shared

_NEEDS = (
    Need("instance_url"),
    Need("grant", default="client_credentials"),
    Need("client_id", secret=True),
    Need("client_secret", secret=True, default=""),
    Need("username", default=""),
    Need("private_key", secret=True, default=""),
    Need("refresh_token", secret=True, default=""),
    Need("audience", default="https://login.salesforce.com"),
    Need("version", default="66.0"),
    Need("currency", default=""),
    Need("calls_a_day", default="", number=True),
)


def needs(crm: str, settings: Mapping[str, str]) -> tuple[Need, ...]:  # noqa: ARG001
    """What a connection must be given."""
    return _NEEDS


def opened(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Crm:  # noqa: ARG001
    """A connection of that name."""
    return Salesforce(Credentials(**settings), shared, name=name)
