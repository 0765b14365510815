"""Attacks that once succeeded, row by row of the table that tells them, with the small inputs that come with it.

``SHOWN`` names the tests of each row. The files are made by the table's own script, and ten times as large; the scripts
of the shell run with DAYBOOK_LONG_TESTS, beside tests in one process that are always run.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import yaml

from commands.samples.lab import SampleLab
from tests.attacks.bounded import run_bounded
from tests.cli.conftest import Run, run_cli, run_process, write_input_file
from tests.conftest import ROOT
from tests.ledger import test_setup
from tests.moving import test_moving
from tests.recordings import test_reading_the_disk
from tests.tampering import test_damaged_at_the_command_line, test_damaged_head, test_who_can_trust_what

LONG = bool(os.environ.get("DAYBOOK_LONG_TESTS"))
long = pytest.mark.skipif(not LONG, reason="DAYBOOK_LONG_TESTS is not set")


@pytest.fixture
def attacks(shared: Path) -> Path:
    if not (shared / "attacks").is_dir():
        pytest.skip("LOUD: the table of attacks is absent, so its rows are not tried")
    return shared / "attacks"


# --- files ------------------------------------------------------------------------------------------------------------

TENFOLD = {
    "n = 40_000": "n = 400_000",
    '"\\n" * 83': '"\\n" * 830',
    "range(10_000)": "range(100_000)",
    "5_000_000": "50_000_000",
    '"a" * 900_000': '"a" * 9_000_000',
    "range(1000)": "range(10_000)",
}
TOO_LARGE = ("ones.json", "tags.yml")  # ten times their size is more than is read of any file
FILES = (
    "lines.json", "digits.json", "blanks.json", "comment.yml", "latin.yml", "tags.yml", "keys.yml", "ones.json",
    "text_aliases.yml",
)  # fmt: skip
PLACE = re.compile(r"\.(?:json|yml):[0-9]+:[0-9]+: error: ")


def made(attacks: Path, folder: Path, *, tenfold: bool) -> Path:
    script = (attacks / "make.py").read_text(encoding="utf-8")
    for one, ten in TENFOLD.items() if tenfold else ():
        assert one in script
        script = script.replace(one, ten)
    target = folder / ("ten" if tenfold else "one")
    done = subprocess.run([sys.executable, "-c", script, str(target)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in target.iterdir() if path.is_file()} == set(FILES)
    return target


def test_files_of_ten_times_their_size_are_answered_in_seconds_at_their_place(
    attacks: Path, ledger_templates: Callable[[str, Path], str], folder: Path
) -> None:
    ledger_templates("sqlite", folder)
    verbs = ("validate", "upload", "correct", "catalogue load", "add-tasks s1") if LONG else ("validate",)
    for target in [made(attacks, folder, tenfold=True)] + [made(attacks, folder, tenfold=False)] * LONG:
        lines = [["--as", "user_1", *verb.split(), str(target / name)] for verb in verbs for name in FILES]
        for line, taken in zip(lines, run_bounded(lines, folder), strict=True):
            name = Path(line[-1]).name
            assert taken.exit == 1, (line, taken)
            assert taken.cpu_s < 10 and taken.memory_mb < 500, (line, taken)
            if line[2] in ("validate", "upload"):
                assert PLACE.search(taken.out) or name in TOO_LARGE, (line, taken)
    # what was found of a million numbers is no million findings
    assert (folder / "daybook.db").stat().st_size < 100_000_000


# --- recordings -------------------------------------------------------------------------------------------------------

ODD = ("oe_nul", "oe_surrogate", "oe_infinite")


def test_one_odd_recording_fails_alone_and_all_others_go_in(
    attacks: Path, stocked: Run, sample: SampleLab, folder: Path
) -> None:
    written = made(attacks, folder, tenfold=False)
    file = write_input_file(sample, sessions=2)
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    first = Path(sample.subjects[0].sessions[0].directory)
    location = document["sessions"][0]["location"]
    for name in ODD:
        shutil.copytree(written / name, first.parent / name)
        entry = {"location": f"{Path(location).parent}/{name}", "experimenter": "user_1", "tasks": []}
        document["sessions"].insert(0, entry)
    file.write_text(yaml.safe_dump(document), encoding="utf-8")

    uploaded = stocked("upload", str(file), "--json")
    worked = stocked("work", "--json")

    assert uploaded.exit in (0, 3) and worked.exit in (0, 3), uploaded.json["findings"]
    told = {Path(row["location"]).name: row for row in stocked("sessions", "--json").json["sessions"]}
    assert {told[name]["status"] for name in told if name not in ODD} == {"inserted"}
    assert {told[name]["status"] for name in ODD} <= {"waiting", "error", "failed"}
    for name in ODD:
        assert stocked("why", told[name]["session"], "--json").json["reason"], name
    assert stocked("verify").exit == 0


def test_a_table_of_20_gigabytes_is_not_read(stocked_here: Run, sample: SampleLab, folder: Path) -> None:
    session = Path(sample.subjects[0].sessions[0].directory)
    with (session / "sessions.txt").open("wb") as file:
        file.truncate(20 << 30)

    lines = [["compose", str(session)], ["upload", str(write_input_file(sample, sessions=1))]]

    for line, taken in zip(lines, run_bounded(lines, folder), strict=True):
        assert taken.exit in (0, 1, 3) and taken.cpu_s < 10 and taken.memory_mb < 200, (line, taken)
        assert "sessions.txt" in taken.out and "larger than 1,048,576 bytes" in taken.out, (line, taken)


@pytest.fixture
def stocked_here(ledger_templates: Callable[[str, Path], str], sample: SampleLab, folder: Path) -> Run:
    ledger_templates("sqlite", folder)
    assert run_cli("catalogue", "load", "catalogue.yml").exit == 0
    return run_cli


# --- ledgers that are half made, or damaged ---------------------------------------------------------------------------


@pytest.fixture
def command(folder: Path) -> Path:
    """The command as scripts find it."""
    file = folder / "daybook"
    file.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m commands.cli "$@"\n')
    file.chmod(0o755)
    return file


def script(file: Path, command: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["bash", str(file), *arguments], env={**os.environ, "DAYBOOK": str(command)}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stdout
    return done.stdout


@long
def test_a_half_made_ledger_takes_nothing_and_is_finished(attacks: Path, command: Path) -> None:
    said = script(attacks / "half_init.sh", command)

    assert "init: 1\n" in said and "Nothing was made" in said
    assert "somebody's command: 1\n" in said and "There is no ledger" in said
    assert "init, as the message says: 0\n" in said
    assert re.search(r"^ +1 .* boss .*LedgerCreated", said, re.MULTILINE) and "Intact: 1 event" in said
    assert "an admin: 0\n" in said and "a key: 0\n" in said


@long
@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="LOUD: there is no sqlite3 on this machine")
def test_a_damaged_head_is_found_before_it_is_used(
    attacks: Path, command: Path, stocked_here: Run, sample: SampleLab
) -> None:
    file = write_input_file(sample, sessions=1)
    assert stocked_here("upload", str(file)).exit == 0

    said = script(attacks / "head_slot.sh", command, str(file))

    assert "verify: 5\n" in said and "verify after an upload: 5\n" in said and "sessions: 5\n" in said
    assert "rebuild: 0\n" in said and said.endswith("verify: 0\n")
    rows = stocked_here("sessions", "--json").json["sessions"]
    assert len({row["location"] for row in rows}) == len(rows) == 1


@long
def test_an_import_that_was_overtaken_leaves_the_ledger_of_the_other(
    attacks: Path, stocked_here: Run, folder: Path, command: Path
) -> None:
    """The pipe is standard input: a file that is a pipe is refused at once."""
    assert "import" in (attacks / "import_pipe.sh").read_text()
    assert stocked_here("export", "log.jsonl").exit == 0
    os.mkfifo("pipe")
    assert run_cli("--db", "sqlite:///lab.db", "import", "pipe").exit == 2
    waiting = subprocess.Popen(
        [str(command), "--db", "sqlite:///lab.db", "import", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert run_process("--db", "sqlite:///lab.db", "--as", "boss", "init").exit == 0

    _, said = waiting.communicate((folder / "log.jsonl").read_text())

    assert waiting.returncode == 1 and "Traceback" not in said
    assert run_cli("--db", "sqlite:///lab.db", "verify").exit == 0
    assert run_cli("--db", "sqlite:///lab.db", "log", "--json").json["events"][0]["actor"] == "boss"
    assert (folder / "lab.key").exists() and not list(folder.glob("*.new*"))


def test_what_a_killed_init_left_behind_is_named_and_left_alone(folder: Path) -> None:
    (folder / "daybook.db.0123abcd.new").touch()
    (folder / "daybook.key.0123abcd.new").touch()

    for _ in range(2):
        ended = run_cli("init")
        assert ended.exit == 0 and "daybook.db.0123abcd.new is a ledger that was never finished" in ended.err
        assert "daybook.key.0123abcd.new is a signing key, and none of this ledger" in ended.err
    assert (folder / "daybook.db.0123abcd.new").exists() and (folder / "daybook.key.0123abcd.new").exists()


# --- the application's role -------------------------------------------------------------------------------------------

BY_HAND = {
    1: "a statement as slot",
    2: "an event beyond the head",
    3: "rows of lists gone",
    4: "a version that never was",
}
WITH_THE_LIBRARY = {
    5: "test_application_cannot_remove_a_file_without_a_request_that_another_approved",
    6: "test_application_can_append_under_any_name_and_a_removal_by_no_admins_is_found",
    7: "test_application_can_append_what_does_not_fold_and_verify_and_rebuild_name_it",
    8: "test_application_can_append_an_event_of_the_year_9999_and_verify_names_the_first",
}
VERBS = ("sessions", "uploads", "log", "status", "audit", "verify", "rebuild")


@pytest.mark.tampers
@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_what_the_applications_role_can_do_by_hand_is_refused_or_found(
    attacks: Path, stocked: Run, sample: SampleLab, ledger_url: str
) -> None:
    text = (attacks / "application_role.sql").read_text(encoding="utf-8")
    parts = dict(re.findall(r"^-- (\d)  (.*?)(?=^-- \d|\Z)", text, re.MULTILINE | re.DOTALL))
    assert {int(number) for number in parts} == BY_HAND.keys() | WITH_THE_LIBRARY.keys()
    file = write_input_file(sample, sessions=1)
    assert stocked("upload", str(file)).exit == 0

    for number in BY_HAND:
        statements = parts[str(number)].partition("\n")[2].strip()
        refused = False
        with psycopg.connect(ledger_url) as connection:
            connection.execute("SET ROLE daybook_app")
            try:
                connection.execute(statements)
                connection.commit()
            except psycopg.Error:
                refused = True
        assert refused or stocked("verify", "--lists").exit == 5, number
        for verb in VERBS:
            ended = stocked(*verb.split())
            assert ended.exit in (0, 5) and "incident" not in ended.shown, (number, verb, ended)
        assert stocked("upload", str(file)).exit in (0, 5)
        assert len(stocked("sessions", "--json").json["sessions"]) == 1, number


def test_what_the_applications_role_can_do_with_the_library_has_its_tests() -> None:
    for name in WITH_THE_LIBRARY.values():
        assert callable(getattr(test_who_can_trust_what, name))


# --- the table --------------------------------------------------------------------------------------------------------

SHOWN: dict[str, list[Callable[..., None]]] = {
    "lines, digits, blanks": [test_files_of_ten_times_their_size_are_answered_in_seconds_at_their_place],
    "ones.json": [test_files_of_ten_times_their_size_are_answered_in_seconds_at_their_place],
    "text_aliases.yml": [test_files_of_ten_times_their_size_are_answered_in_seconds_at_their_place],
    "oe_nul, oe_surrogate, oe_infinite": [test_one_odd_recording_fails_alone_and_all_others_go_in],
    "a sessions.txt of 20 GB": [test_a_table_of_20_gigabytes_is_not_read],
    "half_init.sh": [
        test_a_half_made_ledger_takes_nothing_and_is_finished,
        test_setup.test_ledger_without_its_first_admin_takes_nothing_before_it_is_finished,
        test_setup.test_the_key_of_another_ledger_is_not_taken,
    ],
    "head_slot.sh": [
        test_a_damaged_head_is_found_before_it_is_used,
        test_damaged_head.test_writer_and_reader_refuse_and_rebuild_repairs,
        test_damaged_at_the_command_line.test_verify_names_it_rebuild_mends_it_and_verify_is_content,
    ],
    "import_pipe.sh": [
        test_an_import_that_was_overtaken_leaves_the_ledger_of_the_other,
        test_moving.test_import_that_was_overtaken_while_it_read_leaves_the_ledger_of_the_other,
        test_moving.test_of_two_imports_the_second_leaves_what_the_first_made,
    ],
    "application_role.sql": [
        test_what_the_applications_role_can_do_by_hand_is_refused_or_found,
        test_what_the_applications_role_can_do_with_the_library_has_its_tests,
    ],
    "a directory entry that is a file": [test_reading_the_disk.test_file_that_became_a_link_is_not_read],
}


def test_every_row_of_the_table_has_its_test(attacks: Path) -> None:
    table = (attacks / "README.md").read_text(encoding="utf-8").partition("|---|")[2]
    rows = [line.strip("| ") for line in table.splitlines() if line.startswith("| ")]

    assert len(rows) == len(SHOWN)
    for row, begins in zip(rows, SHOWN, strict=True):
        assert row.startswith(begins), row


# --- small files ------------------------------------------------------------------------------------------------------


def test_a_huge_file_in_place_of_a_small_one_is_not_read(stocked_here: Run, folder: Path) -> None:
    (folder / "huge").write_text('db = "daybook.db"\n')
    (folder / "huge_line").touch()
    for name in ("huge", "huge_line"):
        os.truncate(name, 20 << 30)
    lines = {
        "--config huge sessions": "larger than 1,048,576 bytes",
        "import huge_line --db other.db": "more than 1,048,576 bytes",
        "verify --bundle huge": "not a zip file",
        "verify --receipt huge": "larger than 67,108,864 bytes",
        "verify --checkpoint huge": "longer than 1,000,000 bytes",
        "prove --since huge": "longer than 1,000,000 bytes",
        "catalogue load huge": "at most 10,485,760 are read",
    }

    answers = run_bounded([["--as", "user_1", *line.split()] for line in lines], folder)

    for (line, told), taken in zip(lines.items(), answers, strict=True):
        assert taken.exit in (1, 2) and told in taken.out, (line, taken)
        assert taken.memory_mb < 400 and "huge" in taken.out, (line, taken)
