"""Our own faults: one line with an id, and a file that holds no data."""

import re
import stat
from pathlib import Path
from typing import Any

import pytest

from commands.cli import setting_up
from commands.door import incidents
from tests.cli.conftest import Ended, run_cli

SECRET = "subject: 12345 was never meant to be seen"


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """``init`` fails deep inside, with data in a local and in the message."""
    import commands.moving.setup

    def initialise(*_arguments: Any, **_options: Any) -> bool:
        content = SECRET
        try:
            raise KeyError(content)
        except KeyError as error:
            raise ValueError(f"cannot use {content}") from error

    monkeypatch.setattr(commands.moving.setup, "initialise", initialise)
    assert setting_up.init.name == "init"


def incident_file(ended: Ended) -> Path:
    match = re.search(r"Please report it with (\S+\.txt),", ended.err)
    assert match is not None, ended.err
    return Path(match[1])


def test_fault_is_one_line_with_an_id_and_exit_70(fault: None, folder: Path) -> None:
    ended = run_cli("init")
    assert ended.exit == 70
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    path = incident_file(ended)
    assert f"(incident {path.stem})" in ended.err
    assert path.parent == folder / "daybook-incidents"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_incident_file_shows_where_and_never_what(fault: None) -> None:
    text = incident_file(run_cli("init")).read_text()
    assert "ValueError" in text and "KeyError" in text
    assert "in initialise" in text
    assert "12345" not in text
    assert "daybook init" in text


def test_fault_with_json_is_a_document(fault: None) -> None:
    ended = run_cli("init", "--json")
    assert ended.exit == 70
    assert ended.json["error"]["code"] == "incident"
    assert set(ended.json["error"]) == {"code", "message", "hint", "next_steps", "contact"}


def test_without_a_file_beside_the_state_directory_holds_the_incident(fault: None, folder: Path) -> None:
    path = incident_file(run_cli("init", "--db", "postgresql://user_1:secret@host/lab"))
    assert path.parent == folder / "state" / "daybook" / "incidents"
    assert "secret" not in path.read_text()


def test_fault_that_can_be_kept_nowhere_is_still_one_line(
    fault: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "_folders", lambda beside: iter(()))
    ended = run_cli("init")
    assert ended.exit == 70
    assert "could not be kept" in ended.err


def test_an_incident_says_where_to_report_it(fault: None, folder: Path) -> None:
    (folder / "daybook.toml").write_text('contact = "https://tracker.example.org/daybook"\n')

    assert "Contact: https://tracker.example.org/daybook [incident]" in run_cli("init").err
    assert run_cli("init", "--json").json["error"]["contact"] == "https://tracker.example.org/daybook"


def test_whoever_is_told_to_ask_is_told_whom(folder: Path) -> None:
    assert run_cli("init").exit == 0
    (folder / "daybook.toml").write_text('contact = "lab@example.org"\n')

    ended = run_cli("catalogue", "add", "acquisition.Project", "x", user="user_2")
    other = run_cli("show", "s1")

    assert ended.exit == 4 and "Contact: lab@example.org [not-permitted]" in ended.err
    assert "Contact" not in other.err
