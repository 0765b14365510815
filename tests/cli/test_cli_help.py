"""What is said of each verb: two examples that work, by -h and by ``help``."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from commands.cli.examples import EXAMPLES
from commands.cli.invocation import Invocation
from commands.cli.main import cli
from tests.cli.conftest import run_cli
from tests.permission.test_every_verb import verbs


def groups(command: click.Command, name: str = "") -> Iterator[str]:
    if isinstance(command, click.Group):
        yield name
        context = click.Context(command)
        for verb in command.list_commands(context):
            found = command.get_command(context, verb)
            assert found is not None
            yield from groups(found, f"{name} {verb}".strip())


ALL = sorted({*verbs(cli), *groups(cli)})


def parsed(words: list[str]) -> str:
    """The verb that a command line calls; raises click.UsageError for what it cannot read."""
    context = click.Context(cli, info_name="daybook", obj=Invocation())
    command: click.Command = cli
    while isinstance(command, click.Group):
        context = command.make_context(context.info_name, words, parent=context.parent, obj=Invocation())
        words = [*context._protected_args, *context.args]
        if not words:
            break
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    else:
        command.make_context(context.info_name, words, parent=context.parent)
    return " ".join(context.command_path.split()[1:])


def examples(verb: str) -> Sequence[str]:
    command: click.Command = cli
    for word in verb.split():
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    return command.examples(verb)  # type: ignore[attr-defined, no-any-return]


def test_every_verb_and_group_has_two_examples_and_nothing_else_has() -> None:
    assert [verb for verb in ALL if len(examples(verb)) < 2] == [], "two in commands/cli/examples.py"
    assert set(EXAMPLES) - set(ALL) == set()


@pytest.mark.parametrize("verb", ALL)
def test_examples_are_of_their_verb_and_can_be_read(verb: str, folder: Path) -> None:
    for name in ("lab.pem", "lab.key"):  # click looks whether these are there
        (folder / name).touch()
    for example in examples(verb):
        for command in example.split(" | "):
            words = shlex.split(command.partition(" < ")[0].partition(" > ")[0])
            if words[0] == "daybook":
                found = parsed(words[1:])
                assert not verb or found == verb or verb == found.split()[0], example


@pytest.mark.parametrize("verb", ALL)
def test_help_ends_with_its_examples_in_both_spellings(verb: str) -> None:
    ended, spelled = run_cli(*verb.split(), "-h"), run_cli("help", *verb.split())

    assert ended.exit == spelled.exit == 0
    assert ended.out == spelled.out
    assert [line.strip() for line in ended.out.splitlines()[-len(examples(verb)) :]] == list(examples(verb))


def test_help_of_what_is_no_verb_names_the_near_one() -> None:
    assert 'Did you mean "upload"?' in run_cli("help", "uplod").err
    assert 'Did you mean "retire"?' in run_cli("help", "catalogue", "retir").err
    assert '"daybook upload" has no verbs of its own' in run_cli("help", "upload", "x").err


def test_help_can_be_asked_as_json() -> None:
    assert run_cli("help", "upload", "--json").json["verb"] == "daybook upload"
