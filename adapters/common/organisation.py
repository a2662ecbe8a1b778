"""The company behind a connection, as far as a run can go on with it."""

from __future__ import annotations

import re

from connector.errors import Misconfigured
from connector.ports import Organisation

_CURRENCY = re.compile(r"[A-Z]{3}")


def organisation_of(host: str, name: str, currency: str) -> Organisation:
    """Name and home currency. Raises Misconfigured: it says none, or no ISO 4217 code; amounts would mean nothing."""
    if not _CURRENCY.fullmatch(currency):
        raise Misconfigured("E-CRM-CURRENCY", host=host, currency=currency[:20] or "–")
    return Organisation(name, currency)
