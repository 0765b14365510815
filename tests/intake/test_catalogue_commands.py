"""Reference values, subjects, probe insertions: idempotent, and checked before they can spoil what rests on them."""

import pytest

from commands.inputfile.catalogue import read_catalogue
from commands.lab.catalogue import AddReferenceValue, LoadCatalogue, RetireReferenceValue
from commands.lab.subjects import InsertProbe, RegisterSubject, RemoveProbe
from ledger.errors import Refusal
from tests.intake.lab import CATALOGUE, PROBES, Lab, load_catalogue

NOON = "2023-03-01 12:00:00"


def test_loading_the_catalogue_again_appends_nothing(lab: Lab) -> None:
    before = lab.size()
    load_catalogue(lab.daybook, CATALOGUE)
    assert lab.size() == before


def test_a_grown_catalogue_appends_only_what_is_new(lab: Lab) -> None:
    before = lab.size()
    load_catalogue(lab.daybook, CATALOGUE.replace("user_3]", "user_3, user_4]"))
    assert [body["value"] for body in lab.bodies("ReferenceValueAdded", before)] == ["user_4"]


def test_a_retired_value_comes_back_with_its_attributes(lab: Lab) -> None:
    sleep = {"table": "behavior.TaskType", "value": "SleepTask"}
    lab.daybook.submit(RetireReferenceValue(**sleep))
    assert lab.daybook.submit(RetireReferenceValue(**sleep)).result.retired == 0
    assert lab.daybook.submit(AddReferenceValue(**sleep)).result.added == 1
    assert lab.bodies("ReferenceValueAdded")[-1]["attributes"] == {"arena_required": False}


def test_naming_a_known_value_without_its_attributes_takes_none_away(lab: Lab) -> None:
    before = lab.size()
    lab.daybook.submit(AddReferenceValue(table="behavior.TaskType", value="SleepTask"))
    load_catalogue(lab.daybook, "behavior.TaskType: [SleepTask]")
    assert lab.size() == before


def test_a_catalogue_that_names_an_unknown_probe_is_refused_whole(lab: Lab) -> None:
    before = lab.size()
    text = 'reference.CueCard: [new]\nsubjects: [{name: "9", probes: [{probe: npx_9, insertion_time: "2023-03-01 00:00:00"}]}]'
    catalogue = read_catalogue(text.encode()).catalogue
    assert catalogue is not None
    with pytest.raises(Refusal, match="npx_9"):
        lab.daybook.submit(LoadCatalogue(catalogue=catalogue))
    assert lab.size() == before


def test_a_probe_comes_and_goes(lab: Lab) -> None:
    subject, probe = "12345", "npx_3"
    insert = {"subject": subject, "probe": probe, "insertion_time": NOON}
    assert lab.daybook.submit(InsertProbe(**insert)).result.added == 1
    assert lab.daybook.submit(InsertProbe(**insert)).result.added == 0
    remove = {"subject": subject, "probe": probe, "removal_time": "2023-04-01 00:00:00"}
    assert lab.daybook.submit(RemoveProbe(**remove)).result.removed == 1
    assert lab.daybook.submit(RemoveProbe(**remove)).result.removed == 0
    with pytest.raises(Refusal, match="already removed from subject 12345, at 2023-04-01 00:00:00"):
        lab.daybook.submit(RemoveProbe(**remove | {"removal_time": "2023-04-02 00:00:00"}))
    again = insert | {"insertion_time": "2023-05-01 00:00:00"}
    assert lab.daybook.submit(InsertProbe(**again)).result.added == 1


def test_a_probe_may_be_removed_the_moment_it_was_inserted(lab: Lab) -> None:
    insert = {"subject": "12345", "probe": "npx_3", "insertion_time": NOON}
    lab.daybook.submit(InsertProbe(**insert))

    removed = lab.daybook.submit(RemoveProbe(subject="12345", probe="npx_3", removal_time=NOON))

    assert removed.result.removed == 1


