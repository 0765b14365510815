"""From a record back to its file and forward to what stands on it: the graph, on both databases."""

from hashlib import sha256
from typing import Any

import pytest

from commands.intake.completion import annotate
from commands.intake.uploading import replay
from commands.requests.approving import approve
from commands.requests.correction.correct import correct
from commands.requests.redaction import RequestRedaction
from commands.samples.clusterings import kilosort_output
from commands.samples.task_table import SampleTask, write_sessions_txt
from projections.lineage import _is_about, lineage
from projections.references import Reference
from tests.deletion.desk import Desk
from tests.intake.lab import Entry, Lab, document, group, number, session, task
from tests.lineage.looking import attributes, edges, left_out, say, steps, traced
from tests.watching import Watched, whole_reads


def two_sessions_and_a_group(lab: Lab) -> list[Entry]:
    lab.record("a")
    lab.record("b", day=1)
    kilosort_output(lab.share.parent / "joint" / "g")
    return [session("a", name="a", tasks=[task(task_start=0, task_stop=10)]), session("b", name="b")]


# --- back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_session_leads_back_to_the_line_of_its_entry(lab: Lab, form: str) -> None:
    lab.record_many(2)
    data = document(session("date_1"), session("date_2"), form=form)
    report = lab.upload_bytes(data)
    name, upload = report.sessions[1].session, report.upload

    graph = traced(lab, name)

    entry = attributes(graph, upload, name, "entry")
    assert entry["path"] == "sessions[1]"
    lines = data.decode().splitlines()
    start = lines[entry["line"] - 1][entry["column"] - 1 :]
    rest = "\n".join([start, *lines[entry["line"] :]])
    assert "date_2" in rest and "date_1" not in rest
    (file,) = [node for _, node in graph.into(upload, "content")]
    assert (file.label, file.attributes["sha256"], file.attributes["size_bytes"], file.attributes["bytes"]) == (
        "12345.yml", sha256(data).hexdigest(), len(data), "kept",
    )  # fmt: skip


def test_an_upload_says_who_and_through_what(lab: Lab) -> None:
    report = lab.upload(session("date_1", location=str(lab.record("date_1"))), user="user_2")

    graph = traced(lab, report.sessions[0].session)

    received = f"e{report.upload[1:]}"
    assert edges(graph, "made")[0] == (received, report.upload)
    assert ("user:user_2", received) in edges(graph, "did")
    ((_, program),) = graph.into(received, "ran")
    assert program.attributes["interface"] == "python" and program.attributes["host"]
    assert steps(graph, report.upload) == ["InputFileReceived", "InputFileValidated", "InputFileProcessed"]


def test_only_findings_about_the_entry_are_its_own(lab: Lab) -> None:
    lab.record_quickly(12)
    probes = [session(f"quick_{i}", probe_association={"probe_1": "npx_1_18408403232"}) for i in range(12)]
    for i in (1, 10):
        probes[i]["tasks"] = [task(task_start=True, task_stop=5)]
    report = lab.upload(*probes)

    found = {
        i: attributes(
            traced(lab, report.sessions[i].session), report.upload, report.sessions[i].session, "entry"
        )
        for i in (1, 2)
    }

    assert [finding["path"].partition(".")[0] for finding in found[1]["findings"]] == ["sessions[1]"]
    assert found[2]["findings"] == []


def test_erased_bytes_are_said_to_be_erased(desk: Desk, lab: Lab) -> None:
    lab.record("date_1")
    report = lab.upload(session("date_1"))
    receipt = int(report.upload[1:])
    request = desk.submit("user_1", RequestRedaction(position=receipt, reason="a name in the file")).request

    before = traced(lab, report.upload)
    desk.approve(int(request[1:]))
    graph = traced(lab, report.sessions[0].session)

    assert edges(before, "asks") == [(request, report.upload)]
    entry = attributes(graph, report.upload, report.sessions[0].session, "entry")
    assert entry["path"] == "sessions[0]" and "line" not in entry
    ((_, file),) = graph.into(report.upload, "content")
    assert (file.attributes["bytes"], file.attributes["erased_by"]) == ("erased", "user_2")
    assert graph.nodes[f"e{receipt}"].attributes["says"].startswith("(redacted by user_2")
    assert edges(traced(lab, request), "redacts") == [(request, f"e{receipt}")]


def test_a_session_leads_back_to_the_table_that_its_tasks_inherited_from(lab: Lab) -> None:
    write_sessions_txt(lab.record("date_1"), [SampleTask("open_field_1", 57, 900)])
    report = lab.upload(session("date_1", tasks=[task(notes=True)]))

    graph = traced(lab, report.sessions[0].session)

    digest = lab.bodies("SessionInserted")[0]["sessions_txt"]["sha256"]
    assert edges(graph, "inherited") == [(f"sessions-txt:{digest}", report.sessions[0].session)]


# --- what became of it ------------------------------------------------------------------------------------


