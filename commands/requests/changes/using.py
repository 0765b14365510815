"""Which records use a reference value, and what they say once it has another name. Reads; appends nothing."""

from collections.abc import Iterator
from typing import Any

import orjson

from commands.door.world import World
from commands.requests.impact import STANDING
from commands.stored import current_entries
from projections.listings import task_line
from projections.records import Clustering, Session
from projections.uses import USES, holds

Plain = dict[str, Any]
_PROBES = (("session_probes", "probe"),)


def sessions_using(world: World, table: str, value: str) -> list[Session]:
    """The standing records that name the value, in their entry or in what was inserted of it."""
    numbers = {row[0] for row in _looked_up(world, table, value)}
    numbers |= {row.session for row in clusterings_using(world, table, value) if row.session is not None}
    world.state.sessions.prefetch(numbers)
    rows = [world.state.sessions[number] for number in numbers]
    rows += world.state.sessions.where("status IN ('pending', 'waiting')", [])
    standing = list({row.id: row for row in rows if row.status in STANDING}.values())
    entries = zip(standing, current_entries(world, standing), strict=True)
    found = [
        row
        for row, text in entries
        if (table == "reference.Probe" and row.id in numbers)
        or renamed_entry(orjson.loads(text), table, value, value + "'")[1]
    ]
    return sorted(found, key=lambda row: row.id)


def _looked_up(world: World, table: str, value: str) -> Iterator[Any]:
    state = world.state
    tables = {"sessions": state.sessions, "session_tasks": state.tasks, "session_probes": state.probes}
    for name, column in _PROBES if table == "reference.Probe" else USES[table]:
        if name not in tables:  # clusterings are found by themselves
            continue
        condition, sought = holds(column, value)
        number = "id" if name == "sessions" else "session"
        sql = f"SELECT DISTINCT {number} FROM {tables[name].table} WHERE {condition}"  # type: ignore[attr-defined]
        yield from world.transaction.run(sql, (sought,)).fetchall()


def clusterings_using(world: World, table: str, value: str) -> list[Clustering]:
    if table != "reference.Experimenter":
        return []
    return world.state.clusterings.where(
        "curator = ? AND status IN ('pending', 'waiting', 'inserted')", [value]
    )


def tasks_of(world: World, session: int) -> list[Plain]:
    """The tasks as they were inserted, in the form in which events hold them."""
    rows = world.state.tasks.where("session = ?", [session])
    return [
        {name: value for name, value in task_line(row).items() if name != "number"}
        for row in sorted(rows, key=lambda row: row.number)
    ]


# --- under another name. Pure ----------------------------------------------------------------------------------------


def renamed_entry(entry: Plain, table: str, old: str, new: str) -> tuple[Plain, Plain]:
    """The entry of a session with the new value for the old one, and the fields that differ by it."""
    renamed = dict(entry)
    if table == "reference.Experimenter":
        _rename_list(renamed, "experimenter", old, new)
        clusterings = entry.get("clustering")
        if isinstance(clusterings, list):
            renamed["clustering"] = [_with(one, "curator", old, new) for one in clusterings]
    elif table == "reference.ExperimentRoom":
        renamed = _with(renamed, "room", old, new)
    elif table == "acquisition.Project":
        _rename_list(renamed, "project", old, new)
    elif table == "reference.Probe":
        association = entry.get("probe_association")
        if association:
            renamed["probe_association"] = {
                name: new if probe == old else probe for name, probe in association.items()
            }
    elif entry.get("tasks"):
        renamed["tasks"] = [renamed_task(task, table, old, new) for task in entry["tasks"]]
    return renamed, {name: value for name, value in renamed.items() if value != entry.get(name)}


def renamed_task(task: Plain, table: str, old: str, new: str) -> Plain:
    """A task, of an entry or as it was inserted."""
    field = {
        "behavior.TaskType": "task_type",
        "reference.ArenaApparatus": "arena_apparatus",
        "behavior.TaskLightLevel": "light_level",
    }.get(table)
    if field is not None:
        return _with(task, field, old, new)
    placed, name = {
        "reference.ArenaObject": ("objects", "object_name"),
        "reference.CueCard": ("cue_cards", "card_name"),
    }.get(table, ("", ""))
    if not task.get(placed):
        return task
    return task | {placed: [_with(each, name, old, new) for each in task[placed]]}


def _with(plain: Plain, field: str, old: str, new: str) -> Plain:
    return plain | {field: new} if plain.get(field) == old else plain


def _rename_list(plain: Plain, field: str, old: str, new: str) -> None:
    if plain.get(field):
        plain[field] = list(dict.fromkeys(new if each == old else each for each in plain[field]))
