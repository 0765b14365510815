"""Tell which folders under a directory are sessions, and which are parts or products of sessions. From names only.

Recordings may lie at any depth in a session, so a subject's folder holds them as well as a session's does. A
recording's session is found by going up from its file, by the path alone, so that it is the same from whichever folder
one asks: to the nearest folder with a ``sessions.txt``, where there is one; else past folders named after a probe, a
stream, a record node or raw data (``probe00``, ``raw_ephys_data``, ``ephys``). From a run folder of SpikeGLX
(``run_g0``) one goes further up where that holds the gates of this run only, or is called like the run or like a
session; a date is a day, which may hold several runs, and a session only where recordings lie directly in it.

Layouts: ``subject/date/001/raw_ephys_data`` (IBL), ``rawdata/sub-001/ses-001_date-20230501/ephys`` (NeuroBlueprint,
BIDS), ``subject/date/run_g0``, ``subject/date_time/Record Node 101``, ``subject/session/probe_1``.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

_PART_OF_SESSION = re.compile(
    r"probe[ _-]?\w+|(.*[_-])?imec\d*|record[ _]?node[ _]?\d*|experiment\d+|recording\d+|continuous"
    r"|raw|raw_ephys_data|ephys|neuropixels|npx|spikeglx|openephys",
    re.IGNORECASE,
)
_RUN = re.compile(r"(.+)_g\d+", re.IGNORECASE)
_DERIVED = re.compile(r"(?:catgt|supercat)_.+|derivatives", re.IGNORECASE)
_OUTPUT_OF_RUN = re.compile(r"(?:catgt|supercat)_((.+)_g\d+)", re.IGNORECASE)
_MONTH_DAY = r"(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])"
_DATE = (
    rf"(?:(?:19|20)\d{{2}}[-_.]?{_MONTH_DAY}|\d{{1,2}}[-_.]\d{{1,2}}[-_.](?:19|20)\d{{2}}|[12]\d{_MONTH_DAY})"
)
_BARE_DATE = re.compile(_DATE)
_DATED = re.compile(rf"(?<!\d){_DATE}(?!\d)")
_CALLED_SESSION = re.compile(
    rf"ses(?:sion)?[ _-]?\w.*|day[ _-]?\d+.*|rec(?:ording)?[ _-]?\d+|(?:.*\D)?{_DATE}[ T_-]+\d{{2}}[-_.:]?\d{{2}}.*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{1,3}")
_RECORDING = re.compile(r"recording\d+", re.IGNORECASE)
_EXPERIMENT = re.compile(r"experiment\d+", re.IGNORECASE)
_RECORD_NODE = re.compile(r"record[ _]?node[ _]?\d*", re.IGNORECASE)


def is_part_of_session(name: str) -> bool:
    """Whether a folder of this name is one part of a session: that of a probe, a stream, a record node."""
    return _PART_OF_SESSION.fullmatch(name) is not None


def is_bare_date(name: str) -> bool:
    """Whether a folder's name is a day, and nothing more."""
    return _BARE_DATE.fullmatch(name) is not None


def is_run(name: str) -> bool:
    """Whether a folder is called as SpikeGLX calls that of a run and gate."""
    return _RUN.fullmatch(name) is not None and derived_folder(name) is None


def looks_like_session(name: str) -> bool:
    """Whether a folder is called like a session (a date, a run, a number), and not like a subject."""
    return (
        any(pattern.fullmatch(name) for pattern in (_RUN, _NUMBER, _CALLED_SESSION))
        or _DATED.search(name) is not None
    )


def derived_folder(folder: str) -> str | None:
    """The topmost folder of a path that programs wrote from recordings (CatGT, derivatives); None: there is none."""
    parts = folder.split("/")
    at = next((i for i, part in enumerate(parts) if _DERIVED.fullmatch(part)), None)
    return None if at is None else "/".join(parts[: at + 1])


def made_from(location: str) -> list[tuple[str, str]]:
    """Where the run would lie that the output of CatGT or SuperCat at this location was made from, and the session that
    it would be then, likeliest first; nothing of a location that is not called like such output."""
    parts = location.split("/")
    for at, name in enumerate(parts):
        if match := _OUTPUT_OF_RUN.fullmatch(name):
            parent, gate, run = "/".join(parts[:at]), match[1], match[2]
            beside = f"{parent}/{gate}"
            session = parent if at and parts[at - 1].lower() == run.lower() else beside
            return [(f"{parent}/{run}/{gate}", f"{parent}/{run}"), (beside, session)]
    return []


