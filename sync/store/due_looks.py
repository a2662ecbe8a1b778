"""Whether something may have made a hole in what was read, or mended one, since somebody looked for holes last."""

from __future__ import annotations

from sqlalchemy import delete, select

from sync.store import tables
from sync.store.dialect import insert_new_tuples
from sync.store.session import Reading, Writing


def ask(session: Writing) -> None:
    """Whoever rates next looks first."""
    insert_new_tuples(session, tables.due_looks, ["connection"], [(session.connection,)], ["connection"])


def is_due(session: Reading) -> bool:
    """Whether nobody has looked since it was asked for."""
    table = tables.due_looks
    return session.tx.execute(select(table.c.connection).where(session.own(table))).first() is not None


def done(session: Writing) -> None:
    """Somebody looked."""
    table = tables.due_looks
    session.tx.execute(delete(table).where(session.own(table)))
