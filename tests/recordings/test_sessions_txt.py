"""sessions.txt as it really is, as it was published, and as it must not be."""

import hashlib
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.recordings.readers import list_session
from commands.recordings.session import UnreadableSession
from commands.recordings.sessions_txt import (
    InheritedTask,
    SessionsTxtProblem,
    TaskRow,
    inherit,
    listed_sessions_txt,
    misnamed_sessions_txt,
    parse_sessions_txt,
    read_sessions_txt,
)
from commands.samples.task_table import SampleTask, sessions_txt

REAL = (
    b"#1,  open_field_1,       start=7457,  end=16045, valid_times=[7457,14778;14890,16045]  \r\n"
    b"#2,  wagon_wheel_1,      start=16925, end=20704, valid_times=[16925,18026;18183,20704]\t\r\n"
    b"#3,  wagon_wheel_2,      start=20895, end=21640"
)


def test_real_form() -> None:
    table = parse_sessions_txt(REAL)
    assert table.sha256 == hashlib.sha256(REAL).hexdigest()
    assert table.rows == (
        TaskRow(1, "open_field_1", 7457, 16045, ((7457, 14778), (14890, 16045)), (), None),
        TaskRow(2, "wagon_wheel_1", 16925, 20704, ((16925, 18026), (18183, 20704)), (), None),
        TaskRow(3, "wagon_wheel_2", 20895, 21640, (), (), None),
    )


def test_published_form() -> None:
    [row] = parse_sessions_txt(b"#1,    open_field_1    start=30    <RUNNING>").rows
    assert row == TaskRow(1, "open_field_1", 30, None, (), ("RUNNING",), None)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("#1 open field, start = 30.5 , end= 40", TaskRow(1, "open field", 30.5, 40, (), (), None)),
        ("#1,x,START=1,End=2", TaskRow(1, "x", 1, 2, (), (), None)),
        ("#1, x, start=1, valid_times=[]", TaskRow(1, "x", 1, None, (), (), None)),
        ("#1, x, start=1, laser on, 5 mW", TaskRow(1, "x", 1, None, (), (), "laser on, 5 mW")),
        ("#1, x, start=1, room=3 <A> <B>", TaskRow(1, "x", 1, None, (), ("A", "B"), "room=3")),
        ("  #1, x, end=2, start=1", TaskRow(1, "x", 1, 2, (), (), None)),
        ("#1, åpent_felt, start=1", TaskRow(1, "åpent_felt", 1, None, (), (), None)),
    ],
)
def test_rows_may_be_written_in_these_ways(line: str, row: TaskRow) -> None:
    for data in (line.encode(), b"\xef\xbb\xbf" + line.encode() + b"\r\n\r\n", line.encode("latin-1")):
        assert parse_sessions_txt(data).rows == (row,)


def test_names_may_repeat_and_a_file_may_have_no_rows() -> None:
    assert [r.name for r in parse_sessions_txt(b"#1, a, start=1\n#2, a, start=2").rows] == ["a", "a"]
    assert parse_sessions_txt(b"\r\n").rows == ()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("#2, a, start=1", 1, "found task #2 where #1 should be"),
        ("#1, a, start=1\n\n#3, b, start=2", 3, "found task #3 where #2 should be"),
        ("#1, a, start=1\n#1, b, start=2", 2, "found task #1 where #2 should be"),
        ("#0, a, start=1", 1, "found task #0"),
        ("open_field start=1", 1, 'found "open_field start=1"'),
        ("#1, start=1", 1, "task #1 has no name"),
        ("#1, a", 1, "has no start="),
        ("#1, a, strat=1", 1, 'unknown field "strat="'),
        ("#1, a, start=1, edn=2", 1, 'unknown field "edn="'),
        ("#1, a, start=1, start=2", 1, "start= is there twice"),
        ("#1, a, start=soon", 1, '"soon" is not a time'),
        ("#1, a, start=-1", 1, '"-1" is not a time'),
        ("#1, a, start=١", 1, "is not a time"),
        ("#1, a, start=nan", 1, '"nan" is not a time'),
        ("#1, a, start=1, end=", 1, "end="),
        ("#1, a, start=2, end=2", 1, "not after its start"),
        ("#1, a, start=1, valid_times=[1,2", 1, "is not in brackets"),
        ("#1, a, start=1, valid_times=[1;2]", 1, "not a pair of times"),
        ("#1, a, start=1, valid_times=[5,2]", 1, "ends before it starts"),
        ("#1, a, start=1, end=5\n#2, b, start=4", 2, "task #1 a ends at 5 s"),
        ("#1, a, start=4\n#2, b, start=4", 2, "task #1 a starts at 4 s"),
        ("#1, " + "a" * 30_000 + ", start=1", 1, "more than 20,000 characters"),
    ],
)
def test_problem_names_the_line_and_what_is_wrong(text: str, line: int, says: str) -> None:
    with pytest.raises(SessionsTxtProblem) as raised:
        parse_sessions_txt(text.encode())
    assert (raised.value.line, says in raised.value.message) == (line, True), raised.value.message
    assert raised.value.message.startswith(f"sessions.txt:{line}: ")


@pytest.mark.parametrize("data", ["#1, a, start=1".encode("utf-16"), b"\0" * 10, b"#" * 2_000_000])
def test_files_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(SessionsTxtProblem):
        parse_sessions_txt(data)


