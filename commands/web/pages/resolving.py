"""The form that resolves a record in its row: what an answer advises, with what it knows filled in, and the rest asked
for. Each is sent to the form of its action, which takes it from there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from commands.answers.actions import action
from commands.answers.parameters import parameters
from commands.web.pages.action_forms import button_of
from commands.web.pages.associating import OnDisk, probes_on_disk
from commands.web.pages.fields import Field, fields_of
from commands.web.pages.next_steps import Way, way
from commands.web.pages.visiting import Visit
from ledger.errors import NextStep

IN_ROW = frozenset({"associate", "settle", "add-clustering", "withdraw", "insert-probe"})
_CALLED = {"at": "insertion_time"}
_LOCATED = ("curator", "location")


@dataclass(frozen=True, slots=True)
class InRow:
    """``known`` are the fields that need no question; ``fields`` and ``probes`` are asked for."""

    action: str
    summary: str
    button: str
    known: tuple[tuple[str, str], ...]
    fields: tuple[Field, ...]
    probes: tuple[OnDisk, ...]
    dangerous: bool


def forms(visit: Visit, steps: Iterable[NextStep]) -> tuple[list[InRow], list[Way]]:
    """Those that are done in the row, and the ways to all others."""
    inside: list[InRow] = []
    others: list[Way] = []
    for step in steps:
        found = way(step)
        if found is None:
            continue
        if step.action in IN_ROW:
            inside.append(_form(visit, step, found))
        else:
            others.append(found)
    return inside, others


def _form(visit: Visit, step: NextStep, found: Way) -> InRow:
    given = {_CALLED.get(name, name): value for name, value in step.arguments.items()}
    asked = parameters(action(step.action).do)
    known: list[tuple[str, str]] = []
    names = {each.name for each in asked}
    if step.ref is not None:
        known.append(("ref" if "ref" in names else "records", step.ref))
    wanted = []
    for each in asked:
        if each.name in ("ref", "records", "association"):
            continue
        value = given.get(each.name)
        if value is not None and each.name not in _LOCATED:
            known.append((each.name, value))
        elif each.default is each.empty or each.name in given or each.name in _LOCATED:
            wanted.append(each)
    texts = {name: value for name, value in given.items() if value is not None}
    probes = probes_on_disk(visit, step.ref or "", {}) if step.action == "associate" else []
    return InRow(
        step.action, found.label, button_of(step.action), tuple(known), tuple(fields_of(wanted, texts)),
        tuple(probes), found.dangerous,
    )  # fmt: skip
