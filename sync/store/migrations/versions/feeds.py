"""Systems that feed the CRM: how their customers are its accounts, and how old what they brought is."""

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
