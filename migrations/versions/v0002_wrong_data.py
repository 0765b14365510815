"""Deletions, corrections, redactions and roles; nodes of the tree for proofs; names that can be erased; a head row that
is hashed itself."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PAGE = 65_536  # leaves
ENVELOPE = (
    "position", "stream", "stream_version", "type", "schema", "command_id", "correlation", "causation", "actor", "via",
    "recorded_at", "subject", "username", "payload_sha256", "leaf_sha256",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "tree_nodes",
        sa.Column("height", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", POSITION, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("height", "number", name="pk_tree_nodes"),
        comment="the complete subtrees of 256, 65536, ... leaves: a proof reads a few rows, not the whole log",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "people",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("username", name="pk_people"),
        comment="who is behind a username; never in an event, so it can be erased",
        sqlite_with_rowid=False,
    )
    _keep_nodes()
    _hash_head()
    for slot in ("a", "b"):
        _change_projections(slot)
    if op.get_bind().dialect.name == "sqlite":
        _let_redactions_through_on_sqlite()
    else:
        _let_redactions_through_on_postgresql()
        _grant()


def _keep_nodes() -> None:
    """Hash what is there already."""
    insert = sa.text("INSERT INTO tree_nodes (height, number, hash) VALUES (:height, :number, :hash)")
    for nodes in kept_nodes(_leaf_pages()):
        rows = [{"height": height, "number": number, "hash": digest} for height, number, digest in nodes]
        op.get_bind().execute(insert, rows)


def kept_nodes(pages: Iterable[list[bytes]]) -> Iterator[list[tuple[int, int, bytes]]]:
    """The nodes of every eighth level over the leaves, as (height, number, hash), some at a time. Of each level, what
    waits for its sibling is remembered."""
    waiting: dict[int, list[bytes]] = {}
    number: dict[int, int] = {}
    for page in pages:
        level, height = page, 0
        while level:
            if height and height % 8 == 0:
                first = number.get(height, 0)
                number[height] = first + len(level)
                yield [(height, first + i, digest) for i, digest in enumerate(level)]
            level = waiting.pop(height, []) + level
            if len(level) % 2:
                waiting[height] = [level.pop()]
            level = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=True)]
            height += 1


def _leaf_pages() -> Iterator[list[bytes]]:
    after = 0
    query = sa.text("SELECT leaf_sha256 FROM events WHERE position > :after ORDER BY position LIMIT :page")
    while rows := op.get_bind().execute(query, {"after": after, "page": PAGE}).fetchall():
        yield [bytes(row[0]) for row in rows]
        after += len(rows)


def _hash_head() -> None:
    op.add_column("head", sa.Column("sha256", sa.LargeBinary(), server_default=sa.text("''"), nullable=False))
    columns = ("id", "origin", "size", "compact_range", "recorded_at", "live_slot", "projections", "rebuild")
    connection = op.get_bind()
    for row in connection.execute(sa.text(f"SELECT {', '.join(columns)} FROM head")).fetchall():
        values = [
            bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row
        ]
        data = b"daybook/head/1\n" + b"".join(b"%d:%b" % (len(value), value) for value in values)
        update = sa.text("UPDATE head SET sha256 = :digest WHERE id = :id")
        connection.execute(update, {"digest": sha256(data).digest(), "id": row[0]})
    if connection.dialect.name == "postgresql":
        op.alter_column("head", "sha256", server_default=None)


def _change_projections(slot: str) -> None:
    """The rows are made anew when the ledger is next opened: the versions of the projections differ."""
    op.add_column(f"uploads_{slot}", sa.Column("first_record", POSITION, nullable=True))
    op.add_column(f"uploads_{slot}", sa.Column("replays", POSITION, nullable=True))
    for table in ("sessions", "clusterings"):
        op.add_column(f"{table}_{slot}", sa.Column("replaces", POSITION, nullable=True))
        op.add_column(f"{table}_{slot}", sa.Column("replaced_by", POSITION, nullable=True))
    op.drop_table(f"activity_{slot}")
    op.create_table(
        f"activity_{slot}",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("events", POSITION, nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "actor", "username", "subject", "project", "day", "type", name=f"pk_activity_{slot}"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"users_{slot}",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("username", name=f"pk_users_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"deletions_{slot}",
        sa.Column("id", POSITION, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("records", sa.Text(), nullable=False),
        sa.Column("sessions", POSITION, nullable=False),
        sa.Column("clusterings", POSITION, nullable=False),
        sa.Column("upload", POSITION, nullable=True),
        sa.Column("shown_position", POSITION, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("version", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_deletions_{slot}"),
    )
    op.create_index(
        f"ix_deletions_{slot}_status",
        f"deletions_{slot}",
        ["status"],
        sqlite_where=sa.text("status = 'requested'"),
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index(f"ix_uploads_{slot}_sha256", f"uploads_{slot}", ["sha256"])
    op.create_table(
        f"duplicates_{slot}",
        sa.Column("record", POSITION, autoincrement=False, nullable=False),
        sa.Column("upload", POSITION, autoincrement=False, nullable=False),
        sa.Column("entry_index", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("record", "upload", name=f"pk_duplicates_{slot}"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"redactions_{slot}",
        sa.Column("position", POSITION, autoincrement=False, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("redacted_at", sa.Text(), nullable=False),
        sa.Column("event", POSITION, nullable=False),
        sa.PrimaryKeyConstraint("position", name=f"pk_redactions_{slot}"),
        sqlite_with_rowid=False,
    )


# A payload may go, and nothing else, and only in the transaction whose events say so: PayloadRedacted on the stream
# redaction/<position>, with the approval of a request that somebody else made. The same for stored bytes:
# InputFileErased on the stream input-file/<sha256>. A command that is committed has its receipt, so an old event lets
# nothing through.


def _redaction_of(position: str, schema: str = "") -> str:
    request = "stream = 'deletion/' || substr(r.correlation, 2)"
    return (
        f"EXISTS (SELECT 1 FROM {schema}events AS r WHERE r.stream = 'redaction/' || {position} "
        f"AND r.type = 'PayloadRedacted' AND {_has_no_receipt('r', schema)} "
        f"AND EXISTS (SELECT 1 FROM {schema}events AS a WHERE a.{request} AND a.type = 'DeletionApproved' "
        "AND a.command_id = r.command_id) "
        f"AND EXISTS (SELECT 1 FROM {schema}events AS q WHERE q.{request} AND q.type = 'RedactionRequested' "
        "AND q.actor <> r.actor))"
    )


def _erasure_of(digest: str, schema: str = "") -> str:
    return (
        f"EXISTS (SELECT 1 FROM {schema}events AS e WHERE e.stream = 'input-file/' || {digest} "
        f"AND e.type = 'InputFileErased' AND {_has_no_receipt('e', schema)})"
    )


def _has_no_receipt(event: str, schema: str) -> str:
    return f"NOT EXISTS (SELECT 1 FROM {schema}receipts AS c WHERE c.command_id = {event}.command_id)"


def _let_redactions_through_on_sqlite() -> None:
    same = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in ENVELOPE)
    op.execute("DROP TRIGGER events_refuse_update")
    op.execute(
        "CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events WHEN NOT "
        f"(NEW.payload IS NULL AND {same} AND {_redaction_of('OLD.position')}) "
        "BEGIN SELECT RAISE(ABORT, 'events is append-only: UPDATE is refused'); END"
    )
    op.execute("DROP TRIGGER input_files_refuse_delete")
    op.execute(
        f"CREATE TRIGGER input_files_refuse_delete BEFORE DELETE ON input_files WHEN NOT {_erasure_of('OLD.sha256')} "
        "BEGIN SELECT RAISE(ABORT, 'input_files is append-only: DELETE is refused'); END"
    )
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER tree_nodes_refuse_{verb.lower()} BEFORE {verb} ON tree_nodes "
            f"BEGIN SELECT RAISE(ABORT, 'tree_nodes is append-only: {verb} is refused'); END"
        )


def _let_redactions_through_on_postgresql() -> None:
    same = " AND ".join(f"NEW.{column} = OLD.{column}" for column in ENVELOPE)
    found = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar()
    schema = f"{found}."
    for name, allowed, otherwise in (
        (
            "daybook_refuse_change_of_events",
            f"NEW.payload IS NULL AND {same} AND {_redaction_of('OLD.position::text', schema)}",
            "NEW",
        ),
        ("daybook_refuse_deletion_of_input_files", _erasure_of("OLD.sha256", schema), "OLD"),
    ):
        # tables by their schema, operators from the system's alone: nothing that somebody else makes answers for them
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ "
            f"BEGIN IF {allowed} THEN RETURN {otherwise}; END IF; "
            "RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP; END $$"
        )
    for table, verb, function in (
        ("events", "UPDATE", "daybook_refuse_change_of_events"),
        ("input_files", "DELETE", "daybook_refuse_deletion_of_input_files"),
    ):
        op.execute(f"DROP TRIGGER {table}_refuse_{verb.lower()} ON {table}")
        _refuse_on_postgresql(table, verb, "ROW", function)
    for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        _refuse_on_postgresql("tree_nodes", verb, each, "daybook_refuse_change")


def _refuse_on_postgresql(table: str, verb: str, each: str, function: str) -> None:
    trigger = f"{table}_refuse_{verb.lower()}"
    op.execute(
        f"CREATE TRIGGER {trigger} BEFORE {verb} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def _grant() -> None:
    op.execute("GRANT UPDATE (payload) ON events TO daybook_app")
    op.execute("GRANT DELETE ON input_files TO daybook_app")
    op.execute("GRANT SELECT, INSERT ON tree_nodes TO daybook_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON people TO daybook_app")
    tables = [
        f"{table}_{slot}"
        for table in ("activity", "users", "deletions", "duplicates", "redactions")
        for slot in "ab"
    ]
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} TO daybook_app")


def downgrade() -> None:
    raise NotImplementedError("A ledger is never migrated backwards: restore a backup.")
