"""Of many findings the first keep their text, the next their place, and the rest is counted; errors go first."""

import json
from dataclasses import asdict

import pytest

from commands.inputfile.findings import Finding, NextStep, finding_of
from commands.inputfile.kept_findings import Gathered, MoreFindings, PlacedFinding, kept
from commands.inputfile.limits import Limits
from commands.inputfile.read import read_input_file

FEW = Limits(findings=3, placed_findings=5)


def finding(severity, line, code="a-code"):
    return Finding(2, severity, code, "a", line, 1, "It is wrong.")


def test_findings_within_the_limit_are_kept_as_they_are():
    told, more = kept([finding("notice", 2), finding("error", 1)], limits=FEW)
    assert [f.line for f in told] == [1, 2]
    assert more == MoreFindings()


def test_errors_keep_their_text_before_warnings_and_notices():
    given = [
        *(finding("notice", line) for line in range(1, 4)),
        *(finding("error", line) for line in range(11, 14)),
    ]
    told, more = kept(given, limits=FEW)
    assert [(f.severity, f.line) for f in told] == [
        ("error", 11),
        ("error", 12),
        ("error", 13),
        ("notice", None),
    ]
    assert told[-1].message == "3 more findings of this file are not shown: 3 notices."
    assert more.placed == (PlacedFinding("notice", "a-code", 1, 1), PlacedFinding("notice", "a-code", 2, 1))
    assert (more.errors, more.warnings, more.notices) == (0, 0, 3)


def test_stages_are_put_together_and_what_each_left_out_is_counted_once():
    first, more_of_first = kept([finding("error", line) for line in range(1, 5)], limits=FEW)
    second, more_of_second = kept([finding("warning", line) for line in range(1, 8)], limits=FEW)
    told, more = kept([*first, *second], [more_of_first, more_of_second], limits=FEW)
    assert [f.severity for f in told] == ["error"] * 3 + ["notice"]
    assert (more.errors, more.warnings, more.notices, more.total) == (1, 7, 0, 8)
    assert [f.severity for f in more.placed] == ["error", "warning"]


def test_no_more_is_held_while_findings_come_in_than_is_kept():
    gathered, asked = Gathered(FEW), []
    for line in range(1, 1_001):
        gathered.add(finding("error", None, f"c{line}"), lambda path: asked.append(path) or (7, 8))
    told, more = gathered.kept()
    assert [f.code for f in told] == ["c1", "c2", "c3", "more-findings"]
    assert [(f.code, f.line, f.column) for f in more.placed] == [("c4", 7, 8), ("c5", 7, 8)]
    assert more.errors == 997
    assert len(asked) == 5


@pytest.mark.parametrize("filename", ["a.yml", "a.json"])
def test_ten_thousand_findings_of_a_file_are_placed_and_the_rest_is_counted(filename):
    text = json.dumps({"subject": {"name": "a"}, "sessions": [1] * 12_000})
    result = read_input_file(text.encode(), filename=filename)
    assert [f.code for f in result.findings] == ["wrong-type"] * 1_000 + ["more-findings"]
    assert len(result.more.placed) == 9_000
    assert result.more.errors == 11_000
    last = result.more.placed[-1]
    assert (last.code, last.line, last.column) == ("wrong-type", 1, text.index("[") + 2 + 3 * 9_999)


def test_errors_are_kept_although_a_thousand_warnings_come_before_them():
    sessions = [
        {"location": f"N:/{n}", "experimenter": "user_1", "tasks": [], "room": "2 ", "notes": "a"}
        for n in range(1_200)
    ]
    text = json.dumps({"subject": {"name": "a"}, "sessions": [*sessions, 5]})
    result = read_input_file(text.encode(), filename="a.json")
    assert [f.path for f in result.findings if f.severity == "error"] == ["sessions[1200]"]
    assert result.more.warnings == 201


def test_finding_with_next_steps_survives_json():
    step = NextStep("propose-value", arguments={"reference": "reference.Probe", "value": "it's"})
    given = Finding(2, "error", "a-code", "a", 1, 1, "It is wrong.", next_steps=(step,))
    assert finding_of(json.loads(json.dumps(asdict(given)))) == given


def test_finding_of_an_older_event_has_no_next_steps():
    plain = asdict(finding("error", 1))
    del plain["next_steps"]
    assert finding_of(plain).next_steps == ()
