"""The commands of a page, run as a reader would type them, and compared with what the page says they answer.

``python -m tests.pages PAGE`` writes the answers of now into a page. What differs each time (times, hashes, the name of the
machine) is compared masked. A line "…" of the page stands for any lines.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli.conftest import Ended, run_cli
from tests.patience import PATIENCE_S

_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_HERE = re.compile(r"<<'(\w+)'")
_ANY = "…"
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),
    (re.compile(r"daybook/[^/\s]+/[0-9a-f]{8}(\+[0-9a-f]{8})?\b"), "LEDGER"),
    (re.compile(r"by \S+:\d+\b"), "by PROCESS"),
    (re.compile(r"\b\d+\.\d kB\b"), "SIZE"),
    (re.compile(r"daybook \d+\.\d+\.\d+, cli on \S+, login \S+"), "VERSION, HOST, LOGIN"),
)


@dataclass(frozen=True)
class Step:
    """A command, and what the page says that it answers."""

    command: str
    answer: str


def steps(block: str) -> Iterator[Step]:
    """Of the text of a console block. A here-document belongs to its command."""
    lines = block.splitlines()
    while lines:
        command = [lines.pop(0)]
        assert command[0].startswith("$ "), f"no command: {command[0]}"
        here = _HERE.search(command[0])
        while here and command[-1] != here[1]:
            command.append(lines.pop(0))
        answer = []
        while lines and not lines[0].startswith("$ "):
            answer.append(lines.pop(0))
        yield Step("\n".join(command)[2:], "\n".join(answer))


def blocks(page: str) -> list[str]:
    return _CONSOLE.findall(page)


def masked(answer: str) -> list[str]:
    for pattern, name in _MASKS:
        answer = pattern.sub(name, answer)
    return [line.rstrip() for line in answer.strip("\n").splitlines()]


def agree(said: str, found: str) -> bool:
    """Whether what the page says fits what was found."""
    if not said:
        return not found.strip()
    parts = [re.escape(line) if line != _ANY else "(?s:.*)" for line in masked(said)]
    return re.fullmatch("\n".join(parts), "\n".join(masked(found))) is not None


class Console:
    """A folder where commands are typed: those of Daybook run in this process, all others in a shell."""

    def __init__(self, folder: Path, user: str = "user_1") -> None:
        self.folder = folder
        self._user = user

    def run(self, command: str) -> Ended:
        words = shlex.split(command.partition("\n")[0])
        if words[0] == "cd":
            self.folder = self.folder / words[1]
            return Ended(0, "", "", "")
        with chdir(self.folder):
            if words[0] == "daybook":
                return run_cli(*words[1:], user=self._user)
            done = subprocess.run(
                ["/bin/sh", "-c", command], capture_output=True, text=True, timeout=PATIENCE_S, check=True
            )
        return Ended(done.returncode, done.stdout, done.stderr, done.stdout + done.stderr)


@contextmanager
def own_settings(folder: Path) -> Iterator[None]:
    """Nothing of the user's: no ledger, no colours, no home."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAYBOOK_DB", "DAYBOOK_SERVER", "DAYBOOK_TOKEN", "NO_COLOR", "FORCE_COLOR", "TERM"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(folder / "home"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        yield


def play(page: str, folder: Path) -> None:
    """Every command of a page in turn: each ends well, and answers what the page says."""
    with own_settings(folder):
        console = Console(folder)
        for block in blocks(page):
            for step in steps(block):
                ended = console.run(step.command)
                assert ended.exit == 0, f"$ {step.command}\n{ended.shown}"
                assert agree(step.answer, ended.shown), f"$ {step.command}\n{ended.shown}"


def _rewritten(page: str, console: Console) -> str:
    def with_answers(match: re.Match[str]) -> str:
        said = []
        for step in steps(match[1]):
            found = console.run(step.command).shown
            if agree(step.answer, found):
                answer = step.answer
            else:
                answer = "\n".join(line.rstrip() for line in _neutral(found).rstrip("\n").splitlines())
            said.append(f"$ {step.command}\n" + (f"{answer}\n" if answer else ""))
        return f"```console\n{''.join(said)}```"

    return _CONSOLE.sub(with_answers, page)


def _neutral(answer: str) -> str:
    answer = re.sub(r"daybook/[^/\s]+/", "daybook/lab-1/", answer)
    return re.sub(r"cli on \S+, login \S+", "cli on lab-1, login user_3", answer)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    with TemporaryDirectory() as folder, own_settings(Path(folder)):
        text = _rewritten(path.read_text(encoding="utf-8"), Console(Path(folder)))
    path.write_text(text, encoding="utf-8")
