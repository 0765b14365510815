"""Stage 2: what must match a table does, or a finding says where it stands and what may be meant."""

import dataclasses
from datetime import datetime
from pathlib import Path

import pytest

from commands.inputfile.check import SessionReference, check
from commands.inputfile.curation_times import doubtful_curation_time
from commands.inputfile.entries import InputFile, SessionEntry, SubjectEntry, TaskEntry
from commands.inputfile.findings import NextStep
from commands.inputfile.known import HeldLocation, Known
from commands.inputfile.read import read_input_file
from commands.recordings.roots import LocationError, Roots, normalise
from tests.stage2.conftest import LAB

FULL = """
- location: N:/new
  name: first
  experimenter: [user_1, user_2]
  room: 2.345
  project: my_project
  probe_association: {probe_1: npx_1, probe_2: npx_2}
  tasks:
    - task_type: OpenField
      arena_apparatus: 150_square
      task_start: 27
      task_stop: 1533.5
      objects:
        - {object_name: object_1, coord_x: 27, coord_y: 34}
      cue_cards:
        - {card_name: card_1, coord_x: 13, coord_y: -5}
    - task_type: SleepTask
      task_start: 1587
      task_stop: 2110
  clustering:
    - {curator: user_3, location: N:/new/clustering}
"""


def one_session(**changed):
    fields = {"location": "N:/new", "experimenter": "user_1", "tasks": "[]"} | changed
    return "- " + "\n  ".join(f"{key}: {value}" for key, value in fields.items())


def test_full_entry_with_known_values_has_no_findings(checked):
    outcome = checked(FULL)
    assert outcome.codes == []
    (session,) = outcome.result.sessions
    assert (session.location, session.duplicate_of) == ("N:/new", None)


@pytest.mark.parametrize(
    ("right", "wrong", "path", "message"),
    [
        ("[user_1, user_2]", "[user_1, user2]", "sessions[0].experimenter[1]",
         'experimenter "user2" is not in reference.Experimenter.'),
        ("[user_1, user_2]", "user2", "sessions[0].experimenter",
         'experimenter "user2" is not in reference.Experimenter.'),
        ("[user_1, user_2]", "[user2]", "sessions[0].experimenter[0]",
         'experimenter "user2" is not in reference.Experimenter.'),
        ("2.345", "2.346", "sessions[0].room", 'room "2.346" is not in reference.ExperimentRoom.'),
        ("project: my_project", "project: [my_projekt]", "sessions[0].project[0]",
         'project "my_projekt" is not in acquisition.Project.'),
        ("task_type: OpenField", "task_type: Openfield", "sessions[0].tasks[0].task_type",
         'task_type "Openfield" is not in behavior.TaskType.'),
        ("150_square", "150-square", "sessions[0].tasks[0].arena_apparatus",
         'arena_apparatus "150-square" is not in reference.ArenaApparatus.'),
        ("object_1", "object_l", "sessions[0].tasks[0].objects[0].object_name",
         'object_name "object_l" is not in reference.ArenaObject.'),
        ("card_1", "card1", "sessions[0].tasks[0].cue_cards[0].card_name",
         'card_name "card1" is not in reference.CueCard.'),
        ("curator: user_3", "curator: user3", "sessions[0].clustering[0].curator",
         'curator "user3" is not in reference.Experimenter.'),
    ],
)  # fmt: skip
def test_value_that_is_not_in_its_table_is_found_where_it_stands(checked, right, wrong, path, message):
    assert right in FULL
    finding = checked(FULL.replace(right, wrong)).only
    assert (finding.stage, finding.severity, finding.code) == (2, "error", "unknown-value")
    assert (finding.path, finding.message) == (path, message)
    assert finding.hint.startswith("Did you mean ")
    line = next(n for n, text in enumerate(FULL.splitlines(), 1) if right in text)
    assert finding.line == line + 2  # subject: and name: stand before, and the leading blank line does not


