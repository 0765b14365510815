"""Input files that somebody is still writing. The only module that writes the table ``drafts``; nothing of it is ever
in an event."""

from dataclasses import dataclass

from ledger.database import Transaction

MOST = 20
"""Drafts of a user: a further one takes the place of the one that was not written to for longest."""


@dataclass(frozen=True, slots=True)
class Draft:
    """``kept_at`` is when it was written to last, in UTC."""

    name: str
    size_bytes: int
    kept_at: str


def of_user(transaction: Transaction, username: str) -> list[Draft]:
    """Those that were written to last come first."""
    rows = transaction.run(
        "SELECT name, length(content), kept_at FROM drafts WHERE username = ? ORDER BY kept_at DESC, name",
        (username,),
    ).fetchall()
    return [Draft(*row) for row in rows]


def content(transaction: Transaction, username: str, name: str) -> bytes | None:
    row = transaction.run(
        "SELECT content FROM drafts WHERE username = ? AND name = ?", (username, name)
    ).fetchone()
    return None if row is None else bytes(row[0])


def keep(transaction: Transaction, username: str, name: str, data: bytes, at: str) -> None:
    """A new one, or in place of the one with its name."""
    drop(transaction, username, name)
    transaction.run(
        "INSERT INTO drafts (username, name, content, kept_at) VALUES (?, ?, ?, ?)",
        (username, name, data, at),
    )
    for draft in of_user(transaction, username)[MOST:]:
        drop(transaction, username, draft.name)


def drop(transaction: Transaction, username: str, name: str) -> None:
    transaction.run("DELETE FROM drafts WHERE username = ? AND name = ?", (username, name))
