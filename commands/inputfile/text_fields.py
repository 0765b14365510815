"""Typing rules of text: names, paths, notes."""

import re
from typing import Any

from commands.inputfile.document import NotJson, Part, Place, Plain, parts_of, path_text
from commands.inputfile.field_notes import LONGEST_GROUP_NAME, LONGEST_NAME, LONGEST_NOTES, LONGEST_PATH
from commands.inputfile.fields import BAD, bare_word, clipped, false_is_not_valid, is_null, name_of, wrong
from commands.inputfile.plain_readings import other_reading
from commands.inputfile.report import Report
from ledger.look_alikes import (
    BLANKS,
    DOUBLE_QUOTES,
    SINGLE_QUOTES,
    comparable,
    sign_name,
    without_blanks,
)

_CANDIDATES = 4  # longer texts that are looked for where one may be cut

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
_SMART_QUOTES = DOUBLE_QUOTES + SINGLE_QUOTES


def name_text(value: Any, report: Report, place: Place, key: Part, expected: str = "text") -> Any:
    """One line of text, such as a name that must match a table: in NFC, without blanks at its ends."""
    if value.__class__ is Plain and (known := report.harmless.get(value)) is not None:
        return known
    if _is_plain_line(value, LONGEST_NAME):
        return value
    text = _line_of_text(value, report, place, key, LONGEST_NAME, expected)
    if text is BAD:
        return BAD
    if " " not in text and report.readings.get(value) == (None, False) and _is_plain_line(text, LONGEST_NAME):
        report.harmless[value] = text
    name = comparable(text)
    if text != without_blanks(text):
        message = f'{name_of(key, place)} is "{clipped(text)}", with blanks around it, which are left out.'
        report.warning("outer-blanks", place, key, message, "Remove them.")
    return name if _is_clean(name, report, place, key, line_breaks=False) else BAD


def _is_plain_line(value: Any, most: int) -> bool:
    """Quoted text about which there is nothing to say: most texts, so that it is worth asking first."""
    return (
        value.__class__ is str
        and value.isascii()
        and value.isprintable()
        and 0 < len(value) <= most
        and value[0] != " "
        and value[-1] != " "
    )


def _line_of_text(
    value: Any, report: Report, place: Place, key: Part, most: int, expected: str = "text"
) -> Any:
    text = _any_text(value, report, place, key, expected, most)
    if text is BAD:
        return BAD
    if not comparable(text):
        report.error("empty-text", place, key, f"{name_of(key, place)} is an empty text.", "Fill it in.")
        return BAD
    if value.__class__ is Plain and " " in text and not report.is_on_one_line(place, key, text):
        message = (
            f'{name_of(key, place)} goes over several lines; they are read as one text: "{clipped(text)}".'
        )
        hint = "If it is a list, start each item with a hyphen and a blank, all hyphens in one column."
        report.warning("several-lines", place, key, message, hint)
    return text


def name_on_disk(value: Any, report: Report, place: Place, key: Part) -> Any:
    """The name of a file or folder, as the user wrote it."""
    if _is_plain_line(value, LONGEST_NAME):
        return value
    text = _line_of_text(value, report, place, key, LONGEST_NAME)
    return text if text is not BAD and _is_clean(text, report, place, key, line_breaks=False) else BAD


def path_of_location(value: Any, report: Report, place: Place, key: Part) -> Any:
    """A path on disk, one line, as the user wrote it."""
    if _is_plain_line(value, LONGEST_PATH):
        return value
    if value.__class__ is str and not value.isprintable() and any(sign in value for sign in "\n\t\r\b\f\a\v"):
        found = next(sign for sign in value if sign in _ESCAPES)
        report.error(
            "escape-in-path",
            place,
            key,
            f"{name_of(key, place)} holds the control character {_ESCAPES[found]}: in double quotes a backslash "
            "starts an escape sequence.",
            "Write it with slashes, as in N:/my_project/new, or double each backslash: "
            f"{clipped(_doubled(value[:200]), 200)}",
        )
        return BAD
    text = _line_of_text(value, report, place, key, LONGEST_PATH)
    if text is BAD:
        return BAD
    if text != text.strip():
        message = f'{name_of(key, place)} is "{clipped(text)}", with blanks around it that count on disk.'
        report.warning("outer-blanks", place, key, message, "Remove them.")
    return text if _is_clean(text, report, place, key, line_breaks=False) else BAD


def _doubled(path: str) -> str:
    return (
        '"'
        + "".join("\\" + _ESCAPES[sign] if sign in _ESCAPES else sign.replace("\\", "\\\\") for sign in path)
        + '"'
    )


