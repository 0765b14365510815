"""What was put on record of the lab by mistake can be taken back: its rows go by an event, as dedup keys do."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("subjects", "probe_insertions", "reference_values")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for slot in ("a", "b"):
        for table in TABLES:
            name = f"{table}_{slot}"
            op.execute(f"DROP TRIGGER {name}_refuse_delete ON {name}")
            op.execute(
                f"CREATE TRIGGER {name}_refuse_delete BEFORE DELETE ON {name} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_deletion_from_lists('{slot}', 'given up')"
            )
            op.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {name}_refuse_delete")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
