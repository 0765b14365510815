"""In again: by a link that another admin makes, or whoever owns the database, at the machine."""

from datetime import timedelta
from pathlib import Path

import pytest

from commands.accounts import owner
from commands.accounts.policy import SetAuthenticationPolicy
from commands.accounts.resets import What, issue_reset
from commands.accounts.server_key import ServerKey, server_key
from commands.accounts.sign_ins import WrongCredentials, actor_by_sign_in, reset, sign_in
from commands.accounts.standing import AddServiceAccount, DisableUser
from commands.accounts.times import before_now
from commands.accounts.tokens import actor_by_token, create_token
from commands.door.actor import Actor
from commands.door.permission import NotPermitted, role_of
from commands.door.submit import Daybook
from ledger.errors import Refusal
from tests.accounts.people import ANOTHER, HERE, PASSWORD, code_for, joined, signed_in
from tests.accounts.test_second_factor import Telephone, key, second, telephone
from tests.cli.conftest import Run

__all__ = ["key", "telephone"]


def link(daybook: Daybook, user: str, what: What = "password") -> str:
    """By ``daybook``'s actor."""
    _, code = issue_reset(daybook, user, what)
    assert code is not None
    return code


def test_a_new_password_ends_all_sign_ins_and_keeps_every_grant(daybook: Daybook, tmp_path: Path) -> None:
    _, token = joined(daybook, "user_2", "auditor")
    _, personal = create_token(signed_in(daybook, "user_2"), "laptop")
    code = link(daybook, "user_2")

    done = reset(daybook.ledger, code, ANOTHER, HERE)

    assert (done.user, done.what, done.sign_ins, done.tokens) == ("user_2", "password", 1, 1)
    assert actor_by_sign_in(daybook.ledger, token, "bearer", interface="api") is None
    assert personal is not None and actor_by_token(daybook.ledger, personal, interface="api") is not None
    keys = server_key(tmp_path)
    with pytest.raises(WrongCredentials):
        sign_in(daybook.ledger, keys, "user_2", PASSWORD, HERE)
    sign_in(daybook.ledger, keys, "user_2", ANOTHER, HERE)
    with daybook.reading() as world:
        assert role_of(world, "user_2") == "auditor"


def test_a_link_is_good_once_for_an_hour_and_until_the_next(daybook: Daybook) -> None:
    joined(daybook, "user_2")
    first, second = link(daybook, "user_2"), link(daybook, "user_2")

    with pytest.raises(Refusal, match="replaced by a newer one") as refused:
        reset(daybook.ledger, first, ANOTHER, HERE)
    assert refused.value.code == "link-ended"
    with pytest.raises(Refusal) as refused:
        reset(daybook.ledger, second, "short", HERE)
    assert refused.value.code == "weak-password"
    reset(daybook.ledger, second, ANOTHER, HERE)
    with pytest.raises(Refusal, match="used already"):
        reset(daybook.ledger, second, PASSWORD, HERE)

    third = link(daybook, "user_2")
    with daybook.database.writing() as transaction:
        (until,) = transaction.run("SELECT expires_at FROM secrets WHERE id = ?", (third[4:14],)).fetchone()
        long_ago = before_now(timedelta(seconds=1))
        transaction.run("UPDATE secrets SET expires_at = ? WHERE id = ?", (long_ago, third[4:14]))
    assert before_now(-timedelta(minutes=55)) < until < before_now(-timedelta(minutes=61))
    with pytest.raises(Refusal) as refused:
        reset(daybook.ledger, third, PASSWORD, HERE)
    assert refused.value.code == "link-expired"


def test_the_second_factor_holds_until_the_link_is_used_with_the_password(
    daybook: Daybook, key: ServerKey, telephone: Telephone
) -> None:
    second(daybook, key, telephone)
    code = link(daybook, "user_2", "second-factor")
    telephone.wait(2)

    with pytest.raises(WrongCredentials):
        reset(daybook.ledger, code, "wrong", HERE)
    assert sign_in(daybook.ledger, key, "user_2", PASSWORD, HERE, code=telephone.shows())

    done = reset(daybook.ledger, code, PASSWORD, HERE)

    assert (done.what, done.sign_ins) == ("second-factor", 1)
    assert sign_in(daybook.ledger, key, "user_2", PASSWORD, HERE)[0].authentication == "password"


