"""The tokens of text that ought to be JSON, those included that people write by mistake.

A token that is not JSON but whose meaning is plain carries ``mistake``: (code, message, hint, what it
should be).
"""

import json
import re
from dataclasses import dataclass

from commands.inputfile.fields import clipped
from ledger.look_alikes import (
    BLANKS,
    INVISIBLE,
    TYPOGRAPHIC,
    first_typographic,
    sign_name,
    straightened,
)

SlipOf = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is a bracket, comma or colon itself, "string", "scalar", "skip" (a comment or
    placeholder), "other" or "end"; ``text`` is the source text."""

    kind: str
    start: int
    end: int
    text: str
    mistake: SlipOf | None = None

    @property
    def shown(self) -> str:
        return clipped(self.text, 40)


_BLANKS = re.compile(r"[ \t\n\r]*")
_NO_BLANKS = re.compile(f"[\f\v{BLANKS}{INVISIBLE}]+")
_STRING = re.compile(r'"(?:[^"\\\n\r]++|\\[^\n\r])*+"')
_COMMENT = re.compile(r"//[^\n\r]*|#[^\n\r]*|%[^\n\r]*|/\*.*?\*/", re.DOTALL)
_PLACEHOLDER = re.compile(r"(?:\.\.\.|…),?")
_SINGLE_QUOTED = re.compile(r"'(?:[^'\\\n\r]++|\\[^\n\r])*+'")
_SMART_QUOTED = re.compile(r"[“”„‟«»‘’]([^“”„‟«»\"\n\r]*)[“”‟«»‘’\"]")
_SCALAR = re.compile(r"[^\s\"'{}\[\],:;=“”][^\"'{}\[\],;\n\r“”]*")
_KEY = re.compile(r"[^\s\"'{}\[\],:;=“”][^\"'{}\[\],:;=\n\r“”]*")
_COMMENT_AFTER = re.compile(r"\s//|\s#|/\*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_NUMBER_LIKE = re.compile(r"[-+]?[0-9_]*+\.?[0-9_]*+(?:[eE][-+]?[0-9]++)?|0[xX][0-9a-fA-F]++")
_BAD_ESCAPE = re.compile(r'\\(?:(?!["\\/bfnrtu])|u(?![0-9a-fA-F]{4}))')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_KEY_UNTIL_COLON = re.compile(r'"([A-Za-z_]\w*)(?=\s*:)')
_COLON_AFTER = re.compile(r"\s*[:=：]")
_ENDS_A_STRING = re.compile(r"\s*(?:[,:;\]}\n\r：，]|//|#|/\*|\Z)|\s+[\"'{\[“0-9tfnTFN-]|=")
_NEXT_CLOSING_QUOTE = re.compile(r'[^\n\r]*?"(?=[ \t]*(?:,[ \t]*(?:["{\[\n\r]|\Z)|[\]}\n\r]|\Z))')
_REST_OF_LINE = re.compile(r"[^\n\r]*")
_MOST_LINES = 20  # of one text, in which a closing quotation mark is looked for
_LONGEST_TEXT = 20_000  # characters, likewise
_OPENERS = {"]": "[", "}": "{"}
_CONSTANTS = {"true", "false", "null", "NaN", "Infinity", "-Infinity"}
_WORDS = {
    "true": "true",
    "false": "false",
    "none": "null",
    "null": "null",
    "undefined": "null",
    "nil": "null",
}


def next_token(text: str, at: int, *, key: bool) -> Token:
    """The token that starts at or after ``at``; ``key`` says that a key is due there."""
    blanks = _BLANKS.match(text, at)
    at = blanks.end() if blanks else at
    if at >= len(text):
        return Token("end", at, at, "")
    sign = text[at]
    if sign in "{}[]:,":
        return Token(sign, at, at + 1, sign)
    if sign == '"':
        return _string(text, at, key=key)
    if sign in TYPOGRAPHIC or sign in "\f\v":
        token = _typographic(text, at)
        if token is not None:
            return token
    found = _COMMENT.match(text, at)
    if found:
        return _made(
            found, "skip", ("comment", f"JSON has no comments: {clipped(found[0])}.", "Remove it.", "")
        )
    found = _PLACEHOLDER.match(text, at)
    if found:
        hint = "Remove it, or put in what it stands for."
        return _made(
            found, "skip", ("placeholder", "... stands for something left out; it is not JSON.", hint, "")
        )
    found = _SINGLE_QUOTED.match(text, at)
    if found:
        body = _ESCAPE.sub(r"\1", found[0][1:-1])
        return _made(found, "string", _quotes(found[0], body, "single-quotes", "single quotes"))
    found = _SMART_QUOTED.match(text, at)
    if found:
        return _made(
            found, "string", _quotes(found[0], found[1], "smart-quotes", "a word processor's quotation marks")
        )
    if sign in ";=":
        end = at + 2 if text[at : at + 2] == "=>" else at + 1
        meant, name = (",", "comma") if sign == ";" else (":", "colon")
        slip = (
            f"missing-{name}",
            f"{text[at:end]} stands where JSON has a {name}.",
            f"Write {meant} instead.",
            meant,
        )
        return Token(meant, at, end, text[at:end], slip)
    found = (_KEY if key else _SCALAR).match(text, at)
    if found:
        return _bare(text, found)
    return Token("other", at, at + 1, sign)


def _typographic(text: str, at: int) -> Token | None:
    """A blank, colon, comma or bracket that is not the keyboard's."""
    found = _NO_BLANKS.match(text, at)
    if found:
        message = f"{sign_name(text[at])} stands between the values, which is no blank of JSON."
        return _made(found, "skip", ("typographic-sign", message, "Delete it, or type a blank.", " "))
    meant = TYPOGRAPHIC[text[at]]
    if meant not in ("{", "}", "[", "]", ":", ","):
        return None
    message = f"{sign_name(text[at])} stands where JSON has a {meant}"
    return Token(
        meant, at, at + 1, text[at], ("typographic-sign", f"{message}.", f"Write {meant} instead.", meant)
    )


