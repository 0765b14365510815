"""One entry of one person has one open record: what failed before is told under what came of it later."""

from commands.answers import lists
from commands.answers.why import why
from commands.requests.withdrawal import Withdraw
from commands.samples.clusterings import kilosort_output
from projections.queries import Query
from projections.references import Reference
from tests.intake.lab import Lab, group, number, session


def failures(lab: Lab) -> list[str]:
    with lab.daybook.reading() as world:
        return [one.session for one in lists.sessions(world, Query(status="error")).sessions]


def test_three_uploads_of_a_failing_entry_leave_one_failure(lab: Lab) -> None:
    (lab.share / "date_1").mkdir()
    refs = [lab.upload(session("date_1")).sessions[0].session for _ in range(3)]

    assert len(set(refs)) == 3
    assert failures(lab) == [refs[-1]]
    with lab.daybook.reading() as world:
        told = why(world, Reference("session", int(refs[0][1:])))
    assert [step.ref for step in told.next_steps] == [refs[1]]


def test_a_failure_leaves_the_list_when_its_entry_succeeded(lab: Lab) -> None:
    (lab.share / "date_1").mkdir()
    failed = number(lab.upload(session("date_1")).sessions[0])
    lab.record("date_1")

    entry = lab.upload(session("date_1")).sessions[0]

    assert (entry.outcome, failures(lab)) == ("inserted", [])
    with lab.daybook.reading() as world:
        rows = world.state.sessions
        assert (rows[failed].replaced_by, rows[number(entry)].replaces) == (number(entry), failed)
        told = why(world, Reference("session", failed))
        later = why(world, Reference("session", number(entry)))
    assert "came again" in told.message and [step.action for step in told.next_steps] == ["why"]
    assert f"failed as s{failed}" in later.message


def test_another_persons_failure_is_not_superseded(lab: Lab) -> None:
    (lab.share / "date_1").mkdir()
    first = lab.upload(session("date_1")).sessions[0].session
    second = lab.upload(session("date_1"), user="user_2").sessions[0].session

    assert failures(lab) == [second, first]


def test_group_that_waited_for_a_withdrawn_session_goes_on_with_the_one_that_came_again(lab: Lab) -> None:
    kilosort_output(lab.share.parent / "joint" / "g")
    lab.record("date_1")
    lab.record("date_2", day=1, acquiring=True)
    entries = [session(name, name=name) for name in ("date_1", "date_2")]
    first = lab.upload(*entries, clustering=[group("g", ["date_1", "date_2"])])
    lab.daybook.submit(Withdraw(records=[first.sessions[1].session]))
    lab.record("date_2", day=1)

    second = lab.upload(*entries, clustering=[group("g", ["date_1", "date_2"])])

    assert second.clusterings[0].clustering == first.clusterings[0].clustering
    with lab.daybook.reading() as world:
        row = world.state.clusterings[number(first.clusterings[0])]
        links = world.state.clustering_sessions.where("clustering = ?", [row.id])
    assert row.status == "inserted"
    assert {f"s{link.session}" for link in links} == {entry.session for entry in second.sessions}
