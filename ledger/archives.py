"""Where archives of this ledger lie: what a redaction has to reach. The only module that writes the table ``archives``;
nothing of it is ever in an event.
"""

from dataclasses import dataclass

from ledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Archive:
    """A ``folder`` of a ``host``, with so many ``events`` in each file, up to the position ``archived_to``."""

    host: str
    folder: str
    events: int
    archived_to: int


def known(transaction: Transaction) -> list[Archive]:
    sql = "SELECT host, folder, events, archived_to FROM archives ORDER BY host, folder"
    return [Archive(*row) for row in transaction.run(sql).fetchall()]


def note(transaction: Transaction, archive: Archive, at: str) -> None:
    """A new one, or in place of what was noted of this folder."""
    of = (archive.host, archive.folder)
    transaction.run("DELETE FROM archives WHERE host = ? AND folder = ?", of)
    transaction.run(
        "INSERT INTO archives (host, folder, events, archived_to, noted_at) VALUES (?, ?, ?, ?, ?)",
        (*of, archive.events, archive.archived_to, at),
    )
