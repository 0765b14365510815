"""Parse ``sessions.txt``, the task table that acquisition software writes, and let tasks inherit from it.

One row per task, numbered from 1, times in seconds from the start of the session::

    #1,  open_field_1,  start=7457,  end=16045, valid_times=[7457,14778;14890,16045]
    #2,    open_field_1    start=16100    <RUNNING>

Commas are optional outside of brackets. ``end``, ``valid_times`` and flags may be missing; names repeat. Text
that is none of these is kept as notes. Lines end with LF or CRLF, the last with or without.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from commands.recordings.disk import Listing, check_kind, read_file, shown
from commands.recordings.session import SessionDirectoryError

SIZE_LIMIT = 1 << 20
LINE_LIMIT = 20_000
_FIELDS = ("start", "end", "valid_times")

TABLE_NAME = "sessions.txt"
MISNAMED = ("sessions.txt.txt", "session.txt", "sessions.text", "sessions.txt.rtf")

_NUMBER = re.compile(r"\s*#\s*(\d{1,6})(?![\d.])[\s,]*")
_FIELD = re.compile(r"(?<![\w.])([A-Za-z_]\w*)[ \t]*=[ \t]*(\[[^\[\]]*\]?|[^\s,<>\[\]]*)")
_FIRST_OF_THEM = re.compile(r"<|(?<![\w.])[A-Za-z_]\w*[ \t]*=")
_LINE_END = re.compile(r"\r\n|\n|\r")
_FLAG = re.compile(r"<([^<>]*)>")
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


class SessionsTxtProblem(SessionDirectoryError):
    """The table cannot be used. ``line`` counts from 1; None where the problem is about no single line."""

    def __init__(self, message: str, hint: str = "", *, line: int | None = None, code: str = "") -> None:
        where = "sessions.txt: " if line is None else f"sessions.txt:{line}: "
        super().__init__(code or "sessions-txt", where + message, hint)
        self.line = line


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One row. Times are seconds from the start of the session; ``end_s`` None: the row has no ``end``."""

    number: int
    name: str
    start_s: float
    end_s: float | None
    valid_times: tuple[tuple[float, float], ...]
    flags: tuple[str, ...]
    notes: str | None


@dataclass(frozen=True, slots=True)
class TaskTable:
    """``sha256`` is that of the file's bytes."""

    sha256: str
    rows: tuple[TaskRow, ...]


@dataclass(frozen=True, slots=True)
class InheritedTask:
    """What a task takes over from its row. ``notes`` is the row's name, flags and text.

    ``stop_inferred``: the row has no ``end``; the stop is the next row's start or the end of the recording.
    """

    start_s: float
    stop_s: float
    stop_inferred: bool
    notes: str


def listed_sessions_txt(listing: Listing) -> str | None:
    """The name of the table directly in a listed session directory (``Sessions.txt`` counts too), or None.

    Raises UnreadableSession where it is no file.
    """
    names = [found.name for found in listing.found if not found.folder and found.name.lower() == TABLE_NAME]
    name = max(names, key=lambda name: (name == TABLE_NAME, name), default=None)
    if name is not None:
        check_kind(name, listing)
    return name


def misnamed_sessions_txt(listing: Listing) -> str | None:
    """A file that was meant to be the table, where there is none: its ending was hidden when it was renamed."""
    names = [found.name for found in listing.found if not found.folder and found.name.lower() in MISNAMED]
    return min(names) if names and listed_sessions_txt(listing) is None else None


def read_sessions_txt(directory: Path | str, listing: Listing) -> TaskTable | None:
    """The table of a listed session directory, or None. Raises UnreadableSession, SessionsTxtProblem."""
    name = listed_sessions_txt(listing)
    if name is None:
        return None
    return parse_sessions_txt(read_file(directory, name, limit=SIZE_LIMIT, listing=listing))


