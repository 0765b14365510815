"""The mappings of an input file: which keys each takes, which of them it needs, and how each is read."""

from typing import Any

from commands.inputfile.document import Part, Place
from commands.inputfile.entries import (
    ArenaObject,
    ClusteringEntry,
    CueCard,
    Curtain,
    TaskEntry,
)
from commands.inputfile.fields import BAD, shown, wrong
from commands.inputfile.keywords import as_items, keywords_of, list_of, read_mapping
from commands.inputfile.list_fields import (
    experimenters,
    probe_association,
    projects,
    two_or_more_sessions,
)
from commands.inputfile.number_fields import (
    boolean,
    datasource_id,
    date_time_or_inherit,
    number,
    seconds_or_inherit,
)
from commands.inputfile.plain_readings import FALSE_WORDS, TRUE_WORDS
from commands.inputfile.report import Report
from commands.inputfile.text_fields import (
    free_text,
    group_name,
    name_text,
    path_of_location,
    session_name,
    text_or_inherit,
)

_NOTES = (free_text, "text")
_COORDINATES = {"coord_x": (number, "a number"), "coord_y": (number, "a number")}

_OBJECT = keywords_of(
    "an arena object",
    {"object_name": (name_text, "a name from reference.ArenaObject"), **_COORDINATES},
    {"note": _NOTES},
)

_CUE_CARD = keywords_of(
    "a cue card",
    {"card_name": (name_text, "a name from reference.CueCard"), **_COORDINATES},
    {"note": _NOTES},
)

_CURTAIN = keywords_of(
    "a curtain",
    {
        "start_point": (name_text, "text such as bottom-left"),
        "direction": (name_text, "text such as clockwise"),
        "coverage": (number, "a number"),
    },
    {},
)
_SECONDS = (seconds_or_inherit, "a number of seconds, or true to inherit it from sessions.txt")

_TASK = keywords_of(
    "a task",
    {"task_type": (name_text, "a name from behavior.TaskType")},
    {
        "arena_apparatus": (name_text, "a name from reference.ArenaApparatus"),
        "task_start": _SECONDS,
        "task_stop": _SECONDS,
        "notes": (text_or_inherit, "text, or true to inherit it from sessions.txt"),
        "light_level": (name_text, "a name from behavior.TaskLightLevel"),
        "objects": (list_of(_OBJECT, ArenaObject), "a list of arena objects"),
        "cue_cards": (list_of(_CUE_CARD, CueCard), "a list of cue cards"),
        "curtains": (list_of(_CURTAIN, Curtain), "a list of curtains"),
    },
)
read_task_list = list_of(_TASK, TaskEntry)


def read_task(value: Any, report: Report, place: Place) -> TaskEntry | None:
    """One task that stands alone."""
    values, good = read_mapping(value, _TASK, report, place)
    return TaskEntry(**values) if good else None


_CURATOR = (name_text, "a name from reference.Experimenter")
_CURATION_TIME = (
    date_time_or_inherit,
    "a date-time such as 2023-04-05 12:13:14, or true for the modification time of the files",
)
_OUTPUT = (path_of_location, "the path of the clustering output")

_CLUSTERING = keywords_of(
    "a clustering",
    {"curator": _CURATOR, "location": _OUTPUT},
    {"curation_time": _CURATION_TIME, "notes": _NOTES},
)
_clusterings = list_of(_CLUSTERING, ClusteringEntry)


def _session_clustering(value: Any, report: Report, place: Place, key: Part) -> Any:
    """A boolean or a list of clusterings, never a list with booleans in it."""
    if not isinstance(value, list):
        word = boolean(value, report, place, key)
        if word is not None:
            return word
        hint = as_items(report) if isinstance(value, dict) else ""
        return wrong(value, report, place, key, "true, false or a list of clusterings", hint)
    words = [index for index, item in enumerate(value) if item.__class__ is not dict and _is_word(item)]
    for index in words:
        message = (
            f"{shown(value[index])} stands in the list of clusterings; it is either one boolean or a list."
        )
        report.error("mixed-clustering", (place, key), index, message, "Remove it from the list.")
    return BAD if words else _clusterings(value, report, place, key)


def _is_word(value: Any) -> bool:
    return (
        value is True
        or value is False
        or (isinstance(value, str) and value.lower() in TRUE_WORDS | FALSE_WORDS)
    )


SUBJECT = keywords_of(
    "the subject",
    {"name": (name_text, "the common name of the subject, such as 12345")},
    {"datasource_id": (datasource_id, "0")},
)

SESSION = keywords_of(
    "a session",
    {
        "location": (path_of_location, "the path of the session directory"),
        "experimenter": (experimenters, "a name from reference.Experimenter, or a list of them"),
        "tasks": (read_task_list, "a list of tasks, which may be empty: []"),
    },
    {
        "clustering": (_session_clustering, "true, false or a list of clusterings"),
        "probe_association": (probe_association, "a mapping from name on disk to name in reference.Probe"),
        "room": (name_text, "a name from reference.ExperimentRoom"),
        "project": (projects, "a name from acquisition.Project, or a list of them"),
        "notes": _NOTES,
        "name": (session_name, "a name for this session, for use in this file"),
    },
)

GROUP_CLUSTERING = keywords_of(
    "a multi-session clustering",
    {
        "curator": _CURATOR,
        "location": _OUTPUT,
        "group_name": (group_name, "a name that no other group of sessions has"),
        "sessions": (two_or_more_sessions, "a list of two or more sessions"),
    },
    {"curation_time": _CURATION_TIME, "notes": _NOTES},
)
