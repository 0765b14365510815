"""A lab whose uploads are taken in and left, and workers as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from commands.door.submit import Daybook
from commands.intake.uploading import UploadReport, take_in
from commands.recordings.roots import Roots
from tests.conftest import ROOT
from tests.intake.lab import CATALOGUE, Lab, document, load_catalogue, session
from tests.patience import PATIENCE_S, until

Start = Callable[..., "subprocess.Popen[str]"]


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
    """``daybook work --follow`` with more arguments, as user_1."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [
                sys.executable, "-W", "error", "-m", "tests.workers.held", "--db", environment.pop("DAYBOOK_TEST_DB", lab.url), "--as", "user_1",
                "--config", str(tmp_path / "daybook.toml"), "work", "--follow", *arguments,
            ],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state"), **environment},
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        kill(process)


def kill(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """It, and the processes that read for it. Returns what it said."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate(timeout=PATIENCE_S)


def stop(process: "subprocess.Popen[str]") -> tuple[str, str]:
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
