"""A name that differs only in what nobody sees is not registered beside the one that is there."""

import unicodedata

import pytest

from commands.lab.catalogue import AddReferenceValue
from commands.lab.roles import GrantRole
from commands.lab.subjects import RegisterSubject
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from tests.intake.lab import Lab, group, session


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
