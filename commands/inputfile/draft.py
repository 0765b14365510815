"""A first input file, written from what the disk tells, for a person to complete: in YAML with comments, or in JSON.

Pure: the reader of the disk makes a ``Draft``; nothing is looked up here. What only a person knows is left empty.
JSON has no comments, so their texts are returned beside it, each with its place.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from commands.inputfile.field_notes import FIELD_NOTES
from commands.inputfile.fields import clipped
from commands.inputfile.reference_values import some_values
from commands.inputfile.schema import YAML_LANGUAGE_SERVER

_LISTED = 20
_UNWRITABLE = "its name cannot be written in an input file: rename it"
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_LONGEST_COMMENT = 300

Values = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class DraftTask:
    """A row of sessions.txt: ``about`` says which, as ``#1 open_field_1, 57 to 1600 s``."""

    about: str


@dataclass(frozen=True, slots=True)
class DraftProbe:
    """``name`` is that on disk; ``serial`` is empty where it is not known. A name that is not ``is_writable`` cannot
    stand in an input file."""

    name: str
    serial: str = ""
    is_writable: bool = True


@dataclass(frozen=True, slots=True)
class DraftSession:
    """``about`` says what was found, ``remarks`` what else there is to know; ``probes`` are given where they must be
    told apart. ``without_tasks`` says why there are no tasks."""

    location: str
    about: str
    probes: tuple[DraftProbe, ...] = ()
    tasks: tuple[DraftTask, ...] = ()
    without_tasks: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """``subject`` is None where nobody named it; ``folder`` may then be its name. ``remarks`` stand at the head of
    the file.
    """

    subject: str | None
    sessions: tuple[DraftSession, ...]
    folder: str = ""
    remarks: tuple[str, ...] = ()


def must_match(table: str, values: Values = {}) -> str:  # noqa: B006 - never changed
    """``must match reference.Experimenter: user_1, user_2``: twenty values at most, then how many more there are."""
    valid = values.get(table)
    if valid is None:
        return f"must match {table}"
    if not valid:
        return f"must match {table}, which has no values yet"
    return f"must match {table}: {some_values(valid, _LISTED)}"


