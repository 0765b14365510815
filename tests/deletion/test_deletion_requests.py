"""delete request: who may ask, for what, and what the request says would go."""

from commands.answers.request import StandingClustering, request
from commands.inputfile.entries import ClusteringEntry
from commands.intake.completion import add_clustering
from commands.lab.roles import GrantRole
from commands.requests.correction.correct import correct
from commands.requests.impact import impact_of
from commands.samples.clusterings import kilosort_output
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.lab import SERIALS, Lab, document, group, session, task


def test_a_request_says_what_was_named_why_and_what_would_go(desk: Desk) -> None:
    lab = desk.lab
    lab.record("date_1")
    kilosort_output(lab.share / "date_1" / "probe_1")
    kilosort_output(lab.share / "date_1" / "probe_2")
    lab.record("date_2", day=1)
    report = lab.upload(
        session("date_1", name="one", clustering=True, tasks=[task(task_start=0, task_stop=10)]),
        session("date_2", name="two"),
        clustering=[group("g", ["one", "two"])],
    )
    first, both = report.sessions[0].session, report.clusterings[0].clustering
    before = lab.size()

    number = desk.request(first, reason="  wrong animal ")

    [event] = lab.events(before)
    assert number == event.position == before + 1
    assert (event.type, event.stream, event.correlation) == (
        "DeletionRequested",
        f"deletion/{number}",
        f"d{number}",
    )
    assert (event.subject, event.username) == ("0/12345", "user_1")
    [body] = lab.bodies("DeletionRequested")
    single = int(first[1:]) + 0
    assert body["records"] == [first] and body["reason"] == "wrong animal"
    assert body["impact"]["sessions"] == [[single, single]]
    assert body["impact"]["tasks"] == 1 and body["impact"]["probes"] == 2
    assert body["impact"]["users"] == {"user_1": 3}
    clusterings = [n for a, b in body["impact"]["clusterings"] for n in range(a, b + 1)]
    assert len(clusterings) == 2 and int(both[1:]) in clusterings
    assert desk.status(first) == "inserted"


def test_an_upload_stands_for_what_came_of_it_and_still_stands(desk: Desk) -> None:
    lab = desk.lab
    lab.record_quickly(8)
    (lab.share / "fails").mkdir()
    inserted(lab, 1, first=5)
    report = lab.upload(session("quick_0"), session("fails"), session("quick_1"), session("quick_5"))
    one, failed, two, known = (entry.session for entry in report.sessions)
    desk.delete(two)

    number = desk.request(report.upload)
    desk.approve(number)

    assert desk.statuses(one, failed, two, known) == ["deleted", "error", "deleted", "inserted"]
    executed = lab.bodies("DeletionExecuted")[-1]
    assert (executed["sessions"], executed["clusterings"]) == (1, 0)


def test_other_peoples_records_that_stand_on_it_are_told_apart(desk: Desk) -> None:
    lab = desk.lab
    first, second = inserted(lab, user="user_3")
    times = [row["session_time"] for row in _sessions(lab)]
    both = lab.upload(user="user_4", clustering=[group("g", times)]).clusterings[0].clustering

    number = desk.request(first, user="user_3")
    with lab.daybook.reading() as world:
        takes = request(world, number).takes
    assert takes is not None

    assert [(owner.user, owner.own, owner.sessions, owner.over_several) for owner in takes.owners] == [
        ("user_3", True, 1, 0),
        ("user_4", False, 0, 1),
    ]
    assert takes.over_several == [
        StandingClustering(clustering=both, group_name="g", username="user_4", stands_on=[first])
    ]
    assert [getattr(row, "clustering", None) or row.session for row in takes.first] == [both, first]
    assert desk.status(second) == "inserted"


def _sessions(lab: Lab) -> list[dict[str, object]]:
    from tests.all_lines import sessions

    with lab.daybook.reading() as world:
        return sessions(world.transaction, world.head.live_slot)


def test_records_uploads_and_clusterings_are_named_in_any_mix(desk: Desk) -> None:
    lab = desk.lab
    first, second, both = inserted(lab, 2, **grouped("quick_0", "quick_1"))
    report = lab.upload(session("quick_2"), session("quick_3"))

    number = desk.request(both, report.upload, first, first)
    desk.approve(number)

    assert lab.bodies("DeletionRequested")[0]["records"] == [both, report.upload, first]
    assert desk.statuses(first, second, both) == ["deleted", "inserted", "deleted"]
    assert desk.statuses(*(entry.session for entry in report.sessions)) == ["deleted", "deleted"]


def test_records_of_two_subjects_are_deleted_by_one_request(desk: Desk) -> None:
    lab = desk.lab
    [one] = inserted(lab, 1)
    lab.record("other", serials=SERIALS[:1])
    other = lab.upload(session("other"), subject="23456").sessions[0].session

    number = desk.delete(one, other)

    events = [event for event in lab.events() if event.correlation == f"d{number}"]
    assert [event.subject for event in events] == ["", "", "0/12345", "0/23456", ""]
    assert desk.statuses(one, other) == ["deleted", "deleted"]


