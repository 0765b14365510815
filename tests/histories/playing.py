"""Play a random history: each step is a command of some user, through the door and through the model, and both must
come to the same. ``Player`` alone knows both."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.intake.completion import add_tasks, associate
from commands.intake.upload_report import UploadReport
from commands.intake.uploading import replay, upload
from commands.intake.working import work
from commands.lab.roles import GrantRole, RevokeRole
from commands.recordings.roots import Roots
from commands.requests.approving import approve
from commands.requests.closing import CancelRequest, RejectRequest, SetApprovalPolicy
from commands.requests.correction.correct import correct
from commands.requests.deletion import RequestDeletion
from commands.requests.restoration import RestoreDeletion
from commands.requests.withdrawal import Withdraw
from ledger.errors import Refusal
from tests.histories.files import corrected, grown
from tests.histories.model import Model
from tests.histories.observing import compare
from tests.histories.records import ADMIN, AUDITOR, RESEARCHER, Record, Refused, Request, Session, Upload
from tests.histories.scene import (
    CATALOGUE,
    PROBES,
    SUBJECTS,
    TASKS,
    USERS,
    Entry,
    File,
    GroupEntry,
)
from tests.intake.lab import load_catalogue
from tests.projections.choices import Seeded

REASON = "It was wrong."


def name_of(record: Record | Upload) -> str:
    return f"{'u' if isinstance(record, Upload) else 's' if isinstance(record, Session) else 'c'}{record.id}"


@dataclass
class Player:
    """``told`` are the steps so far, for whoever reads why one failed."""

    url: str
    roots: Roots
    choices: Seeded
    model: Model = field(default_factory=lambda: Model(USERS[0]))
    told: list[str] = field(default_factory=list)
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
        compare(self.of(USERS[0]), self.model)

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
        entries = self.files.setdefault((user, subject), [])
        groups = self.groups.setdefault((user, subject), [])
        file = grown(self.choices, subject, entries, groups, known=sum(map(len, self.files.values())))
        what = f"upload {subject}: {', '.join(one.folder.name for one in file.entries)}"
        if file.groups:
            what += f"; {', '.join(f'{one.name} on {one.sessions}' for one in file.groups)}"

        def real(daybook: Daybook) -> UploadReport:
            return upload(daybook, file.content(), filename=f"{subject}.yml", roots=self.roots)

        foreseen, report = self._does(what, user, lambda: self.model.upload(user, file), real)
        self._number(foreseen, report)

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
            [line] = [line for line in report.sessions if line.location == session.folder.location]
            session.id = int(line.session[1:])
            assert line.outcome == session.status
        for group in [one for one in self.model.groups if one.upload is foreseen]:
            [line] = [line for line in report.clusterings if line.group_name == group.name]
            group.id = int(line.clustering[1:])
            assert line.outcome == group.status
        numbers = {f"s{session.id}" for session in new}
        assert {line.session for line in report.sessions if line.session in numbers} == numbers

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
            self._requested(request, receipt.result.request)

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
        numbers = {each.old: int(each.new[1:]) for each in result.replaced}
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
        written = corrected(self.choices, self.model, one, by_name=user in (one.owner, *self._admins()))
        if written is not None:
            self._submit_correction(written, user)

    def _admins(self) -> list[str]:
        return [user for user in USERS if self.model.role(user) == ADMIN]

    def _submit_correction(self, file: File, user: str) -> None:
        def real(daybook: Daybook) -> str | None:
            found = correct(
                daybook, file.content(), filename="corrected.yml", roots=self.roots, reason=REASON
            )
            errors = sorted({one.code for one in found.plan.findings if one.severity == "error"})
            if errors and found.plan.replaced:
                raise Refusal(errors[0], "; ".join(errors), "")
            return found.request

        parts = [f"{entry.name} at {entry.folder.name} in {entry.room}" for entry in file.entries]
        parts += [f"{group.name} {group.notes}".rstrip() for group in file.groups]
        what = f"correct {file.subject}: {'; '.join(parts)}"
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
