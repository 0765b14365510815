"""A subject that was entered under the wrong name, and gets its right one: what follows it, and what its files say."""

from typing import Any

import pytest

from commands.answers.named import RenamedSubject, SubjectRecord, named
from commands.inputfile.catalogue import read_catalogue
from commands.intake import validation
from commands.lab.catalogue import AddReferenceValue, LoadCatalogue
from commands.lab.subjects import InsertProbe, RegisterSubject
from commands.requests.changes.insertions import TakeBackInsertion
from commands.requests.changes.renaming import RenameSubject
from commands.requests.changes.values import RenameValue, TakeBackValue
from projections.rebuild import contents, rebuild
from projections.records import RECORDS
from tests.cli.conftest import run_cli
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.lab import CATALOGUE, PROBES, SUBJECT, session

WRONG, RIGHT = "54321", "54322"


def rename(desk: Desk, name: str = WRONG, new: str = RIGHT, *, user: str = "user_3", **more: Any) -> Any:
    return desk.submit(user, RenameSubject(subject=name, new_name=new, reason="mistyped", **more))


def renamed(desk: Desk, name: str = SUBJECT, new: str = RIGHT) -> int:
    """By a request that is approved."""
    number = int(rename(desk, name, new).request[1:])
    desk.approve(number)
    return number


def keys(desk: Desk) -> dict[str, set[str]]:
    """The subjects that each table names."""
    with desk.lab.daybook.reading() as world:
        slot = world.head.live_slot
        return {
            record.TABLE: {
                row[0]
                for row in world.transaction.run(
                    f"SELECT DISTINCT subject FROM {record.TABLE}_{slot}"
                ).fetchall()
            }
            for record in RECORDS
            if "subject" in record.__dataclass_fields__ and record.TABLE not in ("activity", "deletions")
        }


def test_author_renames_a_subject_at_once_with_its_insertions(desk: Desk) -> None:
    desk.submit("user_3", RegisterSubject(name=WRONG))
    desk.submit("user_3", InsertProbe(subject=WRONG, probe="npx_3", insertion_time="2023-03-01 00:00:00"))
    before = desk.lab.size()

    made = rename(desk)

    assert (made.status, made.records) == ("done", [f"subject:{WRONG}"])
    assert desk.lab.types(before) == [
        "SubjectRenamed", "ProbeInsertionTakenBack", "SubjectRegistered", "ProbeInserted",
    ]  # fmt: skip
    assert keys(desk)["subjects"] == {f"0/{SUBJECT}", "0/23456", "0/34567", f"0/{RIGHT}"}
    assert f"0/{RIGHT}" in keys(desk)["probe_insertions"]
    assert f"0/{WRONG}" not in keys(desk)["probe_insertions"]


def test_all_that_stands_on_a_subject_follows_it_and_keeps_its_number(desk: Desk) -> None:
    first, second, both = inserted(desk.lab, 2, user="user_3", **grouped("quick_0", "quick_1"))
    gone = desk.delete(*inserted(desk.lab, 1, first=2))
    made = rename(desk, SUBJECT)
    number = int(made.request[1:])

    assert (made.status, made.users) == ("requested", {"user_3": 3})
    assert f"0/{RIGHT}" not in keys(desk)["subjects"]
    done = desk.approve(number)

    assert (done.kind, done.sessions, done.clusterings) == ("mending", 2, 1)
    assert desk.statuses(first, second, both) == ["inserted"] * 3
    assert not [table for table, subjects in keys(desk).items() if f"0/{SUBJECT}" in subjects]
    assert keys(desk)["session_locations"] == keys(desk)["session_times"] == {f"0/{RIGHT}"}
    desk.restore(gone)
    assert keys(desk)["sessions"] == {f"0/{RIGHT}"}


def test_lists_that_are_made_anew_say_the_same(desk: Desk) -> None:
    inserted(desk.lab, 2, user="user_3", **grouped("quick_0", "quick_1"))
    renamed(desk)
    with desk.lab.daybook.reading() as world:
        before = contents(world.transaction, world.head.live_slot)

    rebuild(desk.lab.daybook.database)

    with desk.lab.daybook.reading() as world:
        assert contents(world.transaction, world.head.live_slot) == before


