"""Next steps are data below the faces; the command line words each as a command that exists."""

import ast
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

import click
import pytest

from commands.cli.main import cli
from commands.cli.next_steps import _OF_THE_SYSTEM, _WORDS, argv, sentence, worded
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from ledger.errors import NextStep
from tests.advice.enumerated import advised as everything_advised
from tests.cli.conftest import Run
from tests.conftest import ROOT

# A verb after the program's name, or a long option: what only a shell understands.
SHELL = re.compile(
    rf"\bdaybook (?:--|(?:{'|'.join(cli.list_commands(click.Context(cli)))})\b)|(?<![-\w])--[a-z][a-z-]+"
)
OF_ANOTHER_PROGRAM = {
    "commands/proving/bundle_verifier.py",
    "commands/proving/bundle.py",
}  # the script in a bundle
NAMES_OF_SOURCES = {
    "--db",
    "--server",
    "--config",
}  # where a setting comes from, as commands.door.reading_settings answers


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The string constants of a module, without its docstrings."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def test_nothing_below_a_face_contains_a_sentence_for_a_shell() -> None:
    found = []
    for path in sources("ledger", "projections", "migrations", "commands"):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("commands/cli/") or name in OF_ANOTHER_PROGRAM:
            continue
        for line, text in texts(ast.parse(path.read_text(encoding="utf-8"))):
            if SHELL.search(text) and text not in NAMES_OF_SOURCES:
                found.append(f"{name}:{line}: {text[:80]}")

    assert found == []


@cache
def advised() -> dict[str, set[frozenset[str]]]:
    """Every action that the code advises, with the names of its arguments, as far as they stand in the source."""
    found: dict[str, set[frozenset[str]]] = {}
    for path in sources("ledger", "projections", "commands"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NextStep" and node.args:
                actions = [c.value for c in ast.walk(node.args[0]) if isinstance(c, ast.Constant)]
                given = [*node.args[2:], *(k.value for k in node.keywords if k.arg == "arguments")]
                names = {
                    key.value
                    for each in given
                    if isinstance(each, ast.Dict)
                    for key in each.keys
                    if isinstance(key, ast.Constant)
                }
                for action in actions:
                    found.setdefault(str(action), set()).add(frozenset(map(str, names)))
    return found


def test_every_action_that_is_advised_has_a_wording_and_none_is_left_over() -> None:
    assert everything_advised().keys() == _WORDS.keys()


@pytest.mark.parametrize("action", sorted(_WORDS))
def test_every_wording_is_a_command_that_exists_with_options_that_it_takes(action: str) -> None:
    for names in advised().get(action, {frozenset()}):
        filled = {name: "yes" if name in ("all", "accept_impact") else "x" for name in names}
        if action == "request-deletion":
            filled.setdefault("reason", "x")
        program, *words = argv(NextStep(action, "d1", filled))
        if action in _OF_THE_SYSTEM:
            assert shutil.which(program)
            continue
        command: click.Command = cli
        context = click.Context(cli)
        while isinstance(command, click.Group):
            found = command.get_command(context, words[0])
            assert found is not None, words
            command, words = found, words[1:]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_what_a_person_fills_in_is_in_capitals_and_what_is_known_is_quoted() -> None:
    step = NextStep("remove-probe", arguments={"subject": "rat 1", "probe": "npx_1", "at": None})

    assert worded(step) == "daybook probe remove 'rat 1' npx_1 --at TIME"


def test_a_hint_is_completed_by_its_steps() -> None:
    look, accept = NextStep("show-request", "d7"), NextStep("approve-request", "d7", {"accept_impact": "yes"})

    assert sentence("", [look]) == "See: daybook request show d7"
    assert sentence("Look", [look, accept]) == (
        "Look: daybook request show d7, then: daybook request approve d7 --accept-impact"
    )
    assert sentence("Nothing helps.", []) == "Nothing helps."
    assert sentence("Press it", [NextStep("press-a-button")]) == "Press it"


# --- what a command is proposed with, where it is not worded from a next step ---------------------------------------

_IDS = {"result.id", "report.upload", "found.request", "line.id", "found.jobs[-1].record"}
"""Ids need no quotes."""


def test_commands_that_are_proposed_quote_what_they_are_proposed_with() -> None:
    loose = []
    for file in sorted((ROOT / "commands" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.JoinedStr):
                continue
            text, values = "", []
            for part in node.values:
                text += part.value if isinstance(part, ast.Constant) else f"{{{len(values)}}}"
                values += [] if isinstance(part, ast.Constant) else [ast.unparse(part.value)]
            for found in re.finditer(r"daybook (?!itself)[a-z][^.;:`]*", text):
                given = [values[int(number)] for number in re.findall(r"\{(\d+)\}", found.group())]
                loose += [(file.name, each) for each in given if each not in _IDS and "quote(" not in each]
    assert loose == []


def test_a_file_with_blanks_is_proposed_in_quotes(run_here: Run, tmp_path: Path) -> None:
    ended = run_here(
        "compose",
        str(
            spikeglx_session(
                tmp_path / "date_1", probes=[SampleProbe("18408403232")], start=datetime(2023, 5, 1)
            )
        ),
        "-o",
        "my file's.yml",
    )
    assert """daybook validate 'my file'"'"'s.yml'""" in ended.out
