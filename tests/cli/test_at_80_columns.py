"""On a terminal of 80 columns no table is wider, and what tells one line from another is never what is cut."""

import os

import pytest

from commands.cli import output
from commands.cli.output import Column
from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, run_cli, write_input_file

TABLES = (
    "sessions", "clusterings", "uploads", "log", "history {s}", "blame {s}", "show {s}", "show {u}", "request list",
    "jobs", "status", "catalogue list", "subject list", "role list", "diff 5", "audit", "user list",
)  # fmt: skip


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 24)))


@pytest.fixture
def lab(run_here: Run, sample: SampleLab) -> dict[str, str]:
    """Three sessions, of which one failed and one is to be deleted."""
    (sample.subjects[0].sessions[2].directory / "sessions.txt").write_text("#1, x, start=1, end=2\n")
    write_input_file(sample)
    assert run_here("catalogue", "load", "catalogue.yml").exit == 0
    report = run_here("upload", "subject_1.yml", "--json", user="user_3").json
    first = report["sessions"][0]["session"]
    assert run_here("delete", "request", first, "--reason", "x " * 60, user="user_3").exit == 0
    return {"s": first, "u": report["upload"]}


def test_no_table_is_wider_than_the_terminal(lab: dict[str, str], narrow: None) -> None:
    wide = {}
    for verb in TABLES:
        ended = run_cli(*verb.format(**lab).split())
        assert ended.exit == 0, ended.shown
        lines = [line for line in ended.out.splitlines() if not _is_prose(line)]
        wide[verb] = [line for line in lines if len(line) > 80]

    assert {verb: lines for verb, lines in wide.items() if lines} == {}


def _is_prose(line: str) -> bool:
    """Sentences, findings and the fields of one record are the terminal's to wrap."""
    return (
        line.endswith(".") or "subject_1.yml:" in line or line.startswith(("location ", "sha256 ", "Ledger "))
    )


def test_a_sessions_own_folder_is_never_cut(lab: dict[str, str], sample: SampleLab, narrow: None) -> None:
    listed = run_cli("sessions").out

    for session in sample.subjects[0].sessions:
        assert session.directory.name in listed


def test_what_finds_no_room_stands_below_with_its_title(
    narrow: None, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = [Column("id"), Column("file", "end"), Column("start"), Column("source"), Column("why", "below")]
    at = "2023-05-01 10:00:00"
    rows = [["s1", "a" * 40, at, "b" * 50, "it waits"], ["s2", "a" * 40, at, "c", "it waits longer"]]
    output.write_table(columns, rows)

    assert capsys.readouterr().out.splitlines() == [
        "id  file                                      start                why",
        f"s1  {'a' * 40}  2023-05-01 10:00:00  it waits",
        f"      source: {'b' * 50}",
        f"s2  {'a' * 40}  2023-05-01 10:00:00",
        "      it waits longer (source: c)",
    ]


def test_a_middle_that_is_cut_leaves_what_is_behind_the_last_slash() -> None:
    path = "/lab/recordings/12345/2023-05-01_10-00-00"

    assert output.shortened(path, 22, "middle") == "/l…2023-05-01_10-00-00"
