"""The ledger, the projections in their two slots, and what refuses change."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNSETTLED = "status IN ('pending', 'waiting')"
INDEXES = (
    ("sessions", "status", UNSETTLED),
    ("clusterings", "session", None),
    ("clusterings", "status", UNSETTLED),
    ("clustering_sessions", "session", None),
    ("uploads", "status", "status = 'validated'"),
)
IMMUTABLE = ("events", "receipts", "input_files", "checkpoints")


def upgrade() -> None:
    _create_facts()
    for slot in ("a", "b"):
        _create_projections(slot)
        for table, column, condition in INDEXES:
            where = None if condition is None else sa.text(condition)
            name = f"ix_{table}_{slot}_{column}"
            op.create_index(name, f"{table}_{slot}", [column], sqlite_where=where, postgresql_where=where)
    for table in IMMUTABLE:
        _refuse_change(table)
    if op.get_bind().dialect.name == "postgresql":
        _grant_to_application()


def _create_facts() -> None:
    op.create_table(
        "events",
        sa.Column("position", POSITION, autoincrement=False, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("stream_version", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("schema", sa.Integer(), nullable=False),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("correlation", sa.Text(), nullable=False),
        sa.Column("causation", POSITION, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("leaf_sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_events"),
        sa.UniqueConstraint("stream", "stream_version", name="uq_events_stream"),
    )
    op.create_table(
        "head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", POSITION, nullable=False),
        sa.Column("compact_range", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.Column("live_slot", sa.Text(), nullable=False),
        sa.Column("projections", sa.Text(), nullable=False),
        sa.Column("rebuild", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
        comment="one row: the size of the log, the compact range of its tree, which projection slot is live",
    )
    op.create_table(
        "receipts",
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("command_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("first_position", POSITION, nullable=False),
        sa.Column("last_position", POSITION, nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("command_id", name="pk_receipts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "input_files",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_input_files"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", POSITION, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoints"),
    )


def _create_projections(slot: str) -> None:
    op.create_table(
        f"uploads_{slot}",
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
        sa.PrimaryKeyConstraint("id", name=f"pk_uploads_{slot}"),
    )
    op.create_table(
        f"sessions_{slot}",
        sa.Column("id", POSITION, autoincrement=False, nullable=False),
        sa.Column("upload", POSITION, nullable=False),
        sa.Column("entry_index", POSITION, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("status_position", POSITION, nullable=False),
        sa.Column("session_time", sa.Text(), nullable=True),
        sa.Column("system", sa.Text(), nullable=True),
        sa.Column("room", sa.Text(), nullable=True),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("experimenter", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("version", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_sessions_{slot}"),
    )
    op.create_table(
        f"session_tasks_{slot}",
        sa.Column("session", POSITION, autoincrement=False, nullable=False),
        sa.Column("number", POSITION, autoincrement=False, nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("arena_apparatus", sa.Text(), nullable=True),
        sa.Column("start_s", sa.Float(53), nullable=True),
        sa.Column("stop_s", sa.Float(53), nullable=True),
        sa.Column("stop_inferred", POSITION, nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("light_level", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("session", "number", name=f"pk_session_tasks_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"session_probes_{slot}",
        sa.Column("session", POSITION, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("probe", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=True),
        sa.Column("part_number", sa.Text(), nullable=True),
        sa.Column("shanks", POSITION, nullable=True),
        sa.Column("matched_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session", "name", name=f"pk_session_probes_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"clusterings_{slot}",
        sa.Column("id", POSITION, autoincrement=False, nullable=False),
        sa.Column("session", POSITION, nullable=True),
        sa.Column("group_name", sa.Text(), nullable=True),
        sa.Column("upload", POSITION, nullable=False),
        sa.Column("entry_index", POSITION, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("curator", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("curation_time", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("status_position", POSITION, nullable=False),
        sa.Column("requested_at", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("version", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_clusterings_{slot}"),
    )
    op.create_table(
        f"clustering_sessions_{slot}",
        sa.Column("clustering", POSITION, autoincrement=False, nullable=False),
        sa.Column("session", POSITION, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("clustering", "session", name=f"pk_clustering_sessions_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"subjects_{slot}",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.Text(), nullable=False),
        sa.Column("registered_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=f"pk_subjects_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"probe_insertions_{slot}",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("probe", sa.Text(), nullable=False),
        sa.Column("insertion_time", sa.Text(), nullable=False),
        sa.Column("removal_time", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("subject", "probe", name=f"pk_probe_insertions_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"reference_values_{slot}",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("retired", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("reference", "value", name=f"pk_reference_values_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"session_locations_{slot}",
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("session", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("location", name=f"pk_session_locations_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"session_times_{slot}",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("session_time", sa.Text(), nullable=False),
        sa.Column("session", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("subject", "session_time", name=f"pk_session_times_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"clustering_groups_{slot}",
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("clustering", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("group_name", name=f"pk_clustering_groups_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"activity_{slot}",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("events", POSITION, nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "subject", "day", "type", name=f"pk_activity_{slot}"),
        sqlite_with_rowid=False,
    )


def _refuse_change(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} is refused'); END"
            )
        return
    op.execute(
        """
        CREATE OR REPLACE FUNCTION daybook_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP;
        END $$
        """
    )
    for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION daybook_refuse_change()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_refuse_{verb.lower()}")


def _grant_to_application() -> None:
    """The role under which every command works: it may append and project, and owns nothing."""
    op.execute(
        """
        DO $$ BEGIN
            CREATE ROLE daybook_app NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
        """
    )
    op.execute(
        """
        DO $$ BEGIN
            IF NOT pg_has_role(current_user, 'daybook_app', CASE
                WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET'
            END) THEN
                GRANT daybook_app TO CURRENT_USER;
            END IF;
        END $$
        """
    )
    op.execute("GRANT SELECT ON alembic_version TO daybook_app")
    op.execute("GRANT SELECT, INSERT ON events, receipts, input_files, checkpoints TO daybook_app")
    op.execute("GRANT SELECT, UPDATE ON head TO daybook_app")
    names = [row[0] for row in op.get_bind().execute(sa.text(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename ~ '_[ab]$'"
    ))]  # fmt: skip
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(sorted(names))} TO daybook_app")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
