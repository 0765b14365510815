"""What the database itself refuses: a head row that is none, events beyond it, the end of a file that nobody asked for,
and on PostgreSQL rows that leave a list although no event says so."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Rows of these stay as long as the ledger: only a rebuild removes them, from the slot that is not live.
STAYING = (
    "uploads", "sessions", "session_tasks", "session_probes", "clusterings", "duplicates", "subjects",
    "probe_insertions", "reference_values", "users", "deletions", "redactions", "activity",
)  # fmt: skip
# Of these an event can take a row away: a key that is given up, a session that a clustering stands on no longer.
GIVEN_UP = ("session_locations", "session_times", "clustering_groups", "clustering_sessions")
CHECKS = {
    "ck_head_one_row": "id = 1",
    "ck_head_size": "size >= 0",
    "ck_head_live_slot": "live_slot IN ('a', 'b')",
}
ON_POSTGRESQL = {
    "ck_head_compact_range": "octet_length(compact_range) = 32 * bit_count(size::bit(64))",
    "ck_head_projections": r"""projections ~ '^(|redacted|\{("[a-z_]+":[0-9]{1,9}(,"[a-z_]+":[0-9]{1,9})*)?\})$'""",
    "ck_head_sha256": "octet_length(sha256) = 32",
}
ON_SQLITE = {
    "ck_head_compact_range": "typeof(compact_range) = 'blob' AND length(compact_range) % 32 = 0",
    "ck_head_projections": "projections IN ('', 'redacted') OR projections GLOB '{*}'",
    "ck_head_sha256": "typeof(sha256) = 'blob' AND length(sha256) = 32",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _check_head_on_sqlite()
        _refuse_on_sqlite()
    else:
        _check_head_on_postgresql()
        _refuse_on_postgresql()


# What stands in the head row already is not judged here: a damaged one is for ``verify`` to name and for ``rebuild`` to
# make anew, and an upgrade does neither.


def _check_head_on_sqlite() -> None:
    op.create_table(
        "head_checked",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", POSITION, nullable=False),
        sa.Column("compact_range", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.Column("live_slot", sa.Text(), nullable=False),
        sa.Column("projections", sa.Text(), nullable=False),
        sa.Column("rebuild", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
        *(sa.CheckConstraint(sa.text(rule), name=name) for name, rule in (CHECKS | ON_SQLITE).items()),
    )
    op.execute("PRAGMA ignore_check_constraints = ON")
    op.execute("INSERT INTO head_checked SELECT * FROM head")
    op.execute("PRAGMA ignore_check_constraints = OFF")
    op.drop_table("head")
    op.rename_table("head_checked", "head")


def _check_head_on_postgresql() -> None:
    for name, rule in (CHECKS | ON_POSTGRESQL).items():
        op.execute(f"ALTER TABLE head ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID")
        unfit = op.get_bind().execute(sa.text(f"SELECT count(*) FROM head WHERE NOT ({rule})")).scalar()
        if not unfit:
            op.execute(f"ALTER TABLE head VALIDATE CONSTRAINT {name}")


# The head is moved first, and events are taken up to it: nobody can leave one beyond. A command that is committed has
# its receipt, so an old event lets nothing through.


def _redaction_of(position: str, schema: str = "") -> str:
    """Approved in this transaction, by another than who requested the redaction of this very position."""
    request = "stream = 'deletion/' || substr(r.correlation, 2)"
    named = f"""'{{"position":' || {position} || ',%'"""
    return (
        f"EXISTS (SELECT 1 FROM {schema}events AS r WHERE r.stream = 'redaction/' || {position} "
        f"AND r.type = 'PayloadRedacted' AND {_has_no_receipt('r', schema)} "
        f"AND EXISTS (SELECT 1 FROM {schema}events AS a WHERE a.{request} AND a.type = 'DeletionApproved' "
        "AND a.command_id = r.command_id AND a.actor = r.actor) "
        f"AND EXISTS (SELECT 1 FROM {schema}events AS q WHERE q.{request} AND q.type = 'RedactionRequested' "
        f"AND q.payload LIKE {named} AND q.actor <> r.actor))"
    )


def _erasure_of(digest: str, schema: str = "") -> str:
    """In the same command as the redaction of a receipt that names this file."""
    names = f"""'%"sha256":"' || {digest} || '"%'"""
    redacted = _redaction_of("substr(p.stream, 11)", schema)
    return (
        f"EXISTS (SELECT 1 FROM {schema}events AS e WHERE e.stream = 'input-file/' || {digest} "
        f"AND e.type = 'InputFileErased' AND {_has_no_receipt('e', schema)} "
        f"AND EXISTS (SELECT 1 FROM {schema}events AS p WHERE p.position > e.position - {NEAR} "
        "AND p.position < e.position AND p.command_id = e.command_id AND p.type = 'PayloadRedacted' "
        f"AND p.payload LIKE {names} AND {redacted}))"
    )


NEAR = 1_000  # positions: one command is looked through, and never the log


def _has_no_receipt(event: str, schema: str) -> str:
    return f"NOT EXISTS (SELECT 1 FROM {schema}receipts AS c WHERE c.command_id = {event}.command_id)"


ENVELOPE = (
    "position", "stream", "stream_version", "type", "schema", "command_id", "correlation", "causation", "actor", "via",
    "recorded_at", "subject", "username", "payload_sha256", "leaf_sha256",
)  # fmt: skip


def _refuse_on_sqlite() -> None:
    same = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in ENVELOPE)
    op.execute("DROP TRIGGER events_refuse_update")
    op.execute("DROP TRIGGER input_files_refuse_delete")
    for trigger, when, what in (
        (
            "events_refuse_update BEFORE UPDATE ON events",
            f"NOT (NEW.payload IS NULL AND {same} AND {_redaction_of('OLD.position')})",
            "events is append-only: UPDATE is refused",
        ),
        (
            "input_files_refuse_delete BEFORE DELETE ON input_files",
            f"NOT {_erasure_of('OLD.sha256')}",
            "input_files is append-only: DELETE is refused",
        ),
        (
            "events_refuse_insert BEFORE INSERT ON events",
            "NEW.position > (SELECT size FROM head)",
            "events end where the head row says: INSERT is refused",
        ),
    ):
        op.execute(f"CREATE TRIGGER {trigger} WHEN {when} BEGIN SELECT RAISE(ABORT, '{what}'); END")


def _refuse_on_postgresql() -> None:
    schema = str(op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar()) + "."
    same = " AND ".join(f"NEW.{column} = OLD.{column}" for column in ENVELOPE)
    _function(
        "daybook_refuse_change_of_events",
        f"IF NEW.payload IS NULL AND {same} AND {_redaction_of('OLD.position::text', schema)} THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP;",
    )
    _function(
        "daybook_refuse_deletion_of_input_files",
        f"IF {_erasure_of('OLD.sha256', schema)} THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP;",
    )
    _function(
        "daybook_refuse_events_beyond_head",
        f"IF (SELECT max(position) FROM added) > (SELECT size FROM {schema}head) THEN "
        "RAISE EXCEPTION 'events end where the head row says: INSERT is refused'; END IF; RETURN NULL;",
    )
    op.execute(
        "CREATE TRIGGER events_refuse_insert AFTER INSERT ON events REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_events_beyond_head()"
    )
    _function(
        "daybook_refuse_head_beyond_events",
        f"IF (SELECT size FROM {schema}head) <> (SELECT coalesce(max(position), 0) FROM {schema}events) THEN "
        "RAISE EXCEPTION 'the head row ends where the events do: UPDATE is refused'; END IF; RETURN NULL;",
    )
    # at the commit: in between, the head is ahead of the events
    op.execute(
        "CREATE CONSTRAINT TRIGGER head_refuse_update AFTER UPDATE ON head DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION daybook_refuse_head_beyond_events()"
    )
    _function(
        "daybook_refuse_deletion_from_lists",
        f"IF TG_ARGV[0] = (SELECT live_slot FROM {schema}head) AND (TG_ARGV[1] = 'stay' OR NOT EXISTS ("
        f"SELECT 1 FROM {schema}events AS e WHERE e.position = (SELECT size FROM {schema}head) "
        f"AND {_has_no_receipt('e', schema)})) THEN "
        "RAISE EXCEPTION 'no event takes a row from %: DELETE is refused', TG_TABLE_NAME; END IF; RETURN NULL;",
    )
    for slot in ("a", "b"):
        for tables, how in ((STAYING, "stay"), (GIVEN_UP, "given up")):
            for table in tables:
                op.execute(
                    f"CREATE TRIGGER {table}_{slot}_refuse_delete BEFORE DELETE ON {table}_{slot} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_deletion_from_lists('{slot}', '{how}')"
                )
                op.execute(f"ALTER TABLE {table}_{slot} ENABLE ALWAYS TRIGGER {table}_{slot}_refuse_delete")
    op.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_insert")
    op.execute("ALTER TABLE head ENABLE ALWAYS TRIGGER head_refuse_update")


def _function(name: str, body: str) -> None:
    """Tables by their schema, operators from the system's alone: nothing that somebody else makes answers for them."""
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = pg_catalog, pg_temp AS $$ BEGIN {body} END $$"
    )


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
