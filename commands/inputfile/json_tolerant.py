"""A reader that goes on where JSON ends.

It keeps a stack of open brackets and knows what is due at every place. Where the text departs from it, it
notes the likely mistake with the edit that mends it, takes the mended text as read and goes on, so that one
pass finds every mistake.
"""

import json
import re
from bisect import bisect_right

from commands.inputfile.document import line_starts
from commands.inputfile.fields import clipped
from commands.inputfile.json_brackets import CLOSER, LISTS, Mistake, Open
from commands.inputfile.json_tokens import Token, mended_value, next_token

_DECODER = json.JSONDecoder(parse_int=str)
_DEEPEST = 100
_MOST_TOKENS = 300_000  # a second or two; what is right is passed over as one token
_DIGITS_BEFORE = re.compile(r"[-+]?[0-9][0-9.]*+\Z")
_AFTER_COMMA = re.compile(r"(?:,[0-9]++(?:\.[0-9]++)?)++")
_INDENTATION = re.compile(r"[ \t]*")
_REST_OF_LIST = re.compile(r'(?:\s*,\s*"[^"\n\r]*")*\s*\]')


class TolerantReader:
    """One pass over a text. ``by_indentation``: a bracket is missing where the indentation says so, too."""

    def __init__(self, text: str, limit: int, *, by_indentation: bool) -> None:
        self.text = text
        self.limit = limit
        self.by_indentation = by_indentation
        self.mistakes: list[Mistake] = []
        self.open: list[Open] = []
        self.before = Token("start", 0, 0, "")  # the token before the current one
        self.comma_at = 0
        self.top = "value"
        self.at = 0
        self.line_starts = line_starts(text)
        self.indents: dict[int, int] = {}
        self.to_skip = 3 * len(
            text
        )  # characters that may be read in vain, looking for brackets that are right

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
        """The mistakes in the order of their edits."""
        for _ in range(_MOST_TOKENS):
            if len(self.mistakes) >= self.limit or len(self.open) > _DEEPEST:
                break
            token = next_token(self.text, self.at, key="key" in self.expects)
            if token.kind == "end":
                self._end(token)
                break
            self.at = token.end
            if token.mistake is not None:
                code, message, hint, edit = token.mistake
                self._note(code, token.start, message, hint, token.start, token.end, edit)
            if token.kind == "skip":
                continue
            if self.expects == "end" and token.kind == ":" and self.before.kind == "string":
                self._insert(
                    "missing-bracket",
                    self.before.start,
                    "A { is missing at the start.",
                    "{",
                    self.before.start,
                )
                self._push("{", self.before.start, "colon")
            if self.expects == "end":
                self._after_the_end(token)
                break
            self._take(token)
            skipped = self.at != token.end
            self.before = Token(self.text[self.at - 1], self.at - 1, self.at, "") if skipped else token
        self.mistakes.sort(key=lambda mistake: mistake.start)
        return self.mistakes

    def _take(self, token: Token) -> None:
        if self.by_indentation and self.open:
            self._close_by_indentation(token)
        if token.kind in "}]":
            self._close(token)
        elif token.kind == ",":
            self._comma(token)
            self.comma_at = token.start
        elif token.kind == ":":
            self._colon(token)
        elif token.kind == "other":
            self._remove(token, "unexpected-character", f"{token.text!r} has no place here.")
        else:
            self._key_or_value(token)

    def _key_or_value(self, token: Token) -> None:
        if self.expects == "colon":
            message = f"A colon is missing before {token.shown}."
            self._insert("missing-colon", token.start, message, ":", self.before.end)
            self.expects = "value"
        if self.expects == "comma":
            line = self._line(self.before.end - 1)
            hint = f"Put it at the end of line {line}." if line != self._line(token.start) else ""
            message = f"A comma is missing before {token.shown}."
            self._insert("missing-comma", token.start, message, ",", self.before.end, hint)
            self._next_item()
        if "key" in self.expects and token.kind in "{[":
            self._bracket_for_key(token)
        elif "key" in self.expects:
            self._key(token)
        else:
            self._value(token)

    def _key(self, token: Token) -> None:
        if token.kind == "scalar" and self._second_half_of_number(token):
            return
        self._child(token)
        self.open[-1].key = token.shown
        self.expects = "colon"
        if token.kind == "scalar" and token.mistake is None:
            message = f"The key {token.shown} needs double quotes."
            right = json.dumps(token.text)
            self._note(
                "key-without-quotes",
                token.start,
                message,
                f"Write {clipped(right)}.",
                token.start,
                token.end,
                right,
            )

    def _second_half_of_number(self, token: Token) -> bool:
        """``0,5`` where a comma ends the value: ask which number it is."""
        comma = self.before
        if comma.kind != "," or comma.end != token.start:
            return False
        first = _DIGITS_BEFORE.search(self.text[max(0, comma.start - 40) : comma.start])
        rest = _AFTER_COMMA.match(self.text, comma.start)
        if first is None or rest is None:
            return False
        start = comma.start - len(first[0])
        written = clipped(self.text[start : rest.end()], 40)
        message = f"In {written} the comma may separate decimals or thousands."
        hint = "Which number is meant? Write decimals after a point, and thousands without any sign between them."
        self._note("number-with-comma", start, message, hint, comma.start, rest.end(), "")
        self.at = rest.end()
        self.expects = "comma"
        return True

    def _value(self, token: Token) -> None:
        if self.open:
            around = self.open[-1]
            around.item_key, around.item_at = around.key, token.start
            if around.bracket == "[":
                self._child(token)
        self.expects = "comma" if self.open else "end"
        if token.kind in "{[":
            if not self._skipped(token):
                self._push(token.kind, token.start, "first key" if token.kind == "{" else "first value")
        elif token.kind == "scalar" and token.mistake is None:
            mended = mended_value(token.text)
            if mended is not None:
                code, message, hint, edit = mended
                self._note(code, token.start, message, hint, token.start, token.end, edit)

    def _skipped(self, token: Token) -> bool:
        """Whether what the bracket opens is JSON as it should be; then the C scanner passes over it."""
        if not self.open or self.to_skip < 0:
            return False
        try:
            _, end = _DECODER.raw_decode(self.text, token.start)
        except json.JSONDecodeError as error:
            self.to_skip -= error.pos - token.start
            return False
        except RecursionError:
            return False
        ends_line = self._line(end - 1)
        if self.by_indentation and ends_line != self._line(token.start):
            column = end - 1 - self.line_starts[ends_line - 1]
            if not column == self._indent(end - 1) == self._indent(token.start):
                return False
        self.at = end
        return True

    def _bracket_for_key(self, token: Token) -> None:
        """A bracket where a key is due: a list lacks its bracket, or the object before it is not closed."""
        if self.before.kind == "," and self._list_without_bracket():
            self._next_item()
            self._value(token)
        elif len(self.open) > 1 and self.open[-2].bracket == "[" and self.before.kind == ",":
            self._missing_closer(self.open.pop(), token, self.before.start)
            self._next_item()
            self._value(token)
        else:
            self._remove(token, "unexpected-character", f"A key is expected here, not {token.kind}.", hint="")

    def _list_without_bracket(self) -> bool:
        """Open the list that the last value of this object should have been the first item of."""
        around = self.open[-1]
        if around.bracket != "{" or around.item_key not in LISTS or self.text[around.item_at] == "[":
            return False
        message = f"A [ is missing before the value of {around.item_key}: it is a list."
        self._insert("missing-bracket", around.item_at, message, "[", around.item_at)
        around.expects = "comma"
        self._push("[", around.item_at, "comma")
        return True

    def _comma(self, token: Token) -> None:
        if self.expects == "comma":
            self._next_item()
        elif self.expects == "value" and self.before.kind == ":":
            self._no_value(token)
            self._next_item()
        elif self.expects == "colon":
            if not (_REST_OF_LIST.match(self.text, token.start) and self._list_without_bracket()):
                self._key_alone(token)
            self._next_item()
        elif self.expects.startswith("first"):
            self._missing_closer(self.open.pop(), token, self.before.end)
            self._next_item()
        else:
            self._remove(token, "extra-comma", "There is a comma too many.")

    def _colon(self, token: Token) -> None:
        before = self.before
        if self.expects == "colon":
            self.expects = "value"
        elif self.expects != "comma" or before.kind != "string":
            self._remove(token, "extra-colon", "There is a colon too many.")
        elif (
            self.open[-1].bracket == "["
            and len(self.open) > 1
            and self.open[-2].bracket == "{"
            and self.comma_at > self.open[-1].at
        ):
            self._missing_closer(self.open.pop(), before, self.comma_at)
            self.open[-1].key = before.shown
            self.expects = "value"
        else:
            message = f"A {{ is missing before {before.shown}: a key stands where a value is expected."
            self._insert("missing-bracket", before.start, message, "{", before.start)
            self._push("{", before.start, "value")
            self.open[-1].key = before.shown

    def _close(self, token: Token) -> None:
        if token.kind == "]" and self.open and self.open[-1].bracket == "{":
            self._close_list_in_object(token)
        if not any(CLOSER[opened.bracket] == token.kind for opened in self.open):
            hint = "Remove it, or add what it should close."
            self._remove(token, "extra-bracket", f"This {token.kind} closes nothing.", hint)
            return
        self._finish_item(token)
        while CLOSER[self.open[-1].bracket] != token.kind:
            self._missing_closer(self.open.pop(), token, self.before.end)
        self.open.pop()
        self.expects = "comma" if self.open else "end"

    def _close_list_in_object(self, token: Token) -> None:
        """A ] straight inside of an object: where that is because a list has no [, put it in."""
        if self.before.kind == ":":
            self._insert("missing-bracket", token.start, "A [ is missing before this ].", "[", token.start)
            self.expects = "comma"
            self._push("[", token.start, "first value")
            self.before = Token("[", token.start, token.start, "[")
        elif self.expects == "colon" or self.before.kind == "}":
            self._list_without_bracket()

    def _finish_item(self, token: Token) -> None:
        """What the innermost bracket still lacks when it is closed."""
        if self.before.kind == ",":
            where = f"before this {token.kind}" if token.kind != "end" else "at the end"
            hint = "JSON has no comma after the last item."
            self._remove(self.before, "trailing-comma", f"There is a comma too many {where}.", hint)
        elif self.expects == "colon":
            self._key_alone(token)
        elif self.expects == "value" and self.before.kind == ":":
            self._no_value(token)

    def _key_alone(self, token: Token) -> None:
        message = f"The key {self.before.shown} has neither colon nor value."
        self._note("missing-colon", self.before.start, message, "", token.start, token.start, ": null")

    def _no_value(self, token: Token) -> None:
        message = f"The key {self.open[-1].key} has no value."
        hint = "Fill it in, or remove the key."
        self._insert("missing-value", token.start, message, " null", self.before.end, hint)

    def _missing_closer(self, opened: Open, token: Token, at: int) -> None:
        closer = CLOSER[opened.bracket]
        before = f"before {token.shown}" if token.kind != "end" else "at the end of the file"
        line = self._line(opened.at)
        message = f"A {closer} is missing {before}: the {opened.bracket} of line {line} is not closed."
        self._insert("missing-bracket", token.start, message, closer, at)

    def _close_by_indentation(self, token: Token) -> None:
        """Close what is open where a line starts in the column of something further out."""
        line = self._line(token.start)
        column = token.start - self.line_starts[line - 1]
        if self._indent(token.start) != column or self.before.kind == ":":
            return
        inner = self.open[-1]
        if token.kind in "}]":
            fits = [
                i for i, opened in enumerate(self.open) if opened.indent == column and inner.indent > column
            ]
            fits = [i for i in fits if CLOSER[self.open[i].bracket] == token.kind]
        else:
            # the children of ``inner`` stand further right, or on the line of its bracket
            hangs = inner.child is None and not inner.expects.startswith("first")
            further = hangs or (inner.child is not None and inner.child > column)
            fits = [i for i, opened in enumerate(self.open) if opened.child == column and further]
        if not fits:
            return
        after_comma = self.before.kind == "," and token.kind not in "}]"
        while len(self.open) > fits[-1] + 1:
            at = self.before.start if after_comma else self.before.end
            self._missing_closer(self.open.pop(), token, at)
        if after_comma:
            self._next_item()
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

    def _next_item(self) -> None:
        self.expects = "key" if self.open and self.open[-1].bracket == "{" else "value"

    def _push(self, bracket: str, at: int, expects: str) -> None:
        self.open.append(Open(bracket, at, self._indent(at), expects))

    def _child(self, token: Token) -> None:
        column = self._indent(token.start)
        first_of_line = self.line_starts[self._line(token.start) - 1] + column == token.start
        if self.open[-1].child is None and first_of_line:
            self.open[-1].child = column

    def _line(self, at: int) -> int:
        return bisect_right(self.line_starts, at)

    def _indent(self, at: int) -> int:
        """The indentation of the line that ``at`` is in."""
        line = self._line(at)
        if line not in self.indents:
            start = self.line_starts[line - 1]
            blanks = _INDENTATION.match(self.text, start)
            self.indents[line] = blanks.end() - start if blanks else 0
        return self.indents[line]

    def _remove(self, token: Token, code: str, message: str, hint: str = "Remove it.") -> None:
        self._note(code, token.start, message, hint, token.start, token.end, "")

    def _insert(self, code: str, at: int, message: str, edit: str, where: int, hint: str = "") -> None:
        self._note(code, at, message, hint, where, where, edit)

    def _note(self, code: str, at: int, message: str, hint: str, start: int, end: int, edit: str) -> None:
        self.mistakes.append(Mistake(code, at, message, hint, start, end, edit))
