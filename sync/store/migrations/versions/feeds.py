"""Systems that feed the CRM: how their customers are its accounts, and how old what they brought is."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables; a store of before has no feeds."""
    op.create_table(
        "feed_accounts",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("said", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "feed", "account_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_feed_accounts_number", "feed_accounts", ["connection", "feed", "number"])
    op.create_table(
        "feed_customers",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "feed", "customer"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_feed_customers_says", "feed_customers", ["connection", "feed", "says"])
    op.create_table(
        "feed_due",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "feed", "customer"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feeds",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("away_since", sa.BigInteger(), nullable=True),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "feed"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outages",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("away_since", sa.BigInteger(), nullable=False),
        sa.Column("back_at", sa.BigInteger(), nullable=True),
        sa.Column("read_on", sa.Integer(), nullable=True),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "feed", "away_since"),
        sqlite_with_rowid=False,
    )
    _profiles()


def _profiles() -> None:
    texts = ("profile_id", "account_id", "tax_id", "parent_id", "country", "industry", "segment", "currency")
    op.create_table(
        "profiles",
        sa.Column("connection", sa.Text(), nullable=False),
        *_known(texts, never_null=("profile_id", "account_id")),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("source_modified_at", sa.BigInteger(), nullable=True),
        sa.Column("known_from", sa.BigInteger(), nullable=False),
        sa.Column("deleted_on", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "profile_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "profiles_past",
        sa.Column("connection", sa.Text(), nullable=True),
        *_known(texts),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("source_modified_at", sa.BigInteger(), nullable=True),
        sa.Column("known_from", sa.BigInteger(), nullable=True),
        sa.Column("deleted_on", sa.Integer(), nullable=True),
        sa.Column("known_until", sa.BigInteger(), nullable=False),
    )
    for name in ("profiles", "profiles_past"):
        op.create_index(f"ix_{name}_account_id", name, ["connection", "account_id"])
        op.create_index(f"ix_{name}_source", name, ["connection", "source", "source_id"])


def _known(texts: tuple[str, ...], never_null: tuple[str, ...] = ()) -> list[sa.Column[Any]]:
    """What a profile says."""
    return [
        *(sa.Column(name, sa.Text(), nullable=name not in never_null) for name in texts),
        sa.Column("since", sa.Integer(), nullable=True),
        sa.Column("founded_on", sa.Integer(), nullable=True),
        sa.Column("natural_person", sa.Boolean(), nullable=True),
        sa.Column("registered_capital", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
    ]