def free_text(value: Any, report: Report, place: Place, key: Part) -> Any:
    """Notes: any text, also of several lines, also empty."""
    is_word = value.__class__ is str and len(value) < 5 and value.lower() in ("yes", "true")
    if value.__class__ is str and value.isprintable() and len(value) <= LONGEST_NOTES and not is_word:
        return value
    if is_word:
        report.warning(
            "word-as-text",
            place,
            key,
            f'{key} is the text "{value}", because it stands in quotes.',
            "If they should be inherited from sessions.txt, write true without quotes."
            if _is_in_task(place)
            else "",
        )
        return value
    text = _any_text(value, report, place, key, "text", LONGEST_NOTES)
    return text if text is not BAD and _is_clean(text, report, place, key, line_breaks=True) else BAD


def _is_in_task(place: Place) -> bool:
    return place is not None and place[0] is not None and place[0][1] == "tasks"


def text_or_inherit(value: Any, report: Report, place: Place, key: Part) -> Any:
    """Task notes: text, or True to inherit them."""
    word = bare_word(value)
    if word is True:
        return True
    if word is False:
        expected = "text, or true to inherit it from sessions.txt"
        return false_is_not_valid(
            value, report, place, key, expected, "Remove the key if there are no notes."
        )
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


def _any_text(value: Any, report: Report, place: Place, key: Part, expected: str, most: int) -> Any:
    """The text the user wrote, quoted or not, with a warning where plain YAML would have read something
    else, or may have cut it."""
    if is_null(value):
        return wrong(value, report, place, key, expected)
    if value is True or value is False:
        value = Plain("true" if value else "false")
    if not isinstance(value, str) or isinstance(value, NotJson):
        hint = (
            "Put the text in quotes." if isinstance(value, dict | list) and not isinstance(key, int) else ""
        )
        return wrong(value, report, place, key, expected, hint)
    if len(value) > most:
        message = f"{name_of(key, place)} has {len(value):,} characters; at most {most:,} are allowed."
        report.error("text-too-long", place, key, message, f'It begins with "{clipped(value, 40)}".')
        return BAD
    if value.__class__ is str:
        return value
    text = str(value)
    if value not in report.readings:
        report.readings[value] = other_reading(text), report.may_be_cut(text)
    reading, may_be_cut = report.readings[value]
    if reading is not None:
        report.warning(
            "plain-scalar",
            place,
            key,
            f'{name_of(key, place)} is taken as the text "{clipped(text)}"; other programs would read {reading}.',
            f'Put it in quotes: "{clipped(text)}".',
        )
    if may_be_cut:
        _look_for_cut(text, report, place, key)
    return text


def _look_for_cut(text: str, report: Report, place: Place, key: Part) -> None:
    """A bare text ends at a blank and #: ``run #2`` is ``run``, and a comment."""
    comment = report.comment_after(place, key, text)
    if not comment:
        return
    ends = [found.start() for found in _COMMENT_IN_COMMENT.finditer(comment, 2)][: _CANDIDATES - 1]
    longer = [text + comment[:end].rstrip() for end in (*ends, len(comment))]
    report.cut[path_text(parts_of((place, key)))] = tuple(dict.fromkeys(longer))
    if comment.lstrip()[1:2].strip():
        said = clipped(comment.strip(), 40)
        message = f'{name_of(key, place)} is "{clipped(text)}"; what follows, {said}, is read as a comment.'
        hint = f'If it is part of the value, put the whole in quotes: "{clipped(longer[0])}".'
        report.warning("cut-at-comment", place, key, message, hint)


_COMMENT_IN_COMMENT = re.compile(r"[ \t]#")


def _is_clean(text: str, report: Report, place: Place, key: Part, *, line_breaks: bool) -> bool:
    """Report characters that cannot be seen, cannot be stored, or were put in by a word processor."""
    if text[:1] in _SMART_QUOTES and text[:1]:
        report.warning(
            "smart-quotes",
            place,
            key,
            f"{name_of(key, place)} starts with {text[0]}, a word processor's quotation mark, which is part of "
            "the text.",
            "Leave it out; the text stands in quotes already."
            if report.is_json
            else "Use the straight mark \" or ' instead.",
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
            message = f"{name_of(key, place)} holds {what}; expected {allowed}."
            report.error("control-character", place, key, message)
            return False
        what = "the blank" if sign in BLANKS else "the invisible character"
        report.warning(
            "invisible-character",
            place,
            key,
            f"{name_of(key, place)} holds {what} {sign_name(sign)}, which counts when it is compared.",
            "Type the value anew rather than copying it.",
        )
        return True
    return True