def test_a_clustering_of_one_session_goes_alone_and_can_be_added_again(desk: Desk) -> None:
    lab = desk.lab
    lab.record("date_1", serials=SERIALS[:1])
    kilosort_output(lab.share / "date_1" / "probe_1")
    kilosort_output(lab.share / "elsewhere")
    entries = [
        {"curator": "user_1", "location": "N:/rec/date_1/probe_1"},
        {"curator": "user_2", "location": "N:/rec/elsewhere"},
    ]
    one = int(lab.upload(session("date_1", clustering=entries)).sessions[0].session[1:])
    with lab.daybook.reading() as world:
        first, second = (row.id for row in world.state.clusterings.where("session = ?", [one]))

    desk.delete(f"c{first}")
    added = add_clustering(
        lab.daybook, one, ClusteringEntry(curator="user_3", location="N:/rec/date_1/probe_1"), roots=lab.roots
    )

    assert desk.statuses(f"s{one}", f"c{first}", f"c{second}", added.clustering) == [
        "inserted", "deleted", "inserted", "inserted",
    ]  # fmt: skip
    entry = lab.bodies("SessionAnnotated")[0]["completed"]["clustering"]
    assert [(each["curator"], each["location"]) for each in entry] == [
        ("user_2", "N:/rec/elsewhere"), ("user_3", "N:/rec/date_1/probe_1"),
    ]  # fmt: skip


# --- refused ------------------------------------------------------------------------------------------------


def test_only_the_owner_of_all_that_is_named_or_an_admin_asks(desk: Desk) -> None:
    [own] = inserted(desk.lab, 1, user="user_3")
    [foreign] = inserted(desk.lab, 1, user="user_4", first=1)

    with desk.refused("not-permitted", foreign, "user_4, who uploaded it"):
        desk.request(own, foreign, user="user_3")

    assert desk.request(own, user="user_3")
    assert desk.request(own, foreign, user="user_2")


def test_who_was_an_admin_owns_no_records_of_others_through_the_file_that_corrected_them(desk: Desk) -> None:
    lab = desk.lab
    inserted(lab, 1, user="user_3")
    inserted(lab, 1, user="user_4", first=1)
    data = document(
        session("quick_0", name="quick_0", notes="a"), session("quick_1", name="quick_1", notes="b")
    )
    found = correct(
        lab.as_user("user_2"), data, filename="12345.yml", roots=lab.roots, reason="notes were missing"
    )
    assert found.request is not None and found.upload is not None
    desk.approve(int(found.request[1:]), user="user_1")
    lab.daybook.submit(GrantRole(user="user_2", role="researcher"))

    with desk.refused("not-permitted", "user_3, who uploaded it"):
        desk.request(found.upload, user="user_2")
    with desk.refused("not-permitted", "user_3, who uploaded it"):
        desk.withdraw(found.upload, user="user_2")


def test_an_auditor_asks_for_nothing(desk: Desk) -> None:
    from commands.lab.roles import GrantRole

    [own] = inserted(desk.lab, 1, user="user_3")
    desk.lab.daybook.submit(GrantRole(user="user_3", role="auditor"))
    with desk.refused("not-permitted"):
        desk.request(own, user="user_3")
    with desk.refused("not-permitted"):
        desk.withdraw(own, user="user_3")


def test_a_reason_is_required(desk: Desk) -> None:
    [one] = inserted(desk.lab, 1)
    for reason in ("", " \n", "x" * 2_001):
        with desk.refused("reason"):
            desk.request(one, reason=reason)


def test_what_does_not_stand_is_not_asked_for(desk: Desk) -> None:
    lab = desk.lab
    one, two = inserted(lab)
    (lab.share / "fails").mkdir()
    report = lab.upload(session("fails"))
    failed = report.sessions[0].session
    number = desk.delete(one)

    with desk.refused("not-standing", one, "deleted"):
        desk.request(two, one)
    with desk.refused("not-standing", f"daybook withdraw {failed}"):
        desk.request(failed)
    with desk.refused("not-standing", report.upload):
        desk.request(report.upload)
    with desk.refused("not-an-id"):
        desk.request(f"d{number}")
    with desk.refused("not-found", "c999999"):
        desk.request("c999999")


def test_the_same_records_are_asked_for_once_at_a_time(desk: Desk) -> None:
    lab = desk.lab
    report_sessions = inserted(lab, 2)
    upload = f"u{next(e.position for e in lab.events() if e.type == 'InputFileReceived')}"
    number = desk.request(*report_sessions)

    for again in (report_sessions, report_sessions[::-1], [upload]):
        with desk.refused("already-requested", f"d{number}", "user_1"):
            desk.request(*again, user="user_2")
    other = desk.request(report_sessions[0], user="user_2")  # fewer records are another request

    desk.cancel(number)
    assert desk.request(upload) > other


# --- how fast -----------------------------------------------------------------------------------------------


def test_the_impact_of_many_sessions_is_found_in_a_few_statements(desk: Desk, monkeypatch: object) -> None:
    lab = desk.lab
    records = inserted(lab, 8)
    with lab.daybook.reading() as world:
        statements = []
        run = world.transaction.run

        def counted(sql: str, values: object = ()) -> object:
            statements.append(sql)
            return run(sql, values)  # type: ignore[arg-type]

        world.transaction.run = counted  # type: ignore[method-assign]
        impact = impact_of(world, sessions=[int(record[1:]) for record in records], clusterings=[])
    assert len(impact.sessions) == 8
    assert len(statements) <= 6
