"""The guess at the mistakes in YAML that does not parse.

Near the place where the parser gave up, likely repairs of single lines (``yaml_repairs``) are tried out:
the one after which the parser gets furthest names the mistake. The repair is kept, and the search goes on
from the next place where the parser gives up, so that all mistakes are found. A repair never adds or
removes a line.
"""

import re
from collections.abc import Sequence
from typing import Any

import yaml

from commands.inputfile.document import stage_0_error
from commands.inputfile.findings import Finding
from commands.inputfile.limits import Limits
from commands.inputfile.yaml_lines import Failure, Repair
from commands.inputfile.yaml_repairs import repairs_near

_WORK = 120_000_000  # what trying out repairs may cost: two or three seconds
_DEEP = 100  # brackets in brackets, beyond which libyaml takes time by the square of the depth
_BRACKET = re.compile(r"[\[\]{}]")
_BEYOND = 1 << 60  # further than any line


def yaml_mistakes(text: str, found: Finding, limits: Limits) -> Sequence[Finding]:
    """All mistakes that could be identified; where none could, ``found``, the parser's own finding."""
    findings = [
        stage_0_error(repair.code, repair.message, repair.hint, at=(repair.line + 1, repair.column + 1))
        for repair in repairs(text, limits)
    ]
    return sorted(findings, key=lambda finding: finding.line or 0) or [found]


def repairs(text: str, limits: Limits) -> list[Repair]:
    """What would mend a text that does not parse, as far as that could be guessed: one after the other."""
    if _too_deep(text):
        return []
    lines = text.splitlines()
    left = _WORK // _cost(text, lines)
    found: list[Repair] = []
    failure = parse_failure(lines)
    while failure is not None and len(found) < limits.repairs and left > 0:
        repair, failure, tried = _best_repair(lines, failure, left)
        left -= tried
        if repair is None:
            break
        found.append(repair)
        for number, line in repair.lines.items():
            lines[number] = line
    return found


def _cost(text: str, lines: list[str]) -> int:
    """The cost of parsing it once, in characters of usual text: what counts is the number of tokens and of lines."""
    return len(text) + 6 * sum(map(text.count, "[]{},:-")) + 20 * len(lines) + 1


def _too_deep(text: str) -> bool:
    depth = 0
    for sign in _BRACKET.findall(text):
        depth = depth + 1 if sign in "[{" else max(0, depth - 1)
        if depth > _DEEP:
            return True
    return False


def _best_repair(lines: list[str], failure: Failure, most: int) -> tuple[Repair | None, Failure | None, int]:
    """The first repair that mends the rest of the file, else the one that gets the parser furthest."""
    best: Repair | None = None
    best_failure: Failure | None = failure
    reached = (failure.line, failure.column)
    tried = 0
    for repair in repairs_near(lines, failure):
        if tried >= most:
            break
        tried += 1
        mended = lines[:]
        for number, line in repair.lines.items():
            mended[number] = line
        after = parse_failure(mended)
        place = (_BEYOND, 0) if after is None else (after.line, after.column)
        if place > reached and place[0] > max(repair.lines):
            best, best_failure, reached = repair, after, place
        if after is None:
            break
    return best, best_failure, tried


def parse_failure(lines: list[str]) -> Failure | None:
    """Where and why the parser gives up; None where it does not."""
    try:
        yaml.CSafeLoader("\n".join(lines) + "\n").raw_parse()
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        last = max(len(lines) - 1, 0)
        return Failure(
            min(mark.line, last),
            mark.column,
            error.problem or "",
            error.context or "",
            min(error.context_mark.line, last) if error.context_mark else None,
        )
    except yaml.reader.ReaderError:
        return Failure(0, 0, "", "", None)
    return None
