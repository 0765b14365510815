"""Logging: off unless asked for; then one line each, with fields, and nothing of what was written."""

import logging
from io import StringIO
from pathlib import Path

import pytest

from commands.cli.verbs import LOG_LEVELS
from commands.door import logs
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.people import SetPerson
from commands.lab.roles import GrantRole
from ledger.errors import Refusal
from tests.cli.conftest import run_cli, run_process
from tests.ledger.writing import Register


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "daybook")
    return caplog


def test_command_is_logged_with_its_fields(daybook: Daybook, records: pytest.LogCaptureFixture) -> None:
    daybook.submit(Register(name="1", values=2))

    (record,) = records.records
    assert record.getMessage() == "submitted"
    assert (record.command, record.actor, record.position, record.attempts) == ("Register", "user_1", 4, 1)  # type: ignore[attr-defined]
    assert record.duration_s > 0  # type: ignore[attr-defined]


def test_refusal_is_logged_with_its_code(daybook: Daybook, records: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Refusal):
        Daybook(daybook.ledger, Actor("user_2")).submit(GrantRole(user="user_2", role="admin"))

    refused = [record for record in records.records if record.getMessage() == "refused"]
    assert [(record.command, record.refusal) for record in refused] == [("GrantRole", "not-permitted")]  # type: ignore[attr-defined]


def test_fault_is_logged_without_its_message(
    daybook: Daybook, records: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("canary")

    monkeypatch.setattr(Register, "decide", fails)
    with pytest.raises(ZeroDivisionError):
        daybook.submit(Register(name="1"))

    (record,) = records.records
    assert (record.levelname, record.getMessage(), record.exc_info) == ("ERROR", "failed", None)
    assert "canary" not in records.text


def test_no_line_holds_what_was_written(daybook: Daybook) -> None:
    stream = StringIO()
    stop = logs.write_to(stream, "debug")
    daybook.submit(SetPerson(user="user_1", name="Jane-Doe-canary", email="canary@example.org"))
    daybook.submit(Register(name="canary"))
    stop()
    daybook.submit(Register(name="behind the end"))

    lines = stream.getvalue().splitlines()
    assert [line.split()[1:3] for line in lines] == [["info", "submitted"]] * 2
    assert "command=Register actor=user_1 position=2 duration_s=0." in lines[1]
    assert "canary" not in stream.getvalue()


def test_line_is_one_line_whatever_a_field_holds() -> None:
    record = logging.makeLogRecord({"msg": "submitted", "levelname": "INFO", "actor": "a b\nc\x1b[31m"})

    line = logs.OneLine().format(record)

    assert line.isprintable() and line.endswith(r"actor='a b\nc\x1b[31m'")


def test_nothing_is_logged_unless_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_process("init", "--as", "user_1").err == ""
    assert [handler for handler in logs.LOG.handlers if not isinstance(handler, logging.NullHandler)] == []


def test_level_of_the_command_line_goes_before_that_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_cli("init")
    (tmp_path / "daybook.toml").write_text('log_level = "info"\n')

    from_file = run_cli("subject", "add", "1", "--json")
    overruled = run_cli("--log-level", "error", "subject", "add", "2")
    asked = run_cli("subject", "add", "3", "--log-level", "info")

    assert "submitted command=RegisterSubject actor=user_1 position=2" in from_file.err
    assert from_file.json["ok"] and from_file.err.count("\n") == 2  # opened, submitted
    assert overruled.err == ""
    assert "position=4" in asked.err
    assert logs.LOG.level == logging.NOTSET


def test_level_that_is_none_is_said_with_those_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "daybook.toml").write_text('log_level = "loud"\n')
    assert (
        'daybook.toml: "log_level" is "loud"; expected debug, info, warning, error.'
        in run_cli("sessions").err
    )
    assert run_cli("--log-level", "loud", "sessions").exit == 2
    assert logs.LEVELS == LOG_LEVELS
