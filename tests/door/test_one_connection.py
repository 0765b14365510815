"""One function, one transaction: whatever is done is done over a single connection. With two, threads could wait for
each other until they are refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.door.actor import Actor
from commands.door.ledger import Ledger
from commands.door.submit import Daybook
from commands.intake.validation import validate
from commands.intake.working import work
from commands.moving.exporting import export_ledger
from commands.recordings.roots import Roots
from commands.requests.correction.correct import correct
from commands.requests.redaction import RequestRedaction
from ledger import connections
from tests.deletion.desk import Desk
from tests.intake.lab import CATALOGUE, PROBES, Lab, document, load_catalogue, session


@pytest.fixture
def lab(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr(connections, "WAIT_FOR_CONNECTION_S", 0.2)
    ledger = Ledger.open(ledger_url, connections=1)
    share = tmp_path / "N"
    (share / "rec").mkdir(parents=True)
    (share / "joint").mkdir()
    lab = Lab(ledger_url, Daybook(ledger, Actor("user_1")), share / "rec", Roots.of({"N:": [str(share)]}))
    lab._others["user_2"] = Daybook(ledger, Actor("user_2"))
    load_catalogue(lab.daybook, CATALOGUE)
    yield lab
    ledger.close()


def test_whole_life_of_two_sessions_needs_one_connection(lab: Lab) -> None:
    desk = Desk(lab)
    lab.record_many(2)
    known = {"probe_association": {"probe_1": PROBES[0], "probe_2": PROBES[1]}}
    first, second = session("date_1", **known), session("date_2", **known)

    validate(lab.daybook, document(first), filename="", roots=lab.roots)
    lab.upload(first, second)
    work(lab.daybook, lab.roots)
    desk.restore(desk.delete(f"s{_sessions(lab)[0]}"))
    mended = document(first, session("date_2", notes="mended", **known))
    correction = correct(lab.daybook, mended, filename="", roots=lab.roots, reason="it was wrong")
    desk.approve(int(str(correction.request)[1:]))
    position = next(event.position for event in lab.events() if event.type == "SessionInsertRequested")
    redaction = lab.daybook.submit(RequestRedaction(position=position, reason="consent")).result.request
    desk.approve(int(redaction[1:]))
    lines: list[bytes] = []
    export_ledger(lab.daybook, lines.append)
    with lab.daybook.reading_past(5) as world:
        assert world.head.size == 5

    assert set(lab.statuses().values()) == {"inserted"}
    assert len(lines) > lab.size()


def _sessions(lab: Lab) -> list[int]:
    with lab.daybook.reading() as world:
        return [row.id for row in world.state.sessions.where("id > 0", [])]
