"""Input files made to measure: one growing recording campaign, as a document, as YAML and as JSON.

The text looks like what people write (indented block YAML, some strings quoted, some not; indented JSON),
because the cost of reading depends on it. Benchmarks import this module too.
"""

import json
from datetime import datetime, timedelta
from typing import Any

START = datetime(2023, 1, 2, 10, 0, 0)


def campaign_session(number: int) -> dict[str, Any]:
    """Session ``number`` (from 1) of the campaign: two tasks, two probes, one clustering."""
    day = START + timedelta(days=number // 3, hours=2 * (number % 3))
    location = f"N:/my_project/recordings/12345/{day:%Y-%m-%d_%H-%M-%S}_{number}"
    return {
        "location": location,
        "name": f"12345_s{number}",
        "experimenter": ["user_1", "user_2"],
        "room": 2.345,
        "project": "my_project",
        "notes": f"run {number}, the subject explored an open arena with no stimulation",
        "probe_association": {"probe_1": "npx_1_18408403232", "probe_2": "npx_1_18408405241"},
        "tasks": [
            {
                "task_type": "OpenField",
                "arena_apparatus": "150_square",
                "task_start": 27,
                "task_stop": 1533.5 + number % 7,
                "notes": "no stimulation",
                "light_level": "dim",
            },
            {
                "task_type": "SleepTask",
                "arena_apparatus": "rest_box",
                "task_start": 1587,
                "task_stop": 2110.25,
            },
        ],
        "clustering": [
            {
                "curator": "user_1",
                "curation_time": f"{day + timedelta(days=2):%Y-%m-%d %H:%M:%S}",
                "location": f"{location}/clustering_1",
                "notes": "first pass",
            }
        ],
    }


def campaign(sessions: int) -> dict[str, Any]:
    """One subject with that many sessions, and a multi-session clustering for each hundred of them."""
    return {
        "subject": {"name": 12345, "datasource_id": 0},
        "sessions": [campaign_session(number) for number in range(1, sessions + 1)],
        "clustering": [
            {
                "curator": "user_3",
                "curation_time": "2026-04-07 19:00:05",
                "location": f"N:/my_project/clustering/12345/msc_{first:05d}",
                "group_name": f"12345_msc_g{first:05d}",
                "sessions": [f"12345_s{first}", f"12345_s{first + 1}"],
            }
            for first in range(1, sessions, 100)
        ],
    }


def campaign_json(sessions: int) -> bytes:
    return json.dumps(campaign(sessions), indent=1).encode()


def campaign_yaml(sessions: int) -> bytes:
    document = campaign(sessions)
    lines = ["---", "subject:", "  name: 12345", "  datasource_id: 0", "sessions:"]
    for session in document["sessions"]:
        lines += ["", *_session_lines(session)]
    lines += ["", "clustering:"]
    for group in document["clustering"]:
        lines += [
            f"  - curator: {group['curator']}",
            f"    curation_time: {group['curation_time']}",
            f'    location: "{group["location"]}"',
            f"    group_name: {group['group_name']}",
            "    sessions:",
            *(f"      - {name}" for name in group["sessions"]),
        ]
    return ("\n".join(lines) + "\n").encode()


def _session_lines(session: dict[str, Any]) -> list[str]:
    lines = [
        f'  - location: "{session["location"]}"',
        f'    name: "{session["name"]}"',
        "    experimenter:",
        *(f"      - {name}" for name in session["experimenter"]),
        f"    room: {session['room']}              # optional",
        f"    project: {session['project']}",
        f'    notes: "{session["notes"]}"',
        "    probe_association:",
        *(f"      {key}: {value}" for key, value in session["probe_association"].items()),
        "    tasks:",
    ]
    for task in session["tasks"]:
        lead = "      - "
        for key, value in task.items():
            lines.append(f'{lead}{key}: "{value}"' if key == "notes" else f"{lead}{key}: {value}")
            lead = "        "
    lines.append("    clustering:")
    for clustering in session["clustering"]:
        lead = "      - "
        for key, value in clustering.items():
            lines.append(
                f'{lead}{key}: "{value}"' if key in ("location", "notes") else f"{lead}{key}: {value}"
            )
            lead = "        "
    return lines


EXAMPLE_YAML = """\
subject:
  name: 12345
  datasource_id: 0
sessions:
  - location: "N:/my_project/recordings/12345/date_1"
    name: "12345_1"
    experimenter:
      - user_1
      - user_2
    room: 2.345
    project: my_project
    notes: "abc"
    probe_association:
      probe_1: npx_1_18408403232
      probe_2: npx_1_18408405241
    tasks:
      - task_type: OpenField
        arena_apparatus: 150_square
        task_start: 27
        task_stop: 1533.5
        notes: "no stimulation"
        light_level: dim
        objects:
          - object_name: object_1
            coord_x: 27
            coord_y: 34
            note: "tower"
        cue_cards:
          - card_name: card_1
            coord_x: 13
            coord_y: -5
        curtains:
          - start_point: "bottom-left"
            direction: "clockwise"
            coverage: 25
      - task_type: SleepTask
        task_start: 1587
        task_stop: 2110
    clustering:
      - curator: user_1
        curation_time: 2023-04-05 12:13:14
        location: N:/my_project/recordings/12345/date_1/clustering_1
        notes: first pass
  - location: "N:/my_project/recordings/12345/date_2"
    name: "12345_2"
    experimenter: user_1
    tasks: []
    clustering: no
clustering:
  - curator: user_3
    curation_time: yes
    location: N:/my_project/clustering/12345/msc_0001
    group_name: 12345_msc_0001
    sessions:
      - "12345_1"
      - 2023-05-01 10:00:00
"""
EXAMPLE_JSON = """\
{
  "subject": {"name": 12345, "datasource_id": 0},
  "sessions": [
    {
      "location": "N:/my_project/recordings/12345/date_1",
      "name": "12345_1",
      "experimenter": ["user_1", "user_2"],
      "room": 2.345,
      "project": "my_project",
      "notes": "abc",
      "probe_association": {"probe_1": "npx_1_18408403232", "probe_2": "npx_1_18408405241"},
      "tasks": [
        {
          "task_type": "OpenField",
          "arena_apparatus": "150_square",
          "task_start": 27,
          "task_stop": 1533.5,
          "notes": "no stimulation",
          "light_level": "dim",
          "objects": [{"object_name": "object_1", "coord_x": 27, "coord_y": 34, "note": "tower"}],
          "cue_cards": [{"card_name": "card_1", "coord_x": 13, "coord_y": -5}],
          "curtains": [{"start_point": "bottom-left", "direction": "clockwise", "coverage": 25}]
        },
        {"task_type": "SleepTask", "task_start": 1587, "task_stop": 2110}
      ],
      "clustering": [
        {
          "curator": "user_1",
          "curation_time": "2023-04-05 12:13:14",
          "location": "N:/my_project/recordings/12345/date_1/clustering_1",
          "notes": "first pass"
        }
      ]
    },
    {
      "location": "N:/my_project/recordings/12345/date_2",
      "name": "12345_2",
      "experimenter": "user_1",
      "tasks": [],
      "clustering": false
    }
  ],
  "clustering": [
    {
      "curator": "user_3",
      "curation_time": true,
      "location": "N:/my_project/clustering/12345/msc_0001",
      "group_name": "12345_msc_0001",
      "sessions": ["12345_1", "2023-05-01 10:00:00"]
    }
  ]
}
"""


def with_changes(text: str, *changes: tuple[str, str]) -> str:
    """The text with each first occurrence replaced; an occurrence that is missing is a fault of the test."""
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


def block_yaml(value: Any, indent: int = 0) -> str:
    """A plain document as block YAML: texts double-quoted, numbers and words as JSON writes them."""
    lead = " " * indent
    if isinstance(value, dict) and value:
        lines = []
        for key, item in value.items():
            nested = isinstance(item, dict | list) and item
            lines.append(
                f"{lead}{_quoted(key)}:"
                + (f"\n{block_yaml(item, indent + 2)}" if nested else f" {block_yaml(item)}")
            )
        return "\n".join(lines)
    if isinstance(value, list) and value:
        return "\n".join(
            f"{lead}-\n{block_yaml(item, indent + 2)}"
            if isinstance(item, dict | list) and item
            else f"{lead}- {block_yaml(item)}"
            for item in value
        )
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """JSON's escapes are YAML's too, but YAML wants more characters escaped."""
    return "".join(
        sign if sign.isprintable() else f"\\U{ord(sign):08X}" for sign in json.dumps(text, ensure_ascii=False)
    )
