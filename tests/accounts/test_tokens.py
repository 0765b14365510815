"""Tokens: shown once, kept hashed, and what each lets its bearer do."""

from datetime import timedelta
from typing import Any

import pytest

from commands.accounts import tokens
from commands.accounts.policy import SetAuthenticationPolicy
from commands.accounts.standing import AddServiceAccount, DisableUser, EnableUser
from commands.accounts.times import before_now
from commands.accounts.tokens import IssueToken, RevokeToken, actor_by_token, create_token
from commands.answers.accounts import tokens as tokens_of
from commands.door.actor import Actor, account
from commands.door.permission import NotPermitted
from commands.door.submit import Daybook
from commands.lab.roles import GrantRole, RevokeRole
from commands.lab.subjects import RegisterSubject
from ledger import secrets
from ledger.errors import Refusal
from tests.cli.conftest import Run, run_cli
from tests.ledger.writing import is_sqlite


def signed_in(daybook: Daybook, user: str) -> Daybook:
    return Daybook(daybook.ledger, Actor(user, "api", authentication="password"))


def known(daybook: Daybook, secret: str | None) -> Actor | None:
    assert secret is not None
    return actor_by_token(daybook.ledger, secret, interface="api")


def created(daybook: Daybook, by: str, **options: Any) -> tuple[str, str]:
    result, secret = create_token(signed_in(daybook, by), "laptop", **options)
    assert secret is not None
    return result.id, secret


def test_a_token_says_who_comes_in_and_its_id_stands_in_what_he_does(daybook: Daybook) -> None:
    token, secret = created(daybook, "user_2")

    actor = known(daybook, secret)

    assert actor == Actor("user_2", "api", authentication="token", token=token)
    assert f'"token":"{token}"' in actor.via() and secret not in actor.via()


def test_the_ledger_holds_no_token(daybook: Daybook, ledger_url: str, tmp_path: Any) -> None:
    _, secret = created(daybook, "user_2")
    inner = secret.split("_", 2)[2]
    with daybook.database.reading() as transaction:
        for table in ("secrets", "events", "receipts"):
            assert inner not in str(transaction.run(f"SELECT * FROM {table}").fetchall())
    if is_sqlite(ledger_url):
        assert all(inner.encode() not in file.read_bytes() for file in tmp_path.glob("daybook.db*"))


def test_what_is_none_expired_revoked_or_of_a_disabled_account_lets_nobody_in(daybook: Daybook) -> None:
    token, secret = created(daybook, "user_2")
    for other in ("", "x", secret[:-1], secret + "x", secret.replace(token, "k" * 10), secret.upper()):
        assert known(daybook, other) is None

    signed_in(daybook, "user_2").submit(RevokeToken(id=token))
    assert known(daybook, secret) is None

    _, secret = created(daybook, "user_2")
    daybook.submit(GrantRole(user="user_2", role="researcher"))
    daybook.submit(DisableUser(user="user_2"))
    assert known(daybook, secret) is None
    daybook.submit(EnableUser(user="user_2"))
    assert known(daybook, secret) is None

    token, secret = created(daybook, "user_2")
    with daybook.database.writing() as transaction:
        transaction.run(
            "UPDATE secrets SET expires_at = ? WHERE id = ?", (before_now(timedelta(seconds=1)), token)
        )
    assert known(daybook, secret) is None
    with daybook.reading() as world:
        ended = [line.ended for line in tokens_of(world, "user_2").tokens]
    assert ended == ["revoked", "the account was disabled", "expired"]


def test_a_repeated_command_does_not_show_the_token_again(daybook: Daybook) -> None:
    first, secret = create_token(signed_in(daybook, "user_2"), "laptop", command_id="once")
    again, nothing = create_token(signed_in(daybook, "user_2"), "laptop", command_id="once")

    assert again == first and nothing is None and known(daybook, secret) is not None


def test_a_claim_gets_no_token(daybook: Daybook) -> None:
    with pytest.raises(Refusal) as refused:
        create_token(daybook, "laptop")

    assert refused.value.code == "only-claimed"


def test_the_owner_answers_for_a_service_account_and_nobody_issues_tokens_of_persons(
    daybook: Daybook,
) -> None:
    daybook.submit(AddServiceAccount(user="rig_1", owner="user_2"))

    _, secret = created(daybook, "user_2", user="rig_1")
    actor = known(daybook, secret)

    assert actor is not None and actor.user == "rig_1"
    with pytest.raises(NotPermitted):
        created(daybook, "user_3", user="rig_1")
    with pytest.raises(Refusal) as refused:
        created(daybook, "user_1", user="user_2")
    assert refused.value.code == "not-a-service-account"
    for wrong in (AddServiceAccount(user="rig_1"), AddServiceAccount(user="user_1", owner="user_1")):
        with pytest.raises(Refusal):
            daybook.submit(wrong)
    with pytest.raises(Refusal) as chained:
        daybook.submit(AddServiceAccount(user="rig_2", owner="rig_1"))
    assert chained.value.code == "service-owner"


