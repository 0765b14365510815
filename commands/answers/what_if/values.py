"""The reference values that an entry of an input file uses."""

from collections.abc import Iterator
from typing import Any


def used_values(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The reference values that an entry of an input file uses."""
    for experimenter in entry.get("experimenter") or ():
        yield "reference.Experimenter", experimenter
    if entry.get("room"):
        yield "reference.ExperimentRoom", entry["room"]
    for project in entry.get("project") or ():
        yield "acquisition.Project", project
    for probe in (entry.get("probe_association") or {}).values():
        yield "reference.Probe", probe
    for task in entry.get("tasks") or ():
        yield "behavior.TaskType", task["task_type"]
        for field, table in (
            ("arena_apparatus", "reference.ArenaApparatus"),
            ("light_level", "behavior.TaskLightLevel"),
        ):
            if task.get(field):
                yield table, task[field]
        for placed in task.get("objects") or ():
            yield "reference.ArenaObject", placed["object_name"]
        for card in task.get("cue_cards") or ():
            yield "reference.CueCard", card["card_name"]
    clusterings = entry.get("clustering")
    for clustering in clusterings if isinstance(clusterings, list) else ():
        yield "reference.Experimenter", clustering["curator"]
    if entry.get("group_name"):
        yield "reference.Experimenter", entry["curator"]