def test_growing_file_with_the_old_name_is_told_the_new_one_and_taken_with_it(desk: Desk) -> None:
    first, second = inserted(desk.lab, 2)
    renamed(desk)
    grown = [session("quick_0"), session("quick_1"), session("quick_2")]

    old = desk.lab.upload(*grown)
    new = desk.lab.upload(*grown, subject=RIGHT)

    [error] = [finding for finding in old.findings if finding.severity == "error"]
    assert (error.code, error.path) == ("renamed-subject", "subject.name")
    assert error.message.startswith(f'subject "{SUBJECT}" is called "{RIGHT}" now (renamed by user_2 at ')
    assert error.hint.startswith(f'Did you mean "{RIGHT}"? Write that here')
    assert [one.outcome for one in new.sessions] == ["duplicate", "duplicate", "inserted"], new.findings
    assert [one.session for one in new.sessions[:2]] == [first, second]


def test_old_name_says_what_the_subject_is_called(desk: Desk) -> None:
    inserted(desk.lab, 1)
    renamed(desk)

    with desk.lab.daybook.reading() as world:
        old, new = named(world, f"subject:{SUBJECT}"), named(world, f"subject:{RIGHT}")

    assert isinstance(old, RenamedSubject)
    assert (old.renamed_to, old.renamed_by, old.reason) == (RIGHT, "user_2", "mistyped")
    assert isinstance(new, SubjectRecord)
    assert (new.former_names, [probe.probe for probe in new.probes]) == ([SUBJECT], sorted(PROBES))
    with desk.refused("renamed-subject", f'Subject "{SUBJECT}" is called "{RIGHT}" now'):
        desk.submit(
            "user_1", InsertProbe(subject=SUBJECT, probe="npx_3", insertion_time="2023-03-01 00:00:00")
        )


def test_renaming_back_undoes_it(desk: Desk) -> None:
    first, second, both = inserted(desk.lab, 2, **grouped("quick_0", "quick_1"))
    renamed(desk)

    renamed(desk, RIGHT, SUBJECT)

    assert keys(desk)["sessions"] == {f"0/{SUBJECT}"}
    report = desk.lab.upload(session("quick_0"), session("quick_1"))
    assert [one.session for one in report.sessions] == [first, second]
    wrong = desk.lab.upload(session("quick_0"), subject=RIGHT)
    assert [finding.code for finding in wrong.findings if finding.severity == "error"] == ["renamed-subject"]
    assert desk.status(both) == "inserted"


@pytest.mark.parametrize(
    ("new", "code", "said"),
    [
        ("23456", "name-taken", "There is a subject 23456 already"),
        ("23456\u200b", "subject-name", "cannot be registered"),
        (WRONG, "nothing-to-mend", "called so already"),
        (f" {WRONG} ", "nothing-to-mend", "called so already"),
        ("a/b", "subject-name", "It has no slash"),
        ("", "subject-name", "cannot be registered"),
    ],
)
def test_name_that_cannot_be_its_name_is_refused(desk: Desk, new: str, code: str, said: str) -> None:
    desk.submit("user_3", RegisterSubject(name=WRONG))

    with desk.refused(code, said):
        rename(desk, WRONG, new)


def test_name_that_differs_in_capitals_or_in_form_can_be_mended(desk: Desk) -> None:
    desk.submit("user_3", RegisterSubject(name="Cafe\u0301"))
    assert "0/Caf\u00e9" in keys(desk)["subjects"]

    rename(desk, "Caf\u00e9", "cafe\u0301")

    assert "0/caf\u00e9" in keys(desk)["subjects"]


def test_name_that_leads_to_another_subject_is_taken_only_by_who_says_so(desk: Desk) -> None:
    for name in (WRONG, "60001"):
        desk.submit("user_3", RegisterSubject(name=name))
    rename(desk)

    with desk.refused("renamed-subject", f'"{WRONG}" is called "{RIGHT}" now', "--another"):
        desk.submit("user_3", RegisterSubject(name=WRONG))
    with desk.refused("renamed-subject", f'"{WRONG}" is called "{RIGHT}" now', "--another"):
        rename(desk, "60001", WRONG)

    rename(desk, "60001", WRONG, another=True)
    with desk.lab.daybook.reading() as world:
        taken, first = named(world, f"subject:{WRONG}"), named(world, f"subject:{RIGHT}")
    assert isinstance(taken, SubjectRecord)
    assert isinstance(first, SubjectRecord)
    assert (taken.former_names, first.former_names) == (["60001"], [WRONG])


