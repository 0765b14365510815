"""Random histories of a lab, as events that commands could have appended: each is legal where it stands.

``History`` keeps what a legal next event depends on, and nothing of the projections: it is their independent
model as far as it goes. What is done about wrong data comes on top of it in ``wrong_data``, and everything else that
the log can hold in ``whole_history``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ledger.events import (
    Body,
    ClusteringAmended,
    ClusteringEntryRenewed,
    ClusteringInserted,
    ClusteringInsertFailed,
    ClusteringInsertRequested,
    ClusteringMoved,
    ClusteringSubjectRenamed,
    ClusteringSuperseded,
    ClusteringWaiting,
    DiskLookedAt,
    InputFileChecked,
    InputFileProcessed,
    InputFileReceived,
    InputFileRejected,
    InputFileValidated,
    MoreFound,
    ProbeInserted,
    ProbesAssociated,
    SessionAmended,
    SessionAnnotated,
    SessionEntryRenewed,
    SessionInserted,
    SessionInsertFailed,
    SessionInsertRequested,
    SessionMoved,
    SessionSettled,
    SessionSubjectRenamed,
    SessionSuperseded,
    SessionWaiting,
    SubjectRegistered,
    SubjectRenamed,
    TasksAdded,
    UploadSubjectRenamed,
)
from tests.projections.catalogue_history import PROBES, USERS, CatalogueHistory
from tests.projections.choices import Choices

GROUPS = ("group_1", "group_2", "group_3")


STANDING = ("pending", "waiting", "inserted")


@dataclass
class Entry:
    """A session or a clustering as the history knows it. ``key`` is the dedup key: the location, or the name of the
    group; a clustering of one session has none. ``sessions`` are those that a clustering stands on, ``moved`` the event
    by which a session lies where it lies."""

    id: int
    subject: str
    username: str
    upload: int
    index: int
    key: str
    status: str = "pending"
    position: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    tasks: int = 0
    time: str | None = None
    sessions: list[int] = field(default_factory=list)
    replaces: int | None = None
    replaced_by: int | None = None
    moved: int = 0

    @property
    def stands(self) -> bool:
        return self.status in STANDING

    @property
    def counts(self) -> bool:
        """Among the entries of its upload; a clustering of one session is a part of that session's."""
        return bool(self.key)


@dataclass
class Upload:
    id: int
    subject: str
    username: str
    open: bool = True


def _other_name(subject: str) -> str:
    """Of a key, as a name."""
    name = subject[2:]
    return name[:-2] if name.endswith(" B") else f"{name} B"


