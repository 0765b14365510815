"""The tasks of a session with their times: as given, or as sessions.txt has them. Reads that one file.

Inheritance is by order and only when the number of rows equals the number of tasks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from commands.inputfile.canonical import entry_plain
from commands.inputfile.entries import TaskEntry
from commands.intake.plain_records import plain_record
from commands.intake.stopping import Fails, Waits
from commands.recordings.disk import Listing, read_file
from commands.recordings.session import SessionDirectory
from commands.recordings.sessions_txt import (
    SIZE_LIMIT,
    TaskRow,
    inherit,
    listed_sessions_txt,
    parse_sessions_txt,
)
from ledger.events import SessionWaiting

_TOLERANCE_S = 1.0
Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """A session directory that was walked once, and what its recordings say. ``location`` is normalised."""

    location: str
    root: str
    listing: Listing
    found: SessionDirectory


def resolve_tasks(
    tasks: Sequence[TaskEntry], opened: Opened
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The tasks with their times in seconds, and what they inherited from sessions.txt (None: nothing)."""
    resolved = [_task(task) for task in tasks]
    if not any(map(_inherits, tasks)):
        return resolved, None
    file = listed_sessions_txt(opened.listing)
    if file is None:
        raise Waits(
            SessionWaiting(
                reason="sessions-txt",
                message=f"Tasks inherit from sessions.txt, which is not in {opened.location} yet.",
            )
        )
    table = parse_sessions_txt(read_file(opened.root, file, limit=SIZE_LIMIT, listing=opened.listing))
    rows = inherit(
        _with_given_stops(table.rows, tasks),
        [task.task_type for task in tasks],
        recording_duration_s=opened.found.duration_s,
    )
    next_starts = [task.task_start for task in tasks[1:]] + [True]
    for task, target, row, next_start in zip(tasks, resolved, rows, next_starts, strict=True):
        if task.task_start is True:
            target["task_start"] = row.start_s
        if task.task_stop is True:
            # inferred is the start of the next task, which the input file may give otherwise than the table
            given = row.stop_inferred and next_start is not True
            target["task_stop"] = next_start if given else row.stop_s
            target["stop_inferred"] = row.stop_inferred
        if task.notes is True:
            target["notes"] = row.notes
    _refuse_overlap(resolved)
    return resolved, {"sha256": table.sha256, "rows": [plain_record(row) for row in table.rows]}


def _with_given_stops(rows: Sequence[TaskRow], tasks: Sequence[TaskEntry]) -> list[TaskRow]:
    """A stop that the input file gives need not be in the table, nor be inferred."""
    stops = [task.task_stop for task in tasks] + [True] * len(rows)
    return [
        replace(row, end_s=stop) if row.end_s is None and stop is not True and stop > row.start_s else row
        for row, stop in zip(rows, stops, strict=False)
    ]


def _inherits(task: TaskEntry) -> bool:
    return task.task_start is True or task.task_stop is True or task.notes is True


def _task(task: TaskEntry) -> dict[str, Any]:
    """A task with what it was given: what it inherits, and what it leaves out, is not there yet."""
    plain = entry_plain(task)
    return {name: value for name, value in plain.items() if value is not True}


def _refuse_overlap(tasks: Sequence[Mapping[str, Any]]) -> None:
    last_stop = float("-inf")
    for number, task in enumerate(tasks, start=1):
        start, stop = task["task_start"], task["task_stop"]
        if stop is not None and stop <= start:
            raise Fails("task-order", f"Task {number} stops at {stop} s, before it starts at {start} s.", "")
        if start < last_stop:
            raise Fails(
                "tasks-overlap", f"Task {number} starts at {start} s, before task {number - 1} stops.", ""
            )
        last_stop = start if stop is None else stop


def outside(tasks: Sequence[Mapping[str, Any]], duration_s: float | None) -> list[Plain]:
    """Remarks on tasks that begin or stop after the end of the recording; none where that is not known."""
    if duration_s is None:
        return []
    remarks = []
    for number, task in enumerate(tasks, start=1):
        for name, verb in (("task_start", "starts"), ("task_stop", "stops")):
            time = task.get(name)
            if time is not None and time > duration_s + _TOLERANCE_S:
                message = f"Task {number} ({task['task_type']}) {verb} at {time:g} s"
                message += f"; the recording ends at {duration_s:g} s."
                remarks.append(
                    {
                        "code": "task-outside-recording",
                        "name": f"task {number}",
                        "files": [],
                        "message": message,
                    }
                )
                break
    return remarks
