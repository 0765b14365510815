"""The guess at the mistakes in text that ought to be JSON but does not parse.

The tolerant reader finds every mistake it can name, each with the edit that mends it. The edits are tried on
the text: guesses after which it does not parse further are not shown.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence

from commands.inputfile.document import line_starts, stage_0_error
from commands.inputfile.findings import Finding
from commands.inputfile.json_brackets import Mistake
from commands.inputfile.json_tolerant import TolerantReader
from commands.inputfile.limits import Limits

_OF_BRACKETS = {"missing-bracket", "extra-bracket", "text-after-end"}


def json_mistakes(text: str, found: Finding, limits: Limits) -> Sequence[Finding]:
    """All mistakes that could be identified; where none could, ``found``, the parser's own finding."""
    best = TolerantReader(text, limits.repairs, by_indentation=False).read()
    verified = _repairs_all(text, best)
    if not verified or any(mistake.code in _OF_BRACKETS for mistake in best):
        other = TolerantReader(text, limits.repairs, by_indentation=True).read()
        if _repairs_all(text, other) and (not verified or len(other) <= len(best)):
            best, verified = other, True
    if not verified:
        best = [mistake for mistake in best[:1] if _repairs_all(text, [mistake])]
    starts = line_starts(text)
    return [_finding(mistake, starts) for mistake in best] or [found]


def _finding(mistake: Mistake, starts: Sequence[int]) -> Finding:
    line = bisect_right(starts, mistake.at)
    at = line, mistake.at - starts[line - 1] + 1
    return stage_0_error(mistake.code, mistake.message, mistake.hint, at=at)


def _repairs_all(text: str, mistakes: list[Mistake]) -> bool:
    """Whether with all edits made the text parses to the end, or at least beyond the last of them."""
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
