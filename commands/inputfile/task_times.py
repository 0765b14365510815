"""Do the times of a session's tasks fit together? A stage 1 question: the entries alone answer it."""

from collections.abc import Iterator

from commands.inputfile.document import Part
from commands.inputfile.entries import TaskEntry

Said = tuple[list[Part], str, str, str]


def check_tasks(tasks: tuple[TaskEntry, ...]) -> Iterator[Said]:
    """Yield (path below the session, code, message, hint) for each error in the times of one session's tasks.

    A task stops after it starts, and tasks do not overlap; one may start when another stops. Tasks that
    inherit a time are compared when the time is known.
    """
    timed: list[tuple[float, float, int]] = []
    for index, task in enumerate(tasks):
        start, stop = task.task_start, task.task_stop
        if start is True or stop is True:
            continue
        if stop > start:
            timed.append((start, stop, index))
            continue
        yield (
            ["tasks", index, "task_stop"],
            "task-stops-before-it-starts",
            f"task_stop {stop:g} is not after task_start {start:g}.",
            "Both are seconds from the start of the session's recording.",
        )
    timed.sort()
    last_stop, last = float("-inf"), -1
    for start, stop, index in timed:
        if start < last_stop:
            yield (
                ["tasks", index, "task_start"],
                "tasks-overlap",
                f"{_named(tasks, index)} starts at {start:g} s, but "
                f"{_named(tasks, last)} stops at {last_stop:g} s only.",
                "Tasks of one session follow each other: correct task_start or task_stop of one of them.",
            )
        if stop > last_stop:
            last_stop, last = stop, index


def _named(tasks: tuple[TaskEntry, ...], index: int) -> str:
    return f"tasks[{index}] ({tasks[index].task_type:.60})"
