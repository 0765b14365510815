"""A large ledger as a lab would have it: five events a session, written through the log in batches.

Each session is requested, waits for its probe association, is associated, is inserted, and has one clustering;
uploads hold 100 sessions. Bodies have the size of real ones (about 400 bytes on average).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from commands.door.actor import Actor
from commands.intake.validation import RecordCheck
from ledger import input_files, log
from ledger.database import Database
from ledger.envelope import NewEvent
from ledger.events import (
    Body,
    ClusteringInserted,
    DeletionRejected,
    DeletionRequested,
    InputFileProcessed,
    InputFileReceived,
    InputFileValidated,
    ProbeInserted,
    ProbesAssociated,
    ReferenceValueAdded,
    RoleGranted,
    SessionInserted,
    SessionInsertRequested,
    SessionWaiting,
    SubjectRegistered,
)
from projections.apply import apply
from projections.rows import State

SUBJECT = "0/12345"  # of single commands

SESSIONS_AN_UPLOAD = 100
REQUESTS = 200
_CONTENT = b"{}\n"
_FIRST = datetime(2000, 1, 1)


def fill(database: Database, events: int, *, project: bool = True) -> int:
    """Append at least ``events`` events; returns how many sessions they are. Live projections only if asked for."""
    via = Actor("user_1", "benchmark").via()
    sessions, upload = 0, 0
    while True:
        with database.writing() as transaction:
            head = log.lock_head(transaction)
            if head.size >= events:
                return sessions
            state = State(head.live_slot, transaction)
            input_files.keep(transaction, _CONTENT)
            for _ in range(10):
                batch = list(one_upload(head.size + 1, upload))
                cause = log.Cause(f"{upload:032x}", f"user_{upload % 7}", via, f"u{head.size + 1}")
                first = head.size + 1
                stored = log.append(transaction, head, batch, cause)
                log.write_receipt(transaction, cause.command_id, b"", first, head.size, "{}")
                sessions += SESSIONS_AN_UPLOAD
                upload += 1
                if project:
                    apply(state, stored)
            state.flush()


def add_a_lab(database: Database) -> int:
    """Subjects with two probes each, reference values, users, and requests that were rejected since; returns the
    position of the last request, behind which they were all open."""
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        state = State(head.live_slot, transaction)
        requested = list(_lab())
        start = head.size + 1 + len(requested)
        impact = {"sessions": [[1, 3]], "clusterings": [], "tasks": 3, "probes": 3, "users": {"user_1": 3}}
        wrong = DeletionRequested(records=["u1"], reason="wrong animal", impact=impact)
        numbers = range(start, start + REQUESTS)
        requested += [NewEvent(f"deletion/{n}", wrong, 0, "0/10001", "user_1") for n in numbers]
        rejected = DeletionRejected(reason="it was right")
        decided = [NewEvent(f"deletion/{n}", rejected, 1, "0/10001", "user_1") for n in numbers]
        for some in (requested, decided):
            cause = log.Cause(f"lab {len(some)}", "user_1", Actor("user_1", "benchmark").via(), "")
            first = head.size + 1
            apply(state, log.append(transaction, head, some, cause))
            log.write_receipt(transaction, cause.command_id, b"", first, head.size, "{}")
        state.flush()
    return numbers[-1]


def _lab() -> Iterator[NewEvent]:
    for number in range(50):
        name = str(10000 + number)
        stream = f"subject/0/{name}"
        yield NewEvent(stream, SubjectRegistered(datasource_id=0, name=name), 0, f"0/{name}")
        for probe in range(2):
            body = ProbeInserted(probe=f"npx_{number}_{probe}", insertion_time="2023-03-01 00:00:00")
            yield NewEvent(stream, body, 1 + probe, f"0/{name}")
    for number in range(200):
        body = ReferenceValueAdded(table="acquisition.Project", value=f"project_{number}")
        yield NewEvent("reference/acquisition.Project", body, number)
    for number in range(2, 32):  # user_1 is the admin
        yield NewEvent(f"user/user_{number}", RoleGranted(user=f"user_{number}", role="researcher"), None)


def one_upload(first: int, number: int) -> Iterator[NewEvent]:
    """The events of one upload that begins at position ``first``; ``number`` makes it differ from the others."""
    subject, user = f"0/{10000 + number % 50}", f"user_{number % 7}"

    def event(stream: str, body: Body, version: int | None = 0) -> NewEvent:
        return NewEvent(stream, body, version, subject, user)

    stream = f"upload/{first}"
    yield event(
        stream, InputFileReceived(filename="subject.yml", sha256=sha256(_CONTENT).hexdigest(), size_bytes=4)
    )
    yield event(stream, _validated())
    requested = first + 2
    for offset in range(SESSIONS_AN_UPLOAD):
        yield event(f"session/{requested + offset}", requested_session(subject, number, offset))
    for offset in range(SESSIONS_AN_UPLOAD):
        yield event(f"session/{requested + offset}", _waiting())
    for offset in range(SESSIONS_AN_UPLOAD):
        yield event(f"session/{requested + offset}", _associated(number, offset))
    position = first + 1 + 3 * SESSIONS_AN_UPLOAD
    for offset in range(SESSIONS_AN_UPLOAD):
        session = requested + offset
        yield event(f"session/{session}", _inserted(number, offset))
        position += 2
        yield event(f"clustering/{position}", _clustering(session, number, offset))
    outcomes = [
        {"index": i, "session": f"s{requested + i}", "outcome": "inserted", "reason": None} for i in range(3)
    ]
    yield event(stream, InputFileProcessed(sessions=outcomes, clusterings=[]))


def requested_session(subject: str, number: int, offset: int) -> SessionInsertRequested:
    location = f"N:/project/recordings/{subject[2:]}/{number}_{offset}"
    return SessionInsertRequested(
        datasource_id=0, subject=subject[2:], location=location, entry_index=offset, entry=_entry(location)
    )


def _entry(location: str) -> dict[str, object]:
    tasks = [
        {"task_type": "OpenField", "arena_apparatus": "150_square", "task_start": 27, "task_stop": 1533.5},
        {"task_type": "SleepTask", "task_start": 1587, "task_stop": 2110},
    ]
    return {
        "location": location,
        "experimenter": ["user_1"],
        "tasks": tasks,
        "room": "2.345",
        "project": ["my_project"],
    }


def _validated() -> InputFileValidated:
    return InputFileValidated(
        sessions=SESSIONS_AN_UPLOAD, clusterings=0, findings=[], unchanged_sessions=[], unchanged_clusterings=[],
        changed_sessions=[], changed_clusterings=[],
    )  # fmt: skip


def _waiting() -> SessionWaiting:
    return SessionWaiting(
        reason="probe-association",
        message='Probe association is required: "imec0" may be any of "probe_a", "probe_b".',
        found=[{"name": "imec0", "serial": None, "part_number": None}],
        inserted=["probe_a", "probe_b"],
    )


def _associated(number: int, offset: int) -> ProbesAssociated:
    return ProbesAssociated(
        association={"imec0": "probe_a"}, completed=_entry(f"N:/project/{number}_{offset}")
    )


def _inserted(number: int, offset: int) -> SessionInserted:
    second = number * SESSIONS_AN_UPLOAD + offset
    recording = {
        "system": "neuropixels",
        "name": "imec0",
        "file": "imec0/run_g0_t0.imec0.ap.meta",
        "serial": "18408403232",
    }
    probe = {
        "name": "imec0",
        "probe": "probe_a",
        "serial": "18408403232",
        "part_number": "NP1010",
        "shanks": 1,
    }
    task = {
        "task_type": "OpenField",
        "arena_apparatus": "150_square",
        "task_start": 27.0,
        "task_stop": 1533.5,
    }
    return SessionInserted(
        session_time=(_FIRST + timedelta(seconds=second)).isoformat(sep=" "),
        system="neuropixels",
        recordings=[recording],
        probes=[{**probe, "matched_by": "given"}],
        tasks=[task],
    )


def _clustering(session: int, number: int, offset: int) -> ClusteringInserted:
    return ClusteringInserted(
        session=session, curator="user_1", location=f"N:/project/recordings/{number}_{offset}/kilosort",
        curation_time="2023-04-05 12:13:14", curation_time_inherited=True, notes=None,
        outputs=[{"location": ".", "method": "kilosort", "probe_name": "imec0", "units": {"good": 40, "mua": 60}}],
    )  # fmt: skip


def check(number: int, _count: int) -> RecordCheck:
    """The smallest command there is: one event, one row of one projection."""
    return RecordCheck(
        filename="a.yml",
        sha256=f"{number:064x}",
        size_bytes=40_000,
        ok=True,
        stage=2,
        errors=0,
        warnings=0,
        subject=SUBJECT,
    )
