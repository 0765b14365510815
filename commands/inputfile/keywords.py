"""Document -> typed entries: what a mapping takes by its ``Keywords``, and what is reported about the keys it has.

Every key that is read reports its findings to the ``Report``; an entry with an error is left out, and its neighbours
are read all the same.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from commands.inputfile.document import Part, Place, Plain
from commands.inputfile.field_notes import ARENA_IS_OPTIONAL, kinds_with
from commands.inputfile.fields import BAD, Reader, clipped, is_null, shown, wrong
from commands.inputfile.nearest import mean, nearest
from commands.inputfile.number_fields import (
    has_ambiguous_comma,
    which_number,
)
from commands.inputfile.plain_readings import NULL_WORDS
from commands.inputfile.report import KEY, REPEAT, Report
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
        report_repeated(repeated, report, place)
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


def report_repeated(repeated: Iterable[str], report: Report, place: Place) -> None:
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
    if homes := kinds_with(key):
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
    wrong(value, report, place, key, expected, as_items(report) if isinstance(value, dict) else "")
    return None


def as_items(report: Report) -> str:
    if report.is_json:
        return "Put its items in brackets: [ ... ]"
    return "Start each item on a line of its own with a hyphen and a blank."


def list_of(keywords: Keywords, build: Any) -> Reader:
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
