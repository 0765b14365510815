"""The top level of an input file: its three parts, and what must not come twice in one file."""

import re
from dataclasses import dataclass, field
from typing import Any

from commands.inputfile.blanking import record_of
from commands.inputfile.document import Document, Place, Unreadable, parts_of, path_text
from commands.inputfile.entries import (
    GroupClusteringEntry,
    InputFile,
    RedactedEntry,
    SessionEntry,
    SubjectEntry,
    TaskEntry,
)
from commands.inputfile.fields import BAD, clipped
from commands.inputfile.keywords import keywords_of, read_list, read_mapping
from commands.inputfile.mappings import GROUP_CLUSTERING, SESSION, SUBJECT, read_task, read_task_list
from commands.inputfile.report import Report
from ledger.look_alikes import difference, folded

_SLASHES = re.compile(r"(?<=.)//++")


def read_entries(document: Document, report: Report) -> tuple[InputFile | None, frozenset[str]]:
    """The typed entries, and the names of those sessions that were left out for an error."""
    parts, _ = read_mapping(document.root, _INPUT_FILE, report, None)
    subject = parts.get("subject")
    sessions, left_out, redacted = parts.get("sessions", ((), frozenset(), ()))
    if subject is None:
        return None, left_out
    clusterings, also_redacted = parts.get("clustering", ((), ()))
    return InputFile(subject, sessions, clusterings, (*redacted, *also_redacted)), left_out


def read_task_document(document: Document, report: Report) -> tuple[TaskEntry, ...] | None:
    """The tasks of a document that is a list of tasks, or a mapping with the key ``tasks``; None after an
    error."""
    if not isinstance(document.root, list):
        values, good = read_mapping(document.root, _TASKS_ALONE, report, None)
        return values["tasks"] if good else None
    tasks = []
    for index, item in enumerate(document.root):
        task = read_task(item, report, (None, index))
        if task is not None:
            tasks.append(task)
    return None if report.errors else tuple(tasks)


def _subject(value: Any, report: Report, place: Place, key: Any) -> Any:
    values, good = read_mapping(value, SUBJECT, report, (place, key))
    return SubjectEntry(**values) if good else BAD


def _sessions(value: Any, report: Report, place: Place, key: Any) -> Any:
    items = read_list(value, report, place, key, "a list of sessions")
    if items is None:
        return BAD
    here = (place, key)
    found = _Sessions(report)
    for index, item in enumerate(items):
        if (record := record_of(item)) is not None:
            found.redacted.append(RedactedEntry("sessions", index, record))
            continue
        try:
            found.read(item, (here, index), index)
        except Unreadable:
            raise
        except Exception as fault:  # noqa: BLE001 - the others are read
            report.fault(here, index, fault)
    return tuple(found.sessions), frozenset(found.left_out), tuple(found.redacted)


@dataclass(slots=True)
class _Sessions:
    """The sessions that were read so far, and what each of them has for itself."""

    report: Report
    sessions: list[SessionEntry] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    redacted: list[RedactedEntry] = field(default_factory=list)
    locations: dict[str, int] = field(default_factory=dict)
    names: dict[str, tuple[int, str]] = field(default_factory=dict)

    def read(self, item: Any, at: Place, index: int) -> None:
        report = self.report
        values, good = read_mapping(item, SESSION, report, at)
        location, name = values.get("location"), values.get("name")
        if location is not None:
            first = self.locations.setdefault(same_location(location), index)
            if first != index:
                good = False
                message = f"The location {clipped(location, 200)} is that of sessions[{first}] too."
                hint = _unless_cut(report, at, "location", "A session is entered once: remove one.")
                report.error("duplicate-location", at, "location", message, hint)
        if name is not None and not _is_first(name, index, self.names, report, at, "name"):
            good = False
        if good:
            session = SessionEntry(index=index, **values)
            _notice_inheritance(session.tasks, report, at)
            self.sessions.append(session)
        elif name is not None:
            self.left_out.add(name)


