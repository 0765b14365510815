"""Run migrations on the connection that the caller hands over, or on the address in DAYBOOK_DB."""

import os

from alembic import context
from sqlalchemy import Connection

import projections.tables  # noqa: F401 - registers the projections' tables
from ledger.database import Database
from ledger.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, compare_type=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    database = Database(os.environ.get("DAYBOOK_DB", "sqlite:///daybook.db"), role=None)
    with database.engine.connect() as opened:
        _run(opened)
