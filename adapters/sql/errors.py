"""What a database says went wrong → the problem that tells whoever runs zixin what to do.

Told by SQLSTATE where the driver gives one, else by the vendor's number or, of SQLite, by its words. A driver's own
message is never passed on: it may hold values of rows.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from connector.errors import Denied, Misconfigured, Problem, Retry

#: Class of an SQLSTATE (its first two characters) → what it means; postgresql.org/docs/current/errcodes-appendix.html.
_LOST = ("08", "53", "55", "57", "58", "40")
#: Vendors' own numbers. MySQL: 1045 1044 1049 1142 1143 1146 1054 3024; SQL Server: 18456 229 230 208 207; Oracle: 1017
#: 1031 942 904.
_LOGIN = frozenset({"1045", "1044", "18456", "1017", "1698"})
_RIGHTS = frozenset({"1142", "1143", "229", "230", "1031"})
_TABLE = frozenset({"1146", "208", "942", "1049"})
_COLUMN = frozenset({"1054", "207", "904"})


def problem_of(error: DBAPIError, host: str, table: str) -> Problem:
    """The problem that a driver's error is."""
    state = _state(error.orig)
    if state in ("28000", "28P01") or state in _LOGIN:
        return Denied("E-CRM-REVOKED", host=host, detail=state)
    if state == "42501" or state in _RIGHTS:
        return Denied("E-CRM-PERMISSION", host=host, detail=f"SELECT on {table}, {state}")
    if state in ("42P01", "3F000", "3D000") or state in _TABLE:
        return Misconfigured("E-CRM-OBJECT", host=host, name=table)
    if state == "42703" or state in _COLUMN:
        return Misconfigured("E-TABLE-COLUMN", host=host, table=table, columns="that is read")
    if state in ("57014", "3024"):
        return Retry("E-DB-SLOW", host=host, table=table)
    if state[:2] in _LOST and len(state) == len("08000"):
        return Retry("E-CRM-LOST", host=host)
    if not state and isinstance(error, OperationalError | InterfaceError):
        return _unsaid(error, host, table)
    return Misconfigured("E-DB-ANSWER", host=host, table=table, detail=f"{type(error).__name__} {state}".strip())


def _unsaid(error: DBAPIError, host: str, table: str) -> Problem:
    """A driver that gives no number: SQLite by its words; else the network, which may be better later."""
    words = str(error.orig).lower()
    if words.startswith("no such table"):
        return Misconfigured("E-CRM-OBJECT", host=host, name=table)
    if words.startswith("no such column"):
        return Misconfigured("E-TABLE-COLUMN", host=host, table=table, columns="that is read")
    if "unable to open" in words or "authorized" in words:
        return Misconfigured("E-FILE", file=host, detail="it cannot be opened for reading")
    if "fatal" in words and any(each in words for each in ("password", "role", "pg_hba")):
        return Denied("E-CRM-REVOKED", host=host, detail="login")
    if "fatal" in words and 'database "' in words:
        return Misconfigured("E-CRM-OBJECT", host=host, name="database")
    if error.connection_invalidated or "locked" in words:
        return Retry("E-CRM-LOST", host=host)
    return Retry("E-CRM-UNREACHABLE", host=host)


def _state(error: Any) -> str:
    """SQLSTATE, or the vendor's number as text; empty: the driver gives neither."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str):
        return state
    first = next(iter(getattr(error, "args", ())), None)
    code = getattr(first, "code", first)
    if isinstance(code, int) and not isinstance(code, bool):
        return str(code)
    # ODBC gives the SQLSTATE first.
    return code if isinstance(code, str) and len(code) == len("42S02") and code.isalnum() else ""
