"""Typing rules of text: names, paths, notes."""

import re
from typing import Any

from commands.inputfile.document import Part, Place, Plain
from commands.inputfile.fields import BAD, bare_word, clipped, false_is_not_valid, is_null, name_of, wrong
from commands.inputfile.plain_readings import other_reading
from commands.inputfile.report import Report

LONGEST_GROUP_NAME = 64

DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)"
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"[ \t]*([Zz]|UTC|GMT|[-+][0-9]{1,2}(?::?[0-9]{2})?)?"
)
_ESCAPES = {
    "\n": r"\n",
    "\t": r"\t",
    "\r": r"\r",
    "\b": r"\b",
    "\f": r"\f",
    "\a": r"\a",
    "\v": r"\v",
    "\0": r"\0",
    "\x1b": r"\e",
    "\x85": r"\N",
    "\xa0": r"\_",
    "\u2028": r"\L",
    "\u2029": r"\P",
}
_SMART_QUOTES = "“”„‟‘’‚‛«»"
_DOUBTFUL = _SMART_QUOTES + " "


def name_text(value: Any, report: Report, place: Place, key: Part) -> Any:
    """One line of text, such as a name that must match a table."""
    if (
        value.__class__ is str
        and value.isprintable()
        and value
        and value[0] not in _DOUBTFUL
        and value[-1] != " "
    ):
        return value
    text = _any_text(value, report, place, key, "text")
    if text is BAD:
        return BAD
    if not text.strip():
        report.error(
            "empty-text", place, key, f"{name_of(key)} is an empty text.", "Fill it in, or remove the key."
        )
        return BAD
    if text != text.strip():
        message = (
            f'{name_of(key)} is "{clipped(text)}", with blanks around it that count when it is compared.'
        )
        report.warning("outer-blanks", place, key, message, "Remove the blanks inside of the quotes.")
    if value.__class__ is Plain and " " in text and text not in report.rest_of_line(place, key):
        message = f'{name_of(key)} goes over several lines; they are read as one text: "{clipped(text)}".'
        hint = "If it is a list, start each item with a dash and a blank, all dashes in one column."
        report.warning("several-lines", place, key, message, hint)
    return text if _is_clean(text, report, place, key, line_breaks=False) else BAD


def path_of_location(value: Any, report: Report, place: Place, key: Part) -> Any:
    """A path on disk, one line."""
    if value.__class__ is str and not value.isprintable() and any(sign in value for sign in "\n\t\r\b\f\a\v"):
        found = next(sign for sign in value if sign in _ESCAPES)
        report.error(
            "escape-in-path",
            place,
            key,
            f"{name_of(key)} holds the control character {_ESCAPES[found]}: in double quotes a backslash "
            "starts an escape sequence.",
            f"Write it with slashes, as in N:/my_project/new, or double each backslash: {_doubled(value)}",
        )
        return BAD
    return name_text(value, report, place, key)


def _doubled(path: str) -> str:
    return (
        '"'
        + "".join("\\" + _ESCAPES[sign] if sign in _ESCAPES else sign.replace("\\", "\\\\") for sign in path)
        + '"'
    )


def free_text(value: Any, report: Report, place: Place, key: Part) -> Any:
    """Notes: any text, also of several lines, also empty."""
    if value.__class__ is str and value.isprintable() and value.lower() not in ("yes", "true"):
        return value
    if value.__class__ is str and value.lower() in ("yes", "true"):
        report.warning(
            "word-as-text",
            place,
            key,
            f'{key} is the text "{value}", because it stands in quotes.',
            "Without the quotes it would mean: inherit from sessions.txt." if place_is_task(place) else "",
        )
        return value
    text = _any_text(value, report, place, key, "text")
    return text if text is not BAD and _is_clean(text, report, place, key, line_breaks=True) else BAD


def place_is_task(place: Place) -> bool:
    return place is not None and place[0] is not None and place[0][1] == "tasks"


def text_or_inherit(value: Any, report: Report, place: Place, key: Part) -> Any:
    """Task notes: text, or True to inherit them."""
    word = bare_word(value)
    if word is True:
        return True
    if word is False:
        return false_is_not_valid(value, report, place, key, "text, or true to inherit it from sessions.txt")
    return free_text(value, report, place, key)


def session_name(value: Any, report: Report, place: Place, key: Part) -> Any:
    """A name for use in this file, which must not be mistaken for the time of a session."""
    text = name_text(value, report, place, key)
    if text is not BAD and DATE_TIME.fullmatch(text):
        report.error(
            "name-looks-like-date-time",
            place,
            key,
            f'The name "{text}" looks like a date-time, which clustering would take for a session_time.',
            f'Use a name such as "session_{text[:10]}".',
        )
        return BAD
    return text


def group_name(value: Any, report: Report, place: Place, key: Part) -> Any:
    text = name_text(value, report, place, key)
    if text is not BAD and len(text) > LONGEST_GROUP_NAME:
        report.error(
            "group-name-too-long",
            place,
            key,
            f"The group_name has {len(text)} characters; {LONGEST_GROUP_NAME} are allowed.",
        )
        return BAD
    return text


def _any_text(value: Any, report: Report, place: Place, key: Part, expected: str) -> Any:
    """The text the user wrote, quoted or not, with a warning where plain YAML would have read something
    else."""
    if value.__class__ is str:
        return value
    if is_null(value):
        return wrong(value, report, place, key, expected)
    if value is True or value is False:
        value = Plain("true" if value else "false")
    if value.__class__ is not Plain:
        hint = (
            "Put the text in quotes." if isinstance(value, dict | list) and not isinstance(key, int) else ""
        )
        return wrong(value, report, place, key, expected, hint)
    readings = report.readings
    reading = readings[value] if value in readings else readings.setdefault(value, other_reading(value))
    text = str(value)
    if reading is not None:
        report.warning(
            "plain-scalar",
            place,
            key,
            f'{name_of(key)} is taken as the text "{clipped(text)}"; plain YAML would read {reading}.',
            f'Put it in quotes: "{clipped(text)}".',
        )
    return text


def _is_clean(text: str, report: Report, place: Place, key: Part, *, line_breaks: bool) -> bool:
    """Report characters that cannot be seen, cannot be stored, or were put in by a word processor."""
    if text[:1] in _SMART_QUOTES and text[:1]:
        report.warning(
            "smart-quotes",
            place,
            key,
            f"{name_of(key)} starts with {text[0]}, a word processor's quotation mark, part of the text.",
            "Use the straight marks \" or '.",
        )
    if text.isprintable():
        return True
    for sign in text:
        if sign.isprintable() or (line_breaks and sign in "\n\t\r"):
            continue
        point = ord(sign)
        if point < 0x20 or 0x7F <= point < 0xA0 or 0xD800 <= point < 0xE000 or sign in "\u2028\u2029":
            what = "a line break" if sign in "\n\r\x85\u2028\u2029" else f"the character U+{point:04X}"
            allowed = "text without control characters" if line_breaks else "one line of text"
            report.error("control-character", place, key, f"{name_of(key)} holds {what}; expected {allowed}.")
            return False
        report.warning(
            "invisible-character",
            place,
            key,
            f"{name_of(key)} holds the invisible character U+{point:04X}, which counts when it is compared.",
            "Type the value anew rather than copying it.",
        )
        return True
    return True
