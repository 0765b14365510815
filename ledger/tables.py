"""The tables of facts, and of what lies beside them. Migrations alone create them; ``log`` and ``input_files`` alone
write the facts; ``people``, ``secrets``, ``preferences``, ``drafts`` and others write each one table beside them.

``metadata`` is shared with the projections' tables, so that one ``alembic check`` sees them all.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Position = BigInteger().with_variant(Integer, "sqlite")  # an INTEGER PRIMARY KEY is SQLite's own row id

events = Table(
    "events",
    metadata,
    Column("position", Position, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("stream_version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("command_id", Text, nullable=False),
    Column("correlation", Text, nullable=False),
    Column("causation", Position, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("payload", Text),
    Column("leaf_sha256", LargeBinary, nullable=False),
    UniqueConstraint("stream", "stream_version"),
)

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("size", Position, nullable=False),
    Column("compact_range", LargeBinary, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("live_slot", Text, nullable=False),
    Column("projections", Text, nullable=False),
    Column("rebuild", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    comment="one row: the size of the log, the compact range of its tree, which projection slot is live",
)

receipts = Table(
    "receipts",
    metadata,
    Column("command_id", Text, primary_key=True),
    Column("command_sha256", LargeBinary, nullable=False),
    Column("first_position", Position, nullable=False),
    Column("last_position", Position, nullable=False),
    Column("result", Text, nullable=False),
    sqlite_with_rowid=False,
)

input_files = Table(
    "input_files",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", Position, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)

tree_nodes = Table(
    "tree_nodes",
    metadata,
    Column("height", Integer, primary_key=True, autoincrement=False),
    Column("number", Position, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
    comment="the complete subtrees of 256, 65536, ... leaves: a proof reads a few rows, not the whole log",
)

people = Table(
    "people",
    metadata,
    Column("username", Text, primary_key=True),
    Column("name", Text),
    Column("email", Text),
    sqlite_with_rowid=False,
    comment="who is behind a username; never in an event, so it can be erased",
)

secrets = Table(
    "secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text),
    Column("used_at", Text),
    Index("ix_secrets_username", "username"),
    sqlite_with_rowid=False,
    comment="what accounts sign in with, and keys of redactions; never in an event, so it can be erased",
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("username", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Position, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("next_at", Text, nullable=False),
    Column("until", Text),
    Column("sent_at", Text),
    Index("ix_outbox_status", "status", "next_at"),
    sqlite_with_rowid=False,
    comment="mail: its body is encrypted, and blank once it was sent; in no event, and in no export",
)

mail_position = Table(
    "mail_position",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", Position, nullable=False),
    Column("day", Text, nullable=False),
    comment="one row: how far the log was told of by mail, and on which day digests and reminders were made last",
)

preferences = Table(
    "preferences",
    metadata,
    Column("username", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
    comment="what each user has chosen for himself or herself; in no event, and in no export",
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("who", Text, primary_key=True),
    Column("minute", Text, primary_key=True),
    Column("failures", Position, nullable=False),
    sqlite_with_rowid=False,
    comment="of the last hour, by account and by address",
)

looks = Table(
    "looks",
    metadata,
    Column("record", Text, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Position, nullable=False),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("next_at", Text),
    Column("host", Text, nullable=False),
    Column("error", Text, nullable=False),
    Index("ix_looks_next_at", "next_at"),
    sqlite_with_rowid=False,
    comment="the looks that were taken at what is pending or waits; lost, they are taken again",
)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("folders", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
    sqlite_with_rowid=False,
    comment="who works now, and where; who was not seen for a while works no longer",
)

drafts = Table(
    "drafts",
    metadata,
    Column("username", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("kept_at", Text, nullable=False),
    comment="input files that somebody is writing; in no event, and in no export",
)

archives = Table(
    "archives",
    metadata,
    Column("host", Text, primary_key=True),
    Column("folder", Text, primary_key=True),
    Column("events", Position, nullable=False),
    Column("archived_to", Position, nullable=False),
    Column("noted_at", Text, nullable=False),
    sqlite_with_rowid=False,
    comment="folders with copies of the log, which a redaction has to reach; in no event, and in no export",
)

IMMUTABLE = ("events", "receipts", "input_files", "checkpoints", "tree_nodes")
OWN = tuple(metadata.tables.values())
"""All but the projections, which add theirs to ``metadata`` later."""
