"""Texts that look alike: how they are compared, and how two of them differ.

Text is compared in Unicode's normal form C (https://unicode.org/reports/tr15/) and without blanks at its ends.
The pairs of letters that are easily taken for each other are a few of the Unicode confusables
(https://unicode.org/reports/tr39/), those that are met in names of people, rooms and devices.
"""

import unicodedata
from typing import Final

INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
)
BLANKS: Final = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
DOUBLE_QUOTES: Final = "“”„‟«»\uff02"
SINGLE_QUOTES: Final = "‘’‚‛‹›\uff07"
_FULL_WIDTH: Final = dict(zip("：，；＃［］｛｝＝／", ":,;#[]{}=/", strict=True))

TYPOGRAPHIC: Final[dict[str, str]] = {
    **dict.fromkeys(INVISIBLE, ""),
    **dict.fromkeys(BLANKS, " "),
    **dict.fromkeys(DASHES, "-"),
    **dict.fromkeys(DOUBLE_QUOTES, '"'),
    **dict.fromkeys(SINGLE_QUOTES, "'"),
    **_FULL_WIDTH,
}
"""Signs that word processors, web pages and input methods put in, and the sign of the keyboard for each."""

_STRAIGHT = str.maketrans(TYPOGRAPHIC)
_AT_ENDS = " \t\n\r\x85\u2028\u2029" + BLANKS + INVISIBLE
# One group a line of signs that look alike in most fonts, in Latin, Greek and Cyrillic.
_GROUPS = (
    "1Il|!ІΙ", "0OoОоΟο", "5SsЅѕ", "2Zz", "8BВΒ", "AАΑ", "EЕΕ", "KКΚ", "MМΜ", "HНΗ", "PpРрΡ", "CcСс", "TТΤ",
    "XxХхΧ", "aа", "eе", "yуY", "iі", "jјJЈ", "NΝ",
)  # fmt: skip
_TAKEN_FOR = str.maketrans({sign: group[0] for group in _GROUPS for sign in group})


def without_blanks(text: str) -> str:
    """Without blanks, line breaks and signs that cannot be seen at its ends."""
    return text.strip(_AT_ENDS)


def comparable(text: str) -> str:
    """The form in which names are compared and kept: NFC, without blanks at its ends."""
    text = text.strip(_AT_ENDS)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """The same for two texts that differ in capitals, in the kind of blanks, dashes and quotes, or in signs that
    cannot be seen."""
    if not text.isascii():
        text = comparable(text).translate(_STRAIGHT)
    return text.strip(_AT_ENDS).casefold()


def straightened(text: str) -> str:
    """With the signs of the keyboard in place of typographic ones."""
    return text if text.isascii() else text.translate(_STRAIGHT)


def first_typographic(text: str) -> str:
    """The first sign that no keyboard makes; empty where there is none."""
    return "" if text.isascii() else next((sign for sign in text if sign in TYPOGRAPHIC), "")


def sign_name(sign: str) -> str:
    """``U+00A0 (no-break space)``; ``"l" (small letter l)``."""
    if sign.isascii() and sign.isalnum():
        return f'"{sign}" ({unicodedata.name(sign).lower().removeprefix("latin ")})'
    name = "byte order mark" if sign == "\ufeff" else unicodedata.name(sign, "").lower()
    return f"U+{ord(sign):04X} ({name})" if name else f"U+{ord(sign):04X}"


def difference(given: str, meant: str) -> str:
    """A sentence on how two texts that look alike differ; empty where they do not look alike."""
    if given == meant:
        return ""
    if comparable(given) == comparable(meant):
        if without_blanks(given) == without_blanks(meant):
            return _at_the_ends(given, "Yours") or _at_the_ends(meant, "The other")
        return "The two differ in how accents are encoded (Unicode NFC and NFD)."
    at = next(
        (n for n, (a, b) in enumerate(zip(given, meant, strict=False)) if a != b), min(len(given), len(meant))
    )
    if comparable(given).casefold() == comparable(meant).casefold():
        return f"The two differ in capitals: yours has {_shown(given, at)}, the other {_shown(meant, at)}."
    if folded(given) == folded(meant) or _skeleton(given) == _skeleton(meant):
        for sign, whose in ((given[at : at + 1], "yours"), (meant[at : at + 1], "the other")):
            if sign and not TYPOGRAPHIC.get(sign, sign):
                return f"At character {at + 1} {whose} has {sign_name(sign)}, which cannot be seen."
        if at < len(given) and at < len(meant):
            return (
                f"At character {at + 1} yours has {sign_name(given[at])}, the other {sign_name(meant[at])}."
            )
        return "The two differ in signs at the end that cannot be seen."
    return ""


def _at_the_ends(text: str, whose: str) -> str:
    name = without_blanks(text)
    if not text.startswith(name):
        return f"{whose} begins with {sign_name(text[0])}."
    return "" if text == name else f"{whose} ends with {sign_name(text[-1])}."


def _shown(text: str, at: int) -> str:
    return f'"{text[at : at + 1]}"' if at < len(text) else "nothing"


def _skeleton(text: str) -> str:
    return comparable(text).translate(_STRAIGHT).translate(_TAKEN_FOR)
