"""What workers do, beside the log: their looks, who works, and on PostgreSQL the queue in a schema of its own."""

from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "looks",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", POSITION, nullable=False),
        sa.Column("first_at", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.Column("next_at", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record", name="pk_looks"),
        comment="the looks that were taken at what is pending or waits; lost, they are taken again",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_looks_next_at", "looks", ["next_at"])
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("folders", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
        comment="who works now, and where; who was not seen for a while works no longer",
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON looks, workers TO daybook_app")
        _create_queue()


def _create_queue() -> None:
    """In a schema beside that of the ledger: what is queued is no part of it, and can be lost."""
    driver: Any = op.get_bind().connection.driver_connection
    before, own = driver.execute("SELECT current_setting('search_path'), current_schema()").fetchone()
    schema = "daybook_jobs" if own == "public" else f"{own[:50]}_jobs"
    name = '"' + schema.replace('"', '""') + '"'
    driver.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
    driver.execute("SELECT set_config('search_path', %s, true)", (name,))
    driver.execute(files("migrations").joinpath("procrastinate_3_10.sql").read_text(encoding="utf-8"))
    driver.execute(
        "CREATE TABLE followers (name text PRIMARY KEY, position bigint NOT NULL, refilled_at timestamptz)"
    )
    driver.execute("SELECT set_config('search_path', %s, true)", (before,))
    driver.execute(f"GRANT USAGE ON SCHEMA {name} TO daybook_app")
    driver.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO daybook_app")
    driver.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {name} TO daybook_app")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
