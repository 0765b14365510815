"""The failures of an entry are found when it comes again: by its location, or its group name."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for slot in ("a", "b"):
        for table, column in (("sessions", "location"), ("clusterings", "group_name")):
            op.create_index(
                f"ix_{table}_{slot}_{column}",
                f"{table}_{slot}",
                [column],
                sqlite_where=sa.text("status = 'error'"),
                postgresql_where=sa.text("status = 'error'"),
            )


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
