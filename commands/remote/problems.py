"""Problems that a server answers with, as the refusals of the ledger: each of the class that it has there."""

from collections.abc import Mapping
from typing import Any

from commands.answers import wire
from commands.inputfile.findings import Finding
from commands.remote.connection import Reply
from commands.remote.faults import NotSignedIn, ServerFault, Unreachable, not_signed_in
from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable, NextStep, Refusal

_GATEWAY = {502, 503, 504}


class RefusedThere(Refusal):
    """``contact`` is whom to ask at the server; ``findings`` are what is wrong in a file that was sent, ``blockers``
    what stands in the way."""

    contact: str | None = None
    findings: tuple[Finding, ...] = ()
    blockers: tuple[str, ...] = ()


class ConflictThere(RefusedThere, Conflict):
    """As in the ledger."""


class UnavailableThere(RefusedThere, LedgerUnavailable):
    """As in the ledger."""


class IntegrityFailureThere(RefusedThere, IntegrityFailure):
    """As in the ledger."""


class SignInRefused(RefusedThere, NotSignedIn):
    """Whoever wanted to come in did not: a wrong password, a code that is missing, too many attempts."""


class FaultThere(RefusedThere, ServerFault):
    """``incident`` is its id there."""

    incident: str = ""


def refuse_foreign(reply: Reply, server: str) -> None:
    """Raises Unreachable for what no Daybook server has answered."""
    if reply.header(wire.VERSION) is not None:
        return
    if reply.status in _GATEWAY:
        raise Unreachable(
            "gateway",
            f"What stands in front of {server} answers {reply.status}: the server behind it cannot be reached.",
            "Try again in a minute; else ask who keeps the server.",
        )  # fmt: skip
    if 300 <= reply.status < 400:
        to = reply.header("Location") or "elsewhere"
        raise Unreachable(
            "moved",
            f"{server} sends its clients to {to[:200]}.",
            "Give that address, if it is the right one.",
        )
    raise Unreachable(
        "no-daybook", f"What answers at {server} is no Daybook server.", "Is the address right, and whole?"
    )


def refuse(reply: Reply, server: str, *, had_token: bool) -> None:
    """Raises what a problem says; nothing where the reply is none."""
    if reply.status < 400 or reply.is_document:
        return
    try:
        problem = reply.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict) or not isinstance(problem.get("code"), str):
        raise ServerFault(
            "incident", f"{server} answered {reply.status}, and not why.", "Ask who keeps the server."
        )
    if reply.status == 401 and problem["code"] == "not-signed-in":
        raise not_signed_in(server, had_token=had_token)
    raise _refusal(reply, problem)


def _refusal(reply: Reply, problem: Mapping[str, Any]) -> RefusedThere:
    code, message = problem["code"], str(problem.get("message") or "")
    hint = str(problem.get("hint") or "")
    steps = [NextStep(**each) for each in problem.get("next_steps", ())]
    found: RefusedThere
    if code == "incident":
        fault = FaultThere(code, message, hint, *steps)
        fault.incident = str(problem.get("incident") or "")
        found = fault
    elif reply.status in (401, 429):
        found = SignInRefused(code, message, hint, *steps)
    elif reply.status == 503:
        found = UnavailableThere(code, message, hint, *steps)
    elif reply.status == 409:
        found = ConflictThere(code, message, hint, *steps)
    elif reply.status == 500:
        found = IntegrityFailureThere(code, message, hint, *steps)
    else:
        found = RefusedThere(code, message, hint, *steps)
    found.contact = problem.get("contact")
    found.findings = tuple(map(_finding, problem.get("findings", ())))
    found.blockers = tuple(str(each["message"]) for each in problem.get("errors", ()))
    return found


def _finding(plain: Mapping[str, Any]) -> Finding:
    from commands.inputfile.findings import finding_of

    return finding_of(plain)