def test_every_name_that_a_subject_had_leads_to_its_last_one(desk: Desk) -> None:
    desk.submit("user_3", RegisterSubject(name=WRONG))
    for name, new in ((WRONG, "60001"), ("60001", WRONG), (WRONG, "60002"), ("60002", RIGHT)):
        rename(desk, name, new)

    with desk.lab.daybook.reading() as world:
        found = [named(world, f"subject:{name}") for name in (WRONG, "60001", "60002")]
        last = named(world, f"subject:{RIGHT}")

    assert [one.renamed_to for one in found if isinstance(one, RenamedSubject)] == [RIGHT] * 3
    assert isinstance(last, SubjectRecord)
    assert last.former_names == ["60002", WRONG, "60001"]


def test_what_comes_to_stand_on_it_after_the_request_is_shown_first(desk: Desk) -> None:
    inserted(desk.lab, 1)
    number = int(rename(desk, SUBJECT).request[1:])
    inserted(desk.lab, 1, first=1)

    with pytest.raises(Exception, match="would now take more than was shown"):
        desk.approve(number)

    desk.approve(number, accept_impact=True)
    assert keys(desk)["sessions"] == {f"0/{RIGHT}"}


def test_name_that_was_taken_since_the_request_is_refused_at_its_approval(desk: Desk) -> None:
    inserted(desk.lab, 1)
    number = int(rename(desk, SUBJECT).request[1:])
    desk.submit("user_3", RegisterSubject(name=RIGHT))

    with desk.refused("name-taken", RIGHT):
        desk.approve(number)


# --- who asks of the past, who comes at the same time, and what would be without it ---------------------------------


def listed(desk: Desk, kind: str, subject: str, as_of: int) -> list[str]:
    answer = run_cli("--db", desk.lab.url, kind, "--subject", subject, "--as-of", str(as_of), "--json").json
    return [each[kind.removesuffix("s")] for each in answer[kind]]


def test_lists_of_a_subject_are_as_they_were_before_and_behind_the_renaming(desk: Desk) -> None:
    first, second, both = inserted(desk.lab, 2, **grouped("quick_0", "quick_1"))
    before = desk.lab.size()
    renamed(desk)
    after = desk.lab.size()
    (third,) = inserted_as(desk, RIGHT, 2)

    assert listed(desk, "sessions", SUBJECT, before) == [second, first]
    assert listed(desk, "sessions", RIGHT, before) == []
    assert listed(desk, "sessions", RIGHT, after) == [second, first]
    assert listed(desk, "sessions", SUBJECT, after) == []
    assert listed(desk, "sessions", RIGHT, desk.lab.size()) == [third, second, first]
    assert listed(desk, "clusterings", SUBJECT, before) == [both]
    assert len(listed(desk, "uploads", SUBJECT, before)) == len(listed(desk, "uploads", RIGHT, after)) == 1
    shown = run_cli("--db", desk.lab.url, "show", first, "--as-of", str(before), "--json").json
    assert shown["subject"] == SUBJECT
    subject = run_cli(
        "--db", desk.lab.url, "show", f"subject:{SUBJECT}", "--as-of", str(before), "--json"
    ).json
    assert (subject["kind"], subject["sessions"]) == ("subject", {"inserted": 2})


