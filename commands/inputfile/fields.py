"""What the readers of single values share: how they report, and how they show what the user wrote.

A reader takes (value, report, place, key) and returns the typed value, or ``BAD`` after it has reported an
error. Readers never raise. Ways of writing that are understood but doubtful are reported as warnings.
"""

from collections.abc import Callable
from typing import Any, Final

from commands.inputfile.document import NotJson, Part, Place, Plain
from commands.inputfile.plain_readings import FALSE_WORDS, NULL_WORDS, TRUE_WORDS
from commands.inputfile.report import Report
from ledger.plurals import plural


class Bad:
    """The type of ``BAD``."""

    def __repr__(self) -> str:
        return "BAD"


BAD: Final = Bad()
Reader = Callable[[Any, Report, Place, Part], Any]


def shown(value: Any) -> str:
    """A value as the user wrote it, short enough for a message."""
    if isinstance(value, dict):
        return (
            "an empty mapping" if not value else f"a mapping with the key {clipped(next(iter(value)), 40)!s}"
        )
    if isinstance(value, list):
        return "an empty list" if not value else f"a list of {plural(len(value), 'item')}"
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Plain):
        return clipped(value) if value else "nothing"
    return f'the text "{clipped(value)}"'


def clipped(text: str, most: int = 60) -> str:
    """A text on one line of at most so many characters."""
    text = text if len(text) <= most else f"{text[: most - 2]} …"
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def is_null(value: Any) -> bool:
    return value is None or (value.__class__ is Plain and value in NULL_WORDS)


def wrong(value: Any, report: Report, place: Place, key: Part, expected: str, hint: str = "") -> Bad:
    """Report a value of the wrong type, or a missing one."""
    if is_null(value):
        message = f"{name_of(key, place)} has no value; expected {expected}."
        report.error("no-value", place, key, message, "Fill it in, or remove it.")
    elif isinstance(value, NotJson):
        report.error(
            "not-finite",
            place,
            key,
            f"{name_of(key, place)} is {value}, which is no number; expected {expected}.",
        )
    elif report.is_full:
        report.error("wrong-type", place, key, "")
    else:
        message = f"{name_of(key, place)} is {shown(value)}; expected {expected}."
        report.error("wrong-type", place, key, message, hint)
    return BAD


def name_of(key: Part, place: Place) -> str:
    """What a message calls a value: its field, and the number of the item where the field is a list; a probe on disk
    by its name."""
    if place is not None and place[1] == "probe_association":
        return f"{clipped(str(key))} of probe_association"
    if not isinstance(key, int):
        return clipped(key)
    return f"item {key + 1} of {'the list' if place is None else name_of(place[1], place[0])}"


def bare_word(value: Any) -> bool | None:
    """True or False where the value is a bare word for it."""
    if value is True or value is False:
        return bool(value)
    if value.__class__ is Plain and len(value) < 6:
        word = value.lower()
        return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None
    return None


def false_is_not_valid(
    value: Any, report: Report, place: Place, key: Part, expected: str, without: str
) -> Bad:
    """``without`` says what applies where the key is left out."""
    message = f"{name_of(key, place)} is {shown(value)}, which is not valid here; expected {expected}."
    report.error("false-not-valid", place, key, message, without)
    return BAD
