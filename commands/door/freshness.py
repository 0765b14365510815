"""Whether the tables and projections were made by this version of the program, and how to bring them up to date."""

import time
from collections.abc import Callable
from contextlib import suppress

from ledger import log
from ledger.database import Database, Transaction
from ledger.errors import Conflict, LedgerUnavailable, NextStep
from ledger.log import Head
from projections.versions import refuse_newer, versions

SCHEMA_REVISION = "0018"


_WAIT_FOR_REBUILD_S = 600


def bring_up_to_date(database: Database) -> bool:
    """Rebuild, or wait for another process that is rebuilding already. Then remove what a redaction left behind:
    False where free space of the database may still hold some of it.
    """
    from projections.rebuild import rebuild, remove_remains  # most ledgers are up to date

    with database.reading() as transaction:
        head = log.read_head(transaction)
    refuse_newer(head)
    if head.projections == versions():
        return remove_remains(database)
    deadline = time.monotonic() + _WAIT_FOR_REBUILD_S
    with suppress(Conflict):
        rebuild(database)
        return remove_remains(database)
    while time.monotonic() < deadline:
        time.sleep(0.2)
        with database.reading() as transaction:
            if log.read_head(transaction).projections == versions():
                return remove_remains(database)
    rebuild(database)
    return remove_remains(database)


def to_be_made_anew(head: Head) -> bool:
    """Whether the lists have to be made anew: a redaction removed something from the log that they still hold, or an
    import has not filled them yet. Whoever has the ledger open rebuilds them and goes on.
    """
    return head.projections in (log.REDACTED, "")


def repair(url: str, progress: Callable[[int, int], None]) -> list[str]:
    """Make a damaged head row anew where that can be done, and say what was wrong (see ``ledger.repair``). Nothing
    else works until then.
    """
    from ledger.repair import repair_head

    database = Database(url)
    try:
        with database.reading() as transaction:
            check_schema(transaction)
    finally:
        database.close()
    return repair_head(url, progress)


def check_projections(head: Head) -> None:
    """One version's handlers must not write to tables that another version has rebuilt meanwhile. Whether the lists
    are ``to_be_made_anew`` was asked before.
    """
    refuse_newer(head)
    if head.projections != versions():
        raise LedgerUnavailable(
            "other-version",
            "Another version of Daybook has rebuilt the projections of this ledger in the meantime.",
            "Start this program again, in that version.",
        )


def refuse_unfinished(head: Head) -> None:
    """A ledger without its first event has no admin. Anything written before that event would be the first for ever."""
    if not head.size:
        raise LedgerUnavailable(
            "unfinished",
            "This ledger was begun and never finished: it has no admin yet, and takes nothing before.",
            "Finish it",
            NextStep("init"),
        )


def check_schema(transaction: Transaction) -> None:
    found = transaction.run("SELECT version_num FROM alembic_version").fetchone()
    if found is None or found[0] != SCHEMA_REVISION:
        revision = str(found[0]) if found else "none"  # SQLite keeps a number where a text was
        newer = revision.isdecimal() and revision > SCHEMA_REVISION
        raise LedgerUnavailable(
            "newer-schema" if newer else "older-schema",
            f"The ledger has schema {revision}, this version of Daybook expects {SCHEMA_REVISION}.",
            "Install a newer Daybook." if newer else "Upgrade it in place",
            *([] if newer else [NextStep("init")]),
        )
