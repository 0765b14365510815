"""Play a random history: each step is a command of some user, through the door and through the model, and both must
come to the same. ``Player`` alone knows both."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from commands.approval import CancelRequest, RejectRequest
from commands.checkpoints import make_checkpoint
from commands.completion import add_tasks, associate
from commands.correction import correct
from commands.deletion import RequestDeletion, approve
from commands.door import Actor, Daybook
from commands.intake import UploadReport, replay, upload
from commands.recordings.roots import Roots
from commands.restoration import RestoreDeletion
from commands.roles import GrantRole, RevokeRole, SetApprovalPolicy
from commands.withdrawal import Withdraw
from commands.work import work
from ledger.errors import Refusal
from ledger.verify import verify
from projections import rebuild as rebuilding
from projections.rebuild import contents
from tests.histories.model import (
    ADMIN,
    AUDITOR,
    RESEARCHER,
    Model,
    Record,
    Refused,
    Request,
    Session,
    Upload,
)
from tests.histories.scene import (
    CATALOGUE,
    FOLDERS,
    GROUPS,
    NOTES,
    PROBES,
    ROOMS,
    SUBJECTS,
    TASKS,
    USERS,
    Entry,
    File,
    GroupEntry,
)
from tests.intake.lab import load_catalogue
from tests.projections.histories import Seeded
from tests.projections.pools import InTurn

Contents = dict[str, list[tuple[object, ...]]]
REASON = "It was wrong."


@dataclass
class Seen:
    """What the ledger said at a position, and the checkpoint of then."""

    position: int
    contents: Contents
    checkpoint: str


def name_of(record: Record | Upload) -> str:
    return f"{'u' if isinstance(record, Upload) else 's' if isinstance(record, Session) else 'c'}{record.id}"


@dataclass
class Player:
    """``told`` are the steps so far, for whoever reads why one failed."""

    url: str
    key: Path
    roots: Roots
    choices: Seeded
    model: Model = field(default_factory=lambda: Model(USERS[0]))
    told: list[str] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    files: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)
    groups: dict[tuple[str, str], list[GroupEntry]] = field(default_factory=dict)
    daybooks: dict[str, Daybook] = field(default_factory=dict)

    def close(self) -> None:
        for daybook in self.daybooks.values():
            daybook.close()

    def of(self, user: str) -> Daybook:
        if user not in self.daybooks:
            self.daybooks[user] = Daybook.open(self.url, Actor(user))
        return self.daybooks[user]

    def begin(self) -> None:
        """Mostly with a second admin."""
        load_catalogue(self.of(USERS[0]), CATALOGUE)
        if self.choices.number(0, 3):
            self._grant(USERS[0], USERS[1], ADMIN)

    # --- one step

    def step(self) -> None:
        model = self.model
        requested = [one for one in model.requests if one.status == "requested"]
        executed = [one for one in model.requests if one.status == "executed" and one.gone]
        actions: list[tuple[Callable[[], None], int, Any]] = [
            (self._upload, 4, True),
            (self._work, 1, True),
            (self._associate, 2, [one for one in model.sessions if one.folder.kind == "strange"]),
            (self._add_tasks, 1, model.sessions),
            (self._withdraw, 2, model.sessions),
            (self._request_deletion, 3, model.sessions),
            (self._correct, 3, [one for one in model.sessions if one.stands]),
            (self._approve, 7, requested),
            (self._turn_down, 1, requested),
            (self._decide_again, 1, model.requests),
            (self._restore, 3, executed),
            (self._replay, 2, model.uploads),
            (self._change_roles, 1, True),
        ]
        possible = [action for action, weight, ready in actions if ready for _ in range(weight)]
        self.choices.choose(possible)()
        self.compare()

    def _does(
        self, what: str, user: str, model: Callable[[], Any], real: Callable[[Daybook], Any]
    ) -> tuple[Any, Any]:
        """What the model and the ledger answer, or (None, None) where both refuse, for the same reason."""
        self.told.append(f"{user} ({self.model.role(user) or 'no role'}): {what}")
        before = self._size()
        expected: frozenset[str] = frozenset()
        answers: tuple[Any, Any] = (None, None)
        try:
            foreseen = model()
        except Refused as refused:
            expected = refused.codes
        try:
            answer = real(self.of(user))
        except Refusal as refusal:
            self.told[-1] += f" -> {refusal.code}"
            assert refusal.code in expected, (refusal.code, refusal.message, expected)
            appended = self._size() - before
            assert appended == (refusal.code == "not-permitted") or refusal.code == "impact-grown"
        else:
            assert not expected, (answer, expected)
            answers = (foreseen, answer)
        verb = what.split()[0]
        self.kinds[f"{verb} refused" if expected else verb] += 1
        return answers

    def _size(self) -> int:
        with self.of(USERS[0]).reading() as world:
            return world.head.size

    def _user(self, *likely: str) -> str:
        """Often somebody who may do it."""
        admins = [user for user in USERS if self.model.role(user) == ADMIN]
        return self.choices.choose([*USERS, *likely * 2, *admins])

    # --- uploading, replaying, working

    def _upload(self) -> None:
        user, subject = self._user(), self.choices.choose(SUBJECTS)
        file = self._grown(user, subject)
        what = f"upload {subject}: {', '.join(one.folder.name for one in file.entries)}"
        if file.groups:
            what += f"; {', '.join(f'{one.name} on {one.sessions}' for one in file.groups)}"

        def real(daybook: Daybook) -> UploadReport:
            return upload(daybook, file.content(), filename=f"{subject}.yml", roots=self.roots)

        foreseen, report = self._does(what, user, lambda: self.model.upload(user, file), real)
        self._number(foreseen, report)

    def _grown(self, user: str, subject: str) -> File:
        """The user's file of a subject, often with a session or a multi-session clustering more than last time."""
        entries = self.files.setdefault((user, subject), [])
        groups = self.groups.setdefault((user, subject), [])
        for _ in range(self.choices.choose([0, 1, 1, 2, 3]) if entries else 3):
            folder = self.choices.choose(FOLDERS)
            if all(one.folder != folder for one in entries):
                number = sum(map(len, self.files.values()))
                entries.append(Entry(folder, f"session_{number}", self.choices.choose(ROOMS)))
        able = [one for one in entries if one.folder.kind != "empty"]
        if len(able) > 1 and self.choices.number(0, 1):
            name = self.choices.choose(GROUPS)
            if all(one.name != name for one in groups):
                groups.append(GroupEntry(name, tuple(one.name for one in self.choices.sample(able, 2))))
        return File(subject, tuple(entries), tuple(groups))

    def _number(self, foreseen: Upload | None, report: UploadReport | None) -> None:
        """Compare what became of an upload, and give the new records their numbers."""
        if foreseen is None or report is None:
            return
        errors = {finding.code for finding in report.findings if finding.severity == "error"}
        assert errors == foreseen.errors
        foreseen.id = int(report.upload[1:])
        if errors:
            self.told[-1] += f" -> {', '.join(sorted(errors))}"
            return
        new = [one for one in self.model.sessions if one.upload is foreseen]
        for session in new:
            [line] = [line for line in report.sessions if line["location"] == session.folder.location]
            session.id = int(line["session"][1:])
            assert line["outcome"] == session.status
        for group in [one for one in self.model.groups if one.upload is foreseen]:
            [line] = [line for line in report.clusterings if line["group_name"] == group.name]
            group.id = int(line["clustering"][1:])
            assert line["outcome"] == group.status
        numbers = {f"s{session.id}" for session in new}
        assert {line["session"] for line in report.sessions if line["session"] in numbers} == numbers

    def _replay(self) -> None:
        earlier = self.choices.choose(self.model.uploads)
        user = self._user(earlier.owner)

        def real(daybook: Daybook) -> UploadReport:
            return replay(daybook, earlier.id, roots=self.roots)

        self._number(
            *self._does(f"replay u{earlier.id}", user, lambda: self.model.replay(user, earlier), real)
        )

    def _work(self) -> None:
        user = self._user()
        self._does("work", user, lambda: self.model.work(user), lambda daybook: work(daybook, self.roots))

    def _associate(self) -> None:
        session = self.choices.choose([one for one in self.model.sessions if one.folder.kind == "strange"])
        user, probe = self._user(session.owner), PROBES[session.subject]
        self._does(
            f"associate s{session.id}",
            user,
            lambda: self.model.associate(user, session, probe),
            lambda daybook: associate(daybook, session.id, {"probe_1": probe}, roots=self.roots),
        )

    def _add_tasks(self) -> None:
        session = self.choices.choose(self.model.sessions)
        user = self._user(session.owner)
        self._does(
            f"tasks s{session.id}",
            user,
            lambda: self.model.add_tasks(user, session),
            lambda daybook: add_tasks(daybook, session.id, TASKS, filename="tasks.yml", roots=self.roots),
        )

    # --- withdrawing, deleting, restoring

    def _some(self) -> Sequence[Record | Upload]:
        """One to three records of one owner, or one upload."""
        model = self.model
        kinds: list[Sequence[Record | Upload]] = [model.sessions, model.groups, model.singles, model.uploads]
        one = self.choices.choose(self.choices.choose([kind[-6:] for kind in kinds if kind]))
        if isinstance(one, Upload):
            return [one]
        everything = [*model.sessions, *model.groups, *model.singles]
        others = [other for other in everything if other.owner == one.owner and other is not one]
        return [one, *self.choices.sample(others, min(len(others), self.choices.choose([0, 0, 1, 2])))]

    def _withdraw(self) -> None:
        some = self._some()
        never = [one for one in self.model.sessions if one.status in ("waiting", "pending", "error")]
        if never and self.choices.number(0, 2):
            some = [self.choices.choose(never)]
        user, names = self._user(some[0].owner), [name_of(one) for one in some]
        self._does(
            f"withdraw {' '.join(names)}",
            user,
            lambda: self.model.withdraw(user, some),
            lambda daybook: daybook.submit(Withdraw(records=names)),
        )

    def _request_deletion(self) -> None:
        some = self._some()
        user, names = self._user(some[0].owner), [name_of(one) for one in some]
        request, receipt = self._does(
            f"delete {' '.join(names)}",
            user,
            lambda: self.model.request_deletion(user, some),
            lambda daybook: daybook.submit(RequestDeletion(records=names, reason=REASON)),
        )
        if request is not None:
            self._requested(request, receipt.result["request"])

    def _requested(self, request: Request, name: str) -> None:
        request.id = int(name[1:])
        self.told[-1] += f" -> {name}"

    def _approve(self) -> None:
        self._decide(self.choices.choose([one for one in self.model.requests if one.status == "requested"]))

    def _decide_again(self) -> None:
        self._decide(self.choices.choose(self.model.requests))

    def _decide(self, request: Request) -> None:
        others = [user for user in USERS if self.model.role(user) == ADMIN and user != request.by]
        user = self.choices.choose(others) if others and self.choices.number(0, 4) else self._user()
        accept = bool(self.choices.number(0, 1))
        new = len(self.model.sessions), len(self.model.groups)

        def real(daybook: Daybook) -> dict[str, Any]:
            return approve(daybook, request.id, accept_impact=accept, roots=self.roots)

        what = f"approve {'and accept ' * accept}d{request.id}"
        _, result = self._does(what, user, lambda: self.model.approve(user, request, accept), real)
        if result is None or request.kind != "correction":
            return
        numbers = {each["old"]: int(each["new"][1:]) for each in result["replaced"]}
        for record in [*self.model.sessions[new[0] :], *self.model.groups[new[1] :]]:
            assert record.replaces is not None
            record.id = numbers.pop(name_of(record.replaces))
        assert not numbers

    def _turn_down(self) -> None:
        request = self.choices.choose([one for one in self.model.requests if one.status == "requested"])
        if self.choices.number(0, 1):
            user = self._user()
            self._does(
                f"reject d{request.id}",
                user,
                lambda: self.model.reject(user, request),
                lambda daybook: daybook.submit(RejectRequest(request=request.id, reason=REASON)),
            )
        else:
            user = self._user(request.by)
            self._does(
                f"cancel d{request.id}",
                user,
                lambda: self.model.cancel(user, request),
                lambda daybook: daybook.submit(CancelRequest(request=request.id)),
            )

    def _restore(self) -> None:
        executed = [one for one in self.model.requests if one.status == "executed"]
        request = self.choices.choose(executed if self.choices.number(0, 5) else self.model.requests)
        user = self._user()
        self._does(
            f"restore d{request.id}",
            user,
            lambda: self.model.restore(user, request),
            lambda daybook: daybook.submit(RestoreDeletion(request=request.id)),
        )

    # --- correcting

    def _correct(self) -> None:
        """Some sessions of one owner and subject: in another room, at another place, of the other animal; with
        multi-session clusterings that stand on them."""
        one = self.choices.choose([one for one in self.model.sessions if one.stands])
        user = self._user(one.owner)
        same = [
            other for other in self.model.sessions
            if other.stands and (other.owner, other.subject) == (one.owner, one.subject)
        ]  # fmt: skip
        groups = [
            group for group in self.model.groups
            if group.stands and group.owner == one.owner and set(group.sessions) <= set(same)
            and self.choices.number(0, 1)
        ]  # fmt: skip
        some = {one, *(session for group in groups for session in group.sessions)}
        some |= set(self.choices.sample(same, min(len(same), self.choices.choose([0, 1, 2]))))
        sessions = sorted(some, key=lambda session: session.id)
        if len({session.name for session in sessions}) < len(sessions):
            return  # no file can be written of them
        subject = self.choices.choose([one.subject, one.subject, *SUBJECTS])
        moves = subject == one.subject and user in (one.owner, *self._admins())
        entries = []
        for session in sessions:
            room = self.choices.choose([session.room, *ROOMS])
            here = {entry.folder for entry in entries}
            folder = self._elsewhere(session, same, here) if moves else session.folder
            entries.append(Entry(folder, session.name, room))
        file = File(
            subject,
            tuple(entries),
            tuple(
                GroupEntry(
                    group.name, tuple(each.name for each in group.sessions), self.choices.choose(NOTES)
                )
                for group in groups
            ),
        )
        changes = [
            f"s{session.id} at {entry.folder.name} in {entry.room}"
            for session, entry in zip(sessions, entries, strict=True)
        ]
        what = f"correct {subject}: {'; '.join([*changes, *(f'{g.name} {g.notes}' for g in file.groups)])}"
        self._submit_correction(what, user, file)

    def _admins(self) -> list[str]:
        return [user for user in USERS if self.model.role(user) == ADMIN]

    def _elsewhere(self, session: Session, same: list[Session], here: set[Any]) -> Any:
        """Its folder, or now and then one that nobody holds: the session is then known by its name."""
        named = [
            other for other in self.model.sessions
            if other.stands and (other.name, other.subject) == (session.name, session.subject)
        ]  # fmt: skip
        free = [one for one in FOLDERS if one not in self.model.locations and one not in here]
        if not free or len(named) > 1 or self.choices.number(0, 3 if session.status == "inserted" else 1):
            return session.folder
        other = (
            "strange" if session.status == "inserted" else "plain"
        )  # that lets wait what stands on it, or go on
        return self.choices.choose([one for one in free if one.kind == other] or free)

    def _submit_correction(self, what: str, user: str, file: File) -> None:
        def real(daybook: Daybook) -> str | None:
            found = correct(
                daybook, file.content(), filename="corrected.yml", roots=self.roots, reason=REASON
            )
            errors = sorted({one.code for one in found.plan.findings if one.severity == "error"})
            if errors and found.plan.replaced:
                raise Refusal(errors[0], "; ".join(errors), "")
            return found.request

        request, name = self._does(what, user, lambda: self.model.correct(user, file), real)
        assert (request is None) == (name is None)
        if name is None and not self.told[-1].rpartition(" -> ")[1]:
            self.kinds["correct"] -= 1  # nothing differed
        if request is not None:
            self._requested(request, name)
            with self.of(user).reading() as world:
                request.upload.id = int(world.state.deletions[request.id].upload or 0)

    # --- roles

    def _change_roles(self) -> None:
        user, whom = self._user(), self.choices.choose(USERS)
        role = self.choices.choose([ADMIN, ADMIN, RESEARCHER, AUDITOR])
        kind = self.choices.choose(["grant", "grant", "revoke", "policy"])
        if kind == "grant":
            self._grant(user, whom, role)
        elif kind == "revoke":
            self._does(
                f"revoke {role} from {whom}",
                user,
                lambda: self.model.revoke(user, whom, role),
                lambda daybook: daybook.submit(RevokeRole(user=whom, role=role)),
            )
        else:
            own = bool(self.choices.number(0, 1))
            self._does(
                f"policy {own}",
                user,
                lambda: self.model.set_policy(user, own),
                lambda daybook: daybook.submit(SetApprovalPolicy(own_requests=own)),
            )

    def _grant(self, user: str, whom: str, role: Any) -> None:
        self._does(
            f"grant {role} to {whom}",
            user,
            lambda: self.model.grant(user, whom, role),
            lambda daybook: daybook.submit(GrantRole(user=whom, role=role)),
        )

    # --- the ledger against the model

    def compare(self) -> None:
        model = self.model
        with self.of(USERS[0]).reading() as world:
            state = world.state
            sessions = {row.id: row for row in state.sessions.where("id > 0", [])}
            clusterings = {row.id: row for row in state.clusterings.where("id > 0", [])}
            links: dict[int, set[int]] = {}
            for link in state.clustering_sessions.where("clustering > 0", []):
                links.setdefault(link.clustering, set()).add(link.session)
            tasks = Counter(row.session for row in state.tasks.where("session > 0", []))
            locations = {row.location: row.session for row in state.locations.where("location > ''", [])}
            times = {
                (row.subject, row.session_time): row.session for row in state.times.where("session > 0", [])
            }
            names = {row.group_name: row.clustering for row in state.groups.where("clustering > 0", [])}
            requests = {row.id: (row.kind, row.status) for row in state.deletions.where("id > 0", [])}
            roles = {row.username: row.role for row in state.users.where("username > ''", [])}
        self._number_singles(clusterings)
        assert {
            row.id: (row.status, row.username, row.subject, row.location, row.name, row.room, row.upload,
                     row.session_time, tasks[row.id], row.replaces, row.replaced_by)
            for row in sessions.values()
        } == {
            one.id: (one.status, one.owner, f"0/{one.subject}", one.folder.location, one.name, one.room,
                     one.upload.id, one.time, one.tasks, _id(one.replaces), _id(one.replaced_by))
            for one in model.sessions
        }  # fmt: skip
        assert {
            row.id: (row.status, row.username, row.subject, row.group_name, row.notes or "", row.upload, links[row.id],
                     row.replaces, row.replaced_by)
            for row in clusterings.values() if row.session is None
        } == {
            one.id: (one.status, one.owner, f"0/{one.subject}", one.name, one.notes, one.upload.id,
                     {session.id for session in one.sessions}, _id(one.replaces), _id(one.replaced_by))
            for one in model.groups
        }  # fmt: skip
        assert {
            row.id: (row.status, row.session) for row in clusterings.values() if row.session is not None
        } == {one.id: (one.status, one.session.id) for one in model.singles}
        assert locations == {folder.location: one.id for folder, one in model.locations.items()}
        assert times == {(f"0/{subject}", time): one.id for (subject, time), one in model.times.items()}
        assert names == {name: one.id for name, one in model.names.items()}
        assert requests == {one.id: (one.kind, one.status) for one in model.requests}
        assert roles == model.roles

    def _number_singles(self, clusterings: dict[int, Any]) -> None:
        """The one clustering of each session that the model has no number for yet."""
        known = {one.id for one in self.model.singles}
        new = {row.session: row.id for row in clusterings.values() if row.session and row.id not in known}
        for single in self.model.singles:
            if single.id == 0:
                single.id = new.pop(single.session.id, 0)

    # --- the past, the proof, and all of it once more

    def remember(self) -> None:
        daybook = self.of(USERS[0])
        with daybook.reading() as world:
            position = world.head.size
            seen = contents(world.transaction, world.head.live_slot)
        self.seen.append(Seen(position, seen, make_checkpoint(daybook, self.key)))

    def look_back(self) -> None:
        daybook = self.of(USERS[0])
        for seen in self.seen:
            with daybook.reading_past(seen.position, _everything) as world:
                assert world.head.size == seen.position
                then = contents(world.transaction, world.head.live_slot)
            for table, rows in seen.contents.items():
                assert then[table] == rows, (seen.position, table)
        report = verify(self.url, kept=[seen.checkpoint for seen in self.seen])
        assert report.problems == []

    def rebuild(self) -> None:
        """At once, and cut between the subjects: what passed from one to the other is in both halves."""
        daybook = self.of(USERS[0])
        with daybook.reading() as world:
            before = contents(world.transaction, world.head.live_slot)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rebuilding, "process_pool", InTurn)
            for size in (rebuilding.PARALLEL_FROM, 1):
                patch.setattr(rebuilding, "PARALLEL_FROM", size)
                rebuilding.rebuild(daybook.database)
                with daybook.reading() as world:
                    assert contents(world.transaction, world.head.live_slot) == before


def _id(record: Record | None) -> int | None:
    return None if record is None else record.id


def _everything(past: Any) -> None:
    past.everything()
    past.counts()
