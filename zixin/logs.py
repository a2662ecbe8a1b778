"""Logs for machines: one JSON object a line on standard error, and nothing in it that is secret or personal.

Our own messages hold codes, counts and ids of runs. Other libraries are logged from warnings on, and by their level and
name alone: their texts may hold anything.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_OURS = "zixin"


class JsonLines(logging.Formatter):
    """A record as one line of JSON; of others' records only who and how grave."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        ours = record.name.split(".")[0] == _OURS
        return json.dumps(
            {
                "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage() if ours else "(left out)",
            },
            ensure_ascii=False,
        )


def configure() -> None:
    """Our logs from INFO on, others' from WARNING on, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(logging.INFO)
