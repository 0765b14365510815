"""Findings as a compiler prints them: ``file:line:column: severity: message hint [code]``."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from commands.cli import output
from commands.cli.next_steps import sentence
from commands.cli.output import coloured, plural, printable
from commands.inputfile.findings import Finding, in_file_order
from commands.inputfile.kept_findings import NO_MORE, MoreFindings

if TYPE_CHECKING:
    from commands.intake.blanked_lines import BlankedLines

MOST_OF_A_KIND = 10
_MANY = 3  # places of which the same is said
_COLOURS = {"error": "red", "warning": "yellow", "notice": "cyan"}


def plain(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """All of them, for JSON, by position."""
    return [asdict(finding) for finding in in_file_order(findings)]


def write_findings(findings: Iterable[Finding], file: str, *, most_of_a_kind: int | None) -> None:
    """One line each. Beyond ``most_of_a_kind`` of a code they are counted only, and what is said of many places is said
    once, with the lines; None shows all."""
    ordered = in_file_order(findings)
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in ordered if most_of_a_kind is not None else ():
        alike.setdefault(_said(finding), []).append(finding)
    told, hidden = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for finding in ordered:
        kind, same = (finding.severity, finding.code), alike.get(_said(finding), [])
        if len(same) < _MANY:
            same = [finding]
        elif same[0] is not finding:
            continue
        if most_of_a_kind is not None and told[kind] >= most_of_a_kind:
            hidden[kind] += len(same)
            continue
        told[kind] += 1
        output.say(line(finding, file, also=same[1:]))
    for (severity, code), number in hidden.items():
        more = plural(number, severity)
        output.say(
            f"{file}: {coloured(severity, _COLOURS[severity])}: ... and {more} more of this kind [{code}]"
        )


def told_at_once(findings: Iterable[Finding]) -> list[Finding]:
    """Those that are told at once: of the notices what was redacted, because it is not kept."""
    return [
        finding
        for finding in findings
        if finding.severity != "notice" or finding.code.startswith("redacted-")
    ]


def about_blanked(blanked: Iterable["BlankedLines"], what: str) -> Iterator[str]:
    """A sentence for each redaction: which lines have what was redacted by it, and why. ``what`` became of them."""
    from commands.cli.times import shown  # what only prints findings needs no clock

    by_position: dict[int, list[BlankedLines]] = {}
    for one in blanked:
        by_position.setdefault(one.position, []).append(one)
    for several in by_position.values():
        last = several[-1]
        named = [_lines(one) for one in several[:_MANY]]
        more = f" and {len(several) - _MANY:,} more" if len(several) > _MANY else ""
        noun = "Line" if len(several) == 1 and last.first_line == last.last_line else "Lines"
        be = "is" if noun == "Line" else "are"
        who = f"{last.requested_by} and {last.redacted_by}"
        yield printable(
            f"{noun} {', '.join(named)}{more} {be} {what}: what stood there was redacted at "
            f"{shown(last.redacted_at)} by {who} ({last.reason.rstrip('.')})."
        )


def _lines(one: "BlankedLines") -> str:
    return f"{one.first_line}" if one.first_line == one.last_line else f"{one.first_line} to {one.last_line}"


def _said(finding: Finding) -> tuple[str, str, str]:
    return finding.severity, finding.code, finding.message


def _also_at(findings: Sequence[Finding]) -> str:
    """`` Also at lines 10, 15 and 7 more.``; empty where there are none."""
    lines = list(dict.fromkeys(finding.line for finding in findings if finding.line is not None))
    if not lines:
        return ""
    named = ", ".join(map(str, lines[:MOST_OF_A_KIND]))
    more = f" and {len(lines) - MOST_OF_A_KIND:,} more" if len(lines) > MOST_OF_A_KIND else ""
    return f" (Also at {'line' if len(lines) == 1 else 'lines'} {named}{more}.)"


def line(finding: Finding, file: str, *, also: Sequence[Finding] = ()) -> str:
    where = (
        f"{printable(file)}:"
        if finding.line is None
        else f"{printable(file)}:{finding.line}:{finding.column}:"
    )
    severity = coloured(f"{finding.severity}:", _COLOURS[finding.severity], bold=True)
    text = printable(
        f"{finding.message} {sentence(finding.hint, finding.next_steps)}".rstrip() + _also_at(also)
    )
    return f"{coloured(where, bold=True)} {severity} {text} {coloured(f'[{finding.code}]', dim=True)}"


def counted(findings: Sequence[Finding], more: MoreFindings = NO_MORE) -> str:
    """``3 errors, 1 warning``, those of ``more`` among them; empty where there is nothing to count."""
    counts: Counter[str] = Counter(finding.severity for finding in findings)
    counts.update(error=more.errors, warning=more.warnings, notice=more.notices if counts["notice"] else 0)
    return ", ".join(plural(counts[severity], severity) for severity in _COLOURS if counts[severity])
