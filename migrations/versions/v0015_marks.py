"""What was redacted is known by its marks when it comes again; their key lies among the secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SECRETS = "what accounts sign in with, and keys of redactions; never in an event, so it can be erased"


def upgrade() -> None:
    """The rows are made anew when the ledger is next opened: the versions of the projections differ."""
    for slot in ("a", "b"):
        for column in ("key", "marks"):
            op.add_column(f"redactions_{slot}", sa.Column(column, sa.Text(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.create_table_comment("secrets", SECRETS)


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
