"""Arguments that nobody should give: wrong usage or a finding, never an incident and never a wait."""

import faulthandler
import os
from pathlib import Path

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, run_cli, write_input_file

HUGE, LONG = "9" * 40, "x" * 5_000

NUMBERS = [
    f"sessions --limit {HUGE}", "sessions --limit -1", f"log --limit {HUGE}", "log --limit -1", f"log --before {HUGE}",
    f"log --after {HUGE}", f"sessions --after {HUGE}", f"sessions --before s{HUGE}", f"uploads --after u{HUGE}",
    f"trace s1 --limit {HUGE}", f"diff {HUGE}", f"diff 0 {HUGE}", f"log --as-of {HUGE}", f"show s{HUGE}",
    f"why c{HUGE}", f"history d{HUGE}", f"what-if --without {HUGE}", f"what-if --without u{HUGE}", f"prove {HUGE}",
    f"prove s{HUGE}", f"redact {HUGE} --reason x", f"request show d{HUGE}", f"restore d{HUGE}", f"cat u{HUGE}",
    f"replay u{HUGE}", f"withdraw s{HUGE}", f"delete request s{HUGE} --reason x", "work --interval nan",
    "work --interval inf", "work --interval 1e300", "log --since '999999 weeks ago'", "diff -1", "redact -1 --reason x",
    "prove -1", "log --as-of -5", "sessions --since 99999-01-01",
]  # fmt: skip
NAMES = [
    f"--config {LONG} sessions", f"--db {LONG} sessions", f"--db sqlite:///{LONG} init", f"compose {LONG}",
    f"validate {LONG}", f"upload {LONG}", f"show {LONG}", f"{LONG}", f"sessions --subject {LONG}", f"--as {LONG} status",
    f"sessions --text {LONG}", f"export {LONG}", f"bundle {LONG}", f"import {LONG}", f"catalogue add {LONG} x",
    f"catalogue add reference.Probe {LONG}", f"subject add {LONG}", f"cat {LONG}", f"config init {LONG}", f"help {LONG}",
    f"verify --bundle {LONG}", f"verify --receipt {LONG}", f"verify --checkpoint {LONG}", f"demo --keep {LONG}",
    f"demo --lab {LONG}", f"log --type {LONG}", f"sessions --{LONG}", f"checkpoint -o {LONG}", f"prove s1 -o {LONG}",
    f"upload subject_1.yml --command-id {LONG}", f"add-clustering s1 --location {LONG} --curator {LONG}",
    f"annotate s1 --room {LONG}", f"role grant {LONG} admin", f"person set {LONG} --name x", f"status --user {LONG}",
]  # fmt: skip
SPECIAL = [
    verb.format(file)
    for file in ("fifo", "/dev/zero", "/dev/full", "folder")
    for verb in (
        "validate {}", "upload {}", "catalogue load {}", "add-tasks s1 {}", "correct {}", "import {}",
        "verify --bundle {}", "verify --receipt {}", "verify --checkpoint {}", "prove --since {}", "--config {} sessions",
        "--db {} sessions", "compose {}", "export {}", "bundle {}", "checkpoint -o {}", "config init {}",
        "checkpoint --cosign {} --key fifo",
    )
]  # fmt: skip


@pytest.fixture
def stocked_here(run_here: Run, sample: SampleLab, folder: Path) -> Run:
    assert run_here("catalogue", "load", "catalogue.yml").exit == 0
    write_input_file(sample, sessions=1)
    assert run_here("upload", "subject_1.yml").exit == 0
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    return run_here


@pytest.mark.parametrize("lines", [NUMBERS, NAMES, SPECIAL], ids=["numbers", "names", "special files"])
def test_bad_arguments_are_wrong_usage_or_a_finding(stocked_here: Run, lines: list[str]) -> None:
    import shlex

    wrong = []
    for line in lines:
        faulthandler.dump_traceback_later(20, exit=True)  # a wait for ever would hang the whole suite
        ended = run_cli(*shlex.split(line))
        if ended.exit not in (0, 1, 2) or len(ended.err) > 5_000 + 10_000 * (
            LONG in ended.err and ended.exit == 1
        ):
            wrong.append((line[:80], ended.exit, ended.err[:300]))
        if "incident" in ended.err:
            wrong.append((line[:80], ended.exit, ended.err[:300]))
    faulthandler.cancel_dump_traceback_later()

    assert wrong == []


def test_what_a_shell_hands_over_is_read_though_it_is_a_pipe(stocked_here: Run, folder: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, (folder / "subject_1.yml").read_bytes())
    os.close(writing)

    ended = stocked_here("validate", f"/dev/fd/{reading}")

    assert ended.exit == 0
