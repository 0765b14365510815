"""Fields that hold several values: texts, probes by name, the sessions of a clustering. Beside ``text_fields`` and
``number_fields``, which hold one.
"""

from typing import Any

from commands.inputfile.document import Part, Place
from commands.inputfile.fields import BAD, clipped, shown, wrong
from commands.inputfile.keywords import read_list, report_repeated
from commands.inputfile.number_fields import (
    session_reference,
)
from commands.inputfile.report import Report
from commands.inputfile.text_fields import (
    name_on_disk,
    name_text,
)


def texts_of_list(value: Any, report: Report, place: Place, key: Part, expected: str = "text") -> Any:
    """A text or a list of texts, as a tuple without repetitions. ``expected`` says what each is."""
    if not isinstance(value, list):
        if isinstance(value, dict):
            return wrong(value, report, place, key, "a text or a list of texts")
        text = name_text(value, report, place, key, expected)
        return BAD if text is BAD else (text,)
    here = (place, key)
    texts = [name_text(item, report, here, index, expected) for index, item in enumerate(value)]
    if BAD in texts:
        return BAD
    if len(set(texts)) < len(texts):
        for index in _repetitions(texts):
            message = f'"{clipped(texts[index])}" is in the list {key} already.'
            report.warning("repeated-item", here, index, message, "Remove it.")
        texts = list(dict.fromkeys(texts))
    return tuple(texts)


def _repetitions(values: list[Any]) -> list[int]:
    """The indexes of those values that came before."""
    first: dict[Any, int] = {}
    return [
        index
        for index, value in enumerate(values)
        if value is not BAD and first.setdefault(value, index) != index
    ]


def experimenters(value: Any, report: Report, place: Place, key: Part) -> Any:
    if isinstance(value, list) and not value:
        return wrong(value, report, place, key, "at least one experimenter")
    return texts_of_list(value, report, place, key, "a name from reference.Experimenter")


def projects(value: Any, report: Report, place: Place, key: Part) -> Any:
    return texts_of_list(value, report, place, key, "a name from acquisition.Project")


def probe_association(value: Any, report: Report, place: Place, key: Part) -> Any:
    if not isinstance(value, dict):
        expected = "a mapping from each probe's name on disk to its name in reference.Probe"
        return wrong(value, report, place, key, expected)
    here = (place, key)
    association = {}
    good = True
    for name, probe in value.items():
        typed_name = name_on_disk(name, report, here, name)
        typed = name_text(probe, report, here, name, "a name from reference.Probe")
        good = good and typed is not BAD and typed_name is not BAD
        association[str(name)] = typed
    if value.__class__ is not dict and value.repeated:  # type: ignore[attr-defined]
        good = False
        report_repeated(value.repeated, report, here)  # type: ignore[attr-defined]
    return (association or None) if good else BAD


def two_or_more_sessions(value: Any, report: Report, place: Place, key: Part) -> Any:
    expected = "a list of two or more sessions, each by its name in this file or by its session_time"
    items = read_list(value, report, place, key, expected)
    if items is None:
        return BAD
    here = (place, key)
    references = [session_reference(item, report, here, index) for index, item in enumerate(items)]
    good = BAD not in references
    for index in _repetitions(references):
        message = f'The session "{clipped(references[index])}" is in the list already.'
        report.error("repeated-session", here, index, message, "Remove it.")
        good = False
    if len(items) < 2:
        message = f"{key} is {shown(items)}; a multi-session clustering needs two or more sessions."
        hint = "A clustering of one session belongs under that session's own clustering key." if items else ""
        report.error("too-few-sessions", place, key, message, hint)
        good = False
    return tuple(references) if good else BAD
