"""The database's revisions, by Alembic: the tables of release 0.1.0, frozen, and one file for each change since."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

#: The newest revision; the tables of `sync.store.tables` are those that it ends with.
HEAD = "0007"
#: Where Alembic finds its environment and the revisions.
PLACE = Path(__file__).parent


def upgrade(tx: Connection) -> None:
    """Bring the database that *tx* is connected to to the newest revision, within its transaction."""
    # Alembic is slow to import, and most starts have nothing to upgrade.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": tx})
    # The option is read by configparser, to which a % is the start of a name.
    config.set_main_option("script_location", str(PLACE).replace("%", "%%"))
    command.upgrade(config, "head")