class History(CatalogueHistory):
    """``sessions``, ``clusterings`` and who holds which key say what has come of the steps so far."""

    def __init__(self, choices: Choices, size: int, prefix: str = "") -> None:
        super().__init__(choices, size, prefix)
        self.places = [f"N:/data{prefix}/{number}" for number in range(10)]
        self.group_names = [prefix + name for name in GROUPS]
        self.uploads: list[Upload] = []
        self.sessions: list[Entry] = []
        self.clusterings: list[Entry] = []
        self.locations: dict[str, int] = {}
        self.times: dict[tuple[str, str], int] = {}
        self.groups: dict[str, int] = {}

    def _always(self) -> list[Callable[[], str]]:
        return [*super()._always(), self._reject, self._check]

    def _possibly(self) -> list[tuple[Callable[[], str], Any]]:
        return [
            *super()._possibly(),
            (self._upload, len(self.locations) < len(self.places)),
            (self._settle_sessions, self._with_status(self.sessions, "pending", "waiting")),
            (self._settle_sessions, self._with_status(self.sessions, "pending", "waiting")),
            (self._associate, self._with_status(self.sessions, "waiting")),
            (self._decide, self._with_status(self.sessions, "waiting")),
            (self._renew, self._with_status(self.sessions, "pending", "waiting")),
            (self._renew_clustering, self._renewable()),
            (self._look, self._with_status(self.sessions, "inserted")),
            (self._supersede, self._superseded()),
            (self._add_tasks, self._taskless()),
            (self._annotate, self._with_status(self.sessions, "pending", "waiting", "inserted")),
            (self._amend_something, any(one.stands for one in self.sessions)),
            (self._move, self._movable()),
            (self._settle_clustering, self._with_status(self.clusterings, "pending", "waiting")),
            (self._process, any(upload.open for upload in self.uploads)),
            (self._rename_subject, self._renamable()),
        ]

    @staticmethod
    def _with_status(entries: Sequence[Entry], *statuses: str) -> list[Entry]:
        return [entry for entry in entries if entry.status in statuses]

    def _session(self, number: int) -> Entry:
        return next(one for one in self.sessions if one.id == number)

    def _taskless(self) -> list[Entry]:
        return [
            one for one in self._with_status(self.sessions, "pending", "waiting", "inserted") if not one.tasks
        ]

    # --- uploads

    def _check(self) -> str:
        body = InputFileChecked(
            filename="subject_1.yml", sha256="0" * 64, size_bytes=1, ok=False, stage=1, errors=2, warnings=0
        )
        self._emit(f"check/{self.position + 1}", body, username=self.choices.choose(USERS))
        return ""

    def _received(self, subject: str, username: str) -> tuple[int, str]:
        number = self.position + 1
        content = f"sessions: []  # {self.group_names[0]} {number}\n".encode()
        self._files.append(content)
        body = InputFileReceived(
            filename=f"subject_{number}.yml", sha256=sha256(content).hexdigest(), size_bytes=len(content)
        )
        self._emit(f"upload/{number}", body, subject, username)
        return number, f"u{number}"

    def _reject(self) -> str:
        username = self.choices.choose(USERS)
        number, correlation = self._received("", username)
        severities = [self.choices.choose(["error", "warning"]) for _ in range(self.choices.number(0, 3))]
        body = InputFileRejected(
            stage=self.choices.number(0, 2), findings=[{"severity": one} for one in severities]
        )
        self._emit(f"upload/{number}", body, "", username)
        return correlation

    def _upload(self) -> str:
        if not self.registered:
            self._register()
        subject, username = self.choices.choose(self.registered), self.choices.choose(USERS)
        number, correlation = self._received(subject, username)
        free = [place for place in self.places if place not in self.locations]
        sessions = free[: self.choices.number(0, 3)]
        groups = [name for name in self.group_names if name not in self.groups][: self.choices.number(0, 1)]
        known = self.choices.number(0, 2)
        body = InputFileValidated(
            sessions=len(sessions) + known, clusterings=len(groups), findings=[],
            unchanged_sessions=[(0, known - 1)] if known else [], unchanged_clusterings=[],
            changed_sessions=[{"index": 9, "session": "s1", "differences": []}] if known == 2 else [],
            changed_clusterings=[],
        )  # fmt: skip
        self._emit(f"upload/{number}", body, subject, username)
        self.uploads.append(Upload(number, subject, username))
        for index, location in enumerate(sessions, start=known):
            self._request_session(self.uploads[-1], index, location)
        for index, group in enumerate(groups):
            own = [one.id for one in self.sessions if one.subject == subject and one.stands]
            self._request_clustering(self.uploads[-1], index, group, own[-2:])
        return correlation

    def _request_session(
        self, upload: Upload, index: int, location: str, replaces: int | None = None
    ) -> None:
        entry: dict[str, Any] = {"location": location.lower(), "experimenter": ["user_2"], "tasks": []}
        for name, value in (("name", f"session_{index}"), ("room", "2.345"), ("project", ["a", "b"])):
            if (given := self._maybe(value)) is not None:
                entry[name] = given
        number = self.position + 1
        body = SessionInsertRequested(
            datasource_id=0, subject=upload.subject[2:], location=location, entry_index=index, entry=entry,
            replaces=replaces,
        )  # fmt: skip
        self._request("session", upload, body)
        session = Entry(number, upload.subject, upload.username, upload.id, index, location, position=number)
        session.body, session.replaces = entry, replaces
        self.sessions.append(session)
        self.locations[location] = number

    def _request(self, kind: str, upload: Upload, body: Body) -> None:
        stream = f"{kind}/{self.position + 1}"
        self._emit(stream, body, upload.subject, upload.username, upload.id, correlation=f"u{upload.id}")

    def _request_clustering(
        self, upload: Upload, index: int, group: str, sessions: list[int], replaces: int | None = None
    ) -> None:
        entry = {"group_name": group, "curator": "user_2", "notes": self._maybe("well isolated")}
        number = self.position + 1
        body = ClusteringInsertRequested(
            datasource_id=0, subject=upload.subject[2:], location=f"N:/{group}", entry_index=index,
            sessions=sessions, entry=entry, replaces=replaces,
        )  # fmt: skip
        self._request("clustering", upload, body)
        clustering = Entry(number, upload.subject, upload.username, upload.id, index, group, position=number)
        clustering.sessions, clustering.replaces = list(sessions), replaces
        self.clusterings.append(clustering)
        self.groups[group] = number

    def _process(self) -> str:
        upload = self.choices.choose([upload for upload in self.uploads if upload.open])
        upload.open = False

        def became(entries: Sequence[Entry], kind: str) -> list[dict[str, Any]]:
            return [
                {"index": one.index, kind: one.id, "outcome": one.status, "reason": None}
                for one in entries
                if one.upload == upload.id and one.counts
            ]

        body = InputFileProcessed(
            sessions=became(self.sessions, "session"), clusterings=became(self.clusterings, "clustering")
        )
        self._emit(f"upload/{upload.id}", body, upload.subject, upload.username)
        return f"u{upload.id}"

    def _renamable(self) -> list[str]:
        """Those whose other name is nobody's, and nothing of which stands: a subject that is taken back leaves some here."""
        taken = {
            *self.registered,
            *(one.subject for one in [*self.sessions, *self.clusterings] if one.stands),
        }
        return [subject for subject in self.registered if f"0/{_other_name(subject)}" not in taken]

    def _rename_subject(self) -> str:
        """Each has two names, which it has in turn; so subjects stay apart, as in a rebuild by two processes."""
        old = self.choices.choose(self._renamable())
        name = _other_name(old)
        new, names = f"0/{name}", {"subject": name, "instead_of": old[2:]}
        body = SubjectRenamed(name=old[2:], new_name=name, reason="Mistyped.")
        at = self._emit(f"subject/{old}", body, old)
        there = {probe: inserted for (subject, probe), inserted in self.inserted.items() if subject == old}
        for probe in there:
            self._insertion_taken_back((old, probe), None)
        registered = SubjectRegistered(datasource_id=0, name=name, instead_of=old[2:])
        self._emit(f"subject/{new}", registered, new, causation=at)
        for probe in there:
            again = ProbeInserted(probe=probe, insertion_time="2023-03-01 00:00:00")
            self._emit(f"subject/{new}", again, new, causation=at)
            self.inserted[new, probe] = True
        self.registered.remove(old)
        self.registered.append(new)
        for upload in [each for each in self.uploads if each.subject == old]:
            renamed = UploadSubjectRenamed(**names)
            self._emit(f"upload/{upload.id}", renamed, new, upload.username, at)
            upload.subject = new
        for kind, record in [
            *(("session", one) for one in self.sessions), *(("clustering", one) for one in self.clusterings),
        ]:  # fmt: skip
            if record.subject == old:
                event = SessionSubjectRenamed if kind == "session" else ClusteringSubjectRenamed
                self._emit(f"{kind}/{record.id}", event(**names), new, record.username, at)
                record.subject = new
        for key in [key for key in self.times if key[0] == old]:
            self.times[new, key[1]] = self.times.pop(key)
        return ""

    # --- stage 3

    def _settle_sessions(self) -> str:
        unsettled = self._with_status(self.sessions, "pending", "waiting")
        for session in unsettled[: self.choices.number(1, 3)]:
            self.choices.choose([self._insert, self._insert, self._insert, self._wait, self._fail])(session)
        return ""

    def _of_session(self, session: Entry, body: Body, status: str | None = None) -> None:
        self._of("session", session, body, status)

    def _of(self, kind: str, record: Entry, body: Body, status: str | None = None) -> None:
        stream = f"{kind}/{record.id}"
        position = self._emit(stream, body, record.subject, record.username, record.position)
        if status is not None:
            record.status, record.position = status, position

    def _insert(self, session: Entry) -> None:
        time = f"2023-05-0{self.choices.number(1, 9)} 10:00:00"
        if (session.subject, time) in self.times:
            self._fail(session)
            return
        self.times[session.subject, time] = session.id
        session.time = time
        names = PROBES[: self.choices.number(0, 2)]
        probes = [
            {"name": f"imec{at}", "probe": name, "serial": self._maybe("18408403232"), "part_number": None,
             "shanks": self._maybe(4), "matched_by": "serial"}
            for at, name in enumerate(names)
        ]  # fmt: skip
        tasks = [] if session.tasks or self.choices.number(0, 1) else self._tasks()
        session.tasks = session.tasks or len(tasks)
        body = SessionInserted(
            session_time=time, system="SpikeGLX", recordings=[{"start": time}], probes=probes,
            tasks=tasks or self._completed_tasks(session), remarks=self._remarks(), open=self._open(),
        )  # fmt: skip
        self._of_session(session, body, "inserted")
        for at in range(self.choices.number(0, 2)):
            clustering = ClusteringInserted(
                session=session.id, curator="user_2", location=f"{session.key}/{at}",
                curation_time="2023-06-01 00:00:00", curation_time_inherited=False, notes=self._maybe("ok"), outputs=[],
            )  # fmt: skip
            number = self.position + 1
            self._emit(
                f"clustering/{number}", clustering, session.subject, session.username, session.position
            )
            own = Entry(number, session.subject, session.username, session.upload, session.index, "")
            own.status, own.position, own.sessions = "inserted", number, [session.id]
            self.clusterings.append(own)

    def _completed_tasks(self, session: Entry) -> list[dict[str, Any]]:
        return self._tasks(session.tasks) if session.tasks else []

    def _tasks(self, count: int | None = None) -> list[dict[str, Any]]:
        count = self.choices.number(1, 3) if count is None else count
        return [
            {"task_type": "OpenField", "arena_apparatus": self._maybe("150_square"),
             "task_start": 10 * at + 0.1, "task_stop": self._maybe(10 * at + 5), "stop_inferred": bool(at % 2), "notes": self._maybe("é"),
             "objects": [{"object_name": "object_1", "coord_x": 0.5, "coord_y": 1}] if at else []}
            for at in range(count)
        ]  # fmt: skip

    def _wait(self, session: Entry) -> None:
        reason = self.choices.choose(["probe-association", "sessions-txt", "acquiring"])
        self._of_session(session, SessionWaiting(reason=reason, message=f"Waits: {reason}."), "waiting")

    def _fail(self, session: Entry) -> None:
        self._of_session(
            session, SessionInsertFailed(code="no-recordings", message="Nothing there."), "error"
        )
        del self.locations[session.key]

    def _associate(self) -> str:
        session = self.choices.choose(self._with_status(self.sessions, "waiting"))
        session.body = session.body | {"probe_association": {"imec0": "npx_1"}}
        body = ProbesAssociated(association={"imec0": "npx_1"}, completed=session.body)
        self._of_session(session, body, "pending")
        return f"u{session.upload}"

    def _decide(self) -> str:
        session = self.choices.choose(self._with_status(self.sessions, "waiting"))
        body = SessionSettled(
            despite_dates=bool(self.choices.number(0, 1)), without=["imec1"] if self.choices.number(0, 1) else [],
            as_crashed=False, start=self._maybe("2023-05-01 10:00:00"), reason="It is so.",
        )  # fmt: skip
        self._of_session(session, body, "pending")
        return ""

    def _renew(self) -> str:
        session = self.choices.choose(self._with_status(self.sessions, "pending", "waiting"))
        session.body = session.body | {
            "experimenter": ["user_2"],
            "notes": "newer",
            "name": self._maybe("newer"),
        }
        self._of_session(session, SessionEntryRenewed(entry=session.body, completed=session.body), "pending")
        return f"u{session.upload}"

    def _renewable(self) -> list[Entry]:
        waiting = self._with_status(self.clusterings, "pending", "waiting")
        return [one for one in waiting if one.key and len(one.sessions) > 1]

    def _renew_clustering(self) -> str:
        """It stands on its sessions in another order, or on all but the last."""
        clustering = self.choices.choose(self._renewable())
        before, kept = list(clustering.sessions), clustering.sessions[: self.choices.number(1, 2)]
        body = ClusteringEntryRenewed(
            location=f"N:/{clustering.key}/newer", sessions=kept, instead_of=before,
            entry={"curator": "user_1", "group_name": clustering.key, "notes": self._maybe("newer")},
        )  # fmt: skip
        clustering.sessions = list(kept)
        self._of("clustering", clustering, body, "pending")
        return f"u{clustering.upload}"

    def _remarks(self) -> list[dict[str, Any]]:
        codes = ("lf-only", "auxiliary-stream")[: self.choices.number(0, 2)]
        return [{"code": code, "name": "imec1", "files": [], "message": "Left."} for code in codes]

    def _open(self) -> list[str]:
        return ["clustering", "data"][: self.choices.number(0, 2)]

    def _look(self) -> str:
        session = self.choices.choose(self._with_status(self.sessions, "inserted"))
        if self.choices.number(0, 1):
            self._emit(f"look/{self.position + 1}", DiskLookedAt(sessions=[(1, session.id)]))
            return ""
        self._of_session(
            session, MoreFound(recordings=[], probes=[], remarks=self._remarks(), open=self._open())
        )
        return ""

    def _superseded(self) -> list[Entry]:
        """Failures that something newer came after."""
        return self._with_status([*self.sessions[:-1], *self.clusterings[:-1]], "error")

    def _supersede(self) -> str:
        failed = self.choices.choose(self._superseded())
        if failed in self.sessions:
            failed.replaced_by = self.sessions[-1].id
            self._of_session(failed, SessionSuperseded(by=failed.replaced_by))
        else:
            failed.replaced_by = self.clusterings[-1].id
            self._of("clustering", failed, ClusteringSuperseded(by=failed.replaced_by))
        return ""

    def _add_tasks(self) -> str:
        session = self.choices.choose(self._taskless())
        tasks = self._tasks()
        session.tasks = len(tasks)
        session.body = session.body | {"tasks": tasks}
        resolved = tasks if session.status == "inserted" else None
        self._of_session(session, TasksAdded(completed=session.body, tasks=resolved))
        return f"u{session.upload}"

    def _annotate(self) -> str:
        session = self.choices.choose(self._with_status(self.sessions, "pending", "waiting", "inserted"))
        fields = {"room": "1.1", "project": ["c"]} if self.choices.number(0, 1) else {"notes": "later"}
        session.body = session.body | fields
        self._of_session(session, SessionAnnotated(fields=fields, completed=session.body))
        return ""

    def _amend_something(self) -> str:
        is_session = self.choices.number(0, 1) or not any(one.stands for one in self.clusterings)
        return self._amend() if is_session else self._amend_clustering()

    def _amend(self) -> str:
        session = self.choices.choose(self._with_status(self.sessions, "pending", "waiting", "inserted"))
        fields: dict[str, Any] = {"experimenter": ["user_2", "user_1"], "room": "3.3"}
        tasks, probes = None, None
        if session.status == "inserted":
            session.tasks += self.choices.number(0, 2)
            tasks = self._tasks(session.tasks) if session.tasks else None
            probes = self._maybe([{"name": "imec0", "probe": "npx_2", "matched_by": "given"}])
            fields |= {"tasks": tasks} if tasks else {}
        session.body = session.body | fields
        self._of_session(
            session, SessionAmended(fields=fields, completed=session.body, tasks=tasks, probes=probes)
        )
        return ""

    def _amend_clustering(self) -> str:
        clustering = self.choices.choose([one for one in self.clusterings if one.stands])
        self._of("clustering", clustering, ClusteringAmended(curator="user_1"))
        return ""

    def _movable(self) -> list[Entry]:
        """Inserted, while there is a place that nobody holds."""
        free = len(self.locations) < len(self.places)
        return self._with_status(self.sessions, "inserted") if free else []

    def _move(self) -> str:
        session = self.choices.choose(self._movable())
        place = self.choices.choose([place for place in self.places if place not in self.locations])
        own = [one for one in self.clusterings if one.sessions == [session.id] and one.stands]
        left, along = own[:1], own[1:]
        session.body = session.body | {"location": place.lower()}
        body = SessionMoved(
            location=place, leads_to=None, instead_of=session.key, completed=session.body,
            renamed=[{"name": "imec0", "new_name": "imec0/0"}] if self.choices.number(0, 1) else [],
            left=[one.id for one in left],
        )  # fmt: skip
        if self.locations.get(session.key) == session.id:
            del self.locations[session.key]
        session.key, self.locations[place] = place, session.id
        self._of_session(session, body)
        session.moved = self.position
        for one in along:
            self._of("clustering", one, ClusteringMoved(location=f"{place}/0", instead_of="N:/0"))
        return ""

    def _settle_clustering(self) -> str:
        clustering = self.choices.choose(self._with_status(self.clusterings, "pending", "waiting"))
        outcomes: list[tuple[Body, str]] = [
            (ClusteringWaiting(reason="clustering-sessions", message="Not all inserted yet."), "waiting"),
            (ClusteringInsertFailed(code="session-failed", message="One failed."), "error"),
        ]
        if all(self._session(number).status == "inserted" for number in clustering.sessions):
            body = ClusteringInserted(
                session=None, curator="user_2", location=f"N:/{clustering.key}", curation_time="2023-06-01 00:00:00",
                curation_time_inherited=True, notes=None, outputs=[{"probe": "imec0"}],
            )  # fmt: skip
            outcomes.append((body, "inserted"))
        body, status = self.choices.choose(outcomes)
        self._of("clustering", clustering, body, status)
        if status == "error":
            del self.groups[clustering.key]
        return ""