def test_lists_are_whole_at_a_moment_in_the_middle_of_a_renaming(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a ledger that is too large to fold all that has changed."""
    first, second = inserted(desk.lab, 2)
    renamed(desk)
    types = desk.lab.types()
    of_the_name, of_the_first = types.index("SubjectRenamed") + 1, types.index("SessionSubjectRenamed") + 1
    monkeypatch.setattr("projections.past._FEW", -1)

    assert listed(desk, "sessions", SUBJECT, of_the_name) == [second, first]
    assert listed(desk, "sessions", RIGHT, of_the_name) == []
    assert listed(desk, "sessions", SUBJECT, of_the_first) == [second]
    assert listed(desk, "sessions", RIGHT, of_the_first) == [first]


def inserted_as(desk: Desk, subject: str, number: int) -> list[str]:
    report = desk.lab.upload(session(f"quick_{number}"), subject=subject)
    assert report.ok, report.findings
    return [one.session for one in report.sessions]


def test_records_of_then_are_found_however_much_has_changed_since(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a ledger that is too large to fold all that has changed."""
    first, second, both = inserted(desk.lab, 2, **grouped("quick_0", "quick_1"))
    before = desk.lab.size()
    renamed(desk)
    monkeypatch.setattr("projections.past._FEW", -1)

    for ref in (first, second, both):
        for verb in ("show", "trace", "blame", "history"):
            said = run_cli("--db", desk.lab.url, verb, ref, "--as-of", str(before), "--json")
            assert said.exit == 0 and RIGHT not in said.out, (verb, ref, said.err)


def test_blame_says_who_renamed_it(desk: Desk) -> None:
    (first,) = inserted(desk.lab, 1)
    renamed(desk)

    fields = run_cli("--db", desk.lab.url, "blame", first, "--json").json["fields"]

    [subject] = [field for field in fields if field["field"] == "subject"]
    assert (subject["value"], subject["event"]["type"], subject["event"]["actor"]) == (
        RIGHT, "SessionSubjectRenamed", "user_2",
    )  # fmt: skip


def test_without_the_renaming_records_would_be_of_the_old_name(desk: Desk) -> None:
    (first,) = inserted(desk.lab, 1)
    number = renamed(desk)

    found = run_cli("--db", desk.lab.url, "what-if", "--without", f"d{number}", "--json").json["differences"]

    fields = {each["name"]: each["fields"] for each in found if each["kind"] == "session"}
    assert fields[first]["subject"] == {"before": RIGHT, "after": SUBJECT}


def test_file_that_was_checked_before_the_renaming_is_checked_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    inserted(desk.lab, 1)
    number = int(rename(desk, SUBJECT).request[1:])
    known, done = validation.load_known, []

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        found = known(*arguments, **options)
        if not done:
            done.append(desk.approve(number))
        return found

    monkeypatch.setattr(validation, "load_known", meanwhile)
    report = desk.lab.upload(session("quick_1"))

    assert done and [each.code for each in report.findings if each.severity == "error"] == ["renamed-subject"]
    assert f"0/{SUBJECT}" not in keys(desk)["sessions"]


def test_catalogue_that_still_has_the_old_name_makes_no_second_subject(desk: Desk) -> None:
    inserted(desk.lab, 1)
    renamed(desk)
    catalogue = read_catalogue(CATALOGUE.encode()).catalogue
    assert catalogue is not None

    loaded = desk.submit("user_1", LoadCatalogue(catalogue=catalogue))

    assert loaded.added == 0
    assert [(one.value, one.became, one.now) for one in loaded.told] == [
        (SUBJECT, "renamed", {"name": RIGHT})
    ]
    assert f"0/{SUBJECT}" not in keys(desk)["subjects"]


def test_insertion_that_a_deletion_took_is_put_back_under_the_new_name(desk: Desk) -> None:
    (first,) = inserted(desk.lab, 1)
    taken = desk.submit("user_1", TakeBackInsertion(subject=SUBJECT, probe=PROBES[0], reason="wrong"))
    desk.approve(int(str(taken.request)[1:]))
    rename(desk, SUBJECT, user="user_1")

    desk.restore(int(str(taken.request)[1:]))

    assert desk.status(first) == "inserted"
    with desk.lab.daybook.reading() as world:
        assert world.state.insertions.get((f"0/{RIGHT}", PROBES[0])) is not None
        assert world.state.insertions.get((f"0/{SUBJECT}", PROBES[0])) is None


def test_name_of_a_value_that_was_taken_back_is_no_longer_compared_with(desk: Desk) -> None:
    room = {"table": "reference.ExperimentRoom"}
    desk.submit("user_1", AddReferenceValue(**room, value="Room A"))
    desk.submit("user_1", TakeBackValue(**room, value="Room A", reason="mistyped"))

    assert desk.submit("user_1", AddReferenceValue(**room, value="room a")).added == 1


def test_value_is_mended_in_its_capitals_alone(desk: Desk) -> None:
    room = {"table": "reference.ExperimentRoom"}
    desk.submit("user_1", AddReferenceValue(**room, value="Room A"))

    made = desk.submit("user_1", RenameValue(**room, value="Room A", new_value="room a", reason="mistyped"))

    assert made.status == "done"
    with desk.refused("look-alike", "room a"):
        desk.submit("user_1", AddReferenceValue(**room, value="ROOM A"))
