"""Find the record that a person means: by id, by location, by session time or by group name."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from ledger.database import Transaction
from ledger.errors import NextStep, Refusal
from projections.records import Clustering, Deletion, Session, Upload
from projections.rows import Rows
from projections.uses import holds

Kind = Literal["upload", "session", "clustering", "deletion"]
_LETTERS: dict[str, Kind] = {"u": "upload", "s": "session", "c": "clustering", "d": "deletion"}
_RECORDS: dict[Kind, Any] = {
    "upload": Upload, "session": Session, "clustering": Clustering, "deletion": Deletion,
}  # fmt: skip
_SHOWN = 10
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")  # no leading zeros: an id has one spelling


@dataclass(frozen=True, slots=True)
class Reference:
    kind: Kind
    id: int

    @property
    def stream(self) -> str:
        return f"{self.kind}/{self.id}"

    def __str__(self) -> str:
        return f"{self.kind[0]}{self.id}"


def by_id(text: str) -> Reference | None:
    """The kind and number of the id that a text is, whole and as it is printed. The record need not exist."""
    kind = _LETTERS.get(text[:1])
    return Reference(kind, int(text[1:])) if kind is not None and _NUMBER.fullmatch(text[1:]) else None


def find(transaction: Transaction, slot: str, text: str, *, location: str | None = None) -> Reference:
    """The one record that ``text`` names; ``location`` is the text as a normalised location, where it is one.

    An id, whole and as it is printed, comes before everything; then come group names, locations (the record that
    holds it, else the session that was moved from there, else the newest one) and session times. Raises Refusal with
    ``not-found`` or ``ambiguous``.
    """
    named = by_id(text)
    if named is not None:
        rows: Rows[Any] = Rows(_RECORDS[named.kind], slot)
        rows.attach(transaction)
        if rows.get(named.id) is not None:
            return named
    groups = _ids(transaction, slot, "clustering", "group_name = ?", text)
    if groups:
        return groups[-1]
    for place in dict.fromkeys(place for place in (location, text) if place):
        found = _at(transaction, slot, place)
        if found is not None:
            return found
    return _one(text, _ids(transaction, slot, "session", "session_time = ?", text))


def _at(transaction: Transaction, slot: str, location: str) -> Reference | None:
    holders = transaction.run(
        f"SELECT session FROM session_locations_{slot} WHERE location = ? ORDER BY session",
        (location,),
    ).fetchall()
    if holders:
        return _one(location, [Reference("session", row[0]) for row in holders])
    moved = _ids(transaction, slot, "session", *moved_from(location))
    if moved:
        return moved[-1]
    kinds: tuple[Kind, ...] = ("session", "clustering")
    for kind in kinds:
        earlier = _ids(transaction, slot, kind, "location = ?", location)
        if earlier:
            return earlier[-1]
    return None


def moved_from(location: str) -> tuple[str, str]:
    """The condition that a session lay there before, and what to bind."""
    return holds("moved_from", location)


def _ids(transaction: Transaction, slot: str, kind: Kind, condition: str, value: object) -> list[Reference]:
    rows = transaction.run(
        f"SELECT id FROM {_RECORDS[kind].TABLE}_{slot} WHERE {condition} ORDER BY id LIMIT 1000",
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
            "Give a whole id (s12, c34, u56, d78), a location, a session time or a group name",
            _list_of(text),
        )
    names = ", ".join(str(reference) for reference in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise Refusal("ambiguous", f'"{text}" may be {names}{more}.', "Give the whole id.")


_LISTS = {"c": "list-clusterings", "u": "list-uploads", "d": "list-requests"}


def _list_of(text: str) -> NextStep:
    """Where what was meant can be seen."""
    if text[:1] not in _LISTS or not text[1:].isdecimal():
        return NextStep("list-sessions")
    return NextStep(_LISTS[text[:1]], arguments={"all": "yes"} if text[:1] == "d" else {})
