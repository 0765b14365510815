"""Input files that somebody is writing: in no event, for nothing of them is ingested yet."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("username", "name", name="pk_drafts"),
        comment="input files that somebody is writing; in no event, and in no export",
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON drafts TO daybook_app")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
