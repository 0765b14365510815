"""The files for systemd and for containers name commands that there are. Neither is run here."""

import configparser
import shlex
from collections.abc import Iterator

import click
import pytest
import yaml

from commands.cli.main import cli
from tests.conftest import ROOT

UNITS = sorted((ROOT / "docs" / "units").glob("*.service"))
COMPOSE = yaml.safe_load((ROOT / "docs" / "compose.yaml").read_text(encoding="utf-8"))


def commands_of(text: str) -> Iterator[list[str]]:
    """Of daybook, in a line that a shell or systemd takes."""
    words = shlex.split(text, comments=False, posix=True)
    for at, word in enumerate(words):
        if word.rpartition("/")[2] == "daybook" and "install" not in words[max(0, at - 2) : at]:
            rest = words[at + 1 :]
            yield rest[: rest.index("&&")] if "&&" in rest else rest


def parsed(words: list[str]) -> click.Context:
    """Raises click.UsageError for what is no command. What a file would have to be there for is not looked at."""
    context = cli.make_context("daybook", list(words), resilient_parsing=False)
    _, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
    assert command is not None
    while isinstance(command, click.Group):
        _, command, rest = command.resolve_command(context, rest)
        assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert [word for word in rest if word.startswith("--") and word not in known] == []
    return context


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_there_is(unit: object) -> None:
    reader = configparser.ConfigParser(interpolation=None, strict=False)
    reader.optionxform = str  # type: ignore[assignment,method-assign]
    reader.read(str(unit), encoding="utf-8")

    found = list(commands_of(reader["Service"]["ExecStart"]))

    assert len(found) == 1 and parsed(found[0])
    assert reader["Service"]["User"] == "daybook" and reader["Service"]["UMask"] == "0077"


def test_containers_start_commands_that_there_are() -> None:
    services = COMPOSE["services"]
    lines = [service["command"][-1] for name, service in services.items() if name != "database"]

    found = [words for line in lines for words in commands_of(line)]

    assert len(found) == len(services) - 1
    assert all(parsed(words) for words in found)
    waited_for = {each for service in services.values() for each in service.get("depends_on", {})}
    assert waited_for <= set(services)
