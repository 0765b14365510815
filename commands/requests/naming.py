"""The records that somebody names, by their exact ids, and how they are named in a sentence."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import orjson

from commands.door.world import World
from ledger.errors import NextStep, Refusal
from projections.records import Clustering, Deletion, Session, Upload
from projections.rows import Rows, requested_by

R = TypeVar("R", Session, Clustering, Upload)


_ID = re.compile(r"([suc])([1-9][0-9]{0,17})")


_LISTS = {"s": "list-sessions", "c": "list-clusterings", "u": "list-uploads"}


_NAMED = 10  # records in one sentence


@dataclass(slots=True)
class Named:
    """The records that somebody named by their ids, whatever their status, and what came of the uploads among them."""

    ids: list[str] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    clusterings: list[Clustering] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    uploaded: list[Session | Clustering] = field(default_factory=list)

    @property
    def direct(self) -> list[Session | Clustering]:
        """Those that were named themselves."""
        return [*self.sessions, *self.clusterings]

    @property
    def owned(self) -> list[Session | Clustering | Upload]:
        """All that one has to own: the file of a correction may have brought records of several users."""
        return [*self.sessions, *self.clusterings, *self.uploads, *self.uploaded]

    @property
    def records(self) -> list[Session | Clustering]:
        """All of them, each one once."""
        rows = [*self.sessions, *self.clusterings, *self.uploaded]
        return list({(type(row), row.id): row for row in rows}.values())


def named(world: World, texts: Iterable[str]) -> Named:
    """Only exact ids name what is to be deleted. Raises Refusal for anything else, and for ids that there are not."""
    found = Named(ids=list(dict.fromkeys(texts)))
    found.sessions = _known(world.state.sessions, "s", found.ids)
    found.clusterings = _known(world.state.clusterings, "c", found.ids)
    found.uploads = _known(world.state.uploads, "u", found.ids)
    if not found.ids:
        raise Refusal("nothing-named", "No record was named.", "Give ids: s12, c34, or u56 for an upload.")
    for upload in found.uploads:
        found.uploaded += requested_by(world.state.sessions, upload)
        found.uploaded += requested_by(world.state.clusterings, upload)
    return found


def _known(rows: Rows[R], letter: str, ids: Sequence[str]) -> list[R]:
    numbers = [int(text[1:]) for text in ids if _exact(text) == letter]
    rows.prefetch(numbers)
    found = []
    for number in numbers:
        row = rows.get(number)
        if row is None:
            raise Refusal("not-found", f"There is no {letter}{number}.", "", NextStep(_LISTS[letter]))
        found.append(row)
    return found


def _exact(text: str) -> str:
    """The letter of an id."""
    match = _ID.fullmatch(text)
    if match is None:
        raise Refusal(
            "not-an-id",
            f'"{text}" is not the id of a session, a clustering or an upload.',
            "Give exact ids, never a location or a beginning: s12, c34, or u56 for all that came of an upload. "
            "The lists tell them",
            NextStep("list-sessions"),
        )
    return match[1]


def name_of(row: Session | Clustering | Upload) -> str:
    return f"{type(row).__name__[0].lower()}{row.id}"


def some_of(names: Sequence[str]) -> str:
    """For a sentence: the first few, and how many more there are."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def requested(world: World, row: Deletion) -> Named:
    """What a request for a deletion named."""
    return named(world, orjson.loads(row.records))


def rows_of(world: World, sessions: Iterable[int], clusterings: Iterable[int]) -> list[Session | Clustering]:
    return [
        *(world.state.sessions[number] for number in sessions),
        *(world.state.clusterings[number] for number in clusterings),
    ]
