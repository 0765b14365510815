"""One request, decided from several places at once: it is decided once. (Processes of their own, on both databases.)"""

from collections import Counter

from commands.requests.closing import CancelRequest, RejectRequest
from commands.requests.deletion import ApproveDeletion, RequestDeletion
from commands.requests.restoration import RestoreDeletion
from commands.requests.withdrawal import Withdraw
from tests.deletion.child import submit_at_once
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.lab import session

DECISIONS = ("DeletionApproved", "DeletionRejected", "DeletionCancelled")


def test_two_who_approve_at_once_execute_it_once(desk: Desk) -> None:
    desk.lab.as_admin("user_3")
    records = inserted(desk.lab, 2, **grouped("quick_0", "quick_1"))
    number = desk.request(*records)
    before = desk.lab.size()
    approval = [(user, ApproveDeletion(request=number)) for user in ("user_2", "user_3") * 2]

    answers = submit_at_once(desk.lab.url, approval)

    assert Counter(answer.get("refused", answer.get("status")) for answer in answers) == {
        "executed": 1,
        "already-decided": 3,
    }
    assert Counter(desk.lab.types(before)) == {
        "DeletionApproved": 1, "SessionDeleted": 2, "ClusteringDeleted": 1, "DeletionExecuted": 1,
    }  # fmt: skip
    assert desk.statuses(*records) == ["deleted"] * 3


def test_of_approve_reject_and_cancel_at_once_exactly_one_counts(desk: Desk) -> None:
    for one in inserted(desk.lab, 3):
        number = desk.request(one)
        before = desk.lab.size()

        answers = submit_at_once(
            desk.lab.url,
            [
                ("user_2", ApproveDeletion(request=number)),
                ("user_2", RejectRequest(request=number, reason="it is right")),
                ("user_1", CancelRequest(request=number)),
            ],
        )

        decided = [answer["status"] for answer in answers if "status" in answer]
        assert len(decided) == 1
        assert Counter(answer.get("refused") for answer in answers) == {None: 1, "already-decided": 2}
        assert desk.status(f"d{number}") == decided[0]
        assert desk.status(one) == ("deleted" if decided == ["executed"] else "inserted")
        assert sum(kind in DECISIONS for kind in desk.lab.types(before)) == 1


def test_two_who_restore_at_once_restore_it_once(desk: Desk) -> None:
    [old] = inserted(desk.lab, 1)
    number = desk.delete(old)

    answers = submit_at_once(
        desk.lab.url, [(user, RestoreDeletion(request=number)) for user in ("user_1", "user_2")]
    )

    assert Counter(answer.get("refused", answer.get("status")) for answer in answers) == {
        "restored": 1,
        "not-executed": 1,
    }
    assert desk.lab.upload(session("quick_0")).sessions[0].session == old


def test_what_is_withdrawn_and_requested_at_once_goes_one_way(desk: Desk) -> None:
    desk.lab.record("waits", acquiring=True)
    waits = desk.lab.upload(session("waits")).sessions[0].session

    answers = submit_at_once(
        desk.lab.url,
        [
            ("user_1", Withdraw(records=[waits])),
            ("user_1", RequestDeletion(records=[waits], reason="wrong animal")),
        ],
    )

    assert answers[0].get("withdrawn") == [waits]
    assert "request" in answers[1] or answers[1] == {"refused": "not-standing"}
    assert desk.status(waits) == "withdrawn"
