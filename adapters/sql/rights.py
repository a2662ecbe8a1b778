"""What a database's user may do beside reading: zixin needs none of it, and an admin had better not grant it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from adapters.sql.database import Database
from connector.errors import Problem
from connector.ports import PermissionCheck

#: Dialect → a question whose answer is the number of tables, or of grants, by which our user could write.
#: postgresql.org/docs/current/functions-info.html, learn.microsoft.com (HAS_PERMS_BY_NAME), docs.oracle.com
#: (SESSION_PRIVS).
_WRITABLE = {
    "postgresql": """
        SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
        AND has_schema_privilege(n.oid, 'USAGE') AND (has_table_privilege(c.oid, 'INSERT')
        OR has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE'))""",
    "mysql": """
        SELECT count(*) FROM information_schema.user_privileges
        WHERE privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER')""",
    "mssql": "SELECT HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'INSERT')",
    "oracle": """
        SELECT count(*) FROM session_privs
        WHERE privilege IN ('INSERT ANY TABLE', 'UPDATE ANY TABLE', 'DELETE ANY TABLE', 'CREATE TABLE')""",
}
_NAME = "read only"


_UNKNOWN = PermissionCheck(_NAME, granted=None, en="whether zixin's user could write", zh="zixin 用户能否写入")


def permissions(database: Database) -> Iterator[PermissionCheck]:
    """Whether our user could write."""
    if database.dialect == "sqlite":
        if os.access(Path(database.path), os.W_OK):
            en = "the file could be written by zixin's user, who needs to read it only"
            zh = "zixin 用户对该文件有写权限，而只需要读权限"
            yield PermissionCheck(_NAME, granted=True, en=en, zh=zh, beyond=True)
        else:
            yield PermissionCheck(_NAME, granted=True, en="the file can only be read", zh="该文件只能读取")
        return
    count = _writable(database)
    if count is None:
        yield _UNKNOWN
    elif count:
        en = f"zixin's user could write ({count:,} tables or grants) and needs SELECT only: revoke the rest"
        zh = f"zixin 用户可以写入（{count:,} 个表或授权），而只需要 SELECT：请收回其余权限"
        yield PermissionCheck(_NAME, granted=True, en=en, zh=zh, beyond=True)
    else:
        en, zh = "zixin's user may read, and write nothing", "zixin 用户只能读取"
        yield PermissionCheck(_NAME, granted=True, en=en, zh=zh)


def _writable(database: Database) -> int | None:
    """How many tables, or grants, there are by which our user could write; None: the database does not tell."""
    question = _WRITABLE.get("mysql" if database.dialect == "mariadb" else database.dialect)
    if question is None:
        return None
    try:
        return int(database.ask("its rights", lambda connection: connection.execute(text(question)).scalar_one()))
    except Problem:
        return None
