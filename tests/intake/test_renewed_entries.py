"""An entry of one's own that was never inserted takes what the newest file says, and is inserted with that."""

from commands.intake.checking import Difference
from commands.intake.completion import associate
from commands.samples.clusterings import kilosort_output
from projections.rebuild import contents, rebuild
from tests.intake.lab import PROBES, SERIALS, Lab, group, number, session, task

UNMATCHED = ["18408409999", "18408408888"]
GIVEN = dict(zip(("probe_1", "probe_2"), PROBES, strict=True))


def test_a_waiting_session_is_inserted_with_what_the_newest_file_says(lab: Lab) -> None:
    lab.record("date_1", serials=UNMATCHED)
    first = lab.upload(session("date_1", notes="old", name="a"))
    assert first.sessions[0].outcome == "waiting"
    before = lab.size()

    entry = session(
        "date_1", notes="new", name="b", experimenter=["user_2"], room="2.345", probe_association=GIVEN
    )
    second = lab.upload(entry).sessions[0]

    assert second.session == first.sessions[0].session and second.renewed
    assert Difference("notes", "old", "new") in second.differences
    assert "SessionEntryRenewed" in lab.types(before)
    with lab.daybook.reading() as world:
        row = world.state.sessions[number(second)]
    assert (row.name, row.room, row.experimenter) == ("b", "2.345", '["user_2"]')
    assert row.entry is not None and '"notes":"new"' in row.entry
    again = lab.upload(entry).sessions[0]
    assert again.differences == [] and not again.renewed
    assert lab.bodies("SessionInsertRequested")[0]["entry"]["notes"] == "old", "the old stays in its history"
    same_when_rebuilt(lab)


def test_what_commands_have_added_stays_where_the_file_says_what_it_said(lab: Lab) -> None:
    lab.record("date_1", serials=UNMATCHED)
    entry = session("date_1", tasks=[task()])
    first = number(lab.upload(entry).sessions[0])
    associate(lab.daybook, first, GIVEN, roots=lab.roots, despite_serial=True, reason="swapped")
    with lab.daybook.reading() as world:
        assert world.state.sessions[first].status == "waiting", "it waits for sessions.txt"

    renewed = lab.upload(session("date_1", tasks=[task()], notes="new")).sessions[0]

    assert renewed.renewed and "notes" in {d.field for d in renewed.differences}
    [body] = lab.bodies("SessionEntryRenewed")
    assert body["entry"]["notes"] == "new" and "probe_association" not in body["entry"]
    assert body["completed"]["probe_association"] == GIVEN


def test_new_values_are_checked_before_they_are_taken(lab: Lab) -> None:
    lab.record("date_1", serials=UNMATCHED)
    lab.upload(session("date_1"))

    refused = lab.upload(session("date_1", experimenter="nobody"))

    assert not refused.ok and [f.code for f in refused.findings if f.severity == "error"] == ["unknown-value"]


def test_what_was_inserted_and_what_is_another_persons_stay(lab: Lab) -> None:
    lab.record("date_1")
    lab.record("date_2", day=1, serials=UNMATCHED)
    lab.upload(session("date_1"), session("date_2"))

    mine = lab.upload(session("date_1", notes="x"))
    theirs = lab.upload(session("date_2", notes="x"), user="user_2")

    assert not mine.sessions[0].renewed and not theirs.sessions[0].renewed
    assert "SessionEntryRenewed" not in lab.types()


def test_a_waiting_clustering_stands_on_what_the_newest_file_says(lab: Lab) -> None:
    names = ["date_1", "date_2", "date_3"]
    for day, name in enumerate(names):
        lab.record(name, day=day, serials=UNMATCHED if name == "date_2" else SERIALS)
    kilosort_output(lab.share.parent / "joint" / "g")
    entries = [session(name, name=name) for name in names]
    first = lab.upload(*entries, clustering=[group("g", names[:2])]).clusterings[0]
    assert first.outcome == "waiting"

    second = lab.upload(
        *entries, clustering=[group("g", ["date_1", "date_3"], notes="without the second")]
    ).clusterings[0]

    assert (second.clustering, second.outcome, second.renewed) == (first.clustering, "inserted", True)
    with lab.daybook.reading() as world:
        links = world.state.clustering_sessions.where("clustering = ?", [number(second)])
        row = world.state.clusterings[number(second)]
        assert [world.state.sessions[link.session].location[-6:] for link in links] == ["date_1", "date_3"]
    assert row.notes == "without the second"
    same_when_rebuilt(lab)


def same_when_rebuilt(lab: Lab) -> None:
    with lab.daybook.reading() as world:
        before = contents(world.transaction, world.head.live_slot)
    rebuild(lab.daybook.database)
    with lab.daybook.reading() as world:
        assert contents(world.transaction, world.head.live_slot) == before
