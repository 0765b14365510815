"""What an entry of an input file adds to what is on record of its session. Pure.

Only what was left out is added, and a probe on disk may become another one; whatever else differs would be
overwritten, and is named.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from commands.inputfile.entries import SessionEntry, TaskEntry

_PLACED = ("objects", "cue_cards", "curtains")


@dataclass(slots=True)
class Merged:
    """The entry as it would stand, the ``fields`` that have more or another probe now, and the paths of values that are
    on record otherwise."""

    entry: SessionEntry
    fields: set[str] = field(default_factory=set)
    overwritten: list[str] = field(default_factory=list)


def merged(current: SessionEntry, given: SessionEntry) -> Merged:
    """What ``given`` does not say stays. The clusterings of a session are records of their own."""
    found = Merged(current)
    changes: dict[str, Any] = {
        "experimenter": _more(current.experimenter, given.experimenter),
        "project": _more(current.project, given.project),
        "room": _left_out(current.room, given.room, "room", found),
        "notes": _longer(current.notes, given.notes, "notes", found),
        "tasks": _tasks(current.tasks, given.tasks, found),
        "probe_association": {**(current.probe_association or {}), **(given.probe_association or {})} or None,
    }
    found.fields = {name for name, value in changes.items() if value != getattr(current, name)}
    found.entry = replace(current, **changes)
    return found


def _more(current: tuple[Any, ...], given: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*current, *(each for each in given if each not in current))


def _left_out(current: Any, given: Any, path: str, found: Merged) -> Any:
    if current is None:
        return given
    if given is not None and given != current:
        found.overwritten.append(path)
    return current


def _longer(current: Any, given: Any, path: str, found: Merged) -> Any:
    """Notes may go on."""
    if isinstance(current, str) and isinstance(given, str) and given.startswith(current):
        return given
    return _left_out(current, given, path, found)


def _tasks(
    current: tuple[TaskEntry, ...], given: tuple[TaskEntry, ...], found: Merged
) -> tuple[TaskEntry, ...]:
    """In order: those that are there come first."""
    both = zip(current, given, strict=False)
    together = [_task(one, other, f"tasks[{at}]", found) for at, (one, other) in enumerate(both)]
    return (*together, *current[len(together) :], *given[len(current) :])


def _task(current: TaskEntry, given: TaskEntry, path: str, found: Merged) -> TaskEntry:
    if current.task_type != given.task_type:
        found.overwritten.append(f"{path}.task_type")
    for name in ("task_start", "task_stop"):
        if getattr(given, name) is not True and getattr(given, name) != getattr(current, name):
            found.overwritten.append(f"{path}.{name}")
    changes: dict[str, Any] = {
        name: _left_out(getattr(current, name), getattr(given, name), f"{path}.{name}", found)
        for name in ("arena_apparatus", "light_level")
    }
    changes["notes"] = _longer(current.notes, given.notes, f"{path}.notes", found)
    changes |= {name: _more(getattr(current, name), getattr(given, name)) for name in _PLACED}
    return replace(current, **changes)
