"""Killed anywhere, one more run finishes the job, and nothing is there twice. (The fixture verifies the ledger.)"""

import random
import signal
from collections import Counter

import pytest

from commands.intake.working import work
from commands.samples.clusterings import kilosort_output
from tests.intake.child import CRASHED, Moment, start, upload_and_die
from tests.intake.lab import Lab, document, group, session
from tests.patience import PATIENCE_S

_MOST_TRIES = 200
STEPS = ["AcceptInputFile", "SettleSessions", "SettleClustering", "FinishUpload"]


def small_file(lab: Lab) -> bytes:
    names = lab.record_many(3)
    lab.record("date_3", day=2, acquiring=True)
    kilosort_output(lab.share.parent / "joint" / "g")
    return document(*(session(name, name=name) for name in names), clustering=[group("g", names[:2])])


def crash(lab: Lab, data: bytes, command: str, moment: Moment) -> None:
    process, answer = start(lab.url, str(lab.share.parent), "user_1", data, None, (command, moment))
    process.join(PATIENCE_S)
    answer.close()
    assert process.exitcode == CRASHED


def assert_everything_once(lab: Lab) -> None:
    counts = Counter(lab.types())
    assert counts["SessionInsertRequested"] == 3 and counts["SessionInserted"] == 2
    assert (
        counts["SessionWaiting"] == counts["ClusteringInsertRequested"] == counts["ClusteringInserted"] == 1
    )
    assert list(lab.statuses().values()) == ["inserted", "inserted", "waiting"]
    assert counts["InputFileReceived"] == counts["InputFileProcessed"]
    with lab.daybook.reading() as world:
        assert {row.status for row in world.state.uploads.where("id > 0", [])} == {"processed"}


@pytest.mark.parametrize("moment", ["before", "within", "after"])
@pytest.mark.parametrize("command", STEPS)
def test_the_same_upload_finishes_what_a_crash_left(lab: Lab, command: str, moment: Moment) -> None:
    data = small_file(lab)
    crash(lab, data, command, moment)
    report = lab.upload_bytes(data)
    assert report.ok and report.sessions[2].outcome == "waiting"
    assert_everything_once(lab)


@pytest.mark.parametrize(
    ("command", "moment"),
    [
        ("AcceptInputFile", "after"),
        ("SettleSessions", "after"),
        ("FinishUpload", "before"),
        ("FinishUpload", "within"),
    ],
)
def test_work_finishes_what_a_crash_left(lab: Lab, command: str, moment: Moment) -> None:
    data = small_file(lab)
    crash(lab, data, command, moment)
    work(lab.daybook, lab.roots)
    assert_everything_once(lab)
    before = lab.size()
    work(lab.daybook, lab.roots)
    assert lab.size() == before


def test_a_crash_before_the_file_is_accepted_leaves_nothing(lab: Lab) -> None:
    data = small_file(lab)
    before = lab.size()
    for moment in ("before", "within"):
        crash(lab, data, "AcceptInputFile", moment)
        assert lab.size() == before


def test_fifty_kills_at_random_moments_lose_and_double_nothing(lab: Lab) -> None:
    chance = random.Random(50)
    names = lab.record_quickly(_MOST_TRIES + 2)
    usual_s = 0.0
    killed = tries = 0
    while killed < 50 and tries < _MOST_TRIES:
        data = document(*map(session, names[tries : tries + 2]))  # one that is known, and one that is not
        undisturbed = tries % 10 == 0  # one in ten: how long it takes
        after_s = None if undisturbed else chance.uniform(0.001, usual_s)
        exit_code, took_s = upload_and_die(lab.url, str(lab.share.parent), data, after_s=after_s)
        assert exit_code in ({0} if undisturbed else {0, -signal.SIGPROF})
        usual_s = took_s if undisturbed else usual_s
        killed += exit_code != 0
        tries += 1
        report = lab.upload_bytes(data)
        assert {entry.outcome for entry in report.sessions} <= {"inserted", "duplicate"}
    assert killed == 50
    inserted = [event.stream for event in lab.events() if event.type == "SessionInserted"]
    assert len(inserted) == len(set(inserted)) == tries + 1
    assert list(lab.statuses().values()) == ["inserted"] * (tries + 1)
    counts = Counter(lab.types())
    assert counts["InputFileReceived"] == counts["InputFileValidated"] == counts["InputFileProcessed"]
