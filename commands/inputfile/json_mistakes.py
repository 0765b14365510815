"""The guess at the mistakes in text that ought to be JSON but does not parse.

A reader that knows what JSON admits at every place goes through the text with a stack of open brackets.
Where the text departs from that, it notes the likely mistake together with the edit that mends it, takes
the mended text as read and goes on, so that one pass finds every mistake. The edits are then tried on the
text: a guess that does not make it parse further is not shown.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from commands.inputfile.document import line_starts, stage_0_error
from commands.inputfile.findings import Finding
from commands.inputfile.json_tokens import Token, mended_value, next_token
from commands.inputfile.limits import Limits

_OF_BRACKETS = {"missing-bracket", "extra-bracket", "text-after-end"}
_INDENTATION = re.compile(r"[ \t]*")
_CLOSER = {"{": "}", "[": "]"}


@dataclass(slots=True)
class Mistake:
    """``edit`` replaces text[start:end]; ``at`` is the offset to point at."""

    code: str
    at: int
    message: str
    hint: str
    start: int
    end: int
    edit: str


@dataclass(slots=True)
class _Open:
    """An open bracket. ``indent`` is the indentation of its line, ``child`` the column in which its
    children start."""

    bracket: str
    at: int
    indent: int
    expects: str
    child: int | None = None
    name: str = ""


def json_mistakes(text: str, found: Finding, limits: Limits) -> Sequence[Finding]:
    """All mistakes that could be made out; ``found``, the parser's own finding, where none could."""
    best = _Reader(text, limits.repairs, by_indentation=False).read()
    verified = _repairs_all(text, best)
    if not verified or any(mistake.code in _OF_BRACKETS for mistake in best):
        other = _Reader(text, limits.repairs, by_indentation=True).read()
        if _repairs_all(text, other) and (not verified or len(other) <= len(best)):
            best, verified = other, True
    if not verified:
        best = [mistake for mistake in best[:1] if _repairs_all(text, [mistake])]
    starts = line_starts(text)
    return [_finding(mistake, starts) for mistake in best] or [found]


def _finding(mistake: Mistake, starts: list[int]) -> Finding:
    line = bisect_right(starts, mistake.at)
    at = line, mistake.at - starts[line - 1] + 1
    return stage_0_error(mistake.code, mistake.message, mistake.hint, at=at)


def _repairs_all(text: str, mistakes: list[Mistake]) -> bool:
    """With all edits made, the text parses to the end, or at least beyond the last of them."""
    pieces: list[str] = []
    done = length = 0
    for mistake in mistakes:
        if mistake.start < done:
            return False
        pieces += (text[done : mistake.start], mistake.edit)
        length += mistake.start - done + len(mistake.edit)
        done = mistake.end
    try:
        json.loads("".join(pieces) + text[done:], parse_int=str)
    except json.JSONDecodeError as error:
        return bool(mistakes) and error.pos > length
    except RecursionError:
        return False
    return True