def test_value_like_no_other_may_be_proposed_and_some_are_listed(checked):
    finding = checked(one_session(experimenter="marie curie")).only
    assert "Valid are: user_1, user_2, user_3." in finding.hint
    arguments = {"reference": "reference.Experimenter", "value": "marie curie"}
    assert finding.next_steps == (NextStep("propose-value", arguments=arguments),)


def test_value_of_an_empty_table_may_be_proposed(checked):
    task = "[{task_type: OpenField, arena_apparatus: 150_square, light_level: dim}]"
    finding = checked(one_session(tasks=task)).only
    assert finding.path == "sessions[0].tasks[0].light_level"
    assert finding.hint == "behavior.TaskLightLevel has no values yet. Propose this one"
    assert finding.next_steps[0].arguments == {"reference": "behavior.TaskLightLevel", "value": "dim"}


def test_empty_catalogue_is_said_with_one_next_step_and_not_with_six(checked):
    outcome = checked(FULL, known=Known(subjects={"12345"}, probes={"npx_1"}))
    unknown = [finding for finding in outcome.result.findings if finding.code == "unknown-value"]
    assert len(unknown) > 6
    assert [finding.hint for finding in unknown if finding.hint] == [
        "The catalogue is empty: an admin loads the values of the lab first"  # which the step completes
    ]
    assert [step.action for finding in unknown for step in finding.next_steps] == ["load-catalogue"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('"user_1, user_2"', 'write a list: ["user_1", "user_2"]'),
        ('"user_1; user_2"', 'write a list: ["user_1", "user_2"]'),
        ("user_1, user2", "write a list"),
        ("name_8, name_9", 'write a list: ["name_8", "name_9"]. If it is one new name, propose it'),
    ],
)
def test_several_experimenters_in_one_text_are_asked_for_as_a_list(checked, given, words):
    assert words in checked(one_session(experimenter=given)).only.hint


def test_several_values_where_one_is_taken_are_not_advised_to_be_a_list(checked):
    hint = checked(one_session(room="'2.345, other'")).only.hint
    assert hint == "room takes one value. Keep one: 2.345"


def test_an_empty_catalogue_is_advised_once_however_often_a_value_is_repeated(checked):
    outcome = checked(
        FULL + FULL.replace("/new", "/other").replace("first", "second"), known=Known(subjects={"12345"})
    )
    unknown = [finding for finding in outcome.result.findings if finding.code == "unknown-value"]
    assert len(unknown) > 12
    assert sum(bool(finding.hint) for finding in unknown) == 1
    assert sum(len(finding.next_steps) for finding in unknown) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("USER_1", 'capitals: yours has "U", the other "u"'),
        ("user_l", 'At character 6 yours has "l" (small letter l), the other "1" (digit one).'),
        ('"us\u0435r_1"', "U+0435 (cyrillic small letter ie)"),
        ('"user\u2013_1"', ""),
        ('"us\u200ber_1"', "U+200B (zero width space), which cannot be seen"),
    ],
)
def test_texts_that_look_alike_are_told_apart(checked, given, words):
    finding = next(f for f in checked(one_session(experimenter=given)).result.findings)
    assert finding.hint.startswith('Did you mean "user_1"?')
    assert words in finding.hint


def test_text_is_compared_in_nfc_and_without_blanks_at_its_ends(checked, known):
    accented = dataclasses.replace(
        known, reference={**known.reference, "reference.Experimenter": {"Se\u0301bastien"}}
    )
    for given in ('"S\u00e9bastien"', '"Se\u0301bastien"', '" Se\u0301bastien\u00a0"'):
        assert checked(one_session(experimenter=given), known=accented).codes == []


def test_retired_value_is_said_to_be_retired(checked):
    finding = checked(one_session(experimenter="user_0")).only
    assert finding.code == "retired-value"
    assert finding.message == 'experimenter "user_0" was retired from reference.Experimenter.'


def test_every_wrong_value_of_every_entry_is_reported(checked):
    outcome = checked(
        FULL.replace("user_1", "x1").replace("2.345", "x2")
        + one_session(location="n:/new", experimenter="x3")
    )
    assert outcome.places == [
        ("unknown-value", "sessions[0].experimenter[0]"),
        ("unknown-value", "sessions[0].room"),
        ("duplicate-location", "sessions[1].location"),
        ("unknown-value", "sessions[1].experimenter"),
    ]


