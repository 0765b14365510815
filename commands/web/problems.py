"""What went wrong, as ``application/problem+json`` (RFC 9457): the codes, messages and next steps of every face.

The only module here that judges exceptions. What nobody expected becomes an incident, kept in a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from starlette.responses import Response

from commands.accounts.attempts import TooManyAttempts
from commands.answers.document import json_text
from commands.door.incidents import record
from commands.door.permission import NotPermitted
from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable, NextStep, Refusal, no_room

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
_FORBIDDEN = frozenset(
    {
        "not-authenticated", "token-reads-only", "only-claimed", "not-permitted-by-database", "no-role",
        "account-disabled", "second-factor-required",
    }
)  # fmt: skip
_WHO_ARE_YOU = frozenset({"wrong-credentials", "second-factor-needed", "wrong-code"})
_TITLES = {
    400: "Not a request that can be read", 401: "Not signed in", 403: "Not permitted", 404: "Not found",
    405: "Not done by this method", 409: "In conflict with what is there", 411: "Without a length",
    413: "Too large", 415: "Of another type than expected", 422: "Refused", 429: "Too many",
    431: "Headers too large", 408: "Too slow", 500: "A fault of Daybook", 503: "Not available now",
    507: "No space left",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """``code`` is that of the refusal on the command line; ``errors`` are the places of a request that are wrong,
    ``findings`` what is wrong in a file that it held."""

    status: int
    code: str
    message: str
    hint: str = ""
    steps: Sequence[NextStep] = ()
    incident: str | None = None
    errors: Sequence[Mapping[str, str]] = ()
    findings: Sequence[Any] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self, contact: str | None = None) -> dict[str, Any]:
        return {
            "type": f"urn:daybook:{self.code}",
            "title": _TITLES.get(self.status, "Refused"),
            "status": self.status,
            "detail": f"{self.message} {self.hint}".rstrip(),
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "next_steps": [asdict(step) for step in self.steps],
            "contact": contact,
            "incident": self.incident,
            "errors": list(self.errors),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def response(self, contact: str | None = None) -> Response:
        """``contact`` is whom to ask, as the settings say."""
        return Response(
            json_text(self.document(contact), indent=False),
            self.status,
            dict(self.headers),
            media_type=MEDIA_TYPE,
        )


def problem_of(error: BaseException, *, doing: str, beside: Path | None) -> Problem:
    """Anything that was raised while ``doing`` (``GET /sessions``); incidents are kept ``beside`` the ledger."""
    code, message, hint = (getattr(error, name, None) for name in ("code", "message", "hint"))
    full = no_room(error) if code != "disk-full" else None
    if full is None and isinstance(code, str) and isinstance(message, str) and isinstance(hint, str):
        steps = tuple(getattr(error, "steps", ()))
        blockers = [{"where": "record", "message": str(each)} for each in getattr(error, "blockers", ())]
        return Problem(
            _status(error, code), code, message, hint, steps, errors=blockers,
            findings=getattr(error, "findings", ()),
            headers=_patience(error),
        )  # fmt: skip
    if full is not None:
        return Problem(
            507, "disk-full", f"The disk of the server is full ({full.strerror}); nothing was left half-written.",
            "Send it again when there is space.", headers={"Retry-After": str(RETRY_AFTER_S)},
        )  # fmt: skip
    incident, _ = record(error, verb=doing, beside=beside)
    return Problem(
        500, "incident", f"This is a fault of daybook itself, not yours (incident {incident}).",
        "Please report it with that number.", incident=incident,
    )  # fmt: skip


def _patience(error: BaseException) -> dict[str, str]:
    if isinstance(error, TooManyAttempts):
        return {"Retry-After": str(error.seconds)}
    return {"Retry-After": str(RETRY_AFTER_S)} if isinstance(error, LedgerUnavailable) else {}


def _status(error: BaseException, code: str) -> int:
    if isinstance(error, NotPermitted) or code in _FORBIDDEN:
        return 403
    if code in _WHO_ARE_YOU:
        return 401
    if isinstance(error, TooManyAttempts):
        return 429
    if isinstance(error, LedgerUnavailable):
        return 503
    if isinstance(error, IntegrityFailure):
        return 500
    if isinstance(error, Conflict):
        return 409
    if isinstance(error, Refusal) and (code == "not-found" or code.startswith("no-such-")):
        return 404
    return 422


NOT_SIGNED_IN = Problem(
    401,
    "not-signed-in",
    "This takes somebody who is signed in.",
    'Send a token that is good: "Authorization: Bearer TOKEN".',
    headers={"WWW-Authenticate": 'Bearer realm="daybook"'},
)


def json_schema() -> dict[str, Any]:
    text = {"type": "string"}
    step = {
        "type": "object",
        "properties": {"action": text, "ref": {"type": ["string", "null"]}, "arguments": {"type": "object"}},
        "required": ["action", "ref", "arguments"],
    }
    place = {
        "type": "object",
        "properties": {"where": text, "message": text},
        "required": ["where", "message"],
    }
    return {
        "title": "Problem",
        "type": "object",
        "properties": {
            "type": text, "title": text, "status": {"type": "integer"}, "detail": text, "code": text, "message": text,
            "hint": text, "next_steps": {"type": "array", "items": step}, "incident": {"type": ["string", "null"]},
            "contact": {"type": ["string", "null"]},
            "errors": {"type": "array", "items": place},
            "findings": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["type", "title", "status", "detail", "code", "message", "hint", "next_steps"],
    }  # fmt: skip
