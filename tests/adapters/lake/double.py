"""A lake takes no writes and calls nobody: its reading is tried in test_lake.py."""

from typing import Any

DOUBLES: dict[str, Any] = {}
DRIFTS: dict[str, Any] = {}
