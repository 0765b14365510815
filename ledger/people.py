"""Who is behind a username. The only module that writes the table ``people``; nothing of it is ever in an event."""

from dataclasses import dataclass

from ledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    name: str | None
    email: str | None


def read(transaction: Transaction) -> list[Person]:
    rows = transaction.run("SELECT username, name, email FROM people ORDER BY username").fetchall()
    return [Person(*row) for row in rows]


def write(transaction: Transaction, person: Person) -> None:
    """Replace what is known; without name and address nothing of it is left."""
    transaction.run("DELETE FROM people WHERE username = ?", (person.username,))
    if person.name or person.email:
        transaction.run(
            "INSERT INTO people (username, name, email) VALUES (?, ?, ?)",
            (person.username, person.name, person.email),
        )
