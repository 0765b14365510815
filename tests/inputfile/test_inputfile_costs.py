"""What reading costs grows with the size of the file and never faster."""

import resource
import string
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.inputfile.limits import DEFAULT_LIMITS
from commands.inputfile.read import read_input_file

MOST = DEFAULT_LIMITS.input_file_bytes
SUBJECT = '{"subject":{"name":"a"},"sessions":['
HEAD = "subject: {name: a}\n"
N = 400_000

# Each is ten times as long as what once took minutes, or as long as a file may be.
HOSTILE: dict[str, tuple[str, Callable[[], str | bytes]]] = {
    "line breaks in a text that does not end": ("a.json", lambda: '{"subject": "' + "\n" * 830),
    "digits that end in a letter": ("a.json", lambda: '{"subject": ' + "1" * N + "x}"),
    "blanks before a closing quote": ("a.json", lambda: '{"subject": "' + " " * N + '"x}'),
    "blanks after an opening quote": ("a.yml", lambda: 'a: "b' + " " * N + "c\n"),
    "a letter in Latin-1 after a long word": ("a.yml", lambda: b"a: " + b"x" * N + b"\xe9"),
    "tag directives": (
        "a.yml",
        lambda: "".join(f"%TAG !a{i}! tag:a{i}\n" for i in range(N - 10_000)) + "---\n" + HEAD,
    ),
    "unknown keys": (
        "a.yml",
        lambda: HEAD + "sessions:\n - \n" + "".join(f"   probe_asciat_{i:05}: a\n" for i in range(100_000)),
    ),
    "numbers in place of sessions": ("a.json", lambda: SUBJECT + "1," * ((MOST - 40) // 2) + "1]}"),
    "aliases of a long text": ("a.yml", lambda: text_aliases(9_000_000, 10_000)),
    "brackets that do not close": ("a.json", lambda: '{"a": ' + "[" * 99 + "1," * 500_000 + "x"),
    "blanks before the first line": ("a.json", lambda: " " * 3_000_000 + '{"a" 1' + ', "b": 1' * 20_000),
    "closing brackets in a text": ("a.json", lambda: '{"a": "' + "]" * N),
    "escaped quotes": ("a.yml", lambda: 'a: "' + '\\"' * N + "\n b: c: d"),
    "one line of bare texts": (
        "a.yml",
        lambda: "{subject: {name: a}, sessions: [" + "a b, " * 200_000 + "]}",
    ),
    "comments in a comment": ("a.yml", lambda: HEAD + "a: b" + " #" * 2_000_000),
    "lines that do not parse": ("a.yml", lambda: HEAD + "a: b: c\n" + "- 1\n" * 700_000),
    "repeated keys": ("a.yml", lambda: HEAD + "".join(f"k{i % 9000}: 1\n" for i in range(200_000))),
}


def text_aliases(characters: int, tasks: int) -> str:
    lines = "".join(f"      - {{task_type: a, task_start: {i}, notes: *n}}\n" for i in range(tasks))
    return f'{HEAD}sessions:\n  - location: N:/a\n    notes: &n "{"a" * characters}"\n    tasks:\n{lines}'


CHILD = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[3]), int(sys.argv[3])))
from commands.inputfile.read import read_input_file
data = Path(sys.argv[1]).read_bytes()
result = read_input_file(data, filename=sys.argv[2])
[memory] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]  # ru_maxrss begins with the parent's
print(result.findings[0].code, result.findings[0].line, int(memory) // 1024)
"""


def in_a_child(tmp_path: Path, data: str | bytes, filename: str, *, seconds: int) -> tuple[str, str, int]:
    """Code and line of the first finding, and the most memory in MB that it took to find it."""
    file = tmp_path / "file"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    root = Path(__file__).parent.parent.parent
    ended = subprocess.run(
        [sys.executable, "-c", CHILD, str(file), filename, str(seconds)],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    assert ended.returncode == 0, (ended.returncode, ended.stderr[-300:])
    code, line, memory = ended.stdout.split()
    return code, line, int(memory)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_answered_within_ten_seconds(name: str, tmp_path: Path) -> None:
    filename, make = HOSTILE[name]
    data = make()
    assert len(data) <= MOST

    code, line, memory = in_a_child(tmp_path, data, filename, seconds=10)

    assert memory < 500
    assert line != "None" or code in ("too-many-values", "file-too-large")


SIGNS = sorted(
    {*string.punctuation, "a", "1", " ", "\n", "\t", "\r", "é", "\u00a0", "“", "–", "：", "\u200b"}
)
UNITS = [
    *SIGNS,
    '\\"',
    "- ",
    ": ",
    "a: ",
    "[]",
    "{}",
    "a,",
    " #",
    "a b ",
    '"a" ',
    "\\u00e9",
    "a\n",
    "? ",
    "/*",
    "''",
    "1:",
]
PLACES = {
    "a.json": [
        '{"subject": %s',
        '{"subject": "%s',
        '{"subject": "%s"x}',
        '{"subject": 1%s}',
        "%s",
        '["a" %s',
    ],
    "a.yml": [
        "a: %s",
        'a: "%s\nb: c',
        "%sa: b: c",
        "a: b\n%s: c: d\n",
        "- a\n  %s- b\nc",
        "{a: %s",
        "a: 'b'%s'c'\n",
    ],
}


@pytest.mark.parametrize("filename", PLACES)
@pytest.mark.parametrize("first", range(0, len(UNITS), 8))
def test_four_times_as_many_signs_take_at_most_five_times_as_long(filename: str, first: int) -> None:
    """What the quarter takes is given 30 ms more, and the quickest of ten attempts counts, so that a busy machine is no
    failure: where the time goes by the square, these lengths take seconds."""
    for unit in UNITS[first : first + 8]:
        for place in PLACES[filename]:
            texts = [place.replace("%s", unit * (length // len(unit))) for length in (6_000, 24_000)]
            short = long = float("inf")
            for attempt in range(10):
                short, long = (
                    min(best, seconds(text, filename))
                    for best, text in zip((short, long), texts, strict=True)
                )
                if long <= 5 * short + 0.03:
                    break
                assert attempt < 9, (place, unit, short, long)


def seconds(text: str, filename: str) -> float:
    started = time.process_time()
    read_input_file(text.encode(), filename=filename)
    return time.process_time() - started


def test_limit_on_time_is_one_that_ends_a_child() -> None:
    code = "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode < 0
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] != 1
