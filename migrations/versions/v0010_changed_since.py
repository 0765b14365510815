"""When uploads and requests changed last, group names that look alike, and the locations of deleted sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """The rows are made anew when the ledger is next opened: the versions of the projections differ."""
    for slot in ("a", "b"):
        _uploads(f"uploads_{slot}")
        _deletions(f"deletions_{slot}")
        _clustering_groups(f"clustering_groups_{slot}")
        op.drop_index(f"ix_sessions_{slot}_location", f"sessions_{slot}")
        _index(f"sessions_{slot}", "location", "status = 'error' OR status = 'deleted'")
        op.drop_index(f"ix_clusterings_{slot}_group_name", f"clusterings_{slot}")
        _index(f"clusterings_{slot}", "group_name", "group_name IS NOT NULL")
        if op.get_bind().dialect.name == "postgresql":
            for table, how in (("uploads", "stay"), ("deletions", "stay"), ("clustering_groups", "given up")):
                _guard(f"{table}_{slot}", slot, how)


def _uploads(name: str) -> None:
    op.drop_table(name)
    op.create_table(
        name,
        sa.Column("id", POSITION, autoincrement=False, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", POSITION, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sessions", POSITION, nullable=False),
        sa.Column("clusterings", POSITION, nullable=False),
        sa.Column("inserted", POSITION, nullable=False),
        sa.Column("duplicates", POSITION, nullable=False),
        sa.Column("waiting", POSITION, nullable=False),
        sa.Column("errors", POSITION, nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.Column("processed_at", sa.Text(), nullable=True),
        sa.Column("version", POSITION, nullable=False),
        sa.Column("first_record", POSITION, nullable=True),
        sa.Column("replays", POSITION, nullable=True),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    _index(name, "status", "status = 'validated'")
    _index(name, "sha256")


def _deletions(name: str) -> None:
    op.drop_table(name)
    op.create_table(
        name,
        sa.Column("id", POSITION, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("records", sa.Text(), nullable=False),
        sa.Column("sessions", POSITION, nullable=False),
        sa.Column("clusterings", POSITION, nullable=False),
        sa.Column("upload", POSITION, nullable=True),
        sa.Column("shown_position", POSITION, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("version", POSITION, nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    _index(name, "status", "status = 'requested'")


def _clustering_groups(name: str) -> None:
    op.drop_table(name)
    op.create_table(
        name,
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("clustering", POSITION, nullable=False),
        sa.Column("looks_like", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("group_name", name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )
    _index(name, "looks_like")


def _index(table: str, column: str, condition: str | None = None) -> None:
    where = None if condition is None else sa.text(condition)
    op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=where, postgresql_where=where)


def _guard(table: str, slot: str, how: str) -> None:
    """As the table that it takes the place of."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'daybook_app'")).scalar():
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO daybook_app")
    op.execute(
        f"CREATE TRIGGER {table}_refuse_delete BEFORE DELETE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_deletion_from_lists('{slot}', '{how}')"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_refuse_delete")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
