"""Records of any owner in any state, without recordings on any disk: their events are appended as they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.inputfile.read import read_input_file
from commands.intake.validation import Validation, check_file
from commands.lab.roles import GrantRole, RevokeRole
from commands.recordings.roots import Roots
from ledger import input_files, log
from ledger.envelope import NewEvent, StoredEvent
from ledger.events import (
    Body,
    ChangeRequested,
    ClusteringInsertRequested,
    CorrectionRequested,
    DeletionApproved,
    DeletionExecuted,
    DeletionRequested,
    InputFileProcessed,
    InputFileReceived,
    InputFileValidated,
    RedactionRequested,
    SessionDeleted,
    SessionInserted,
    SessionInsertRequested,
    SessionWaiting,
)
from tests.intake.lab import CATALOGUE, SUBJECT, document, load_catalogue, session
from tests.ledger.writing import append

SUBJECT_KEY = f"0/{SUBJECT}"
USERS = {"admin": "user_1", "researcher": "user_2", "auditor": "user_3", "none": "user_4"}
STRANGER = "user_9"  # who owns what nobody here does


class Stage:
    """A ledger on which user_1 is an admin, user_2 a researcher, user_3 an auditor, and nobody else anything."""

    def __init__(self, daybook: Daybook, url: str, share: Path) -> None:
        self.admin = daybook
        self.share = share
        self.roots = Roots.of({"N:": [str(share)]})
        self.daybooks = {"admin": daybook}
        self._made = 0
        load_catalogue(daybook, CATALOGUE)
        daybook.submit(GrantRole(user=USERS["researcher"], role="researcher"))
        daybook.submit(GrantRole(user=USERS["auditor"], role="auditor"))
        daybook.submit(RevokeRole(user="everyone", role="researcher"))
        for role in ("researcher", "auditor", "none"):
            self.daybooks[role] = Daybook.open(url, Actor(USERS[role]))

    def close(self) -> None:
        for role, daybook in self.daybooks.items():
            if role != "admin":
                daybook.close()

    def new(self) -> int:
        """A number that was not used before, for what has to be the only one of its name."""
        self._made += 1
        return self._made

    def size(self) -> int:
        with self.admin.reading() as world:
            return world.head.size

    def events(self, after: int) -> list[StoredEvent]:
        with self.admin.reading() as world:
            return log.read_all(world.transaction, after)

    def append(self, owner: str, correlation: str, *events: tuple[str, Body, int]) -> int:
        """Events of this owner as (stream, body, version before); the position of the first."""
        new = [
            NewEvent(stream, body, version, SUBJECT_KEY, owner, 0, correlation)
            for stream, body, version in events
        ]
        return append(self.admin.database, new, actor=owner)[0].position

    # --- records ----------------------------------------------------------------------------------------------------

    def upload(self, owner: str, *requests: Body) -> int:
        """An upload that was validated, with what it requests behind it."""
        data = f"{owner} {self.new()}".encode()
        with self.admin.database.writing() as transaction:
            input_files.keep(transaction, data)
        digest = sha256(data).hexdigest()
        sessions = sum(isinstance(request, SessionInsertRequested) for request in requests)
        upload = self.size() + 1
        numbered = [(f"{_kind(body)}/{upload + 2 + at}", body, 0) for at, body in enumerate(requests)]
        received = InputFileReceived(filename="12345.yml", sha256=digest, size_bytes=len(data))
        return self.append(
            owner,
            f"u{upload}",
            (f"upload/{upload}", received, 0),
            (f"upload/{upload}", _validated(sessions, len(requests) - sessions), 1),
            *numbered,
        )

    def processed(self, owner: str) -> int:
        upload = self.upload(owner)
        body = InputFileProcessed(sessions=[], clusterings=[])
        self.append(owner, f"u{upload}", (f"upload/{upload}", body, 2))
        return upload

    def pending(self, owner: str) -> int:
        """A session that its upload has asked for, with version 1."""
        return self.upload(owner, _request(self.new())) + 2

    def waiting(self, owner: str) -> int:
        number = self.pending(owner)
        body = SessionWaiting(reason="acquiring", message="It is being recorded.")
        self.append(owner, "", (f"session/{number}", body, 1))
        return number

    def inserted(self, owner: str) -> int:
        number = self.pending(owner)
        self.append(owner, "", (f"session/{number}", _inserted(self.new()), 1))
        return number

    def clustering(self, owner: str) -> int:
        """A multi-session clustering that is pending, with version 1."""
        one = self.inserted(owner)
        body = ClusteringInsertRequested(
            datasource_id=0, subject=SUBJECT, location=f"N:/joint/{self.new()}", entry_index=0, sessions=[one],
            entry={"group_name": f"g_{self._made}", "curator": "user_1"},
        )  # fmt: skip
        return self.upload(owner, body) + 2

    # --- requests ---------------------------------------------------------------------------------------------------

    def deletion(self, requester: str) -> int:
        one = self.inserted(STRANGER)
        body = DeletionRequested(records=[f"s{one}"], reason="wrong animal", impact=_impact(one))
        return self._requested(body, requester)

    def redaction(self, requester: str) -> int:
        """By somebody who was an admin then: else ``verify`` would not let it account for what is gone."""
        body = RedactionRequested(position=self.inserted(STRANGER), reason="a name")
        if requester == USERS["admin"]:
            return self._requested(body, requester)
        self.admin.submit(GrantRole(user=requester, role="admin"))
        number = self._requested(body, requester)
        role = next((role for role, user in USERS.items() if user == requester), "none")
        if role == "none":
            self.admin.submit(RevokeRole(user=requester, role="admin"))
        else:
            self.admin.submit(GrantRole(user=requester, role=role))
        return number

    def proposal(self, requester: str) -> int:
        table, value = "reference.ExperimentRoom", f"room_{self.new()}"
        change = {"action": "add-value", "table": table, "value": value, "attributes": {}}
        body = ChangeRequested(
            kind="proposal", records=[f"{table}: {value}"], reason="new", change=change, impact=_impact()
        )
        return self._requested(body, requester)

    def correction(self, requester: str) -> int:
        body = CorrectionRequested(
            upload=self.processed(STRANGER), reason="wrong probe", impact=_impact(), sessions=[], clusterings=[],
            carried_over=[],
        )  # fmt: skip
        return self._requested(body, requester)

    def executed(self, requester: str) -> int:
        one = self.inserted(STRANGER)
        body = DeletionRequested(records=[f"s{one}"], reason="wrong animal", impact=_impact(one))
        number = self._requested(body, requester)
        self.append(
            requester,
            f"d{number}",
            (f"deletion/{number}", DeletionApproved(), 1),
            (f"session/{one}", SessionDeleted(was="inserted"), 2),
            (f"deletion/{number}", DeletionExecuted(sessions=1, clusterings=0, tasks=0), 2),
        )
        return number

    def _requested(self, body: Body, requester: str) -> int:
        number = self.size() + 1
        return self.append(requester, f"d{number}", (f"deletion/{number}", body, 0))

    # --- input files ------------------------------------------------------------------------------------------------

    def checked(self, daybook: Daybook, *, owner: str | None = None) -> tuple[bytes, Validation]:
        """A file with one new session, checked by somebody."""
        folder = self.share / "rec" / f"new_{self.new()}"
        folder.mkdir(parents=True)
        data = document(session(folder.name))
        read = read_input_file(data, filename="12345.yml")
        validation, _ = check_file(daybook, read, self.roots, owner=owner, then=lambda checked: checked)
        assert validation.ok, validation.findings
        return data, validation


@contextmanager
def staged(daybook: Daybook, url: str, share: Path) -> Iterator[Stage]:
    stage = Stage(daybook, url, share)
    try:
        yield stage
    finally:
        stage.close()


def _kind(body: Body) -> str:
    return "session" if isinstance(body, SessionInsertRequested) else "clustering"


def _request(number: int) -> SessionInsertRequested:
    return SessionInsertRequested(
        datasource_id=0, subject=SUBJECT, location=f"N:/rec/date_{number}", entry_index=0,
        entry={"location": f"N:/rec/date_{number}", "experimenter": "user_1", "tasks": [], "clustering": False},
    )  # fmt: skip


def _inserted(number: int) -> SessionInserted:
    time = f"2023-05-01 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    return SessionInserted(session_time=time, system="spikeglx", recordings=[], probes=[], tasks=[])


def _validated(sessions: int, clusterings: int) -> InputFileValidated:
    return InputFileValidated(
        sessions=sessions, clusterings=clusterings, findings=[], unchanged_sessions=[], unchanged_clusterings=[],
        changed_sessions=[], changed_clusterings=[],
    )  # fmt: skip


def _impact(*sessions: int) -> dict[str, Any]:
    ranges = [(number, number) for number in sessions]
    users = {STRANGER: len(sessions)} if sessions else {}
    return {"sessions": ranges, "clusterings": [], "tasks": 0, "probes": 0, "users": users}