def test_arena_is_needed_unless_the_task_type_is_registered_without(checked):
    finding = checked(one_session(tasks="[{task_type: SleepTask}, {task_type: OpenField}]")).only
    assert (finding.code, finding.path) == ("missing-arena", "sessions[0].tasks[1]")
    assert checked(one_session(tasks="[{task_type: Unheard}]")).codes == ["unknown-value"]


def test_probe_must_be_registered_and_inserted_in_this_subject(checked):
    outcome = checked(one_session(probe_association="{a: npx_1, b.c: npx_3, c: npx_9}"))
    inserted, unknown = outcome.result.findings
    assert (inserted.code, inserted.path) == ("probe-not-inserted", 'sessions[0].probe_association["b.c"]')
    assert inserted.message == 'probe "npx_3" is not inserted in subject 12345.'
    assert (unknown.code, unknown.message) == ("unknown-value", 'probe "npx_9" is not in reference.Probe.')


def test_subject_must_be_registered(checked):
    finding = checked(name="12347").only
    assert (finding.code, finding.path, finding.line) == ("unknown-subject", "subject.name", 2)
    assert finding.hint.startswith("Did you mean")
    assert checked(name="q").only.next_steps == (NextStep("register-subject", arguments={"subject": "q"}),)


def test_subject_needs_a_probe_once_there_is_something_new(checked, known):
    bare = dataclasses.replace(known, probes=frozenset())
    assert checked(one_session(), known=bare).codes == ["no-probe-inserted"]
    assert checked(known=bare).codes == ["no-probe-inserted"]


def test_where_no_probe_is_inserted_that_is_said_once_and_not_of_each(checked, known):
    bare = dataclasses.replace(known, probes=frozenset())
    probe = min(known.reference["reference.Probe"])

    assert checked(one_session(probe_association={"probe_1": probe}), known=bare).codes == [
        "no-probe-inserted"
    ]
    assert checked(one_session(location="N:/old"), known=bare).codes == []


def test_held_location_is_a_duplicate_whose_values_are_not_checked(checked):
    def find(location):
        raise AssertionError("looked at the disk")

    entry = one_session(
        location=r"n:\old",
        experimenter="long_gone",
        probe_association="{a: gone}",
        tasks="[{task_type: Gone, task_start: 9, task_stop: 3}]",
    )
    outcome = checked(entry, find=find)
    assert outcome.codes == []
    (session,) = outcome.result.sessions
    assert (session.location, session.duplicate_of) == ("N:/old", 7)


def test_location_held_by_another_user_is_a_duplicate_too(checked):
    outcome = checked(one_session(location="N:/theirs"))
    assert outcome.codes == []
    (session,) = outcome.result.sessions
    assert session.duplicate_of == 9


@pytest.mark.parametrize("again", [r"n:\new", "n:/./new", "/mnt/N/new"])
def test_one_location_in_two_spellings_in_one_file_is_an_error(checked, again):
    outcome = checked(one_session() + "\n" + one_session(location=again))
    assert outcome.places == [("duplicate-location", "sessions[1].location")]
    assert 'sessions[0] too, which has it as "N:/new"' in outcome.only.message


def test_two_spellings_of_a_held_location_are_an_error_too(checked):
    outcome = checked(one_session(location="N:/old") + "\n" + one_session(location="/mnt/N/old"))
    assert outcome.places == [("duplicate-location", "sessions[1].location")]


def test_problem_on_disk_is_a_finding_at_the_location(checked):
    def find(location):
        if location.endswith("clustering"):
            raise LocationError("location-not-found", f"{location} is missing.", "Look again.")

    finding = checked(FULL, find=find).only
    assert (finding.code, finding.path) == ("location-not-found", "sessions[0].clustering[0].location")
    assert (finding.message, finding.hint) == ("N:/new/clustering is missing.", "Look again.")


