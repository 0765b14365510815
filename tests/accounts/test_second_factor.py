"""The second factor: set up by a code, asked for from then on, each code good once; and what gets somebody in without."""

import os
from pathlib import Path

import pyotp
import pytest
from cryptography.fernet import Fernet

from commands.accounts import second_factor
from commands.accounts.policy import SetSecondFactorPolicy
from commands.accounts.second_factor import RemoveSecondFactor, confirm, recovery_codes_left, renew, set_up
from commands.accounts.server_key import ServerKey, server_key
from commands.accounts.sign_ins import SecondFactorNeeded, WrongCode, actor_by_sign_in, sign_in
from commands.accounts.tokens import IssueToken
from commands.answers.accounts import policies, users
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.subjects import RegisterSubject
from ledger.errors import Refusal
from tests.accounts.people import HERE, PASSWORD, joined, signed_in
from tests.cli.conftest import Run

START = 1_800_000_000


class Telephone:
    """An authenticator app, and the time that it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._app: pyotp.TOTP | None = None
        self.now = START
        monkeypatch.setattr(second_factor, "time", lambda: self.now)

    def told(self, secret: str) -> None:
        self._app = pyotp.TOTP(secret)

    def shows(self, *, steps: int = 0) -> str:
        assert self._app is not None
        return self._app.at(self.now + steps * second_factor.STEP_S)

    def wait(self, steps: int = 1) -> None:
        self.now += steps * second_factor.STEP_S


@pytest.fixture
def telephone(monkeypatch: pytest.MonkeyPatch) -> Telephone:
    return Telephone(monkeypatch)


@pytest.fixture
def key(tmp_path: Path) -> ServerKey:
    return server_key(tmp_path)


def second(daybook: Daybook, key: ServerKey, telephone: Telephone, user: str = "user_2") -> list[str]:
    """The user joins and sets one up; the recovery codes."""
    joined(daybook, user)
    telephone.told(set_up(daybook.ledger, key, user, lab="lab").secret)
    return confirm(signed_in(daybook, user), key, telephone.shows())


def enters(daybook: Daybook, key: ServerKey, code: str | None, user: str = "user_2") -> str:
    return sign_in(daybook.ledger, key, user, PASSWORD, HERE, code=code)[0].authentication


def test_a_code_is_asked_for_and_works_once(daybook: Daybook, key: ServerKey, telephone: Telephone) -> None:
    second(daybook, key, telephone)
    telephone.wait(2)

    with pytest.raises(SecondFactorNeeded):
        enters(daybook, key, None)
    assert enters(daybook, key, telephone.shows()) == "second-factor"
    for replayed in (telephone.shows(), telephone.shows(steps=-1)):
        with pytest.raises(WrongCode):
            enters(daybook, key, replayed)
    telephone.wait()
    assert enters(daybook, key, telephone.shows()) == "second-factor"


def test_the_code_that_set_it_up_signs_nobody_in(
    daybook: Daybook, key: ServerKey, telephone: Telephone
) -> None:
    second(daybook, key, telephone)

    with pytest.raises(WrongCode):
        enters(daybook, key, telephone.shows())


def test_a_clock_that_is_a_little_off_does_not_matter(
    daybook: Daybook, key: ServerKey, telephone: Telephone
) -> None:
    second(daybook, key, telephone)
    telephone.wait(5)

    with pytest.raises(WrongCode):
        enters(daybook, key, telephone.shows(steps=2))
    assert enters(daybook, key, f" {telephone.shows(steps=1)[:3]} {telephone.shows(steps=1)[3:]} ")


def test_recovery_codes_are_ten_are_good_once_and_kept_as_digests(
    daybook: Daybook, key: ServerKey, telephone: Telephone
) -> None:
    codes = second(daybook, key, telephone)
    telephone.wait(2)

    assert len(set(codes)) == 10
    assert enters(daybook, key, codes[3].upper()) == "second-factor"
    with pytest.raises(WrongCode):
        enters(daybook, key, codes[3])
    with daybook.reading() as world:
        assert recovery_codes_left(world.transaction, "user_2") == 9
        rows = str(world.transaction.run("SELECT * FROM secrets").fetchall())
    assert not any(code in rows or code.replace("-", "") in rows for code in codes)


def test_the_shared_secret_is_encrypted_and_the_same_until_a_code_was_given(
    daybook: Daybook, key: ServerKey, telephone: Telephone
) -> None:
    joined(daybook, "user_2")
    first, again = (set_up(daybook.ledger, key, "user_2", lab="lab") for _ in range(2))

    assert first == again and first.svg.startswith("<svg")
    telephone.told(first.secret)
    with pytest.raises(Refusal) as refused:
        confirm(signed_in(daybook, "user_2"), key, "000000" if telephone.shows() != "000000" else "111111")
    assert refused.value.code == "wrong-code"
    confirm(signed_in(daybook, "user_2"), key, telephone.shows())
    with daybook.reading() as world:
        assert first.secret not in str(world.transaction.run("SELECT * FROM secrets").fetchall())
        assert next(line.second_factor for line in users(world).users if line.user == "user_2")


def test_whoever_was_signed_in_without_it_is_out(
    daybook: Daybook, key: ServerKey, telephone: Telephone
) -> None:
    _, token = joined(daybook, "user_2")
    assert actor_by_sign_in(daybook.ledger, token, "bearer", interface="api") is not None

    telephone.told(set_up(daybook.ledger, key, "user_2", lab="lab").secret)
    confirm(signed_in(daybook, "user_2"), key, telephone.shows())

    assert actor_by_sign_in(daybook.ledger, token, "bearer", interface="api") is None


def test_a_role_can_need_it_and_then_a_password_alone_does_nothing_but_set_one_up(
    daybook: Daybook, key: ServerKey, telephone: Telephone
) -> None:
    joined(daybook, "user_2")
    daybook.submit(SetSecondFactorPolicy(role="researcher", required=True))
    alone = signed_in(daybook, "user_2")

    for command in (RegisterSubject(name="1"), IssueToken(user="user_2", name="x")):
        with pytest.raises(Refusal) as refused:
            alone.submit(command)
        assert refused.value.code == "second-factor-required"
    telephone.told(set_up(daybook.ledger, key, "user_2", lab="lab").secret)
    confirm(alone, key, telephone.shows())
    both = Daybook(daybook.ledger, Actor("user_2", "api", authentication="second-factor"))
    both.submit(RegisterSubject(name="1"))
    with pytest.raises(Refusal) as refused:
        both.submit(RemoveSecondFactor(user="user_2"))
    assert refused.value.code == "second-factor-required"

    daybook.submit(SetSecondFactorPolicy(role="researcher", required=False))
    assert both.submit(RemoveSecondFactor(user="user_2")).result.changed
    assert not both.submit(RemoveSecondFactor(user="user_2")).result.changed
    assert enters(daybook, key, None) == "password"
    with daybook.reading() as world:
        assert policies(world).second_factor == []


def test_with_another_key_a_recovery_code_still_works(
    daybook: Daybook, key: ServerKey, telephone: Telephone, tmp_path: Path
) -> None:
    codes = second(daybook, key, telephone)
    telephone.wait(2)
    other = ServerKey([Fernet.generate_key()])

    with pytest.raises(Refusal) as refused:
        enters(daybook, other, telephone.shows())
    assert refused.value.code == "other-server-key"
    assert enters(daybook, other, codes[0]) == "second-factor"


def test_the_key_is_changed_by_a_line_before_the_old_one(
    daybook: Daybook, key: ServerKey, telephone: Telephone, tmp_path: Path
) -> None:
    second(daybook, key, telephone)
    telephone.wait(2)
    file = tmp_path / "server.key"
    new = Fernet.generate_key()
    file.write_bytes(new + b"\n" + file.read_bytes())

    renew(daybook.ledger, server_key(tmp_path))

    file.write_bytes(new + b"\n")
    assert enters(daybook, server_key(tmp_path), telephone.shows()) == "second-factor"


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    server_key(tmp_path)
    file = tmp_path / "server.key"
    assert file.stat().st_mode & 0o777 == 0o600

    file.chmod(0o640)
    with pytest.raises(Refusal) as refused:
        server_key(tmp_path)
    assert refused.value.code == "key-open-to-others" and "chmod 600" in refused.value.hint
    file.chmod(0o600)
    for wrong in (b"", b"x\n", os.urandom(40)):
        file.write_bytes(wrong)
        with pytest.raises(Refusal) as refused:
            server_key(tmp_path)
        assert refused.value.code == "server-key"


def test_the_verb_says_which_roles_need_it(run_here: Run) -> None:
    assert "role admin." in run_here("policy", "second-factor", "admin").out
    assert "admin or researcher" in run_here("policy", "second-factor", "researcher").out
    assert "role admin." in run_here("policy", "second-factor", "researcher", "off").out
    assert "role admin." in run_here("policy", "list").out


def test_what_was_set_up_is_set_up_once(daybook: Daybook, key: ServerKey, telephone: Telephone) -> None:
    second(daybook, key, telephone)
    telephone.wait(2)

    with pytest.raises(Refusal) as refused:
        confirm(signed_in(daybook, "user_2"), key, telephone.shows())
    assert refused.value.code == "wrong-code"
