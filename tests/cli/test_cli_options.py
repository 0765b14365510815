"""The options that every verb takes, help, usage errors."""

import importlib
import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import psycopg
import pytest
from sqlalchemy.engine import make_url

from commands.cli import main
from commands.cli.main import cli
from tests.cli.conftest import Run, run_cli


def test_global_options_are_good_before_and_after_the_verb(ledger_url: str) -> None:
    before = run_cli("--db", ledger_url, "--json", "sessions")
    after = run_cli("sessions", "--json", "--db", ledger_url)
    between = run_cli("catalogue", "--json", "list", "--db", ledger_url)
    assert before.json == after.json
    assert (before.json["ok"], before.json["sessions"]) == (True, [])
    assert between.json == {"ok": True, "position": 1, "table": None, "values": []}


def test_of_an_option_given_twice_the_later_one_counts(ledger_url: str) -> None:
    assert run_cli("--db", "sqlite:////nowhere/x.db", "sessions", "--db", ledger_url).exit == 0


def test_as_names_the_user_who_acts(run: Run) -> None:
    run("--as", "user_2", "subject", "add", "one")
    run("subject", "add", "two", "--as", "user_3")
    events = run("log", "--type", "SubjectRegistered", "--json").json["events"]
    assert [event["actor"] for event in events] == ["user_2", "user_3"]
    assert events[0]["via"]["interface"] == "cli"


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201])
def test_a_user_needs_a_printable_name(name: str) -> None:
    assert run_cli("--as", name, "sessions").exit == 2


def test_refusal_with_json_is_one_document_on_standard_output(folder: Path) -> None:
    ended = run_cli("sessions", "--json")
    assert ended.exit == 1
    assert ended.err == ""
    assert ended.json == {
        "ok": False,
        "error": {
            "code": "no-ledger",
            "message": f"There is no ledger at {folder / 'daybook.db'}.",
            "hint": "Create one",
            "next_steps": [{"action": "init", "ref": None, "arguments": {}}],
            "contact": None,
        },
    }


def test_the_ledger_to_create_is_the_one_that_was_asked_for(folder: Path) -> None:
    url = f"sqlite:///{folder / 'my lab.db'}"
    refused = run_cli("--db", url, "sessions").err
    assert f"Create one: daybook init --db '{folder / 'my lab.db'}'" in refused

    command = refused.partition("daybook ")[2].rpartition(" [")[0]
    assert run_cli(*shlex.split(command)).exit == 0
    assert run_cli("--db", url, "sessions").exit == 0


def test_a_login_that_the_ledger_was_not_granted_to_is_not_permitted(
    ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> None:
    url = make_url(ledger_templates("postgresql", tmp_path))
    name = f"guest_{tmp_path.name[-6:]}_{os.getpid()}"
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN")
        try:
            guests = url.set(username=name).render_as_string(hide_password=False)
            ended = run_cli("--db", guests, "sessions")
        finally:
            server.execute(f"DROP ROLE {name}")

    assert ended.exit == 4
    assert "GRANT daybook_app TO you" in ended.err
    assert "psycopg" not in ended.err


def test_every_usage_error_ends_before_its_hint_begins() -> None:
    assert "extra argument (b). See: daybook show --help" in run_cli("show", "s1", "b").err


@pytest.mark.parametrize(
    "arguments", [["sessions", "--json", "--limit", "x"], ["--json", "nosuch"], ["--json"], ["why", "--json"]]
)
def test_wrong_usage_with_json_is_one_document_too(arguments: list[str]) -> None:
    ended = run_cli(*arguments)
    assert ended.exit == 2
    assert ended.json["error"]["code"] == "usage"
    assert set(ended.json["error"]) == {"code", "message", "hint", "next_steps", "contact"}


def test_misspelt_verb_and_option_are_answered_with_the_near_one() -> None:
    assert 'Did you mean "upload"?' in run_cli("uplod", "x").err
    assert "--subject" in run_cli("sessions", "--subjet", "x").err
    assert 'Did you mean "retire"?' in run_cli("catalogue", "retir").err


def test_without_a_verb_the_help_is_shown_on_standard_error() -> None:
    ended = run_cli()
    assert (ended.exit, ended.out) == (2, "")
    assert "daybook demo" in ended.err


def test_help_lists_every_verb_once() -> None:
    text = run_cli("--help").out
    for verb in cli.places:  # type: ignore[attr-defined]
        assert sum(line.startswith(f"  {verb} ") for line in text.splitlines()) == 1, verb


@pytest.mark.parametrize("verb", list(cli.places))  # type: ignore[attr-defined]
def test_table_of_verbs_says_what_each_verb_says(verb: str) -> None:
    module, _, attribute = cli.places[verb].partition(":")  # type: ignore[attr-defined]
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.name == verb
    assert (command.help or "").splitlines()[0] == cli.helps[verb]  # type: ignore[attr-defined]
    assert run_cli(verb, "--help").exit == 0


def test_table_has_no_verb_twice() -> None:
    verbs = [verb for section in main._SECTIONS.values() for verb in section]
    assert len(verbs) == len(set(verbs))


def test_version_is_printed() -> None:
    from ledger import __version__

    assert run_cli("--version").out == f"daybook {__version__}\n"


def test_completion_lists_verbs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_DAYBOOK_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "daybook up")
    monkeypatch.setenv("COMP_CWORD", "1")
    ended = run_cli()
    assert {line.partition(",")[2] for line in ended.out.splitlines()} == {"upload", "uploads"}


def test_json_is_utf_8_and_holds_what_was_said(run_here: Run) -> None:
    run_here("catalogue", "add", "reference.Experimenter", "Grünbaum")
    ended = run_here("catalogue", "list", "--json")
    assert json.loads(ended.out)["values"][0]["value"] == "Grünbaum"
