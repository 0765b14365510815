"""Killed at any step, the same again ends in one correction; approved from several places, it is carried out once."""

from collections import Counter

import pytest

from commands.requests.approving import approve as approve_request
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from tests.correction.child import at_once, start
from tests.correction.corrections import assert_numbered_by_position, compare, live, request
from tests.intake.child import CRASHED, Moment
from tests.intake.lab import Lab, document, group, session
from tests.patience import PATIENCE_S

MOMENTS: list[Moment] = ["before", "within", "after"]


def wrong_file(lab: Lab) -> bytes:
    """Uploaded: two sessions and a clustering over both. Returned: the corrected file, in which one session differs."""
    names = lab.record_many(2)
    kilosort_output(lab.share.parent / "joint" / "g")
    joint = [group("g", names)]
    lab.upload(*(session(name, name=name) for name in names), clustering=joint)
    return document(
        session("date_1", name="date_1", notes="right"), session("date_2", name="date_2"), clustering=joint
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_request_that_was_killed_is_made_once(lab: Lab, moment: Moment) -> None:
    data = wrong_file(lab)
    before = lab.size()
    process, answer = start(
        lab.url, str(lab.share.parent), "user_1", ("request", data), crash=("RequestCorrection", moment)
    )
    process.join(PATIENCE_S)
    answer.close()
    assert process.exitcode == CRASHED

    if moment == "after":
        with pytest.raises(Refusal, match="already"):
            request(lab, data)
    else:
        assert lab.size() == before
        request(lab, data)

    assert Counter(lab.types(before)) == Counter(
        ["InputFileReceived", "InputFileValidated", "InputFileProcessed", "CorrectionRequested"]
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_approval_that_was_killed_is_carried_out_once(lab: Lab, moment: Moment) -> None:
    data = wrong_file(lab)
    asked = request(lab, data)
    admin = lab.as_admin("user_3")
    before, stood = lab.size(), live(lab.daybook)
    process, answer = start(
        lab.url, str(lab.share.parent), "user_3", ("approve", asked), crash=("ApproveCorrection", moment)
    )
    process.join(PATIENCE_S)
    answer.close()
    assert process.exitcode == CRASHED

    if moment == "after":
        with pytest.raises(Refusal, match="executed"):
            approve_request(admin, asked, accept_impact=False, roots=lab.roots)
    else:
        assert lab.size() == before and live(lab.daybook) == stood
        approve_request(admin, asked, accept_impact=False, roots=lab.roots)

    counts = Counter(lab.types(before))
    assert counts["DeletionApproved"] == counts["CorrectionExecuted"] == counts["ClusteringCarriedOver"] == 1
    assert counts["SessionDeleted"] == counts["SessionInsertRequested"] == counts["SessionInserted"] == 1
    assert lab.upload_bytes(data).sessions[0].differences == []
    assert_numbered_by_position(lab)


def test_of_many_approvals_at_once_one_is_carried_out(lab: Lab) -> None:
    data = wrong_file(lab)
    asked = request(lab, data)
    users = [f"admin_{number}" for number in range(4)]
    for user in users:
        lab.as_admin(user)
    before = lab.size()

    answers = at_once(lab.url, str(lab.share.parent), [(user, ("approve", asked)) for user in users])

    assert sorted(str(answer.get("refused", answer.get("status"))) for answer in answers) == [
        *["already-decided"] * 3, "executed",
    ]  # fmt: skip
    counts = Counter(lab.types(before))
    assert counts["DeletionApproved"] == counts["SessionInserted"] == counts["CorrectionExecuted"] == 1
    assert compare(lab, data).plan.replaced == []


def test_two_corrections_of_one_record_approved_at_once_are_one_correction(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    asked = [request(lab, document(session("date_1", notes=notes))) for notes in ("one", "two")]
    lab.as_admin("user_3")

    answers = at_once(lab.url, str(lab.share.parent), [("user_3", ("approve", number)) for number in asked])

    assert sorted(str(answer.get("refused", answer.get("status"))) for answer in answers) == [
        "executed", "not-standing",
    ]  # fmt: skip
    assert Counter(lab.types())["SessionDeleted"] == 1
    assert list(lab.statuses().values()) == ["inserted"]
