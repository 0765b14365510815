"""What random histories have found once, each told as the short history that is enough for it."""

from commands.samples.clusterings import kilosort_output
from tests.correction.corrections import OTHER_SUBJECT, approve, other_subject, request, status_of
from tests.deletion.desk import Desk
from tests.intake.lab import SERIALS, Lab, document, group, session


def test_a_correction_is_not_hindered_by_a_group_name_that_it_has_not_asked_for(lab: Lab) -> None:
    """The file lists a clustering as it stands. That one is gone when the correction is approved, and the other
    animal has one of the same name: it is about nothing that would be replaced."""
    other_subject(lab)
    for day, name in enumerate("abcd"):
        lab.record(name, day=day, serials=SERIALS[:1])
    kilosort_output(lab.share.parent / "joint" / "g")
    both = [group("g", ["a", "b"])]
    first = lab.upload(session("a", name="a"), session("b", name="b"), clustering=both)
    in_another_room = [session("a", name="a", room="2.345"), session("b", name="b")]
    number = request(lab, document(*in_another_room, clustering=both))

    Desk(lab).delete(first.clusterings[0].clustering)
    lab.upload(
        session("c", name="c"),
        session("d", name="d"),
        subject=OTHER_SUBJECT,
        clustering=[group("g", ["c", "d"])],
    )
    done = approve(lab, number)

    assert [pair.old for pair in done.replaced] == [first.sessions[0].session]
    assert status_of(lab, done.replaced[0].new) == "inserted"


def test_a_session_is_not_restored_beside_the_one_that_it_had_replaced(lab: Lab) -> None:
    """Moved twice by corrections, then the last one deleted, the second correction undone: the middle one stands, and
    the last one must not stand beside it."""
    for day, name in enumerate("abc"):
        lab.record(name, day=day, serials=SERIALS[:1])
    lab.upload(session("a", name="it"))
    approve(lab, request(lab, document(session("b", name="it"))))
    moved = request(lab, document(session("c", name="it")))
    done = approve(lab, moved)
    desk = Desk(lab)
    last = done.replaced[0].new
    deleted = desk.delete(last)
    desk.restore(moved)

    with desk.refused("blocked", last, done.replaced[0].old):
        desk.restore(deleted)
