"""Malformed and nasty input files, each with the part of it that must be named: a line, or none where there is none."""

import json

GOOD = """\
subject:
  name: 12345
sessions:
  - location: N:/rec/date_1
    experimenter: user_1
    tasks:
      - task_type: OpenField
        arena_apparatus: 150_square
        task_start: 1
        task_stop: 2
    clustering: no
"""
PLAIN = {
    "subject": {"name": "12345"},
    "sessions": [{
        "location": "N:/rec/date_1", "experimenter": "user_1", "clustering": False,
        "tasks": [{"task_type": "OpenField", "arena_apparatus": "150_square", "task_start": 1, "task_stop": 2}],
    }],
}  # fmt: skip
AS_JSON = json.dumps(PLAIN, indent=1)

# Bytes that are no document. No line is asked for where there is no place to point at.
NO_DOCUMENT: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\n\t\n",
    "comment only": b"# nothing\n",
    "nul": b"\0",
    "nul inside": GOOD.encode().replace(b"user_1", b"user\0_1"),
    "utf-16": GOOD.encode("utf-16"),
    "utf-16 without a mark": GOOD.encode("utf-16-le"),
    "utf-32": GOOD.encode("utf-32"),
    "latin-1": GOOD.encode().replace(b"user_1", "jérôme".encode("latin-1")),
    "broken utf-8": GOOD.encode() + b"\xc3",
    "surrogate in utf-8": GOOD.encode() + b"# \xed\xa0\x80",
    "zip": b"PK\x03\x04" + bytes(range(256)),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "gzip": b"\x1f\x8b\x08\x00" + bytes(100),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "all bytes": bytes(range(256)) * 4,
    "a word": b"hello",
    "a number": b"42",
    "a list": b"[]",
    "a list of sessions": b"- location: N:/rec/date_1\n",
    "null": b"null",
    "true": b"true",
    "html": b"<!DOCTYPE html><html><body>403</body></html>",
    "toml": b'[subject]\nname = "12345"\n',
    "csv": b"location,experimenter\nN:/rec/date_1,user_1\n",
    "two documents": GOOD.encode() + b"---\n" + GOOD.encode(),
    "tab": GOOD.replace("    tasks", "\ttasks").encode(),
    "unclosed quote": GOOD.replace("user_1", '"user_1').encode(),
    "unclosed bracket": GOOD.replace("user_1", "[user_1").encode(),
    "no colon": GOOD.replace("experimenter: ", "experimenter ").encode(),
    "no blank behind the colon": GOOD.replace("experimenter: ", "experimenter:").encode(),
    "indented too far": GOOD.replace("    tasks", "      tasks").encode(),
    "indented too little": GOOD.replace("    tasks", "   tasks").encode(),
    "at sign": GOOD.replace("user_1", "@user_1").encode(),
    "unknown anchor": GOOD.replace("user_1", "*nobody").encode(),
    "anchor of itself": b"subject: &a\n  name: *a\n",
    "billion laughs": b"a: &a [x, x, x, x, x, x, x, x, x]\n"
    + b"".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n".encode() for n in range(12)
    ),
    "deep yaml": b"subject: " + b"[" * 5000 + b"]" * 5000,
    "deep json": b'{"subject": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep blocks": b"".join(b" " * n + b"a:\n" for n in range(200)),
    "python object": b"subject: !!python/object/apply:os.system ['true']\n",
    "binary tag": b"subject:\n  name: !!binary aGVsbG8=\n",
    "set tag": b"subject: !!set {name}\n",
    "key that is a list": b"subject: {name: 12345, [a]: b}\n",
    "json without a comma": AS_JSON.replace('"user_1",', '"user_1"').encode(),
    "json with one comma too many": AS_JSON.replace('"task_stop": 2', '"task_stop": 2,').encode(),
    "json with a comment": AS_JSON.replace('"user_1",', '"user_1", // me').encode(),
    "json with single quotes": AS_JSON.replace('"', "'").replace("'user_1'", "'user_1").encode(),
    "json cut short": AS_JSON[: len(AS_JSON) // 2].encode(),
    "json and more": AS_JSON.encode() + b"}",
    "two json documents": AS_JSON.encode() + AS_JSON.encode(),
    "json with NaN": AS_JSON.replace(": 2", ": NaN").encode(),
    "json with Infinity": AS_JSON.replace(": 2", ": Infinity").encode(),
    "json with a repeated key": AS_JSON.replace(
        '"clustering"', '"experimenter": "user_2", "clustering"'
    ).encode(),
    "json escape that is none": AS_JSON.replace("N:/rec/date_1", "N:\\rec\\date_1").encode(),
}


def _with(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new).encode()


def _json_with(old: str, new: str) -> bytes:
    assert old in AS_JSON
    return AS_JSON.replace(old, new).encode()


LOCATION = "N:/rec/date_1"