def test_real_directories_are_looked_for(checked, tmp_path):
    (tmp_path / "new").mkdir()
    roots = Roots.of({"N:": [str(tmp_path)]})
    assert checked(one_session(), roots=roots, find=None).codes == []
    assert checked(one_session(location="N:/gone"), roots=roots, find=None).codes == ["location-not-found"]


def test_location_outside_the_roots_does_not_hide_the_entry_s_other_findings(checked):
    outcome = checked(one_session(location="/elsewhere/a", experimenter="x"))
    assert outcome.places == [
        ("location-outside-roots", "sessions[0].location"),
        ("unknown-value", "sessions[0].experimenter"),
    ]
    assert outcome.result.sessions == ()


@pytest.mark.parametrize(
    ("times", "places"),
    [
        ([(0, 10), (10, 20)], []),
        ([(10, 20), (0, 10)], []),
        ([("true", 10), (5, 20)], []),
        ([(0, "true"), (5, 20)], []),
        ([(0, 0)], [("task-stops-before-it-starts", "sessions[0].tasks[0].task_stop")]),
        ([(10, 3)], [("task-stops-before-it-starts", "sessions[0].tasks[0].task_stop")]),
        ([(0, 10), (9.5, 20)], [("tasks-overlap", "sessions[0].tasks[1].task_start")]),
        ([(9.5, 20), (0, 10)], [("tasks-overlap", "sessions[0].tasks[0].task_start")]),
        ([(0, 99), (9, 20)], [("tasks-overlap", "sessions[0].tasks[1].task_start")]),
    ],
)  # fmt: skip
def test_tasks_stop_after_they_start_and_do_not_overlap(checked, times, places):
    tasks = ", ".join(f"{{task_type: SleepTask, task_start: {a}, task_stop: {b}}}" for a, b in times)
    outcome = checked(one_session(tasks=f"[{tasks}]"))
    assert outcome.places == places
    assert all(finding.stage == 1 for finding in outcome.result.findings)


def test_task_is_compared_with_the_longest_before_it(checked):
    times = [(0, 100), (10, 20), (50, 60)]
    tasks = ", ".join(f"{{task_type: SleepTask, task_start: {a}, task_stop: {b}}}" for a, b in times)
    outcome = checked(one_session(tasks=f"[{tasks}]"))
    assert [path for _, path in outcome.places] == [f"sessions[0].tasks[{i}].task_start" for i in (1, 2)]
    assert all(
        "tasks[0] (SleepTask) stops at 100 s" in finding.message for finding in outcome.result.findings
    )


def group(**changed):
    fields = {
        "curator": "user_1",
        "location": "N:/msc",
        "group_name": "12345_msc_2",
        "sessions": "[first, 2023-05-02 10:12:50]",
    } | changed
    return "- " + "\n  ".join(f"{key}: {value}" for key, value in fields.items())


def test_sessions_of_a_group_are_found_by_name_and_by_time(checked):
    outcome = checked(FULL, group())
    assert outcome.codes == []
    (clustering,) = outcome.result.clusterings
    assert (clustering.location, clustering.duplicate_of) == ("N:/msc", None)
    assert clustering.sessions == (SessionReference(None, 0), SessionReference(8, None))


def test_name_of_a_duplicate_session_is_the_session_already_there(checked):
    outcome = checked(one_session(location="N:/old", name="first"), group())
    assert outcome.codes == []
    assert outcome.result.clusterings[0].sessions[0] == SessionReference(7, None)


def test_name_and_time_of_one_session_are_not_two_sessions(checked):
    old = one_session(location="N:/old", name="first")
    finding = checked(old, group(sessions="[first, 2023-05-01 10:00:00]")).only
    assert (finding.code, finding.path) == ("repeated-session", "clustering[0].sessions[1]")
    assert "are one session, s7" in finding.message


def test_unknown_session_of_a_group_is_told_by_what_it_looks_like(checked):
    outcome = checked(FULL, group(sessions="[fist, 2023-05-02 10:12:05]"))
    name, moment = outcome.result.findings
    assert (name.code, name.path) == ("unknown-session", "clustering[0].sessions[0]")
    assert name.hint == 'Did you mean "first"?'
    assert moment.message == 'session "2023-05-02 10:12:05" is not a session_time of subject 12345.'
    assert moment.hint == 'Did you mean "2023-05-02 10:12:50"?'
    assert (
        "No session of this file has a name" in checked("", group(sessions="[a, b]")).result.findings[0].hint
    )


