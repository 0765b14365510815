"""An export as of a moment is the export that was written then, and verifies as well."""

from contextlib import closing
from pathlib import Path

import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.exporting import export_ledger
from commands.moving.importing import import_ledger
from commands.requests.redaction import RequestRedaction
from ledger.errors import Refusal
from ledger.moments import Moment
from ledger.verify import verify
from tests.cli.conftest import run_cli
from tests.deletion.desk import Desk
from tests.intake.lab import Lab, number, session


def exported(lab: Lab, as_of: Moment | None = None) -> list[bytes]:
    lines: list[bytes] = []
    with closing(Daybook.open(lab.url, Actor("user_1"))) as daybook:
        export_ledger(daybook, lines.append, as_of=as_of)
    return lines


def test_an_export_as_of_a_moment_is_the_one_that_was_written_then(lab: Lab, tmp_path: Path) -> None:
    lab.record_many(2)
    lab.upload(session("date_1"))
    size, then = lab.size(), exported(lab)
    lab.upload(session("date_1"), session("date_2"))

    again = exported(lab, as_of=size)

    assert again == then
    target = f"sqlite:///{tmp_path / 'imported.db'}"
    assert import_ledger(target, again).events == size
    assert verify(target).problems == []


def test_the_command_line_exports_the_past(lab: Lab, tmp_path: Path) -> None:
    lab.record_many(1)
    size, then = lab.size(), exported(lab)
    lab.upload(session("date_1"))

    file = tmp_path / "then.jsonl"
    answer = run_cli("--db", lab.url, "--json", "export", str(file), "--as-of", str(size))

    assert answer.json["events"] == size
    assert file.read_bytes() == b"".join(then)


def test_an_export_inside_of_an_append_is_refused(lab: Lab) -> None:
    lab.record_many(2)
    before = lab.size()
    lab.upload(session("date_1"), session("date_2"))

    with pytest.raises(Refusal) as caught:
        exported(lab, as_of=before + 1)

    assert caught.value.code == "inside-an-append"
    last = int(caught.value.hint.rpartition(" ")[2].rstrip("."))
    assert len(exported(lab, as_of=last)) < len(exported(lab))


def test_an_export_of_before_a_redaction_is_refused(desk: Desk) -> None:
    lab = desk.lab
    lab.record_many(1)
    row = number(lab.upload(session("date_1", notes="a name that must go")).sessions[0])
    then = lab.size()
    request = desk.submit("user_1", RequestRedaction(position=row, reason="a name")).request
    desk.approve(int(request[1:]))

    with pytest.raises(Refusal) as caught:
        exported(lab, as_of=then)

    assert caught.value.code == "redacted-later"
    assert f"position {row} was redacted later" in caught.value.message
