"""Typing rules of numbers, booleans and times, and of those fields that take a boolean beside them."""

import math
import re
from datetime import date, time
from typing import Any

from commands.inputfile.document import Part, Place, Plain
from commands.inputfile.field_notes import TOO_LARGE
from commands.inputfile.fields import (
    BAD,
    bare_word,
    clipped,
    false_is_not_valid,
    is_null,
    name_of,
    wrong,
)
from commands.inputfile.plain_readings import other_reading
from commands.inputfile.report import Report
from commands.inputfile.text_fields import DATE_TIME, name_text
from ledger.look_alikes import first_typographic, sign_name, straightened

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_LOOSE_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_NOT_FINITE = {"nan", "inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"}
_LONGEST_NUMBER = 400  # characters
_LONGEST_TIME = 80
_SECONDS = "a number of seconds, or true to inherit it from sessions.txt"
_CURATION_TIME = "a date-time such as 2023-04-05 12:13:14, or true for the modification time of the files"


def number(value: Any, report: Report, place: Place, key: Part) -> Any:
    if value.__class__ is Plain and len(value) < _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return _finite(value, report, place, key)
    return _unusual_number(value, report, place, key, "a number")


def seconds_or_inherit(value: Any, report: Report, place: Place, key: Part) -> Any:
    """Seconds from the start of the recording, or True to inherit."""
    if value.__class__ is Plain and len(value) < _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        seconds = _finite(value, report, place, key)
    else:
        word = _true_or_false(value, report, place, key, false_is_valid=False)
        if word is not None:
            hint = "Write the seconds, or true."
            return True if word else false_is_not_valid(value, report, place, key, _SECONDS, hint)
        seconds = _unusual_number(value, report, place, key, _SECONDS)
    if seconds is BAD or seconds >= 0:
        return seconds
    message = f"{name_of(key, place)} is {value}, which is before the recording starts."
    hint = "It counts the seconds from the start of the session's recording: 0 or more."
    report.error("negative-time", place, key, message, hint)
    return BAD


def _finite(value: str, report: Report, place: Place, key: Part) -> Any:
    result = float(value) + 0.0  # -0.0 becomes 0.0
    if -TOO_LARGE < result < TOO_LARGE:
        return result
    code = "not-finite" if math.isinf(result) else "number-too-large"
    message = f"{name_of(key, place)} is {clipped(value, 40)}, which is too large a number."
    report.error(code, place, key, message, "Numbers have at most 64 bits: 18 digits before the point.")
    return BAD


def _unusual_number(value: Any, report: Report, place: Place, key: Part, expected: str) -> Any:
    if not isinstance(value, str) or is_null(value):
        return wrong(value, report, place, key, expected)
    if len(value) >= _LONGEST_NUMBER:
        return _too_long(value, report, place, key, expected)
    if has_ambiguous_comma(value):
        return which_number(value, report, place, key)
    if value.__class__ is str:
        hint = f"Write it without the quotes: {value}" if _NUMBER.fullmatch(value) and len(value) < 40 else ""
        return wrong(value, report, place, key, expected, hint)
    reading = other_reading(value)
    if _LOOSE_NUMBER.fullmatch(value):
        if reading is not None and float(reading.removeprefix("the number ")) != float(value):
            message = f"{name_of(key, place)} is taken as {value}; other programs would read {reading}."
            report.warning("plain-scalar", place, key, message)
        return _finite(value, report, place, key)
    if reading == "a number that is not finite" or value.lower() in _NOT_FINITE:
        message = f"{name_of(key, place)} is {value}; expected {expected}, which must be finite."
        report.error("not-finite", place, key, message)
        return BAD
    hint = ""
    if reading is not None and reading.startswith("the number "):
        hint = f"If {reading} is meant, write {reading.removeprefix('the number ')}."
    elif _LOOSE_NUMBER.fullmatch(straightened(value)):
        sign = sign_name(first_typographic(value))
        hint = f"It holds {sign}: write the sign of the keyboard instead."
    return wrong(value, report, place, key, expected, hint)


def _too_long(value: str, report: Report, place: Place, key: Part, expected: str) -> Any:
    if value.strip("+-.0123456789eE_"):
        return wrong(value, report, place, key, expected)
    finite = _LOOSE_NUMBER.fullmatch(value) is None or math.isfinite(float(value))
    message = f"{name_of(key, place)} has {len(value):,} digits, which is too large a number."
    report.error("number-too-large" if finite else "not-finite", place, key, message)
    return BAD


