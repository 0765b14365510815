"""How single values are typed: from what the user wrote, by the field it stands in."""

import json
import string

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import example, given

from commands.inputfile.document import path_parts, path_text
from commands.inputfile.nearest import nearest
from commands.inputfile.plain_readings import other_reading
from commands.inputfile.read import ReadResult, read_input_file
from tests.inputfile.documents import block_yaml


def session(**fields: str) -> str:
    """YAML of one session; each field is source text."""
    given = {"location": "N:/a", "experimenter": "user_1", "tasks": "[]", **fields}
    return "subject: {name: x}\nsessions:\n  -\n" + "".join(
        f"    {key}: {value}\n" for key, value in given.items()
    )


def task(**fields: str) -> str:
    given = {"task_type": "OpenField", **fields}
    return session(tasks="[{" + ", ".join(f"{key}: {value}" for key, value in given.items()) + "}]")


def group(sessions: str = "[a, b]", **fields: str) -> str:
    given = {"curator": "user_1", "location": "N:/a", "group_name": "g", "sessions": sessions, **fields}
    return "subject: {name: x}\nclustering:\n  -\n" + "".join(
        f"    {key}: {value}\n" for key, value in given.items()
    )


def read(text: str) -> ReadResult:
    return read_input_file(text.encode(), filename="a.yml")


def codes(result: ReadResult) -> list[str]:
    return [finding.code for finding in result.findings if finding.severity != "notice"]


@pytest.mark.parametrize(
    "source", ["012345", "2.340", "0x1f", "102_1", "no", "Yes", "1:30", "0b11", "1e5", "1_0.5"]
)
def test_text_is_what_the_user_wrote_with_a_warning_where_plain_yaml_reads_something_else(
    source: str,
) -> None:
    result = read(session(room=source))
    assert result.input_file is not None
    assert result.input_file.sessions[0].room == source
    assert codes(result) == ["plain-scalar"]
    assert read(session(room=f'"{source}"')).findings == ()


@pytest.mark.parametrize(
    "source", ["12345", "2.345", "-3", "150_square", "user_1", "12345_msc_0001", "2023-05-01"]
)
def test_text_that_plain_yaml_reads_alike_needs_no_warning(source: str) -> None:
    result = read(session(room=source))
    assert result.input_file is not None
    assert result.input_file.sessions[0].room == source
    assert result.findings == ()


@given(st.text(alphabet="0123456789_.:+-eExXbobTZ aAnNfFsyY~", min_size=1, max_size=12))
@example("1_000")
@example("0o17")
@example("017")
@example("08")
@example("2001-12-14t21:59:43.10-05:00")
def test_other_reading_is_what_pyyaml_constructs(text: str) -> None:
    try:
        value = yaml.safe_load(f"- {text}\n")
    except (yaml.YAMLError, ValueError):
        return
    if (
        not isinstance(value, list)
        or isinstance(value[0], list | dict)
        or [event.value for event in yaml.parse(f"- {text}\n") if isinstance(event, yaml.ScalarEvent)]
        != [text]
    ):
        return
    if isinstance(value[0], str):
        try:
            json.loads(text)
        except ValueError:
            assert other_reading(text) is None
        return
    assert (other_reading(text) is None) == (str(value[0]) == text)


def test_session_reference_matches_a_name_that_yaml_would_read_as_a_number() -> None:
    result = read(group("[12345_1, 12345_2]"))
    assert result.input_file is not None
    assert result.input_file.clustering[0].sessions == ("12345_1", "12345_2")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("27", 27.0),
        ("1533.5", 1533.5),
        ("1e3", 1000.0),
        ("+27", 27.0),
        (".5", 0.5),
        ("-0", 0.0),
    ],
)
def test_number_of_seconds(source: str, value: float) -> None:
    result = read(task(task_start=source))
    assert result.input_file is not None
    start = result.input_file.sessions[0].tasks[0].task_start
    assert start == value
    assert isinstance(start, float)
    assert str(start)[0] != "-"


def test_leading_zero_of_a_number_is_decimal_and_warned_about() -> None:
    result = read(task(task_start="010"))
    assert result.input_file is not None
    assert result.input_file.sessions[0].tasks[0].task_start == 10.0
    assert codes(result) == ["plain-scalar"]


