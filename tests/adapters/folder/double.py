"""A folder has no wire, takes no writes and calls nobody: the suite of what a CRM does has nothing to try on it."""

from typing import Any

DOUBLES: dict[str, Any] = {}
DRIFTS: dict[str, Any] = {}
