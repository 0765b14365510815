"""A name that differs only in what nobody sees is not registered beside the one that is there."""

import re
import shutil
import unicodedata

import pytest

from commands.door.submit import Daybook
from commands.intake.validation import validate
from commands.lab.catalogue import AddReferenceValue
from commands.lab.roles import GrantRole
from commands.lab.subjects import RegisterSubject
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from tests.intake.lab import Lab, document, group, session


def added(lab: Lab, value: str) -> int:
    return lab.daybook.submit(AddReferenceValue(table="reference.Experimenter", value=value)).result.added


def test_a_value_is_refused_beside_one_that_looks_alike_which_is_named(lab: Lab) -> None:
    for alike in ("User_1", "USER_1"):
        with pytest.raises(Refusal, match='looks like "user_1"'):
            added(lab, alike)


def test_blanks_at_the_ends_and_the_way_of_encoding_make_no_other_value(lab: Lab) -> None:
    name = "Jos\u00e9"
    assert added(lab, name) == 1
    assert added(lab, f" {unicodedata.normalize('NFD', name)} ") == 0


def test_subjects_and_users_are_told_apart_too(lab: Lab) -> None:
    lab.daybook.submit(RegisterSubject(name="Rat_1"))
    lab.daybook.submit(GrantRole(user="user_9", role="auditor"))

    with pytest.raises(Refusal, match="looks like"):
        lab.daybook.submit(RegisterSubject(name="rat_1"))
    with pytest.raises(Refusal, match="looks like"):
        lab.daybook.submit(GrantRole(user="User_9", role="auditor"))


def test_a_group_name_that_looks_like_a_held_one_is_an_error(lab: Lab) -> None:
    names = lab.record_many(2)
    kilosort_output(lab.share.parent / "joint" / "g")
    entries = [session(name, name=name) for name in names]
    lab.upload(*entries, clustering=[group("g", names)])

    refused = lab.upload(*entries, clustering=[group("G", names, location="N:/joint/g")])

    [error] = [finding for finding in refused.findings if finding.severity == "error"]
    assert error.code == "look-alike-name" and '"g"' in error.message


@pytest.mark.parametrize("alike", ["User_3", "USER_3", "user\u200b_3", "User_1", "Everyone"])
def test_nobody_new_acts_under_a_name_that_looks_like_one_that_is_there(lab: Lab, alike: str) -> None:
    """user_3 is an experimenter and never acted, user_1 an admin."""
    lab.record("date_1")
    data, before = document(session("date_1")), lab.size()
    for act in (lambda: lab.upload_bytes(data, user=alike), lambda: added_by(lab.as_user(alike))):
        with pytest.raises(Refusal) as refused:
            act()
        assert refused.value.code in ("look-alike", "user-name")
    assert lab.size() == before
    assert lab.upload_bytes(data, user="user_3").ok


def added_by(daybook: Daybook) -> None:
    daybook.submit(AddReferenceValue(table="reference.Experimenter", value="user_5"))


def test_an_actor_is_one_person_however_the_name_is_encoded(lab: Lab) -> None:
    lab.record("date_1")
    name = "Jos\u00e9"
    assert added(lab, name) == 1
    data = document(session("date_1", experimenter=name))
    report = lab.upload_bytes(data, user=f" {unicodedata.normalize('NFD', name)} ")
    assert report.ok and report.username == name
    again = lab.upload_bytes(data, user=name)
    assert [f.code for f in again.findings] == []  # not another person's
    with pytest.raises(Refusal, match='looks like "Jos\u00e9"'):
        lab.upload_bytes(data, user="jos\u00e9")


def test_who_acted_under_a_name_before_another_like_it_came_goes_on(lab: Lab) -> None:
    lab.record("date_1")
    assert lab.upload(session("date_1"), user="rig_1").ok
    with pytest.raises(Refusal, match='looks like "rig_1"'):
        lab.upload(session("date_1"), user="Rig_1")
    added(lab, "Rig_1")
    assert lab.upload(session("date_1"), user="rig_1").ok


# --- cut where a comment begins -----------------------------------------------------------------------------


def bare(data: bytes) -> bytes:
    """The same file without quotes around what holds a #."""
    return re.sub(rb"'([^'\n]* #[^'\n]*)'", rb"\1", data)


def errors(lab: Lab, data: bytes) -> list[tuple[str, str]]:
    checked = validate(lab.daybook, data, filename="12345.yml", roots=lab.roots)
    return [(f.code, f.path) for f in checked.findings if f.severity == "error"]


@pytest.mark.parametrize("held", [["g #1"], ["g", "g #1"]])
def test_a_cut_group_name_is_an_error_where_the_whole_one_is_held(lab: Lab, held: list[str]) -> None:
    names = lab.record_many(2)
    for name in held:
        kilosort_output(lab.share.parent / "joint" / name)
    entries = [session(name, name=name) for name in names]
    groups = [group(name, names) for name in held]
    assert lab.upload(*entries, clustering=groups).ok

    again = document(*entries, clustering=[group("g #1", names, location="N:/joint/g")])
    (lab.share.parent / "joint" / "g").mkdir(exist_ok=True)

    assert errors(lab, bare(again)) == [("cut-at-comment", "clustering[0].group_name")]
    assert errors(lab, again) == []  # in quotes it is known


def test_a_cut_location_is_an_error_though_what_is_left_of_it_is_held(lab: Lab) -> None:
    lab.record("run")
    lab.upload(session("run"))
    data = document(session("run"), session("run #2"))
    lab.record("run #2", day=1)

    assert errors(lab, data) == []
    assert errors(lab, bare(document(session("run #2")))) == [("cut-at-comment", "sessions[0].location")]
    shutil.rmtree(lab.share / "run #2")
    assert errors(lab, bare(document(session("run #2")))) == []  # nothing else than the held one can be meant


def test_a_cut_location_of_a_held_group_is_an_error_where_the_whole_one_is_there(lab: Lab) -> None:
    names = lab.record_many(2)
    for folder in ("sorting", "sorting #2"):
        kilosort_output(lab.share.parent / "joint" / folder)
    entries = [session(name, name=name) for name in names]
    lab.upload(*entries, clustering=[group("g", names, location="N:/joint/sorting")])

    data = document(*entries, clustering=[group("g", names, location="N:/joint/sorting #2")])

    assert errors(lab, bare(data)) == [("cut-at-comment", "clustering[0].location")]


@pytest.mark.parametrize("field", ["curator", "location"])
def test_a_cut_curator_or_location_of_a_listed_clustering_is_an_error_where_the_whole_one_is_there(
    lab: Lab, field: str
) -> None:
    lab.record("date_1")
    for folder in ("sorting", "sorting #2"):
        kilosort_output(lab.share / folder)
    added(lab, "user_1 #2")
    listed = {"curator": "user_1", "location": "N:/rec/sorting"}
    listed[field] += " #2"

    data = bare(document(session("date_1", clustering=[listed])))

    assert errors(lab, data) == [("cut-at-comment", f"sessions[0].clustering[0].{field}")]
