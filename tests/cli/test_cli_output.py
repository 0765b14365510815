"""Tables, widths, colours, times."""

import io
import os
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.cli import output
from commands.cli.output import Column, fit, plural, printable, shortened, text_width, wrapped
from commands.cli.progress import Progress, shown_progress
from commands.cli.times import local_time, shown, utc_time
from tests.cli.conftest import Run


@given(st.text())
def test_printable_text_is_one_printable_line(text: str) -> None:
    assert printable(text).isprintable()
    assert not text.isprintable() or printable(text) == text


@given(st.text(), st.integers(1, 40), st.sampled_from(["end", "middle"]))
def test_shortened_text_fits(text: str, width: int, where: str) -> None:
    line = printable(text)
    short = shortened(line, width, where)
    assert text_width(short) <= width
    assert short == line or "…" in short


def test_shortened_in_the_middle_keeps_the_end_of_a_path() -> None:
    assert shortened("N:/my_project/recordings/12345/2023-05-01", 20, "middle") == "N:/my_…45/2023-05-01"


@given(st.dictionaries(st.integers(0, 8), st.integers(0, 300), min_size=1), st.integers(20, 200))
def test_fitting_narrows_no_column_below_its_floor(widths: dict[int, int], available: int) -> None:
    fitted = dict(widths)
    fit(fitted, list(widths), available)
    total = sum(fitted.values()) + 2 * (len(fitted) - 1)
    assert all(fitted[i] == widths[i] or fitted[i] >= 8 for i in widths)
    assert total <= max(available, 0) or all(width <= 8 for width in fitted.values())


def test_table_is_aligned_and_leaves_out_what_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [Column("name"), Column("empty"), Column("number", right=True), Column("text", "end")]
    output.write_table(columns, [["a", None, 1, "日本"], ["long", "", 1000, "x\ny"]])
    assert capsys.readouterr().out.splitlines() == [
        "name  number  text",
        "a          1  日本",
        "long    1000  x\\ny",
    ]


class Terminal:
    """A stream that says that it is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_table_on_a_terminal_is_no_wider_than_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    output.write_table(
        [Column("id"), Column("location", "middle"), Column("reason", "end")],
        [["s1", "N:/" + "a" * 80, "b" * 200]],
    )
    lines = terminal.text.splitlines()
    assert lines and max(map(len, lines)) <= 60
    assert lines[1].count("…") == 2


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals_without_no_color(
    monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    output.say(output.status("error"))
    assert ("\x1b[" in terminal.text) is coloured


def test_no_colours_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    output.say(output.status("error"))
    assert capsys.readouterr().out == "error\n"


def test_progress_is_silent_off_a_terminal_and_at_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_progress("working") as progress:
        progress(1, 2)
    assert capsys.readouterr().err == ""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with shown_progress("working") as progress:
        progress(1, 2)
    assert terminal.text == ""


def test_progress_of_a_long_job_is_drawn_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    now = [0.0]
    monkeypatch.setattr("commands.cli.progress.monotonic", lambda: now[0])
    progress = Progress("working")
    now[0] = 10.0
    progress(250, 1000)
    progress.clear()
    assert "working [######..................] 250 of 1,000, 30 s left" in terminal.text
    assert terminal.text.endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "session", "1 session"),
        (2, "entry", "2 entries"),
        (1000, "key", "1,000 keys"),
        (2, "day", "2 days"),
        (2, "toy", "2 toys"),
        (0, "error", "0 errors"),
    ],
)
def test_plurals(number: int, noun: str, text: str) -> None:
    assert plural(number, noun) == text


def context() -> tuple[click.Context, click.Parameter]:
    return click.Context(click.Command("x")), click.Option(["--at"])


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-01-31", "2026-01-31T00:00:00.000000Z"),
        ("2026-01-31 14:30", "2026-01-31T14:30:00.000000Z"),
        ("2026-01-31T14:30:00+01:00", "2026-01-31T13:30:00.000000Z"),
        (" 2026-01-31T14:30:00.5Z ", "2026-01-31T14:30:00.500000Z"),
    ],
)
def test_times_of_the_log_are_utc(text: str, stored: str) -> None:
    assert utc_time(*context(), text) == stored


def test_times_of_probes_stay_local() -> None:
    assert local_time(*context(), "2023-03-01 14:30") == "2023-03-01 14:30:00"
    with pytest.raises(click.BadParameter, match="names a time zone"):
        local_time(*context(), "2023-03-01T14:30Z")


def test_recorded_times_are_shown_to_the_second() -> None:
    assert shown("2026-01-31T12:00:00.123456Z") == "2026-01-31 12:00:00Z"
    assert shown(None) == ""


def test_what_a_table_is_read_for_is_never_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = [Column("ref"), Column("location", "middle"), Column("serial"), Column("reason", "below")]
    reason = (
        "the recording of imec0 has the serial of npx_1, which is inserted in subject 12346; associate it"
    )
    rows = [["s1", "N:/" + "x" * 60, "18408403232184084", reason], ["s2", "N:/y", "1", "short"]]
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 24)))

    output.write_table(columns, rows)

    said = capsys.readouterr().out
    assert all(text_width(line) <= 80 for line in said.splitlines())
    assert "18408403232184084" in said
    assert reason in " ".join(said.split())
    assert "s2" in said.splitlines()[-1] and said.splitlines()[-1].endswith("short")


def test_the_width_of_the_settings_goes_before_that_of_the_terminal(
    run_here: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_here("catalogue", "add", "acquisition.Project", "x" * 30)
    monkeypatch.setattr(output, "is_terminal", lambda: True)

    def below(width: int) -> list[str]:
        (folder / "daybook.toml").write_text(f"width = {width}\n")
        lines = run_here("log").out.splitlines()[1:]
        return [line for line in lines if not line.split()[0].isdigit()]

    assert all(len(line) <= 60 for line in below(60)) and any("xxx" in line for line in below(60))
    assert not any("xxx" in line for line in below(200))


@given(st.text(), st.integers(8, 40))
def test_wrapped_text_keeps_every_sign_but_blanks(text: str, width: int) -> None:
    line = printable(text)

    assert "".join(wrapped(line, width)).replace(" ", "") == line.replace(" ", "")
    assert all(text_width(each) <= width for each in wrapped(line, width))


@pytest.mark.parametrize("variable", [("TERM", "dumb"), ("NO_COLOR", "1")])
def test_a_plain_terminal_gets_neither_colours_nor_movements(
    monkeypatch: pytest.MonkeyPatch, variable: tuple[str, str]
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("commands.cli.progress.QUIET_S", 0)
    monkeypatch.setattr("commands.cli.progress._EVERY_S", 0)

    monkeypatch.setenv(*variable)
    with shown_progress("reading") as progress:
        progress(1, 2)
    output.say(output.coloured("red", "red"), err=True)
    plain = stream.getvalue()
    monkeypatch.delenv(variable[0])
    with shown_progress("reading") as progress:
        progress(1, 2)

    assert plain == "red\n"
    assert "\x1b[K" in stream.getvalue()