def parse_sessions_txt(data: bytes) -> TaskTable:
    """Parse a ``sessions.txt``. Raises SessionsTxtProblem, and nothing else, whatever is wrong with it."""
    rows: list[TaskRow] = []
    for line, text in enumerate(_LINE_END.split(_decoded(data)), start=1):
        if not text.strip():
            continue
        if len(text) > LINE_LIMIT:
            raise SessionsTxtProblem(f"the line has more than {LINE_LIMIT:,} characters.", line=line)
        row = _row(text, line)
        if row.number != len(rows) + 1:
            raise SessionsTxtProblem(
                f"found task #{row.number} where #{len(rows) + 1} should be.",
                "Tasks are numbered 1, 2, 3 without gaps; is a line missing or in twice?",
                line=line,
            )
        if rows:
            _check_order(rows[-1], row, line)
        rows.append(row)
    return TaskTable(hashlib.sha256(data).hexdigest(), tuple(rows))


def inherit(
    rows: Sequence[TaskRow], task_types: Sequence[str], *, recording_duration_s: float | None
) -> tuple[InheritedTask, ...]:
    """What each task inherits, by order. ``task_types`` are those of the tasks in the input file.

    ``recording_duration_s`` is needed only where the last row has no ``end``. Raises SessionsTxtProblem where
    the numbers differ (the message shows both lists) or a stop cannot be told.
    """
    if len(rows) != len(task_types):
        listed = ", ".join(f"#{row.number} {row.name}" for row in rows) or "none"
        raise SessionsTxtProblem(
            f"it has {len(rows)} {'task' if len(rows) == 1 else 'tasks'} ({listed}), but the input file has "
            f"{len(task_types)} for this session "
            f"({', '.join(map(shown, task_types)) or 'none'}).",
            "Tasks inherit by order: list every task of sessions.txt, in the same order, even a trivial one.",
            code="task-count",
        )
    inherited = []
    for i, row in enumerate(rows):
        stop_s = row.end_s
        if stop_s is None:
            stop_s = rows[i + 1].start_s if i + 1 < len(rows) else recording_duration_s
        if stop_s is None:
            raise SessionsTxtProblem(
                f"the last task, #{row.number} {row.name}, has no end=, and the length of the recording "
                "is not known, so its stop cannot be inferred.",
                "Give task_stop in the input file, or end= in sessions.txt.",
                code="no-stop",
            )
        if stop_s <= row.start_s:
            raise SessionsTxtProblem(
                f"task #{row.number} {row.name} starts at {row.start_s:g} s, but its stop, inferred as it "
                f"has no end=, is at {stop_s:g} s.",
                "Times are in seconds from the start of the session's recording.",
                code="no-stop",
            )
        flags = [f"<{flag}>" for flag in row.flags]
        notes = " ".join([row.name, *flags, *([row.notes] if row.notes else [])])
        inherited.append(InheritedTask(row.start_s, stop_s, row.end_s is None, notes))
    return tuple(inherited)


