"""A worker follows the ledger: what was taken in is read and settled, by whoever can reach it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.intake.lab import Lab
from tests.patience import until
from tests.workers.conftest import Start, each_once, leave, stop, until_inserted


def test_what_was_taken_in_is_settled_by_a_worker(lab: Lab, start: Start) -> None:
    leave(lab, *lab.record_quickly(3))

    worker = start(by_hand=True)
    until_inserted(lab, 3)

    until(lambda: "InputFileProcessed" in lab.types())
    out, err = stop(worker)
    assert worker.returncode == 0, err
    assert "N:/rec: 3 moved on, 0 still open" in out
    assert err == "Working. Ctrl-C ends it.\nStopped.\n"
    each_once(lab, 3)


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_what_a_worker_on_postgresql_needs_is_named_where_it_is_missing(lab: Lab, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['procrastinate'] = None; from commands.cli.main import cli; "
        f"cli.main(['--db', {lab.url!r}, '--as', 'user_1', 'work', '--follow'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert ended.returncode == 1 and "[no-workers]" in ended.stderr
    assert 'pip install "daybook-ledger[workers]"' in ended.stderr


def test_a_worker_keeps_the_checkpoints_that_are_due(lab: Lab, start: Start, tmp_path: Path) -> None:
    settings = tmp_path / "daybook.toml"
    (tmp_path / "kept").mkdir()
    key = tmp_path / "daybook.key"
    settings.write_text(
        f'{settings.read_text()}[checkpoints]\ndirectory = "{tmp_path / "kept"}"\nevery = 1\nkey = "{key}"\n'
    )

    start()

    until(lambda: len(list((tmp_path / "kept").iterdir())) == 1)


def test_what_comes_while_it_follows_is_settled_too(lab: Lab, start: Start) -> None:
    start()
    names = lab.record_quickly(4)
    leave(lab, *names[:2])
    until_inserted(lab, 2)

    leave(lab, *names)

    until_inserted(lab, 4)
    each_once(lab, 4)
