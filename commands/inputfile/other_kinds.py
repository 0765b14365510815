"""Say that a file is of another kind than it was given as: a catalogue, an input file, or tasks alone. Pure."""

from dataclasses import replace
from typing import Any

from commands.inputfile.document import Unreadable, stage_0_error
from commands.inputfile.findings import AMEND, LOAD_CATALOGUE, UPLOAD, NextStep
from commands.inputfile.known import REFERENCE_TABLES

_LOAD = NextStep(LOAD_CATALOGUE, arguments={"file": None})
_UPLOAD = NextStep(UPLOAD, arguments={"file": None})
_AMEND = NextStep(AMEND, arguments={"file": None})
_OF_INPUT = frozenset({"subject", "sessions", "clustering"})
_OF_CATALOGUES = frozenset({*REFERENCE_TABLES, "subjects"})


def refuse_catalogue(root: Any) -> None:
    """Raises Unreadable where an input file was asked for and this is plainly a catalogue."""
    if _is_of(root, _OF_CATALOGUES, _OF_INPUT):
        raise _other("catalogue-file", "a catalogue file", next(iter(root)), "Load it", _LOAD)


def refuse_input_file(root: Any) -> None:
    """Raises Unreadable where a catalogue was asked for and this is plainly an input file."""
    if _is_of(root, _OF_INPUT, _OF_CATALOGUES):
        raise _other("input-file", "an input file", next(iter(root)), "Upload it", _UPLOAD)


def refuse_whole_file(root: Any) -> None:
    """Raises Unreadable where tasks were asked for and this is plainly an input file."""
    if _is_of(root, _OF_INPUT, frozenset({"tasks"})):
        raise _other(
            "input-file", "an input file", next(iter(root)), "Add what it says of the session", _AMEND
        )


def _is_of(root: Any, keys: frozenset[str], others: frozenset[str]) -> bool:
    return isinstance(root, dict) and bool(keys & root.keys()) and not others & root.keys()


def _other(code: str, what: str, key: str, hint: str, step: NextStep) -> Unreadable:
    finding = stage_0_error(code, f'This is {what}: it begins with "{key}".', hint, at=(1, 1))
    return Unreadable([replace(finding, next_steps=(step,))])