def _decoded(data: bytes) -> str:
    if len(data) > SIZE_LIMIT:
        raise SessionsTxtProblem(f"it is larger than {SIZE_LIMIT:,} bytes.", "Is it the right file?")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise SessionsTxtProblem("it is not plain text but UTF-16 or binary.", "Save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # what Windows editors wrote before UTF-8
    return text


def _row(text: str, line: int) -> TaskRow:
    head = _NUMBER.match(text)
    if head is None:
        raise SessionsTxtProblem(
            f'expected a row such as "#1, open_field_1, start=30", found "{_short(text)}".',
            "Every line starts with # and the number of the task.",
            line=line,
        )
    rest = text[head.end() :]
    fields: dict[str, str] = {}
    unknown: list[str] = []
    extra: list[str] = []
    for match in _FIELD.finditer(rest):
        key = match[1].lower()
        if key in fields:
            raise SessionsTxtProblem(f"{key}= is there twice.", "Keep one.", line=line)
        if key in _FIELDS:
            fields[key] = match[2]
        else:
            unknown.append(key)
            extra.append(_plain(match[0]))
    for key in unknown:
        if close := get_close_matches(key, [f for f in _FIELDS if f not in fields], n=1, cutoff=0.65):
            raise SessionsTxtProblem(f'unknown field "{key}=".', f'Did you mean "{close[0]}="?', line=line)
    first = _FIRST_OF_THEM.search(rest)
    name = _plain(rest[: first.start()] if first else rest)
    if not name:
        raise SessionsTxtProblem(f"task #{head[1]} has no name.", "Write it after the number.", line=line)
    tail = rest[first.start() :] if first else ""
    flags = tuple(flag.strip() for flag in _FLAG.findall(tail) if flag.strip())
    free = _plain(_FLAG.sub(" ", _FIELD.sub(" ", tail)))
    start_s = _seconds(fields, "start", line)
    if start_s is None:
        raise SessionsTxtProblem(
            f"task #{head[1]} {_short(name)} has no start=.", "Write start=, in seconds.", line=line
        )
    end_s = _seconds(fields, "end", line)
    if end_s is not None and end_s <= start_s:
        raise SessionsTxtProblem(
            f"task #{head[1]} {_short(name)} ends at {end_s:g} s, not after its start at {start_s:g} s.",
            "Are start= and end= in the right order?",
            line=line,
        )
    notes = " ".join([*extra, *([free] if free else [])])
    times = _valid_times(fields.get("valid_times"), line)
    return TaskRow(int(head[1]), name, start_s, end_s, times, flags, notes or None)


def _check_order(before: TaskRow, row: TaskRow, line: int) -> None:
    until = before.start_s if before.end_s is None else before.end_s
    if row.start_s < until or (before.end_s is None and row.start_s == until):
        what = "starts" if before.end_s is None else "ends"
        raise SessionsTxtProblem(
            f"task #{row.number} {_short(row.name)} starts at {row.start_s:g} s, but task #{before.number} "
            f"{_short(before.name)} {what} at {until:g} s.",
            "Tasks follow each other and do not overlap.",
            line=line,
        )


def _seconds(fields: dict[str, str], key: str, line: int) -> float | None:
    value = fields.get(key)
    if value is None:
        return None
    if not (value.isascii() and _SECONDS.fullmatch(value)):
        raise SessionsTxtProblem(
            f'{key}="{_short(value)}" is not a time.', "Write seconds, such as 7457 or 30.5.", line=line
        )
    return float(value)


def _valid_times(value: str | None, line: int) -> tuple[tuple[float, float], ...]:
    if value is None:
        return ()
    if not (value.startswith("[") and value.endswith("]")):
        raise SessionsTxtProblem(
            f'valid_times="{_short(value)}" is not in brackets.',
            "Write [start,end;start,end], in seconds.",
            line=line,
        )
    intervals = []
    for interval in filter(str.strip, value[1:-1].split(";")):
        ends = [end.strip() for end in interval.split(",")]
        if len(ends) != 2 or not all(end.isascii() and _SECONDS.fullmatch(end) for end in ends):
            raise SessionsTxtProblem(
                f'"{_short(interval)}" in valid_times is not a pair of times.',
                "Write [start,end;start,end], in seconds.",
                line=line,
            )
        first, last = float(ends[0]), float(ends[1])
        if last < first:
            raise SessionsTxtProblem(
                f'"{_short(interval)}" in valid_times ends before it starts.', "Turn it round.", line=line
            )
        intervals.append((first, last))
    return tuple(intervals)


def _plain(text: str) -> str:
    """Without the commas and blanks that only separate, and on one line of printable characters."""
    return shown(" ".join(text.replace("\t", " ").split()).strip(" ,"))


def _short(text: str) -> str:
    text = _plain(text)
    return text if len(text) <= 60 else text[:57] + "..."
