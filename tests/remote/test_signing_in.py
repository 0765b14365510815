"""In and out by the command line: an invitation, a password, a second factor, a token; and the file that is kept."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from commands.accounts import second_factor
from commands.accounts.standing import DisableUser
from commands.cli.published import schemas
from commands.door import private_files
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.intake.upload_report import UploadReport
from commands.remote.following import followed
from commands.samples.lab import SampleLab
from tests.accounts.conftest import quick_passwords
from tests.accounts.people import PASSWORD, code_for, joined
from tests.cli.conftest import Ended, run_cli, run_through, write_input_file
from tests.remote.conftest import folder, sample
from tests.serving import Server

__all__ = ["folder", "quick_passwords", "sample"]


@pytest.fixture
def admin(server: Server) -> Daybook:
    return Daybook(server.ledger, Actor("user_1"))


def at(server: Server, *words: str, stdin: str | None = None) -> Ended:
    return run_cli("--server", server.address, *words, stdin=stdin, user=None)


def token_file(folder: Path) -> Path:
    (file,) = (folder / "home" / ".config" / "daybook" / "tokens").glob("*.json")
    return file


def test_whoever_was_invited_joins_is_known_and_goes(server: Server, admin: Daybook, folder: Path) -> None:
    code = code_for(admin, "user_2", "researcher")

    accepted = at(server, "auth", "accept", code, "--password-stdin", "--json", stdin=f"{PASSWORD}\n")
    file = token_file(folder)
    added = at(server, "subject", "add", "777")
    status = at(server, "auth", "status")
    Draft202012Validator(schemas()["auth status"]).validate(at(server, "auth", "status", "--json").json)
    out = at(server, "auth", "logout")

    assert accepted.exit == 0 and accepted.json["user"] == "user_2" and accepted.json["file"] == str(file)
    assert accepted.json["authentication"] == "password" and accepted.json["server"] == server.address
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 if out.exit else not file.exists()
    assert added.exit == 0 and out.out == f"user_2 is signed out at {server.address}.\n"
    assert f"Signed in at {server.address} as user_2, role researcher.\n" in status.out
    assert "By a password" in status.out and "for 6 days more" in status.out
    assert at(server, "subject", "add", "778").exit == 7
    assert at(server, "auth", "logout").out == f"Nobody was signed in at {server.address}.\n"
    assert PASSWORD not in accepted.shown + status.shown


def test_a_wrong_password_and_a_used_code_are_not_signed_in(server: Server, admin: Daybook) -> None:
    code = code_for(admin, "user_2")
    assert at(server, "auth", "accept", code, "--password-stdin", stdin=PASSWORD).exit == 0

    again = at(server, "auth", "accept", code, "--password-stdin", stdin=PASSWORD)
    wrong = at(server, "auth", "login", "--user", "user_2", "--password-stdin", stdin="wrong")
    nobody = at(server, "auth", "login", "--user", "user_9", "--password-stdin", stdin="wrong")
    good = at(server, "auth", "login", "--user", "user_2", "--password-stdin", stdin=PASSWORD)

    assert again.exit == 1 and wrong.exit == nobody.exit == 7 and good.exit == 0
    assert wrong.err == nobody.err and "[wrong-credentials]" in wrong.err


def test_too_many_attempts_are_told_with_the_time_in_words(server: Server, admin: Daybook) -> None:
    joined(admin, "user_2")

    ends = [
        at(server, "auth", "login", "--user", "user_2", "--password-stdin", stdin="wrong") for _ in range(11)
    ]

    assert {ended.exit for ended in ends} == {7}
    assert "[too-many-attempts]" in ends[-1].err and "minute" in ends[-1].err


def test_a_disabled_account_is_not_let_in(server: Server, admin: Daybook) -> None:
    joined(admin, "user_2")
    admin.submit(DisableUser(user="user_2"))

    ended = at(server, "auth", "login", "--user", "user_2", "--password-stdin", stdin=PASSWORD)

    assert ended.exit == 4 and "[account-disabled]" in ended.err


def test_a_second_factor_is_asked_for(
    server: Server, admin: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined(admin, "user_2")
    monkeypatch.setattr(second_factor, "is_on", lambda *_: True)
    monkeypatch.setattr(second_factor, "is_right", lambda *given: given[-1] == "123456")
    login = ["auth", "login", "--user", "user_2", "--password-stdin"]

    without = at(server, *login, stdin=PASSWORD)
    wrong = at(server, *login, "--code", "000000", stdin=PASSWORD)
    good = at(server, *login, "--code", "123456", stdin=PASSWORD)

    assert without.exit == wrong.exit == 7 and "[second-factor-needed]" in without.err
    assert good.exit == 0 and "By a password and a second factor" in good.out


def test_a_rig_keeps_the_token_that_was_made_for_it(server: Server) -> None:
    token = server.token("user_1", scope="read")

    wrong = at(server, "auth", "login", "--token-stdin", stdin="dbk_wrong")
    kept = at(server, "auth", "login", "--token-stdin", stdin=token)
    refused = at(server, "subject", "add", "777")

    assert (
        wrong.exit == 7 and kept.exit == 0 and 'By a token "a test"' in kept.out and "only reads" in kept.out
    )
    assert refused.exit == 4 and "[token-reads-only]" in refused.err
    gone = at(server, "auth", "logout")
    assert gone.exit == 0 and "The token file" in gone.out
    assert at(server, "sessions").exit == 7


# --- the file -------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(server: Server, folder: Path) -> Path:
    assert at(server, "auth", "login", "--token-stdin", stdin=server.token("user_1")).exit == 0
    return token_file(folder)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644, 0o666, 0o700, 0o400])
def test_a_token_file_of_another_mode_is_refused_with_what_mends_it(
    server: Server, kept: Path, mode: int
) -> None:
    kept.chmod(mode)

    ended = at(server, "sessions")

    assert ended.exit == 7 and f"Set it right: chmod 600 {kept} [token-file-mode]" in ended.err
    kept.chmod(0o600)
    assert at(server, "sessions").exit == 0


def test_a_group_is_allowed_where_that_was_asked_for(server: Server, folder: Path) -> None:
    token = server.token("user_1")

    assert at(server, "auth", "login", "--token-stdin", "--allow-group", stdin=token).exit == 0

    file = token_file(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert stat.S_IMODE(file.parent.stat().st_mode) & 0o050 == 0o050
    assert at(server, "sessions").exit == 0
    file.chmod(0o644)
    assert f"chmod 640 {file}" in at(server, "sessions").err


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"token"'])
def test_a_broken_token_file_is_no_token(server: Server, kept: Path, content: bytes) -> None:
    kept.write_bytes(content)

    ended = at(server, "sessions")

    assert ended.exit == 7 and "[token-file]" in ended.err


def test_each_server_has_its_own_and_the_environment_goes_before(
    server: Server, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = run_cli("--server", server.address.replace("127.0.0.1", "localhost"), "sessions", user=None)
    monkeypatch.setenv("DAYBOOK_TOKEN", "dbk_wrong")
    ended = at(server, "sessions")

    assert other.exit == 7 and "You are not signed in" in other.err and ended.exit == 7
    assert "DAYBOOK_TOKEN is set" in at(server, "auth", "logout").err


def test_where_files_have_no_modes_there_is_a_warning(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("commands.remote.tokens", "commands.door.private_files"):
        monkeypatch.setattr(f"{module}.has_modes", lambda: False)
    monkeypatch.setenv("APPDATA", str(folder / "AppData"))

    ended = at(server, "auth", "login", "--token-stdin", stdin=server.token("user_1"))
    (file,) = (folder / "AppData" / "daybook" / "tokens").glob("*.json")
    file.chmod(0o644)

    assert ended.exit == 0 and "does not say who may read" in ended.err
    assert at(server, "sessions").exit == 0
    assert private_files.OWN == 0o600


# --- when it ends ---------------------------------------------------------------------------------------------------


def test_six_hours_before_it_expires_every_verb_says_so(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBOOK_TOKEN", server.token("user_1", length="5h"))
    soon = at(server, "sessions", "--json")
    monkeypatch.setenv("DAYBOOK_TOKEN", server.token("user_1", length="7h"))
    later = at(server, "sessions")

    assert soon.exit == 0 and soon.json["sessions"] == []
    assert soon.err.startswith("warning: you are signed in for 4 h 59 min more, until ")
    assert "daybook auth login" in soon.err and "signed in" not in later.err


def test_a_token_that_expires_while_an_upload_is_followed_loses_and_repeats_nothing(
    server: Server, sample: SampleLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_through(server, "catalogue", "load", "catalogue.yml").exit == 0
    write_input_file(sample)
    token = server.token("user_1")
    monkeypatch.setenv("DAYBOOK_TOKEN", token)
    identity = json.loads(at(server, "token", "list", "--json").out)["tokens"][-1]["id"]

    def expired(remote: object, report: UploadReport, progress: object) -> UploadReport:
        daybook = Daybook(server.ledger, Actor("user_1", authentication="password"))
        with daybook.database.writing() as transaction:
            past = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            transaction.run("UPDATE secrets SET expires_at = ? WHERE id = ?", (past, identity))
        return followed(remote, report, progress)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("commands.remote.following.followed", expired)
        ended = at(server, "upload", "subject_1.yml", "--command-id", "one")
    monkeypatch.setenv("DAYBOOK_TOKEN", server.token("user_1"))
    again = at(server, "upload", "subject_1.yml", "--command-id", "one", "--json")

    assert ended.exit == 7 and "The file is in the ledger and goes on." in ended.err
    assert "daybook auth login" in ended.err
    assert again.exit == 0 and [one["outcome"] for one in again.json["sessions"]] == ["inserted"] * 3
    assert len(at(server, "uploads", "--json").json["uploads"]) == 1
