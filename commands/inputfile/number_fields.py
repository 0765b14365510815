"""Typing rules of numbers, booleans and times, and of those fields that take a boolean beside them."""

import math
import re
from datetime import date, time
from typing import Any

from commands.inputfile.document import Part, Place, Plain
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

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_LOOSE_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")


def number(value: Any, report: Report, place: Place, key: Part) -> Any:
    if value.__class__ is Plain and _NUMBER.fullmatch(value):
        return _finite(value, report, place, key)
    return _unusual_number(value, report, place, key, "a number")


def seconds_or_inherit(value: Any, report: Report, place: Place, key: Part) -> Any:
    """Seconds from the start of the recording, or True to inherit."""
    if value.__class__ is Plain and _NUMBER.fullmatch(value):
        return _finite(value, report, place, key)
    expected = "a number of seconds, or true to inherit it from sessions.txt"
    word = _true_or_false(value, report, place, key, false_is_valid=False)
    if word is None:
        return _unusual_number(value, report, place, key, expected)
    return True if word else false_is_not_valid(value, report, place, key, expected)


def _finite(value: str, report: Report, place: Place, key: Part) -> Any:
    result = float(value) + 0.0  # -0.0 becomes 0.0
    if math.isinf(result):
        report.error(
            "not-finite", place, key, f"{name_of(key)} is {clipped(value, 40)}, which is too large a number."
        )
        return BAD
    return result


def _unusual_number(value: Any, report: Report, place: Place, key: Part, expected: str) -> Any:
    if value.__class__ is str:
        hint = f"Write it without the quotes: {value}" if _NUMBER.fullmatch(value) and len(value) < 40 else ""
        return wrong(value, report, place, key, expected, hint)
    if value.__class__ is not Plain or is_null(value):
        return wrong(value, report, place, key, expected)
    reading = other_reading(value)
    if _LOOSE_NUMBER.fullmatch(value):
        if reading is not None and float(reading.removeprefix("the number ")) != float(value):
            report.warning(
                "plain-scalar",
                place,
                key,
                f"{name_of(key)} is taken as {value}; plain YAML would read {reading}.",
            )
        return _finite(value, report, place, key)
    if reading == "a number that is not finite":
        report.error(
            "not-finite", place, key, f"{name_of(key)} is {value}; expected {expected}, which must be finite."
        )
        return BAD
    hint = ""
    if reading is not None and reading.startswith("the number "):
        hint = f"If {reading} is meant, write {reading.removeprefix('the number ')}."
    elif _LOOSE_NUMBER.fullmatch(value.replace(",", ".")):
        hint = f"Write a decimal point: {value.replace(',', '.')}"
    return wrong(value, report, place, key, expected, hint)


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
        f'{name_of(key)} is the text "{value}", taken as {bare}.',
        f"Write {bare} without quotes.",
    )
    return result


def boolean(value: Any, report: Report, place: Place, key: Part) -> bool | None:
    """Of session.clustering: None where the value is no boolean."""
    return _true_or_false(value, report, place, key, false_is_valid=True)


def date_time_or_inherit(value: Any, report: Report, place: Place, key: Part) -> Any:
    """Naive local time as ``YYYY-MM-DD HH:MM:SS[.ffffff]``, or True for the modification time of the
    files."""
    if value.__class__ is str or value.__class__ is Plain:
        found = DATE_TIME.fullmatch(value)
        if found:
            return _date_time(found, report, place, key)
    expected = "a date-time such as 2023-04-05 12:13:14, or true for the modification time of the files"
    word = _true_or_false(value, report, place, key, false_is_valid=False)
    if word is None:
        is_date = isinstance(value, str) and _DATE.fullmatch(value)
        return wrong(
            value, report, place, key, expected, f"Add the time of day: {value} 00:00:00" if is_date else ""
        )
    return True if word else false_is_not_valid(value, report, place, key, expected)


def session_reference(value: Any, report: Report, place: Place, key: Part) -> Any:
    """The name of a session in this file, or a session_time."""
    if value.__class__ is str or value.__class__ is Plain:
        found = DATE_TIME.fullmatch(value)
        if found:
            return _date_time(found, report, place, key)
    return name_text(value, report, place, key)


def _date_time(found: re.Match[str], report: Report, place: Place, key: Part) -> Any:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    given = found[0]
    if zone:
        report.error(
            "date-time-with-zone",
            place,
            key,
            f"{name_of(key)} is {given}, with the time zone {zone}; expected local time without a zone.",
            f"Write the time as the clock on the wall showed it, such as {given.removesuffix(zone).strip()}.",
        )
        return BAD
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > 6:
        report.error(
            "date-time", place, key, f"{name_of(key)} is {given}; a fraction has at most six digits."
        )
        return BAD
    try:
        local = f"{date(int(year), int(month), int(day))} {time(int(hour), int(minute), int(second or 0))}"
    except ValueError as error:
        report.error(
            "date-time", place, key, f"{name_of(key)} is {given}, which is no point in time: {error}."
        )
        return BAD
    return f"{local}.{fraction:0<6}" if fraction else local
