"""Who is behind a username. The only module that writes the table ``people``; nothing of it is ever in an event."""

from dataclasses import dataclass

from ledger.database import Transaction

_SELECT = "SELECT username, name, email FROM people"


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    name: str | None
    email: str | None


def read(transaction: Transaction) -> list[Person]:
    rows = transaction.run(_SELECT).fetchall()
    return sorted((Person(*row) for row in rows), key=lambda person: person.username)


def find(transaction: Transaction, username: str) -> Person | None:
    row = transaction.run(f"{_SELECT} WHERE username = ?", (username,)).fetchone()
    return None if row is None else Person(*row)


def write(transaction: Transaction, person: Person) -> None:
    """Replace what is known of a user; without name and address nothing of it is left."""
    transaction.run("DELETE FROM people WHERE username = ?", (person.username,))
    if person.name or person.email:
        transaction.run(
            "INSERT INTO people (username, name, email) VALUES (?, ?, ?)",
            (person.username, person.name, person.email),
        )
