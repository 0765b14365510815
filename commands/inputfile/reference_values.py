"""What to say of values that are not in their tables, worked out once a value and file."""

import json
from collections.abc import Collection
from itertools import islice

from commands.inputfile.fields import clipped
from commands.inputfile.findings import LOAD_CATALOGUE, PROPOSE_VALUE, RESTORE_VALUE, SHOW_REQUEST, NextStep
from commands.inputfile.known import Known
from commands.inputfile.nearest import mean, nearest, steps
from ledger.look_alikes import comparable, folded

_STEPS = 5_000_000  # letters laid beside letters in search of nearest values: as many as a whole file gets
_LISTED = 5
_TAKE_LISTS = ("experimenter", "project")
_OPEN = "It is proposed, and waits for an admin"

Said = tuple[str, str, str, tuple[NextStep, ...]]  # code, message, hint, next steps


class ReferenceValues:
    """One object serves one check of one file."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._is_empty = not any(known.reference.values())
        self._advised = False
        self._said: dict[tuple[str, str, str], Said] = {}
        self._retired: dict[str, frozenset[str]] = {}
        self._listed: dict[int, str] = {}
        self._look_alikes: dict[int, dict[str, str]] = {}
        self._steps = 0

    def code(self, value: str, table: str) -> str:
        """What is wrong with a ``value`` that is not among the table's current values."""
        retired = self._retired.get(table)
        if retired is None:
            retired = frozenset(map(comparable, self._known.retired.get(table, ())))
            self._retired[table] = retired
        return "retired-value" if value in retired else "unknown-value"

    def unknown(self, what: str, value: str, table: str) -> Said:
        """The same in words, which are remembered: not for more values than findings are kept with their words."""
        if self._is_empty and not self._known.retired.get(table):
            return self._of_empty_catalogue(f"{what} {quoted(value)} is not in {table}.")
        said = self._said.get((what, value, table))
        if said is None:
            said = self._said[what, value, table] = self._words(what, value, table)
        return said

    def _of_empty_catalogue(self, message: str) -> Said:
        """One piece of advice does for the whole file."""
        if self._advised:
            return "unknown-value", message, "", ()
        self._advised = True
        hint = "The catalogue is empty: an admin loads the values of the lab first"
        return "unknown-value", message, hint, (NextStep(LOAD_CATALOGUE, arguments={"file": None}),)

    def _words(self, what: str, value: str, table: str) -> Said:
        valid = self._known.reference.get(table, ())
        arguments = {"reference": table, "value": value}
        asked = self._known.proposed.get((table, value))
        if self.code(value, table) == "retired-value":
            message = f"{what} {quoted(value)} was retired from {table}."
            if asked is not None:
                return "retired-value", message, _OPEN, (NextStep(SHOW_REQUEST, asked),)
            restore = NextStep(RESTORE_VALUE, arguments=arguments)
            return (
                "retired-value",
                message,
                "Use a current value, or propose to take this one back",
                (restore,),
            )
        message = f"{what} {quoted(value)} is not in {table}."
        if asked is not None:
            return "unknown-value", message, _OPEN, (NextStep(SHOW_REQUEST, asked),)
        steps = (NextStep(PROPOSE_VALUE, arguments=arguments),)
        if not valid:
            return "unknown-value", message, f"{table} has no values yet. Propose this one", steps
        parts = [part.strip() for part in value[:500].replace(";", ",").split(",") if part.strip()]
        written = f"[{clipped(', '.join(json.dumps(part, ensure_ascii=False) for part in parts), 120)}]"
        takes_list = what in _TAKE_LISTS and len(parts) > 1
        there = [part for part in parts if part in valid] if len(parts) > 1 else []
        if there and takes_list:
            return "unknown-value", message, f"If several are meant, write a list: {written}", ()
        if there:
            return (
                "unknown-value",
                message,
                f"{what} takes one value. Keep one: {clipped(' or '.join(there))}",
                (),
            )
        near = self.near(value, valid)
        if near:
            return "unknown-value", message, near, ()
        if takes_list:
            hint = f"If several are meant, write a list: {written}. If it is one new name, propose it"
            return "unknown-value", message, hint, steps
        return "unknown-value", message, f"{self._some(valid)} If it is new, propose it", steps

    def near(self, value: str, valid: Collection[str]) -> str:
        """Did you mean: the value that looks alike, or else the nearest one. Empty where none is near."""
        alike = self._look_alikes_of(valid).get(folded(value))
        if alike is None and self._steps < _STEPS:
            self._steps += steps(value, valid)
            alike = nearest(value, valid)
        return "" if alike is None else mean(value, alike)

    def near_or_some(self, value: str, valid: Collection[str]) -> str:
        """A hint: the nearest valid value, or else a few of them. Empty where there is none."""
        return self.near(value, valid) or self._some(valid)

    def _look_alikes_of(self, valid: Collection[str]) -> dict[str, str]:
        alike = self._look_alikes.get(id(valid))
        if alike is None:
            alike = self._look_alikes[id(valid)] = {
                folded(value): value for value in sorted(valid, reverse=True)
            }
        return alike

    def _some(self, valid: Collection[str]) -> str:
        listed = self._listed.get(id(valid))
        if listed is None:
            listed = f"Valid are: {some_values(valid, _LISTED)}." if valid else ""
            self._listed[id(valid)] = listed
        return listed


def some_values(valid: Collection[str], most: int) -> str:
    """``user_1, user_2 and 7 more``, in the order of the alphabet."""
    values = ", ".join(clipped(value, 40) for value in islice(sorted(valid), most))
    return f"{values} and {len(valid) - most:,} more" if len(valid) > most else values


def quoted(value: str) -> str:
    return f'"{clipped(value, 80)}"'
