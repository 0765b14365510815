"""Document -> typed entries: which keys each mapping of the format takes, and what is reported about the keys it
has.

The tables below are the format. Every key that is read reports its findings to the ``Report``; an entry with an
error is left out, and its neighbours are read all the same.
"""

import re
from collections.abc import Iterable, Mapping
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
from commands.inputfile.field_notes import ARENA_IS_OPTIONAL
from commands.inputfile.fields import BAD, Reader, clipped, is_null, shown, wrong
from commands.inputfile.nearest import mean, nearest
from commands.inputfile.number_fields import (
    boolean,
    datasource_id,
    date_time_or_inherit,
    has_ambiguous_comma,
    number,
    seconds_or_inherit,
    session_reference,
    which_number,
)
from commands.inputfile.plain_readings import FALSE_WORDS, NULL_WORDS, TRUE_WORDS
from commands.inputfile.report import KEY, REPEAT, Report
from commands.inputfile.text_fields import (
    free_text,
    group_name,
    name_on_disk,
    name_text,
    path_of_location,
    session_name,
    text_or_inherit,
)
from ledger.look_alikes import DASHES, first_typographic, sign_name, straightened

_LONGEST_KEY = 80  # characters: a longer key is not compared with those that exist
_WITH_COMMAS = re.compile(r"[-+]?[0-9]++(?:[.,][0-9]++)*+")
_CONDITIONS = {"arena_apparatus": f"if {ARENA_IS_OPTIONAL}"}


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
    repeated = () if value.__class__ is dict else value.repeated  # type: ignore[attr-defined]  # see RepeatedKeys, MarkedMapping
    if unknown or repeated or not keywords.required <= value.keys():
        good = False
        if not report.is_json and (halves := _halves_of_numbers(value, unknown, report, place)):
            unknown = [key for key in unknown if key not in halves]
            repeated = [key for key in repeated if key not in halves]
        _report_repeated(repeated, report, place)
        free = sorted(keywords.readers.keys() - value.keys())
        suggested = {_report_unknown(key, free, keywords, report, place) for key in unknown}
        for key in keywords.readers:
            if key in keywords.required and key not in value and key not in suggested:
                what = keywords.what[0].upper() + keywords.what[1:]
                message = f"{what} needs the key {key}, which is missing here."
                report.error("missing-key", place, None, message, f"Add {key}: {keywords.expected[key]}.")
    return values, good


def _report_no_value(keywords: Keywords, report: Report, place: Place, key: str) -> None:
    hint = f"Fill it in, or remove it: {key} is optional."
    if key in keywords.required:
        hint = "Fill it in."
    elif key in _CONDITIONS:
        hint = f"Fill it in, or remove it {_CONDITIONS[key]}."
    message = f"{key} has no value; expected {keywords.expected[key]}."
    rest = report.rest_of_line(place, key).strip()
    if rest.startswith("#") and rest[1:2].strip() and not report.is_json:
        hint = f'# starts a comment; if it is part of the value, put it in quotes: "{clipped(rest)}".'
    report.error("no-value", place, key, message, hint)


def _not_a_mapping(value: Any, keywords: Keywords, report: Report, place: Place) -> None:
    if report.is_full and place is not None:
        wrong(value, report, *place, keywords.what)
        return
    keys = ", ".join(list(keywords.readers)[:3])
    hint = ""
    if isinstance(value, str):
        key, colon, rest = straightened(value[:200]).partition(":")
        if colon and rest and key in keywords.readers and not report.is_json:
            hint = f'A blank is missing after the colon: "{key}: {clipped(rest.strip())}".'
            sign = first_typographic(value[: len(key) + 2])
            if sign:
                hint = f"After {key} stands {sign_name(sign)}: write the colon and the blank of the keyboard."
    if place is None:
        message = f"The file is {shown(value)}; expected a mapping with the keys {keys}."
        report.error("wrong-type", None, None, message, hint)
    else:
        wrong(value, report, *place, f"{keywords.what} with keys such as {keys}", hint)


def _report_repeated(repeated: Iterable[str], report: Report, place: Place) -> None:
    for key in dict.fromkeys(repeated):
        message = f"The key {clipped(key)} comes a second time in the same mapping."
        report.error("duplicate-key", place, key, message, "Keep one of them.", at=REPEAT)


_KEY_ALONE = 'Write the key alone: "{}".'


def _report_unknown(
    key: str, free: list[str], keywords: Keywords, report: Report, place: Place
) -> str | None:
    """Returns the key that was probably meant: a ``free`` one rather than one that is there already."""
    if report.is_full:
        report.error("unknown-key", place, key, "", at=KEY)
        return None
    meant = None
    if len(key) <= _LONGEST_KEY and report.may_compare(2 * len(keywords.readers)):
        meant = nearest(key, free) or nearest(key, keywords.readers)
    hint = _about_unknown(key, keywords, report) if meant is None else mean(key, meant)
    dash = straightened(key[:_LONGEST_KEY])
    if key[:1] in DASHES and key and dash[:1] == "-" and dash[1:].strip() in keywords.readers:
        meant = dash[1:].strip()
        begins = "A list item begins with a hyphen and a blank: - {}: ..."
        hint = (
            f"It begins with {sign_name(key[0])}. {(_KEY_ALONE if report.is_json else begins).format(meant)}"
        )
    message = f'Unknown key "{clipped(key)}" in {keywords.what}.'
    report.error("unknown-key", place, key, message, hint, at=KEY)
    return meant


def _about_unknown(key: str, keywords: Keywords, report: Report) -> str:
    if key[:1] in ("/", "%", ";") and key:
        return "JSON has no comments." if report.is_json else "A comment starts with #."
    homes = [other.what for other in _ALL if key in other.readers]
    if homes:
        return f"It belongs to {' or '.join(homes)}."
    return f"Known keys: {', '.join(keywords.readers)}."


def _halves_of_numbers(value: dict[str, Any], unknown: list[str], report: Report, place: Place) -> set[str]:
    """In ``{task_start: 0,5}`` YAML reads a key with 0, and a key 5 without a value: say so at the number. Returns
    the keys that are halves of numbers."""
    halves = {key for key in unknown if key.isdecimal() and is_null(value[key])}
    found = False
    for key, item in value.items() if halves else ():
        if item.__class__ is Plain and item[-1:].isdecimal():
            written = _WITH_COMMAS.match(report.rest_of_line(place, key))
            if written is not None and written[0] != item and has_ambiguous_comma(written[0]):
                which_number(written[0], report, place, key)
                found = True
    return halves if found else set()


def read_list(value: Any, report: Report, place: Place, key: Part, expected: str) -> list[Any] | None:
    if isinstance(value, list):
        return value
    wrong(value, report, place, key, expected, _as_items(report) if isinstance(value, dict) else "")
    return None


def _as_items(report: Report) -> str:
    if report.is_json:
        return "Put its items in brackets: [ ... ]"
    return "Start each item on a line of its own with a hyphen and a blank."


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
        typed_name = name_on_disk(name, report, here, name)
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
        hint = _as_items(report) if isinstance(value, dict) else ""
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
