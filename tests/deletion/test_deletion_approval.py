"""request approve, reject, cancel: who decides, and what is carried out."""

from collections import Counter
from collections.abc import Sequence

import pytest

from commands.answers.decisions import decisions
from commands.door.actor import Actor
from commands.door.command import Command
from commands.door.submit import Daybook
from commands.intake.completion import add_tasks
from commands.intake.settled import SettledSession
from commands.intake.settling import SettleClustering, SettleSessions
from commands.requests.closing import SetApprovalPolicy
from commands.requests.deletion import ApproveDeletion
from commands.requests.redaction import RequestRedaction
from commands.requests.restoration import RestoreDeletion
from ledger.database import Transaction
from ledger.errors import Refusal
from ledger.events import ClusteringWaiting, SessionInsertFailed
from projections.listings import whole
from projections.references import Reference
from tests.all_lines import uploads
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.lab import Lab, group, session


def test_approval_deletes_all_of_it_in_one_step(desk: Desk) -> None:
    lab = desk.lab
    first, second, both = inserted(lab, 2, user="user_3", **grouped("quick_0", "quick_1"))
    number = desk.request(first, user="user_3")
    before = lab.size()

    result = desk.approve(number)

    assert (result.request, result.kind, result.status) == (f"d{number}", "deletion", "executed")
    assert (result.sessions, result.clusterings, result.tasks) == (1, 1, 0)
    assert result.position == lab.size()
    assert desk.statuses(first, second, both) == ["deleted", "inserted", "deleted"]
    events = lab.events(before)
    assert [event.type for event in events] == [
        "DeletionApproved", "SessionDeleted", "ClusteringDeleted", "DeletionExecuted",
    ]  # fmt: skip
    assert {event.correlation for event in events} == {f"d{number}"}
    assert len({event.command_id for event in events}) == 1
    approved = events[0].position
    assert [event.causation for event in events] == [number, approved, approved, approved]
    assert {event.actor for event in events} == {"user_2"}
    assert {(event.subject, event.username) for event in events} == {("0/12345", "user_3")}


def test_the_upload_counts_how_its_records_stand_now(desk: Desk) -> None:
    lab = desk.lab
    first, *_ = inserted(lab, 3)
    desk.delete(first)
    with lab.daybook.reading() as world:
        [line] = uploads(world.transaction, world.head.live_slot)
    assert (line["inserted"], line["deleted"], line["withdrawn"], line["pending"]) == (2, 1, 0, 0)


def test_a_deleted_session_is_still_shown_with_what_it_was(desk: Desk) -> None:
    lab = desk.lab
    [one] = inserted(lab, 1)

    def shown() -> dict[str, object]:
        with lab.daybook.reading() as world:
            return whole(world.transaction, world.head.live_slot, Reference("session", int(one[1:])))

    before = shown()
    number = desk.request(one, reason="wrong animal")
    desk.approve(number)
    after = shown()

    deletion = after["deleted_by"]
    assert isinstance(deletion, dict)
    assert {name: deletion[name] for name in ("deletion", "requested_by", "reason", "approved_by")} == {
        "deletion": f"d{number}", "requested_by": "user_1", "reason": "wrong animal", "approved_by": "user_2",
    }  # fmt: skip
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"status", "changed_at", "deleted_by"}


def test_the_same_file_inserts_again_and_then_finds_duplicates(desk: Desk) -> None:
    lab = desk.lab
    entries = [session("quick_0", name="quick_0"), session("quick_1", name="quick_1")]
    old = inserted(lab, 2, **grouped("quick_0", "quick_1"))
    desk.delete(*old)

    again = lab.upload(*entries, **grouped("quick_0", "quick_1"))
    third = lab.upload(*entries, **grouped("quick_0", "quick_1"))

    new = [entry.session for entry in again.sessions] + [again.clusterings[0].clustering]
    assert not set(new) & set(old)
    assert desk.statuses(*new) == ["inserted"] * 3 and desk.statuses(*old) == ["deleted"] * 3
    assert [entry.outcome for entry in (*third.sessions, *third.clusterings)] == ["duplicate"] * 3
    assert [entry.session for entry in third.sessions] == new[:2]


def test_another_user_takes_the_location_of_a_deleted_session(desk: Desk) -> None:
    [one] = inserted(desk.lab, 1, user="user_3")
    desk.delete(one)
    [new] = inserted(desk.lab, 1, user="user_4")
    assert desk.statuses(one, new) == ["deleted", "inserted"]


def test_what_waits_or_is_pending_is_deleted_too_and_says_so(desk: Desk) -> None:
    lab = desk.lab
    lab.record("waits", acquiring=True)
    waits = lab.upload(session("waits")).sessions[0].session
    lab.record("pends", day=1)
    pends = desk.pending(session("pends")).sessions[0].session

    desk.delete(waits, pends)
    desk.work()

    assert desk.statuses(waits, pends) == ["deleted", "deleted"]
    assert [body["was"] for body in lab.bodies("SessionDeleted")] == ["waiting", "pending"]
    with lab.daybook.reading() as world:
        assert {row.status for row in world.state.uploads.where("id > 0", [])} == {"processed"}