def test_every_event_of_a_session_is_a_step_with_its_actor_and_request(desk: Desk, lab: Lab) -> None:
    lab.record("date_1")
    name = lab.upload(session("date_1")).sessions[0].session
    first = desk.delete(name)
    desk.restore(first)
    second = desk.delete(name)

    graph = traced(lab, name)

    assert steps(graph, name) == [
        "SessionInsertRequested", "SessionInserted", "SessionDeleted", "SessionRestored", "SessionDeleted",
    ]  # fmt: skip
    requests = {target: source for source, target in edges(graph, "request")}
    assert sorted(requests.values()) == [f"d{first}", f"d{first}", f"d{second}"]
    assert {source for source, target in edges(graph, "did") if target in requests} == {"user:user_2"}
    assert len(edges(graph, "took")) == 2 and graph.nodes[name].attributes["status"] == "deleted"


def test_an_open_request_is_beside_everything_that_it_would_take(desk: Desk, lab: Lab) -> None:
    entries = two_sessions_and_a_group(lab)
    report = lab.upload(*entries, clustering=[group("g", ["a", "b"])])
    first, second = (one.session for one in report.sessions)
    group_name = report.clusterings[0].clustering
    request = f"d{desk.request(first)}"

    asked = {name: edges(traced(lab, name), "asks") for name in (first, second, group_name, report.upload)}

    assert asked == {
        first: [(request, first)], second: [], group_name: [(request, group_name)],
        report.upload: [(request, report.upload)],
    }  # fmt: skip
    assert edges(traced(lab, request), "asks") == [(request, group_name), (request, first)]
    desk.cancel(int(request[1:]))
    assert edges(traced(lab, first), "asks") == []


# --- forward ----------------------------------------------------------------------------------------------


def test_everything_that_stands_on_a_session_hangs_on_it(lab: Lab) -> None:
    entries = two_sessions_and_a_group(lab)
    kilosort_output(lab.share / "a" / "probe_1")
    kilosort_output(lab.share / "a" / "probe_2")
    entries[0]["clustering"] = True
    report = lab.upload(*entries, clustering=[group("g", ["a", "b"])])
    first, second = (one.session for one in report.sessions)
    several = report.clusterings[0].clustering

    graph = traced(lab, first)

    ((_, single),) = edges(graph, "clustered")
    assert edges(graph, "stands") == [(first, several), (second, several)]
    assert edges(graph, "task") == [(first, f"task:{first}/1")]
    assert len(edges(graph, "recorded")) == 2
    assert edges(traced(lab, single), "clustered") == [(first, single)]
    assert edges(traced(lab, single), "entry") == [(report.upload, first)]
    back = traced(lab, several)
    assert edges(back, "stands") == edges(graph, "stands")
    assert edges(back, "entry") == sorted((report.upload, name) for name in (first, second, several))


def test_a_correction_links_old_and_new_both_ways_and_carries_the_clustering(desk: Desk, lab: Lab) -> None:
    entries = two_sessions_and_a_group(lab)
    several = [group("g", ["a", "b"])]
    report = lab.upload(*entries, clustering=several)
    old, other = (one.session for one in report.sessions)
    data = document({**entries[0], "room": "2.346"}, entries[1], clustering=several)
    made = correct(lab.daybook, data, filename="12345.yml", roots=lab.roots, reason="the wrong room")
    assert made.request is not None
    approve(desk.of("user_2"), int(made.request[1:]), accept_impact=False, roots=lab.roots)
    ((_, new),) = edges(traced(lab, made.request), "replaced")

    graph = traced(lab, old)

    clustering = report.clusterings[0].clustering
    assert edges(graph, "replaced") == edges(traced(lab, new), "replaced") == [(old, new)]
    assert (new, clustering) in edges(graph, "stands") and (old, clustering) not in edges(graph, "stands")
    assert {(report.upload, old), (made.upload, new)} <= set(edges(graph, "entry"))
    assert attributes(traced(lab, new), str(made.upload), new, "entry")["line"] == 4
    assert (made.request, old) in edges(traced(lab, new), "took")
    assert (old, str(made.upload)) in edges(graph, "again")
    request = traced(lab, made.request)
    assert edges(request, "corrects") == [(made.upload, made.request)]
    assert [target for _, target in edges(request, "took")] == [old]
    assert other not in request.nodes


# --- other uploads ----------------------------------------------------------------------------------------


def test_uploads_that_brought_it_again_with_differences_are_named(lab: Lab) -> None:
    lab.record("date_1")
    name = lab.upload(session("date_1")).sessions[0].session
    same = lab.upload(session("date_1"), session("date_1", location="N:/rec/other"), user="user_1")
    other = lab.upload(session("date_1", room="2.345"))
    assert not same.ok and other.ok

    graph = traced(lab, name)

    assert edges(graph, "again") == [(name, other.upload)]
    assert attributes(graph, name, other.upload, "again") == {"index": 0, "path": "sessions[0]"}
    back = attributes(traced(lab, other.upload), name, other.upload, "again")
    assert [(found["field"], found["given"]) for found in back["differences"]] == [("room", "2.345")]


