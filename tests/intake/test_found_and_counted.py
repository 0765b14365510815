"""Which record a text means where several have had it, and how an upload counts what is open in it."""

from typing import Any

import pytest

from commands.intake.upload_report import UploadReport
from projections.references import find
from tests.cli.conftest import run_cli
from tests.deletion.desk import Desk
from tests.intake.lab import Lab, group, session


@pytest.fixture
def desk(lab: Lab) -> Desk:
    return Desk(lab)


def meant(lab: Lab, text: str) -> str:
    with lab.daybook.reading() as world:
        return str(find(world.transaction, world.head.live_slot, text, location=text))


def grouped(desk: Desk) -> UploadReport:
    names = [folder.name for folder in desk.lab.share.iterdir()] or desk.lab.record_quickly(2)
    entries = [session(name, name=name) for name in sorted(names)]
    return desk.lab.upload(*entries, clustering=[group("g", sorted(names))])


def test_of_records_that_are_gone_the_newest_is_meant(desk: Desk) -> None:
    reports = []
    for _ in range(3):
        reports.append(grouped(desk))
        desk.delete(reports[-1].upload)

    last = reports[-1]
    assert meant(desk.lab, "g") == last.clusterings[0].clustering
    assert meant(desk.lab, "N:/joint/g") == last.clusterings[0].clustering
    assert meant(desk.lab, "N:/rec/quick_0") == last.sessions[0].session


def test_the_record_that_holds_a_location_is_meant_before_a_newer_one(desk: Desk) -> None:
    first, second = grouped(desk), None
    request = desk.delete(first.upload)
    second = grouped(desk)
    desk.delete(second.upload)
    desk.restore(request)

    assert meant(desk.lab, "N:/rec/quick_0") == first.sessions[0].session


@pytest.mark.parametrize("what", ["pending", "withdrawn", "deleted"])
def test_an_upload_counts_its_open_and_gone_clusterings_too(desk: Desk, what: str) -> None:
    lab = desk.lab
    names = lab.record_quickly(2)
    entries = [session(name, name=name) for name in names]
    if what == "deleted":
        report = lab.upload(*entries, clustering=[group("g", names)])
        desk.delete(report.upload)
    else:
        desk.pending(*entries, clustering=[group("g", names)])
        if what == "withdrawn":
            desk.withdraw(lab.events()[-1].correlation)

    upload: dict[str, Any] = run_cli("--db", lab.url, "--json", "uploads").json["uploads"][-1]

    others = {"pending", "withdrawn", "deleted"} - {what}
    assert upload[what] == 3 and {upload[other] for other in others} == {0}
    assert (upload["sessions"], upload["clusterings"], upload["inserted"]) == (2, 1, 0)
