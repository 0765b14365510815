"""Refusals: what the ledger will not do, said so that a person can act on it.

Every refusal names what was found and what to do next. What to do is data, which each face words in its own way: a
command, a button. The command line turns the class into an exit code.
"""

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "NO_ROOM",
    "Conflict",
    "IntegrityFailure",
    "LedgerUnavailable",
    "NextStep",
    "Refusal",
    "joint",
    "no_room",
]

NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""What the system says where a file cannot grow."""
_CHAIN = 10


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something that would help: the name of an action, the record that it is for, and its arguments.

    An argument that is None is left for a person to fill in.
    """

    action: str
    ref: str | None = None
    arguments: Mapping[str, str | None] = field(default_factory=dict)


class Refusal(Exception):
    """Something was asked for that is refused. ``code`` is stable, in kebab-case; ``hint`` says what to do, and
    ``steps`` are the actions that do it. A hint that has steps ends without a full stop: they complete it."""

    def __init__(self, code: str, message: str, hint: str = "", *steps: NextStep) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.steps = steps

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def __reduce__(self) -> tuple[Any, ...]:
        """A rebuild has processes of its own; a refusal of one of them has to arrive here."""
        return _renewed, (type(self), self.args, vars(self))


def _renewed(kind: type[Refusal], arguments: tuple[Any, ...], attributes: dict[str, Any]) -> Refusal:
    refusal = kind.__new__(kind, *arguments)
    vars(refusal).update(attributes)
    return refusal


def joint(hint: str) -> str:
    """What stands between the steps of a hint: they are taken in turn, or chosen from where it says "or"."""
    return "or" if re.search(r"\bor\b", hint) else "then"


class Conflict(Refusal):
    """Somebody else changed the same stream or took the same key in the meantime. Trying again may help."""


class LedgerUnavailable(Refusal):
    """The database is missing, read-only, locked, full, of another schema, or out of reach."""


class IntegrityFailure(Refusal):
    """What is stored is not what was written."""


def no_room(error: BaseException) -> OSError | None:
    """The full disk that an error came of, wherever it happened and whatever was being written."""
    link: BaseException | None = error
    for _ in range(_CHAIN):
        if isinstance(link, OSError) and link.errno in NO_ROOM:
            return link
        link = None if link is None else link.__cause__ or link.__context__
    return None
