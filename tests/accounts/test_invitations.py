"""Invitations: who may be invited, what a code is good for, and what is said of one that is good no more."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from commands.accounts.invitations import InviteUser, RevokeInvitation, invite
from commands.accounts.server_key import server_key
from commands.accounts.sign_ins import accept, sign_in
from commands.accounts.standing import AddServiceAccount, DisableUser, EnableUser
from commands.accounts.times import before_now
from commands.answers.accounts import invitations, users
from commands.door.permission import role_of
from commands.door.submit import Daybook
from commands.lab.roles import GrantRole
from ledger.errors import Refusal
from tests.accounts.people import ANOTHER, HERE, PASSWORD, code_for, joined
from tests.cli.conftest import Run
from tests.permission.stage import staged


def standing(daybook: Daybook, user: str) -> tuple[str | None, str | None]:
    with daybook.reading() as world:
        return next((line.account, line.role) for line in users(world).users if line.user == user)


def expire(daybook: Daybook, kind: str) -> None:
    with daybook.database.writing() as transaction:
        long_ago = before_now(timedelta(seconds=1))
        transaction.run("UPDATE secrets SET expires_at = ? WHERE kind = ?", (long_ago, kind))


def test_who_is_invited_joins_with_a_password_and_gets_the_role(daybook: Daybook, tmp_path: Path) -> None:
    code = code_for(daybook, "user_2", "auditor")
    assert standing(daybook, "user_2") == ("invited", None)

    found, token = accept(daybook.ledger, code, PASSWORD, HERE)

    assert standing(daybook, "user_2") == ("active", "auditor")
    assert (found.user, found.authentication) == ("user_2", "password") and token.startswith("dbs_")
    with daybook.reading() as world:
        assert invitations(world).invitations == []
        assert role_of(world, "user_2") == "auditor"
    assert sign_in(daybook.ledger, server_key(tmp_path), "user_2", PASSWORD, HERE)[0].user == "user_2"


def test_an_invitation_is_good_for_seven_days_and_kept_as_a_digest(daybook: Daybook) -> None:
    code = code_for(daybook, "user_2")

    with daybook.reading() as world:
        [line] = invitations(world).invitations
        rows = world.transaction.run("SELECT * FROM secrets").fetchall()
    assert line.until[:16] == (before_now(-timedelta(days=7)))[:16] or line.until < before_now(
        -timedelta(days=7)
    )
    assert line.until > before_now(-timedelta(days=7) + timedelta(minutes=5))
    assert code.split("_", 2)[2] not in str(rows)


def _used(daybook: Daybook, code: str) -> None:
    accept(daybook.ledger, code, PASSWORD, HERE)


ENDS: dict[str, tuple[Callable[[Daybook, str], object], str]] = {
    "used already: *Sign in": (_used, "invitation-ended"),
    "was revoked.*Ask an admin": (lambda d, _: d.submit(RevokeInvitation(user="user_2")), "invitation-ended"),
    "replaced by a newer one.*Take the newest": (lambda d, _: code_for(d, "user_2"), "invitation-ended"),
    "account was disabled.*enable": (lambda d, _: d.submit(DisableUser(user="user_2")), "invitation-ended"),
    "has expired.*Ask an admin": (lambda d, _: expire(d, "invitation"), "invitation-expired"),
}


@pytest.mark.parametrize("said", ENDS)
def test_what_is_good_no_more_says_why_and_what_to_do(daybook: Daybook, said: str) -> None:
    end, code = ENDS[said]
    invitation = code_for(daybook, "user_2")
    end(daybook, invitation)

    with pytest.raises(Refusal, match=said.replace(": *", ".*")) as refused:
        accept(daybook.ledger, invitation, ANOTHER, HERE)

    assert refused.value.code == code


def test_what_is_no_code_is_said_to_be_none_whatever_it_resembles(daybook: Daybook) -> None:
    code = code_for(daybook, "user_2")
    other = code[:-1] + ("A" if code[-1] != "A" else "B")

    for wrong in (
        "",
        "x",
        other,
        code.upper(),
        code.replace("dbi_", "dbk_"),
        code.replace(code[4:14], "k" * 10),
    ):
        with pytest.raises(Refusal) as refused:
            accept(daybook.ledger, wrong, PASSWORD, HERE)
        assert refused.value.code == "no-such-invitation"
    accept(daybook.ledger, code, PASSWORD, HERE)


def test_a_name_that_has_acted_is_taken_over_with_what_it_did(
    daybook: Daybook, ledger_url: str, tmp_path: Path
) -> None:
    """Which records and how many."""
    with staged(daybook, ledger_url, tmp_path) as stage:
        sessions = [stage.inserted("user_7") for _ in range(4)]
        request = stage.deletion("user_7")

    result, _ = invite(daybook, "user_7")

    found = {line.kind: (line.count, line.newest) for line in result.takes_over}
    newest = [f"s{number}" for number in reversed(sessions)]
    assert found["sessions"][0] == len(newest) and found["sessions"][1] == newest[:3]
    assert found["requests"] == (1, [f"d{request}"]) and found["uploads"][0] == len(newest)


def test_who_cannot_be_invited_is_told_why(daybook: Daybook) -> None:
    joined(daybook, "user_2")
    daybook.submit(AddServiceAccount(user="rig_1"))
    daybook.submit(GrantRole(user="user_3", role="auditor"))
    daybook.submit(DisableUser(user="user_3"))
    daybook.submit(GrantRole(user="user_4", role="auditor"))
    wrong = {
        "user_2": "account-exists", "rig_1": "service-owner", "user_3": "account-disabled", "everyone": "user-name",
        "User_2": "look-alike", " user_5": "user-name",
    }  # fmt: skip

    for user, code in wrong.items():
        with pytest.raises(Refusal) as refused:
            invite(daybook, user)
        assert refused.value.code == code, user
    with pytest.raises(Refusal) as refused:
        invite(daybook, "user_4", role="admin")
    assert refused.value.code == "role-granted"
    with pytest.raises(Refusal) as refused:
        daybook.submit(InviteUser(user="user_6", email="nobody"))
    assert refused.value.code == "person-email"


def test_who_was_granted_a_role_in_between_keeps_it(daybook: Daybook) -> None:
    code = code_for(daybook, "user_2", "admin")
    daybook.submit(GrantRole(user="user_2", role="auditor"))

    accept(daybook.ledger, code, PASSWORD, HERE)

    assert standing(daybook, "user_2") == ("active", "auditor")


def test_a_repeated_command_does_not_show_the_code_again(daybook: Daybook) -> None:
    first, code = invite(daybook, "user_2", command_id="once")
    again, nothing = invite(daybook, "user_2", command_id="once")

    assert again == first and nothing is None and code is not None
    accept(daybook.ledger, code, PASSWORD, HERE)


def test_a_weak_password_is_refused_and_the_invitation_stays_good(daybook: Daybook) -> None:
    code = code_for(daybook, "user_2")

    for weak in ("short", "user_2user_2user_2", "passwordpassword", "x" * 12, "a" * 201, "qwertyuiopasdf"):
        with pytest.raises(Refusal) as refused:
            accept(daybook.ledger, code, weak, HERE)
        assert refused.value.code == "weak-password" and weak not in str(refused.value)

    accept(daybook.ledger, code, PASSWORD, HERE)


def test_enabled_again_is_who_had_joined_and_nobody_else(daybook: Daybook, tmp_path: Path) -> None:
    joined(daybook, "user_2")
    code_for(daybook, "user_3")
    for user in ("user_2", "user_3"):
        daybook.submit(DisableUser(user=user))
        daybook.submit(EnableUser(user=user))

    assert (standing(daybook, "user_2")[0], standing(daybook, "user_3")[0]) == ("active", None)
    sign_in(daybook.ledger, server_key(tmp_path), "user_2", PASSWORD, HERE)
    assert code_for(daybook, "user_3")


def test_the_verbs_show_link_and_code_once(run_here: Run, folder: object) -> None:
    shown = run_here("user", "invite", "user_2", "--role", "researcher", "--email", "user_2@example.org")
    assert shown.exit == 0 and "as researcher" in shown.out and "  code: dbi_" in shown.out
    code = shown.out.split("code: ")[1].split()[0]
    listed = run_here("user", "invitations").out

    assert "user_2" in listed and "open" in listed and code not in listed
    assert run_here("person", "list", "--json").json["people"][0]["email"] == "user_2@example.org"
    assert "example.org" not in run_here("log", "--json").out
    assert "has ended" in run_here("user", "invite", "user_2").out
    assert "has ended" in run_here("user", "revoke-invitation", "user_2").out
    assert "nothing to do" in run_here("user", "revoke-invitation", "user_2").out
    assert "No invitation is open" in run_here("user", "invitations").err
    once = ["user", "invite", "user_3", "--command-id", "a"]
    assert set(run_here(*once, "--json").json["secret"]) == {"link", "code"}
    assert "not shown again" in run_here(*once).out and "secret" not in run_here(*once, "--json").json
