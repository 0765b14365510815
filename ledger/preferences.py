"""What each user has chosen for himself or herself. The only module that writes the table ``preferences``; nothing of
it is ever in an event."""

from collections.abc import Mapping

from ledger.database import Transaction


def of_user(transaction: Transaction, username: str) -> dict[str, str]:
    """By name."""
    rows = transaction.run("SELECT name, value FROM preferences WHERE username = ?", (username,)).fetchall()
    return {row[0]: row[1] for row in rows}


def write(transaction: Transaction, username: str, chosen: Mapping[str, str | None]) -> None:
    """What is None is as if it had never been chosen; what is not named stays."""
    for name, value in chosen.items():
        transaction.run("DELETE FROM preferences WHERE username = ? AND name = ?", (username, name))
        if value is not None:
            transaction.run(
                "INSERT INTO preferences (username, name, value) VALUES (?, ?, ?)", (username, name, value)
            )
