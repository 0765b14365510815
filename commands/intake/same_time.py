"""Two sessions of a subject that start at the same time: a copy, the other half of a run, or two recordings.

It says which. Reads the ledger; touches no disk.
"""

from dataclasses import dataclass
from typing import Any

from commands.door.world import World
from commands.intake.recognised import when
from commands.recordings.spikeglx_files import run_of
from ledger import log
from ledger.bodies import body_of
from ledger.events import SessionInserted, SessionInsertFailed
from projections.records import Redaction, Session

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Other:
    """The session that has the session_time. ``found`` is what was inserted."""

    session: int
    location: str
    found: Plain

    @classmethod
    def of(cls, world: World, session: int) -> "Other":
        stream = log.read_stream(world.transaction, f"session/{session}")
        inserted = [event for event in stream if event.type == "SessionInserted"]
        found = body_of(inserted[-1]) if inserted else {"recordings": []}
        return cls(session, world.state.sessions[session].location, found)


def same_time(other: Other, event: SessionInserted, session: Session) -> SessionInsertFailed:
    message = f"Session s{other.session} of this subject has the same session_time, {event.session_time}"
    code = "session-time-taken"
    if is_other_half(other.found["recordings"], event.recordings):
        code = "other-half"
        message += f": this is the other half of its run, with other probes, at {session.location}."
        hint = f"Put both halves into one directory, beside {other.location} or linked into it, and enter that one."
    elif is_copy(other.found["recordings"], event.recordings):
        message += ", and is the same recording."
        hint = f"{session.location} is a copy of {other.location}: take its entry out of the file. If the recording is "
        hint += "to move here, let it lie here alone, and upload a file that has only this location of it."
    else:
        message += ", and is another recording."
        hint = "One of the two clocks was wrong, or they are parts of one session: give the directory that holds both."
    return SessionInsertFailed(code=code, message=message, hint=hint, taken_by=other.session)


def same_time_as_redacted(other: Session, redaction: Redaction) -> SessionInsertFailed:
    """What it was is gone: whether this is the same recording, nobody can tell any more."""
    return SessionInsertFailed(
        code="session-time-redacted",
        message=f"Session s{other.id} of this subject, which was redacted {when(redaction)}, started at the same time.",
        hint="It is the same recording, at another place: take the entry out of the file.",
        taken_by=other.id,
    )


def is_other_half(one: list[Plain], other: list[Plain]) -> bool:
    """The same run of SpikeGLX, with other probes: it was recorded onto two drives."""
    runs = [{run for r in some if (run := run_of(str(r.get("file"))))} for some in (one, other)]
    return bool(runs[0] & runs[1]) and not _serials(one) & _serials(other) and bool(_serials(one))


def is_copy(one: list[Plain], other: list[Plain]) -> bool:
    """The same recordings: of a probe with the same serial number, or of one without, as long and as large."""

    def marks(recordings: list[Plain]) -> set[tuple[Any, ...]]:
        names = ("serial", "start", "duration_s", "file_bytes")
        return {tuple(r.get(name) for name in names) for r in recordings}

    return bool(marks(one) & marks(other))


def _serials(recordings: list[Plain]) -> set[str]:
    return {str(r["serial"]) for r in recordings if r.get("serial")}
