"""Findings as a compiler prints them: ``file:line:column: severity: message hint [code]``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from commands.cli import output
from commands.cli.next_steps import sentence
from commands.cli.output import coloured, plural, printable
from commands.inputfile.findings import Finding, in_file_order
from commands.inputfile.kept_findings import NO_MORE, MoreFindings

MOST_OF_A_KIND = 10
_COLOURS = {"error": "red", "warning": "yellow", "notice": "cyan"}


def plain(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """All of them, for JSON, by position."""
    return [asdict(finding) for finding in in_file_order(findings)]


def write_findings(findings: Iterable[Finding], file: str, *, most_of_a_kind: int | None) -> None:
    """One line each. Beyond ``most_of_a_kind`` of a code they are counted only; None shows all."""
    shown: Counter[tuple[str, str]] = Counter()
    for finding in in_file_order(findings):
        kind = (finding.severity, finding.code)
        shown[kind] += 1
        if most_of_a_kind is None or shown[kind] <= most_of_a_kind:
            output.say(line(finding, file))
    for (severity, code), number in shown.items():
        if most_of_a_kind is not None and number > most_of_a_kind:
            more = plural(number - most_of_a_kind, severity)
            output.say(
                f"{file}: {coloured(severity, _COLOURS[severity])}: ... and {more} more of this kind [{code}]"
            )


def line(finding: Finding, file: str) -> str:
    where = (
        f"{printable(file)}:"
        if finding.line is None
        else f"{printable(file)}:{finding.line}:{finding.column}:"
    )
    severity = coloured(f"{finding.severity}:", _COLOURS[finding.severity], bold=True)
    text = printable(f"{finding.message} {sentence(finding.hint, finding.next_steps)}".rstrip())
    return f"{coloured(where, bold=True)} {severity} {text} {coloured(f'[{finding.code}]', dim=True)}"


def counted(findings: Sequence[Finding], more: MoreFindings = NO_MORE) -> str:
    """``3 errors, 1 warning``, those of ``more`` among them; empty where there is nothing to count."""
    counts: Counter[str] = Counter(finding.severity for finding in findings)
    counts.update(error=more.errors, warning=more.warnings, notice=more.notices if counts["notice"] else 0)
    return ", ".join(plural(counts[severity], severity) for severity in _COLOURS if counts[severity])
