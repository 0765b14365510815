"""Every look is told of: what is to be done, when it was looked at and by whom, and that nobody works."""

from typing import Any

import orjson
import pytest

from commands.accounts.policy import SetAuthenticationPolicy
from commands.accounts.rights import GrantRight
from commands.accounts.standing import AddServiceAccount
from commands.accounts.tokens import RevokeToken, create_token
from commands.answers.jobs import Jobs, jobs
from commands.answers.why import why
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.intake.working import work
from projections.references import Reference
from tests.intake.lab import SERIALS, Lab
from tests.patience import PATIENCE_S, until
from tests.workers.conftest import Start, each_once, leave, stop, until_inserted


def asked(lab: Lab, **parameters: Any) -> Jobs:
    with lab.daybook.reading() as world:
        return jobs(world, **parameters)


def waiting(lab: Lab, *names: str) -> None:
    """Sessions that wait for somebody to say which probe is which."""
    for day, name in enumerate(names):
        lab.record(name, day=day, serials=(*SERIALS, "99999999999"))
    leave(lab, *names)


def test_where_something_is_pending_and_nobody_works_that_is_said(lab: Lab) -> None:
    leave(lab, *lab.record_quickly(2))

    found = asked(lab)

    assert [job.status for job in found.jobs] == ["queued", "queued"]
    assert found.nobody and found.workers == [] and not found.more
    with lab.daybook.reading() as world:
        told = why(world, Reference("session", int(found.jobs[0].record[1:])))
    assert told.nobody and told.looked is None


def test_a_look_by_hand_is_told_of_too(lab: Lab) -> None:
    waiting(lab, "date_1")
    work(lab.daybook, lab.roots)
    work(lab.daybook, lab.roots)

    [job] = asked(lab).jobs

    assert job.status == "waiting" and job.looked is not None
    assert job.looked.attempts == 2 and job.looked.first < job.looked.last < str(job.looked.next)
    host, _, process = job.looked.by.rpartition(":")
    assert process.isdigit()
    assert asked(lab, host=host).jobs == [job] == asked(lab, host=job.looked.by).jobs
    assert asked(lab, host="elsewhere").jobs == []
    assert asked(lab, status="resting").jobs == []
    assert asked(lab, folder="N:/rec").jobs == [job] == asked(lab, folder="N:/rec/date_1").jobs
    assert asked(lab, folder="N:/re").jobs == []


def test_pages_follow_each_other(lab: Lab) -> None:
    leave(lab, *lab.record_quickly(5))
    first = asked(lab, limit=3)
    second = asked(lab, limit=3, after=int(first.jobs[-1].record[1:]))

    assert (len(first.jobs), first.more, len(second.jobs), second.more) == (3, True, 2, False)
    assert len({job.record for job in [*first.jobs, *second.jobs]}) == 5


def test_a_worker_says_that_it_is_there_and_what_it_looked_at(lab: Lab, start: Start) -> None:
    waiting(lab, "date_1", "date_2")
    worker = start()

    until(lambda: [job.status for job in asked(lab).jobs] == ["waiting", "waiting"])

    found = asked(lab)
    assert not found.nobody
    [line] = found.workers
    assert line.is_there and line.actor == "user_1" and line.name == f"{line.host}:{worker.pid}"
    assert {job.looked.by for job in found.jobs if job.looked is not None} == {line.name}
    stop(worker)
    assert asked(lab).nobody and asked(lab).workers == []


def service_account(lab: Lab, *, may_work: bool = True) -> tuple[str, str]:
    """rig_1 with a token of its own: its public id, and the token."""
    lab.daybook.submit(AddServiceAccount(user="rig_1"))
    if may_work:
        lab.daybook.submit(GrantRight(user="rig_1", right="work"))
    made, token = create_token(lab.daybook, "worker", user="rig_1")
    assert token is not None
    return made.id, token


def test_a_worker_acts_by_its_token_where_only_who_is_authenticated_gets_in(lab: Lab, start: Start) -> None:
    known, token = service_account(lab)
    leave(lab, *lab.record_quickly(2))
    admin = Daybook(lab.daybook.ledger, Actor("user_1", authentication="password"))
    admin.submit(SetAuthenticationPolicy(authenticated_only=True))

    worker = start(DAYBOOK_TOKEN=token)
    until_inserted(lab, 2)

    each_once(lab, 2)
    events = [event for event in lab.events() if event.type == "SessionInserted"]
    assert {event.actor for event in events} == {"rig_1"}
    for event in events:
        via = orjson.loads(event.via)
        assert (via["authentication"], via["token"], via["interface"]) == ("token", known, "worker")
    admin.submit(RevokeToken(id=known))
    _, err = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 1 and "[token-refused]" in err


@pytest.mark.parametrize("token", ["none", "without the right"])
def test_who_may_not_work_is_told_so_at_once(lab: Lab, start: Start, token: str) -> None:
    given = "dbk_none" if token == "none" else service_account(lab, may_work=False)[1]
    leave(lab, *lab.record_quickly(1))

    worker = start(DAYBOOK_TOKEN=given)
    _, err = worker.communicate(timeout=PATIENCE_S)

    assert worker.returncode == (1 if token == "none" else 4)
    assert ("[token-refused]" if token == "none" else "[not-permitted]") in err
    assert list(lab.statuses().values()) == ["pending"]


def test_a_host_takes_only_the_folders_that_it_was_given(lab: Lab, start: Start) -> None:
    lab.record_quickly(1)
    other = lab.share.parent / "other"
    other.mkdir()
    lab.record("date_9", day=9)
    (lab.share / "date_9").rename(other / "date_9")
    from tests.workers.test_faults import leave_at

    leave(lab, "quick_0")
    leave_at(lab, "N:/other/date_9")
    worker = start("--folders", "N:/other")

    until_inserted(lab, 1)

    out, _ = stop(worker)
    assert lab.statuses() == {"N:/rec/quick_0": "pending", "N:/other/date_9": "inserted"}
    assert out == "N:/other: 1 moved on, 0 still open\n"


def test_a_host_takes_nothing_of_a_share_that_is_not_mounted(lab: Lab, start: Start) -> None:
    leave(lab, *lab.record_quickly(1))
    away = lab.share.parent.with_name("away")
    lab.share.parent.rename(away)
    lab.share.parent.mkdir()
    start()
    until(lambda: [line.is_there for line in asked(lab).workers] == [True])
    assert asked(lab).workers[0].folders == [] and asked(lab).jobs[0].status == "queued"

    lab.share.parent.rmdir()
    away.rename(lab.share.parent)

    until_inserted(lab, 1)
    each_once(lab, 1)
