"""What TAB offers: files, ids, subjects, users, tables, values; quick, and silent where it cannot."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from commands.cli import completion, completion_values
from commands.cli.completion import CLICK, GROUPS, OPTIONS, VERBS, kind_of
from commands.cli.completion_values import TABLES
from commands.cli.main import cli
from commands.lab.catalogue import checked_table
from commands.samples.lab import SampleLab
from tests.cli.conftest import ROOT, Run, write_input_file
from tests.cli.test_cli_help import ALL

Complete = Callable[..., list[str]]


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> Complete:
    """The words that are offered behind a line; what is in the air is its last word."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))

    def offered(line: str, shell: str = "bash") -> list[str]:
        words = line.split(" ")
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setenv("_DAYBOOK_COMPLETE", f"{shell}_complete")
            patch.setenv("COMP_WORDS", line)
            patch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
            assert completion.complete()
        return capsys.readouterr().out.splitlines()

    return offered


@pytest.fixture
def ids(stocked: Run, sample: SampleLab, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    write_input_file(sample)
    uploaded = stocked("upload", "subject_1.yml", "--json").json
    session = uploaded["sessions"][0]["session"]
    request = stocked("delete", "request", session, "--reason", "x", "--json").json["request"]
    assert stocked("catalogue", "retire", "acquisition.Project", "my_project").exit == 0
    monkeypatch.setenv("DAYBOOK_DB", ledger_url)
    return {"upload": uploaded["upload"], "session": session, "request": request}


def test_ids_subjects_users_and_values_of_the_ledger_are_offered(tab: Complete, ids: dict[str, str]) -> None:
    assert f"plain,{ids['session']}" in tab("daybook show s")
    assert tab(f"daybook show {ids['session']}") == [f"plain,{ids['session']}"]
    assert tab("daybook cat ") == [f"plain,{ids['upload']}"]
    assert tab("daybook request approve ") == [f"plain,{ids['request']}"]
    assert "plain,12345" in tab("daybook sessions --subject 12")
    assert "plain,user_1" in tab("daybook role grant us")
    assert tab("daybook role grant user_1 ad") == ["plain,admin"]
    assert "plain,150_square" in tab("daybook catalogue retire reference.ArenaApparatus 1")
    assert tab("daybook sessions --project my") == []
    assert "plain,OpenField" in tab("daybook sessions --task Op")
    assert "plain,SessionInserted" in tab("daybook log --type SessionI")
    assert tab("daybook show x") == []


def test_names_of_files_and_folders_are_left_to_the_shell(tab: Complete) -> None:
    assert tab("daybook upload f") == ["file,f"]
    assert tab("daybook upload first.yml --receipt r") == ["file,r"]
    assert tab("daybook add-tasks s12 ") == ["file,"]
    assert tab("daybook compose N") == ["dir,N"]
    assert tab("daybook --config x.toml catalogue load c") == ["file,c"]
    assert tab("daybook upload f", "zsh") == ["file", "f", "_"]
    assert tab("daybook upload f", "fish") == ["file,f"]


def test_tables_need_no_ledger_and_a_missing_one_is_no_error(tab: Complete, folder: Path) -> None:
    assert tab("daybook catalogue list reference.Ar") == [
        "plain,reference.ArenaApparatus",
        "plain,reference.ArenaObject",
    ]
    assert tab("daybook show s") == []
    (folder / "daybook.db").write_text("no database")
    assert tab("daybook show s") == []
    assert not (folder / "daybook.db-wal").exists()


def test_the_tables_are_those_of_the_catalogue() -> None:
    for table in TABLES:
        checked_table(table)
    assert sorted(TABLES) == list(TABLES)


def test_every_option_and_argument_is_known_to_the_completion() -> None:
    for verb in ALL:
        command: click.Command = cli
        for word in verb.split():
            assert isinstance(command, click.Group)
            found = command.get_command(click.Context(command), word)
            assert found is not None
            command = found
        if isinstance(command, click.Group):
            assert not verb or verb in GROUPS
            continue
        arguments = [each for each in command.params if isinstance(each, click.Argument)]
        where = f"commands/cli/completion.py: the arguments of {verb} in VERBS, its options in OPTIONS"
        assert len(VERBS.get(verb, ())) == len(arguments), where
        for option in command.params:
            if isinstance(option, click.Option):
                names = {name for name in option.opts if name in OPTIONS}
                assert bool(names) is not option.is_flag, (where, option.opts)
                choices = isinstance(option.type, click.Choice)
                assert all((OPTIONS[name] == CLICK) is choices for name in names), (where, option.opts)


@pytest.mark.parametrize(
    ("line", "kind"),
    [("", CLICK), ("--db x", CLICK), ("request", CLICK), ("show", "record"), ("show s1", "record"),
     ("--db show", CLICK), ("--db show show", "record"), ("sessions", CLICK), ("sessions --status", CLICK),
     ("withdraw s1 s2", "open-record"), ("upload -", "file"), ("nosuch", CLICK)],
)  # fmt: skip
def test_what_is_typed_is_told_by_the_words_before_it(line: str, kind: str) -> None:
    assert kind_of(line.split(), "") == kind


def test_a_completion_imports_neither_click_nor_sqlalchemy(run_here: Run, folder: Path) -> None:
    script = "from commands.cli.start import main; main(); import sys; print('#', *sorted(sys.modules))"
    environment = {"PYTHONPATH": str(ROOT), "_DAYBOOK_COMPLETE": "bash_complete", "COMP_CWORD": "5",
                   "COMP_WORDS": "daybook sessions --user x --subject"}  # fmt: skip

    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )

    loaded = set(done.stdout.rsplit("#", 1)[1].split())
    assert loaded.isdisjoint({"click", "sqlalchemy", "pydantic", "orjson", "alembic", "psycopg", "yaml"})


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_what_a_server_says_is_kept_for_a_minute_where_nobody_else_reads_it(
    tab: Complete, ids: dict[str, str], ledger_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"plain,{ids['session']}" in tab("daybook show s")
    (kept,) = (folder / "cache" / "daybook" / "completion").iterdir()
    assert kept.stat().st_mode & 0o077 == 0

    with monkeypatch.context() as patch:
        patch.setattr(completion_values, "_learn", lambda _: pytest.fail("it was asked again"))
        assert f"plain,{ids['session']}" in tab("daybook show s")
    content = json.loads(kept.read_text())
    kept.write_text(json.dumps(content | {"subject": ["of old"]}))
    os.utime(kept, (time.time() - 61, time.time() - 61))
    assert "plain,12345" in tab("daybook sessions --subject 1")