@pytest.mark.parametrize(
    ("source", "code", "hint"),
    [
        ("1_587", "wrong-type", "1587"),
        ("1:30", "wrong-type", "90"),
        ("0x1f", "wrong-type", "31"),
        ("1,5", "number-with-comma", "Which number is meant?"),
        ("-5", "negative-time", "0 or more"),
        ("1e300", "number-too-large", ""),
        ('"27"', "wrong-type", "27"),
        (".nan", "not-finite", ""),
        (".inf", "not-finite", ""),
        ("9" * 400, "not-finite", ""),
        ("soon", "wrong-type", ""),
        ("[27]", "wrong-type", ""),
        ("null", "no-value", ""),
        ("no", "false-not-valid", ""),
        ("false", "false-not-valid", ""),
        ('"false"', "wrong-type", ""),
    ],
)
def test_what_is_no_number_of_seconds(source: str, code: str, hint: str) -> None:
    result = read(task(task_start=source))
    assert codes(result) == [code]
    assert result.findings[0].path == "sessions[0].tasks[0].task_start"
    assert hint in result.findings[0].hint
    assert result.input_file is not None
    assert result.input_file.sessions == ()


@pytest.mark.parametrize("source", ["true", "yes", "True", "on"])
def test_true_is_inherited_and_never_one(source: str) -> None:
    result = read(task(task_start=source, task_stop="1", notes=source))
    assert result.input_file is not None
    entry = result.input_file.sessions[0].tasks[0]
    assert entry.task_start is True
    assert entry.task_stop == 1.0
    assert entry.task_stop is not True
    assert entry.notes is True
    assert [(f.severity, f.code, f.path) for f in result.findings] == [
        ("notice", "inherits", "sessions[0].tasks")
    ]
    assert "task_start, notes" in result.findings[0].message


@pytest.mark.parametrize("word", ["true", "yes", "Yes"])
def test_quoted_true_stands_for_the_boolean_beside_numbers_and_dates_only(word: str) -> None:
    result = read(task(task_start=f'"{word}"', task_stop="5", notes=f'"{word}"'))
    assert result.input_file is not None
    entry = result.input_file.sessions[0].tasks[0]
    assert entry.task_start is True
    assert entry.notes == word
    assert sorted(codes(result)) == ["text-for-boolean", "word-as-text"]

    result = read(session(clustering=f'[{{curator: user_1, location: a, curation_time: "{word}"}}]'))
    assert result.input_file is not None
    (clustering,) = result.input_file.sessions[0].clustering  # type: ignore[misc]
    assert clustering.curation_time is True
    assert codes(result) == ["text-for-boolean"]


@pytest.mark.parametrize(
    ("source", "value", "warnings"),
    [
        ("yes", True, 0),
        ("no", False, 0),
        ('"true"', True, 1),
        ('"no"', False, 1),
        ('"false"', False, 1),
        ("[]", (), 0),
    ],
)
def test_clustering_of_a_session_is_a_boolean_or_a_list(source: str, value: object, warnings: int) -> None:
    result = read(session(clustering=source))
    assert result.input_file is not None
    assert result.input_file.sessions[0].clustering == value
    assert codes(result) == ["text-for-boolean"] * warnings


@pytest.mark.parametrize("source", ["1", "0", '"1"', "maybe", "{curator: a}"])
def test_clustering_of_a_session_that_is_neither(source: str) -> None:
    assert codes(read(session(clustering=source))) == ["wrong-type"]


def test_booleans_among_clusterings_are_an_error_each() -> None:
    result = read(session(clustering='[yes, {curator: user_1, location: a}, "false"]'))
    assert [(f.code, f.path) for f in result.findings] == [
        ("mixed-clustering", "sessions[0].clustering[0]"),
        ("mixed-clustering", "sessions[0].clustering[2]"),
    ]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("2023-04-05 12:13:14", "2023-04-05 12:13:14"),
        ("2023-04-05T12:13:14", "2023-04-05 12:13:14"),
        ('"2023-04-05 12:13"', "2023-04-05 12:13:00"),
        ("2023-4-5 9:13:14", "2023-04-05 09:13:14"),
        ("2023-04-05 12:13:14.5", "2023-04-05 12:13:14.500000"),
        ("2023-04-05 12:13:14.000", "2023-04-05 12:13:14"),
        ("2023-04-05 12:13:14,25", "2023-04-05 12:13:14.250000"),
        ("0999-01-01 00:00:00", "0999-01-01 00:00:00"),
        ("yes", True),
    ],
)
def test_date_time_is_naive_local_time(source: str, value: object) -> None:
    result = read(group(curation_time=source))
    assert result.findings == ()
    assert result.input_file is not None
    assert result.input_file.clustering[0].curation_time == value


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("2023-04-05 12:13:14Z", "date-time-with-zone"),
        ("2023-04-05T12:13:14+02:00", "date-time-with-zone"),
        ("2023-04-05 12:13:14 +2", "date-time-with-zone"),
        ("2023-02-30 12:13:14", "date-time"),
        ("2023-04-05 24:13:14", "date-time"),
        ("2023-04-05 12:13:14.1234567", "date-time"),
        ("2023-04-05", "wrong-type"),
        ("yesterday", "wrong-type"),
        ("5", "wrong-type"),
        ("no", "false-not-valid"),
        ("~", "no-value"),
    ],
)
def test_what_is_no_local_date_time(source: str, code: str) -> None:
    assert codes(read(group(curation_time=source))) == [code]


