"""withdraw: what was never inserted is taken back by its owner; what was inserted is not."""

from commands.intake.completion import annotate
from commands.intake.settled import SettledSession
from commands.intake.settling import SettleSessions
from commands.requests.withdrawal import Withdrawn
from ledger.errors import Refusal
from ledger.events import SessionWaiting
from tests.all_lines import uploads
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.lab import Lab, group, session


def acquiring(lab: Lab, name: str, day: int = 0) -> None:
    lab.record(name, day=day, acquiring=True)


def waiting_and_failed(lab: Lab, user: str = "user_1") -> tuple[str, str, str]:
    """A session that waits, one that failed, and their upload."""
    acquiring(lab, "waits")
    (lab.share / "fails").mkdir()
    report = lab.upload(session("waits"), session("fails"), user=user)
    assert [entry.outcome for entry in report.sessions] == ["waiting", "error"]
    return report.sessions[0].session, report.sessions[1].session, report.upload


def counts(lab: Lab, upload: str) -> dict[str, int]:
    with lab.daybook.reading() as world:
        [line] = [
            line for line in uploads(world.transaction, world.head.live_slot) if line["upload"] == upload
        ]
    return {name: line[name] for name in ("inserted", "waiting", "errors", "withdrawn", "deleted")}


def test_what_waits_and_what_failed_is_withdrawn(desk: Desk) -> None:
    waits, fails, upload = waiting_and_failed(desk.lab)
    before = desk.lab.size()

    result = desk.withdraw(waits, fails)

    assert (result.withdrawn, result.fails) == ([waits, fails], [])
    assert desk.statuses(waits, fails) == ["withdrawn", "withdrawn"]
    events = desk.lab.events(before)
    assert [(event.type, event.correlation, event.username) for event in events] == [
        ("SessionWithdrawn", upload, "user_1")
    ] * 2
    assert counts(desk.lab, upload) == {
        "inserted": 0,
        "waiting": 0,
        "errors": 0,
        "withdrawn": 2,
        "deleted": 0,
    }


def test_an_upload_stands_for_all_of_its_entries_that_were_never_inserted(desk: Desk) -> None:
    lab = desk.lab
    lab.record("good")
    acquiring(lab, "waits", day=1)
    report = lab.upload(
        session("good", name="good"),
        session("waits", name="waits"),
        clustering=[group("g", ["good", "waits"])],
    )
    good, waits, both = *(entry.session for entry in report.sessions), report.clusterings[0].clustering

    result = desk.withdraw(report.upload)

    assert (result.withdrawn, result.fails) == ([waits, both], [])
    assert desk.statuses(good, waits, both) == ["inserted", "withdrawn", "withdrawn"]
    assert counts(lab, report.upload)["withdrawn"] == 2


def test_the_location_and_the_group_name_are_free_at_once(desk: Desk) -> None:
    lab = desk.lab
    acquiring(lab, "first")
    acquiring(lab, "second", day=1)
    entries = [session("first", name="first"), session("second", name="second")]
    parts = {"clustering": [group("g", ["first", "second"])]}
    old = lab.upload(*entries, **parts)

    desk.withdraw(old.upload)
    new = lab.upload(*entries, user="user_3", **parts)

    assert new.ok, new.findings
    assert [entry.outcome for entry in new.sessions] == ["waiting", "waiting"]
    assert new.sessions[0].session != old.sessions[0].session
    assert new.clusterings[0].outcome == "waiting"


def test_a_failed_session_is_withdrawn_though_another_holds_its_location_now(desk: Desk) -> None:
    lab = desk.lab
    (lab.share / "late").mkdir()
    failed = lab.upload(session("late")).sessions[0].session
    lab.record("late")
    again = lab.upload(session("late")).sessions[0].session

    desk.withdraw(failed)

    assert desk.statuses(failed, again) == ["withdrawn", "inserted"]
    assert lab.upload(session("late")).sessions[0].outcome == "duplicate"


def test_what_was_inserted_is_not_withdrawn_and_nothing_beside_it_either(desk: Desk) -> None:
    waits, _, _ = waiting_and_failed(desk.lab)
    *_, good, both = inserted(desk.lab, 2, **grouped("quick_0", "quick_1"), first=0)

    for name in (good, both):
        with desk.refused("inserted", name, f"daybook delete request {name}"):
            desk.withdraw(waits, name)

    assert desk.status(waits) == "waiting"