def recording_session(folder: Path) -> Path | None:
    """The session of a recording folder of Open Ephys (``…/experiment1/recording1``); None: it is called otherwise."""
    experiment = folder.parent
    if not (_RECORDING.fullmatch(folder.name) and _EXPERIMENT.fullmatch(experiment.name)):
        return None
    node = experiment.parent
    return node.parent if _RECORD_NODE.fullmatch(node.name) else node


def session_folders(
    recording_folders: Iterable[str],
    table_folders: Iterable[str],
    *,
    above: Sequence[str] = (),
    beside: Iterable[str] = (),
    apart: Collection[str] = (),
) -> list[str]:
    """The folders that are sessions, sorted; ``""`` is the directory itself, ``..`` the one above it.

    ``recording_folders`` hold recordings and ``table_folders`` a ``sessions.txt``; paths are relative to the
    directory, with ``/``. ``above`` is the directory's own path, ``beside`` what lies in the folder above it. In the
    folders ``apart`` (relative, too) the gates of a run are of different days: each is a session.
    """
    with_table = set(table_folders)
    recordings = [folder for folder in recording_folders if derived_folder(folder) is None]
    runs = _runs(recordings, above, beside)
    for folder in apart:
        runs.pop(_absolute(folder, above), None)
    folders = {_session_of(folder, with_table, tuple(above), runs) for folder in recordings}
    return sorted(folder for folder in folders if not any(up in folders for up in _above(folder)))


def _runs(
    recordings: Iterable[str], above: Sequence[str], beside: Iterable[str]
) -> dict[tuple[str, ...], dict[str, set[str]]]:
    """By the folder above run folders: the runs, each with the names of its gates."""
    runs: dict[tuple[str, ...], dict[str, set[str]]] = {}

    def add(parent: tuple[str, ...], name: str) -> None:
        if match := _RUN.fullmatch(name):
            runs.setdefault(parent, {}).setdefault(match[1].lower(), set()).add(name)

    for folder in recordings:
        parts = _absolute(folder, above)
        for at in range(len(above), len(parts)):
            add(parts[:at], parts[at])
    if above:
        for name in (*beside, above[-1]):
            add(tuple(above[:-1]), name)
    return runs


def _session_of(
    folder: str,
    with_table: set[str],
    above: tuple[str, ...],
    runs: dict[tuple[str, ...], dict[str, set[str]]],
) -> str:
    for candidate in (folder, *_above(folder)):
        if candidate in with_table:
            return candidate
    parts = _absolute(folder, above)
    end = _without_parts(parts, len(parts))
    run = _RUN.fullmatch(parts[end - 1]) if end > 0 else None
    if run and end > 1 and _goes_up(parts[:end], run[1], runs.get(parts[: end - 1], {})):
        end = _without_parts(parts, end - 1)
    if end < len(above):
        return "/".join([".."] * (len(above) - end))
    return "/".join(parts[len(above) : end])


def _absolute(folder: str, above: Sequence[str]) -> tuple[str, ...]:
    """The names on the path of a folder; ``..`` at its beginning goes up."""
    parts = list(above)
    for name in folder.split("/") if folder else ():
        if name == "..":
            parts.pop()
        else:
            parts.append(name)
    return tuple(parts)


def _without_parts(parts: Sequence[str], end: int) -> int:
    while end > 0 and is_part_of_session(parts[end - 1]):
        end -= 1
    return end


def _goes_up(parts: Sequence[str], run: str, runs: dict[str, set[str]]) -> bool:
    """Whether the session of a run folder is the folder above it."""
    parent = parts[-2]
    if is_part_of_session(parent) or parent.lower() == run.lower():
        return True
    if is_bare_date(parent):
        return False
    if _CALLED_SESSION.fullmatch(parent):
        return True
    if _NUMBER.fullmatch(parent) and len(parts) > 2 and is_bare_date(parts[-3]):
        return True
    return len(runs) == 1 and len(next(iter(runs.values()))) > 1


def _above(folder: str) -> list[str]:
    """The folders above one, nearest first, down to ``""``."""
    above = []
    while folder:
        folder = folder.rpartition("/")[0]
        above.append(folder)
    return above
