"""What can be chosen in a field: the values of the lab, as lists that a browser searches while somebody types."""

from collections.abc import Iterable

from commands.inputfile.known import REFERENCE_TABLES
from commands.web.pages.visiting import Visit

MOST = 500
"""Choices of a list: a page stays small, and whatever is not listed can be typed."""
_TABLES = {
    "arenas": "reference.ArenaApparatus", "experimenters": "reference.Experimenter",
    "light_levels": "behavior.TaskLightLevel", "probes": "reference.Probe", "projects": "acquisition.Project",
    "rooms": "reference.ExperimentRoom", "task_types": "behavior.TaskType",
}  # fmt: skip


def lists(visit: Visit, wanted: Iterable[str]) -> dict[str, list[str]]:
    """By name; of what is not there, nothing."""
    return {name: _choices(visit, name)[:MOST] for name in sorted(wanted)}


def _choices(visit: Visit, name: str) -> list[str]:
    if name == "subjects":
        return [each.subject for each in visit.ask("subjects").subjects]
    if name == "users":
        return sorted({each.user for each in visit.ask("users").users})
    if name == "tables":
        return list(REFERENCE_TABLES)
    return values_of(visit, _TABLES[name])


def values_of(visit: Visit, table: str) -> list[str]:
    """Those of a table that can be used."""
    return [each.value for each in visit.ask("catalogue", table=table).values if not each.retired]
