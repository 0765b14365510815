"""Requests in the lab of ``tests/intake``: the few steps that every test of a deletion takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from commands.cli.next_steps import sentence
from commands.door.command import Command
from commands.door.submit import Daybook
from commands.door.world import R
from commands.intake.upload_report import UploadReport
from commands.intake.working import work
from commands.requests.approving import approve
from commands.requests.closing import CancelRequest, Closed, RejectRequest
from commands.requests.deletion import RequestDeletion
from commands.requests.restoration import Restored, RestoreDeletion
from commands.requests.withdrawal import Withdraw, Withdrawn
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from tests.intake.lab import Lab, group, session


class Desk:
    """user_1 and user_2 are admins, everybody else is a researcher."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        lab.as_admin("user_2")
        kilosort_output(lab.share.parent / "joint" / "g")

    def of(self, user: str) -> Daybook:
        return self.lab.daybook if user == "user_1" else self.lab.as_user(user)

    def submit(self, user: str, command: Command[R]) -> R:
        return self.of(user).submit(command).result

    def withdraw(self, *records: str, user: str = "user_1") -> Withdrawn:
        return self.submit(user, Withdraw(records=list(records)))

    def request(self, *records: str, user: str = "user_1", reason: str = "wrong animal") -> int:
        result = self.submit(user, RequestDeletion(records=list(records), reason=reason))
        return int(result.request[1:])

    def approve(self, number: int, *, user: str = "user_2", accept_impact: bool = False) -> Any:
        return approve(self.of(user), number, accept_impact=accept_impact, roots=self.lab.roots)

    def reject(self, number: int, *, user: str = "user_2", reason: str = "it is right") -> Closed:
        return self.submit(user, RejectRequest(request=number, reason=reason))

    def cancel(self, number: int, *, user: str = "user_1") -> Closed:
        return self.submit(user, CancelRequest(request=number))

    def delete(self, *records: str) -> int:
        number = self.request(*records)
        self.approve(number)
        return number

    def restore(self, number: int, *, user: str = "user_2") -> Restored:
        return self.submit(user, RestoreDeletion(request=number))

    def work(self) -> None:
        work(self.lab.daybook, self.lab.roots)

    def status(self, record: str) -> str:
        with self.lab.daybook.reading() as world:
            if record[0] == "d":
                return world.state.deletions[int(record[1:])].status
            rows: Any = world.state.sessions if record[0] == "s" else world.state.clusterings
            status: str = rows[int(record[1:])].status
            return status

    def statuses(self, *records: str) -> list[str]:
        return [self.status(record) for record in records]

    def pending(self, *sessions: Any, **parts: Any) -> UploadReport:
        """An upload that was accepted and not processed: its worker died."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("commands.intake.uploading.settle", lambda *_, **__: None)
            return self.lab.upload(*sessions, **parts)

    @contextmanager
    def refused(self, code: str, *named: str) -> Iterator[None]:
        """What is tried in it is refused, says each of ``named``, and leaves the ledger as it was. (Of what somebody
        may not do, the attempt is recorded.)"""
        size = self.lab.size()
        with pytest.raises(Refusal) as caught:
            yield
        assert caught.value.code == code, caught.value
        for text in named:
            said = f"{caught.value.message} {sentence(caught.value.hint, caught.value.steps)}"
            assert text in said
        types = self.lab.types(size)
        assert types == (["ActionRefused"] if code == "not-permitted" else [])


def inserted(lab: Lab, count: int = 2, *, user: str = "user_1", first: int = 0, **parts: Any) -> list[str]:
    """The ids of new sessions at quick_N, inserted by one upload; then those of its multi-session clusterings."""
    if not (lab.share / "quick_0").exists():
        lab.record_quickly(8)
    entries = [session(f"quick_{n}", name=f"quick_{n}") for n in range(first, first + count)]
    report = lab.upload(*entries, user=user, **parts)
    assert report.ok, report.findings
    assert {entry.outcome for entry in [*report.sessions, *report.clusterings]} == {"inserted"}
    return [entry.session for entry in report.sessions] + [c.clustering for c in report.clusterings]


def grouped(*names: str, group_name: str = "g") -> dict[str, Any]:
    """Parts of an upload: a multi-session clustering over these sessions of the file."""
    return {"clustering": [group(group_name, names)]}