def has_ambiguous_comma(text: str) -> bool:
    """Whether it is a number with a comma, such as ``1,200`` or ``0,5``: thousands in one country, decimals in
    another."""
    digits = text.strip().lstrip("+-")
    return (
        "," in digits
        and digits[:1].isdecimal()
        and digits[-1:].isdecimal()
        and not digits.strip("0123456789.,'_ \u00a0\u202f")
    )


def which_number(written: str, report: Report, place: Place, key: Part) -> Any:
    """Ask which number is meant, and name none."""
    report.error(
        "number-with-comma",
        place,
        key,
        f"{name_of(key, place)} is {clipped(written, 40)}, where the comma may separate decimals or thousands.",
        "Which number is meant? Write decimals after a point, and thousands without any sign between them.",
    )
    return BAD


def datasource_id(value: Any, report: Report, place: Place, key: Part) -> Any:
    if value.__class__ is Plain and value == "0":
        return 0
    if value.__class__ is Plain and re.fullmatch(r"[-+]?[0-9]{1,18}", value):
        report.error("datasource-id", place, key, f"datasource_id is {value}; the only valid value is 0.")
        return BAD
    return wrong(value, report, place, key, "0, the only valid value", "Write 0, or remove the key.")


def _true_or_false(
    value: Any, report: Report, place: Place, key: Part, *, false_is_valid: bool
) -> bool | None:
    """True and False as such, and with a warning the texts "true" and "yes" ("false" and "no" where
    valid)."""
    if value.__class__ is not str:
        return bare_word(value)
    word = value.lower()
    if word in ("true", "yes"):
        result = True
    elif false_is_valid and word in ("false", "no"):
        result = False
    else:
        return None
    bare = "true" if result else "false"
    report.warning(
        "text-for-boolean",
        place,
        key,
        f'{name_of(key, place)} is the text "{value}", taken as {bare}.',
        f"Write {bare} without quotes.",
    )
    return result


def boolean(value: Any, report: Report, place: Place, key: Part) -> bool | None:
    """Of session.clustering: None where the value is no boolean."""
    return _true_or_false(value, report, place, key, false_is_valid=True)


def date_time_or_inherit(value: Any, report: Report, place: Place, key: Part) -> Any:
    """Naive local time as ``YYYY-MM-DD HH:MM:SS[.ffffff]``, or True for the modification time of the
    files."""
    if isinstance(value, str) and len(value) < _LONGEST_TIME:
        found = DATE_TIME.fullmatch(value)
        if found:
            return _date_time(found, report, place, key)
    expected = _CURATION_TIME
    word = _true_or_false(value, report, place, key, false_is_valid=False)
    if word is None:
        is_date = isinstance(value, str) and _DATE.fullmatch(value[:_LONGEST_TIME])
        return wrong(
            value, report, place, key, expected, f"Add the time of day: {value} 00:00:00" if is_date else ""
        )
    hint = "Without the key the modification time of the files is taken."
    return True if word else false_is_not_valid(value, report, place, key, expected, hint)


def session_reference(value: Any, report: Report, place: Place, key: Part) -> Any:
    """The name of a session in this file, or a session_time."""
    if isinstance(value, str) and len(value) < _LONGEST_TIME:
        found = DATE_TIME.fullmatch(value.strip())
        if found:
            return _date_time(found, report, place, key)
    return name_text(value, report, place, key)


def _date_time(found: re.Match[str], report: Report, place: Place, key: Part) -> Any:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    given = clipped(found[0])
    if zone:
        report.error(
            "date-time-with-zone",
            place,
            key,
            f"{name_of(key, place)} is {given}, with the time zone {zone}; expected local time without a zone.",
            f"Write the time as the clock on the wall showed it, such as {given.removesuffix(zone).strip()}.",
        )
        return BAD
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > 6:
        report.error(
            "date-time", place, key, f"{name_of(key, place)} is {given}; a fraction has at most six digits."
        )
        return BAD
    try:
        local = f"{date(int(year), int(month), int(day))} {time(int(hour), int(minute), int(second or 0))}"
    except ValueError as error:
        report.error(
            "date-time", place, key, f"{name_of(key, place)} is {given}, which is no point in time: {error}."
        )
        return BAD
    return f"{local}.{fraction:0<6}" if fraction else local
