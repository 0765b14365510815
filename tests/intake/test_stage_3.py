"""Stage 3 of a session: what lies on disk decides, and each entry stands alone."""

import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from commands.intake import insertion, looking
from commands.intake.validation import validate
from commands.intake.working import work
from commands.recordings import disk
from commands.recordings.roots import Roots
from commands.samples.openephys import openephys_session
from commands.samples.tetrodes import axona_session, neuralynx_session, neurologger_session
from projections import listings
from projections.references import Reference
from tests.intake.lab import PROBES, START, Lab, document, number, session


def test_what_was_found_is_in_the_record(lab: Lab) -> None:
    lab.record("date_1", nidq=True, triggers=2, catgt=True, layout="run folders")
    report = lab.upload(session("date_1", room="2.345", project=["my_project"]))
    with lab.daybook.reading() as world:
        found = Reference("session", number(report.sessions[0]))
        record = listings.whole(world.transaction, world.head.live_slot, found)
    assert record["session_time"] == str(START) == report.sessions[0].session_time
    assert (
        record["system"] == "neuropixels"
        and record["room"] == "2.345"
        and record["project"] == ["my_project"]
    )
    assert [probe["probe"] for probe in record["probes"]] == list(PROBES)
    assert len(record["recordings"]) == 6 and {r["start"] for r in record["recordings"]} >= {str(START)}


def test_sessions_of_every_system_are_inserted(lab: Lab) -> None:
    axona_session(lab.share / "axona", start=datetime(2023, 5, 1))
    neuralynx_session(lab.share / "neuralynx", start=datetime(2023, 5, 2))
    neurologger_session(lab.share / "neurologger", start=datetime(2023, 5, 3))
    openephys_session(
        lab.share / "openephys", start=datetime(2023, 5, 9), probes=[("9999999", "PRB_1_4_0480_1")]
    )
    names = ["axona", "neuralynx", "neurologger", "openephys"]
    report = lab.upload(*map(session, names), subject="23456")
    assert [entry.outcome for entry in report.sessions] == ["inserted"] * 4, report.sessions
    with lab.daybook.reading() as world:
        assert [world.state.sessions[number(entry)].system for entry in report.sessions] == names


def test_a_recording_that_goes_on_waits_and_is_inserted_when_it_ends(lab: Lab) -> None:
    lab.record("date_1", acquiring=True)
    report = lab.upload(session("date_1"))
    assert report.sessions[0].outcome == "waiting" and "still being acquired" in report.sessions[0].reason
    waited = lab.size()
    work(lab.daybook, lab.roots)
    assert lab.size() == waited
    lab.record("date_1")
    work(lab.daybook, lab.roots)
    assert lab.statuses() == {"N:/rec/date_1": "inserted"}


def test_a_waiting_reason_that_changes_is_said_anew(lab: Lab) -> None:
    directory = lab.record("date_1", acquiring=True)
    lab.upload(session("date_1"))
    shutil.rmtree(directory)
    lab.record("date_1", serials=["9999999"])
    before = lab.size()
    work(lab.daybook, lab.roots)
    work(lab.daybook, lab.roots)
    assert lab.types(before) == ["SessionWaiting"]
    assert lab.bodies("SessionWaiting")[-1]["reason"] == "probe-association"


def test_a_second_session_at_the_same_time_conflicts(lab: Lab) -> None:
    lab.record("date_1"), lab.record("copy_of_date_1"), lab.record("date_2", day=1)
    report = lab.upload(session("date_1"), session("copy_of_date_1"), session("date_2"))
    assert [entry.outcome for entry in report.sessions] == ["inserted", "error", "inserted"]
    assert report.sessions[0].session in report.sessions[1].reason
    assert lab.bodies("SessionInsertFailed")[0]["code"] == "session-time-taken"

    later = lab.upload(session("copy_of_date_1"), user="user_2")
    assert later.sessions[0].outcome == "error"


