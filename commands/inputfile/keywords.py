"""Document -> typed entries: which keys each mapping of the format takes, and what is said about those it
has.

The tables below are the format. Every key that is read leaves findings through the ``Report``; an entry
with an error is left out, and its neighbours are read all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commands.inputfile.document import Part, Place, Plain
from commands.inputfile.entries import (
    ArenaObject,
    ClusteringEntry,
    CueCard,
    Curtain,
    TaskEntry,
)
from commands.inputfile.fields import BAD, Reader, clipped, name_of, shown, wrong
from commands.inputfile.nearest import nearest
from commands.inputfile.number_fields import (
    boolean,
    datasource_id,
    date_time_or_inherit,
    number,
    seconds_or_inherit,
    session_reference,
)
from commands.inputfile.plain_readings import FALSE_WORDS, NULL_WORDS, TRUE_WORDS
from commands.inputfile.report import KEY, REPEAT, Report
from commands.inputfile.text_fields import (
    free_text,
    group_name,
    name_text,
    path_of_location,
    session_name,
    text_or_inherit,
)


@dataclass(frozen=True, slots=True)
class Keywords:
    """The keys of one kind of mapping. ``what`` names it in messages, with its article; ``expected`` says
    in words what each key takes."""

    what: str
    readers: Mapping[str, Reader]
    expected: Mapping[str, str]
    required: frozenset[str]


def keywords_of(
    what: str, required: Mapping[str, tuple[Reader, str]], optional: Mapping[str, tuple[Reader, str]]
) -> Keywords:
    both = {**required, **optional}
    return Keywords(
        what,
        {key: reader for key, (reader, _) in both.items()},
        {key: expected for key, (_, expected) in both.items()},
        frozenset(required),
    )


def read_mapping(value: Any, keywords: Keywords, report: Report, place: Place) -> tuple[dict[str, Any], bool]:
    """The typed values of those keys that could be read, and whether there was no error."""
    if not isinstance(value, dict):
        _not_a_mapping(value, keywords, report, place)
        return {}, False
    values: dict[str, Any] = {}
    good = True
    readers = keywords.readers
    unknown: list[str] = []
    for key, item in value.items():
        reader = readers.get(key)
        if reader is None:
            unknown.append(key)
        elif item is None or (item.__class__ is Plain and item in NULL_WORDS):
            good = False
            _report_no_value(keywords, report, place, key)
        elif (typed := reader(item, report, place, key)) is BAD:
            good = False
        else:
            values[key] = typed
    if value.__class__ is not dict and value.repeated:  # type: ignore[attr-defined]  # see RepeatedKeys, MarkedMapping
        good = False
        _report_repeated(value.repeated, report, place)  # type: ignore[attr-defined]
    if unknown or not keywords.required <= value.keys():
        good = False
        free = sorted(keywords.readers.keys() - value.keys())
        suggested = {_report_unknown(key, free, keywords, report, place) for key in unknown}
        for key in keywords.readers:
            if key in keywords.required and key not in value and key not in suggested:
                what = keywords.what[0].upper() + keywords.what[1:]
                message = f"{what} needs the key {key}, which is missing here."
                report.error("missing-key", place, None, message, f"Add {key}: {keywords.expected[key]}.")
    return values, good


def _report_no_value(keywords: Keywords, report: Report, place: Place, key: str) -> None:
    hint = "Fill it in." if key in keywords.required else f"Fill it in, or remove it: {key} is optional."
    message = f"{key} has no value; expected {keywords.expected[key]}."
    rest = report.rest_of_line(place, key).strip()
    if rest.startswith("#") and rest[1:2].strip():
        hint = f'# starts a comment; if it is part of the value, put it in quotes: "{rest:.60}".'
    report.error("no-value", place, key, message, hint)


def _not_a_mapping(value: Any, keywords: Keywords, report: Report, place: Place) -> None:
    keys = ", ".join(list(keywords.readers)[:3])
    hint = ""
    if isinstance(value, str):
        key, colon, rest = value.partition(":")
        if colon and rest and key in keywords.readers:
            hint = f'A blank is missing after the colon: "{key}: {rest}".'
    if place is None:
        message = f"The file is {shown(value)}; expected a mapping with the keys {keys}."
        report.error("wrong-type", None, None, message, hint)
    else:
        wrong(value, report, *place, f"{keywords.what} with keys such as {keys}", hint)


def _report_repeated(repeated: list[Any], report: Report, place: Place) -> None:
    for key in dict.fromkeys(entry if isinstance(entry, str) else entry[0] for entry in repeated):
        message = f"The key {name_of(key)} comes a second time in the same mapping."
        report.error("duplicate-key", place, key, message, "Keep one of them.", at=REPEAT)


def _report_unknown(
    key: str, free: list[str], keywords: Keywords, report: Report, place: Place
) -> str | None:
    """Returns the key that was probably meant: a ``free`` one rather than one that is there already."""
    if report.is_full:
        report.left_out()
        return None
    meant = nearest(key, free) or nearest(key, keywords.readers)
    hint = ""
    if meant is not None:
        hint = f'Did you mean "{meant}"?'
    elif key[:1] in ("/", "%", ";"):
        hint = "A comment starts with #."
    else:
        homes = [other.what for other in _ALL if key in other.readers]
        hint = (
            f"It belongs to {' or '.join(homes)}." if homes else f"Known keys: {', '.join(keywords.readers)}."
        )
    message = f'Unknown key "{clipped(key)}" in {keywords.what}.'
    report.error("unknown-key", place, key, message, hint, at=KEY)
    return meant


def read_list(value: Any, report: Report, place: Place, key: Part, expected: str) -> list[Any] | None:
    if isinstance(value, list):
        return value
    hint = "Start each item on a line of its own with a dash and a blank." if isinstance(value, dict) else ""
    wrong(value, report, place, key, expected, hint)
    return None


def _list_of(keywords: Keywords, build: Any) -> Reader:
    """A reader for a list of mappings, each of which becomes one ``build(**values)``."""

    def read(value: Any, report: Report, place: Place, key: Part) -> Any:
        items = read_list(value, report, place, key, f"a list, each item {keywords.what}")
        if items is None:
            return BAD
        here = (place, key)
        built = []
        for index, item in enumerate(items):
            values, good = read_mapping(item, keywords, report, (here, index))
            if good:
                built.append(build(**values))
        return tuple(built) if len(built) == len(items) else BAD

    return read


def _texts(value: Any, report: Report, place: Place, key: Part) -> Any:
    """A text or a list of texts, as a tuple without repetitions."""
    if not isinstance(value, list):
        if isinstance(value, dict):
            return wrong(value, report, place, key, "a text or a list of texts")
        text = name_text(value, report, place, key)
        return BAD if text is BAD else (text,)
    here = (place, key)
    texts = [name_text(item, report, here, index) for index, item in enumerate(value)]
    if BAD in texts:
        return BAD
    if len(set(texts)) < len(texts):
        for index in _repetitions(texts):
            message = f'"{clipped(texts[index])}" is in the list {key} already.'
            report.warning("repeated-item", here, index, message, "Remove it.")
        texts = list(dict.fromkeys(texts))
    return tuple(texts)


def _repetitions(values: list[Any]) -> list[int]:
    """The indexes of those values that came before."""
    first: dict[Any, int] = {}
    return [
        index
        for index, value in enumerate(values)
        if value is not BAD and first.setdefault(value, index) != index
    ]


def _experimenters(value: Any, report: Report, place: Place, key: Part) -> Any:
    if isinstance(value, list) and not value:
        return wrong(value, report, place, key, "at least one experimenter")
    return _texts(value, report, place, key)


def _probe_association(value: Any, report: Report, place: Place, key: Part) -> Any:
    if not isinstance(value, dict):
        expected = "a mapping from each probe's name on disk to its name in reference.Probe"
        return wrong(value, report, place, key, expected)
    here = (place, key)
    association = {}
    good = True
    for name, probe in value.items():
        typed_name = name_text(name, report, here, name)
        typed = name_text(probe, report, here, name)
        good = good and typed is not BAD and typed_name is not BAD
        association[str(name)] = typed
    if value.__class__ is not dict and value.repeated:  # type: ignore[attr-defined]
        good = False
        _report_repeated(value.repeated, report, here)  # type: ignore[attr-defined]
    return (association or None) if good else BAD


def _two_or_more_sessions(value: Any, report: Report, place: Place, key: Part) -> Any:
    expected = "a list of two or more sessions, each by its name in this file or by its session_time"
    items = read_list(value, report, place, key, expected)
    if items is None:
        return BAD
    here = (place, key)
    references = [session_reference(item, report, here, index) for index, item in enumerate(items)]
    good = BAD not in references
    for index in _repetitions(references):
        message = f'The session "{clipped(references[index])}" is in the list already.'
        report.error("repeated-session", here, index, message, "Remove it.")
        good = False
    if len(items) < 2:
        message = f"{key} is {shown(items)}; a multi-session clustering needs two or more sessions."
        hint = "A clustering of one session belongs under that session's own clustering key." if items else ""
        report.error("too-few-sessions", place, key, message, hint)
        good = False
    return tuple(references) if good else BAD


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
        "objects": (_list_of(_OBJECT, ArenaObject), "a list of arena objects"),
        "cue_cards": (_list_of(_CUE_CARD, CueCard), "a list of cue cards"),
        "curtains": (_list_of(_CURTAIN, Curtain), "a list of curtains"),
    },
)
read_task_list = _list_of(_TASK, TaskEntry)


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
_clusterings = _list_of(_CLUSTERING, ClusteringEntry)


def _session_clustering(value: Any, report: Report, place: Place, key: Part) -> Any:
    """A boolean or a list of clusterings, never a list with booleans in it."""
    if not isinstance(value, list):
        word = boolean(value, report, place, key)
        if word is not None:
            return word
        hint = "Start each clustering with a dash and a blank." if isinstance(value, dict) else ""
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
        "experimenter": (_experimenters, "a name from reference.Experimenter, or a list of them"),
        "tasks": (read_task_list, "a list of tasks, which may be empty: []"),
    },
    {
        "clustering": (_session_clustering, "true, false or a list of clusterings"),
        "probe_association": (_probe_association, "a mapping from name on disk to name in reference.Probe"),
        "room": (name_text, "a name from reference.ExperimentRoom"),
        "project": (_texts, "a name from acquisition.Project, or a list of them"),
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
        "sessions": (_two_or_more_sessions, "a list of two or more sessions"),
    },
    {"curation_time": _CURATION_TIME, "notes": _NOTES},
)
_ALL = (SUBJECT, SESSION, _TASK, _OBJECT, _CUE_CARD, _CURTAIN, _CLUSTERING, GROUP_CLUSTERING)
ALL_KEYS = frozenset({"subject", "sessions", "clustering"}.union(*(kind.readers for kind in _ALL)))