def test_workers_leave_alone_what_was_deleted_while_they_read_the_disk(desk: Desk) -> None:
    lab = desk.lab
    lab.record("waits", acquiring=True)
    lab.record("good", day=1)
    report = lab.upload(
        session("waits", name="waits"),
        session("good", name="good"),
        clustering=[group("g", ["waits", "good"])],
    )
    waits, both = int(report.sessions[0].session[1:]), int(report.clusterings[0].clustering[1:])
    with lab.daybook.reading() as world:
        versions = world.state.sessions[waits].version, world.state.clusterings[both].version

    desk.delete(f"s{waits}")
    before = lab.size()
    failed = SessionInsertFailed(code="no-start", message="None.")
    for late in (0, 1):  # decided on the record as it was, and as it is now
        settled = SettledSession(session=waits, version=versions[0] + late, event=failed)
        lab.daybook.submit(SettleSessions(sessions=[settled]))
        waiting = ClusteringWaiting(reason="clustering-sessions", message="Not yet.")
        lab.daybook.submit(SettleClustering(clustering=both, version=versions[1] + late, event=waiting))
    desk.work()

    assert lab.size() == before
    assert desk.statuses(f"s{waits}", f"c{both}") == ["deleted", "deleted"]


def test_more_sessions_take_no_more_statements(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    two, six = desk.request(*inserted(desk.lab, 2)), desk.request(*inserted(desk.lab, 6, first=2))

    def statements(command: Command) -> int:
        daybook = Daybook.open(desk.lab.url, Actor("user_2"))
        run, run_many, ran = Transaction.run, Transaction.run_many, Counter[str]()

        def counted(transaction: Transaction, sql: str, values: Sequence[object] = ()) -> object:
            ran["run"] += 1
            return run(transaction, sql, values)

        def counted_many(transaction: Transaction, sql: str, rows: Sequence[Sequence[object]]) -> None:
            ran["run_many"] += 1
            run_many(transaction, sql, rows)

        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "run", counted)
            patch.setattr(Transaction, "run_many", counted_many)
            daybook.submit(command)
        daybook.close()
        return ran.total()

    for kind in (ApproveDeletion, RestoreDeletion):
        assert statements(kind(request=two)) == statements(kind(request=six)) > 10


# --- who decides --------------------------------------------------------------------------------------------


def test_another_admin_than_the_requester_approves_and_rejects(desk: Desk) -> None:
    one, two = inserted(desk.lab, 2, user="user_3")
    first = desk.request(one)
    second = desk.request(two, user="user_3")

    for decide in (desk.approve, desk.reject):
        with desk.refused("not-permitted", "another admin"):
            decide(first, user="user_1")
        with desk.refused("not-permitted", "the role admin"):
            decide(second, user="user_3")
    desk.reject(first)
    desk.approve(second, user="user_1")

    assert desk.statuses(f"d{first}", f"d{second}", one, two) == [
        "rejected",
        "executed",
        "inserted",
        "deleted",
    ]


def test_admins_approve_their_own_where_the_policy_allows_it(desk: Desk) -> None:
    [one] = inserted(desk.lab, 1)
    number = desk.request(one)
    desk.lab.daybook.submit(SetApprovalPolicy(own_requests=True))
    desk.approve(number, user="user_1")
    assert desk.status(one) == "deleted"


def test_the_requester_alone_cancels(desk: Desk) -> None:
    [one] = inserted(desk.lab, 1, user="user_3")
    number = desk.request(one, user="user_3")
    for user in ("user_2", "user_4"):
        with desk.refused("not-permitted", "user_3, who requested it"):
            desk.cancel(number, user=user)
    desk.cancel(number, user="user_3")
    assert desk.statuses(f"d{number}", one) == ["cancelled", "inserted"]


@pytest.mark.parametrize("decision", ["approve", "reject", "cancel"])
def test_what_was_decided_is_not_decided_again(desk: Desk, decision: str) -> None:
    [one] = inserted(desk.lab, 1)
    number = desk.request(one)
    getattr(desk, decision)(number)

    for again in (desk.approve, desk.reject, desk.cancel):
        with desk.refused("already-decided", f"d{number}"):
            again(number)


def test_a_request_that_there_is_not_is_not_found(desk: Desk) -> None:
    for decide in (desk.approve, desk.reject, desk.cancel, desk.restore):
        with desk.refused("not-found", "d999"):
            decide(999)


def test_of_a_request_of_which_nothing_stands_any_more_the_approval_is_refused(desk: Desk) -> None:
    one, two = inserted(desk.lab)
    number = desk.request(one)
    desk.delete(one, two)
    with desk.refused("not-standing", f"d{number}", "request reject"):
        desk.approve(number)
    desk.reject(number)


# --- the impact ---------------------------------------------------------------------------------------------


