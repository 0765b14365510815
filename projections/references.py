"""Find the record that a person means: by id, by a unique beginning of it, by location or by group name."""

from dataclasses import dataclass
from typing import Literal

from ledger.database import Transaction
from ledger.errors import NextStep, Refusal

Kind = Literal["upload", "session", "clustering", "deletion"]
_LETTERS: dict[str, Kind] = {"u": "upload", "s": "session", "c": "clustering", "d": "deletion"}
_TABLES: dict[Kind, str] = {
    "upload": "uploads",
    "session": "sessions",
    "clustering": "clusterings",
    "deletion": "deletions",
}
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Reference:
    kind: Kind
    id: int

    @property
    def stream(self) -> str:
        return f"{self.kind}/{self.id}"

    def __str__(self) -> str:
        return f"{self.kind[0]}{self.id}"


def find(transaction: Transaction, slot: str, text: str, *, location: str | None = None) -> Reference:
    """The one record that ``text`` names; ``location`` is the text as a normalised location, where it is one.

    An exact id wins over everything; then group names, locations (the record that holds it, else the newest one)
    and session times; then beginnings of ids. Raises Refusal with ``not-found`` or ``ambiguous``.
    """
    kind = _LETTERS.get(text[:1])
    digits = text[1:]
    if kind is not None and digits.isascii() and digits.isdigit():
        exact = _ids(transaction, slot, kind, "id = ?", int(digits[:18]))
        if exact:
            return exact[0]
    groups = _ids(transaction, slot, "clustering", "group_name = ?", text)
    if groups:
        return groups[-1]
    for place in dict.fromkeys(place for place in (location, text) if place):
        found = _at(transaction, slot, place)
        if found is not None:
            return found
    found_at = _ids(transaction, slot, "session", "session_time = ?", text)
    if kind is not None and digits.isascii() and digits.isdigit() and not found_at:
        return _one(text, _ids(transaction, slot, kind, "CAST(id AS TEXT) LIKE ?", f"{digits}%"))
    return _one(text, found_at)


def _at(transaction: Transaction, slot: str, location: str) -> Reference | None:
    holder = transaction.run(
        f"SELECT session FROM session_locations_{slot} WHERE location = ?",
        (location,),
    ).fetchone()
    if holder is not None:
        return Reference("session", holder[0])
    kinds: tuple[Kind, ...] = ("session", "clustering")
    for kind in kinds:
        earlier = _ids(transaction, slot, kind, "location = ?", location)
        if earlier:
            return earlier[-1]
    return None


def _ids(transaction: Transaction, slot: str, kind: Kind, condition: str, value: object) -> list[Reference]:
    rows = transaction.run(
        f"SELECT id FROM {_TABLES[kind]}_{slot} WHERE {condition} ORDER BY id LIMIT 1000",
        (value,),
    ).fetchall()
    return [Reference(kind, row[0]) for row in rows]


def _one(text: str, found: list[Reference]) -> Reference:
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refusal(
            "not-found",
            f'Nothing here is called "{text}".',
            "Give an id (s12, c34, u56, d78) or the unique beginning of one, a location, a session time or a group "
            "name",
            NextStep("list-sessions"),
        )
    names = ", ".join(str(reference) for reference in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise Refusal("ambiguous", f'"{text}" may be {names}{more}.', "Give the whole id.")