pieces = st.sampled_from(
    [
        "#1",
        "#2",
        "\n",
        "\r\n",
        ",",
        " ",
        "start=",
        "end=3",
        "valid_times=[",
        "1,2;",
        "]",
        "<RUN>",
        "<",
        "a",
        "9" * 12,
    ]
)


@given(st.one_of(st.binary(), st.text().map(str.encode), st.lists(pieces).map(lambda p: "".join(p).encode())))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        rows = parse_sessions_txt(data).rows
    except SessionsTxtProblem as problem:
        assert str(problem).isprintable()
        return
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert [row.start_s for row in rows] == sorted(row.start_s for row in rows)


@pytest.mark.parametrize("piece", ["a=[", "<", "a ", "[", "#1 ", "x=", "a" * 99 + " "])
def test_hostile_lines_take_no_time(piece: str) -> None:
    line = ("#1, " + piece * 20_000)[:19_990]
    with pytest.raises(SessionsTxtProblem):
        parse_sessions_txt("\n".join([line] * 20).encode())


names = st.from_regex(r"[a-z]{1,8}(_[0-9])?", fullmatch=True)


@given(
    st.lists(st.tuples(names, st.integers(1, 500), st.booleans()), max_size=6),
    st.sampled_from(["real", "published"]),
)
def test_what_was_written_is_read_back(drawn: list[tuple[str, int, bool]], form: str) -> None:
    tasks, at = [], 10
    for name, length, ends in drawn:
        tasks.append(SampleTask(name, at, at + length if ends and form == "real" else None))
        at += length + 1
    rows = parse_sessions_txt(sessions_txt(tasks, form=form)).rows  # type: ignore[arg-type]
    assert [(r.name, r.start_s, r.end_s) for r in rows] == [(t.name, t.start_s, t.end_s) for t in tasks]


# --- inheritance --------------------------------------------------------------------------------


def row(number: int, start: float, end: float | None = None) -> TaskRow:
    return TaskRow(number, f"task_{number}", start, end, (), ("RUNNING",), "laser on")


def test_stop_is_the_end_else_the_next_start_else_the_end_of_the_recording() -> None:
    rows = [row(1, 10, 20), row(2, 30), row(3, 40)]
    assert inherit(rows, ["A", "B", "C"], recording_duration_s=99.5) == (
        InheritedTask(10, 20, False, "task_1 <RUNNING> laser on"),
        InheritedTask(30, 40, True, "task_2 <RUNNING> laser on"),
        InheritedTask(40, 99.5, True, "task_3 <RUNNING> laser on"),
    )


@pytest.mark.parametrize("types", [[], ["OpenField"], ["OpenField", "SleepTask", "OpenField"]])
def test_unequal_numbers_show_both_lists(types: list[str]) -> None:
    with pytest.raises(SessionsTxtProblem) as raised:
        inherit([row(1, 10, 20), row(2, 30, 40)], types, recording_duration_s=None)
    assert raised.value.code == "task-count"
    assert "2 tasks (#1 task_1, #2 task_2)" in raised.value.message
    assert f"{len(types)} for this session ({', '.join(types) or 'none'})" in raised.value.message


@pytest.mark.parametrize("duration", [None, 10.0, 5.0])
def test_stop_that_cannot_be_inferred_is_a_problem(duration: float | None) -> None:
    with pytest.raises(SessionsTxtProblem) as raised:
        inherit([row(1, 10)], ["A"], recording_duration_s=duration)
    assert raised.value.code == "no-stop"


# --- the file --------------------------------------------------------------------------------


def test_file_is_found_directly_in_the_session_directory(tmp_path: Path) -> None:
    def table() -> str | None:
        return listed_sessions_txt(list_session(tmp_path))

    assert table() is None
    (tmp_path / "probe_1").mkdir()
    (tmp_path / "probe_1" / "sessions.txt").touch()
    assert table() is None
    (tmp_path / "Sessions.TXT").touch()
    assert table() == "Sessions.TXT"
    (tmp_path / "sessions.txt").touch()
    assert table() == "sessions.txt"


@pytest.mark.parametrize("name", ["sessions.txt.txt", "Sessions.txt.TXT", "session.txt"])
def test_table_with_a_hidden_ending_is_named_while_there_is_no_other(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert misnamed_sessions_txt(list_session(tmp_path)) == name
    (tmp_path / "sessions.txt").touch()
    assert misnamed_sessions_txt(list_session(tmp_path)) is None


def test_table_of_20_gigabytes_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "sessions.txt").open("wb") as file:
        file.truncate(20 << 30)
    tracemalloc.start()
    with pytest.raises(UnreadableSession, match="larger than 1,048,576 bytes"):
        read_sessions_txt(tmp_path, list_session(tmp_path))
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_table_that_is_a_named_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sessions.txt")
    with pytest.raises(UnreadableSession, match="is not a regular file"):
        listed_sessions_txt(list_session(tmp_path))


def test_linked_file_must_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "session").mkdir()
    (tmp_path / "table.txt").write_bytes(REAL)
    (tmp_path / "session" / "sessions.txt").symlink_to(tmp_path / "table.txt")
    with pytest.raises(UnreadableSession, match="leads out of"):
        read_sessions_txt(tmp_path / "session", list_session(tmp_path / "session"))
    assert (
        read_sessions_txt(tmp_path / "session", list_session(tmp_path / "session", within=tmp_path))
        is not None
    )
