"""A subject that was registered by mistake: taken back, at once or by a request."""

from typing import Any

from commands.lab.subjects import InsertProbe, RegisterSubject
from commands.requests.changes.subjects import TakeBackSubject
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.lab import PROBES, SUBJECT

WRONG = "54321"


def take_back(desk: Desk, subject: str = WRONG, *, user: str = "user_3") -> Any:
    return desk.submit(user, TakeBackSubject(subject=subject, reason="its name is 12345"))


def register(desk: Desk, user: str = "user_3") -> None:
    desk.submit(user, RegisterSubject(name=WRONG))


def registered(desk: Desk) -> set[str]:
    with desk.lab.daybook.reading() as world:
        return {row.subject for row in world.state.subjects.where("subject >= ?", [""])}


def insertions(desk: Desk, subject: str) -> set[str]:
    with desk.lab.daybook.reading() as world:
        return {row.probe for row in world.state.insertions.where("subject = ?", [f"0/{subject}"])}


def test_author_takes_a_subject_back_at_once_with_its_insertions(desk: Desk) -> None:
    register(desk)
    desk.submit("user_3", InsertProbe(subject=WRONG, probe="npx_3", insertion_time="2023-03-01 00:00:00"))
    before = desk.lab.size()

    made = take_back(desk)

    assert (made.status, made.records) == ("done", [f"subject:{WRONG}"])
    assert desk.lab.types(before) == ["ProbeInsertionTakenBack", "SubjectTakenBack"]
    assert f"0/{WRONG}" not in registered(desk)
    assert insertions(desk, WRONG) == set()
    with desk.refused("unknown-subject", WRONG):
        take_back(desk)
    register(desk)
    assert f"0/{WRONG}" in registered(desk)


def test_subject_with_what_another_person_recorded_is_taken_back_by_a_request(desk: Desk) -> None:
    register(desk)
    desk.submit("user_4", InsertProbe(subject=WRONG, probe="npx_3", insertion_time="2023-03-01 00:00:00"))

    made = take_back(desk)

    assert made.status == "requested"
    desk.approve(int(made.request[1:]))
    assert f"0/{WRONG}" not in registered(desk)


def test_all_that_stands_of_a_subject_goes_with_it_and_comes_back_with_it(desk: Desk) -> None:
    first, second, both = inserted(desk.lab, 2, user="user_3", **grouped("quick_0", "quick_1"))

    made = take_back(desk, SUBJECT)
    number = int(made.request[1:])
    done = desk.approve(number)

    assert made.users == {"user_3": 3}
    assert (done.sessions, done.clusterings) == (2, 1)
    assert desk.statuses(first, second, both) == ["deleted"] * 3
    assert f"0/{SUBJECT}" not in registered(desk)
    assert insertions(desk, SUBJECT) == set()

    desk.restore(number)

    assert desk.statuses(first, second, both) == ["inserted"] * 3
    assert insertions(desk, SUBJECT) == set(PROBES)


def test_file_of_a_subject_that_was_taken_back_is_rejected(desk: Desk) -> None:
    inserted(desk.lab, 1)
    desk.approve(int(take_back(desk, SUBJECT).request[1:]))

    from tests.intake.lab import session

    report = desk.lab.upload(session("quick_0"))

    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["unknown-subject"]


def test_deleted_session_is_not_restored_into_a_subject_that_was_taken_back(desk: Desk) -> None:
    (first,) = inserted(desk.lab, 1)
    deletion = desk.delete(first)
    take_back(desk, SUBJECT, user="user_1")

    with desk.refused("blocked", f"subject {SUBJECT} is not registered any more"):
        desk.restore(deletion)
