"""A lab whose uploads are taken in and left, and workers as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import pytest

from commands.door.submit import Daybook
from commands.intake.upload_report import UploadReport
from commands.intake.uploading import take_in
from commands.recordings.roots import Roots
from tests.conftest import ROOT
from tests.intake.lab import CATALOGUE, Lab, document, load_catalogue, session
from tests.patience import PATIENCE_S, until
from tests.workers.child import Forked

Process = subprocess.Popen[str] | Forked
Start = Callable[..., Process]


@pytest.fixture
def lab(ledger_url: str, daybook: Daybook, tmp_path: Path) -> Iterator[Lab]:
    share = tmp_path / "N"
    (share / "rec").mkdir(parents=True)
    load_catalogue(daybook, CATALOGUE)
    (tmp_path / "daybook.toml").write_text(f'[roots]\n"N:" = "{share}"\n')
    found = Lab(ledger_url, daybook, share / "rec", Roots.of({"N:": [str(share)]}))
    yield found
    found.close()


@pytest.fixture
def start(lab: Lab, tmp_path: Path) -> Iterator[Start]:
    """``daybook work --follow`` with more arguments, as user_1. ``by_hand``: with an interpreter of its own."""
    started: list[Process] = []

    def begin(*arguments: str, by_hand: bool = False, **environment: str) -> Process:
        ledger = ("--db", environment.pop("DAYBOOK_TEST_DB", lab.url), "--as", "user_1")
        settings = ("--config", str(tmp_path / "daybook.toml"))
        started.append(
            begun(
                (*ledger, *settings, "work", "--follow", *arguments), environment, tmp_path, by_hand=by_hand
            )
        )
        return started[-1]

    yield begin
    for process in started:
        kill(process)


def begun(arguments: tuple[str, ...], more: dict[str, str], tmp_path: Path, *, by_hand: bool) -> Process:
    """``daybook`` with these arguments, in a group of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state"), **more}
    if not by_hand:
        return Forked(arguments, environment, Path(mkdtemp(prefix="process-", dir=tmp_path)))
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.workers.held", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment,
    )  # fmt: skip


def kill(process: Process) -> tuple[str, str]:
    """It, and the processes that read for it. Returns what it said."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate(timeout=PATIENCE_S)


def stop(process: Process) -> tuple[str, str]:
    process.send_signal(signal.SIGTERM)
    return process.communicate(timeout=PATIENCE_S)


def leave(lab: Lab, *names: str) -> UploadReport:
    """An upload that was taken in, as a server without work of its own leaves it."""
    data = document(*(session(name) for name in names))
    report = take_in(lab.daybook, data, filename="12345.yml", roots=lab.roots)
    assert report.ok, report.findings
    return report


def settled(lab: Lab, number: int) -> Callable[[], bool]:
    return lambda: list(lab.statuses().values()).count("inserted") == number


def until_inserted(lab: Lab, number: int) -> None:
    until(settled(lab, number))


def each_once(lab: Lab, number: int) -> None:
    """Every session was inserted, and none twice."""
    assert list(lab.statuses().values()) == ["inserted"] * number
    assert lab.types().count("SessionInserted") == number
