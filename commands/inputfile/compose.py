"""Write a first input file for a directory: all that the disk can tell, and empty places for the rest.

The text is meant to be completed by a person. Required values that only a person knows are left empty, with a
comment that names the table to match; optional ones stand in comments.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from commands.inputfile.schema import YAML_LANGUAGE_SERVER
from commands.recordings.disk import Listing, list_files, shown
from commands.recordings.readers import ENDINGS, read_session_directory
from commands.recordings.session import NotASession, SessionDirectory, SessionDirectoryError
from commands.recordings.session_folders import is_part_of_session, session_folders
from commands.recordings.sessions_txt import TaskRow, find_sessions_txt, parse_sessions_txt

_LAST = datetime.fromisoformat("9999-12-31")
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class ComposeProblem(SessionDirectoryError):
    """There is nothing that an input file could be written for, or too much."""


@dataclass(frozen=True, slots=True)
class _Session:
    path: Path
    found: SessionDirectory
    rows: tuple[TaskRow, ...]
    remark: str


def compose(directory: Path, *, subject: str | None, location_of: Callable[[Path], str]) -> str:
    """The YAML text of an input file for a session directory, or for a directory of session directories.

    ``location_of`` gives the location of a directory as it is written in input files. Raises ComposeProblem
    for a directory without sessions, of several subjects, of several systems, or of a single probe.
    """
    directory = directory.absolute()
    listing = _listed(directory)
    tables = [found.folder for found in listing.found if found.name.lower() == "sessions.txt"]
    recordings = [found.folder for found in listing.found if found.name.lower().endswith(ENDINGS)]
    folders = session_folders(recordings, tables)
    if not folders:
        raise ComposeProblem(
            "no-sessions",
            f"{shown(directory)} holds no recording of a known system "
            f"({listing.seen:,} files and folders looked at).",
            "Give a session directory, or the directory that holds the sessions of one subject.",
        )
    if folders == [""] and is_part_of_session(directory.name):
        raise ComposeProblem(
            "part-of-session",
            f"{shown(directory)} looks like the folder of one probe.",
            "Give the session directory above it.",
        )
    _refuse_several_subjects(directory, folders)
    sessions, unreadable = _read(directory, folders)
    systems = sorted({session.found.system for session in sessions})
    if len(systems) > 1:
        raise ComposeProblem(
            "mixed-systems",
            f"{shown(directory)} holds sessions of several systems: {', '.join(systems)}.",
            "Give one session directory at a time.",
        )
    holder = sessions[0].path.parent.name
    return _text(sessions, unreadable, subject, holder, location_of)


def quoted(text: str) -> str:
    """A double-quoted YAML scalar for any text."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _listed(directory: Path) -> Listing:
    try:
        return list_files(directory, (*ENDINGS, "sessions.txt"))
    except NotASession as problem:
        raise ComposeProblem(problem.code, problem.message, problem.hint) from problem


def _refuse_several_subjects(directory: Path, folders: Sequence[str]) -> None:
    if folders == [""]:
        return
    parents = Counter(folder.rpartition("/")[0] for folder in folders)
    if len(parents) > 1:
        counted = [
            f"{shown(parent) or '.'} ({n} session{'s' * (n > 1)})" for parent, n in sorted(parents.items())
        ]
        more = f" and {len(counted) - 5} more" if len(counted) > 5 else ""
        raise ComposeProblem(
            "several-subjects",
            f"{shown(directory)} holds sessions in {len(parents)} folders, which look like several subjects: "
            f"{', '.join(counted[:5])}{more}.",
            "An input file describes one subject: give the folder of one of them.",
        )


