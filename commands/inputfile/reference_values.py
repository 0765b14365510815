"""The words for values that are not in their tables, each worked out once for a file."""

import shlex
from collections.abc import Collection
from itertools import islice

from commands.inputfile.fields import clipped
from commands.inputfile.known import Known
from commands.inputfile.nearest import nearest

_LETTERS = 300_000  # compared in a search for nearest values; a file that is wrong throughout gets no more


class ReferenceValues:
    """One object serves one check of one file."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._said: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        self._listed: dict[int, str] = {}
        self._letters = 0

    def unknown(self, what: str, value: str, table: str) -> tuple[str, str, str]:
        """Code, message and hint about a ``value`` that is not among the table's current values."""
        said = self._said.get((what, value, table))
        if said is None:
            said = self._said[what, value, table] = self._words(what, value, table)
        return said

    def _words(self, what: str, value: str, table: str) -> tuple[str, str, str]:
        valid = self._known.reference.get(table, ())
        add = f"daybook catalogue add {table} {shlex.quote(clipped(value, 60))}"
        if value in self._known.retired.get(table, ()):
            message = f"{what} {quoted(value)} was retired from {table}."
            return "retired-value", message, f"Use a current one, or take it back: {add}"
        message = f"{what} {quoted(value)} is not in {table}."
        if not valid:
            return "unknown-value", message, f"{table} is empty. Add the value: {add}"
        hint = self.near_or_some(value, valid)
        if not hint.startswith("Did"):
            hint = f"{hint} If it is new: {add}"
        return "unknown-value", message, hint

    def near_or_some(self, value: str, valid: Collection[str]) -> str:
        """A hint: the nearest valid value, or else a few of them. Empty where there is none."""
        near = None
        if self._letters < _LETTERS and len(value) <= 100:
            self._letters += len(valid) * len(value)
            near = nearest(value, valid)
        if near is not None:
            return f"Did you mean {quoted(near)}?"
        return self._some(valid)

    def _some(self, valid: Collection[str]) -> str:
        listed = self._listed.get(id(valid))
        if listed is None:
            values = ", ".join(clipped(value, 40) for value in islice(sorted(valid), 5))
            more = f" and {len(valid) - 5} more" if len(valid) > 5 else ""
            listed = self._listed[id(valid)] = f"Valid are: {values}{more}." if values else ""
        return listed


def quoted(value: str) -> str:
    return f'"{clipped(value, 80)}"'
