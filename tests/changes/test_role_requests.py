"""A role that somebody asks for: an admin grants it or rejects it, with the reason."""

import pytest

from commands.door.permission import NotPermitted
from commands.lab.roles import GrantRole, RevokeRole
from commands.requests.changes.roles import RequestRole
from ledger.bodies import body_of
from ledger.errors import NextStep, Refusal
from tests.deletion.desk import Desk


def ask(desk: Desk, user: str = "user_3", role: str = "admin") -> int:
    command = RequestRole.model_validate({"role": role, "reason": "I look after the rig"})
    made = desk.submit(user, command)
    assert (made.kind, made.status, made.records) == ("role", "requested", [f"{role} for {user}"])
    return int(made.request[1:])


def role(desk: Desk, user: str) -> str:
    with desk.lab.daybook.reading() as world:
        row = world.state.users.get(user)
        return "" if row is None else row.role


def test_a_role_is_granted_by_the_approval_and_says_who_granted_it(desk: Desk) -> None:
    request = ask(desk)
    assert role(desk, "user_3") == ""
    before = desk.lab.size()

    desk.approve(request)

    assert role(desk, "user_3") == "admin"
    approved, granted = desk.lab.events(before)
    assert (granted.type, granted.actor, granted.causation) == ("RoleGranted", "user_2", approved.position)
    assert body_of(granted) == {"user": "user_3", "role": "admin"}


def test_a_rejection_tells_its_reason_and_grants_nothing(desk: Desk) -> None:
    request = ask(desk)

    desk.reject(request, reason="two are enough")

    assert role(desk, "user_3") == ""
    assert desk.status(f"d{request}") == "rejected"


def test_nobody_approves_a_role_that_he_or_she_asked_for(desk: Desk) -> None:
    request = ask(desk)
    with pytest.raises(NotPermitted):
        desk.approve(request, user="user_3")

    desk.submit("user_1", GrantRole(user="user_3", role="admin"))
    with pytest.raises(NotPermitted, match="another admin"):
        desk.approve(request, user="user_3")


def test_a_role_that_was_granted_meanwhile_is_not_granted_twice(desk: Desk) -> None:
    request = ask(desk)
    desk.submit("user_1", GrantRole(user="user_3", role="admin"))
    before = desk.lab.size()

    desk.approve(request)

    assert [event.type for event in desk.lab.events(before)] == ["DeletionApproved"]


def test_a_request_from_before_somebody_became_the_last_admin_does_not_leave_the_ledger_without_one(
    desk: Desk,
) -> None:
    request = ask(desk, "user_3", "auditor")
    desk.submit("user_1", GrantRole(user="user_3", role="admin"))
    desk.submit("user_3", RevokeRole(user="user_2", role="admin"))

    desk.approve(request, user="user_1")  # user_1 is left
    assert role(desk, "user_3") == "auditor"


@pytest.mark.parametrize(
    ("user", "wanted", "code", "action"),
    [("user_3", "researcher", "has-role", "list-roles"), ("user_1", "auditor", "admin-grants", "grant-role")],
)
def test_what_need_not_be_asked_for_is_refused_with_the_way(
    desk: Desk, user: str, wanted: str, code: str, action: str
) -> None:
    with pytest.raises(Refusal) as caught:
        desk.submit(user, RequestRole.model_validate({"role": wanted, "reason": "x"}))

    assert (caught.value.code, [step.action for step in caught.value.steps]) == (code, [action])


def test_the_same_role_is_asked_for_once(desk: Desk) -> None:
    request = ask(desk)

    with pytest.raises(Refusal) as caught:
        ask(desk)

    assert caught.value.code == "already-requested"
    assert caught.value.steps == (NextStep("show-request", f"d{request}"),)


def test_who_has_no_role_at_all_may_ask_for_one(desk: Desk) -> None:
    desk.submit("user_1", RevokeRole(user="everyone", role="researcher"))

    desk.approve(ask(desk, "user_9", "researcher"))

    assert role(desk, "user_9") == "researcher"


def test_a_granted_role_cannot_be_restored_away(desk: Desk) -> None:
    request = ask(desk)
    desk.approve(request)

    with pytest.raises(Refusal, match="took nothing away"):
        desk.restore(request)