class _Matches:
    """What a field must match; the values of a table are listed where it is named first."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._listed: set[str] = set()

    def __call__(self, kind: str, field: str) -> str:
        table = FIELD_NOTES[kind][field].table
        values = {} if table in self._listed else self._values
        self._listed.add(table)
        return must_match(table, values)


def draft_yaml(draft: Draft, values: Values = {}) -> str:  # noqa: B006 - never changed
    """``values`` are the valid ones of each table, where a ledger is at hand."""
    subject = f" # a registered subject; folder {_said(draft.folder)}"
    lines = [
        YAML_LANGUAGE_SERVER,
        "# Written from what is on disk. Fill in what is empty; optional lines stand in comments.",
        *(f"# {_said(remark)}" for remark in draft.remarks),
        "subject:",
        f"  name: {quoted(draft.subject) if draft.subject is not None else subject}",
        "  datasource_id: 0",
        "",
        "sessions:",
    ]
    matches = _Matches(values)
    for session in draft.sessions:
        lines += [*_session_lines(session, matches), ""]
    return "\n".join(lines[:-1] if draft.sessions else [*lines[:-1], "sessions: []"]) + "\n"


def _session_lines(session: DraftSession, matches: _Matches) -> list[str]:
    lines = [
        f"  # {_said(session.about)}",
        *(f"  # {_said(remark)}" for remark in session.remarks),
        f"  - location: {quoted(session.location)}",
        "    experimenter:",
        f"      -  # {matches('session', 'experimenter')}",
        f"    # room:  # {matches('session', 'room')}",
        f"    # project:  # {matches('session', 'project')}",
    ]
    lines += _association_lines(session, matches)
    if not session.tasks:
        return [*lines, f"    tasks: []  # {_said(session.without_tasks or 'sessions.txt is empty')}"]
    lines.append("    tasks:")
    for task in session.tasks:
        lines += [
            f"      # {_said(task.about)}",
            f"      - task_type:  # {matches('task', 'task_type')}",
            f"        arena_apparatus:  # {matches('task', 'arena_apparatus')}",
            "        task_start: true  # from sessions.txt, as the stop and the notes",
            "        task_stop: true",
            "        notes: true",
            f"        # light_level:  # {matches('task', 'light_level')}",
        ]
    return lines


def _association_lines(session: DraftSession, matches: _Matches) -> list[str]:
    if not session.probes:
        return []
    lines = ["    probe_association:  # not needed where reference.Probe names hold the serial numbers"]
    for probe in session.probes:
        serial = f"serial {probe.serial}, " if probe.serial else ""
        if probe.is_writable:
            lines.append(f"      {quoted(probe.name)}:  # {serial}{matches('session', 'probe_association')}")
        else:
            lines.append(f"      # {_said(probe.name)}: {serial}{_UNWRITABLE}")
    if any(probe.is_writable for probe in session.probes):
        return lines
    return [f"    # {line.lstrip(' #')}" for line in lines]


def draft_json(draft: Draft, values: Values = {}) -> tuple[str, list[tuple[str, str]]]:  # noqa: B006 - never changed
    """The JSON text, and what the comments of the YAML say: path (empty for the file) and text, in the order of the
    file. What is to be filled in is null, so that the file is refused until it is."""
    notes = [("", remark) for remark in draft.remarks]
    if draft.subject is None:
        notes.append(("subject.name", f"a registered subject; folder {_said(draft.folder)}"))
    sessions = []
    matches = _Matches(values)
    for index, session in enumerate(draft.sessions):
        sessions.append(_session(session))
        notes += _session_notes(session, f"sessions[{index}]", matches)
    document = {"subject": {"name": draft.subject, "datasource_id": 0}, "sessions": sessions}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _UNSAFE.sub(_escaped, text) + "\n", notes


def _session(session: DraftSession) -> dict[str, Any]:
    content: dict[str, Any] = {"location": session.location, "experimenter": [None]}
    if session.probes:
        content["probe_association"] = {probe.name: None for probe in session.probes if probe.is_writable}
    task = {"task_type": None, "arena_apparatus": None, "task_start": True, "task_stop": True, "notes": True}
    content["tasks"] = [dict(task) for _ in session.tasks]
    return content


def _session_notes(session: DraftSession, at: str, matches: _Matches) -> list[tuple[str, str]]:
    notes = [
        (at, _said(session.about)),
        *((at, _said(remark)) for remark in session.remarks),
        (f"{at}.experimenter", matches("session", "experimenter")),
        (f"{at}.room", f"optional; {matches('session', 'room')}"),
        (f"{at}.project", f"optional; {matches('session', 'project')}"),
    ]
    if session.probes:
        serials = ", ".join(
            f"{probe.name}: serial {probe.serial}" for probe in session.probes if probe.serial
        )
        found = f"; {_said(serials)}" if serials else ""
        notes.append((f"{at}.probe_association", matches("session", "probe_association") + found))
    if not session.tasks:
        notes.append((f"{at}.tasks", _said(session.without_tasks or "sessions.txt is empty")))
    for number, task in enumerate(session.tasks):
        notes.append((f"{at}.tasks[{number}]", _said(task.about)))
    if session.tasks:
        fields = ("task_type", "arena_apparatus", "light_level")
        notes += [(f"{at}.tasks[].{field}", matches("task", field)) for field in fields]
    return notes


def quoted(text: str) -> str:
    """A double-quoted scalar for any text, in YAML and in JSON."""
    return _UNSAFE.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _said(text: str) -> str:
    """Text for a comment: on one line, and not too long."""
    return clipped(" ".join(text.split()), _LONGEST_COMMENT)
