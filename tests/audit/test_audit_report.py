"""``daybook audit``: what is printed, what is written, and what is refused."""

import csv
import io
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from commands.answers.audit import Audit, Counts, CountsOf
from commands.cli.output import safe_cell
from commands.cli.reporting import _csv
from ledger.database import Database
from ledger.envelope import NewEvent
from ledger.events import InputFileReceived
from projections.audit import COUNTS
from tests.cli.conftest import Run
from tests.intake.lab import Lab, session
from tests.ledger.writing import append

pytestmark = pytest.mark.both_ways

NAMES = [count.name for count in COUNTS]


def uploads(url: str, *users: str) -> None:
    """An upload of each of these users."""
    database = Database(url)
    with database.reading() as transaction:
        position = transaction.run("SELECT size FROM head").fetchone()[0]
    for number, user in enumerate(users, start=position + 1):
        body = InputFileReceived(filename="12345.yml", sha256="", size_bytes=1)
        append(database, [NewEvent(f"upload/{number}", body, 0, "", user)], actor=user)
    database.close()


@pytest.mark.tampers  # the bytes of these uploads were never there
def test_a_table_leaves_out_what_nobody_did(run: Run, ledger_url: str) -> None:
    uploads(ledger_url, "user_2", "user_1", "user_2")

    ended = run("audit", "--by", "user")

    assert (ended.exit, ended.out.splitlines()) == (
        0, ["user    uploads", "user_1        1", "user_2        2", "total         3"],
    )  # fmt: skip


def test_without_a_key_the_totals_are_given(run: Run, lab: Lab) -> None:
    lab.record("a")
    lab.upload(session("a"))
    lab.upload(session("b"))

    document = run("audit", "--json").json

    assert (document["ok"], document["by"], document["rows"]) == (True, None, [])
    done = {name: count for name, count in document["total"].items() if count}
    assert done == {"uploads": 2, "rejected": 1, "sessions_inserted": 1}
    assert list(document["total"]) == NAMES


def test_by_project_the_table_says_how_a_session_with_several_counts(run: Run, lab: Lab) -> None:
    lab.record("a")
    lab.upload(session("a", project=["my_project", "my_other_project"]))

    lines = run("audit", "--by", "project").out.splitlines()

    assert [line.split()[0] for line in lines[1:4]] == ["my_other_project", "my_project", "(no"]
    assert lines[-2].split() == ["total", "1", "1"] and lines[-1].startswith(
        "A session with several projects counts"
    )


def test_an_empty_report_says_so(run: Run) -> None:
    assert run("audit", "--since", "2001-01-01", "--until", "2001-01-01").out.startswith("Nothing is counted")


def test_days_are_counted_whole_and_it_is_said(run: Run) -> None:
    ended = run("audit", "--since", "2026-01-31 14:30", "--until", "2026-02-01 12:00")
    plain = run("audit", "--since", "2026-01-31", "--until", "2026-02-02", "--json")

    assert "days are counted whole, in UTC: from 2026-01-31 on, before 2026-02-02." in ended.err
    assert (plain.err, plain.json["since"], plain.json["until"]) == ("", "2026-01-31", "2026-02-02")
    assert run("audit", "--until", "9999-12-31 12:00", "--json").json["until"] is None


def test_an_earlier_moment_is_counted_as_it_was(run: Run, lab: Lab) -> None:
    lab.record("a")
    size = lab.size()
    before = run("audit", "--by", "month", "--json").json
    lab.upload(session("a"))

    assert run("audit", "--by", "month", "--json", "--as-of", str(size)).json == before
    assert run("audit", "--by", "month", "--json").json != before


# --- files ------------------------------------------------------------------------------------------------


def test_csv_is_that_of_rfc_4180(run: Run, lab: Lab, folder: Path) -> None:
    lab.record("a")
    lab.upload(session("a"))

    assert run("audit", "--by", "user", "--format", "csv", "-o", "users.csv").exit == 0
    assert run("audit", "--format", "csv", "-o", "totals.csv").exit == 0

    text = (folder / "users.csv").read_bytes().decode()
    assert text.count("\r\n") == 2 and text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    names, counts = csv.reader(io.StringIO(text))
    assert names == ["user", *NAMES] and counts[:4] == ["user_1", "1", "0", "1"]
    assert (folder / "totals.csv").read_text().splitlines()[0].split(",") == NAMES
    assert run("audit", "--by", "user", "--format", "csv").out.splitlines() == text.splitlines()


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'x", 'a "quoted", one', "a\nb", "Überfluß", ""]
)
def test_no_text_of_a_csv_is_a_formula_and_each_can_be_told_apart(name: str) -> None:
    counts = dict.fromkeys(NAMES, 1)
    rows, total = [CountsOf(key=name, **counts)], Counts(**counts)
    text = _csv(Audit(by="user", since=None, until=None, position=1, rows=rows, total=total))

    ((cell, *numbers),) = list(csv.reader(io.StringIO(text, newline="")))[1:]

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == name and numbers == ["1"] * len(NAMES)
    assert safe_cell("user_1") == "user_1"


def test_parquet_holds_text_and_whole_numbers(run: Run, lab: Lab, folder: Path) -> None:
    lab.record("a")
    lab.upload(session("a"))

    ended = run("audit", "--by", "project", "--format", "parquet", "-o", "audit.parquet")
    table = pyarrow.parquet.read_table(folder / "audit.parquet")

    assert (ended.exit, ended.out) == (0, "Wrote audit.parquet.\n")
    assert table.column_names == ["project", *NAMES]
    assert {str(field.type) for field in table.schema} == {"string", "int64"}
    document = run("audit", "--by", "project", "--json").json
    assert [{"key": row.pop("project"), **row} for row in table.to_pylist()] == document["rows"]


def test_without_pyarrow_it_is_said_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    ended = run("audit", "--format", "parquet", "-o", "audit.parquet")

    assert ended.exit == 1 and 'pip install "daybook-ledger[parquet]"' in ended.err
    assert not (folder / "audit.parquet").exists()


def test_a_file_that_is_there_is_not_overwritten(run_here: Run, folder: Path) -> None:
    for form in ("csv", "json", "parquet"):
        (folder / f"kept.{form}").write_text("mine")

        ended = run_here("audit", "--format", form, "-o", f"kept.{form}")

        assert ended.exit == 2 and "there already" in ended.err
        assert (folder / f"kept.{form}").read_text() == "mine"


def test_what_goes_nowhere_is_wrong_usage(run_here: Run) -> None:
    for arguments in (
        ("--format", "parquet"), ("--format", "table", "-o", "x"), ("--json", "--format", "csv"), ("--by", "decade"),
    ):  # fmt: skip
        assert run_here("audit", *arguments).exit == 2


def test_a_file_of_json_is_told_about_in_json(run_here: Run, folder: Path) -> None:
    ended = run_here("audit", "--json", "-o", "audit.json")

    assert ended.json == {"ok": True, "file": "audit.json"}
    assert '"total"' in (folder / "audit.json").read_text()
