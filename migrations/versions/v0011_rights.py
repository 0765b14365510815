"""What a service account may do besides its role."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The rows are made anew when the ledger is next opened: the versions of the projections differ."""
    for slot in ("a", "b"):
        op.drop_table(f"users_{slot}")
        op.create_table(
            f"users_{slot}",
            sa.Column("username", sa.Text(), nullable=False),
            sa.Column("role", sa.Text(), nullable=False),
            sa.Column("granted_by", sa.Text(), nullable=False),
            sa.Column("granted_at", sa.Text(), nullable=False),
            sa.Column("account", sa.Text(), nullable=False),
            sa.Column("owner", sa.Text(), nullable=False),
            sa.Column("invited_until", sa.Text(), nullable=True),
            sa.Column("joined_at", sa.Text(), nullable=True),
            sa.Column("second_factor", sa.Text(), nullable=False),
            sa.Column("rights", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("username", name=f"pk_users_{slot}"),
            sqlite_with_rowid=False,
        )
    if op.get_bind().dialect.name == "postgresql":
        for slot in ("a", "b"):
            _guard(f"users_{slot}", slot)


def _guard(name: str, slot: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name}_refuse_delete BEFORE DELETE ON {name} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_deletion_from_lists('{slot}', 'stay')"
    )
    op.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {name}_refuse_delete")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO daybook_app")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
