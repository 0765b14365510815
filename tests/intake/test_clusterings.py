"""Clusterings of one session: listed, inherited, none. Clusterings over several: when all their sessions are there."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from commands.inputfile.entries import ClusteringEntry
from commands.intake.completion import Rejected, add_clustering
from commands.intake.validation import validate
from commands.intake.working import work
from commands.recordings.roots import Roots
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from projections import listings
from projections.references import Reference, find
from tests.intake.lab import SERIALS, Lab, document, group, number, session, task

CURATED = datetime(2023, 6, 7, 8, 9, 10)


def clusterings_of(lab: Lab, session_number: int) -> list[dict[str, object]]:
    with lab.daybook.reading() as world:
        whole = listings.whole(world.transaction, world.head.live_slot, Reference("session", session_number))
    return list(whole["clusterings"])


def sort_both(folder: Path, **options: object) -> Path:
    kilosort_output(folder / "probe_1", **options)  # type: ignore[arg-type]
    kilosort_output(folder / "probe_2", **options)  # type: ignore[arg-type]
    return folder


# --- of one session ---------------------------------------------------------------------------------------


def test_an_inherited_clustering_is_the_uploaders_and_as_old_as_its_files(lab: Lab) -> None:
    sort_both(lab.record("date_1"), curated=CURATED)
    report = lab.upload(session("date_1", clustering=True), user="user_3")
    [found] = clusterings_of(lab, number(report.sessions[0]))
    assert found["curator"] == "user_3" and found["location"] == "N:/rec/date_1"
    assert found["curation_time"] == str(CURATED) and found["status"] == "inserted"
    event = lab.bodies("ClusteringInserted")[0]
    assert event["curation_time_inherited"] is True
    assert {output["probe_name"] for output in event["outputs"]} == {"probe_1", "probe_2"}


def test_clustering_is_searched_for_where_the_key_is_left_out(lab: Lab) -> None:
    sort_both(lab.record("date_1"))
    entry = session("date_1")
    del entry["clustering"]
    assert len(clusterings_of(lab, number(lab.upload(entry).sessions[0]))) == 1


def test_false_inserts_no_clustering(lab: Lab) -> None:
    sort_both(lab.record("date_1"))
    assert clusterings_of(lab, number(lab.upload(session("date_1", clustering=False)).sessions[0])) == []


def test_where_none_is_found_it_waits_beside_its_session(lab: Lab) -> None:
    lab.record("date_1")
    report = lab.upload(session("date_1", clustering=True))
    assert report.sessions[0].outcome == "inserted"
    [waiting] = clusterings_of(lab, number(report.sessions[0]))
    assert (waiting["status"], waiting["reason"]) == ("waiting", "no-clustering")


def test_the_default_looks_quietly(lab: Lab) -> None:
    lab.record("date_1")
    entry = session("date_1")
    del entry["clustering"]
    report = lab.upload(entry)
    assert clusterings_of(lab, number(report.sessions[0])) == []
    with lab.daybook.reading() as world:
        assert world.state.sessions[number(report.sessions[0])].open == '["clustering"]'


def test_two_outputs_of_one_probe_wait_and_are_named_until_one_is_chosen(lab: Lab) -> None:
    directory = sort_both(lab.record("date_1"))
    kilosort_output(directory / "probe_1" / "again")
    report = lab.upload(session("date_1", clustering=True))
    assert report.sessions[0].outcome == "inserted"
    one = number(report.sessions[0])
    [waiting] = clusterings_of(lab, one)
    assert (waiting["status"], waiting["reason"]) == ("waiting", "two-clusterings")
    assert "probe_1/again" in waiting["message"] and "2 clustering outputs" in waiting["message"]

    sort_both(directory / "curations" / "01")
    chosen = ClusteringEntry("user_2", "N:/rec/date_1/curations/01")
    answer = add_clustering(lab.daybook, one, chosen, roots=lab.roots)

    [inserted] = clusterings_of(lab, one)
    assert (inserted["status"], inserted["clustering"]) == ("inserted", waiting["clustering"])
    assert (inserted["curator"], answer.clustering) == ("user_2", waiting["clustering"])


def test_listed_clusterings_are_inserted_with_given_and_inherited_times(lab: Lab) -> None:
    directory = lab.record("date_1")
    sort_both(directory / "curations" / "01")
    sort_both(directory / "curations" / "02", curated=CURATED)
    listed = [
        {
            "curator": "user_2",
            "location": "N:/rec/date_1/curations/01",
            "curation_time": "2023-04-05 12:13:14",
            "notes": "n",
        },
        {"curator": "user_3", "location": "N:\\rec\\date_1\\curations\\02\\", "curation_time": True},
    ]
    report = lab.upload(session("date_1", clustering=listed))
    found = clusterings_of(lab, number(report.sessions[0]))
    assert [(c["curator"], c["location"], c["curation_time"], c["notes"]) for c in found] == [
        ("user_2", "N:/rec/date_1/curations/01", "2023-04-05 12:13:14", "n"),
        ("user_3", "N:/rec/date_1/curations/02", str(CURATED), None),
    ]


def test_a_listed_location_without_output_waits_beside_its_session(lab: Lab) -> None:
    (lab.record("date_1") / "empty").mkdir()
    listed = [{"curator": "user_2", "location": "N:/rec/date_1/empty"}]
    report = lab.upload(session("date_1", clustering=listed))
    assert report.sessions[0].outcome == "inserted"
    [waiting] = clusterings_of(lab, number(report.sessions[0]))
    assert (waiting["status"], waiting["location"]) == ("waiting", "N:/rec/date_1/empty")
    assert "no clustering output" in waiting["message"]


# --- added by command -------------------------------------------------------------------------------------


def test_a_clustering_is_added_to_an_inserted_session_once(lab: Lab) -> None:
    sort_both(lab.record("date_1"), curated=CURATED)
    one = number(lab.upload(session("date_1")).sessions[0])
    before = lab.size()

    answer = add_clustering(lab.daybook, one, ClusteringEntry("user_2", "N:/rec/date_1"), roots=lab.roots)

    assert answer.curation_time == str(CURATED)
    assert lab.types(before) == ["SessionAnnotated", "ClusteringInserted"]
    assert [c["clustering"] for c in clusterings_of(lab, one)] == [answer.clustering]
    with pytest.raises(Refusal) as refused:
        add_clustering(lab.daybook, one, ClusteringEntry("user_3", f"{lab.share}/date_1/"), roots=lab.roots)
    assert refused.value.code == "clustering-known" and answer.clustering in refused.value.message


def test_an_inherited_one_of_a_user_who_is_no_experimenter_waits_for_its_curator(lab: Lab) -> None:
    directory = sort_both(lab.record("date_1"))
    one = number(lab.upload(session("date_1", clustering=True), user="service").sessions[0])
    [waiting] = clusterings_of(lab, one)
    assert (waiting["status"], waiting["reason"]) == ("waiting", "curator")
    assert "the session's experimenter is user_1" in waiting["message"]
    add_clustering(lab.daybook, one, ClusteringEntry("user_1", "N:/rec/date_1"), roots=lab.roots)
    sort_both(directory / "curations" / "01")
    add_clustering(lab.daybook, one, ClusteringEntry("user_2", "N:/rec/date_1/curations/01"), roots=lab.roots)
    assert [c["curator"] for c in clusterings_of(lab, one)] == ["user_1", "user_2"]


WRONG = [
    (ClusteringEntry("user_9", "N:/rec/date_1"), "unknown-value"),
    (ClusteringEntry("user_2", "N:/rec/nowhere"), "location-not-found"),
    (ClusteringEntry("user_2", "nowhere"), "location-not-absolute"),
    (ClusteringEntry("user_2", "N:/joint"), "no-clustering"),
    (ClusteringEntry("user_2", "N:/rec/date_1", curation_time="yesterday"), "date-time"),
    (ClusteringEntry("user_2", "N:/rec/date_1", curation_time="2023-02-30 00:00:00"), "date-time"),
    (ClusteringEntry("user_2", "N:/rec/date_1", curation_time="2023-02-03"), "date-time"),
    (ClusteringEntry("user_2", "N:/rec/date_1", curation_time="2023-02-03 00:00:00+01:00"), "date-time"),
]


def test_a_wrong_clustering_is_refused_and_appends_nothing(lab: Lab) -> None:
    sort_both(lab.record("date_1"))
    one = number(lab.upload(session("date_1")).sessions[0])
    before = lab.size()
    for clustering, code in WRONG:
        with pytest.raises(Refusal) as refused:
            add_clustering(lab.daybook, one, clustering, roots=lab.roots)
        assert refused.value.code == code
        assert isinstance(refused.value, Rejected) is (code not in ("no-clustering", "date-time"))
    assert lab.size() == before


# --- over several sessions --------------------------------------------------------------------------------


@pytest.fixture
def joint(lab: Lab) -> Path:
    return kilosort_output(lab.share.parent / "joint" / "g", curated=CURATED)


def test_a_clustering_over_sessions_of_its_file_is_inserted_with_them(lab: Lab, joint: Path) -> None:
    names = lab.record_many(2)
    before = lab.size()
    report = lab.upload(*(session(n, name=n) for n in names), clustering=[group("g", names, notes="n")])
    assert [e.outcome for e in (*report.sessions, *report.clusterings)] == ["inserted"] * 3
    assert lab.bodies("ClusteringInsertRequested", before)[0]["sessions"] == [
        number(s) for s in report.sessions
    ]
    inserted = lab.bodies("ClusteringInserted", before)[0]
    assert (
        inserted["session"] is None and inserted["curation_time"] == str(CURATED) and inserted["notes"] == "n"
    )
    assert lab.types(before)[-1] == "InputFileProcessed"


def test_sessions_are_named_by_time_by_name_and_by_both(lab: Lab, joint: Path) -> None:
    names = lab.record_many(3)
    known = lab.upload(session(names[0]), session(names[1]))
    by_time = ["2023-05-01 10:00:00", "2023-05-02T10:00"]
    report = lab.upload(
        session(names[1], name="12345_1"), session(names[2], name="12345_2"),
        clustering=[group("g", [by_time[0], "12345_1", "12345_2"])],
    )  # fmt: skip
    assert report.clusterings[0].outcome == "inserted"
    asked = lab.bodies("ClusteringInsertRequested")[0]["sessions"]
    assert asked == [number(known.sessions[0]), number(known.sessions[1]), number(report.sessions[1])]

    kilosort_output(lab.share.parent / "joint" / "h")
    assert lab.upload(clustering=[group("h", by_time)]).clusterings[0].outcome == "inserted"
    shutil.rmtree(joint)
    twice = lab.upload(
        session(names[1], name="b"), clustering=[group("i", [by_time[1], "b"], location="N:/joint/h")]
    )
    assert "repeated-session" in [finding.code for finding in twice.findings]


def test_it_waits_visibly_until_all_sessions_are_inserted(lab: Lab, joint: Path) -> None:
    names = lab.record_many(2)
    lab.record("date_2", day=1, acquiring=True)
    entries = [session(n, name=n) for n in names]
    report = lab.upload(*entries, clustering=[group("g", names)])
    assert [e.outcome for e in (*report.sessions, *report.clusterings)] == [
        "inserted",
        "waiting",
        "waiting",
    ]
    assert report.sessions[1].session in report.clusterings[0].reason
    waited = lab.size()
    work(lab.daybook, lab.roots)
    assert lab.size() == waited

    # when the recording ends, the file with the sessions alone is enough
    lab.record("date_2", day=1)
    lab.upload(*entries)
    with lab.daybook.reading() as world:
        assert world.state.clusterings[number(report.clusterings[0])].status == "inserted"


def test_it_fails_with_the_reason_of_a_session_that_failed(lab: Lab, joint: Path) -> None:
    lab.record_many(1)
    (lab.share / "date_2").mkdir()
    report = lab.upload(
        *(session(n, name=n) for n in ("date_1", "date_2")), clustering=[group("g", ["date_1", "date_2"])]
    )
    assert [e.outcome for e in (*report.sessions, *report.clusterings)] == ["inserted", "error", "error"]
    reason = report.clusterings[0].reason
    assert report.sessions[1].session in reason and "no recording of a known system" in reason


def test_a_failed_clustering_frees_its_name_for_the_next_upload(lab: Lab, joint: Path) -> None:
    lab.record_many(1)
    (lab.share / "date_2").mkdir()
    data = document(
        *(session(n, name=n) for n in ("date_1", "date_2")), clustering=[group("g", ["date_1", "date_2"])]
    )
    first = lab.upload_bytes(data)
    lab.record("date_2", day=1)
    second = lab.upload_bytes(data)
    assert [e.outcome for e in (*second.sessions, *second.clusterings)] == [
        "duplicate",
        "inserted",
        "inserted",
    ]
    assert second.clusterings[0].clustering != first.clusterings[0].clustering
    assert lab.bodies("ClusteringInsertRequested")[-1]["sessions"] == [number(s) for s in second.sessions]


def test_a_name_on_a_duplicate_leads_to_the_session_that_is_there(lab: Lab, joint: Path) -> None:
    names = lab.record_many(2)
    first = lab.upload(*map(session, names))
    report = lab.upload(*(session(n, name=n) for n in names), clustering=[group("g", names)])
    assert report.clusterings[0].outcome == "inserted"
    assert lab.bodies("ClusteringInsertRequested")[0]["sessions"] == [number(s) for s in first.sessions]


def test_a_group_name_of_another_subject_is_an_error(lab: Lab, joint: Path) -> None:
    names = lab.record_many(2)
    lab.upload(*(session(n, name=n) for n in names), clustering=[group("g", names)])
    for n in (7, 8):
        lab.record(f"date_{n}", day=n, serials=SERIALS[:1])
    report = lab.upload(
        *(session(n, name=n) for n in ("date_7", "date_8")), clustering=[group("g", ["date_7", "date_8"])],
        subject="23456",
    )  # fmt: skip
    [error] = [finding for finding in report.findings if finding.severity == "error"]
    assert error.code == "group-name-of-another-subject" and "12345" in error.message


@pytest.mark.parametrize("references", [["date_1", "date_3"], ["date_1", "2023-05-09 10:00:00"]])
def test_an_unknown_session_is_an_error(lab: Lab, joint: Path, references: list[str]) -> None:
    names = lab.record_many(2)
    found = validate(
        lab.daybook, document(*(session(n, name=n) for n in names), clustering=[group("g", references)]),
        filename="", roots=lab.roots,
    )  # fmt: skip
    [error] = [finding for finding in found.findings if finding.severity == "error"]
    assert error.code == "unknown-session" and error.line is not None


def test_a_clustering_whose_directory_vanished_waits_alone(lab: Lab, joint: Path) -> None:
    names = lab.record_many(2)
    lab.record("date_2", day=1, acquiring=True)
    lab.upload(*(session(n, name=n) for n in names), clustering=[group("g", names)])
    shutil.rmtree(joint)
    lab.record("date_2", day=1)
    work(lab.daybook, lab.roots)
    assert set(lab.statuses().values()) == {"inserted"}
    assert lab.bodies("ClusteringWaiting")[-1]["reason"] == "location-not-found"


def test_a_task_waiting_session_and_its_clustering_finish_with_one_work(lab: Lab, joint: Path) -> None:
    names = lab.record_many(2)
    report = lab.upload(
        session(names[0], name="a", tasks=[task()]),
        session(names[1], name="b"),
        clustering=[group("g", ["a", "b"])],
    )
    assert report.clusterings[0].outcome == "waiting"
    (lab.share / "date_1" / "sessions.txt").write_bytes(b"#1, a, start=1, end=2")
    worked = work(lab.daybook, lab.roots)
    assert (len(worked.sessions), len(worked.clusterings)) == (1, 1)


def test_a_group_name_that_looks_like_the_beginning_of_an_id_is_found_as_a_name(lab: Lab) -> None:
    sort_both(lab.record("date_1"))
    lab.record("date_2", day=1)
    kilosort_output(lab.share.parent / "joint" / "c1" / "probe_1")
    entries = [session(f"date_{n}", name=f"name_{n}") for n in (1, 2)]
    report = lab.upload(*entries, clustering=[group("c1", ["name_1", "name_2"])])
    one = number(report.clusterings[0])
    with lab.daybook.reading() as world:
        found = {text: find(world.transaction, world.head.live_slot, text) for text in ("c1", f"c{one}")}
    assert one >= 10  # else c1 may be an id itself
    assert found == dict.fromkeys(("c1", f"c{one}"), Reference("clustering", one))


def test_a_clustering_of_a_root_that_is_gone_does_not_keep_another_one_out(lab: Lab, tmp_path: Path) -> None:
    sort_both(lab.record("date_1"))
    sort_both(tmp_path / "M" / "curated")
    both = Roots.of({"N:": [str(lab.share.parent)], "M:": [str(tmp_path / "M")]})
    listed = [{"curator": "user_1", "location": "M:/curated"}]
    upload = lab.upload_bytes(document(session("date_1", clustering=listed)), roots=both)
    one = number(upload.sessions[0])
    added = add_clustering(lab.daybook, one, ClusteringEntry("user_1", "N:/rec/date_1"), roots=lab.roots)
    assert added.location == "N:/rec/date_1"


# --- what validation says of curators and curation times ---------------------------------------------------


def test_a_listed_curation_time_in_the_future_is_said_before_and_stays_with_the_record(lab: Lab) -> None:
    sort_both(lab.record("date_1"))
    listed = {"curator": "user_1", "location": "N:/rec/date_1", "curation_time": "2232-01-01 00:00:00"}
    data = document(session("date_1", clustering=[listed]))
    checked = validate(lab.daybook, data, filename="a.yml", roots=lab.roots)
    doubts = [(f.severity, f.code, f.path) for f in checked.findings]
    assert doubts == [
        ("warning", "curation-in-the-future", "sessions[0].clustering[0].curation_time"),
    ]
    report = lab.upload_bytes(data)
    assert [f.code for f in report.findings] == ["curation-in-the-future"]
    [remark] = lab.bodies("ClusteringInserted")[0]["remarks"]
    assert remark["code"] == "curation-in-the-future"


def test_a_group_curated_before_a_session_that_it_names_is_said_at_validation(lab: Lab) -> None:
    lab.record("date_1")
    lab.record("date_2", day=1)
    named = [session("date_1", name="one"), session("date_2", name="two")]
    lab.upload(*named)
    early = group("12345_g", ["one", "two"], curation_time="2023-05-01 12:00:00")
    checked = validate(lab.daybook, document(*named, clustering=[early]), filename="a.yml", roots=lab.roots)
    [doubt] = [f for f in checked.findings if f.code == "curation-before-recording"]
    assert doubt.path == "clustering[0].curation_time" and "before session two was recorded" in doubt.message


@pytest.mark.parametrize(
    ("clustering", "severity", "path"),
    [(True, "warning", "sessions[0].clustering"), (None, "notice", "sessions[0]")],
)
def test_an_uploader_who_is_no_experimenter_is_named_once_before_anything_waits(
    lab: Lab, clustering: bool | None, severity: str, path: str
) -> None:
    entries = [session(folder, clustering=clustering) for folder in lab.record_many(2)]
    for entry in entries if clustering is None else ():
        del entry["clustering"]
    rig = lab.as_admin("rig")
    checked = validate(rig, document(*entries), filename="a.yml", roots=lab.roots)
    [said] = [f for f in checked.findings if f.code == "curator-unknown"]
    assert (said.severity, said.path) == (severity, path) and "rig uploads this" in said.message
    assert checked.ok
    own = validate(lab.daybook, document(*entries), filename="a.yml", roots=lab.roots)
    assert "curator-unknown" not in [f.code for f in own.findings]


def test_an_uploader_who_is_no_experimenter_may_list_who_curated(lab: Lab) -> None:
    sort_both(lab.record("date_1"))
    listed = {"curator": "user_1", "location": "N:/rec/date_1"}
    data = document(session("date_1", clustering=[listed]))
    assert not validate(lab.as_admin("rig"), data, filename="a.yml", roots=lab.roots).findings