# Documents with something wrong in line ``line`` (None: any).
WRONG: dict[str, tuple[bytes, int | None]] = {
    "merge key": (b"subject: {<<: {name: 1}}\n", 1),
    "no subject": (GOOD.partition("\n")[2].partition("\n")[2].encode(), None),
    "subject is a text": (_with("\n  name: 12345", " 12345"), 1),
    "subject without a name": (_with("name: 12345", "datasource_id: 0"), None),
    "subject name null": (_with("name: 12345", "name:"), 2),
    "subject name empty": (_with("12345", "''"), 2),
    "subject name a list": (_with("12345", "[1]"), 2),
    "subject name with a surrogate": (_json_with('"12345"', '"\\ud800"'), 3),
    "subject name with NUL": (_json_with('"12345"', '"a\\u0000b"'), 3),
    "subject name of a megabyte": (_with("12345", "9" * 1_000_000), 2),
    "subject unknown": (_with("12345", "99999"), 2),
    "subject with a slash": (_with("12345", "0/12345"), 2),
    "subject without probes": (_with("12345", "34567"), 2),
    "datasource 1": (_with("name: 12345", "name: 12345\n  datasource_id: 1"), 3),
    "datasource as text": (_with("name: 12345", "name: 12345\n  datasource_id: nul"), 3),
    "datasource huge": (_with("name: 12345", f"name: 12345\n  datasource_id: {10**30}"), 3),
    "unknown key at the top": (_with("sessions:", "session:"), 3),
    "unknown key": (_with("experimenter", "experimentr"), 5),
    "unknown key in a task": (_with("task_stop", "task_end"), 10),
    "key twice": (_with("    tasks:", "    experimenter: user_2\n    tasks:"), 6),
    "sessions is a mapping": (_with("  - location", "    location"), None),
    "sessions null": (b"subject: {name: 12345}\nsessions:\n", 2),
    "session is a text": (b"subject: {name: 12345}\nsessions: [one]\n", 2),
    "session null": (b"subject: {name: 12345}\nsessions:\n  -\n", None),
    "no location": (_with("location: N:/rec/date_1\n    ", ""), 4),
    "location null": (_with(LOCATION, ""), 4),
    "location relative": (_with(LOCATION, "rec/date_1"), 4),
    "location outside": (_with(LOCATION, "P:/rec/date_1"), 4),
    "location of the machine": (_with(LOCATION, "/etc"), 4),
    "location with dots": (_with(LOCATION, "N:/rec/../../etc"), 4),
    "location not there": (_with(LOCATION, "N:/rec/date_9"), 4),
    "location a file": (_with(LOCATION, "N:/rec/date_1/probe_1/npx.imec.ap.meta"), 4),
    "location with NUL": (_json_with(LOCATION, "N:/rec/\\u0000"), 7),
    "location with a surrogate": (_json_with(LOCATION, "N:/rec/\\udc80"), 7),
    "location with a line break": (_json_with(LOCATION, "N:/rec/\\n"), 7),
    "location too long": (_with(LOCATION, "N:/" + "a" * 3000), 4),
    "location with a long name": (_with(LOCATION, "N:/" + "a" * 300), 4),
    "location deep": (_with(LOCATION, "N:" + "/a" * 900), 4),
    "location a number": (_with(LOCATION, "5"), 4),
    "location a drive": (_with(LOCATION, "N:"), None),
    "location of a share": (_with(LOCATION, "//server/share/x"), 4),
    "location with bidi marks": (_with(LOCATION, "N:/rec/\u202edate_1"), 4),
    "location twice": ((GOOD + GOOD.partition("sessions:\n")[2]).encode(), 12),
    "no experimenter": (_with("    experimenter: user_1\n", ""), 4),
    "experimenter empty list": (_with("user_1", "[]"), 5),
    "experimenter null in list": (_with("user_1", "[user_1, ]\n    room:"), None),
    "experimenter mapping": (_with("user_1", "{a: b}"), 5),
    "experimenter unknown": (_with("user_1", "user_9"), 5),
    "experimenter true": (_with("user_1", "yes"), 5),
    "no tasks": (GOOD.partition("    tasks:")[0].encode(), 4),
    "tasks null": (_with("    clustering: no", "    notes:"), 11),
    "tasks a mapping": (_with("      - task_type", "        task_type"), None),
    "task a text": (_with("- task_type: OpenField", "- OpenField\n      - task_type: OpenField"), 7),
    "task type unknown": (_with("OpenField", "OpenFeild"), 7),
    "arena missing": (_with("        arena_apparatus: 150_square\n", ""), 7),
    "arena unknown": (_with("150_square", "151_square"), 8),
    "start false": (_with("task_start: 1", "task_start: no"), 9),
    "start a text": (_with("task_start: 1", "task_start: one"), 9),
    "start a clock": (_with("task_start: 1", "task_start: '00:01'"), 9),
    "start nan": (_with("task_start: 1", "task_start: .nan"), 9),
    "start infinite": (_with("task_start: 1", "task_start: -.inf"), 9),
    "start too large a number": (_with("task_start: 1", "task_start: 1e999"), 9),
    "start of many digits": (_with("task_start: 1", "task_start: " + "9" * 5000), 9),
    "start null": (_with("task_start: 1", "task_start: ~"), 9),
    "stop before start": (_with("task_stop: 2", "task_stop: 0.5"), 10),
    "stop equals start": (_with("task_stop: 2", "task_stop: 1"), 10),
    "tasks overlap": (
        _with("    clustering", "      - {task_type: OpenField, arena_apparatus: 150_square, task_start: 1.5, task_stop: 3}\n"
              "    clustering"), None),
    "notes false": (_with("task_stop: 2", "task_stop: 2\n        notes: no"), 11),
    "notes a mapping": (_with("task_stop: 2", "task_stop: 2\n        notes: {a: b}"), 11),
    "notes with NUL": (_json_with('"task_stop": 2', '"task_stop": 2, "notes": "\\u0000"'), None),
    "notes with a surrogate": (_json_with('"task_stop": 2', '"task_stop": 2, "notes": "\\ud83d"'), None),
    "light level unknown": (_with("task_stop: 2", "task_stop: 2\n        light_level: dark"), 11),
    "object unknown": (
        _with("task_stop: 2", "task_stop: 2\n        objects: [{object_name: x, coord_x: 1, coord_y: 2}]"), 11),
    "object without coordinates": (_with("task_stop: 2", "task_stop: 2\n        objects: [{object_name: object_1}]"), 11),
    "object coordinate a text": (
        _with("task_stop: 2", "task_stop: 2\n        objects: [{object_name: object_1, coord_x: a, coord_y: 2}]"), 11),
    "card unknown": (
        _with("task_stop: 2", "task_stop: 2\n        cue_cards: [{card_name: x, coord_x: 1, coord_y: 2}]"), 11),
    "curtain without coverage": (
        _with("task_stop: 2", "task_stop: 2\n        curtains: [{start_point: a, direction: b}]"), 11),
    "clustering a text": (_with("clustering: no", "clustering: maybe"), 11),
    "clustering null": (_with("clustering: no", "clustering:"), 11),
    "clustering mixed": (_with("clustering: no", "clustering: [yes, {curator: user_1, location: N:/rec}]"), 11),
    "clustering curator unknown": (_with("clustering: no", "clustering: [{curator: u, location: N:/rec}]"), 11),
    "clustering location away": (_with("clustering: no", "clustering: [{curator: user_1, location: N:/x}]"), 11),
    "clustering time false": (
        _with("clustering: no", "clustering: [{curator: user_1, location: N:/rec, curation_time: no}]"), 11),
    "clustering time a date": (
        _with("clustering: no", "clustering: [{curator: user_1, location: N:/rec, curation_time: 2023-04-05}]"), 11),
    "clustering time with a zone": (
        _with("clustering: no", "clustering: [{curator: user_1, location: N:/rec, curation_time: 2023-04-05 10:00:00Z}]"), 11),
    "clustering time impossible": (
        _with("clustering: no", "clustering: [{curator: user_1, location: N:/rec, curation_time: 2023-02-30 10:00:00}]"), 11),
    "room unknown": (_with("clustering: no", "room: 2.34"), 11),
    "room a list": (_with("clustering: no", "room: [2.345]"), 11),
    "project unknown": (_with("clustering: no", "project: my_projet"), 11),
    "project null": (_with("clustering: no", "project:"), 11),
    "association a list": (_with("clustering: no", "probe_association: [probe_1]"), 11),
    "association unknown probe": (_with("clustering: no", "probe_association: {probe_1: npx_9}"), 11),
    "association of a probe elsewhere": (_with("clustering: no", "probe_association: {probe_1: tetrode_drive}"), 11),
    "association null": (_with("clustering: no", "probe_association: {probe_1: }"), 11),
    "name a time": (_with("clustering: no", "name: 2023-05-01 10:00:00"), 11),
    "name twice": ((GOOD + "    name: a\n  - {location: N:/rec, experimenter: user_1, tasks: [], name: a}\n").encode(), None),
    "group of one session": (
        (GOOD + "clustering: [{curator: user_1, location: N:/rec, group_name: g, sessions: [a]}]\n").encode(), 12),
    "group of unknown sessions": (
        (GOOD + "clustering: [{curator: user_1, location: N:/rec, group_name: g, sessions: [a, b]}]\n").encode(), 12),
    "group without a name": (
        (GOOD + "clustering: [{curator: user_1, location: N:/rec, sessions: [a, b]}]\n").encode(), 12),
    "group name too long": (
        (GOOD + f"clustering: [{{curator: user_1, location: N:/rec, group_name: {'g' * 65}, sessions: [a, b]}}]\n").encode(), 12),
    "group is a boolean": ((GOOD + "clustering: yes\n").encode(), 12),
    "groups null": ((GOOD + "clustering:\n").encode(), 12),
}  # fmt: skip
