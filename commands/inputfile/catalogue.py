"""Read a catalogue file: reference values, subjects and the probes inserted in them, from YAML or JSON.

Pure, like the reading of input files, and by the same rules: text is what the user wrote (``"2.345"``, ``2.345`` and
``012345`` stay that), every finding has its place, nothing is raised. What is new to the ledger is decided
elsewhere.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from commands.inputfile.document import Part, Place, Unreadable, stage_0_error, unreadable
from commands.inputfile.encoding import decode, refuse_control_characters
from commands.inputfile.fields import BAD, Reader, clipped, wrong
from commands.inputfile.findings import Finding
from commands.inputfile.json_document import JsonDocument, load_json, refuse_deep_nesting
from commands.inputfile.json_mistakes import json_mistakes
from commands.inputfile.kept_findings import NO_MORE, MoreFindings
from commands.inputfile.keywords import Keywords, keywords_of, read_list, read_mapping
from commands.inputfile.known import REFERENCE_TABLES
from commands.inputfile.limits import Limits
from commands.inputfile.number_fields import boolean, datasource_id, date_time_or_inherit
from commands.inputfile.other_kinds import refuse_input_file
from commands.inputfile.report import Report
from commands.inputfile.text_fields import DATE_TIME, name_text
from commands.inputfile.yaml_document import YamlDocument
from commands.inputfile.yaml_mistakes import yaml_mistakes
from commands.inputfile.yaml_reading import load_yaml
from ledger.look_alikes import difference, folded


@dataclass(frozen=True, slots=True)
class CatalogueValue:
    """A value of a table. ``attributes``: ``probe_model`` of a probe, ``arena_required`` of a task type."""

    table: str
    value: str
    attributes: dict[str, str | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CatalogueInsertion:
    """``insertion_time`` is naive local time, ``YYYY-MM-DD HH:MM:SS[.ffffff]``."""

    probe: str
    insertion_time: str


@dataclass(frozen=True, slots=True)
class CatalogueSubject:
    name: str
    datasource_id: int = 0
    probes: tuple[CatalogueInsertion, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one catalogue file says, in its order, each value and each subject once."""

    values: tuple[CatalogueValue, ...] = ()
    subjects: tuple[CatalogueSubject, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueResult:
    """``catalogue`` is None where there is an error: a catalogue is loaded whole or not at all."""

    catalogue: Catalogue | None
    findings: tuple[Finding, ...]
    more: MoreFindings = NO_MORE


def read_catalogue(data: bytes, *, limits: Limits = Limits()) -> CatalogueResult:  # noqa: B008 - frozen
    """Read a catalogue file. A text that starts with a brace is JSON, any other is YAML. Never raises."""
    try:
        document = _document(decode(data, limits), _of_catalogues(limits))
        refuse_input_file(document.root)
        report = Report(document, limits)
        parts, _ = read_mapping(document.root, _CATALOGUE, report, None)
        if report.errors and isinstance(document, JsonDocument):
            refuse_deep_nesting(document, limits)
    except Unreadable as refusal:
        return CatalogueResult(None, refusal.findings)
    findings, more = report.findings()
    if report.errors:
        return CatalogueResult(None, findings, more)
    facts = sum(len(items) for items in parts.values()) + sum(
        len(each.probes) for each in parts.get("subjects", ())
    )
    if facts > limits.catalogue_facts:
        return CatalogueResult(None, (_too_many(facts, limits.catalogue_facts),))
    subjects = parts.pop("subjects", ())
    values = tuple(value for table in parts.values() for value in table)
    return CatalogueResult(Catalogue(values, subjects), findings, more)


def _of_catalogues(limits: Limits) -> Limits:
    """A fact has six keys and values at most, beside a few for the tables: what has more is not read whole."""
    return replace(limits, nodes=min(limits.nodes, 100 + 6 * limits.catalogue_facts))


def _too_many(facts: int, most: int) -> Finding:
    return stage_0_error(
        "too-many-facts",
        f"The file tells {facts:,} values, subjects and insertions; at most {most:,} are loaded at once.",
        "Split it into several files, and load one after the other.",
        at=(1, 1),
    )


def _document(text: str, limits: Limits) -> YamlDocument | JsonDocument:
    if not text.strip():
        raise unreadable(
            "empty-file", "The file is empty.", "List values under the name of their table.", at=(1, 1)
        )
    looks_like_json = text.lstrip().startswith("{")
    try:
        return load_json(text, limits) if looks_like_json else load_yaml(text, limits)
    except Unreadable as refusal:
        if not refusal.syntax:
            raise
        refuse_control_characters(text)
        guess = json_mistakes if looks_like_json else yaml_mistakes
        raise Unreadable(guess(text, refusal.findings[0], limits)) from None


def _true_or_false(value: Any, report: Report, place: Place, key: Part) -> Any:
    word = boolean(value, report, place, key)
    return wrong(value, report, place, key, "true or false") if word is None else word


def _moment(value: Any, report: Report, place: Place, key: Part) -> Any:
    if isinstance(value, str) and DATE_TIME.fullmatch(value):
        return date_time_or_inherit(value, report, place, key)
    return wrong(value, report, place, key, "a date-time such as 2023-03-01 00:00:00")


def _subject_name(value: Any, report: Report, place: Place, key: Part) -> Any:
    text = name_text(value, report, place, key)
    if text is not BAD and "/" in text:
        report.error(
            "subject-name", place, key, f'The name "{clipped(text, 60)}" holds a slash, which no subject has.'
        )
        return BAD
    return text


def _table(table: str, keywords: Keywords) -> tuple[Reader, str]:
    """A reader for the values of one table: each a text, or a mapping whose first key is the value."""
    value_key = next(iter(keywords.readers))

    def read_value(item: Any, report: Report, place: Place, index: int) -> CatalogueValue | None:
        if not isinstance(item, dict):
            text = name_text(item, report, place, index)
            return None if text is BAD else CatalogueValue(table, text)
        attributes, good = read_mapping(item, keywords, report, (place, index))
        return CatalogueValue(table, attributes.pop(value_key), attributes) if good else None

    def read(value: Any, report: Report, place: Place, key: Part) -> Any:
        items = read_list(value, report, place, key, f"a list of values of {table}")
        if items is None:
            return BAD
        first: dict[str, tuple[int, CatalogueValue]] = {}  # by the form in which look-alikes are equal
        for index, item in enumerate(items):
            found = read_value(item, report, (place, key), index)
            if found is None:
                continue
            at, same = first.setdefault(folded(found.value), (index, found))
            if at == index:
                continue
            if same.value != found.value:
                alike = f'"{clipped(found.value, 60)}" looks like "{clipped(same.value, 60)}"'
                message = f"{alike}, which is item {at + 1} of {table}."
                hint = f"Keep one of the two. {difference(found.value, same.value)}".rstrip()
                report.error("look-alike-value", (place, key), index, message, hint)
                continue
            said = f'"{clipped(found.value, 60)}" is in {table} already, as item {at + 1}'
            if same == found:
                report.warning("repeated-item", (place, key), index, f"{said}.", "Remove one of the two.")
            else:
                report.error(
                    "duplicate-value", (place, key), index, f"{said}, and says otherwise.", "Keep one."
                )
        return tuple(found for _, found in first.values())

    return read, f"a list of values of {table}"


def _once(value: Any, report: Report, place: Place, key: Part, keywords: Keywords, name: str) -> Any:
    """A list of mappings in which no two have the same ``name``."""
    items = read_list(value, report, place, key, f"a list, each item {keywords.what}")
    if items is None:
        return BAD
    read: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(items):
        values, _ = read_mapping(item, keywords, report, ((place, key), index))
        if name not in values:
            continue
        if values[name] in read:
            message = f'{name} "{clipped(values[name], 60)}" is in the list already.'
            report.error(f"duplicate-{name}", ((place, key), index), name, message, "Put the two into one.")
        read[values[name]] = values
    return read.values()


def _insertions(value: Any, report: Report, place: Place, key: Part) -> Any:
    read = _once(value, report, place, key, _INSERTION, "probe")
    if read is BAD or report.errors:  # an incomplete catalogue is not handed on
        return BAD
    return tuple(CatalogueInsertion(**values) for values in read)


def _subjects(value: Any, report: Report, place: Place, key: Part) -> Any:
    read = _once(value, report, place, key, _SUBJECT, "name")
    if read is BAD or report.errors:
        return BAD
    return tuple(CatalogueSubject(**values) for values in read)


_INSERTION = keywords_of(
    "a probe insertion",
    {
        "probe": (name_text, "a name from reference.Probe"),
        "insertion_time": (_moment, "a date-time such as 2023-03-01 00:00:00"),
    },
    {},
)
_SUBJECT = keywords_of(
    "a subject",
    {"name": (_subject_name, "the common name of the subject, such as 12345")},
    {"datasource_id": (datasource_id, "0"), "probes": (_insertions, "a list of probe insertions")},
)
_VALUE = keywords_of("a value", {"name": (name_text, "the value")}, {})
_WITH_ATTRIBUTES = {
    "reference.Probe": keywords_of(
        "a probe",
        {"probe": (name_text, "the name of the probe")},
        {"probe_model": (name_text, "the model of the probe")},
    ),
    "behavior.TaskType": keywords_of(
        "a task type",
        {"name": (name_text, "the task type")},
        {"arena_required": (_true_or_false, "true or false")},
    ),
}
_CATALOGUE = keywords_of(
    "the catalogue",
    {},
    {
        **{table: _table(table, _WITH_ATTRIBUTES.get(table, _VALUE)) for table in REFERENCE_TABLES},
        "subjects": (_subjects, "a list of subjects"),
    },
)
