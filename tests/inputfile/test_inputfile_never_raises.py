"""Whatever the bytes are, reading them ends in a result with findings that point into the file."""

import re
from typing import Any

import hypothesis.strategies as st
from hypothesis import example, given, settings

from commands.inputfile.document import line_starts
from commands.inputfile.read import ReadResult, read_input_file, read_tasks
from tests.inputfile.documents import EXAMPLE_JSON, EXAMPLE_YAML
from tests.length import TIMES

names = st.sampled_from(["", "a.yml", "a.yaml", "a.json", "a.txt"])
snippets = st.sampled_from(
    [
        "\n",
        "\r",
        "\t",
        " ",
        "  ",
        ":",
        ": ",
        "- ",
        "-",
        ",",
        "[",
        "]",
        "{",
        "}",
        '"',
        "'",
        "\\",
        "#",
        " #",
        "&a ",
        "*a",
        "!",
        "!!str ",
        "|",
        ">",
        "%",
        "@",
        "`",
        "---\n",
        "...",
        "<<: ",
        "? ",
        "~",
        "null",
        "yes",
        "NaN",
        "1_0",
        "0x1",
        "“",
        "\0",
        "\x07",
        "\ufeff",
        "\u2028",
        "\x85",
        "é",
        "\U0001f400",
        "//",
        "/*",
        "=",
        ";",
        "\\ud800",
        "name",
        "sessions:",
    ]
)
SEVERITIES = ("error", "warning", "notice")


def holds(data: bytes, result: ReadResult) -> None:
    """What is true of every result."""
    assert result.stage in (0, 1)
    if result.stage == 0:
        assert result.input_file is None
        assert result.findings
    lines = (
        len(line_starts(data.decode("utf-8", "replace")))
        + data.count(b"\xc2\x85")
        + data.count(b"\xe2\x80\xa8")
    )
    for finding in result.findings:
        assert finding.stage == result.stage
        assert finding.severity in SEVERITIES
        assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", finding.code)
        assert finding.message.endswith((".", "...")), finding.message
        assert "\n" not in f"{finding.message}{finding.hint}"
        if finding.line is not None:
            assert 1 <= finding.line <= lines + 1
            assert finding.column is not None
            assert finding.column >= 1
        str(finding).encode()
    errors = [finding for finding in result.findings if finding.severity == "error"]
    assert errors or result.input_file is not None


@given(st.binary(max_size=200), names)
@settings(max_examples=150 * TIMES)
@example(b"%", "a.yml")
@example(b"\xff\xfe", "")
@example(b"'", "a.json")
@example(b'{"a": 1, "a"', "a.json")
def test_any_bytes(data: bytes, filename: str) -> None:
    holds(data, read_input_file(data, filename=filename))


@given(st.lists(snippets, max_size=30), names)
@settings(max_examples=300 * TIMES)
def test_any_sequence_of_signs_that_mean_something(pieces: list[str], filename: str) -> None:
    data = "".join(pieces).encode()
    holds(data, read_input_file(data, filename=filename))
    read_tasks(data, filename=filename)


@given(st.sampled_from([EXAMPLE_YAML, EXAMPLE_JSON]), st.data())
@settings(max_examples=200 * TIMES)
def test_examples_with_random_changes(text: str, data: Any) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + data.draw(snippets | st.just("") | st.text(max_size=3)) + text[end:]
    given_bytes = text.encode("utf-8", "ignore")
    holds(given_bytes, read_input_file(given_bytes, filename=data.draw(names)))


@given(st.data())
@settings(max_examples=100 * TIMES)
def test_examples_with_random_bytes(data: Any) -> None:
    text = bytearray(data.draw(st.sampled_from([EXAMPLE_YAML, EXAMPLE_JSON])).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    holds(bytes(text), read_input_file(bytes(text)))
