"""Customers of several accounts: what is said of them, who they are, and which accounts were merged into others."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables; an account may be linked to several others now, and what a mapping brought of links stays."""
    op.drop_index("ix_links_source", "links")
    op.rename_table("links", "links_before")
    op.create_table(
        "links",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("source_modified_at", sa.BigInteger(), nullable=True),
        sa.Column("known_from", sa.BigInteger(), nullable=False),
        sa.Column("deleted_on", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "account_id", "customer_id"),
        sqlite_with_rowid=False,
    )
    op.execute(
        'insert into links (connection, account_id, customer_id, "by", source, source_id, source_modified_at,'
        ' known_from, deleted_on) select connection, account_id, customer_id, "by", source, source_id,'
        " source_modified_at, known_from, deleted_on from links_before"
    )
    op.drop_table("links_before")
    op.create_index("ix_links_source", "links", ["connection", "source", "source_id"])
    op.create_index("ix_links_customer_id", "links", ["connection", "customer_id"])
    op.add_column("assessments", sa.Column("accounts", sa.Text(), nullable=True))
    op.create_table(
        "customer_accounts",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("known_from", sa.BigInteger(), nullable=False),
        sa.Column("known_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "account_id", "known_until", "known_from"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_customer_accounts_customer_id", "customer_accounts", ["connection", "customer_id"])
    op.create_table(
        "tax_ids",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("is_proven", sa.Boolean(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "account_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tax_ids_number", "tax_ids", ["connection", "scheme", "number"])
    op.create_table(
        "merges",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("into", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "account_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_merges_into", "merges", ["connection", "into"])
    op.create_table(
        "not_duplicates",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "account_id", "other_id"),
        sqlite_with_rowid=False,
    )
    _of_feeds()


def _of_feeds() -> None:
    op.create_table(
        "feed_tax_ids",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("is_proven", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "feed", "customer"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_feed_tax_ids_number", "feed_tax_ids", ["connection", "scheme", "number"])
    op.create_table(
        "feed_seen",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "feed", "customer"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feed_words",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "feed", "customer"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_feed_words_account_id", "feed_words", ["connection", "account_id"])