def _is_first(
    name: str, index: int, names: dict[str, tuple[int, str]], report: Report, place: Place, key: str
) -> bool:
    """Whether no entry before this one has the name, or one that looks alike."""
    first, other = names.setdefault(folded(name), (index, name))
    if first == index:
        return True
    entry = "sessions" if key == "name" else "clustering"
    if other == name:
        message = f'The {key} "{clipped(name)}" is that of {entry}[{first}] too; it is used once in a file.'
        hint = _unless_cut(report, place, key, "Give one of them another name.")
        report.error(f"duplicate-{key.replace('_', '-')}", place, key, message, hint)
    else:
        message = f'The {key} "{clipped(name)}" looks like "{clipped(other)}" of {entry}[{first}].'
        hint = f"Give one of them another name. {difference(name, other)}".rstrip()
        report.error("look-alike-name", place, key, message, hint)
    return False


def _unless_cut(report: Report, place: Place, key: str, hint: str) -> str:
    """Two texts may be equal only because a comment begins in one of them."""
    longer = report.cut.get(path_text(parts_of((place, key))))
    return (
        f'It is cut where a comment begins: write "{clipped(longer[0], 200)}" in quotes.' if longer else hint
    )


def same_location(location: str) -> str:
    """The text by which two locations of one file are told to be the same: slashes are normalised, case
    is kept."""
    return _SLASHES.sub("/", location.replace("\\", "/")).rstrip("/") or "/"


def _notice_inheritance(tasks: tuple[TaskEntry, ...], report: Report, place: Place) -> None:
    """One notice a session says which of its tasks take what from sessions.txt."""
    inheriting = []
    for number, task in enumerate(tasks, 1):
        fields = [field for field in ("task_start", "task_stop", "notes") if getattr(task, field) is True]
        if fields:
            inheriting.append((number, fields))
    if not inheriting:
        return
    shown = "; ".join(f"task {number}: {', '.join(fields)}" for number, fields in inheriting[:8])
    if len(inheriting) > 8:
        shown += f"; and {len(inheriting) - 8} more"
    report.notice(
        "inherits", place, "tasks", f"To be taken from sessions.txt, by the order of the tasks: {shown}."
    )


def _group_clusterings(value: Any, report: Report, place: Place, key: Any) -> Any:
    items = read_list(value, report, place, key, "a list of multi-session clusterings")
    if items is None:
        return BAD
    here = (place, key)
    entries: list[GroupClusteringEntry] = []
    groups: dict[str, tuple[int, str]] = {}
    redacted: list[RedactedEntry] = []
    for index, item in enumerate(items):
        if (record := record_of(item)) is not None:
            redacted.append(RedactedEntry("clustering", index, record))
            continue
        try:
            entry = _group_clustering(item, (here, index), index, groups, report)
        except Unreadable:
            raise
        except Exception as fault:  # noqa: BLE001 - the others are read
            report.fault(here, index, fault)
        else:
            entries += [] if entry is None else [entry]
    return tuple(entries), tuple(redacted)


def _group_clustering(
    item: Any, at: Place, index: int, groups: dict[str, tuple[int, str]], report: Report
) -> GroupClusteringEntry | None:
    values, good = read_mapping(item, GROUP_CLUSTERING, report, at)
    group = values.get("group_name")
    if group is not None and not _is_first(group, index, groups, report, at, "group_name"):
        good = False
    return GroupClusteringEntry(index=index, **values) if good else None


_INPUT_FILE = keywords_of(
    "the input file",
    {"subject": (_subject, "a mapping with the name of the subject")},
    {
        "sessions": (_sessions, "a list of sessions"),
        "clustering": (_group_clusterings, "a list of multi-session clusterings"),
    },
)
_TASKS_ALONE = keywords_of("the file", {"tasks": (read_task_list, "a list of tasks")}, {})
