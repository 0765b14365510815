"""``docs/accounts.md``, command by command, as several people who come in through one server."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from commands.accounts.second_factor import confirm, set_up
from commands.accounts.sign_ins import sign_in
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.samples.lab import SampleLab, input_file
from ledger.database import Database
from ledger.errors import Refusal
from tests.accounts.accounts_page import Play
from tests.accounts.conftest import quick_passwords
from tests.accounts.people import ANOTHER, HERE, joined, signed_in
from tests.accounts.test_second_factor import Telephone
from tests.cli.conftest import folder, run_cli, sample
from tests.conftest import ROOT
from tests.serving import Server

__all__ = ["folder", "quick_passwords", "sample"]
PAGE = ROOT / "docs" / "accounts.md"


def changed(server: Server, statement: str) -> None:
    """Time goes by in what can be erased."""
    owner = Database(server.url, role=None)
    with owner.writing() as transaction:
        transaction.run(statement)
    owner.close()


def eight_days(play: Play) -> None:
    changed(play.server, "UPDATE secrets SET expires_at = created_at WHERE kind = 'invitation'")


def ten_passwords(play: Play) -> None:
    for _ in range(10):
        with pytest.raises(Refusal):
            sign_in(play.server.ledger, play.server.serving.key, "user_2", "not the one", HERE)


def an_hour(play: Play) -> None:
    changed(play.server, "DELETE FROM sign_in_failures")


def new_password(play: Play) -> None:
    done = play.server.anonymous.post("/api/v1/auth/reset", json={"code": play.code, "password": ANOTHER})
    assert done.status_code == 200, done.text


def token_expires(play: Play) -> None:
    changed(
        play.server,
        "UPDATE secrets SET expires_at = created_at WHERE kind = 'sign-in' AND username = 'user_2'",
    )


def token_file(play: Play) -> Path:
    (file,) = (play.home("user_2") / ".config" / "daybook" / "tokens").glob("*.json")
    return file


def second_factor(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    telephone, daybook = Telephone(monkeypatch), Daybook(play.server.ledger, Actor("user_1"))
    user = signed_in(daybook, "user_2")
    telephone.told(set_up(play.server.ledger, play.server.serving.key, "user_2", lab="lab").secret)
    play.recovery = confirm(user, play.server.serving.key, telephone.shows())[0]


def opens_link(play: Play) -> None:
    done = play.server.anonymous.post("/api/v1/auth/reset", json={"code": play.code, "password": ANOTHER})
    assert done.status_code == 200, done.text


@pytest.fixture
def play(
    ledger_templates: Callable[[str, Path], str],
    sample: SampleLab,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Play]:
    url = ledger_templates("sqlite", folder)
    recordings = folder / "recordings"
    subject = sample.subjects[0]
    file = input_file(
        subject, sessions=1, location_of=lambda place: f"N:/{place.relative_to(recordings).as_posix()}"
    )
    assert run_cli("--db", url, "catalogue", "load", "catalogue.yml").exit == 0
    server = Server(url, folder)
    roots = Roots.of({"N:": [str(recordings)]})
    server.serving.settings = replace(server.serving.settings, roots=roots, contact="lab@example.org")
    made = Play(
        server,
        folder,
        {
            "eight days go by": eight_days,
            "somebody tries ten passwords for user_2": ten_passwords,
            "an hour goes by": an_hour,
            "user_2 opens the link and chooses a new password": new_password,
            "the token of user_2 expires": token_expires,
            "user_2 lets everybody read the token file": lambda play: token_file(play).chmod(0o644),
            "user_2 does as it says": lambda play: token_file(play).chmod(0o600),
            "user_2 sets up a second factor": lambda play: second_factor(play, monkeypatch),
            "user_2 opens the link": opens_link,
        },
    )
    joined(Daybook(server.ledger, Actor("user_1")), "user_1")
    (made.home("user_2") / "12345.yml").write_text(file)
    assert made.run("user_1", "daybook auth login --user user_1 --password-stdin < password.txt").exit == 0
    yield made
    server.close()


@pytest.mark.skipif(os.name == "nt", reason="files have no modes there")
def test_the_page_can_be_played(play: Play) -> None:
    found = play.play(PAGE.read_text(encoding="utf-8"))

    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(found, encoding="utf-8")
    assert play.differing == []
