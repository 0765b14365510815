"""Where the recordings of a session lay before they were moved. A probe on disk may be called otherwise there: its row
goes by an event, and another comes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The rows are made anew when the ledger is next opened: the versions of the projections differ."""
    for slot in ("a", "b"):
        op.add_column(f"sessions_{slot}", sa.Column("moved_from", sa.Text(), nullable=True))
    if op.get_bind().dialect.name != "postgresql":
        return
    for slot in ("a", "b"):
        name = f"session_probes_{slot}"
        op.execute(f"DROP TRIGGER {name}_refuse_delete ON {name}")
        op.execute(
            f"CREATE TRIGGER {name}_refuse_delete BEFORE DELETE ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_deletion_from_lists('{slot}', 'given up')"
        )
        op.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {name}_refuse_delete")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