def test_the_same_bytes_are_followed_through_rejection_repetition_and_replay(desk: Desk, lab: Lab) -> None:
    data = document(session("date_1"), session("date_2"))
    rejected = lab.upload_bytes(data)
    lab.record_many(2)
    report, again = lab.upload_bytes(data), lab.upload_bytes(data)
    name = report.sessions[1].session
    desk.delete(name)
    replayed = replay(lab.daybook, int(report.upload[1:]), roots=lab.roots)

    graph = traced(lab, name)

    uploads = [one.upload for one in (rejected, report, again, replayed)]
    assert [target for _, target in edges(graph, "content")] == sorted(uploads)
    outcomes = [graph.nodes[upload].attributes.get("same_entry") for upload in uploads]
    assert outcomes == [None, None, "unchanged", "new"]
    assert edges(graph, "reads") == [(report.upload, replayed.upload)]
    assert edges(graph, "entry") == [
        (report.upload, name),
        (replayed.upload, replayed.sessions[1].session),
    ]


# --- bounds -----------------------------------------------------------------------------------------------


def test_an_upload_of_many_is_drawn_in_bounds_and_the_rest_is_counted(desk: Desk, lab: Lab) -> None:
    names = lab.record_quickly(9)
    association = {"probe_1": "npx_1_18408403232"}
    report = lab.upload(*(session(name, probe_association=association) for name in names))
    ids = [one.session for one in report.sessions]
    request = desk.delete(*ids[5:])

    graph, whole = traced(lab, report.upload, limit=3), traced(lab, report.upload, limit=0)

    shown = [target for _, target in edges(graph, "entry")]
    assert shown == ids[:3] and left_out(graph) == {(report.upload, "sessions"): 6}
    more = graph.nodes[f"more:{report.upload}:sessions"].attributes
    assert more["by_status"] == {"deleted": 4, "inserted": 2}
    assert (f"d{request}", report.upload) in edges(graph, "took")
    assert len(edges(whole, "entry")) == 9 and left_out(whole) == {}
    taken = traced(lab, f"d{request}", limit=3)
    assert len(edges(taken, "took")) == 3 and left_out(taken) == {(f"d{request}", "sessions"): 1}


def test_of_many_events_the_first_and_the_newest_are_drawn(lab: Lab) -> None:
    lab.record("date_1")
    name = lab.upload(session("date_1")).sessions[0].session
    for fields in ({"room": "2.345"}, {"project": ("my_project",)}, {"notes": "x"}):
        annotate(lab.daybook, int(name[1:]), roots=lab.roots, **fields)

    graph = traced(lab, name, limit=3)

    assert steps(graph, name) == ["SessionInsertRequested", "SessionAnnotated", "SessionAnnotated"]
    assert left_out(graph)[name, "events"] == 2


@pytest.mark.parametrize(
    ("path", "is_so"),
    [
        ("sessions[1]", True), ("sessions[1].room", True), ('sessions[1]["a key"]', True), ("sessions[10]", False),
        ("sessions[1]s", False), ("sessions", False),
    ],
)  # fmt: skip
def test_path_is_about_an_entry_where_it_is_that_or_in_it(path: str, is_so: bool) -> None:
    assert _is_about(path, "sessions[1]") is is_so


@pytest.mark.parametrize("kind", ["session", "clustering", "upload", "request"])
def test_no_table_is_read_whole(desk: Desk, lab: Lab, kind: str) -> None:
    entries = two_sessions_and_a_group(lab)
    data = document(*entries, clustering=[group("g", ["a", "b"])])
    report = lab.upload_bytes(data)
    lab.upload_bytes(data)
    lab.upload({**entries[0], "room": "2.345"}, entries[1])
    deleted = desk.delete(report.sessions[0].session)
    replay(lab.daybook, int(report.upload[1:]), roots=lab.roots)
    desk.request(report.sessions[1].session)
    numbers: dict[str, Any] = {
        "session": number(report.sessions[0]), "clustering": number(report.clusterings[0]),
        "upload": int(report.upload[1:]), "request": deleted,
    }  # fmt: skip
    with lab.daybook.reading() as world:
        watched: Any = Watched(world.transaction)
        reference = Reference("deletion" if kind == "request" else kind, numbers[kind])  # type: ignore[arg-type]

        lineage(watched, world.head, reference, limit=2, say=say)

        assert len(watched.statements) > 5
        assert whole_reads(
            world.transaction, f"SELECT id FROM {world.state.sessions.table} WHERE room = ?", ("x",)
        )
        for sql, values in watched.statements:
            assert not whole_reads(world.transaction, sql, values), sql


def test_a_record_is_looked_at_in_as_many_statements_in_a_large_ledger(lab: Lab) -> None:
    def statements(name: str) -> int:
        with lab.daybook.reading() as world:
            watched: Any = Watched(world.transaction)
            lineage(watched, world.head, Reference("session", int(name[1:])), limit=100, say=say)
            return len(watched.statements)

    lab.record("date_1")
    name = lab.upload(session("date_1")).sessions[0].session
    before = statements(name)
    names = lab.record_quickly(60)
    lab.upload(*(session(one, probe_association={"probe_1": "npx_1_18408403232"}) for one in names))

    assert statements(name) == before