class _Reader:
    """One pass over the text. ``by_indentation`` also takes a bracket for missing where the indentation
    says so."""

    def __init__(self, text: str, limit: int, *, by_indentation: bool) -> None:
        self.text = text
        self.limit = limit
        self.by_indentation = by_indentation
        self.mistakes: list[Mistake] = []
        self.open: list[_Open] = []
        self.before = Token("start", 0, 0, "")  # the token before the current one
        self.top = "value"
        self.line_starts = line_starts(text)

    @property
    def expects(self) -> str:
        return self.open[-1].expects if self.open else self.top

    @expects.setter
    def expects(self, what: str) -> None:
        if self.open:
            self.open[-1].expects = what
        else:
            self.top = what

    def read(self) -> list[Mistake]:
        at = 0
        while len(self.mistakes) < self.limit:
            token = next_token(self.text, at, key="key" in self.expects)
            if token.kind == "end":
                self._end(token)
                break
            at = token.end
            if token.mistake is not None:
                code, message, hint, edit = token.mistake
                self._note(code, token.start, message, hint, token.start, token.end, edit)
            if token.kind != "skip":
                if self.expects == "end":
                    self._after_the_end(token)
                    break
                self._take(token)
                self.before = token
        self.mistakes.sort(key=lambda mistake: mistake.start)
        return self.mistakes

    def _take(self, token: Token) -> None:
        if self.by_indentation and self.open:
            self._close_by_indentation(token)
        if token.kind in "}]":
            self._close(token)
        elif token.kind == ",":
            self._comma(token)
        elif token.kind == ":":
            self._colon(token)
        elif token.kind == "other":
            message = f"{token.text!r} has no place here."
            self._note("unexpected-character", token.start, message, "Remove it.", token.start, token.end, "")
        else:
            self._key_or_value(token)

    def _key_or_value(self, token: Token) -> None:
        if self.expects == "colon":
            what = token.shown
            self._insert(
                "missing-colon", token.start, f"A colon is missing before {what}.", ":", self.before.end
            )
            self.expects = "value"
        if self.expects == "comma":
            line = self._line(self.before.end - 1)
            hint = f"Put it at the end of line {line}." if line != self._line(token.start) else ""
            self._insert(
                "missing-comma",
                token.start,
                f"A comma is missing before {token.shown}.",
                ",",
                self.before.end,
                hint,
            )
            self.expects = "key" if self.open and self.open[-1].bracket == "{" else "value"
        if "key" in self.expects:
            if token.kind in "{[":
                self._bracket_for_key(token)
                return
            self._child(token)
            self.open[-1].name = token.shown
            if token.kind == "scalar" and token.mistake is None:
                self._note(
                    "key-without-quotes",
                    token.start,
                    f"The key {token.text} needs double quotes.",
                    f'Write "{token.text}".',
                    token.start,
                    token.end,
                    json.dumps(token.text),
                )
            self.expects = "colon"
            return
        if self.open and self.open[-1].bracket == "[":
            self._child(token)
        self.expects = "comma" if self.open else "end"
        if token.kind in "{[":
            first = "first key" if token.kind == "{" else "first value"
            self.open.append(_Open(token.kind, token.start, self._indent(token.start), first))
        elif token.kind == "scalar" and token.mistake is None:
            mended = mended_value(token.text)
            if mended is not None:
                code, message, hint, edit = mended
                self._note(code, token.start, message, hint, token.start, token.end, edit)

    def _bracket_for_key(self, token: Token) -> None:
        """A bracket where a key is due: the object before it was not closed, or the bracket is one too
        many."""
        inner = self.open[-1]
        if len(self.open) > 1 and self.open[-2].bracket == "[" and self.before.kind == ",":
            self._missing_closer(inner, token, self.before.start)
            self.open.pop()
            self.expects = "value"
            self._key_or_value(token)
        else:
            message = f"A key is expected here, not {token.kind}."
            self._note("unexpected-character", token.start, message, "", token.start, token.end, "")

    def _comma(self, token: Token) -> None:
        if self.expects == "comma":
            self.expects = "key" if self.open[-1].bracket == "{" else "value"
        elif self.expects == "value" and self.before.kind == ":":
            self._no_value(token)
            self.expects = "key"
        elif self.expects == "colon":
            self._key_alone(token)
            self.expects = "key"
        else:
            self._note(
                "extra-comma",
                token.start,
                "There is a comma too many.",
                "Remove it.",
                token.start,
                token.end,
                "",
            )

    def _colon(self, token: Token) -> None:
        if self.expects == "colon":
            self.expects = "value"
        elif self.expects == "comma" and self.before.kind == "string":
            before = self.before
            message = f"A {{ is missing before {before.shown}: a key stands where a value is expected."
            self._note("missing-bracket", before.start, message, "", before.start, before.start, "{")
            self.open.append(_Open("{", before.start, self._indent(before.start), "value", name=before.shown))
        else:
            self._note(
                "extra-colon",
                token.start,
                "There is a colon too many.",
                "Remove it.",
                token.start,
                token.end,
                "",
            )

    def _close(self, token: Token) -> None:
        if not any(_CLOSER[opened.bracket] == token.kind for opened in self.open):
            message = f"This {token.kind} closes nothing."
            self._note(
                "extra-bracket",
                token.start,
                message,
                "Remove it, or add what it should close.",
                token.start,
                token.end,
                "",
            )
            return
        self._finish_item(token)
        while _CLOSER[self.open[-1].bracket] != token.kind:
            self._missing_closer(self.open.pop(), token, self.before.end)
        self.open.pop()
        self.expects = "comma" if self.open else "end"

    def _finish_item(self, token: Token) -> None:
        """What the innermost bracket still lacks when it is closed."""
        if self.before.kind == ",":
            where = f"before this {token.kind}" if token.kind != "end" else "at the end"
            self._note(
                "trailing-comma",
                self.before.start,
                f"There is a comma too many {where}.",
                "JSON has no comma after the last item.",
                self.before.start,
                self.before.end,
                "",
            )
        elif self.expects == "colon":
            self._key_alone(token)
        elif self.expects == "value" and self.before.kind == ":":
            self._no_value(token)

    def _key_alone(self, token: Token) -> None:
        message = f"The key {self.before.shown} has neither colon nor value."
        self._note("missing-colon", self.before.start, message, "", token.start, token.start, ": null")

    def _no_value(self, token: Token) -> None:
        self._insert(
            "missing-value",
            token.start,
            f"The key {self.open[-1].name} has no value.",
            " null",
            self.before.end,
            "Fill it in, or remove the key.",
        )

    def _missing_closer(self, opened: _Open, token: Token, at: int) -> None:
        closer = _CLOSER[opened.bracket]
        before = f"before {token.shown}" if token.kind != "end" else "at the end of the file"
        line = self._line(opened.at)
        message = f"A {closer} is missing {before}: the {opened.bracket} of line {line} is not closed."
        self._insert("missing-bracket", token.start, message, closer, at)

    def _close_by_indentation(self, token: Token) -> None:
        column = token.start - self.line_starts[self._line(token.start) - 1]
        if self._indent(token.start) != column or (self.expects == "value" and self.before.kind == ":"):
            return
        if token.kind in "}]":
            ends = [i for i, opened in enumerate(self.open) if opened.indent == column]
            ends = [
                i
                for i in ends
                if _CLOSER[self.open[i].bracket] == token.kind and self.open[-1].indent > column
            ]
        else:
            inner = self.open[-1].child
            ends = [
                i for i, opened in enumerate(self.open) if opened.child == column and (inner or 0) > column
            ]
        if not ends:
            return
        comma = self.before.kind == "," and token.kind not in "}]"
        while len(self.open) > ends[-1] + 1:
            self._missing_closer(self.open.pop(), token, self.before.start if comma else self.before.end)
        if comma:
            self.expects = "key" if self.open[-1].bracket == "{" else "value"
        else:
            self.expects = "comma"

    def _end(self, token: Token) -> None:
        if self.open:
            self._finish_item(token)
        while self.open:
            self._missing_closer(self.open.pop(), token, self.before.end)

    def _after_the_end(self, token: Token) -> None:
        if token.kind in "}]":
            message = f"This {token.kind} closes nothing: the outermost bracket is closed before it."
            code, hint = "extra-bracket", "Remove it, or the bracket before it that closes too early."
        else:
            message = f"The document ends before {token.shown}, but the file goes on."
            code, hint = (
                "text-after-end",
                "An input file is one { ... }: remove a bracket that closes too early.",
            )
        self._note(code, token.start, message, hint, token.start, len(self.text), "")

    def _child(self, token: Token) -> None:
        column = self._indent(token.start)
        first_of_line = self.line_starts[self._line(token.start) - 1] + column == token.start
        if self.open and self.open[-1].child is None and first_of_line:
            self.open[-1].child = column

    def _line(self, at: int) -> int:
        return bisect_right(self.line_starts, at)

    def _indent(self, at: int) -> int:
        """The indentation of the line that ``at`` is in."""
        start = self.line_starts[self._line(at) - 1]
        blanks = _INDENTATION.match(self.text, start)
        return blanks.end() - start if blanks else 0

    def _insert(self, code: str, at: int, message: str, edit: str, where: int, hint: str = "") -> None:
        self._note(code, at, message, hint, where, where, edit)

    def _note(self, code: str, at: int, message: str, hint: str, start: int, end: int, edit: str) -> None:
        self.mistakes.append(Mistake(code, at, message, hint, start, end, edit))