def test_two_subjects_may_record_at_the_same_time(lab: Lab) -> None:
    lab.record("date_1"), lab.record("date_2", serials=["9999999"])
    assert lab.upload(session("date_1")).sessions[0].outcome == "inserted"
    assert lab.upload(session("date_2"), subject="23456").sessions[0].outcome == "inserted"


def test_a_failed_entry_frees_its_location_and_can_be_uploaded_again(lab: Lab) -> None:
    directory = lab.share / "date_1"
    directory.mkdir()
    data = document(session("date_1"))
    first = lab.upload_bytes(data)
    assert first.ok and first.sessions[0].outcome == "error"
    lab.record("date_1")
    second = lab.upload_bytes(data)
    assert second.sessions[0].outcome == "inserted"
    assert second.sessions[0].session != first.sessions[0].session
    assert lab.upload_bytes(data).sessions[0].outcome == "duplicate"


def test_another_user_may_take_a_location_that_failed(lab: Lab) -> None:
    (lab.share / "date_1").mkdir()
    lab.upload(session("date_1"), user="user_2")
    lab.record("date_1")
    assert lab.upload(session("date_1")).sessions[0].outcome == "inserted"


# --- hostile directories ----------------------------------------------------------------------------------


def loop(directory: Path) -> None:
    (directory / "round").symlink_to(directory)


def escape(directory: Path) -> None:
    (directory / "probe_1").mkdir()
    (directory / "probe_1" / "npx.imec.ap.meta").symlink_to("/etc/passwd")


def truncated(directory: Path) -> None:
    (directory / "probe_1").mkdir()
    (directory / "probe_1" / "npx.imec.ap.meta").write_text(
        "fileCreateTime=2023-05-01T10:00:00\nimDatPrb_sn=18408"
    )


def fifo(directory: Path) -> None:
    os.mkfifo(directory / "npx.imec.ap.meta")


def empty_meta(directory: Path) -> None:
    (directory / "npx.imec.ap.meta").write_bytes(b"")


def binary_meta(directory: Path) -> None:
    (directory / "npx.imec.ap.meta").write_bytes(os.urandom(5000))


def directory_as_meta(directory: Path) -> None:
    (directory / "npx.imec.ap.meta").mkdir()


def mixed(directory: Path) -> None:
    axona_session(directory, start=START)
    neuralynx_session(directory / "below", start=START)


def undecodable(directory: Path) -> None:
    folder = os.fsencode(directory) + b"/caf\xe9"
    os.mkdir(folder)
    with open(folder + b"/npx.imec.ap.meta", "wb") as file:
        file.write(b"x")


def deep(directory: Path) -> None:
    (directory / "/".join(["a"] * 40)).mkdir(parents=True)


HOSTILE = [
    loop,
    escape,
    truncated,
    fifo,
    empty_meta,
    binary_meta,
    directory_as_meta,
    mixed,
    undecodable,
    deep,
]


def test_hostile_directories_fail_alone_and_say_why(lab: Lab) -> None:
    for spoil in HOSTILE:
        (lab.share / spoil.__name__).mkdir()
        spoil(lab.share / spoil.__name__)
    lab.record("good")
    names = [spoil.__name__ for spoil in HOSTILE]

    report = lab.upload(*map(session, [*names, "good"]))

    outcomes = dict(zip([*names, "good"], report.sessions, strict=True))
    assert outcomes.pop("good").outcome == "inserted"
    assert {name: entry.outcome for name, entry in outcomes.items()} == dict.fromkeys(names, "error")
    for failed in lab.bodies("SessionInsertFailed"):
        assert failed["message"] and "Traceback" not in failed["message"] and failed["hint"], failed


def test_thousands_of_other_files_beside_the_recording_do_no_harm(lab: Lab) -> None:
    directory = lab.record("date_1")
    many = directory / "frames"
    many.mkdir()
    first = many / "0"
    first.touch()
    for n in range(1, 2000):
        os.link(first, many / str(n))
    assert lab.upload(session("date_1")).sessions[0].outcome == "inserted"


