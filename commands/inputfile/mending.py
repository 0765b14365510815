"""Mend an input file where a finding says what was meant: one word for another in its places, or lines that do not
parse. Pure: text in, text out; nothing is guessed that no finding says.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from commands.inputfile.findings import Finding
from commands.inputfile.limits import Limits
from commands.inputfile.nearest import meant_by
from commands.inputfile.yaml_mistakes import repairs

_QUOTED = re.compile(r'"([^"\n]+)"')
_PLAIN = re.compile(r"[A-Za-z][\w .()/-]*", re.ASCII)  # a word that YAML takes as text without quotes
_NOT_TEXT = frozenset({"yes", "no", "true", "false", "on", "off", "null", "y", "n"})


@dataclass(frozen=True, slots=True)
class Mending:
    """``old`` is what stands there, ``new`` what was meant."""

    old: str
    new: str


def mending_of(finding: Finding) -> Mending | None:
    """None where the finding doesn't say both."""
    new, old = meant_by(finding.hint), _QUOTED.search(finding.message)
    if new is None or old is None or finding.line is None or old[1].endswith("\u2026") or old[1] == new:
        return None
    return Mending(old[1], new)


def mended(text: str, mending: Mending, lines: Iterable[int]) -> str:
    """The text with ``new`` for ``old`` in these lines, which count from 1; where ``old`` is not there, as it was."""
    found = text.split("\n")
    for number in set(lines):
        if 0 < number <= len(found):
            found[number - 1] = _mended_line(found[number - 1], mending)
    return "\n".join(found)


def _mended_line(line: str, mending: Mending) -> str:
    """Only a whole word is replaced, in its quotes where it has some."""
    old = re.escape(mending.old)
    quoted = re.sub(rf'(["\']){old}\1', lambda _: json.dumps(mending.new, ensure_ascii=False), line, count=1)
    if quoted != line:
        return quoted
    return re.sub(rf"(?<![\w/]){old}(?![\w/])", lambda _: _written(mending.new), line, count=1)


def _written(text: str) -> str:
    """As YAML takes it for a text."""
    is_plain = _PLAIN.fullmatch(text) is not None and text.casefold() not in _NOT_TEXT
    return text if is_plain and text == text.strip() else json.dumps(text, ensure_ascii=False)


def repairable(text: str, limits: Limits) -> dict[tuple[str, int], str]:
    """Which mistakes of YAML that does not parse can be mended: by code and line, what the line becomes."""
    return {(each.code, each.line + 1): each.lines.get(each.line, "") for each in repairs(text, limits)}


def repaired(text: str, limits: Limits, *, code: str) -> str:
    """With all mistakes of this kind mended. A repair keeps the number of lines."""
    lines = text.splitlines()
    for each in repairs(text, limits):
        if each.code == code:
            for number, line in each.lines.items():
                lines[number] = line
    return "\n".join(lines) + ("\n" if text.endswith("\n") else "")
