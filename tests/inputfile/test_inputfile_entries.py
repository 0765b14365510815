"""Keys, entries and what must not come twice: each finding with its place, and what is handed on."""

import pytest

from commands.inputfile.entries import InputFile
from commands.inputfile.findings import Finding
from commands.inputfile.limits import Limits
from commands.inputfile.read import ReadResult, read_input_file, read_tasks
from tests.inputfile.documents import EXAMPLE_JSON, EXAMPLE_YAML, with_changes


def read(text: str) -> ReadResult:
    return read_input_file(text.encode(), filename="a.yml")


def told(result: ReadResult) -> list[tuple[str, str, int | None, int | None]]:
    return [(f.code, f.path, f.line, f.column) for f in result.findings if f.severity == "error"]


def test_example_is_read_into_every_field() -> None:
    result = read(EXAMPLE_YAML)

    assert isinstance(result.input_file, InputFile)
    assert result.stage == 1
    session = result.input_file.sessions[0]
    assert result.input_file.subject.name == "12345"
    assert session.experimenter == ("user_1", "user_2")
    assert session.project == ("my_project",)
    assert session.probe_association == {"probe_1": "npx_1_18408403232", "probe_2": "npx_1_18408405241"}
    assert session.tasks[0].objects[0].coord_y == 34.0
    assert session.tasks[0].cue_cards[0].note is None
    assert session.tasks[0].curtains[0].coverage == 25.0
    assert session.tasks[1].arena_apparatus is None
    assert session.clustering[0].curation_time == "2023-04-05 12:13:14"  # type: ignore[index]
    assert result.input_file.sessions[1].clustering is False
    assert result.input_file.sessions[1].index == 1
    assert result.input_file.clustering[0].curation_time is True
    assert result.findings == ()


def test_example_in_json_is_the_same_document() -> None:
    assert (
        read_input_file(EXAMPLE_JSON.encode(), filename="a.json").input_file == read(EXAMPLE_YAML).input_file
    )


def test_defaults_apply_where_keys_are_left_out() -> None:
    result = read(
        "subject: {name: x}\nsessions:\n- {location: a, experimenter: b, tasks: [{task_type: t}]}\n"
    )
    assert result.input_file is not None
    session = result.input_file.sessions[0]
    assert (session.clustering, session.room, session.project, session.probe_association) == (
        None,
        None,
        (),
        None,
    )
    assert (session.tasks[0].task_start, session.tasks[0].task_stop, session.tasks[0].notes) == (
        True,
        True,
        None,
    )
    assert result.input_file.subject.datasource_id == 0
    assert result.input_file.clustering == ()


def test_unknown_key_is_told_at_the_key_with_the_key_that_was_meant() -> None:
    result = read(with_changes(EXAMPLE_YAML, ("    room:", "    rom:")))
    (finding,) = result.findings
    assert (finding.code, finding.path, finding.line, finding.column) == (
        "unknown-key",
        "sessions[0].rom",
        10,
        5,
    )
    assert finding.hint == 'Did you mean "room"?'


def test_key_of_another_level_is_sent_home() -> None:
    result = read(with_changes(EXAMPLE_YAML, ("    room:", "    coverage:")))
    assert result.findings[0].hint == "It belongs to a curtain."


def test_missing_key_is_told_at_its_mapping_and_what_is_expected() -> None:
    result = read(with_changes(EXAMPLE_YAML, ("    experimenter: user_1\n", "")))
    (finding,) = result.findings
    assert (finding.code, finding.path, finding.line, finding.column) == ("missing-key", "sessions[1]", 44, 5)
    assert "needs the key experimenter" in finding.message
    assert "reference.Experimenter" in finding.hint


def test_misspelt_required_key_is_one_finding_and_not_two() -> None:
    result = read(with_changes(EXAMPLE_YAML, ("    experimenter: user_1\n", "    experimentr: user_1\n")))
    assert [(f.code, f.hint) for f in result.findings] == [("unknown-key", 'Did you mean "experimenter"?')]


def test_null_of_each_kind_is_an_error_at_the_value() -> None:
    changes = (
        ("room: 2.345", "room:"),
        ("project: my_project", "project: null"),
        ("light_level: dim", "light_level: ~"),
    )
    result = read(with_changes(EXAMPLE_YAML, *changes))
    assert told(result) == [
        ("no-value", "sessions[0].room", 10, 10),
        ("no-value", "sessions[0].project", 11, 14),
        ("no-value", "sessions[0].tasks[0].light_level", 22, 22),
    ]
    assert "reference.ExperimentRoom" in result.findings[0].message
    assert "optional" in result.findings[0].hint


