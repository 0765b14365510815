"""Read what the disk tells of a directory of sessions, for a first input file. ``draft`` writes that file."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from commands.inputfile.draft import Draft, DraftProbe, DraftSession, DraftTask, Values, draft_yaml
from commands.recordings.disk import Listing, list_files, names_in, shown
from commands.recordings.readers import ENDINGS, read_listed, read_session_directory, reader_of
from commands.recordings.session import NotASession, SessionDirectory, SessionDirectoryError
from commands.recordings.session_folders import (
    derived_folder,
    is_bare_date,
    is_part_of_session,
    is_run,
    looks_like_session,
    session_folders,
)
from commands.recordings.sessions_txt import TABLE_NAME, TaskRow, read_sessions_txt

_NOTED = 20  # remarks that are written for a session
_LAST = datetime.fromisoformat("9999-12-31")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class ComposeProblem(SessionDirectoryError):
    """There is nothing to write an input file for, or too much."""


@dataclass(frozen=True, slots=True)
class _Session:
    folder: str
    path: Path
    found: SessionDirectory
    rows: tuple[TaskRow, ...]
    remark: str


def compose(
    directory: Path,
    *,
    subject: str | None,
    location_of: Callable[[Path], str],
    zone: tzinfo = UTC,
    values: Values = {},  # noqa: B006 - never changed
) -> str:
    """The YAML text of an input file for a session directory, or for a directory of session directories; ``values`` are
    the valid ones of each table, where a ledger is at hand."""
    return draft_yaml(draft(directory, subject=subject, location_of=location_of, zone=zone), values)


def draft(
    directory: Path, *, subject: str | None, location_of: Callable[[Path], str], zone: tzinfo = UTC
) -> Draft:
    """What the disk tells of a session directory, or of a directory of session directories.

    ``location_of`` gives the location of a directory as it is written in input files. A session has the same
    location from whichever folder above it one asks; below it, the session is named in the refusal. Raises
    ComposeProblem for a directory without sessions, of several subjects or systems, or of a part of a session.
    """
    directory = directory.absolute()
    listing = _listed(directory)
    remarks: list[str] = []
    folders = _folders(directory, listing, remarks)
    if part := next((folder for folder in folders if folder.startswith("..")), None):
        above = directory
        for _ in part.split("/"):
            above = above.parent
        raise ComposeProblem(
            "part-of-session",
            f"{shown(directory)} is a part of a session: {'its' if len(folders) == 1 else 'the'} recordings belong to "
            f"{shown(above)}.",
            f"Give that session directory, {shown(above)}, or the one that holds all sessions of the subject.",
        )
    _refuse_several_folders(directory, folders)
    sessions = _read(directory, folders, zone, remarks)
    _refuse_several_animals(directory, sessions)
    systems = sorted({session.found.system for session in sessions})
    if len(systems) > 1:
        raise ComposeProblem(
            "mixed-systems",
            f"{shown(directory)} holds sessions of several systems: {', '.join(systems)}.",
            "Give one session directory at a time.",
        )
    holder = _subject_folder(sessions[0].path)
    return Draft(
        subject=subject,
        sessions=tuple(_draft_session(session, location_of(session.path)) for session in sessions),
        folder=shown(holder),
        remarks=tuple(map(shown, remarks)),
    )


def _listed(directory: Path) -> Listing:
    try:
        return list_files(directory, ENDINGS)
    except NotASession as problem:
        raise ComposeProblem(problem.code, problem.message, problem.hint) from problem


def _folders(directory: Path, listing: Listing, remarks: list[str]) -> list[str]:
    """The folders of sessions. The output of programs is left out where the recordings that it came from are there."""
    recordings = [found.folder for found in listing.found if reader_of(found) is not None]
    tables = [found.folder for found in listing.found if found.name.lower() == TABLE_NAME]
    parts = directory.parts[1:]
    beside = names_in(directory.parent) if parts else ()
    folders = session_folders(recordings, tables, above=parts, beside=beside)
    if apart := [folder for folder in folders if _are_days(directory / folder)]:
        folders = session_folders(recordings, tables, above=parts, beside=beside, apart=apart)
    derived = sorted({name for folder in recordings if (name := derived_folder(folder)) is not None})
    if not folders and derived:
        return derived
    if not folders:
        try:
            read_listed(str(directory), listing)
        except SessionDirectoryError as problem:
            code = "no-sessions" if problem.code == "no-recordings" else problem.code
            raise ComposeProblem(code, problem.message, problem.hint) from problem
    remarks += [
        f"{name}: left out. It is the output of CatGT or of another program, not a recording."
        for name in derived
        if name.rpartition("/")[0] not in folders
    ]
    return folders


def _are_days(path: Path) -> bool:
    """Whether a folder holds gates of one run, which were recorded on several days."""
    if sum(is_run(name) for name in names_in(path)) < 2:
        return False
    try:
        return read_session_directory(path).far_apart
    except SessionDirectoryError:
        return False  # reading it will say so


def _refuse_several_folders(directory: Path, folders: Sequence[str]) -> None:
    parents = Counter(_holder(folder) for folder in folders if folder)
    if len(parents) > 1:
        counted = [f"{shown(p) or '.'} ({n} session{'s' * (n > 1)})" for p, n in sorted(parents.items())]
        more = f" and {len(counted) - 5} more" if len(counted) > 5 else ""
        raise ComposeProblem(
            "several-subjects",
            f"{shown(directory)} holds sessions in {len(parents)} folders, which look like several subjects: "
            f"{', '.join(counted[:5])}{more}.",
            "An input file describes one subject: give one of these folders at a time.",
        )


def _holder(folder: str) -> str:
    """The folder that holds the sessions of one subject: above the session, and above the day that it is in."""
    parts = folder.split("/")
    above = parts[:-1]
    while above and (is_bare_date(above[-1]) or is_part_of_session(above[-1])):
        above.pop()
    return "/".join(above)


def _subject_folder(session: Path) -> str:
    """The name of the folder that holds a session and others of its subject."""
    return _holder(session.as_posix().lstrip("/")).rpartition("/")[2]


def _refuse_several_animals(directory: Path, sessions: Sequence[_Session]) -> None:
    """Folders that are not named like sessions, each with probes that the others lack, are several animals."""
    groups: list[tuple[set[str], list[str]]] = []
    for session in sessions:
        serials = {probe.serial for probe in session.found.probes if probe.serial is not None}
        if not serials or looks_like_session(session.path.name):
            continue
        together = [group for group in groups if not group[0].isdisjoint(serials)]
        groups = [group for group in groups if group[0].isdisjoint(serials)]
        names = [*(name for _, named in together for name in named), session.path.name]
        groups.append((serials.union(*(known for known, _ in together)), names))
    if len(groups) > 1:
        listed = "; ".join(
            f"{', '.join(map(shown, names[:3]))} ({', '.join(sorted(serials)[:2])})"
            for serials, names in groups[:4]
        )
        raise ComposeProblem(
            "several-subjects",
            f"{shown(directory)} holds recordings of different probes, in folders that are not called like sessions: "
            f"{listed}. They look like several subjects.",
            "An input file describes one subject: give one of these folders at a time.",
        )


def _read(directory: Path, folders: Sequence[str], zone: tzinfo, remarks: list[str]) -> list[_Session]:
    """The sessions by start, and a remark for each folder that was left out."""
    sessions: list[_Session] = []
    problems: list[SessionDirectoryError] = []
    for folder in folders:
        path = directory / folder
        try:
            _check_name(path)
            listing = list_files(path, ENDINGS, within=directory)
            found = read_listed(str(path), listing, zone=zone)
            _check_days(path, found)
        except SessionDirectoryError as problem:
            if problem.code == "mixed-systems":
                raise ComposeProblem(problem.code, problem.message, problem.hint) from problem
            problems.append(problem)
            remarks.append(f"{folder or directory.name}: left out. {problem}")
            continue
        rows, remark = _rows(path, listing)
        sessions.append(_Session(folder, path, found, rows, remark))
    if not sessions:
        raise ComposeProblem(problems[0].code, problems[0].message, problems[0].hint) from problems[0]
    sessions.sort(key=lambda s: (s.found.start or _LAST, str(s.path)))
    return sessions


def _check_name(path: Path) -> None:
    """Raise where an input file cannot name the directory."""
    if _CONTROL.search(str(path)):
        raise ComposeProblem(
            "name-cannot-be-written",
            f"{shown(path)} cannot be named in an input file: its name holds a line break or another control "
            "character, or is not valid UTF-8.",
            "Rename the folder, with plain letters.",
        )


def _check_days(path: Path, found: SessionDirectory) -> None:
    """Raise where the recordings are those of several sessions."""
    if not found.far_apart:
        return
    starts = found.starts
    days = list(dict.fromkeys(f"{start:%Y-%m-%d}" for start, _ in starts))
    raise ComposeProblem(
        "starts-apart",
        f"{shown(path)} is not one session: its {len(starts)} recordings start on {', '.join(days[:5])}.",
        "Give each day's recordings a folder of their own.",
    )


def _rows(path: Path, listing: Listing) -> tuple[tuple[TaskRow, ...], str]:
    try:
        table = read_sessions_txt(path, listing)
    except SessionDirectoryError as problem:
        return (), str(problem)
    return ((), "no sessions.txt here: write one entry per task") if table is None else (table.rows, "")


def _draft_session(session: _Session, location: str) -> DraftSession:
    found = session.found
    began = "start unknown" if found.start is None else found.start.isoformat(sep=" ", timespec="seconds")
    still = ", still being acquired" if found.acquiring else ""
    inferred = " (inferred, not recorded)" if found.start_inferred else ""
    several = len(found.probes) > 1
    missing = (f"missing: {one.message} {one.hint}" for one in found.missing[:_NOTED])
    probes = (
        DraftProbe(shown(probe.name), probe.serial or "", is_writable=not _CONTROL.search(probe.name))
        for probe in found.probes
    )
    return DraftSession(
        location=location,
        about=f"{began}{inferred}, {found.system}, {len(found.probes)} probe{'s' * several}{still}",
        remarks=(*map(shown, missing), *(shown(one.message) for one in found.remarks[:_NOTED])),
        probes=tuple(probes) if several else (),
        tasks=tuple(DraftTask(_about_task(row)) for row in session.rows),
        without_tasks=shown(session.remark),
    )


def _about_task(row: TaskRow) -> str:
    end = "" if row.end_s is None else f" to {row.end_s:g}"
    return f"#{row.number} {shown(row.name)}, {row.start_s:g}{end} s"
