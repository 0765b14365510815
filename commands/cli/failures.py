"""What went wrong, as one line and an exit code. The only module that judges exceptions."""

import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.cli.output import ClosedPipe
from ledger.addresses import without_secrets
from ledger.errors import IntegrityFailure, NextStep, Refusal, no_room

if TYPE_CHECKING:
    from commands.door.incidents import Around

REFUSED = 1
USAGE = 2
ENTRY_FAILED = 3
NOT_PERMITTED = 4
NOT_INTACT = 5
UNREACHABLE = 6
NOT_SIGNED_IN = 7
OUR_FAULT = 70
INTERRUPTED = 130
CLOSED_PIPE = 141
_ASKS = re.compile(r"\bask\b|\bgrant it\b|\breport (it|the)\b|\bincident\b", re.IGNORECASE)
_LONGEST_MESSAGE = 1_000
_OF_ANOTHER_ROLE = (
    "not-permitted", "no-role", "not-permitted-by-database", "not-authenticated", "only-claimed", "token-reads-only",
    "account-disabled", "second-factor-required",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """``message`` is None where nothing is to be said."""

    exit: int
    code: str
    message: str | None
    hint: str = ""
    steps: tuple[NextStep, ...] = ()
    contact: str | None = None  # whom to ask, or where to report it, as the settings say


def error_document(failure: Failure | Refusal) -> dict[str, Any]:
    """What went wrong, as every face gives it."""
    return {
        "code": failure.code,
        "message": failure.message,
        "hint": failure.hint,
        "next_steps": [asdict(step) for step in failure.steps],
        "contact": failure.contact if isinstance(failure, Failure) else None,
    }


class Interrupted(Exception):
    """Ctrl-C, in a form that passes through click unseen."""


def interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is what began it: in the middle of an import Python may wrap it into an error of its own."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt | Interrupted):
            return True
        error = error.__cause__ or error.__context__
    return False


def failure_of(
    error: BaseException,
    *,
    verb: str,
    beside: Path | None,
    damage: Callable[[], str | None] = lambda: None,
    contact: Callable[[], str | None] = lambda: None,
    around: "Callable[[], Around | None]" = lambda: None,
) -> Failure:
    """Judges anything that was raised. What nobody expected becomes an incident, kept in a file; but first the
    ledger is asked for ``damage``, which explains it better. Where a message says to ask somebody, ``contact`` says
    whom.
    """
    failure = _failure_of(error, verb, beside, damage, around)
    if not asks(f"{failure.message} {failure.hint}"):
        return replace(failure, contact=None)
    return failure if failure.contact is not None else replace(failure, contact=contact())


def asks(text: str) -> bool:
    """Whether a message tells its reader to ask somebody, or to report a fault."""
    return _ASKS.search(text) is not None


def _failure_of(
    error: BaseException, verb: str, beside: Path | None, damage: Callable[[], str | None],
    around: "Callable[[], Around | None]",
) -> Failure:  # fmt: skip
    from commands.door.settings import SettingsError

    if isinstance(error, click.exceptions.Abort) or interrupted(error):
        hint = "What was committed before stays; the same command again goes on from there."
        return Failure(INTERRUPTED, "interrupted", "Stopped.", hint)
    if isinstance(error, ClosedPipe):
        return Failure(CLOSED_PIPE, "closed-pipe", None)
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, SettingsError):
        return Failure(USAGE, "settings", str(error))
    refusal = _refusal(error)
    if refusal is None or refusal.code != "disk-full":
        refusal = _full_disk(error) or refusal
    refusal = refusal or _damaged(damage)
    return refusal if refusal is not None else _incident(error, verb, beside, around())


def _full_disk(error: BaseException) -> Failure | None:
    full = no_room(error)
    if full is None:
        return None
    where = f" that holds {full.filename}" if isinstance(full.filename, str) else ""
    return Failure(
        REFUSED,
        "disk-full",
        f"The disk{where} is full ({full.strerror}); nothing was left half-written.",
        "Free some space and run the same command again.",
    )


def _damaged(damage: Callable[[], str | None]) -> Failure | None:
    try:
        found = damage()
    except Exception:  # noqa: BLE001 - no ledger, or one that cannot even be checked: the first error counts
        return None
    if found is None:
        return None
    message = f"The ledger is not intact, and this cannot be answered from it: {without_secrets(found)}"
    return Failure(NOT_INTACT, "ledger-damaged", message, "See all of it", (NextStep("verify"),))


def _usage(error: click.ClickException) -> Failure:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "daybook"
    exit_code = error.exit_code if error.exit_code != REFUSED else USAGE
    message = " ".join(error.format_message().split())  # click lists choices on lines of their own
    if len(message) > _LONGEST_MESSAGE:  # somebody pasted a file where a word was expected
        message = f"{message[:_LONGEST_MESSAGE]}…"
    if not message.endswith((".", "?")):
        message += "."
    return Failure(exit_code, "usage", message, f"See: {path} --help")


def _refusal(error: BaseException) -> Failure | None:
    """Refusals of the ledger, and the errors of the pure packages, which have the same three attributes."""
    code, message, hint = (getattr(error, name, None) for name in ("code", "message", "hint"))
    if not (
        isinstance(error, Exception)
        and isinstance(code, str)
        and isinstance(message, str)
        and isinstance(hint, str)
    ):
        return None
    steps = tuple(getattr(error, "steps", ()))
    message, hint = without_secrets(message), without_secrets(hint)
    at_a_distance = _at_a_distance(error)
    if at_a_distance is not None:
        exit_code, lost = at_a_distance
        return Failure(exit_code, code, message, lost or hint, steps, getattr(error, "contact", None))
    exit_code = REFUSED
    if isinstance(error, IntegrityFailure):
        exit_code = NOT_INTACT
    elif isinstance(error, Refusal) and code in _OF_ANOTHER_ROLE:
        exit_code = NOT_PERMITTED
    return Failure(exit_code, code, message, hint, steps, getattr(error, "contact", None))


def _at_a_distance(error: BaseException) -> tuple[int, str] | None:
    """The exit code of what went wrong between here and a server, and a hint that is better than its own."""
    faults = sys.modules.get("commands.remote.faults")
    if faults is None:  # what was not loaded has raised nothing
        return None
    if isinstance(error, faults.Unreachable):
        lost = f"Whether it was done is not known: the same command with --command-id {error.command_id} does it once"
        return UNREACHABLE, "" if error.command_id is None else f"{lost}, and says so."
    if isinstance(error, faults.NotSignedIn):
        return NOT_SIGNED_IN, ""
    if isinstance(error, faults.ServerFault):
        return OUR_FAULT, ""
    return (USAGE, "") if isinstance(error, faults.WrongAddress) else None


def _incident(error: BaseException, verb: str, beside: Path | None, around: "Around | None") -> Failure:
    from commands.door.incidents import Around, record

    incident, path = record(error, verb=verb, beside=beside, around=around or Around())
    message = f"This is a fault of daybook itself, not yours (incident {incident})."
    if path is None:
        return Failure(
            OUR_FAULT,
            "incident",
            message,
            "Its details could not be kept anywhere. Please report the command.",
        )
    return Failure(
        OUR_FAULT, "incident", message, f"Please report it with {path}, which holds none of your data."
    )