def _made(found: re.Match[str], kind: str, mistake: SlipOf | None = None) -> Token:
    return Token(kind, found.start(), found.end(), found[0], mistake)


def _quotes(source: str, body: str, code: str, name: str) -> SlipOf:
    right = json.dumps(body, ensure_ascii=False)
    return (
        code,
        f"{clipped(source)} stands in {name}; JSON needs double quotes.",
        f"Write {clipped(right)}.",
        right,
    )


def _bare(text: str, found: re.Match[str]) -> Token:
    """A word without quotes, or with a quotation mark at its end only."""
    source = _COMMENT_AFTER.split(found[0], maxsplit=1)[0].rstrip()
    words = source.split()
    if len(words) > 1 and all(map(_is_scalar, words)):
        source = words[0]
    end = found.start() + len(source)
    if text[end : end + 1] == '"':
        whole = source + '"'
        hint = f'Write "{clipped(source)}".'
        slip = (
            "missing-quote",
            f'The quotation mark before {clipped(source)}" is missing.',
            hint,
            f'"{whole}',
        )
        return Token("string", found.start(), end + 1, whole, slip)
    return Token("scalar", found.start(), end, source)


def _string(text: str, at: int, *, key: bool) -> Token:
    found = _STRING.match(text, at)
    if key and (found is None or not _COLON_AFTER.match(text, found.end())):
        until_colon = _KEY_UNTIL_COLON.match(text, at)
        if until_colon:
            return _unclosed(text, at, until_colon.end())
    if found is None:
        end = _end_over_lines(text, at)
        if end is None:
            return _unclosed(text, at, _end_of_line(text, at))
        source = text[at:end]
        lines = source[1:-1].splitlines()
        right = json.dumps("\n".join(line.strip() for line in lines), ensure_ascii=False)
        message = f'A line break stands inside of the text "{clipped(lines[0])} ...'
        slip = ("line-break", message, f"Write {clipped(right)}.", right)
        return Token("string", at, end, source, slip)
    if not _ENDS_A_STRING.match(text, found.end()):
        before_comma = _end_before_comma(found[0])
        if before_comma is not None:
            return _unclosed(text, at, at + before_comma)
        longer = _NEXT_CLOSING_QUOTE.match(text, found.end())
        if longer:
            source = text[at : longer.end()]
            right = json.dumps(source[1:-1].replace('\\"', '"'), ensure_ascii=False)
            message = "A quotation mark inside of a text needs a backslash before it."
            return Token(
                "string",
                at,
                longer.end(),
                source,
                ("quote-in-text", message, f"Write {clipped(right)}.", right),
            )
    source = found[0]
    if _BAD_ESCAPE.search(source):
        return _made(found, "string", _backslashes(source))
    if any(sign < " " for sign in source):
        right = json.dumps(source[1:-1])
        slip = (
            "control-character",
            f"A control character (such as a tab) stands in {clipped(source)}.",
            f"Write {clipped(right)}.",
            right,
        )
        return _made(found, "string", slip)
    return _made(found, "string")


