"""What comes later is found: sorted output, a probe that was missing, and what the disk says otherwise by then."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from commands.answers import lists
from commands.answers.why import why
from commands.door.permission import NotPermitted
from commands.intake import insertion, looking_again, sortings, working
from commands.intake.working import Worked, work
from commands.recordings.roots import Roots
from commands.samples.clusterings import kilosort_output
from projections.apply import _HANDLERS
from projections.handlers import sessions as handlers
from projections.handlers.sessions import _next_look
from projections.queries import Query
from projections.references import Reference
from tests.intake.lab import PROBES, SERIALS, Lab, document, number, session

SERIAL_ONE = SERIALS[:1]


def entry(name: str, **fields: Any) -> dict[str, Any]:
    """With the default of clustering."""
    plain = session(name, **fields)
    del plain["clustering"]
    return plain


def sort(directory: Path) -> None:
    for probe in ("probe_1", "probe_2"):
        if (directory / probe).is_dir():
            kilosort_output(directory / probe / "ks")


def row(lab: Lab, of: int) -> Any:
    with lab.daybook.reading() as world:
        return world.state.sessions[of]


def clusterings(lab: Lab, of: int) -> list[tuple[str, str | None]]:
    with lab.daybook.reading() as world:
        return [(one.status, one.reason) for one in world.state.clusterings.where("session = ?", [of])]


def two_hours_later(monkeypatch: pytest.MonkeyPatch, lab: Lab) -> Worked:
    due = looking_again.due
    monkeypatch.setattr(working, "due", lambda world, owner, now: due(world, owner, now + timedelta(hours=2)))
    return work(lab.daybook, lab.roots)


def test_sorted_output_is_found_by_the_next_upload(lab: Lab) -> None:
    directory = lab.record("date_1")
    one = number(lab.upload(entry("date_1")).sessions[0])
    sort(directory)

    lab.upload(entry("date_1"))

    assert clusterings(lab, one) == [("inserted", None)]
    assert (row(lab, one).open, row(lab, one).look_next) == (None, None)


def test_sorted_output_is_found_by_work_when_it_is_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = lab.record("date_1")
    one = number(lab.upload(entry("date_1")).sessions[0])
    sort(directory)
    assert work(lab.daybook, lab.roots).looked_again == 0  # an hour has not gone by

    worked = two_hours_later(monkeypatch, lab)

    assert (worked.looked_again, [found.session for found in worked.clusterings]) == (1, [f"s{one}"])
    assert clusterings(lab, one) == [("inserted", None)]


@pytest.mark.parametrize("step", ["what the ledger says", "the disk", "its events", "its rows"])
def test_a_fault_of_ours_at_one_session_holds_up_no_other(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    directories = [lab.record(f"date_{day}", day=day) for day in (1, 2, 3)]
    first, second, third = (
        number(each) for each in lab.upload(*map(entry, ("date_1", "date_2", "date_3"))).sessions
    )
    for directory in directories:
        sort(directory)
    plant(monkeypatch, step, second)

    worked = two_hours_later(monkeypatch, lab)

    assert [clusterings(lab, each) for each in (first, third)] == [[("inserted", None)]] * 2
    assert clusterings(lab, second) == []
    [fault] = [one for one in worked.found if one.incident is not None]
    assert fault.session == f"s{second}" and fault.incident in fault.messages[-1] and worked.failed
    told = why_of(lab, second)
    assert fault.incident in told and lab.statuses()["N:/rec/date_2"] == "inserted"
    work(lab.daybook, lab.roots, named=[f"s{second}"])
    assert why_of(lab, second) == told, "one remark says it"
    monkeypatch.undo()
    work(lab.daybook, lab.roots, named=[f"s{second}"])
    assert clusterings(lab, second) == [("inserted", None)] and fault.incident not in why_of(lab, second)


def plant(monkeypatch: pytest.MonkeyPatch, step: str, session: int) -> None:
    owner, name, is_it = {
        "what the ledger says": (looking_again, "_standing", lambda world, row, *_: row.id == session),
        "the disk": (looking_again, "data_now", lambda one, *_: one.row.id == session),
        "its events": (
            looking_again,
            "_events",
            lambda world, row, one, *_: row.id == session and one.clusterings,
        ),
        "its rows": (handlers, "more_found", lambda state, event, body: _is_news_of(event, body, session)),
    }[step]
    original = _HANDLERS["MoreFound"] if owner is handlers else getattr(owner, name)

    def fault(*arguments: Any) -> Any:
        if is_it(*arguments):
            raise RuntimeError("a fault")
        return original(*arguments)

    if owner is handlers:
        monkeypatch.setitem(_HANDLERS, "MoreFound", fault)
    else:
        monkeypatch.setattr(owner, name, fault)


def _is_news_of(event: Any, body: dict[str, Any], session: int) -> bool:
    """Not of the event by which the fault itself is told."""
    return event.stream == f"session/{session}" and all(one["code"] != "incident" for one in body["remarks"])


def why_of(lab: Lab, session: int) -> str:
    with lab.daybook.reading() as world:
        return repr(why(world, Reference("session", session)))


def test_a_look_that_finds_nothing_is_remembered(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.record("date_1")
    lab.upload(entry("date_1"))
    before = lab.size()

    two_hours_later(monkeypatch, lab)

    assert lab.types(before) == ["DiskLookedAt"]


def test_looks_are_after_an_hour_a_day_a_week_and_monthly_for_a_year() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    session: Any = SimpleNamespace(open='["clustering"]', open_since=since.isoformat().replace("+00:00", "Z"))
    looked, days = since, []
    while (due := _next_look(session, looked.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))) is not None:
        looked = datetime.fromisoformat(due)
        days.append(round((looked - since) / timedelta(days=1), 2))

    assert days == [0.04, 1, 7, *(30 * month for month in range(1, 13))]


def test_one_of_two_sorted_probes_waits_until_the_other_is(lab: Lab) -> None:
    directory = lab.record("date_1")
    kilosort_output(directory / "probe_1" / "ks")
    one = number(lab.upload(entry("date_1")).sessions[0])
    assert clusterings(lab, one) == [("waiting", "clustering-missing")]
    kilosort_output(directory / "probe_2" / "ks")

    work(lab.daybook, lab.roots, named=[f"s{one}"])

    assert clusterings(lab, one) == [("inserted", None)]


def test_a_probe_that_was_missing_goes_in_when_it_is_there(lab: Lab) -> None:
    lab.record("date_1")
    other = lab.share.parent / "probe_2"
    shutil.move(lab.share / "date_1" / "probe_2", other)
    one = number(lab.upload(session("date_1")).sessions[0])
    assert row(lab, one).remarks == '["probe-not-on-disk"]'
    shutil.move(other, lab.share / "date_1" / "probe_2")

    lab.upload(session("date_1"))

    with lab.daybook.reading() as world:
        probes = [probe.probe for probe in world.state.probes.where("session = ?", [one])]
    assert probes == list(PROBES)
    assert (row(lab, one).remarks, row(lab, one).open) == (None, None)
    assert len(lab.bodies("MoreFound")[-1]["recordings"]) > 0


def test_what_the_disk_says_otherwise_stays_with_the_session(lab: Lab) -> None:
    lab.record("date_1")
    one = number(lab.upload(session("date_1")).sessions[0])
    shutil.rmtree(lab.share / "date_1")
    lab.record("date_1", day=3, serials=SERIAL_ONE)

    worked = work(lab.daybook, lab.roots, named=[f"s{one}"])

    [found] = worked.found
    assert any("started at 2023-05-04" in message for message in found.messages)
    assert any('"probe_2" of the record is on disk no longer' in message for message in found.messages)
    assert row(lab, one).session_time == "2023-05-01 10:00:00"


def test_the_same_look_twice_appends_nothing(lab: Lab) -> None:
    lab.record("date_1", serials=SERIAL_ONE)
    one = number(lab.upload(entry("date_1")).sessions[0])
    before = lab.size()

    work(lab.daybook, lab.roots, named=[f"s{one}"])
    lab.upload(entry("date_1"))

    assert lab.types(before) == ["InputFileReceived", "InputFileValidated", "InputFileProcessed"]


def test_a_known_session_with_nothing_open_costs_no_call_on_the_share(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = lab.record_many(5)
    data = document(*map(session, names))
    lab.upload_bytes(data)
    calls: list[str] = []

    def counted(*args: Any, **_options: Any) -> Any:
        calls.append(str(args[0]))
        raise AssertionError(calls)

    monkeypatch.setattr(insertion, "list_session", counted)
    monkeypatch.setattr(sortings, "look_for_clusterings", counted)

    lab.upload_bytes(data)
    work(lab.daybook, lab.roots)

    assert calls == []


def test_an_upload_looks_at_a_hundred_at_most(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking_again, "MOST_OF_AN_UPLOAD", 2)
    names = lab.record_many(4)
    data = document(*map(entry, names))
    lab.upload_bytes(data)
    looked: list[str] = []
    open_session = looking_again.open_session
    monkeypatch.setattr(
        looking_again,
        "open_session",
        lambda place, *a, **k: looked.append(place) or open_session(place, *a, **k),
    )

    lab.upload_bytes(data)

    assert looked == ["N:/rec/date_3", "N:/rec/date_4"]


def test_sorted_output_on_another_drive_is_found_where_the_settings_say_so(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "P").mkdir()
    roots = Roots.of(
        {"N:": [str(lab.share.parent)], "P:": [str(tmp_path / "P")]}, sorted_at={"N:": "P:/sorted"}
    )
    lab.record("date_1")
    one = number(lab.upload_bytes(document(entry("date_1")), roots=roots).sessions[0])
    for probe in ("probe_1", "probe_2"):
        kilosort_output(tmp_path / "P" / "sorted" / "rec" / "date_1" / probe)

    lab.upload_bytes(document(entry("date_1")), roots=roots)

    with lab.daybook.reading() as world:
        [found] = world.state.clusterings.where("session = ?", [one])
    assert (found.status, found.location) == ("inserted", "P:/sorted/rec/date_1")


def test_only_the_owner_or_an_admin_looks_at_a_named_session(lab: Lab) -> None:
    lab.record("date_1")
    one = number(lab.upload(entry("date_1")).sessions[0])
    with pytest.raises(NotPermitted):
        work(lab.as_user("user_2"), lab.roots, named=[f"s{one}"])


def test_sessions_that_lack_recorded_data_are_listed(lab: Lab) -> None:
    lab.record("date_1", serials=SERIAL_ONE)
    lab.record("date_2", day=1)
    report = lab.upload(session("date_1"), session("date_2"))

    with lab.daybook.reading() as world:
        found = lists.sessions(world, Query(missing=("data",))).sessions

    assert [one.session for one in found] == [report.sessions[0].session]


def test_session_whose_folder_is_gone_is_named_and_found_again(lab: Lab) -> None:
    lab.record("date_1")
    one = number(lab.upload(session("date_1")).sessions[0])
    shutil.move(lab.share / "date_1", lab.share / "moved_1")

    [gone] = work(lab.daybook, lab.roots, named=[f"s{one}"]).found
    again = work(lab.daybook, lab.roots, named=[f"s{one}"]).found

    assert gone.messages == ["Its recordings do not lie at N:/rec/date_1 any more."]
    assert again == [] and row(lab, one).remarks == '["folder-gone"]'
    with lab.daybook.reading() as world:
        assert "If they were moved, upload the file" in why(world, Reference("session", one)).message
    [moved] = lab.upload(session("moved_1")).sessions
    work(lab.daybook, lab.roots, named=[f"s{one}"])
    assert (moved.outcome, row(lab, one).remarks) == ("moved", None)


def test_share_that_is_not_mounted_says_nothing_of_its_sessions(lab: Lab) -> None:
    lab.record("date_1")
    one = number(lab.upload(session("date_1")).sessions[0])
    shutil.move(lab.share.parent, lab.share.parent.parent / "elsewhere")
    before = lab.size()

    work(lab.daybook, lab.roots, named=[f"s{one}"])

    assert lab.size() == before


def test_clustering_whose_curator_is_not_known_is_named_by_work_and_told_what_helps(lab: Lab) -> None:
    sort(lab.record("date_1"))
    report = lab.upload(entry("date_1"), user="user_9")
    one = number(report.sessions[0])

    worked = work(lab.as_user("user_9"), lab.roots)
    with lab.daybook.reading() as world:
        [waiting] = world.state.clusterings.where("session = ?", [one])
        told = why(world, Reference("clustering", waiting.id))

    assert (worked.looked_at, worked.clusterings_waiting) == (0, 1)
    assert "goes on by itself when the output is there" not in told.message
    assert [(step.action, step.ref) for step in told.next_steps] == [
        ("add-clustering", f"s{one}"), ("propose-value", None), ("work", f"s{one}"),
    ]  # fmt: skip
    assert told.next_steps[1].arguments == {"reference": "reference.Experimenter", "value": "user_9"}
