"""Findings while they are gathered: a place in the document is turned into path and position at the end,
once.
"""

from collections.abc import Iterator

from commands.inputfile.document import Document, Part, Place, parts_of, path_text, rest_of_line
from commands.inputfile.findings import FAULT, SEVERITIES, Finding, Severity, in_file_order
from commands.inputfile.kept_findings import NO_MORE, MoreFindings, PlacedFinding, kept
from commands.inputfile.limits import Limits

# What a finding points at: the value, its key, or the second occurrence of the key.
VALUE, KEY, REPEAT = 0, 1, 2
_Found = tuple[str, list[Part], int, str, str]
_LOOKED_AT = 200_000  # words that are compared in search of a nearest one; a file that is wrong throughout gets no more


class Report:
    """Stage-1 findings of one document. ``readings`` and ``harmless`` remember bare scalars that were looked at
    before, the latter those about which there is nothing to say. ``cut`` is what bare texts may have lost to a
    comment: longer texts, by the path of the value."""

    def __init__(self, document: Document, limits: Limits) -> None:
        self.document = document
        self.limits = limits
        self.errors = 0
        self.faults: list[tuple[str, Exception]] = []
        self.readings: dict[str, tuple[str | None, bool]] = {}
        self.harmless: dict[str, str] = {}
        self.cut: dict[str, tuple[str, ...]] = {}
        self._found: dict[Severity, list[_Found]] = {severity: [] for severity in SEVERITIES}
        self._beyond = dict.fromkeys(SEVERITIES, 0)
        self._left_to_compare = _LOOKED_AT
        self._words_before_comments: frozenset[str] | None = None

    @property
    def is_json(self) -> bool:
        return self.document.is_json

    def error(
        self, code: str, place: Place, key: Part | None, message: str, hint: str = "", at: int = VALUE
    ) -> None:
        self.errors += 1
        self._add("error", code, place, key, message, hint, at)

    def fault(self, place: Place, key: Part, fault: Exception) -> None:
        """The program itself stumbled over an entry: it is left out, and the others are read."""
        self.faults.append((path_text(parts_of((place, key))), fault))
        self.error(FAULT, place, key, "The entry cannot be read: a fault of the program.")

    def warning(self, code: str, place: Place, key: Part | None, message: str, hint: str = "") -> None:
        self._add("warning", code, place, key, message, hint, VALUE)

    def notice(self, code: str, place: Place, key: Part | None, message: str, hint: str = "") -> None:
        self._add("notice", code, place, key, message, hint, VALUE)

    @property
    def is_full(self) -> bool:
        """Whether the text of a further error would be thrown away: then it need not be made."""
        return self.errors >= self.limits.findings

    def may_compare(self, words: int) -> bool:
        """Whether so many more words may be compared in search of the nearest one."""
        self._left_to_compare -= words
        return self._left_to_compare >= 0

    def _add(
        self, severity: Severity, code: str, place: Place, key: Part | None, message: str, hint: str, at: int
    ) -> None:
        found = self._found[severity]
        if len(found) >= self.limits.placed_findings:
            self._beyond[severity] += 1
            return
        if len(found) >= self.limits.findings:
            message = hint = ""  # the same rule as is_full, for each severity
        found.append((code, parts_of(place if key is None else (place, key)), at, message, hint))

    def rest_of_line(self, place: Place, key: Part) -> str:
        """What the user wrote from that value to the end of its line."""
        return rest_of_line(self.document.text, self.document.offset(parts_of((place, key))))

    def is_on_one_line(self, place: Place, key: Part, text: str) -> bool:
        """Whether a bare text stands in the file as it was read."""
        return self.document.text.startswith(text, self.document.offset(parts_of((place, key))))

    def may_be_cut(self, text: str) -> bool:
        """Whether a bare text that ends as this one does stands before a doubtful comment anywhere in the file."""
        words = self._words_before_comments
        if words is None:
            words = self._words_before_comments = (
                frozenset() if self.is_json else frozenset(_words_before_comments(self.document.text))
            )
        return bool(words) and _last_word(text) in words

    def comment_after(self, place: Place, key: Part, text: str) -> str:
        """The comment after a bare text, with the blanks before it; empty where none follows."""
        source, at = self.document.text, self.document.offset(parts_of((place, key)))
        if source.startswith(text, at):
            at += len(text)
        else:  # it goes over several lines
            for word in text.split():
                at = max(source.find(word, at, at + _FURTHEST), at) + len(word)
        rest = rest_of_line(source, at)
        return rest if rest[:1] in (" ", "\t") and rest.lstrip(" \t")[:1] == "#" else ""

    def findings(self) -> tuple[tuple[Finding, ...], MoreFindings]:
        """Those that are kept with their text, in the order of the file, and what there is beyond them."""
        told: list[Finding] = list(self.document.remarks)
        placed: list[PlacedFinding] = []
        for severity in SEVERITIES:
            for code, parts, at, message, hint in self._found[severity]:
                line, column = self._position(parts, at)
                if message:
                    told.append(Finding(1, severity, code, path_text(parts), line, column, message, hint))
                else:
                    placed.append(PlacedFinding(severity, code, line, column))
        if not placed and len(told) <= self.limits.findings:
            return tuple(in_file_order(told)), NO_MORE
        beyond = {
            f"{severity}s": self._beyond[severity] + sum(finding.severity == severity for finding in placed)
            for severity in SEVERITIES
        }
        return kept(told, [MoreFindings(tuple(placed), **beyond)], limits=self.limits)

    def _position(self, parts: list[Part], at: int) -> tuple[int, int]:
        if at == KEY:
            return self.document.key_position(parts)
        if at == REPEAT:
            return self.document.repeat_position(parts)
        return self.document.position(parts)


def _words_before_comments(text: str) -> Iterator[str]:
    """The last word before each doubtful comment: one after a single blank, or with no blank after its #."""
    at = text.find("#", 1)
    while at > 0:
        before, after = text[max(0, at - 2) : at], text[at + 1 : at + 2]
        if before[-1:] in _BLANK and (before[:-1] not in _BLANK or after not in _OF_COMMENTS):
            yield _last_word(text[max(0, at - 4 * _WORD) : at])
        if before[-1:] in _BLANK and not _QUOTES.intersection(text[max(0, at - _NEAR) : at]):
            at = text.find("\n", at)  # the rest of the line is comment
        at = text.find("#", at + 1) if at >= 0 else -1


def _last_word(text: str) -> str:
    """The part of it that is compared."""
    return "".join(text[-4 * _WORD :].split()[-1:])[-_WORD:]


_WORD = 16  # characters
_QUOTES = frozenset("\"'")
_NEAR = 200  # characters before a #: where no quotation mark stands there, it is not inside of a text
_FURTHEST = 2_000  # characters between two words of one text
_BLANK = (" ", "\t")
_OF_COMMENTS = (
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "#",
    "-",
)  # what stands after the # of a comment that is meant as one