def test_who_may_make_a_link_and_for_whom(daybook: Daybook) -> None:
    joined(daybook, "user_2")
    joined(daybook, "user_3", "admin")
    code_for(daybook, "user_4")
    daybook.submit(AddServiceAccount(user="rig_1"))

    with pytest.raises(NotPermitted):
        link(signed_in(daybook, "user_2"), "user_3")
    with pytest.raises(NotPermitted, match="another admin"):
        link(signed_in(daybook, "user_3"), "user_3")
    wrong: dict[tuple[str, What], str] = {
        ("user_4", "password"): "not-joined", ("rig_1", "password"): "not-joined", ("user_9", "password"): "no-such-user",
        ("user_2", "second-factor"): "no-second-factor",
    }  # fmt: skip
    for (user, what), said in wrong.items():
        with pytest.raises(Refusal) as refused:
            link(daybook, user, what)
        assert refused.value.code == said, user
    daybook.submit(DisableUser(user="user_2"))
    with pytest.raises(Refusal) as refused:
        link(daybook, "user_2")
    assert refused.value.code == "account-disabled"


def test_a_link_of_one_who_was_disabled_since_is_good_no_more(daybook: Daybook) -> None:
    joined(daybook, "user_2")
    code = link(daybook, "user_2")
    daybook.submit(DisableUser(user="user_2"))

    with pytest.raises(Refusal, match="account was disabled"):
        reset(daybook.ledger, code, ANOTHER, HERE)


def test_the_owner_of_the_database_gets_the_last_admin_in_again_at_the_machine(daybook: Daybook) -> None:
    """Whatever the policy says of claims; and it stands in the log."""
    joined(daybook, "user_1")
    signed_in(daybook, "user_1").submit(SetAuthenticationPolicy(authenticated_only=True))
    at_machine = Daybook(daybook.ledger, Actor.of_process())

    code = link(at_machine, "user_1")
    reset(daybook.ledger, code, ANOTHER, HERE)

    with daybook.reading() as world:
        event = world.transaction.run("SELECT actor, via FROM events WHERE type = 'ResetIssued'").fetchone()
    assert event[0] == at_machine.actor.user and '"authentication":"os"' in event[1]
    for other in (Daybook(daybook.ledger, Actor("user_1")), Daybook(daybook.ledger, Actor("user_5"))):
        with pytest.raises(Refusal) as refused:
            link(other, "user_1")
        assert refused.value.code == "not-authenticated"


def test_who_does_not_own_the_database_is_no_owner(daybook: Daybook, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Daybook(daybook.ledger, Actor.of_process())
    assert owner.owns_database(own)
    assert not owner.owns_database(daybook)  # who is claimed
    if daybook.database.dialect == "sqlite":
        monkeypatch.setattr(owner.os, "geteuid", lambda: 12345)
        assert not owner.owns_database(own)


def test_the_verbs_tell_the_link_once(run_here: Run, folder: Path) -> None:
    (folder / "daybook.toml").write_text('public_url = "https://daybook.example.org/lab/"\n')
    run_here("user", "invite", "user_2")
    from commands.door.address import DEFAULT_DB

    daybook = Daybook.open(DEFAULT_DB, Actor("user_1"))
    joined(daybook, "user_2")
    daybook.close()

    made = run_here("user", "reset-password", "user_2")
    assert "link: https://daybook.example.org/lab/reset/dbr_" in made.out
    assert "before this one has ended" in run_here("user", "reset-password", "user_2").out
    assert run_here("user", "reset-second-factor", "user_2").exit == 1
    once = ["user", "reset-password", "user_2", "--command-id", "a"]
    assert set(run_here(*once, "--json").json["secret"]) == {"link", "code"}
    assert "not shown again" in run_here(*once).out
