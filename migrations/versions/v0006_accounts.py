"""Accounts: their secrets in a table that can be erased, failed sign-ins, and who acted by which authentication."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "secrets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=True),
        sa.Column("used_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_secrets"),
        comment="what accounts sign in with, hashed or encrypted; never in an event, so it can be erased",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_secrets_username", "secrets", ["username"])
    op.create_table(
        "sign_in_failures",
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("minute", sa.Text(), nullable=False),
        sa.Column("failures", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("who", "minute", name="pk_sign_in_failures"),
        comment="of the last hour, by account and by address",
        sqlite_with_rowid=False,
    )
    for slot in ("a", "b"):
        _change_projections(slot)
    if op.get_bind().dialect.name == "postgresql":
        _grant()


def _change_projections(slot: str) -> None:
    """The rows are made anew when the ledger is next opened: the versions of the projections differ."""
    op.drop_table(f"activity_{slot}")
    op.create_table(
        f"activity_{slot}",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("authentication", sa.Text(), nullable=False),
        sa.Column("events", POSITION, nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "actor", "username", "subject", "project", "day", "type", "authentication",
            name=f"pk_activity_{slot}",
        ),
        sqlite_with_rowid=False,
    )  # fmt: skip
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
        sa.PrimaryKeyConstraint("username", name=f"pk_users_{slot}"),
        sqlite_with_rowid=False,
    )


def _grant() -> None:
    tables = ["secrets", "sign_in_failures"]
    for table in ("activity", "users"):
        for slot in ("a", "b"):
            name = f"{table}_{slot}"
            tables.append(name)
            op.execute(
                f"CREATE TRIGGER {name}_refuse_delete BEFORE DELETE ON {name} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_deletion_from_lists('{slot}', 'stay')"
            )
            op.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {name}_refuse_delete")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} TO daybook_app")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
