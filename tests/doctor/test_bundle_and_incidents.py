"""What is kept of a fault, and handed on to whoever is asked for help: enough to see what happened, and no more."""

import json
from pathlib import Path
from typing import Any

import pytest

from commands.cli.command_lines import told
from commands.door import incidents
from tests.cli.conftest import Run, run_cli

TOKEN = "dbk_k7m2q9x4wd_" + 43 * "S"
CANARY = "canary in a message"
ROOTS = ["N:", "/mnt/n"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show s12", "show s12"),
        ("why N:/12345/2023-05-01_10-00-00", "why N:/…"),
        (r"why N:\12345\run", "why N:/…"),
        ("why /mnt/n/12345/run", "why /mnt/n/…"),
        ("why /data/12345/run", "why /…"),
        ("compose recordings/12345/run", "compose recordings/…"),
        ("associate s1 imec0=npx_1", "associate s1 imec0=npx_1"),
        (f"auth accept {TOKEN}", "auth accept ***"),
        ("auth accept 123456", "auth accept ***"),
        ("auth login --user user_2 --code 123456", "auth login --user user_2 --code ***"),
        ("auth login --code=123456", "auth login --code=***"),
        (f"sessions {TOKEN}", "sessions dbk_k7m2q9x4wd_***"),
        ("withdraw s1 --reason private", "withdraw s1 --reason …"),
        ("sessions --location=N:/12345/run", "sessions --location=N:/…"),
        ("--db postgresql://u:pw@host/lab status", "--db postgresql://host/lab status"),
        ("--server https://daybook.example.org status", "--server https://daybook.example.org status"),
    ],
)
def test_a_command_line_is_told_without_secrets_and_paths(words: str, said: str) -> None:
    assert told(words.split(), ROOTS) == said


def test_a_command_line_is_told_in_one_line_and_bounded() -> None:
    assert "\n" not in told(["show", "a\nb\x1b[31m"], [])
    assert len(told(["x" * 500] * 500, [])) < 8_000


def test_incidents_are_listed_and_shown(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "daybook.toml").write_text('contact = "lab@example.org"\n[roots]\n"N:" = ["/mnt/n"]\n')

    def broken(*_: Any, **__: Any) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr("commands.answers.status.status", broken)
    run("show", "N:/12345/private-run")
    run("log", "--text", "private words", user="user_2")
    assert run("status").exit == 70

    listed = run("incident", "list", "--json").json["incidents"]
    found = run("incident", "show", listed[-1]["incident"][:6], "--json").json

    assert len(listed) == 1 and listed[0]["verb"] == "daybook status"
    assert "command  daybook --db " in found["text"] and found["text"].count("before   ") == 1
    assert "show N:/…" in found["text"] and "contact  lab@example.org" in found["text"]
    for hidden in ("canary", "private", "12345"):
        assert hidden not in found["text"]
    assert found["text"].splitlines()[0] in run("incident", "show", listed[0]["incident"]).out
    assert listed[0]["incident"] in run("incident", "list").out


def test_an_incident_that_there_is_not_is_refused(folder: Path) -> None:
    assert run_cli("incident", "show", "abc").exit == run_cli("incident", "show", "../x").exit == 1
    assert "No fault of daybook" in run_cli("incident", "list").shown


def test_a_bundle_holds_it_all_and_nothing_private(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = folder / "rec"
    (recordings / "12345" / "private-run").mkdir(parents=True)
    (folder / "daybook.toml").write_text(f'contact = "lab@example.org"\n[roots]\n"N:" = ["{recordings}"]\n')
    run("show", "N:/12345/private-run")
    run("auth", "accept", TOKEN, "--server", "http://127.0.0.1:1")
    assert run("catalogue", "add", "acquisition.Project", "x", user="user_2").exit == 4

    def broken(*_: Any, **__: Any) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr("commands.answers.status.status", broken)
    assert run("status").exit == 70

    ended = run("doctor", "--bundle", "for-the-admin.json")

    assert ended.exit == 0 and "Read it before you send it" in ended.out
    text = (folder / "for-the-admin.json").read_text()
    found = json.loads(text)
    assert set(found) == {
        "written_at", "contact", "examination", "settings", "commands", "incidents", "refusals",
    }  # fmt: skip
    assert found["examination"]["ok"] and len(found["incidents"]) == 1
    assert found["refusals"][0]["user"] == "user_2" and found["refusals"][0]["needed"] == "the role admin"
    assert any("show N:/…" in line for line in found["commands"])
    for hidden in ("canary", "private-run", TOKEN, "12345"):
        assert hidden not in text
    assert run("doctor", "--bundle", "for-the-admin.json").exit == 2


def test_a_bundle_is_written_where_there_is_no_ledger(folder: Path) -> None:
    ended = run_cli("doctor", "--bundle", "b.json", "--db", "none.db")

    assert ended.exit == 1
    assert "could not be asked" in json.loads((folder / "b.json").read_text())["refusals"]


def test_commands_that_are_kept_are_few_and_for_their_owner_alone(folder: Path) -> None:
    from commands.door import recent

    for number in range(2_000):
        recent.note(f"show s{number} {'x' * 60}", 0)

    file = folder / "state" / "daybook" / "commands"
    assert file.stat().st_size < 100_000 and file.stat().st_mode & 0o777 == 0o600
    assert len(recent.recent()) == recent.KEPT and "show s1999 " in recent.recent()[-1]


def test_where_they_cannot_be_kept_nothing_fails(run: Run, folder: Path) -> None:
    (folder / "state").write_text("a file where a folder was expected")

    assert run("status").exit == 0
    assert incidents.kept(folder) == []
