"""A refusal is recorded, once, as one event with a receipt; and it stands where it cannot be recorded."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from commands.cli.next_steps import sentence, worded
from commands.door.actor import EVERYONE, Actor
from commands.door.permission import NotPermitted, require_admin, require_owner, require_writer
from commands.door.submit import Daybook
from commands.door.world import World
from commands.lab.roles import GrantRole, RevokeRole
from ledger import log
from ledger.bodies import body_of
from ledger.database import Transaction
from ledger.errors import LedgerUnavailable, NextStep, Refusal
from projections.records import Session
from tests.ledger.test_unavailable import as_nobody
from tests.ledger.writing import Register, as_owner, stored_events

__all__ = ["as_nobody"]


@pytest.fixture
def researcher(ledger_url: str) -> Iterator[Daybook]:
    """user_2, to whom nothing was granted."""
    opened = Daybook.open(ledger_url, Actor("user_2"))
    yield opened
    opened.close()


def of_somebody(world: World, username: str) -> Session:
    given = {
        "id": 12,
        "upload": 5,
        "subject": "0/12345",
        "username": username,
        "location": "N:/x",
        "status": "waiting",
    }
    empty = dict.fromkeys(field.name for field in fields(Session))
    return Session(**empty | given)  # type: ignore[arg-type]


def refused(daybook: Daybook, command: GrantRole | RevokeRole) -> NotPermitted:
    with pytest.raises(NotPermitted) as caught:
        daybook.submit(command)
    return caught.value


def said(refusal: Refusal) -> str:
    return f"{refusal.message} {sentence(refusal.hint, refusal.steps)}"


# --- what is said ---------------------------------------------------------------------------------------------------


def test_a_refusal_names_the_action_what_is_needed_and_who_can_grant_it(researcher: Daybook) -> None:
    refusal = refused(researcher, GrantRole(user="user_3", role="admin"))

    assert said(refusal) == (
        "user_2 may not grant the role admin to user_3. This needs the role admin; user_2 has the role researcher. "
        "user_1 can grant it. Ask for it: daybook role request admin --reason TEXT"
    )


def test_a_refusal_for_a_record_names_the_record_and_its_owner(researcher: Daybook) -> None:
    with pytest.raises(NotPermitted) as caught:
        researcher.require(
            lambda world: require_owner(world, "annotate a session", [of_somebody(world, "user_9")])
        )

    assert said(caught.value) == (
        "user_2 may not annotate a session: s12. This needs user_9, who uploaded it, or the role admin; "
        "user_2 has the role researcher. "
        "Ask user_9 to do it, or user_1 for the role: daybook role request admin --reason TEXT"
    )


def test_owner_who_can_grant_the_role_as_well_is_named_once(researcher: Daybook) -> None:
    with pytest.raises(NotPermitted) as caught:
        researcher.require(
            lambda world: require_owner(world, "annotate a session", [of_somebody(world, "user_1")])
        )

    assert said(caught.value).endswith(
        "Ask user_1 to do it, or for the role: daybook role request admin --reason TEXT"
    )


@pytest.mark.parametrize(
    ("role", "owner", "needed", "has"),
    [
        ("auditor", "user_2", "the role researcher", "has the role auditor"),
        ("auditor", "user_9", "the role admin", "has the role auditor"),
        (None, "user_2", "the role researcher", "has no role"),
    ],
)
def test_who_is_no_researcher_is_told_the_role_that_would_do(
    daybook: Daybook, researcher: Daybook, role: str | None, owner: str, needed: str, has: str
) -> None:
    if role is None:
        daybook.submit(RevokeRole(user=EVERYONE, role="researcher"))
    else:
        daybook.submit(GrantRole.model_validate({"user": "user_2", "role": role}))

    with pytest.raises(NotPermitted) as caught:
        researcher.require(
            lambda world: require_owner(world, "annotate a session", [of_somebody(world, owner)])
        )

    assert f"This needs {needed}; user_2 {has}." in caught.value.message
    assert caught.value.hint == "user_1 can grant it. Ask for it"
    role = needed.split()[-1]
    assert caught.value.steps == (NextStep("request-role", arguments={"role": role, "reason": None}),)


def test_many_admins_are_named_by_a_few_and_a_name_with_a_space_is_quoted(
    daybook: Daybook, ledger_url: str
) -> None:
    for number in range(2, 6):
        daybook.submit(GrantRole(user=f"user_{number}", role="admin"))
    spaced = Daybook.open(ledger_url, Actor("user 6"))

    refusal = refused(spaced, GrantRole(user="user_7", role="admin"))
    spaced.close()

    assert refusal.hint == "user_1, user_2, user_3 or 2 more can grant it. Ask for it"
    assert [worded(step) for step in refusal.steps] == ["daybook role request admin --reason TEXT"]


def test_the_role_of_everyone_is_that_of_whoever_was_granted_none(
    daybook: Daybook, researcher: Daybook
) -> None:
    researcher.submit(Register(name="1"))
    daybook.submit(GrantRole(user=EVERYONE, role="auditor"))

    with pytest.raises(NotPermitted):
        researcher.require(lambda world: require_writer(world, "register subjects"))
    daybook.submit(GrantRole(user="user_2", role="researcher"))

    researcher.require(lambda world: require_writer(world, "register subjects"))


# --- what is recorded -----------------------------------------------------------------------------------------------


def test_a_refusal_is_one_event_of_whoever_tried_with_a_receipt(
    daybook: Daybook, researcher: Daybook
) -> None:
    refused(researcher, GrantRole(user="user_3", role="admin"))

    (event,) = stored_events(daybook.database)[1:]
    assert (event.stream, event.type, event.actor, event.username) == (
        "user/user_2", "ActionRefused", "user_2", "user_2"
    )  # fmt: skip
    assert body_of(event) == {
        "action": "grant the role admin to user_3",
        "record": "",
        "role": "researcher",
        "needed": "the role admin",
    }
    with daybook.database.reading() as transaction:
        receipt = log.read_receipt(transaction, event.command_id)
    assert receipt is not None and receipt[1:3] == (event.position, event.position)


def test_each_attempt_is_recorded_once_however_often_it_is_repeated(
    daybook: Daybook, researcher: Daybook
) -> None:
    command = GrantRole(user="user_3", role="admin")

    for attempt in range(1, 4):
        refused(researcher, command)
        assert len(stored_events(daybook.database)) == 1 + attempt


def test_a_record_in_a_refusal_is_about_its_subject(daybook: Daybook, researcher: Daybook) -> None:
    with pytest.raises(NotPermitted):
        researcher.require(lambda world: require_owner(world, "withdraw", [of_somebody(world, "user_9")]))

    event = stored_events(daybook.database)[-1]
    assert (body_of(event)["record"], event.subject) == ("s12", "0/12345")


@pytest.mark.parametrize("typed", ["x" * 1_000_000, "a\0b", "a\x1b[31m\nb", "\u2028" * 1_000])
def test_whatever_was_typed_is_kept_as_one_short_line(
    daybook: Daybook, researcher: Daybook, typed: str
) -> None:
    refusal = refused(researcher, GrantRole(user=typed, role="admin"))

    event = stored_events(daybook.database)[-1]
    assert event.type == "ActionRefused"
    action = body_of(event)["action"]
    assert action.isprintable() and len(action) <= 300
    assert len(str(refusal)) < 1_000


# --- when roles change in between -----------------------------------------------------------------------------------


def test_a_role_that_is_revoked_after_the_early_check_is_missed_under_the_lock(
    daybook: Daybook, researcher: Daybook
) -> None:
    daybook.submit(GrantRole(user="user_2", role="admin"))
    researcher.require(lambda world: require_admin(world, "grant roles"))
    daybook.submit(RevokeRole(user="user_2", role="admin"))

    refused(researcher, GrantRole(user="user_3", role="admin"))

    assert [event.type for event in stored_events(daybook.database)[1:]] == [
        "RoleGranted", "RoleRevoked", "ActionRefused"
    ]  # fmt: skip


def test_a_role_that_another_process_revoked_does_not_live_on_in_memory(
    daybook: Daybook, researcher: Daybook
) -> None:
    daybook.submit(GrantRole(user="user_2", role="admin"))
    researcher.submit(GrantRole(user="user_3", role="auditor"))  # its rows are kept from here on
    daybook.submit(RevokeRole(user="user_2", role="admin"))

    refused(researcher, GrantRole(user="user_4", role="admin"))


def test_a_command_that_was_carried_out_is_answered_again_to_whoever_lost_the_role_since(
    daybook: Daybook, researcher: Daybook
) -> None:
    daybook.submit(GrantRole(user="user_2", role="admin"))
    command = GrantRole(user="user_3", role="auditor")
    first = researcher.submit(command)
    daybook.submit(RevokeRole(user="user_2", role="admin"))

    again = researcher.submit(command)

    assert (again.first, again.result, again.repeated) == (first.first, first.result, True)


def test_two_admins_who_revoke_each_other_at_once_leave_one(
    daybook: Daybook, researcher: Daybook, ledger_url: str
) -> None:
    daybook.submit(GrantRole(user="user_2", role="admin"))
    begin = threading.Barrier(2)

    def revoke(user: str, other: str) -> str:
        mine = Daybook.open(ledger_url, Actor(user))
        try:
            begin.wait()
            mine.submit(RevokeRole(user=other, role="admin"))
        except Refusal as refusal:
            return refusal.code
        finally:
            mine.close()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(revoke, ("user_1", "user_2"), ("user_2", "user_1")))

    assert sorted(ends) == ["done", "not-permitted"]
    with daybook.reading() as world:
        assert [row.username for row in world.state.users.where("role = 'admin'", [])] in (
            ["user_1"],
            ["user_2"],
        )


def test_roles_are_looked_up_once_for_a_command(daybook: Daybook, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = Transaction.run

    def counting(self: Transaction, sql: str, values: object = ()) -> object:
        asked.append(sql)
        return original(self, sql, values)  # type: ignore[arg-type]

    monkeypatch.setattr(Transaction, "run", counting)
    daybook.submit(Register(name="1"))
    daybook.submit(GrantRole(user="user_3", role="auditor"))
    daybook.submit(GrantRole(user="user_4", role="auditor"))

    looked_up = [sql for sql in asked if "FROM users_" in sql and "IN (" in sql]
    assert len(looked_up) == 1


# --- where it cannot be recorded ------------------------------------------------------------------------------------


@pytest.mark.tampers
def test_a_refusal_that_cannot_be_recorded_stands_and_says_so(
    ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> None:
    url = ledger_templates("postgresql", tmp_path)
    as_owner(url, "REVOKE INSERT ON events FROM daybook_app")
    daybook = Daybook.open(url, Actor("user_2"))

    refusal = refused(daybook, GrantRole(user="user_3", role="admin"))
    daybook.close()

    assert refusal.message.startswith("user_2 may not grant the role admin to user_3.")
    assert "This could not be recorded: The database refuses: permission denied" in refusal.hint


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_on_a_read_only_ledger_who_may_not_is_told_so_and_who_may_that_it_is_read_only(
    ledger_templates: Callable[[str, Path], str],
    tmp_path: Path,
    as_nobody: None,
) -> None:
    uid = os.geteuid()
    os.seteuid(os.getuid())
    url = ledger_templates("sqlite", tmp_path)
    (tmp_path / "daybook.db").chmod(0o444)
    tmp_path.chmod(0o777)  # the journal may be made
    os.seteuid(uid)

    said: dict[str, list[LedgerUnavailable | NotPermitted]] = {"user_1": [], "user_2": []}
    for user, refusals in said.items():
        daybook = Daybook.open(url, Actor(user))
        for early in (False, True):
            with pytest.raises((NotPermitted, LedgerUnavailable)) as caught:
                if early:
                    daybook.require(lambda world: require_admin(world, "grant roles"))
                daybook.submit(GrantRole(user="user_3", role="admin"))
            refusals.append(caught.value)
        daybook.close()

    assert [refusal.code for refusal in said["user_1"]] == ["read-only", "read-only"]
    assert [refusal.code for refusal in said["user_2"]] == ["not-permitted", "not-permitted"]
    assert all("This could not be recorded: The ledger" in refusal.hint for refusal in said["user_2"])


# --- at the edges ---------------------------------------------------------------------------------------------------


def test_as_many_admins_as_are_named_are_all_named(daybook: Daybook, researcher: Daybook) -> None:
    for number in (3, 4):
        daybook.submit(GrantRole(user=f"user_{number}", role="admin"))

    refusal = refused(researcher, GrantRole(user="user_7", role="admin"))

    assert refusal.hint.startswith("user_1, user_3 or user_4 can grant it")


def test_an_auditor_is_refused_what_is_about_no_record_at_all(daybook: Daybook, researcher: Daybook) -> None:
    daybook.submit(GrantRole(user="user_2", role="auditor"))

    with pytest.raises(NotPermitted) as caught:
        researcher.require(lambda world: require_owner(world, "annotate a session", []))

    assert caught.value.record == "" and "This needs the role researcher" in caught.value.message
