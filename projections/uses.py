"""Which columns of records hold values of the catalogue. Pure."""

import re

import orjson

USES: dict[str, tuple[tuple[str, str], ...]] = {
    "reference.Experimenter": (("sessions", "experimenter"), ("clusterings", "curator")),
    "reference.ExperimentRoom": (("sessions", "room"),),
    "acquisition.Project": (("sessions", "project"),),
    "behavior.TaskType": (("session_tasks", "task_type"),),
    "reference.ArenaApparatus": (("session_tasks", "arena_apparatus"),),
    "behavior.TaskLightLevel": (("session_tasks", "light_level"),),
    "reference.ArenaObject": (("session_tasks", "detail"),),
    "reference.CueCard": (("session_tasks", "detail"),),
}
"""Reference table -> (projection, column). Probes stand in rows of their own."""
_JSON = ("experimenter", "project", "detail", "moved_from")


def holds(column: str, value: str, *, of: str = "") -> tuple[str, str]:
    """The condition that a column holds the value, and what to bind; ``of`` is an alias with its dot. In
    JSON it searches for the text.
    """
    if column not in _JSON:
        return f"{of}{column} = ?", value
    quoted = re.sub(r"[!%_]", r"!\g<0>", orjson.dumps(value).decode())
    return f"{of}{column} LIKE ? ESCAPE '!'", f"%{quoted}%"
