"""What the location of a session leads to over links, which is held beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The rows are made anew when the ledger is next opened: the versions of the projections differ."""
    for slot in ("a", "b"):
        op.add_column(f"sessions_{slot}", sa.Column("leads_to", sa.Text(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