def test_name_of_a_session_with_an_error_is_not_unknown(checked):
    broken = FULL.replace("tasks:", "task:")
    assert checked(broken, group()).codes == []
    assert checked(FULL.replace("N:/new\n", "/out\n"), group()).codes == ["location-outside-roots"]


def test_group_held_by_the_subject_is_a_duplicate_and_not_checked(checked):
    entry = group(group_name="12345_msc_1", curator="gone", location="/out", sessions="[x, y]")
    outcome = checked("", entry)
    assert outcome.codes == []
    assert outcome.result.clusterings[0].duplicate_of == 31


def test_group_held_by_another_subject_is_an_error(checked):
    finding = checked(FULL, group(group_name="12346_msc_1")).only
    assert (finding.code, finding.path) == ("group-name-of-another-subject", "clustering[0].group_name")
    assert "clustering c32 of subject 12346" in finding.message


def test_group_s_values_and_location_are_checked(checked):
    outcome = checked(FULL, group(curator="user1", location="relative/path"))
    assert outcome.places == [
        ("unknown-value", "clustering[0].curator"),
        ("location-not-absolute", "clustering[0].location"),
    ]


def test_findings_are_in_the_order_of_the_file(checked):
    outcome = checked(one_session(experimenter="x", location="/out"), group(curator="x"), name="99")
    assert outcome.codes == ["unknown-subject", "location-outside-roots", "unknown-value", "unknown-value",
                             "unknown-session"]  # fmt: skip
    lines = [finding.line for finding in outcome.result.findings]
    assert lines == sorted(lines)


def test_messages_hold_no_control_characters_and_stay_short(checked):
    outcome = checked(one_session(experimenter='"' + "x" * 5000 + '"', room='"a\u200bb"'))
    for finding in outcome.result.findings:
        assert finding.message.isprintable()
        assert len(str(finding)) < 500


def sessions(count, experimenter="user_1"):
    tasks = (
        TaskEntry("OpenField", "150_square", 0.0, 10.0),
        TaskEntry("SleepTask", None, 10.0, 20.0),
        TaskEntry("OpenField", "150_square"),
    )
    return tuple(
        SessionEntry(
            i, f"N:\\my_project\\12345\\date_{i}", (experimenter.format(i),), tasks, name=f"name_{i}"
        )
        for i in range(count)
    )


@pytest.mark.parametrize(
    ("experimenter", "held", "findings"),
    [
        ("user_1", False, 0),
        ("user_1", True, 0),
        ("user1", False, 10_000),
        ("us{}", False, 10_000),
    ],
    ids=["new", "duplicates", "one wrong value", "different wrong values"],
)
def test_each_of_ten_thousand_sessions_gets_its_findings(known, experimenter, held, findings):
    roots = Roots.of({"N:": ["/mnt/N"]})
    entries = sessions(10_000, experimenter)
    locations = {
        normalise(entry.location, roots): HeldLocation(entry.index, "user_1", "inserted") for entry in entries
    }
    if held:
        known = dataclasses.replace(known, locations=locations)
    result = check(
        InputFile(SubjectEntry("12345"), entries),
        known,
        roots,
        position=lambda path: (1, 1),
        find=lambda location: None,
    )
    errors = sum(finding.severity == "error" for finding in result.findings)
    assert errors == min(findings, 1_000)
    assert errors + result.more.errors == findings
    assert len(result.more.placed) == result.more.errors


def test_a_clustering_that_is_listed_twice_in_a_session_is_told(checked):
    text = FULL.replace(
        "    - {curator: user_3, location: N:/new/clustering}\n",
        "    - {curator: user_3, location: N:/new/clustering}\n"
        "    - {curator: user_3, location: 'N:\\new\\clustering\\'}\n",
    )
    finding = checked(text).only
    assert (finding.code, finding.path) == ("duplicate-location", "sessions[0].clustering[1].location")


