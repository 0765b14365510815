"""What every field of the format means: for the template, the schema, and wherever a user looks it up.

One table per kind of mapping, in the order in which the fields are shown. Types are JSON Schema fragments
that take what stage 1 takes; what must match a table is not enumerated, because tables grow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

LONGEST_NAME: Final = 255  # characters; of whatever must match a table or is a key: an index has to hold it
LONGEST_GROUP_NAME: Final = 64
LONGEST_PATH: Final = 4_096
LONGEST_NOTES: Final = 100_000
TOO_LARGE: Final = 2.0**63

_DATE_TIME = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,6})?)?$"
_TRUE = {"type": "string", "pattern": "^([Tt][Rr][Uu][Ee]|[Yy][Ee][Ss])$"}
_FALSE = {"type": "string", "pattern": "^([Ff][Aa][Ll][Ss][Ee]|[Nn][Oo])$"}

# Text is what the user wrote: a room 2.345 or a subject 12345 is text too. A pattern binds strings only.
TEXT: Final[Mapping[str, Any]] = {
    "type": ["string", "number", "boolean"],
    "pattern": r"\S",
    "maxLength": LONGEST_NAME,
}
PATH: Final[Mapping[str, Any]] = {**TEXT, "maxLength": LONGEST_PATH}
FREE_TEXT: Final[Mapping[str, Any]] = {"type": ["string", "number", "boolean"], "maxLength": LONGEST_NOTES}
TEXT_OR_TRUE: Final[Mapping[str, Any]] = {
    "anyOf": [{"type": ["string", "number"], "maxLength": LONGEST_NOTES}, {"const": True}]
}
TEXTS: Final[Mapping[str, Any]] = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
ONE_OR_MORE_TEXTS: Final[Mapping[str, Any]] = {
    "anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]
}
NUMBER: Final[Mapping[str, Any]] = {
    "type": "number",
    "exclusiveMinimum": -TOO_LARGE,
    "exclusiveMaximum": TOO_LARGE,
}
SECONDS_OR_TRUE: Final[Mapping[str, Any]] = {
    "anyOf": [{"type": "number", "minimum": 0, "exclusiveMaximum": TOO_LARGE}, {"const": True}, _TRUE]
}
DATE_TIME_OR_TRUE: Final[Mapping[str, Any]] = {
    "anyOf": [{"type": "string", "pattern": _DATE_TIME}, {"const": True}, _TRUE]
}
BOOLEAN: Final[Mapping[str, Any]] = {"anyOf": [{"type": "boolean"}, _TRUE, _FALSE]}
ZERO: Final[Mapping[str, Any]] = {"type": "integer", "const": 0}
SESSION_NAME: Final[Mapping[str, Any]] = {**TEXT, "not": {"type": "string", "pattern": _DATE_TIME}}
GROUP_NAME: Final[Mapping[str, Any]] = {**TEXT, "maxLength": LONGEST_GROUP_NAME}
REFERENCES: Final[Mapping[str, Any]] = {"type": "array", "items": TEXT, "minItems": 2, "uniqueItems": True}
ASSOCIATION: Final[Mapping[str, Any]] = {"type": "object", "additionalProperties": TEXT}

REQUIRED: Final = "required"
ARENA_IS_OPTIONAL: Final = "the task type has arena_required: false"


@dataclass(frozen=True, slots=True)
class FieldNote:
    """``default`` is REQUIRED, None for "nothing", or the value. ``required`` says when a field that may be left
    out may not: "unless ...", "where ...". ``entries`` names the mappings of a list."""

    what: str
    type: Mapping[str, Any] | None
    default: Any = None
    table: str = ""
    entries: str = ""
    required: str = ""


_NOTES = FieldNote("any text", FREE_TEXT)
_COORDINATES = {
    "coord_x": FieldNote("a number", NUMBER, REQUIRED),
    "coord_y": FieldNote("a number", NUMBER, REQUIRED),
}
_CURATOR = FieldNote("who curated it", TEXT, REQUIRED, "reference.Experimenter")
_OUTPUT = FieldNote("path of the clustering output", PATH, REQUIRED)
_CURATION_TIME = FieldNote(
    "such as 2023-04-05 12:13:14, or true for the files' own time",
    DATE_TIME_OR_TRUE,
    default=True,
)

FIELD_NOTES: Final[Mapping[str, Mapping[str, FieldNote]]] = {
    "input file": {
        "subject": FieldNote("the one subject of the file", None, REQUIRED, entries="subject"),
        "sessions": FieldNote("a list of sessions", None, [], entries="session"),
        "clustering": FieldNote(
            "a list of multi-session clusterings", None, [], entries="multi-session clustering"
        ),
    },
    "subject": {
        "name": FieldNote("a registered subject with at least one probe inserted", TEXT, REQUIRED),
        "datasource_id": FieldNote("where the name comes from, always 0", ZERO, default=0),
    },
    "session": {
        "location": FieldNote("path of the session directory", PATH, REQUIRED),
        "experimenter": FieldNote(
            "who recorded it, one or a list",
            ONE_OR_MORE_TEXTS,
            REQUIRED,
            "reference.Experimenter",
        ),
        "name": FieldNote("a name for clustering below to refer to", SESSION_NAME),
        "room": FieldNote("where it was recorded", TEXT, table="reference.ExperimentRoom"),
        "project": FieldNote("one or a list", TEXTS, table="acquisition.Project"),
        "notes": _NOTES,
        "probe_association": FieldNote(
            "name on disk and probe",
            ASSOCIATION,
            table="reference.Probe",
            required="where serials do not decide",
        ),
        "tasks": FieldNote("a list of tasks, which may be empty: []", None, REQUIRED, entries="task"),
        "clustering": FieldNote(
            "true to search the location, false for none, or a list",
            BOOLEAN,
            default=True,
            entries="clustering",
        ),
    },
    "task": {
        "task_type": FieldNote("type of the task", TEXT, REQUIRED, "behavior.TaskType"),
        "arena_apparatus": FieldNote(
            "", TEXT, table="reference.ArenaApparatus", required=f"unless {ARENA_IS_OPTIONAL}"
        ),
        "task_start": FieldNote(
            "seconds in the recording, or true to inherit from sessions.txt",
            SECONDS_OR_TRUE,
            default=True,
        ),
        "task_stop": FieldNote(
            "seconds in the recording, or true to inherit from sessions.txt",
            SECONDS_OR_TRUE,
            default=True,
        ),
        "notes": FieldNote("any text, or true to inherit from sessions.txt", TEXT_OR_TRUE),
        "light_level": FieldNote("how bright it was", TEXT, table="behavior.TaskLightLevel"),
        "objects": FieldNote("a list of objects in the arena", None, [], entries="arena object"),
        "cue_cards": FieldNote("a list of cue cards", None, [], entries="cue card"),
        "curtains": FieldNote("a list of curtains", None, [], entries="curtain"),
    },
    "arena object": {
        "object_name": FieldNote("the object", TEXT, REQUIRED, "reference.ArenaObject"),
        **_COORDINATES,
        "note": _NOTES,
    },
    "cue card": {
        "card_name": FieldNote("the card", TEXT, REQUIRED, "reference.CueCard"),
        **_COORDINATES,
        "note": _NOTES,
    },
    "curtain": {
        "start_point": FieldNote("text such as bottom-left", TEXT, REQUIRED),
        "direction": FieldNote("text such as clockwise", TEXT, REQUIRED),
        "coverage": FieldNote("a number", NUMBER, REQUIRED),
    },
    "clustering": {
        "curator": _CURATOR,
        "location": _OUTPUT,
        "curation_time": _CURATION_TIME,
        "notes": _NOTES,
    },
    "multi-session clustering": {
        "curator": _CURATOR,
        "location": _OUTPUT,
        "group_name": FieldNote("a name no other has, at most 64 characters", GROUP_NAME, REQUIRED),
        "sessions": FieldNote("two or more, each a session_time or a name above", REFERENCES, REQUIRED),
        "curation_time": _CURATION_TIME,
        "notes": _NOTES,
    },
}
ALL_KEYS: Final = frozenset().union(*FIELD_NOTES.values())
_IN_WORDS = {"subject": "the subject", "arena object": "an arena object"}


def kinds_with(key: str) -> list[str]:
    """Which mappings of the file take a key, each in words with its article."""
    kinds = [kind for kind, notes in FIELD_NOTES.items() if key in notes and kind != "input file"]
    return [_IN_WORDS.get(kind, f"a {kind}") for kind in kinds]
