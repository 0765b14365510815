"""Read an input file: bytes -> document -> typed entries and findings (stages 0 and 1). The door to this
package.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from commands.inputfile.document import Document, Unreadable, path_parts, unreadable
from commands.inputfile.encoding import decode, refuse_control_characters
from commands.inputfile.entries import InputFile, TaskEntry
from commands.inputfile.fields import is_null
from commands.inputfile.findings import Finding
from commands.inputfile.input_file import read_entries, read_task_document
from commands.inputfile.json_document import JsonDocument, load_json, refuse_deep_nesting
from commands.inputfile.json_mistakes import json_mistakes
from commands.inputfile.kept_findings import NO_MORE, MoreFindings
from commands.inputfile.limits import DEFAULT_LIMITS, Limits
from commands.inputfile.other_kinds import refuse_catalogue, refuse_whole_file
from commands.inputfile.report import Report
from commands.inputfile.yaml_mistakes import yaml_mistakes
from commands.inputfile.yaml_reading import load_yaml
from ledger.plurals import plural

__all__ = ["Limits", "ReadResult", "read_input_file", "read_tasks"]


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What became of an input file at stages 0 and 1.

    ``stage`` is the last stage that was reached: 0 where the file could not be loaded, else 1.
    ``input_file`` is None where stage 0 failed or the subject is unusable; entries with an error are left
    out of it, so that the others can go on to stage 2. ``left_out_names`` are the names of sessions that
    were left out: a reference to one of them is not unknown. ``findings`` are in the order of the file; ``more``
    is what there is beyond those. ``cut`` are the longer texts that a bare YAML value may have lost to a comment
    (``run #2``), by the path of the value: only stage 2 can tell whether one of them is meant. ``document`` is what was
    loaded; None where that failed. ``faults`` are those of the program itself, by the path of the entry, which has a
    finding.
    """

    stage: int
    input_file: InputFile | None
    findings: tuple[Finding, ...]
    left_out_names: frozenset[str] = frozenset()
    more: MoreFindings = NO_MORE
    cut: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    document: Document | None = field(default=None, repr=False, compare=False)
    faults: tuple[tuple[str, Exception], ...] = field(default=(), repr=False, compare=False)

    def position(self, path: str) -> tuple[int, int] | None:
        """Line and column, from 1, of the value at a document path such as ``sessions[3].experimenter[1]``.

        Of a path that is not in the file, that of its nearest parent which is; None where the file was not
        loaded. Raises ``ValueError`` for a text that is no path.
        """
        if self.document is None:
            return None
        return self.document.position(path_parts(path))


def read_input_file(data: bytes, *, filename: str = "", limits: Limits = DEFAULT_LIMITS) -> ReadResult:
    """Stages 0 and 1 of an input file. Never raises: whatever is wrong with it is a finding.

    The format is that of the content; the ending of ``filename`` decides where both would do.
    """
    with _without_collecting():
        try:
            document = _load(decode(data, limits), filename, limits)
            refuse_catalogue(document.root)
            _refuse_too_many(document, limits)
            report = Report(document, limits)
            input_file, left_out = read_entries(document, report)
            _refuse_depth(document, report, limits)
        except Unreadable as refusal:
            return ReadResult(0, None, refusal.findings)
        findings, more = report.findings()
        return ReadResult(1, input_file, findings, left_out, more, report.cut, document, tuple(report.faults))


def read_tasks(
    data: bytes, *, filename: str = "", limits: Limits = DEFAULT_LIMITS
) -> tuple[tuple[TaskEntry, ...] | None, tuple[Finding, ...]]:
    """Tasks for a session that is there already: a file with a list of tasks, or a mapping with the key
    ``tasks``.

    The tasks are None where a finding is an error. Never raises.
    """
    try:
        document = _load(decode(data, limits), filename, limits)
        refuse_whole_file(document.root)
        report = Report(document, limits)
        tasks = read_task_document(document, report)
        _refuse_depth(document, report, limits)
    except Unreadable as refusal:
        return None, refusal.findings
    return tasks, report.findings()[0]


@contextmanager
def _without_collecting() -> Iterator[None]:
    """A document is one large tree without garbage: looking for garbage in it takes longer than reading it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _refuse_too_many(document: Document, limits: Limits) -> None:
    root = document.root if isinstance(document.root, dict) else {}
    lists = {key: root[key] for key in ("sessions", "clustering") if isinstance(root.get(key), list)}
    entries = sum(map(len, lists.values()))
    if entries > limits.entries:
        raise unreadable(
            "too-many-entries",
            f"The file has {plural(entries, 'entry')}, sessions and clusterings together; at most {limits.entries:,} "
            "are taken at once.",
            "Split it into several files.",
            at=document.position([max(lists, key=lambda key: len(lists[key]))]),
        )


def _refuse_depth(document: Document, report: Report, limits: Limits) -> None:
    """Too deep nesting is an error in either format; say so in the same words for both."""
    if report.errors and isinstance(document, JsonDocument):
        refuse_deep_nesting(document, limits)


def _load(text: str, filename: str, limits: Limits) -> Document:
    """A .json file that holds YAML and a .yml file that holds JSON are read as what they hold."""
    ending = filename.lower()[-8:].rpartition(".")[2]
    looks_like_json = _looks_like_json(text, ending)
    try:
        document = _parse(text, ending, limits, looks_like_json=looks_like_json)
    except Unreadable as refusal:
        if not refusal.syntax:
            raise
        refuse_control_characters(text)
        guess = json_mistakes if looks_like_json else yaml_mistakes
        raise Unreadable(guess(text, refusal.findings[0], limits)) from None
    if is_null(document.root):
        raise unreadable("empty-file", "The file is empty.", "Start from the template.", at=(1, 1))
    return document


def _looks_like_json(text: str, ending: str) -> bool:
    """Whether advice should be written in JSON: a .yml file that begins with a brace may be YAML on one line."""
    start = text.lstrip()
    if ending in ("yml", "yaml"):
        return start[:1] in ("{", "[") and start[1:200].lstrip()[:1] in ('"', "{", "[")
    return start[:1] in ("{", "[") or (ending == "json" and start[:1] == '"')


def _parse(text: str, ending: str, limits: Limits, *, looks_like_json: bool) -> Document:
    if looks_like_json or ending == "json":
        try:
            return load_json(text, limits)
        except Unreadable as refusal:
            strict = looks_like_json and ending not in ("yml", "yaml")
            if strict or not refusal.syntax:
                raise
    return load_yaml(text, limits)
