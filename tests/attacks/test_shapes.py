"""Ten megabytes of JSON or YAML of any shape are answered within a minute of CPU, in less than 500 MB, whatever is done
with them. All shapes with DAYBOOK_LONG_TESTS, some of them always."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.inputfile.limits import DEFAULT_LIMITS
from tests.attacks.bounded import run_bounded
from tests.cli.conftest import run_cli

LONG = bool(os.environ.get("DAYBOOK_LONG_TESTS"))
MOST = DEFAULT_LIMITS.input_file_bytes
JSON = '{"subject":{"name":"12345"},"sessions":['
YAML = "subject: {name: '12345'}\n"
ONE = '{"location":"N:/a","experimenter":"user_1","tasks":['
LIST = f"{YAML}sessions:\n"

SHAPES: dict[str, tuple[str, str, str]] = {  # what comes first, what is repeated, what ends it
    "sessions.json": (JSON, '{{"location":"N:/12345/{0:07}","experimenter":"user_1","tasks":[]}},', "{}]}"),
    "names.json": (
        JSON,
        '{{"name":"s{0:07}","location":"N:/{0:07}","experimenter":"user_1","tasks":[]}},',
        "{}]}",
    ),
    "tasks.json": (JSON + ONE, '{{"task_type":"a","task_start":{0},"task_stop":{0}.5}},', "{}]}]}"),
    "empty_tasks.json": (JSON + ONE, "{{}},", "{}]}]}"),
    "objects.json": (
        f'{JSON}{ONE}{{"task_type":"a","arena_apparatus":"b","objects":[',
        '{{"object_name":"o{0}","coord_x":1,"coord_y":2}},',
        "{}]}]}]}",
    ),
    "experimenters.json": (f'{JSON}{{"location":"N:/a","tasks":[],"experimenter":[', '"u{0:05}",', '"a"]}]}'),
    "probes.json": (
        f'{JSON}{{"location":"N:/a","tasks":[],"experimenter":"user_1","probe_association":{{',
        '"p{0:05}":"x",',
        '"a":"b"}}]}',
    ),
    "groups.json": (
        '{"subject":{"name":"12345"},"clustering":[',
        '{{"curator":"user_1","location":"N:/a{0}","group_name":"g{0}","sessions":["a{0}","b{0}"]}},',
        "{}]}",
    ),
    "of_one_group.json": (
        '{"subject":{"name":"12345"},"clustering":[{"curator":"user_1","location":"N:/a","group_name":"g","sessions":[',
        '"a{0:06}",',
        '"b"]}]}',
    ),
    "texts.json": (JSON, '"{0:06}",', "1]}"),
    "lists.json": (JSON, "[[[[[[[[]]]]]]]],", "1]}"),
    "keys.json": ("{", '"{0:07}":1,', '"a":1}'),
    "long_keys.json": ("{", '"{0:0200}":1,', '"a":1}'),
    "one_key.json": ("{", '"aaa":11,', '"a":1}'),
    "one_text.json": ('{"subject":"', "aaaa", '"}'),
    "escapes.json": ('{"subject":"', "\\u00e9", '"}'),
    "no_colons.json": (JSON, '{{"a" 1}},', "]}"),
    "bare_keys.json": (JSON, "{{a:1}},", "]}"),
    "sessions.yml": (LIST, '- location: "N:/{0:07}"\n  experimenter: user_1\n  tasks: []\n', ""),
    "doubtful.yml": (
        LIST,
        "- {{location: N:/{0}, notes: yes, name: 1_0, room: 0x1f, project: no, tasks: []}}\n",
        "",
    ),
    "words.yml": (LIST, "- aaaa\n", ""),
    "quoted.yml": (LIST, '- "a"\n', ""),
    "lists.yml": (LIST, "- - - a\n", ""),
    "mappings.yml": (LIST, "- a: b\n", ""),
    "one_line.yml": (f"{YAML}sessions: [", "aaaaa,", "a]\n"),
    "empty.yml": (f"{YAML}sessions: [", "{{}},", "a]\n"),
    "anchors.yml": (LIST, "- &a{0} b\n", ""),
    "aliases.yml": (f"{LIST}- &a b\n", "- *a\n", ""),
    "text.yml": (f"{YAML}sessions: |\n", " aaaaaaaa\n", ""),
    "comments.yml": (YAML, "# a\n", "sessions: [a]\n"),
    "line_breaks.yml": (YAML, "\n", "sessions: [a]\n"),
    "documents.yml": (YAML, "---\na: b\n", ""),
    "colons.yml": (LIST, "- a: b: c\n", ""),
    "quotes.yml": (LIST, '- "a\n', ""),
    "tabs.yml": (LIST, "\t- a\n", ""),
}
CATALOGUES: dict[str, tuple[str, str, str]] = {
    "values.yml": ("reference.Experimenter:\n", "- u{0:07}\n", ""),
    "subjects.yml": ("subjects:\n", '- {{name: "{0:07}", probes: [{{probe: p, insertion_time: "2023-03-01 00:00:00"}}]}}\n', ""),
    "tables.yml": ("", "x{0:07}: [a]\n", ""),
    "values.json": ('{"reference.Experimenter":[', '"u{0:07}",', '"a"]}'),
}  # fmt: skip
ALWAYS = ("empty_tasks.json", "anchors.yml", "values.json")


def write(file: Path, shape: tuple[str, str, str]) -> Path:
    head, unit, tail = shape
    count = (MOST - len(head) - len(tail)) // len(unit.format(0))
    while True:
        text = head + "".join(map(unit.format, range(count))) + tail
        if len(text) <= MOST:
            break
        count = count * MOST // len(text) - 1
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("kind", ["json", "yml", "catalogues"])
def test_ten_megabytes_of_any_shape_take_less_than_500(
    ledger_templates: Callable[[str, Path], str], folder: Path, kind: str
) -> None:
    ledger_templates("sqlite", folder)
    for arguments in (["catalogue", "add", "reference.Experimenter", "user_1"], ["subject", "add", "12345"]):
        assert run_cli(*arguments).exit == 0
    shapes = CATALOGUES if kind == "catalogues" else {n: s for n, s in SHAPES.items() if n.endswith(kind)}
    verbs = ("catalogue load",) if kind == "catalogues" else ("validate", "upload") if LONG else ("validate",)

    for name, shape in shapes.items():
        if not LONG and name not in ALWAYS:
            continue
        file = write(folder / name, shape)
        for taken in run_bounded(
            [["--as", "user_1", *verb.split(), str(file)] for verb in verbs], folder, seconds=60
        ):
            assert taken.exit == 1, (name, taken)
            assert taken.memory_mb < 500, (name, taken)
        file.unlink()