def over_both(lab: Lab, *records: str, user: str = "user_4") -> str:
    """A multi-session clustering of another user over inserted sessions."""
    with lab.daybook.reading() as world:
        times = [str(world.state.sessions[int(record[1:])].session_time) for record in records]
    report = lab.upload(user=user, clustering=[group("g", times)])
    assert report.clusterings[0].outcome == "inserted", report
    return str(report.clusterings[0].clustering)


def test_an_impact_that_has_grown_is_shown_before_it_is_approved(desk: Desk) -> None:
    lab = desk.lab
    one, two = inserted(lab)
    number = desk.request(one)
    both = over_both(lab, one, two)
    before = lab.size()

    for _ in range(2):  # shown once, however often it is tried
        with pytest.raises(Exception, match=f"{both} of user_4") as refused:
            desk.approve(number)
        assert isinstance(refused.value, Refusal) and refused.value.code == "impact-grown"
        assert refused.value.steps[1].arguments == {"accept_impact": "yes"}
    assert lab.types(before) == ["DeletionImpactGrown"]
    assert desk.statuses(one, both) == ["inserted", "inserted"]
    desk.approve(number, accept_impact=True)

    assert desk.statuses(one, two, both) == ["deleted", "inserted", "deleted"]


def test_what_came_after_it_was_shown_again_is_shown_again(desk: Desk) -> None:
    lab = desk.lab
    one, two = inserted(lab)
    number = desk.request(one)
    over_both(lab, one, two)
    for accept in (True, False):  # nothing was shown yet that could be accepted
        with pytest.raises(Exception, match="of user_4"):
            desk.approve(number, accept_impact=accept)
    third = (
        lab.upload(user="user_5", clustering=[group("h", times_of(lab, one, two), location="N:/joint/g")])
        .clusterings[0]
        .clustering
    )

    with pytest.raises(Exception, match=f"now take more than was shown: {third} of user_5"):
        desk.approve(number, accept_impact=True)
    desk.approve(number, accept_impact=True)

    assert Counter(lab.types())["DeletionImpactGrown"] == 2
    assert desk.statuses(one, two, third) == ["deleted", "inserted", "deleted"]


def times_of(lab: Lab, *records: str) -> list[str]:
    with lab.daybook.reading() as world:
        return [str(world.state.sessions[int(record[1:])].session_time) for record in records]


def test_tasks_that_were_added_since_are_an_impact_that_has_grown(desk: Desk) -> None:
    [one] = inserted(desk.lab, 1)
    number = desk.request(one)
    tasks = b"- {task_type: OpenField, arena_apparatus: 150_square, task_start: 0, task_stop: 10}"
    add_tasks(desk.lab.daybook, int(one[1:]), tasks, filename="tasks.yml", roots=desk.lab.roots)

    with pytest.raises(Exception, match="shown: 1 more task"):
        desk.approve(number)
    desk.approve(number, accept_impact=True)

    assert desk.lab.bodies("DeletionExecuted")[0]["tasks"] == 1


def test_an_impact_that_shrank_needs_nobody_to_look_again(desk: Desk) -> None:
    one, two, both = inserted(desk.lab, 2, **grouped("quick_0", "quick_1"))
    number = desk.request(one, two)
    desk.delete(two)

    result = desk.approve(number)

    assert (result.sessions, result.clusterings) == (1, 0)
    assert desk.statuses(one, two, both) == ["deleted"] * 3


def test_only_a_deletion_is_carried_out_as_one(desk: Desk) -> None:
    [one] = inserted(desk.lab, 1)
    number = desk.request(one)
    with desk.lab.daybook.reading() as world:
        row = world.state.deletions[number]
    assert row.kind == "deletion"
    before = desk.lab.size()
    receipt = desk.of("user_2").submit(ApproveDeletion(request=number, command_id="once"))
    again = desk.of("user_2").submit(ApproveDeletion(request=number, command_id="once"))
    assert again.repeated and again.result == receipt.result
    assert desk.lab.size() == before + 3


def test_what_is_open_for_ones_decision_is_what_one_may_approve(desk: Desk) -> None:
    lab = desk.lab
    first, second, third = inserted(lab, 3, user="user_3")
    of_user_3, of_user_1 = desk.request(first, user="user_3"), desk.request(second, user="user_1")
    redaction = desk.submit("user_1", RequestRedaction(position=int(third[1:]), reason="a name")).request
    desk.reject(desk.request(third, user="user_3"))

    def open_for(user: str) -> tuple[list[str], int, int]:
        with desk.of(user).reading() as world:
            found = decisions(world)
        assert found.user == user and found.position == lab.size()
        return [row.request for row in found.requests], found.count, found.others

    assert open_for("user_2") == ([f"d{of_user_3}", f"d{of_user_1}", redaction], 3, 0)
    assert open_for("user_1") == ([f"d{of_user_3}"], 1, 2)
    assert open_for("user_3") == ([], 0, 3)

    desk.submit("user_1", SetApprovalPolicy(own_requests=True))
    assert open_for("user_1") == ([f"d{of_user_3}", f"d{of_user_1}"], 2, 1)
