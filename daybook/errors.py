"""What a client raises: refusals, typed. What went wrong inside of Daybook is not shown, and kept as an incident."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable, NextStep, Refusal, joint, no_room

__all__ = [
    "Conflict", "Fault", "IntegrityFailure", "LedgerUnavailable", "NextStep", "NotPermitted", "Refusal",
    "WrongArgument",
]  # fmt: skip

_OF_ANOTHER_ROLE = frozenset({
    "not-permitted", "no-role", "not-permitted-by-database", "not-authenticated", "only-claimed", "token-reads-only",
    "account-disabled", "second-factor-required",
})  # fmt: skip
_PUBLIC = frozenset(
    {"Conflict", "IntegrityFailure", "LedgerUnavailable", "NotSignedIn", "Refusal", "Unreachable"}
)
"""The classes that are told apart, wherever they were raised."""
_LISTS = {
    "list-sessions": "sessions", "list-clusterings": "clusterings", "list-uploads": "uploads",
    "list-requests": "requests", "show": "show", "why": "why", "log": "log", "status": "status",
}  # fmt: skip


class NotPermitted(Refusal):
    """It takes another role, or another way to come in; ``hint`` says which, and who can grant it."""


class WrongArgument(Refusal):
    """An argument has a value that cannot be asked for."""


class Fault(Refusal):
    """A fault of Daybook itself. ``incident`` is the id under which it is kept, here or at the server."""

    incident: str = ""


@contextmanager
def raised_typed(method: str, *, beside: Path | None, contact: str | None) -> Iterator[None]:
    """Whatever is raised inside leaves as a Refusal, without the frames that it came through."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - nobody ever sees a traceback of internals
        raise _typed(error, method, beside, contact) from None


def _typed(error: Exception, method: str, beside: Path | None, contact: str | None) -> Refusal:
    from commands.door.settings import SettingsError

    if isinstance(error, SettingsError):
        return Refusal("settings", str(error))
    code, message, hint = (getattr(error, name, None) for name in ("code", "message", "hint"))
    if not (isinstance(code, str) and isinstance(message, str) and isinstance(hint, str)):
        if (full := no_room(error)) is not None:
            return LedgerUnavailable("disk-full", f"The disk is full ({full.strerror}).", "Free some space.")
        return _incident(error, method, beside, contact)
    steps: Sequence[NextStep] = getattr(error, "steps", ())
    worded = _worded(hint, steps)
    if code == "incident":
        fault = Fault(code, message, worded, *steps)
        fault.incident = str(getattr(error, "incident", ""))
        return fault
    if code in _OF_ANOTHER_ROLE:
        return NotPermitted(code, message, worded, *steps)
    public = next((kind for kind in type(error).__mro__ if kind.__name__ in _PUBLIC), Refusal)
    found: Refusal = public(code, message, worded, *steps)  # another object, without the frames of this one
    vars(found).update({name: value for name, value in vars(error).items() if name not in vars(found)})
    return found


def _incident(error: Exception, method: str, beside: Path | None, contact: str | None) -> Fault:
    from commands.door.incidents import record

    incident, path = record(error, verb=f"python {method}", beside=beside)
    where = "" if path is None else f" with {path}, which holds none of your data"
    to = "" if contact is None else f" to {contact}"
    fault = Fault(
        "incident",
        f"This is a fault of daybook itself, not yours (incident {incident}).",
        f"Please report it{where}{to}.",
    )
    fault.incident = incident
    return fault


def _worded(hint: str, steps: Sequence[NextStep]) -> str:
    """A hint that has steps ends without a full stop: they complete it."""
    if not steps or not hint:
        return hint
    return f"{hint.rstrip('.')}: {f', {joint(hint)} '.join(map(_call, steps))}."


def _call(step: NextStep) -> str:
    from commands.answers.actions import ACTIONS

    name = _LISTS.get(step.action)
    if name is None and not any(action.name == step.action for action in ACTIONS):
        return step.action.replace("-", " ")
    given = [] if step.ref is None else [repr(step.ref)]
    given += [f"{key}={'...' if value is None else repr(value)}" for key, value in step.arguments.items()]
    return f".{name or step.action.replace('-', '_')}({', '.join(given)})"