def _read(directory: Path, folders: Sequence[str]) -> tuple[list[_Session], list[str]]:
    """The sessions by start, and a remark for each folder that was left out."""
    sessions: list[_Session] = []
    remarks: list[str] = []
    problems: list[SessionDirectoryError] = []
    for folder in folders:
        path = directory / folder
        try:
            found = read_session_directory(path, within=directory)
        except SessionDirectoryError as problem:
            if problem.code == "mixed-systems":
                raise ComposeProblem(problem.code, problem.message, problem.hint) from problem
            problems.append(problem)
            remarks.append(f"{folder or directory.name}: left out. {problem}")
            continue
        rows, remark = _rows(path, directory)
        sessions.append(_Session(path, found, rows, remark))
    raw = {(s.found.start, p.serial) for s in sessions for p in s.found.probes if not _derived(s.found)}
    for session in list(sessions):
        if _derived(session.found) and raw.issuperset(
            (session.found.start, probe.serial) for probe in session.found.probes
        ):
            sessions.remove(session)
            remarks.append(f"{session.path.name}: left out. It is the output of CatGT for a session below.")
    if not sessions:
        raise ComposeProblem(problems[0].code, problems[0].message, problems[0].hint) from problems[0]
    sessions.sort(key=lambda s: (s.found.start or _LAST, str(s.path)))
    return sessions, remarks


def _derived(found: SessionDirectory) -> bool:
    return all(recording.derived for recording in found.recordings)


def _rows(path: Path, within: Path) -> tuple[tuple[TaskRow, ...], str]:
    try:
        file = find_sessions_txt(path, within=within)
        if file is None:
            return (), "no sessions.txt here: write one entry per task"
        return parse_sessions_txt(file.read_bytes()).rows, ""
    except SessionDirectoryError as problem:
        return (), str(problem)


def _text(
    sessions: Sequence[_Session],
    remarks: Sequence[str],
    subject: str | None,
    holder: str,
    location_of: Callable[[Path], str],
) -> str:
    name = quoted(subject) if subject is not None else f" # a registered subject; folder {_said(holder)}"
    lines = [
        YAML_LANGUAGE_SERVER,
        "# Written from what is on disk. Fill in what is empty; optional lines stand in comments.",
        *(f"# {_said(remark)}" for remark in remarks),
        "subject:",
        f"  name: {name}",
        "  datasource_id: 0",
        "",
        "sessions:",
    ]
    for session in sessions:
        lines += [*_session_lines(session, location_of(session.path)), ""]
    return "\n".join(lines[:-1]) + "\n"


def _session_lines(session: _Session, location: str) -> list[str]:
    found = session.found
    began = "start unknown" if found.start is None else found.start.isoformat(sep=" ", timespec="seconds")
    still = ", still being acquired" if found.acquiring else ""
    inferred = " (inferred, not recorded)" if found.start_inferred else ""
    probes = f"{len(found.probes)} probe{'s' * (len(found.probes) > 1)}"
    lines = [
        f"  # {began}{inferred}, {found.system}, {probes}{still}",
        f"  - location: {quoted(location)}",
        "    experimenter:",
        "      -  # must match reference.Experimenter",
        "    # room:  # must match reference.ExperimentRoom",
        "    # project:  # must match acquisition.Project",
    ]
    if len(found.probes) > 1:
        lines.append(
            "    probe_association:  # not needed where reference.Probe names hold the serial numbers"
        )
        for probe in found.probes:
            serial = f"serial {probe.serial}, " if probe.serial else ""
            lines.append(f"      {quoted(probe.name)}:  # {serial}must match reference.Probe")
    if not session.rows:
        return [*lines, f"    tasks: []  # {_said(session.remark or 'sessions.txt is empty')}"]
    lines.append("    tasks:")
    for row in session.rows:
        end = "" if row.end_s is None else f" to {row.end_s:g}"
        lines += [
            f"      # {_said(f'#{row.number} {row.name}')}, {row.start_s:g}{end} s",
            "      - task_type:  # must match behavior.TaskType",
            "        arena_apparatus:  # must match reference.ArenaApparatus",
            "        task_start: true  # from sessions.txt, as the stop and the notes",
            "        task_stop: true",
            "        notes: true",
            "        # light_level:  # must match behavior.TaskLightLevel",
        ]
    return lines


def _said(text: str) -> str:
    """Text for a comment: on one line, and not too long."""
    return shown(" ".join(text.split()))[:300]
