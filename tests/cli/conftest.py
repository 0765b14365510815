"""A folder to work in, a lab in it, and the command line as a function."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from commands.cli.invocation import Invocation
from commands.cli.main import cli
from commands.cli.next_steps import worded
from commands.samples.lab import SampleLab, input_file, lab
from ledger.errors import NextStep
from tests.conftest import ROOT
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from tests.serving import Server


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of the command line ended. ``shown`` is what a terminal shows: both outputs, as they came."""

    exit: int
    out: str
    err: str
    shown: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be one JSON document and nothing else."""
        document: dict[str, Any] = json.loads(self.out)
        return document


Run = Callable[..., Ended]


def commands_of(document: dict[str, Any]) -> list[str]:
    """The next steps of an answer, as the terminal words them."""
    return [worded(NextStep(**step)) for step in document["next_steps"]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and nothing of the user's own settings."""
    for name in (
        "DAYBOOK_DB",
        "DAYBOOK_SERVER",
        "DAYBOOK_TOKEN",
        "XDG_CONFIG_HOME",
        "NO_COLOR",
        "FORCE_COLOR",
        "TERM",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_cli(*arguments: str, stdin: str | bytes | None = None, user: str | None = "user_1") -> Ended:
    result = CliRunner().invoke(cli, list(arguments), input=stdin, obj=Invocation(user=user))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return Ended(result.exit_code, result.stdout, result.stderr, result.output)


def run_process(*arguments: str, **options: Any) -> Ended:
    """The command line as a process of its own, in the present working directory."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    done = subprocess.run(
        [sys.executable, "-m", "commands.cli", *arguments],
        env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False, errors="replace", **options,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return Ended(done.returncode, done.stdout, done.stderr, done.stdout + done.stderr)


@pytest.fixture
def run(request: pytest.FixtureRequest, ledger_url: str, tmp_path: Path) -> Iterator[Run]:
    """The command line on a fresh ledger, once per database; where the test is to be run both ways, also through a
    server of it."""

    def on_ledger(*arguments: str, **options: Any) -> Ended:
        return run_cli("--db", ledger_url, *arguments, **options)

    if ledger_way(request) != "server":
        yield on_ledger
        return
    from tests.serving import Server

    server = Server(ledger_url, tmp_path)
    yield lambda *arguments, **options: run_through(server, *arguments, **options)
    server.close()


def ledger_way(request: pytest.FixtureRequest) -> str:
    """sqlite, postgresql or server."""
    return str(request.node.callspec.params["ledger_url"])


def run_through(
    server: "Server", *arguments: str, stdin: str | bytes | None = None, user: str = "user_1"
) -> Ended:
    """The command line, asking a server, which has the settings of this folder as the command line has. Whoever is named
    by ``--as`` has come in as that user."""
    words = list(arguments)
    if "--as" in words:
        at = words.index("--as")
        user = words[at + 1]
        del words[at : at + 2]
    from commands.door.reading_settings import load
    from tests.serving import known_as

    server.serving.settings = replace(load(db=server.url), server=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYBOOK_TOKEN", known_as(user))
        return run_cli("--server", server.address, *words, stdin=stdin, user=None)


@pytest.fixture
def run_here(ledger_templates: Callable[[str, Path], str], folder: Path) -> Run:
    """The command line beside a fresh SQLite ledger: for what has nothing to do with the database."""
    ledger_templates("sqlite", folder)
    return run_cli


@pytest.fixture
def sample(folder: Path) -> SampleLab:
    """One subject, 12345, with one probe and three sessions, under ``folder``."""
    return lab(folder, subjects=1, sessions_per_subject=3)


@pytest.fixture
def stocked(run: Run, sample: SampleLab) -> Run:
    """The command line on a ledger that knows the lab's catalogue."""
    assert run("catalogue", "load", "catalogue.yml").exit == 0
    return run


def write_input_file(
    sample: SampleLab, *, sessions: int | None = None, replaced: tuple[str, str] | None = None
) -> Path:
    """The input file of the lab's subject for its first sessions, with one text replaced where asked."""
    text = input_file(sample.subjects[0], sessions=sessions)
    if replaced is not None:
        assert replaced[0] in text
        text = text.replace(*replaced)
    path = sample.directory / "subject_1.yml"
    path.write_text(text, encoding="utf-8")
    return path