def test_sessions_of_a_group_are_session_times_or_names() -> None:
    result = read(group("[2023-05-01T10:00, '2023-05-02 10:12:50', 2023-05-03, date_1]"))
    assert result.input_file is not None
    assert result.input_file.clustering[0].sessions == (
        "2023-05-01 10:00:00",
        "2023-05-02 10:12:50",
        "2023-05-03",
        "date_1",
    )
    assert codes(read(group("[2023-05-01 10:00:00, 2023-05-01T10:00:00]"))) == ["repeated-session"]
    assert codes(read(group("[2023-05-01 10:00:00+01:00, b]"))) == ["date-time-with-zone"]


def test_control_characters_from_escape_sequences_in_a_path_are_explained() -> None:
    result = read(session(location=r'"N:\new\table"'))
    (finding,) = result.findings
    assert finding.code == "escape-in-path"
    assert r"\n" in finding.message
    assert r'"N:\\new\\table"' in finding.hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (r"a\0b", "control-character"),
        (r"a\u200Bb", "invisible-character"),
        ("“a”", "smart-quotes"),
        ("", "empty-text"),
        (" ", "empty-text"),
        (r"a\nb", "control-character"),
    ],
)
def test_characters_that_do_not_belong_into_a_name(text: str, code: str) -> None:
    assert codes(read(session(project=f'"{text}"'))) == [code]


def test_notes_may_have_several_lines_and_may_be_empty() -> None:
    result = read(session(notes="|\n      one\n      two: three # four\n"))
    assert result.input_file is not None
    assert result.input_file.sessions[0].notes == "one\ntwo: three # four\n"
    assert read(session(notes='""')).findings == ()


def test_list_whose_dashes_do_not_line_up_is_warned_about() -> None:
    result = read(session().replace("experimenter: user_1", "experimenter:\n      - user_1\n       - user_2"))
    assert codes(result) == ["several-lines"]


def test_value_that_is_a_comment_is_explained() -> None:
    (finding,) = read(session(room="#5")).findings
    assert finding.code == "no-value"
    assert "# starts a comment" in finding.hint
    (finding,) = read(session(room="   # optional")).findings
    assert "comment" not in finding.hint


@given(st.text(min_size=1, max_size=40))
def test_quoted_text_comes_through_unchanged_from_both_formats(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    document = {
        "subject": {"name": "x"},
        "sessions": [{"location": "a", "experimenter": "b", "tasks": [], "notes": text}],
    }
    from_json = read_input_file(json.dumps(document).encode(), filename="a.json")
    from_yaml = read_input_file(block_yaml(document).encode(), filename="a.yml")
    assert from_json.input_file == from_yaml.input_file
    if not any(finding.severity == "error" for finding in from_json.findings):
        assert from_json.input_file is not None
        assert from_json.input_file.sessions[0].notes == text


@given(st.lists(st.integers(0, 99) | st.text(min_size=1, max_size=8), min_size=1, max_size=6))
def test_path_of_parts_and_back(parts: list[str | int]) -> None:
    assert path_parts(path_text(parts)) == parts


def test_paths_read_as_the_specification_writes_them() -> None:
    assert path_text(["sessions", 3, "tasks", 0, "task_start"]) == "sessions[3].tasks[0].task_start"
    assert (
        path_text(["sessions", 0, "probe_association", "imec0.ap"])
        == 'sessions[0].probe_association["imec0.ap"]'
    )
    with pytest.raises(ValueError, match="not a document path"):
        path_parts("sessions[")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("experimentr", "experimenter"),
        ("Locaton", "location"),
        ("taks", "tasks"),
        ("probe-association", "probe_association"),
        ("xyz", None),
        ("notse", "notes"),
    ],
)
def test_did_you_mean(word: str, meant: str | None) -> None:
    keys = ["location", "experimenter", "tasks", "notes", "probe_association", "room", "project"]
    assert nearest(word, keys) == meant


@given(st.text(alphabet=string.ascii_lowercase + "_", min_size=4, max_size=12), st.data())
def test_one_slip_is_always_found(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    slipped = data.draw(
        st.sampled_from(
            [word[:at] + word[at + 1 :], word[:at] + "q" + word[at:], word[:at] + "q" + word[at + 1 :]]
        )
    )
    assert nearest(slipped, [word]) == word
