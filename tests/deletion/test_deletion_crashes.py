"""Killed before, within or after any step of a request: the next run converges, and nothing happens twice.
(The fixture verifies the ledger.)"""

from collections.abc import Callable

import pytest

from commands.door.command import Command
from commands.requests.closing import CancelRequest, RejectRequest
from commands.requests.deletion import ApproveDeletion, RequestDeletion
from commands.requests.restoration import RestoreDeletion
from commands.requests.withdrawal import Withdraw
from ledger.errors import Refusal
from tests.deletion.child import COMPLETED, crash, die_at_statements
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.child import Moment
from tests.intake.lab import session
from tests.ledger.crashing import DIED

Prepared = tuple[str, Command]
"""Who submits what."""


def withdrawal(desk: Desk) -> Prepared:
    desk.lab.record("waits", acquiring=True)
    return "user_1", Withdraw(records=[desk.lab.upload(session("waits")).upload])


def deletion_request(desk: Desk) -> Prepared:
    records = inserted(desk.lab, 2, **grouped("quick_0", "quick_1"))
    return "user_1", RequestDeletion(records=records, reason="wrong animal")


def approval(desk: Desk) -> Prepared:
    number = desk.request(*inserted(desk.lab, 2, **grouped("quick_0", "quick_1")))
    return "user_2", ApproveDeletion(request=number)


def approval_of_more_than_was_shown(desk: Desk) -> Prepared:
    one, two = inserted(desk.lab)
    number = desk.request(one)
    with desk.lab.daybook.reading() as world:
        times = [str(world.state.sessions[int(record[1:])].session_time) for record in (one, two)]
    desk.lab.upload(user="user_3", **grouped(*times))
    return "user_2", ApproveDeletion(request=number)


def rejection(desk: Desk) -> Prepared:
    return "user_2", RejectRequest(request=desk.request(*inserted(desk.lab, 1)), reason="it is right")


def cancellation(desk: Desk) -> Prepared:
    return "user_1", CancelRequest(request=desk.request(*inserted(desk.lab, 1)))


def restoration(desk: Desk) -> Prepared:
    number = desk.delete(*inserted(desk.lab, 2, **grouped("quick_0", "quick_1")))
    return "user_2", RestoreDeletion(request=number)


STEPS: list[tuple[Callable[[Desk], Prepared], list[str], str]] = [
    # the step, its events, and what its repetition is refused with (nothing: it has nothing to do)
    (withdrawal, ["SessionWithdrawn"], ""),
    (deletion_request, ["DeletionRequested"], "already-requested"),
    (
        approval,
        ["DeletionApproved", "SessionDeleted", "SessionDeleted", "ClusteringDeleted", "DeletionExecuted"],
        "already-decided",
    ),
    (approval_of_more_than_was_shown, ["DeletionImpactGrown"], ""),
    (rejection, ["DeletionRejected"], "already-decided"),
    (cancellation, ["DeletionCancelled"], "already-decided"),
    (
        restoration,
        ["SessionRestored", "SessionRestored", "ClusteringRestored", "DeletionRestored"],
        "not-executed",
    ),
]


@pytest.mark.parametrize(
    ("prepare", "events", "refusal"), STEPS, ids=[prepare.__name__ for prepare, _, _ in STEPS]
)
def test_the_next_run_converges(
    desk: Desk, prepare: Callable[[Desk], Prepared], events: list[str], refusal: str
) -> None:
    lab = desk.lab
    user, command = prepare(desk)
    before = lab.size()
    moments: tuple[Moment, ...] = ("before", "within")

    for moment in moments:
        crash(lab.url, user, command, moment)
        assert lab.size() == before
    crash(lab.url, user, command, "after")
    assert lab.types(before) == events
    again = type(command).model_validate(command.model_dump(exclude={"command_id"}))
    if refusal:
        with pytest.raises(Refusal) as caught:
            desk.submit(user, again)
        assert caught.value.code == refusal
    else:
        desk.submit(user, again)

    assert lab.types(before) == events
    assert desk.of(user).submit(command).repeated


def test_an_approval_that_is_killed_around_any_statement_is_carried_out_whole_and_once(desk: Desk) -> None:
    user, command = approval(desk)
    before = desk.lab.size()

    ended = die_at_statements(desk.lab.url, user, command)

    assert len(ended) > 10 and set(ended[:-1]) == {DIED} and ended[-1] == COMPLETED
    assert desk.lab.types(before) == next(events for step, events, _ in STEPS if step is approval)
