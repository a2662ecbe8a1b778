"""Settings out of the token stores of Zoho's Python SDKs."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from connector.errors import Misconfigured

_NAMES = ("client_id", "client_secret", "refresh_token", "api_domain")


def imported(file: Path) -> dict[str, str]:
    """What a CSV store knows of client, token and API; client secret and data centre are asked for where it lacks them.

    zcrmsdk's columns: user_mail, client_id, refresh_token, access_token, grant_token, expiry_time; zohocrmsdk's also
    client_secret and api_domain. Raises Misconfigured: it is none, or holds another number of users than one.
    """
    try:
        with file.open(encoding="utf-8", newline="") as text:
            rows = [row for row in csv.DictReader(text) if _column(row, "refresh_token")]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Misconfigured("E-FILE", file=str(file), detail=type(error).__name__) from None
    if len(rows) != 1:
        raise Misconfigured("E-SDK-STORE", file=str(file), count=len(rows))
    return {name: _column(rows[0], name) for name in _NAMES if _column(rows[0], name)}


def _column(row: Mapping[str, str | None], name: str) -> str:
    """The SDKs write a missing value as nothing or as `null`."""
    message = (row.get(name) or "").strip()
    return "" if message.lower() in ("null", "none") else message