def test_more_files_than_a_session_has_are_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MAX_ENTRIES", 5)
    lab.record("date_1", nidq=True)
    report = lab.upload(session("date_1"))
    assert report.sessions[0].outcome == "error" and "too many" in report.sessions[0].reason


def test_a_directory_that_vanishes_between_stage_2_and_3_fails_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = lab.record_many(2)
    insert = looking.insert_session

    def vanish(entry: object, location: str, **options: object) -> object:
        shutil.rmtree(lab.share / "date_1", ignore_errors=True)
        return insert(entry, location, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(looking, "insert_session", vanish)
    report = lab.upload(*map(session, names))
    assert [entry.outcome for entry in report.sessions] == ["error", "inserted"]
    assert "was not found" in report.sessions[0].reason


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")]
)
def test_what_cannot_be_read_fails_alone(lab: Lab, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    names = lab.record_many(2)
    read = disk.read_file

    def refuse(directory: object, file: str, **options: object) -> bytes:
        if "date_1" in str(directory):
            raise disk.unreadable(file, error)
        return read(directory, file, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("commands.recordings.spikeglx.read_file", refuse)
    report = lab.upload(*map(session, names))
    assert [entry.outcome for entry in report.sessions] == ["error", "inserted"]


def test_a_share_that_is_away_makes_everything_wait_and_nothing_fail(lab: Lab) -> None:
    lab.record_many(1)
    lab.record("date_2", day=1, acquiring=True)
    lab.upload(session("date_1"), session("date_2"))
    share = lab.share.parent
    share.rename(share.with_name("elsewhere"))
    work(lab.daybook, lab.roots)
    assert lab.statuses() == {"N:/rec/date_1": "inserted", "N:/rec/date_2": "waiting"}
    assert lab.bodies("SessionWaiting")[-1]["reason"] == "root-not-mounted"
    share.with_name("elsewhere").rename(share)
    lab.record("date_2", day=1)
    work(lab.daybook, lab.roots)
    assert lab.statuses()["N:/rec/date_2"] == "inserted"


def test_a_fault_of_ours_in_one_entry_holds_up_no_other(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    names = lab.record_many(3)
    read = insertion.open_session

    def fault(location: str, *rest: object, **options: object) -> object:
        if location.endswith("date_2"):
            raise RuntimeError("a fault")
        return read(location, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(insertion, "open_session", fault)
    report = lab.upload(*map(session, names))
    assert [entry.outcome for entry in report.sessions] == ["inserted", "error", "inserted"]
    incident = report.sessions[1].incident
    assert incident is not None and incident in str(report.sessions[1].reason)
    assert [body["incident"] for body in lab.bodies("SessionInsertFailed")] == [incident]
    assert [entry.incident for entry in report.sessions] == [None, incident, None]
    monkeypatch.undo()
    report = lab.upload(*map(session, names))
    assert [entry.outcome for entry in report.sessions] == ["duplicate", "inserted", "duplicate"]
    with lab.daybook.reading() as world:
        assert {row.status for row in world.state.uploads.where("id > 0", [])} == {"processed"}


def test_a_location_that_left_its_root_is_an_error_of_stage_2(lab: Lab, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (lab.share / "link").symlink_to(outside)
    found = validate(lab.daybook, document(session("link")), filename="", roots=lab.roots)
    [error] = [finding for finding in found.findings if finding.severity == "error"]
    assert error.code == "location-escapes-root" and error.line


def test_a_root_that_is_no_longer_configured_fails_what_waits_with_the_roots_that_are(lab: Lab) -> None:
    lab.record("date_1", acquiring=True)
    lab.upload(session("date_1"))
    work(lab.daybook, Roots.of({"P:": [str(lab.share.parent)]}))
    assert lab.statuses() == {"N:/rec/date_1": "error"}
    assert "P:" in lab.bodies("SessionInsertFailed")[0]["hint"]
