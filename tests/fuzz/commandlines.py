"""Mutated command lines on a small ledger: every one ends with an answer or a refusal, never with a fault, and soon.

A case is made from its seed alone, on a ledger that is copied anew for each: what an earlier case wrote changes nothing.
"""

import atexit
import os
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import click
from click.testing import CliRunner

from commands.cli.failures import OUR_FAULT
from commands.cli.invocation import Invocation
from commands.cli.main import cli
from commands.samples.lab import input_file, lab

SLOWEST = 10.0  # seconds of CPU
LONGEST_S = (
    120  # by the clock, of a busy machine: what has not ended by then waits for something that never comes
)
_APART = {"demo", "serve", "follow", "watch"}  # what makes much, or never ends
_NEVER_END = ("--watch", "--interval", "--follow")
_WORDS = [
    "", " ", "-", "--", "a", "s1", "s3", "c9", "u9", "d9", "0", "-1", "1", "2", "99999999999999999999999", "1e9", "yesterday", "9999-12-31",
    "subject_1.yml", "catalogue.yml", "daybook.db", "missing", ".", "/", "/dev/null", "/dev/zero", "12345", "user_1",
    "0/12345", "session/1", "\x1b[31m", "\udcff", "é" * 200, "x" * 5_000, "N:/a/b", "../..", "reference.Probe", "admin", "[]", "{}",
    "npx_1", "2023-05-01 10:00:00", "'; DROP TABLE events; --", "%s", "{0}", "sqlite:///other.db", "sqlite:///", "postgresql://",
]  # fmt: skip
_GLOBAL = ["--json", "--db", "--as", "--config", "--log-level", "--help", "--command-id"]


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="daybook-fuzz-ledger-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with _inside(folder):
        made = lab(folder, subjects=1, sessions_per_subject=2)
        (folder / "subject_1.yml").write_text(input_file(made.subjects[0]), encoding="utf-8")
        for arguments in (
            ["init"],
            ["catalogue", "load", "catalogue.yml"],
            ["upload", "subject_1.yml"],
            ["checkpoint", "-o", "1.txt"],
        ):
            assert ended(arguments) == 0, arguments
        with sqlite3.connect("daybook.db") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    return folder


@cache
def _verbs() -> list[tuple[list[str], list[str]]]:
    """Each verb with the options that it knows."""
    found = []
    waiting: list[tuple[list[str], click.Command]] = [([], cli)]
    while waiting:
        path, command = waiting.pop()
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                if below is not None and name not in _APART:
                    waiting.append(([*path, name], below))
            continue
        options = [each for parameter in command.params for each in parameter.opts if each.startswith("-")]
        found.append((path, [each for each in options if each not in _NEVER_END]))
    return sorted(found)


def one_case(seed: int) -> None:
    """Raises AssertionError where the case finds a fault."""
    chance = random.Random(seed)
    template = _template()
    with tempfile.TemporaryDirectory(prefix="daybook-fuzz-") as name:
        folder = Path(name) / "lab"
        shutil.copytree(template, folder)
        with _inside(folder):
            for _ in range(3):
                arguments = _line(chance)
                started = time.process_time()
                code = ended(arguments)
                seconds = time.process_time() - started
                assert code != OUR_FAULT, arguments
                assert seconds < SLOWEST, (seconds, arguments)


def _line(chance: random.Random) -> list[str]:
    path, options = chance.choice(_verbs())
    arguments = list(path)
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
        if chance.random() < 0.5:
            arguments.append(chance.choice(options if options and chance.random() < 0.8 else _GLOBAL))
        else:
            arguments.append(chance.choice(_WORDS))
    if chance.random() < 0.05:
        chance.shuffle(arguments)
    return arguments


def ended(arguments: list[str]) -> int:
    """The exit code. Raises AssertionError for a fault, and for what does not end."""
    with _ending_within(LONGEST_S, arguments):
        result = CliRunner().invoke(cli, arguments, input="", obj=Invocation(user="user_1"))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError(arguments) from result.exception
    assert "Traceback" not in result.output, arguments
    if result.exit_code == OUR_FAULT:
        raise AssertionError(f"{arguments}: {result.output[-2_000:]}")
    return result.exit_code


class _NeverEnds(BaseException):
    """Not an Exception: the verbs judge those."""


@contextmanager
def _ending_within(seconds: int, arguments: list[str]) -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        raise _NeverEnds

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    except _NeverEnds:
        raise AssertionError(f"{arguments} did not end within {seconds} s") from None
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before, home = Path.cwd(), os.environ.get("HOME")
    os.chdir(folder)
    os.environ["HOME"] = str(folder)
    try:
        yield
    finally:
        os.chdir(before)
        if home is not None:
            os.environ["HOME"] = home
