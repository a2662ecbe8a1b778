"""For scripts of one's own: zixin's token, so that two programs do not lock each other out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters import registry
from connector.errors import Misconfigured
from zixin import compose
from zixin.config import connections

if TYPE_CHECKING:
    from adapters.zoho.sdk import TokenStore


def token_store(profile: str = "default") -> TokenStore:
    """The store for zcrmsdk's `Initializer` over the token of a profile's Zoho connection (docs/zcrmsdk.md).

    Raises Misconfigured: the profile is not connected to Zoho, or zcrmsdk is not installed.
    """
    from adapters.zoho import sdk
    from adapters.zoho.auth import Credentials

    name, config = connections.first(profile)
    if config.crm != "zoho":
        raise Misconfigured("E-CRM", name=config.crm, known="zoho")
    values = registry.resolve_settings(config.crm, config.credentials, name)
    return sdk.TokenStore(Credentials(**values), compose.shared(profile), name)