def _end_over_lines(text: str, at: int) -> int | None:
    """The end of a text that goes over several lines; None where its closing quotation mark does not look like one."""
    close = text.find('"', at + 1, at + _LONGEST_TEXT)
    if close < 0 or text[close - 1] in " \t\n\r\f\v,:[{":
        return None
    source = text[at:close]
    breaks = source.replace("\r", "\n")
    if "\\" in source or not 0 < sum(line != "" for line in breaks.split("\n")[1:]) <= _MOST_LINES:
        return None
    return close + 1 if text[close + 1 : close + _LONGEST_TEXT].lstrip()[:1] in (",", "}", "]") else None


def _end_before_comma(source: str) -> int | None:
    """Where ``"N:/my, "`` should have ended: before a last comma that belongs behind the quotation mark."""
    body = source[:-1].rstrip()
    if not body.endswith(","):
        return None
    end = len(body[:-1].rstrip())
    return end if '"' not in body[1:end] else None


def _backslashes(source: str) -> SlipOf:
    right = re.sub(r'\\(?!")', r"\\\\", source.replace("\\\\", "\\"))
    slashes = source.replace("\\\\", "/").replace("\\", "/")
    return (
        "backslash",
        f"A backslash starts an escape sequence, and one in {clipped(source)} is none.",
        f"Write the path with slashes: {clipped(slashes)}, or double each backslash: {clipped(right)}.",
        right,
    )


def _unclosed(text: str, start: int, end: int) -> Token:
    source = text[start:end]
    right = source + '"'
    if _BAD_ESCAPE.search(right):
        right = _backslashes(right)[3]
    slip = ("missing-quote", f"The closing quotation mark of {clipped(source)} is missing.", "", right)
    return Token("string", start, end, source, slip)


def _end_of_line(text: str, at: int) -> int:
    """Where an unclosed text ends: with its line, before commas and brackets that it does not open."""
    line = _REST_OF_LINE.match(text, at)
    source = line[0] if line else ""
    excess = {closer: source.count(closer) - source.count(opener) for closer, opener in _OPENERS.items()}
    end = len(source)
    while end and (source[end - 1] in " \t," or excess.get(source[end - 1], 0) > 0):
        end -= 1
        if source[end] in excess:
            excess[source[end]] -= 1
    return at + end


def _is_scalar(source: str) -> bool:
    """Whether Python's reader takes it; NaN and Infinity are a finding of stage 1."""
    return source in _CONSTANTS or _NUMBER.fullmatch(source) is not None


def mended_value(source: str) -> SlipOf | None:
    """What is wrong with a value without quotes; None where it is a number, a boolean or null as JSON has
    it."""
    if _is_scalar(source):
        return None
    word = _WORDS.get(source.lower())
    if word is not None:
        return "word", f"{source} is not JSON; in JSON it is {word}.", f"Write {word}.", word
    straight = straightened(source)
    if straight != source and _is_scalar(straight):
        message = f"{clipped(source)} holds {sign_name(first_typographic(source))}, which JSON does not know."
        return "typographic-sign", message, f"Write {straight}.", straight
    right = json.dumps(source, ensure_ascii=False)
    if _NUMBER_LIKE.fullmatch(source) and any(sign.isdigit() for sign in source):
        return (
            "number",
            f"{clipped(source)} is not a number as JSON has it.",
            f"Write no leading 0 or +, and digits on both sides of the point; as a text: {clipped(right)}.",
            right,
        )
    return (
        "missing-quote",
        f"The text {clipped(source)} needs double quotes.",
        f"Write {clipped(right)}.",
        right,
    )
