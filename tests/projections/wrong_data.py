"""Random histories in which wrong data is found and resolved: withdrawn, deleted, restored, corrected.

``WrongDataHistory`` goes on from what ``History`` knows. The impact of a request is worked out here once more, from
what stands on what.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from ledger.events import (
    Body,
    ChangeRequested,
    ClusteringCarriedOver,
    ClusteringDeleted,
    ClusteringRestored,
    ClusteringWithdrawn,
    CorrectionExecuted,
    CorrectionRequested,
    DeletionApproved,
    DeletionCancelled,
    DeletionExecuted,
    DeletionImpactGrown,
    DeletionRejected,
    DeletionRequested,
    DeletionRestored,
    InputFileValidated,
    SessionDeleted,
    SessionRestored,
    SessionWithdrawn,
)
from tests.projections.catalogue_history import USERS
from tests.projections.choices import Choices
from tests.projections.histories import Entry, History, Upload

ROLES = ("researcher", "admin", "auditor")
REASON = "The wrong animal."


@dataclass
class Request:
    """A deletion, a correction or a redaction as the history knows it. ``shown`` are the ids of the records that
    would go, as they were shown last; ``gone`` those that went, with their status before."""

    id: int
    kind: str
    subject: str
    username: str
    position: int
    sessions: list[int] = field(default_factory=list)
    clusterings: list[int] = field(default_factory=list)
    upload: Upload | None = None
    redacts: int = 0
    shown: tuple[list[int], list[int]] = ([], [])
    gone: dict[int, str] = field(default_factory=dict)
    status: str = "requested"


class WrongDataHistory(History):
    """``requests`` says what has come of the steps so far."""

    def __init__(self, choices: Choices, size: int, prefix: str = "") -> None:
        super().__init__(choices, size, prefix)
        self.requests: list[Request] = []

    def _possibly(self) -> list[tuple[Callable[[], str], Any]]:
        requested = [request for request in self.requests if request.status == "requested"]
        return [
            *super()._possibly(),
            (self._withdraw, self._withdrawable()),
            (self._request_deletion, any(one.stands for one in chain(self.sessions, self.clusterings))),
            (self._request_correction, self._correctable()),
            (self._request_correction, self._correctable()),
            (self._request_change, self.sessions),
            (self._approve, requested),
            (self._approve, requested),
            (self._show_what_has_grown, self._grown()),
            (self._turn_down, requested),
            (self._restore, self._restorable()),
        ]

    # --- withdrawing

    def _withdrawable(self) -> list[Entry]:
        return self._with_status([*self.sessions, *self.clusterings], "pending", "waiting", "error")

    def _withdraw(self) -> str:
        record = self.choices.choose(self._withdrawable())
        if record in self.sessions:
            self._give_up_keys(record)
            self._of_session(record, SessionWithdrawn(), "withdrawn")
        else:
            self._give_up_group(record)
            self._of("clustering", record, ClusteringWithdrawn(), "withdrawn")
        return ""

    def _give_up_keys(self, session: Entry) -> None:
        if self.locations.get(session.key) == session.id:
            del self.locations[session.key]
        if session.time is not None and self.times.get((session.subject, session.time)) == session.id:
            del self.times[session.subject, session.time]

    def _give_up_group(self, clustering: Entry) -> None:
        if self.groups.get(clustering.key) == clustering.id:
            del self.groups[clustering.key]

    # --- requests

    def _opened(self, kind: str, subject: str, username: str, body: Body) -> Request:
        number = self.position + 1
        self._emit(f"deletion/{number}", body, subject, username, correlation=f"d{number}")
        request = Request(number, kind, subject, username, number)
        self.requests.append(request)
        return request

    def _of_request(self, request: Request, body: Body, status: str | None = None) -> None:
        stream = f"deletion/{request.id}"
        request.position = self._emit(
            stream, body, request.subject, request.username, request.position, correlation=f"d{request.id}"
        )
        request.status = status or request.status

    def _standing_on(
        self, sessions: Iterable[int], clusterings: Iterable[int]
    ) -> tuple[list[int], list[int]]:
        """What still stands of these, and the clusterings that stand on one of these sessions."""
        going = {one.id for one in self.sessions if one.stands and one.id in set(sessions)}
        falling = {
            one.id
            for one in self.clusterings
            if one.stands and (one.id in set(clusterings) or going.intersection(one.sessions))
        }
        return sorted(going), sorted(falling)

    def _impact(self, going: tuple[list[int], list[int]]) -> dict[str, Any]:
        users: dict[str, int] = {}
        for one in [*self.sessions, *self.clusterings]:
            if one.id in going[0] or one.id in going[1]:
                users[one.username] = users.get(one.username, 0) + 1
        return {
            "sessions": [(number, number) for number in going[0]],
            "clusterings": [(number, number) for number in going[1]],
            "tasks": self._tasks_of(going[0]),
            "probes": 0,
            "users": users,
        }

    def _tasks_of(self, sessions: Iterable[int]) -> int:
        return sum(one.tasks for one in map(self._session, sessions) if one.status == "inserted")

    def _request_deletion(self) -> str:
        """Of one to three records, of one subject or of several."""
        standing = [one for one in [*self.sessions, *self.clusterings] if one.stands]
        named = [self.choices.choose(standing) for _ in range(self.choices.number(1, 3))]
        sessions = sorted({one.id for one in named if one in self.sessions})
        clusterings = sorted({one.id for one in named if one in self.clusterings})
        going = self._standing_on(sessions, clusterings)
        subjects = {one.subject for one in named}
        body = DeletionRequested(
            records=[f"s{number}" for number in sessions] + [f"c{number}" for number in clusterings],
            reason=REASON,
            impact=self._impact(going),
        )
        request = self._opened(
            "deletion", subjects.pop() if len(subjects) == 1 else "", self.choices.choose(USERS), body
        )
        request.sessions, request.clusterings, request.shown = sessions, clusterings, going
        return f"d{request.id}"

    def _request_change(self) -> str:
        """A proposal, or that a subject's insertion is taken back with what stands on it."""
        standing = [one for one in self.sessions if one.stands]
        if not standing or self.choices.number(0, 1):
            value = self.choices.number(0, 30)
            change = {
                "action": "add-value",
                "table": self.tables[0],
                "value": f"value_{value}",
                "attributes": {},
            }
            body = ChangeRequested(
                kind="proposal", records=[f"{self.tables[0]}: value_{value}"], reason=REASON, change=change,
                impact=self._impact(([], [])),
            )  # fmt: skip
            return f"d{self._opened('proposal', '', self.choices.choose(USERS), body).id}"
        subject = self.choices.choose(standing).subject
        sessions = [one.id for one in standing if one.subject == subject]
        going = self._standing_on(sessions, [])
        change = {
            "action": "take-back-insertion",
            "subject": subject,
            "probe": "npx_1",
            "insertion_time": "then",
        }
        body = ChangeRequested(
            kind="taking-back", records=["probe:npx_1", f"subject:{subject[2:]}"], reason=REASON, change=change,
            impact=self._impact(going),
        )  # fmt: skip
        request = self._opened("taking-back", subject, self.choices.choose(USERS), body)
        request.sessions, request.shown = sessions, going
        return f"d{request.id}"

    def _correctable(self) -> list[Entry]:
        """A file cannot name the place of a session whose location was redacted."""
        return [one for one in self._with_status(self.sessions, "inserted") if one.key in self.places]

    def _request_correction(self) -> str:
        """The corrected file replaces sessions and groups, of its subject or, the animal being wrong, of another."""
        inserted = self._correctable()
        grouped = {number for one in self.clusterings if one.key and one.stands for number in one.sessions}
        old = self.choices.choose([one for one in inserted if one.id in grouped] or inserted)
        sessions = [one.id for one in inserted if one.subject == old.subject][: self.choices.number(1, 3)]
        subject = self.choices.choose([old.subject, self.choices.choose(self.registered)])
        groups = [
            one for one in self.clusterings
            if one.key in self.group_names and one.stands and one.subject == old.subject
            and (subject == old.subject or set(sessions).issuperset(one.sessions))
        ][: self.choices.choose([0, 0, 1])]  # fmt: skip
        upload = self._upload_of(subject, old.username, len(sessions), len(groups))
        going = self._standing_on(sessions, [one.id for one in groups])
        body = CorrectionRequested(
            upload=upload.id,
            reason=REASON,
            impact=self._impact(going),
            sessions=[
                {"index": index, "session": f"s{number}", "matched_by": "location", "differences": []}
                for index, number in enumerate(sessions)
            ],
            clusterings=[
                {"index": index, "clustering": f"c{one.id}", "matched_by": "group_name", "differences": []}
                for index, one in enumerate(groups)
            ],
            carried_over=[one.id for one in self._following(upload, sessions, [one.id for one in groups])],
        )
        request = self._opened("correction", subject, upload.username, body)
        request.sessions, request.clusterings = sessions, [one.id for one in groups]
        request.upload, request.shown = upload, going
        return f"u{upload.id}"

    def _upload_of(self, subject: str, username: str, sessions: int, clusterings: int) -> Upload:
        """The upload of a corrected file, as it was validated: its entries wait for the approval."""
        number, correlation = self._received(subject, username)
        body = InputFileValidated(
            sessions=sessions, clusterings=clusterings, findings=[], unchanged_sessions=[], unchanged_clusterings=[],
            changed_sessions=[], changed_clusterings=[],
        )  # fmt: skip
        self._emit(f"upload/{number}", body, subject, username, number, correlation=correlation)
        self.uploads.append(Upload(number, subject, username, open=False))
        return self.uploads[-1]

    def _following(self, upload: Upload, sessions: Sequence[int], replaced: Sequence[int]) -> list[Entry]:
        """The groups that can go on standing on the sessions that replace these: those of the same animal."""
        return [
            one
            for one in self.clusterings
            if one.key and one.stands and one.subject == upload.subject and one.id not in replaced
            and set(sessions).intersection(one.sessions)
        ]  # fmt: skip

    # --- decisions

    def _requested(self) -> Request:
        return self.choices.choose([request for request in self.requests if request.status == "requested"])

    def _turn_down(self) -> str:
        request = self._requested()
        if self.choices.number(0, 1):
            self._of_request(request, DeletionRejected(reason="It is the right animal."), "rejected")
        else:
            self._of_request(request, DeletionCancelled(), "cancelled")
        return f"d{request.id}"

    def _grown(self) -> list[Request]:
        grown = []
        for request in self.requests:
            now = self._standing_on(request.sessions, request.clusterings)
            if request.status == "requested" and any(
                set(after) - set(before) for after, before in zip(now, request.shown, strict=True)
            ):
                grown.append(request)
        return grown

    def _show_what_has_grown(self) -> str:
        request = self.choices.choose(self._grown())
        request.shown = self._standing_on(request.sessions, request.clusterings)
        self._of_request(request, DeletionImpactGrown(impact=self._impact(request.shown)))
        return f"d{request.id}"

    def _approve(self) -> str:
        """Carried out at once, unless more would go than was shown, or what it is about is gone meanwhile."""
        request = self._requested()
        if request in self._grown():
            return self._show_what_has_grown()
        if not self._is_about_something(request):
            return self._turn_down()
        self._of_request(request, DeletionApproved(), "executed")
        self._carry_out(request)
        return f"d{request.id}"

    def _carry_out(self, request: Request) -> None:
        if request.kind == "proposal":
            self._add_value()
        elif request.kind == "correction":
            self._correct(request)
        else:
            key = (request.subject, "npx_1")
            if request.kind == "taking-back" and key in self.inserted:
                self._insertion_taken_back(key, None)
            self._delete(request)

    def _is_about_something(self, request: Request) -> bool:
        going, falling = self._standing_on(request.sessions, request.clusterings)
        if request.kind == "correction":
            return {*going, *falling}.issuperset([*request.sessions, *request.clusterings])
        return bool(going or falling) or request.kind == "proposal"

    def _delete(self, request: Request) -> None:
        going, falling = self._standing_on(request.sessions, request.clusterings)
        tasks = self._tasks_of(going)
        self._fall(request, going, falling, {})
        body = DeletionExecuted(sessions=len(going), clusterings=len(falling), tasks=tasks)
        self._of_request(request, body)

    def _fall(
        self, request: Request, sessions: Iterable[int], clusterings: Iterable[int], by: dict[int, int]
    ) -> None:
        """``by`` has the record that replaces each, where one does."""
        for one in [one for one in self.sessions if one.id in set(sessions)]:
            self._give_up_keys(one)
            self._goes("session", request, one, SessionDeleted(was=one.status, replaced_by=by.get(one.id)))
            one.replaced_by = by.get(one.id)
        for one in [one for one in self.clusterings if one.id in set(clusterings)]:
            self._give_up_group(one)
            self._goes(
                "clustering", request, one, ClusteringDeleted(was=one.status, replaced_by=by.get(one.id))
            )
            one.replaced_by = by.get(one.id)

    def _goes(self, kind: str, request: Request, record: Entry, body: Body) -> None:
        request.gone[record.id] = record.status
        self._of(kind, record, body, "deleted")

    def _correct(self, request: Request) -> None:
        """What is replaced goes, and in the same batch the new records take the same keys."""
        assert request.upload is not None
        following = self._following(request.upload, request.sessions, request.clusterings)
        going, falling = self._standing_on(request.sessions, request.clusterings)
        falling = [number for number in falling if number not in {one.id for one in following}]
        first = self.position + len(going) + len(falling) + 1
        new = dict(zip([*request.sessions, *request.clusterings], count(first), strict=False))
        keys = {one.id: one.key for one in [*self.sessions, *self.clusterings]}
        self._fall(request, going, falling, new)
        for index, number in enumerate(request.sessions):
            self._request_session(request.upload, index, keys[number], replaces=number)
        for index, number in enumerate(request.clusterings):
            stood_on = next(one.sessions for one in self.clusterings if one.id == number)
            self._request_clustering(
                request.upload, index, keys[number], [new.get(one, one) for one in stood_on], replaces=number
            )
        for one in following:
            pairs = [(number, new[number]) for number in one.sessions if number in new]
            self._of("clustering", one, ClusteringCarriedOver(sessions=pairs))
            one.sessions = [new.get(number, number) for number in one.sessions]
        body = CorrectionExecuted(
            upload=request.upload.id,
            first=first,
            sessions=[(number, new[number]) for number in request.sessions],
            clusterings=[(number, new[number]) for number in request.clusterings],
        )
        self._of_request(request, body)
        request.upload.open = True

    # --- restoring

    def _restorable(self) -> list[Request]:
        return [
            one
            for one in self.requests
            if one.kind not in ("redaction", "proposal") and one.status == "executed" and self._free(one)
        ]

    def _free(self, request: Request) -> bool:
        """No key of it was taken since, what a correction put in its place is gone, and the sessions that its
        clusterings stand on are there."""
        sessions = [one for one in self.sessions if one.id in request.gone]
        clusterings = [one for one in self.clusterings if one.id in request.gone]
        standing = {one.id for one in chain(self.sessions, self.clusterings) if one.stands}
        return (
            not any(one.key in self.locations for one in sessions)
            and not standing.intersection(one.replaced_by or 0 for one in [*sessions, *clusterings])
            and not any((one.subject, one.time) in self.times for one in sessions if one.time)
            and not any(one.key in self.groups for one in clusterings if one.key)
            and all((standing | set(request.gone)).issuperset(one.sessions) for one in clusterings)
        )

    def _restore(self) -> str:
        request = self.choices.choose(self._restorable())
        sessions = [one for one in self.sessions if one.id in request.gone]
        clusterings = [one for one in self.clusterings if one.id in request.gone]
        for one in sessions:
            status = "inserted" if request.gone[one.id] == "inserted" else "pending"
            self._of_session(one, SessionRestored(status=status), status)
            one.replaced_by = None
            self.locations[one.key] = one.id
            if one.time is not None:
                self.times[one.subject, one.time] = one.id
        for one in clusterings:
            status = "inserted" if request.gone[one.id] == "inserted" else "pending"
            self._of("clustering", one, ClusteringRestored(status=status), status)
            one.replaced_by = None
            if one.key:
                self.groups[one.key] = one.id
        body = DeletionRestored(sessions=len(sessions), clusterings=len(clusterings))
        self._of_request(request, body, "restored")
        return f"d{request.id}"
