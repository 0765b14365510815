"""What stage 3 finds of sessions: a batch of them as the ledger has them, and what their directories say. Knows no
ledger.

So it can be done anywhere, also in a process that has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.door.incidents import record
from commands.inputfile.canonical import session_entry_from_json
from commands.intake.association import Implanted
from commands.intake.insertion import Decided, Find, Present, SessionOutcome, insert_session
from commands.intake.reading import looked_at_each
from commands.intake.settled import SettledClustering, SettledSession, failure
from commands.recordings.insertions import Insertion
from commands.recordings.roots import Roots
from commands.recordings.search import Search
from ledger.errors import Refusal
from ledger.events import SessionInsertFailed


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that is not settled. ``entry`` is its canonical JSON text, ``decided`` what a person decided on it;
    ``taken`` are the probes on disk at its location that another session has."""

    session: int
    version: int
    entry_index: int
    subject: str
    username: str
    location: str
    entry: str
    decided: str | None
    taken: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Sessions that are looked at together, and what all of them are judged by."""

    sessions: tuple[OpenSession, ...]
    insertions: tuple[Insertion, ...]
    experimenters: frozenset[str]


def look_at(batch: Batch, roots: Roots, incidents: Path | None) -> list[SettledSession]:
    """Several at once where their directories answer slowly, as on a file server. ``incidents``: see ``failure_of``."""
    find = Search(roots).directory  # of one batch: it remembers the directories above the sessions'

    def look(one: OpenSession) -> SettledSession:
        return _look(one, batch, roots, find, incidents)

    return list(looked_at_each(batch.sessions, look))


def _look(one: OpenSession, batch: Batch, roots: Roots, find: Find, incidents: Path | None) -> SettledSession:
    try:
        outcome: SessionOutcome = insert_session(
            session_entry_from_json(one.entry, one.entry_index),
            one.location,
            roots=roots,
            find=find,
            present=Present(
                Implanted(one.subject, batch.insertions, one.taken),
                batch.experimenters,
                Decided.of(one.decided),
            ),
            uploader=one.username,
            session=one.session,
        )
    except Exception as fault:  # noqa: BLE001 - at stage 3 each entry stands alone
        failed = SessionInsertFailed(**failure_of(fault, incidents))
        return SettledSession(session=one.session, version=one.version, event=failed)
    return SettledSession(
        session=one.session,
        version=one.version,
        event=outcome.event,
        clusterings=list(outcome.clusterings),
        waiting=[
            SettledClustering(entry=each.entry, location=each.location, event=each.event)
            for each in outcome.waiting
        ],
    )


def failure_of(fault: Exception, incidents: Path | None) -> dict[str, Any]:
    """Why an entry failed that could not be looked at or stored: a refusal of the database, or a fault of the
    program, of which the incident is kept in that folder, if there is one.
    """
    if isinstance(fault, Refusal):
        return {"code": fault.code, "message": fault.message, "hint": fault.hint}
    return failure(record(fault, verb="stage 3", beside=incidents)[0])