def test_an_upload_of_which_all_was_inserted_has_nothing_to_withdraw(desk: Desk) -> None:
    desk.lab.record("good")
    upload = desk.lab.upload(session("good")).upload
    with desk.refused("nothing-to-withdraw", upload, "delete request"):
        desk.withdraw(upload)


def test_what_was_withdrawn_before_is_left_as_it_is(desk: Desk) -> None:
    waits, fails, upload = waiting_and_failed(desk.lab)
    desk.withdraw(waits)
    before = desk.lab.size()

    assert desk.withdraw(waits) == Withdrawn(position=before, withdrawn=[], fails=[])
    assert desk.lab.size() == before
    assert desk.withdraw(upload).withdrawn == [fails]
    assert desk.withdraw(upload).withdrawn == []


def test_what_was_deleted_is_not_withdrawn(desk: Desk) -> None:
    waits, _, _ = waiting_and_failed(desk.lab)
    desk.delete(waits)
    with desk.refused("deleted", waits):
        desk.withdraw(waits)


def test_only_exact_ids_are_taken(desk: Desk) -> None:
    waits, _, _ = waiting_and_failed(desk.lab)
    for text in ("N:/rec/waits", waits[:-1] + "x", "d1", "s012", ""):
        with desk.refused("not-an-id", "exact ids"):
            desk.withdraw(text)
    with desk.refused("not-found", "s999999"):
        desk.withdraw(waits, "s999999")
    with desk.refused("nothing-named"):
        desk.withdraw()
    assert desk.status(waits) == "waiting"


def test_somebody_elses_entry_is_withdrawn_by_admins_only(desk: Desk) -> None:
    waits, fails, upload = waiting_and_failed(desk.lab, user="user_3")

    for records in ([waits], [upload]):
        with desk.refused("not-permitted", "user_3, who uploaded it"):
            desk.withdraw(*records, user="user_4")
    desk.withdraw(waits, user="user_2")
    desk.withdraw(fails, user="user_3")

    assert desk.statuses(waits, fails) == ["withdrawn", "withdrawn"]


def test_a_clustering_over_a_withdrawn_session_is_named_and_fails_at_the_next_work(desk: Desk) -> None:
    lab = desk.lab
    acquiring(lab, "waits", day=1)
    lab.record("good")
    report = lab.upload(
        session("good", name="good"),
        session("waits", name="waits"),
        clustering=[group("g", ["good", "waits"])],
    )
    waits, both = report.sessions[1].session, report.clusterings[0].clustering

    result = desk.withdraw(waits)
    desk.work()

    assert (result.withdrawn, result.fails) == ([waits], [both])
    assert desk.status(both) == "error"
    assert "withdrawn" in lab.bodies("ClusteringInsertFailed")[0]["message"]


def test_a_worker_leaves_a_session_alone_that_was_withdrawn_while_it_read_the_disk(desk: Desk) -> None:
    waits, _, upload = waiting_and_failed(desk.lab)
    number = int(waits[1:])
    with desk.lab.daybook.reading() as world:
        version = world.state.sessions[number].version
    found = SessionWaiting(reason="sessions-txt", message="Not there.")

    desk.withdraw(waits)
    before = desk.lab.size()
    for seen in (version, version + 1):  # as it was read, and as it is now
        settled = SettledSession(session=number, version=seen, event=found)
        desk.lab.daybook.submit(SettleSessions(sessions=[settled]))
    desk.work()

    assert desk.lab.size() == before
    assert desk.status(waits) == "withdrawn"
    assert counts(desk.lab, upload)["waiting"] == 0


def test_an_upload_that_was_not_processed_is_finished_without_what_was_withdrawn(desk: Desk) -> None:
    lab = desk.lab
    lab.record("first")
    lab.record("second", day=1)
    report = desk.pending(session("first"), session("second"))
    first, second = (entry.session for entry in report.sessions)

    desk.withdraw(first)
    desk.work()

    assert desk.statuses(first, second) == ["withdrawn", "inserted"]
    [processed] = lab.bodies("InputFileProcessed")
    assert [entry["outcome"] for entry in processed["sessions"]] == ["withdrawn", "inserted"]


def test_a_withdrawn_session_cannot_be_completed(desk: Desk) -> None:
    waits, _, _ = waiting_and_failed(desk.lab)
    desk.withdraw(waits)
    try:
        annotate(desk.lab.daybook, int(waits[1:]), roots=desk.lab.roots, notes="late")
    except Refusal as refusal:
        assert refusal.code == "session-closed" and "is withdrawn" in refusal.message
    else:
        raise AssertionError("completed")
