"""Failed attempts: counted before they are made, by account and by address; a series is told to admins."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.accounts import attempts, passwords
from commands.accounts.attempts import OF_ACCOUNT, OF_ADDRESS, TooManyAttempts
from commands.accounts.server_key import ServerKey, server_key
from commands.accounts.sign_ins import Origin, WrongCredentials, actor_by_sign_in, sign_in
from commands.answers.status import status
from commands.door.submit import Daybook
from ledger import log
from tests.accounts.people import HERE, PASSWORD, joined, signed_in
from tests.cli.conftest import Run


@pytest.fixture
def key(tmp_path: Path) -> ServerKey:
    return server_key(tmp_path)


def fail(daybook: Daybook, key: ServerKey, user: str, times: int = 1, origin: Origin = HERE) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            sign_in(daybook.ledger, key, user, "wrong", origin)


def events(daybook: Daybook) -> list[str]:
    with daybook.reading() as world:
        return [e.payload or "" for e in log.read_all(world.transaction, 0) if e.type == "SignInsFailed"]


def an_hour_passes(daybook: Daybook) -> None:
    with daybook.database.writing() as transaction:
        rows = transaction.run("SELECT who, minute, failures FROM sign_in_failures").fetchall()
        transaction.run("DELETE FROM sign_in_failures")
        for who, minute, failures in rows:
            then = datetime.strptime(minute, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC) - timedelta(minutes=62)
            values = (who, then.strftime("%Y-%m-%dT%H:%MZ"), failures)
            transaction.run("INSERT INTO sign_in_failures VALUES (?, ?, ?)", values)


@pytest.mark.parametrize("user", ["user_2", "user_9"])
def test_after_ten_failures_none_is_taken_for_an_hour_also_with_the_password(
    daybook: Daybook, key: ServerKey, user: str
) -> None:
    """The same for a user who is known and for one who is not."""
    _, token = joined(daybook, "user_2")
    fail(daybook, key, user, OF_ACCOUNT)

    with pytest.raises(TooManyAttempts) as refused:
        sign_in(daybook.ledger, key, user, PASSWORD, HERE)

    assert 3600 <= refused.value.seconds <= 3660
    assert "61 minutes" in refused.value.hint and "user name" in refused.value.message
    assert actor_by_sign_in(daybook.ledger, token, "bearer", interface="api") is not None
    an_hour_passes(daybook)
    fail(daybook, key, user)
    if user == "user_2":
        sign_in(daybook.ledger, key, user, PASSWORD, HERE)


def test_who_signs_in_has_not_failed(daybook: Daybook, key: ServerKey) -> None:
    joined(daybook, "user_2")
    for _ in range(OF_ACCOUNT + 2):
        sign_in(daybook.ledger, key, "user_2", PASSWORD, HERE)

    fail(daybook, key, "user_2", OF_ACCOUNT)


def test_an_address_may_fail_a_hundred_times_whatever_users_it_names(
    daybook: Daybook, key: ServerKey
) -> None:
    joined(daybook, "user_2")
    for number in range(OF_ADDRESS):
        fail(daybook, key, f"somebody {number}")

    with pytest.raises(TooManyAttempts, match="from this address"):
        sign_in(daybook.ledger, key, "user_2", PASSWORD, HERE)
    sign_in(daybook.ledger, key, "user_2", PASSWORD, Origin("192.0.2.8"))


def test_a_series_is_one_event_without_address_or_unknown_name_and_admins_see_it(
    daybook: Daybook, key: ServerKey
) -> None:
    joined(daybook, "user_2")
    fail(daybook, key, "user_2", OF_ACCOUNT)
    fail(daybook, key, "a password typed in the wrong field", OF_ACCOUNT)

    told = events(daybook)

    assert told == [
        '{"of":"account","user":"user_2","failures":10}', '{"of":"name","user":"","failures":10}',
    ]  # fmt: skip
    with daybook.reading() as world:
        rows = str(world.transaction.run("SELECT * FROM sign_in_failures").fetchall())
        found = status(world, now=datetime.now(UTC)).failed_sign_ins
        assert "wrong field" not in rows
    assert [(one.user, one.times) for one in found] == [(None, 1), ("user_2", 1)]
    with signed_in(daybook, "user_2").reading() as world:
        assert status(world, now=datetime.now(UTC)).failed_sign_ins == []


def test_of_many_series_within_an_hour_the_first_are_recorded(
    daybook: Daybook, key: ServerKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_MOST_TOLD", 3)
    for number in range(5):
        fail(daybook, key, f"somebody {number}", OF_ACCOUNT, Origin(f"192.0.2.{number}"))

    assert len(events(daybook)) == 3


def test_attempts_at_once_are_no_more_than_may_fail(
    daybook: Daybook, key: ServerKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They count before they are made."""
    joined(daybook, "user_2")
    checked: list[str] = []
    right = passwords.is_right
    monkeypatch.setattr(passwords, "is_right", lambda p, kept: (checked.append(p), right(p, kept))[1])

    def attempt() -> None:
        with pytest.raises((WrongCredentials, TooManyAttempts)):
            sign_in(daybook.ledger, key, "user_2", "wrong", HERE)

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(checked) == OF_ACCOUNT and len(events(daybook)) == 1


def test_a_wrong_code_counts_as_a_wrong_password(
    daybook: Daybook, key: ServerKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commands.accounts.sign_ins import WrongCode
    from tests.accounts.test_second_factor import Telephone, second

    second(daybook, key, Telephone(monkeypatch))
    for _ in range(OF_ACCOUNT):
        with pytest.raises(WrongCode):
            sign_in(daybook.ledger, key, "user_2", PASSWORD, HERE, code="000000")

    with pytest.raises(TooManyAttempts):
        sign_in(daybook.ledger, key, "user_2", PASSWORD, HERE, code="000000")
    assert len(events(daybook)) == 1


def test_the_command_line_warns_an_admin(run_here: Run) -> None:
    from commands.door.actor import Actor
    from commands.door.address import DEFAULT_DB

    daybook = Daybook.open(DEFAULT_DB, Actor("user_1"))
    keys = server_key(Path())
    fail(daybook, keys, "user_9", OF_ACCOUNT)
    daybook.close()

    assert "attempts to sign in" in run_here("status").err
    assert "attempts to sign in" not in run_here("status", user="user_2").err
    assert "for a name that nobody has" in run_here("log").out
