"""Who acts, and how it was authenticated: what stands in every event."""

import json
import os
import pwd

import pytest

from commands.door import actor as acting
from commands.door.actor import Actor, account
from commands.door.submit import Daybook
from tests.cli.conftest import run_cli, run_process
from tests.ledger.writing import Register, stored_events

OWN = pwd.getpwuid(os.geteuid()).pw_name


def test_account_is_that_of_the_process_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody_else")

    assert account() == OWN
    assert Actor.of_process().user == OWN


def test_account_under_another_number_is_that_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may run under numbers that have no names; two of them are two actors."""
    for number in (4_000_000_001, 4_000_000_002):
        monkeypatch.setattr(acting.os, "geteuid", lambda number=number: number)
        assert Actor.of_process().user == account() == f"uid-{number}"


def test_own_account_is_authenticated_and_every_other_name_is_claimed() -> None:
    assert Actor.of_process("cli").authentication == "os"
    assert Actor.of_process("cli", claimed=OWN).authentication == "os"
    assert Actor.of_process("cli", claimed="somebody_else").authentication == "claimed"
    assert Actor("somebody_else").authentication == "claimed"


def test_another_name_cannot_be_given_out_for_the_account() -> None:
    with pytest.raises(ValueError, match="does not run under the account somebody_else"):
        Actor("somebody_else", authentication="os")


def test_every_event_says_how_its_actor_was_authenticated(daybook: Daybook) -> None:
    daybook.submit(Register(name="1"))
    Daybook(daybook.ledger, Actor.of_process("cli")).submit(Register(name="2"))

    *_, claimed, proven = stored_events(daybook.database)
    assert (claimed.actor, json.loads(claimed.via)["authentication"]) == ("user_1", "claimed")
    assert (proven.actor, json.loads(proven.via)["authentication"]) == (OWN, "os")
    assert json.loads(claimed.via)["os_user"] == OWN


def test_command_line_acts_as_the_account_and_as_whom_it_is_told(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    run_process("init", env={"LOGNAME": "somebody_else", "USER": "somebody_else"})
    run_cli("subject", "add", "12345", user="user_1")

    log = run_cli("log", "--json").json["events"]

    assert [event["actor"] for event in log] == [OWN, "user_1"]
    assert [event["via"]["authentication"] for event in log] == ["os", "claimed"]
