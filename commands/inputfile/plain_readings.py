"""What a bare scalar means to a plain YAML 1.1 or JSON reader, where that is not the text that the user
wrote.

Regular expressions and constructions follow the YAML 1.1 type repository (https://yaml.org/type/) as PyYAML
implements it.
"""

import re

TRUE_WORDS = frozenset({"true", "yes", "on"})
FALSE_WORDS = frozenset({"false", "no", "off"})
NULL_WORDS = frozenset({"", "~", "null", "Null", "NULL"})

_BOOLEAN = re.compile(r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF")
_INTEGER = re.compile(
    r"([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|([1-9][0-9_]*(?::[0-5]?[0-9])+)|(0[0-7_]*)|([1-9][0-9_]*))"
)
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)"
)
_JSON_EXPONENT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?[eE][-+]?[0-9]+")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?"
)
_AS_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{5}[1-9])?")
_LONGEST = 400  # characters of a number; longer digits are shown as such, not converted


def other_reading(text: str) -> str | None:
    """How plain YAML or JSON would read that bare scalar, or None where it comes to the same text.

    ``12345`` and ``2.345`` come to the same text; ``012345``, ``2.340``, ``0x1f``, ``102_1``, ``no`` do not.
    """
    if _BOOLEAN.fullmatch(text):
        return "true" if text.lower() in TRUE_WORDS else "false"
    if text in NULL_WORDS:
        return "null"
    if not text or text[0] not in "+-.0123456789":
        return None
    if _NOT_FINITE.fullmatch(text):
        return "a number that is not finite"
    value = _number(text)
    if value is not None:
        return None if value == text else f"the number {value}" if len(value) <= 60 else "a number"
    if _DATE_TIME.fullmatch(text) and not _AS_TEXT.fullmatch(text):
        return "a date-time"
    return None


def _number(text: str) -> str | None:
    """The text of the number that is read from ``text``; None where it is no number."""
    if len(text) > _LONGEST:
        return text if text.isdecimal() and text[0] != "0" else None
    integer = _INTEGER.fullmatch(text)
    if integer:
        return _integer(*integer.groups())
    if _FLOAT.fullmatch(text):
        digits = text.replace("_", "")
        if ":" not in digits:
            return repr(float(digits)) if digits.strip("+-.") else None
        sign = -1.0 if digits[0] == "-" else 1.0
        value = 0.0
        for part in digits.lstrip("+-").split(":"):
            value = value * 60 + float(part)
        return repr(sign * value)
    if _JSON_EXPONENT.fullmatch(text):
        return repr(float(text))
    return None


def _integer(
    sign: str, binary: str, hexadecimal: str, sexagesimal: str, octal: str, decimal: str
) -> str | None:
    if sexagesimal:
        value = 0
        for part in sexagesimal.replace("_", "").split(":"):
            value = value * 60 + int(part)
    else:
        digits, radix = next(
            (digits, radix)
            for digits, radix in ((binary, 2), (hexadecimal, 16), (octal, 8), (decimal, 10))
            if digits is not None
        )
        digits = digits.replace("_", "")
        if not digits:
            return None
        value = int(digits, radix)
    return str(-value if sign == "-" else value)
