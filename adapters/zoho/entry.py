"""How a connection to Zoho CRM is opened."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.registry import Need
from adapters.zoho.auth import Credentials
from adapters.zoho.crm import Zoho
from connector.ports import Crm, Shared

_NEEDS = (
    Need("accounts_server"),
    Need("api_domain"),
    Need("client_id", secret=True),
    Need("client_secret", secret=True),
    Need("refresh_token", secret=True),
    Need("credits_a_day", default="", number=True),
)


def needs(crm: str, settings: Mapping[str, str]) -> tuple[Need, ...]:  # noqa: ARG001
    """What a connection must be given."""
    return _NEEDS


def opened(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Crm:  # noqa: ARG001
    """A connection of that name."""
    return Zoho(Credentials(**settings), shared, name=name)