def test_a_catalogue_does_not_bring_back_an_insertion_that_another_one_followed(lab: Lab) -> None:
    probe = {"subject": "12345", "probe": PROBES[0]}
    lab.daybook.submit(RemoveProbe(**probe, removal_time="2023-04-01 00:00:00"))
    lab.daybook.submit(InsertProbe(**probe, insertion_time="2023-05-01 00:00:00"))
    before = lab.size()
    load_catalogue(lab.daybook, CATALOGUE)  # it is in there again
    lab.daybook.submit(RemoveProbe(**probe, removal_time="2023-06-01 00:00:00"))
    load_catalogue(lab.daybook, CATALOGUE)  # it is out again
    assert lab.types(before) == ["ProbeRemoved"]


def test_a_catalogue_that_puts_one_probe_into_two_subjects_is_refused_whole(lab: Lab) -> None:
    before = lab.size()
    inserted = 'probes: [{probe: npx_3, insertion_time: "2023-03-01 00:00:00"}]'
    text = f'subjects: [{{name: "23456", {inserted}}}, {{name: "34567", {inserted}}}]'
    with pytest.raises(Refusal, match="subject 23456 and in subject 34567"):
        load_catalogue(lab.daybook, text)
    assert lab.size() == before


REFUSED = [
    (AddReferenceValue(table="reference.Experimentr", value="x"), "unknown-table"),
    (AddReferenceValue(table="reference.Experimenter", value=" "), "no-value"),
    (AddReferenceValue(table="reference.Experimenter", value="a\nb"), "no-value"),
    (AddReferenceValue(table="reference.Experimenter", value="a\x00b"), "no-value"),
    (RetireReferenceValue(table="reference.Experimenter", value="user_9"), "unknown-value"),
    (AddReferenceValue(table="reference.Experimenter", value="a" * 100_000), "no-value"),
    (RegisterSubject(name="a" * 100_000), "subject-name"),
    (RegisterSubject(name=""), "subject-name"),
    (RegisterSubject(name="a/b"), "subject-name"),
    (RegisterSubject(name="a\x00b"), "subject-name"),
    (RegisterSubject(name="1", datasource_id=1), "subject-name"),
    (InsertProbe(subject="99", probe=PROBES[0], insertion_time=NOON), "unknown-subject"),
    (InsertProbe(subject="12345", probe="npx_9", insertion_time=NOON), "unknown-probe"),
    (InsertProbe(subject="12345", probe=PROBES[0], insertion_time=NOON), "already-inserted"),
    (InsertProbe(subject="12345", probe="npx_3", insertion_time="tomorrow"), "date-time"),
    (InsertProbe(subject="12345", probe="npx_3", insertion_time="2023-03-01"), "date-time"),
    (InsertProbe(subject="12345", probe="npx_3", insertion_time=f"{NOON}+01:00"), "date-time"),
    (RemoveProbe(subject="12345", probe="npx_3", removal_time=NOON), "not-inserted"),
    (RemoveProbe(subject="12345", probe=PROBES[0], removal_time="1.4.2023"), "date-time"),
    (
        RemoveProbe(subject="12345", probe=PROBES[0], removal_time="2023-02-01 00:00:00"),
        "removed-before-inserted",
    ),
]


def test_what_cannot_be_is_refused_with_what_to_do_and_appends_nothing(lab: Lab) -> None:
    before = lab.size()
    for command, code in REFUSED:
        with pytest.raises(Refusal) as refused:
            lab.daybook.submit(command)
        assert refused.value.code == code and refused.value.message, command
        assert refused.value.hint or refused.value.steps, command
        assert lab.size() == before


def test_a_retired_probe_is_not_inserted(lab: Lab) -> None:
    lab.daybook.submit(RetireReferenceValue(table="reference.Probe", value="npx_3"))
    with pytest.raises(Refusal, match="any more"):
        lab.daybook.submit(InsertProbe(subject="12345", probe="npx_3", insertion_time=NOON))


def test_a_catalogue_inserts_no_retired_probe_and_goes_on_naming_one_that_was_inserted(lab: Lab) -> None:
    for probe in ("npx_3", PROBES[0]):
        lab.daybook.submit(RetireReferenceValue(table="reference.Probe", value=probe))
    before = lab.size()
    subject = 'subjects: [{name: "12345", probes: [{probe: %s, insertion_time: "2023-03-01 00:00:00"}]}]'
    load_catalogue(lab.daybook, subject % PROBES[0])
    with pytest.raises(Refusal, match="any more"):
        load_catalogue(lab.daybook, subject % "npx_3")
    assert lab.size() == before
