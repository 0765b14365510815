"""An input file to start from: every field, empty or filled with an example, in YAML with comments.

Written from the field notes, so that it cannot say anything else than the schema does.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from commands.inputfile.field_notes import ASSOCIATION, FIELD_NOTES, FieldNote
from commands.inputfile.schema import described_field

_COMMENT_COLUMN = 40

_HEAD = """\
# Input file for one subject: its sessions, and clusterings of several sessions together.
# Leave out what is optional by removing the line; a key that stays needs a value.
# Text in quotes stays what it is: "012345", "102_1", "no". Validate the file before you upload it.
"""

_EXAMPLE: Mapping[str, Any] = {
    "subject": {"name": "12345", "datasource_id": 0},
    "sessions": [
        {
            "location": "N:/my_project/recordings/12345/2023-05-01",
            "experimenter": ["user_1", "user_2"],
            "name": "first day",
            "room": "2.345",
            "project": "my_project",
            "notes": "stable units throughout",
            "probe_association": {"probe_1": "npx_1_18408403232", "probe_2": "npx_1_18408405241"},
            "tasks": [
                {
                    "task_type": "OpenField",
                    "arena_apparatus": "150_square",
                    "task_start": 27,
                    "task_stop": 1533.5,
                    "notes": "covered the whole floor",
                    "light_level": "dim",
                    "objects": [
                        {"object_name": "object_1", "coord_x": 27, "coord_y": 34, "note": "a smooth tower"}
                    ],
                    "cue_cards": [
                        {"card_name": "card_1", "coord_x": 13, "coord_y": -5, "note": "on the north wall"}
                    ],
                    "curtains": [{"start_point": "bottom-left", "direction": "clockwise", "coverage": 25}],
                },
                {"task_type": "SleepTask", "task_start": 1587, "task_stop": 2110},
            ],
            "clustering": [
                {
                    "curator": "user_1",
                    "location": "N:/my_project/recordings/12345/2023-05-01/clustering_1",
                    "curation_time": "2023-05-11 12:13:14",
                    "notes": "merged by hand",
                },
                {
                    "curator": "user_2",
                    "location": "N:/my_project/recordings/12345/2023-05-01/clustering_2",
                    "curation_time": True,
                },
            ],
        },
        {
            "location": "N:/my_project/recordings/12345/2023-05-02",
            "experimenter": "user_1",
            "name": "second day",
            "tasks": [
                {
                    "task_type": "OpenField",
                    "arena_apparatus": "150_square",
                    "task_start": True,
                    "task_stop": True,
                    "notes": True,
                }
            ],
            "clustering": True,
        },
    ],
    "clustering": [
        {
            "curator": "user_2",
            "location": "N:/my_project/clustering/12345/two_days",
            "group_name": "12345_two_days",
            "sessions": ["first day", "second day"],
            "curation_time": "2023-05-19 19:00:05",
            "notes": "both days sorted together",
        },
        {
            "curator": "user_1",
            "location": "N:/my_project/clustering/12345/two_days_again",
            "group_name": "12345_two_days_again",
            "sessions": ["first day", "second day"],
        },
    ],
}


def template(format: Literal["yaml", "json"], *, example: bool = False) -> str:  # noqa: A002
    """A whole input file as text. The empty one does not pass validation until it is filled in, by design."""
    content = _EXAMPLE if example else _empty("input file")
    if format == "json":
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    lines = _Lines()
    lines.mapping(content, "input file", "")
    return _HEAD + "".join(f"{line}\n" for line in lines.written)


def _empty(kind: str) -> dict[str, Any]:
    return {name: _empty_field(note) for name, note in FIELD_NOTES[kind].items()}


def _empty_field(note: FieldNote) -> Any:
    if note.entries:
        entry = _empty(note.entries)
        return entry if note.entries == "subject" else [entry]
    return {"probe_1": None} if note.type is ASSOCIATION else None


class _Lines:
    """The lines of a YAML file; a field is explained where it stands first."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._explained: set[tuple[str, str]] = set()

    def mapping(self, content: Mapping[str, Any], kind: str, indent: str) -> None:
        for name, value in content.items():
            note = FIELD_NOTES[kind][name]
            start = f"{indent}{name}:"
            if not isinstance(value, dict | list):
                self._field(f"{start}{_scalar(value)}", kind, name)
                continue
            self._field(start, kind, name)
            if isinstance(value, dict) and note.entries:
                self.mapping(value, note.entries, f"{indent}  ")
            elif isinstance(value, dict):
                self.written += (f"{indent}  {key}:{_scalar(item)}" for key, item in value.items())
            elif note.entries:
                for item in value:
                    dash = len(self.written)
                    self.mapping(item, note.entries, f"{indent}    ")
                    self.written[dash] = f"{indent}  - {self.written[dash].lstrip()}"
            else:
                self.written += (f"{indent}  -{_scalar(item)}" for item in value)

    def _field(self, line: str, kind: str, name: str) -> None:
        if (kind, name) not in self._explained:
            self._explained.add((kind, name))
            line = f"{line:<{_COMMENT_COLUMN}}  # {described_field(FIELD_NOTES[kind][name])}"
        self.written.append(line)


def _scalar(value: Any) -> str:
    """JSON's notation of a scalar is YAML's too."""
    return "" if value is None else f" {json.dumps(value, ensure_ascii=False)}"
