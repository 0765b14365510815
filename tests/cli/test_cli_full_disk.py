"""A full disk: each verb says so with its own code and exit code 1, and leaves nothing half-written."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands.cli.targets import new_file
from commands.samples.lab import SampleLab
from ledger.verify import verify
from tests.cli.conftest import ROOT, Ended, run_cli, write_input_file

READING = ("sessions", "log", "verify", "status", "uploads", "why s1", "cat u1")
WRITING = (
    "init", "upload {lab}/subject_1.yml", "validate {lab}/subject_1.yml", "work", "catalogue add acquisition.Project x",
    "role grant user_2 admin", "rebuild", "catalogue load {lab}/catalogue.yml", "--db other.db init",
    "--db copy.db import {lab}/log.jsonl",
)  # fmt: skip
FILES = (
    "export new", "export new.gz", "bundle new", "checkpoint -o new", "cat {u} -o new", "config init new",
    "audit --format csv -o new", "trace {u} -o new", "compose {sessions} -o new", "prove {u} -o new",
    "export --damaged new", "audit --by user --format parquet -o new", "checkpoint --new-witness-key new name",
    "demo --lab new",
)  # fmt: skip


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of four megabytes, which this process works on."""
    place = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("LOUD: no small disk can be mounted here")
    try:
        monkeypatch.chdir(place)
        yield place
    finally:
        monkeypatch.chdir("/")
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def filled(disk: Path, sample: SampleLab, ledger_templates: Callable[[str, Path], str]) -> dict[str, str]:
    """A ledger on the disk, then as much as fits on it."""
    ledger_templates("sqlite", disk)
    write_input_file(sample, sessions=1)
    assert run_cli("catalogue", "load", str(sample.directory / "catalogue.yml")).exit == 0
    uploaded = run_cli("upload", str(sample.directory / "subject_1.yml"), "--json").json
    assert run_cli("export", str(sample.directory / "log.jsonl")).exit == 0
    write_input_file(sample)
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (65_536, 4_096, 512):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC
    assert shutil.disk_usage(disk).free == 0
    sessions = sample.subjects[0].sessions[0].directory.parent
    return {"lab": str(sample.directory), "u": uploaded["upload"], "sessions": str(sessions)}


def said_well(ended: Ended) -> bool:
    """Whether it is the plain message; or it could be done without any room."""
    is_plain = ended.exit == 1 and ended.err.rstrip().endswith("[disk-full]")
    return is_plain or ended.exit in (0, 3)


def test_every_verb_says_that_the_disk_is_full(filled: dict[str, str], disk: Path) -> None:
    before = {path.name for path in disk.iterdir()} | {"daybook.db-wal", "daybook.db-shm"}
    wrong, refused = [], 0

    for line in (*READING, *WRITING, *FILES):
        ended = run_cli(*line.format(**filled).split())
        left = {path.name for path in disk.iterdir()} - before
        refused += ended.exit == 1
        if not said_well(ended) or (ended.exit and left):
            wrong.append((line, ended.exit, ended.out[:300], ended.err[:300], left))

    assert wrong == []
    assert refused > 20
    document = run_cli("role", "grant", "user_2", "admin", "--json")
    assert (document.exit, document.json["error"]["code"]) == (1, "disk-full")
    (disk / "filler").unlink()
    assert verify("sqlite:///daybook.db").problems == []
    assert run_cli("upload", f"{filled['lab']}/subject_1.yml").exit == 0


def test_a_disk_that_is_full_at_the_start_is_said_to_be(filled: dict[str, str], disk: Path) -> None:
    """Nobody has the ledger open: what SQLite needs beside it cannot be made."""
    for line in ("sessions", "upload {lab}/subject_1.yml", "init"):
        ended = run_cli(*line.format(**filled).split())

        assert ended.exit == 0 or "[disk-full]" in ended.err, (line, ended.err)


@pytest.mark.parametrize("line", ["export new", "bundle new", "cat {u} -o new", "schema", "template"])
def test_a_file_that_may_not_grow_is_one_that_the_disk_has_no_room_for(
    sample: SampleLab, folder: Path, ledger_templates: Callable[[str, Path], str], line: str
) -> None:
    ledger_templates("sqlite", folder)
    write_input_file(sample, sessions=1)
    upload = run_cli("upload", "subject_1.yml", "--json").json["upload"]
    script = "import sys; from commands.cli.start import main; sys.argv = ['daybook', *sys.argv[1:]]; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # half a compiled module would be in everybody's way

    with (folder / "out").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-c", script, *line.format(u=upload).split()],
            env=environment, stdout=out, stderr=subprocess.PIPE, text=True, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)),
        )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("[disk-full]")
    assert not (folder / "new").exists() and not list(folder.glob(".*.part"))


def test_a_new_file_is_there_whole_or_not_at_all(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_file("new") as stream:
        stream.write(b"half")
        raise ZeroDivisionError

    assert list(folder.iterdir()) == []

    with new_file("new") as stream:
        stream.write(b"half")
        assert not (folder / "new").exists()

    assert (folder / "new").read_bytes() == b"half"
    assert [path.name for path in folder.iterdir()] == ["new"]


def test_a_file_that_somebody_made_meanwhile_stays(folder: Path) -> None:
    import click

    with pytest.raises(click.UsageError), new_file("new") as stream:
        stream.write(b"ours")
        (folder / "new").write_text("theirs")

    assert (folder / "new").read_text() == "theirs"
    assert [path.name for path in folder.iterdir()] == ["new"]