def test_nothing_known_is_a_finding_for_each_value_and_never_a_crash(checked):
    outcome = checked(FULL, group(), known=Known())
    assert set(outcome.codes) == {"unknown-subject", "unknown-value", "unknown-session"}
    without = [finding.code for finding in outcome.result.findings if not finding.hint]
    assert set(without) == {"unknown-value"} and len(without) == outcome.codes.count("unknown-value") - 1


@pytest.mark.parametrize(
    ("field", "value", "longer", "path"),
    [
        ("location", "N:/run", "N:/run #2", "sessions[0].location"),
        ("experimenter", "user_1", "user_1 #2", "sessions[0].experimenter"),
        ("experimenter", "user_1", "user_1 # two", "sessions[0].experimenter"),
        ("room", "2.345", "2.345 #2", "sessions[0].room"),
    ],
)
def test_value_that_was_cut_at_a_comment_is_an_error_where_the_longer_one_exists(
    known, field, value, longer, path
):
    tables = {"experimenter": "reference.Experimenter", "room": "reference.ExperimentRoom"}
    table = tables.get(field)
    if table:
        known = dataclasses.replace(
            known, reference={**known.reference, table: {*known.reference[table], longer}}
        )
    fields = {"location": "N:/new", "experimenter": "user_1", "tasks": "[]"} | {field: longer}
    text = "subject: {name: 12345}\nsessions:\n- " + "\n  ".join(f"{k}: {v}" for k, v in fields.items())
    there = {"N:/new", "N:/run", "N:/run #2"}

    def find(location):
        if location not in there:
            raise LocationError("location-not-found", f"{location} is missing.", "")

    def codes():
        read = read_input_file(text.encode(), filename="a.yml")
        result = check(read.input_file, known, LAB, position=read.position, find=find, cut=read.cut)
        return [(f.severity, f.code, f.path) for f in result.findings]

    assert codes() == [("error", "cut-at-comment", path)]
    known = dataclasses.replace(
        known, reference={**known.reference, **({table: {value, "user_1"}} if table else {})}
    )
    there.discard("N:/run #2")
    assert codes() == []


def test_group_name_that_looks_like_one_that_is_there_is_an_error(checked, known):
    alike = dataclasses.replace(known, similar_groups={"12345_msc_2": "12345_MSC_2"})
    sessions = "[2023-05-01 10:00:00, 2023-05-02 10:12:50]"
    finding = checked(clustering=group(sessions=sessions), known=alike).only
    assert (finding.code, finding.path) == ("look-alike-name", "clustering[0].group_name")
    assert "capitals" in finding.hint


@pytest.mark.parametrize(
    ("curated", "code"),
    [
        ("2023-05-03 00:00:00", None),
        ("2023-05-02 00:00:00", "curation-before-recording"),
        ("2032-05-03 00:00:00", "curation-in-the-future"),
    ],
)
def test_curation_time_before_its_recordings_or_in_the_future_is_a_warning(known, curated, code):
    sessions = "[2023-05-01 10:00:00, 2023-05-02 10:12:50]"
    text = "subject: {name: 12345}\nclustering:\n" + group(sessions=sessions, curation_time=curated)
    read = read_input_file(text.encode(), filename="a.yml")
    result = check(read.input_file, known, LAB, position=read.position, find=Path, now=datetime(2026, 1, 1))
    assert [(f.severity, f.code) for f in result.findings] == ([("warning", code)] if code else [])


def test_curation_time_is_compared_with_the_last_of_its_recordings():
    recordings = [("a", datetime(2023, 1, 1)), ("b", datetime(2023, 1, 3))]
    said = doubtful_curation_time("2023-01-02 00:00:00", now=None, recordings=recordings)
    assert said is not None
    assert "before b was recorded (2023-01-03 00:00:00)" in said[1]
    assert doubtful_curation_time("2023-01-04 00:00:00", now=None, recordings=recordings) is None
    assert doubtful_curation_time("2099-01-04 00:00:00", now=None, recordings=[]) is None
