"""Sessions that wait for a person or for the disk: what was decided, what stays with them, when to look again.
A location is held for a subject: two animals may have been recorded in one run."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """The rows are made anew when the ledger is next opened: the versions of the projections differ."""
    for slot in ("a", "b"):
        for column in ("decided", "remarks", "open", "open_since", "look_next"):
            op.add_column(f"sessions_{slot}", sa.Column(column, sa.Text(), nullable=True))
        op.create_index(
            f"ix_sessions_{slot}_look_next",
            f"sessions_{slot}",
            ["look_next"],
            sqlite_where=sa.text("look_next IS NOT NULL"),
            postgresql_where=sa.text("look_next IS NOT NULL"),
        )
        op.drop_table(f"session_locations_{slot}")
        op.create_table(
            f"session_locations_{slot}",
            sa.Column("subject", sa.Text(), nullable=False),
            sa.Column("location", sa.Text(), nullable=False),
            sa.Column("username", sa.Text(), nullable=False),
            sa.Column("session", POSITION, nullable=False),
            sa.PrimaryKeyConstraint("subject", "location", name=f"pk_session_locations_{slot}"),
            sqlite_with_rowid=False,
        )
        op.create_index(f"ix_session_locations_{slot}_location", f"session_locations_{slot}", ["location"])
        if op.get_bind().dialect.name == "postgresql":
            _guard(f"session_locations_{slot}", slot)


def _guard(table: str, slot: str) -> None:
    """As the table that it takes the place of."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'daybook_app'")).scalar():
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO daybook_app")
    op.execute(
        f"CREATE TRIGGER {table}_refuse_delete BEFORE DELETE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_deletion_from_lists('{slot}', 'given up')"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_refuse_delete")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