def test_every_error_of_a_file_is_found_and_the_sound_entries_are_handed_on() -> None:
    result = read(
        with_changes(
            EXAMPLE_YAML,
            ("task_start: 27", "task_start: soon"),
            ("coord_x: 27", "coord_x: [1]"),
            ("curator: user_1", "curater: user_1"),
            ("group_name: 12345_msc_0001", f"group_name: {'g' * 65}"),
        )
    )
    assert [(code, path) for code, path, _, _ in told(result)] == [
        ("wrong-type", "sessions[0].tasks[0].task_start"),
        ("wrong-type", "sessions[0].tasks[0].objects[0].coord_x"),
        ("unknown-key", "sessions[0].clustering[0].curater"),
        ("group-name-too-long", "clustering[0].group_name"),
    ]
    assert result.input_file is not None
    assert [session.index for session in result.input_file.sessions] == [1]
    assert result.input_file.clustering == ()
    assert result.left_out_names == {"12345_1"}


def test_unusable_subject_leaves_nothing_to_hand_on() -> None:
    for text in (
        "sessions: []\n",
        "subject: 5\n",
        "subject: {name: [a]}\n",
        "subject: {name: x, datasource_id: 1}\n",
    ):
        result = read(text)
        assert (result.stage, result.input_file) == (1, None)
        assert [f.severity for f in result.findings] == ["error"]


@pytest.mark.parametrize(
    "second",
    [
        "N:/my_project/recordings/12345/date_1",
        "N:/my_project/recordings/12345/date_1/",
        r"N:\my_project\recordings//12345\date_1",
    ],
)
def test_location_twice_in_one_file_is_an_error_however_its_slashes_lie(second: str) -> None:
    changed = with_changes(EXAMPLE_YAML, ('"N:/my_project/recordings/12345/date_2"', f"'{second}'"))
    assert told(read(changed)) == [("duplicate-location", "sessions[1].location", 44, 15)]


def test_location_in_other_case_is_another_location() -> None:
    changed = with_changes(EXAMPLE_YAML, ("12345/date_2", "12345/DATE_1"))
    assert told(read(changed)) == []


def test_name_twice_in_one_file_is_an_error() -> None:
    changed = with_changes(EXAMPLE_YAML, ('"12345_2"', '"12345_1"'))
    assert told(read(changed)) == [("duplicate-name", "sessions[1].name", 45, 11)]


@pytest.mark.parametrize("name", ["2023-05-01 10:00:00", "2023-05-01T10:00", "2023-05-01 10:00:00Z"])
def test_name_that_looks_like_a_date_time_is_an_error(name: str) -> None:
    changed = with_changes(EXAMPLE_YAML, ('"12345_2"', name))
    assert told(read(changed)) == [("name-looks-like-date-time", "sessions[1].name", 45, 11)]


def test_group_name_twice_in_one_file_is_an_error() -> None:
    again = EXAMPLE_YAML.partition("clustering:\n  - curator: user_3")[2]
    result = read(EXAMPLE_YAML + "  - curator: user_3" + again)
    assert [(code, path) for code, path, _, _ in told(result)] == [
        ("duplicate-group-name", "clustering[1].group_name")
    ]


@pytest.mark.parametrize("sessions", ["[a]", "[]", "a", "{a: b}", "[a, a]", "[a, null]"])
def test_group_needs_two_or_more_different_sessions(sessions: str) -> None:
    head, _, _ = EXAMPLE_YAML.partition("    sessions:\n")
    assert len(told(read(f"{head}    sessions: {sessions}\n"))) == 1 + (sessions == "")