def test_the_last_use_is_noted_once_an_hour_at_most(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, secret = created(daybook, "user_2")
    marked: list[str] = []
    mark = secrets.mark_used
    monkeypatch.setattr(tokens.secrets, "mark_used", lambda t, i, at: (marked.append(i), mark(t, i, at)))

    for _ in range(3):
        assert known(daybook, secret) is not None

    assert marked == [token]


def test_a_token_that_reads_changes_nothing(daybook: Daybook) -> None:
    _, secret = created(daybook, "user_1", scope="read")
    actor = known(daybook, secret)
    assert actor is not None

    with pytest.raises(Refusal) as refused:
        Daybook(daybook.ledger, actor).submit(RegisterSubject(name="1"))

    assert refused.value.code == "token-reads-only"


def test_whoever_is_disabled_may_change_nothing_by_any_way(daybook: Daybook) -> None:
    daybook.submit(GrantRole(user="user_2", role="admin"))
    daybook.submit(DisableUser(user="user_2"))

    with pytest.raises(NotPermitted, match="an account that is not disabled; that of user_2 is"):
        Daybook(daybook.ledger, Actor("user_2")).submit(RegisterSubject(name="1"))
    with pytest.raises(Refusal) as refused:
        daybook.submit(DisableUser(user="user_1"))
    assert refused.value.code == "own-account"


@pytest.mark.parametrize("length", ["", "0d", "90", "-1d", "1w", "99999d", "1.5h", "9" * 50 + "d"])
def test_a_length_of_time_is_hours_or_days(daybook: Daybook, length: str) -> None:
    with pytest.raises(Refusal) as refused:
        signed_in(daybook, "user_2").submit(IssueToken(user="user_2", name="x", length=length))

    assert refused.value.code == "length-of-time"


# --- who has to be authenticated ------------------------------------------------------------------------------------


def test_a_ledger_can_refuse_what_is_only_claimed(daybook: Daybook, ledger_url: str) -> None:
    """On PostgreSQL the account of a client's process is no more than its word."""
    with pytest.raises(Refusal) as refused:
        daybook.submit(SetAuthenticationPolicy(authenticated_only=True))
    assert refused.value.code == "not-authenticated"  # whoever turns it on can turn it off

    signed_in(daybook, "user_1").submit(SetAuthenticationPolicy(authenticated_only=True))

    for claimed in (Daybook(daybook.ledger, Actor(name)) for name in ("user_1", "user_2")):
        with pytest.raises(Refusal) as refused:
            claimed.submit(RegisterSubject(name="1"))
        assert refused.value.code == "not-authenticated"
    own = Daybook(daybook.ledger, Actor.of_process())
    if is_sqlite(ledger_url):
        own.submit(RegisterSubject(name="2"))
    else:
        with pytest.raises(Refusal):
            own.submit(RegisterSubject(name="2"))
    signed_in(daybook, "user_2").submit(RegisterSubject(name="3"))
    signed_in(daybook, "user_1").submit(SetAuthenticationPolicy(authenticated_only=False))
    daybook.submit(RegisterSubject(name="1"))


def test_with_the_policy_the_command_line_refuses_another_name_and_reads(run: Run, ledger_url: str) -> None:
    daybook = Daybook.open(ledger_url, Actor("user_1", authentication="password"))
    daybook.submit(SetAuthenticationPolicy(authenticated_only=True))
    daybook.close()

    ended = run("upload", "nothing.yml")
    refused = run("subject", "add", "1")

    assert ended.exit == 2 and refused.exit == 4 and "[not-authenticated]" in refused.err
    assert run("sessions").exit == 0
    assert "only of who is authenticated" in run("policy", "list").out
    assert run("log", "--type", "AuthenticationPolicySet").out.count("password") == 1


# --- the verbs ------------------------------------------------------------------------------------------------------


def test_the_verbs_tell_the_token_once_and_list_it(run_here: Run) -> None:
    own = account()
    made = run_here("token", "create", "laptop", user=own)
    secret = made.out.splitlines()[-1]
    listed = run_here("token", "list", user=own)

    assert secret.startswith("dbk_") and secret not in listed.out and "laptop" in listed.out
    ended = run_here("token", "revoke", secret.split("_")[1], user=own)
    assert "has ended" in ended.out
    assert "had ended already" in run_here("token", "revoke", secret.split("_")[1], user=own).out
    assert run_here("token", "revoke", "k7m2q9x4wd").exit == 1
    once = ["token", "create", "x", "--command-id", "a"]
    assert run_here(*once, user=own).out.splitlines()[-1].startswith("dbk_")
    assert "not shown again" in run_here(*once, user=own).out


def test_accounts_are_listed_and_audited_by_authentication(run_here: Run) -> None:
    assert run_here("user", "add", "rig_1", "--service", "--owner", "user_2").exit == 0
    assert run_here("subject", "add", "1", user=account()).exit == 0

    rows = run_here("user", "list", "--json").json["users"]
    [rig] = [row for row in rows if row["user"] == "rig_1"]
    assert (rig["account"], rig["role"], rig["owner"]) == ("active", None, "user_2")
    assert run_here("user", "disable", "rig_1").exit == 0
    assert "disabled" in run_here("user", "list").out
    counted = run_here("audit", "--by", "authentication", "--json").json
    assert counted["by"] == "authentication"
    assert run_cli("role", "list").exit == 0


def test_an_admin_who_is_disabled_is_none(daybook: Daybook) -> None:
    daybook.submit(GrantRole(user="user_2", role="admin"))
    daybook.submit(DisableUser(user="user_2"))

    with pytest.raises(Refusal) as last:
        daybook.submit(RevokeRole(user="user_1", role="admin"))
    with pytest.raises(NotPermitted) as refused:
        signed_in(daybook, "user_2").submit(RegisterSubject(name="1"))

    assert last.value.code == "last-admin" and refused.value.hint.startswith("user_1 can enable it")


def test_an_account_has_so_many_tokens_at_a_time_and_no_more(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_MOST", 2)
    first, _ = created(daybook, "user_2")
    created(daybook, "user_2")

    with pytest.raises(Refusal) as refused:
        created(daybook, "user_2")
    assert refused.value.code == "too-many-tokens"

    signed_in(daybook, "user_2").submit(RevokeToken(id=first))
    assert known(daybook, created(daybook, "user_2")[1]) is not None