@pytest.mark.parametrize("text", [EXAMPLE_YAML, EXAMPLE_JSON])
def test_position_of_a_path_is_that_of_its_value(text: str) -> None:
    result = read_input_file(text.encode())
    lines = text.splitlines()
    for path, source in {
        "subject.name": "12345",
        "sessions[0].experimenter[1]": "user_2",
        "sessions[0].tasks[0].curtains[0].direction": '"clockwise"',
        "sessions[0].probe_association.probe_2": "npx_1_18408405241",
        "sessions[1].clustering": "no",
        "clustering[0].sessions[1]": "2023-05-01 10:00:00",
    }.items():
        found = result.position(path)
        assert found is not None
        line, column = found
        given = lines[line - 1][column - 1 :].replace('"', "").replace("false", "no")
        assert given.startswith(source.replace('"', "")), path
    assert result.position("sessions[1].room") == result.position("sessions[1]")
    assert result.position("") == (1, 1)


def test_key_twice_is_told_at_the_second_one() -> None:
    yaml_text = with_changes(EXAMPLE_YAML, ("    room: 2.345\n", "    room: 2.345\n    room: 3\n"))
    json_text = with_changes(
        EXAMPLE_JSON, ('      "room": 2.345,\n', '      "room": 2.345,\n      "room": 3,\n')
    )
    assert told(read(yaml_text)) == [("duplicate-key", "sessions[0].room", 11, 5)]
    assert told(read_input_file(json_text.encode())) == [("duplicate-key", "sessions[0].room", 9, 7)]


def test_key_that_plain_yaml_reads_as_something_else_is_kept_with_a_warning() -> None:
    result = read(with_changes(EXAMPLE_YAML, ("probe_1: npx", "0x1: npx")))
    assert result.input_file is not None
    assert list(result.input_file.sessions[0].probe_association or ()) == ["0x1", "probe_2"]
    assert [f.code for f in result.findings] == ["plain-scalar"]


def test_merge_key_gives_what_the_mapping_does_not_give_itself() -> None:
    text = """\
subject: {name: x}
sessions:
  - &first
    location: a
    experimenter: [user_1]
    tasks: [&task {task_type: OpenField, task_start: 1, task_stop: 2}]
  - <<: *first
    location: b
    tasks: [{<<: *task, task_stop: 3}]
"""
    result = read(text)
    assert result.input_file is not None
    second = result.input_file.sessions[1]
    assert (second.location, second.experimenter, second.tasks[0].task_stop) == ("b", ("user_1",), 3.0)
    assert [(f.severity, f.code, f.line) for f in result.findings] == [("warning", "merge-key", 7)]


def test_blank_missing_after_a_colon_is_told_where_the_file_parses_all_the_same() -> None:
    (finding,) = read("subject:\n  name:12345\n").findings
    assert finding.hint == 'A blank is missing after the colon: "name: 12345".'


@pytest.mark.parametrize(
    "text",
    [
        "- task_type: A\n  task_start: 1\n",
        "tasks:\n- task_type: A\n  task_start: 1\n",
        '[{"task_type": "A", "task_start": 1}]',
    ],
)
def test_tasks_alone_are_a_list_or_a_mapping_with_the_key_tasks(text: str) -> None:
    tasks, findings = read_tasks(text.encode())
    assert tasks is not None
    assert (tasks[0].task_type, tasks[0].task_start) == ("A", 1.0)
    assert findings == ()


def test_tasks_alone_with_mistakes_are_refused_with_their_places() -> None:
    def told_of(text: str) -> list[tuple[str, str, int | None]]:
        tasks, findings = read_tasks(text.encode(), filename="tasks.yml")
        assert tasks is None
        return [(f.code, f.path, f.line) for f in findings]

    assert told_of("- task_type: A\n- tusk_type: B\n") == [("unknown-key", "[1].tusk_type", 2)]
    assert told_of("tasks: 5\n") == [("wrong-type", "tasks", 1)]
    assert told_of("task: []\n") == [("unknown-key", "task", 1)]
    assert told_of("{}\n") == [("missing-key", "", 1)]
    assert told_of("a: b: c\n")[0][0] == "needs-quotes"


def test_findings_beyond_the_limit_are_counted() -> None:
    result = read_input_file(b"subject: {name: x}\nsessions: [1, 2, 3, 4, 5]\n", limits=Limits(findings=3))
    assert [f.code for f in result.findings] == ["wrong-type"] * 3 + ["more-findings"]
    assert result.findings[-1].message == "2 more findings of this file are not shown: 2 errors."


def test_finding_prints_as_place_message_hint_and_code() -> None:
    finding = Finding(1, "error", "a-code", "a", 2, 3, "It is wrong.", "Do this.")
    assert str(finding) == "2:3: error: It is wrong. Do this. [a-code]"
