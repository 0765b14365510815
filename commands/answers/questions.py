"""Every question: its function, its answers, and how a face that has no words of its own asks it.

``ask`` takes an ``Asking`` and typed parameters; a face derives from them what it takes: a query, a path, a form. A
change of an answer is a change of what scripts read: it needs a line in the changelog.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from commands.answers import (
    accounts,
    audit,
    checkpoint,
    diff,
    history,
    lab,
    lists,
    log,
    named,
    proof,
    record,
    request,
    status,
    stored_file,
    trace,
    verified,
    what_if,
    why,
)
from commands.answers.asking import Asking
from commands.answers.times import moment_of, time_of
from ledger.errors import Refusal
from projections.audit import By
from projections.past import Past
from projections.queries import Kind, Missing, Query
from projections.references import by_id

PAGE, MOST = 100, 1000  # records on a page
_POSITION = 2**63 - 1


def _checked_moment(text: str) -> str:
    moment_of(text)
    return text


# the empty text is None: it asks for nothing
Word = Annotated[str, Field(min_length=1, max_length=1000)]
Number = Annotated[int, Field(ge=0, le=_POSITION)]
Time = Annotated[str, Field(max_length=100), AfterValidator(time_of)]
MomentText = Annotated[str, Field(max_length=100), AfterValidator(_checked_moment)]
_REF = "An id (s12, c34, u56, d78), a location, a session time or a group name; or subject:NAME, probe:NAME, user:NAME."
Ref = Annotated[str, Field(min_length=1, max_length=5000, description=_REF)]
Limit = Annotated[int, Field(ge=1, le=MOST, description=f"The newest so many, {MOST:,} at most.")]
Status = Literal["pending", "waiting", "inserted", "error", "withdrawn", "deleted"]
UploadStatus = Literal["validated", "rejected", "processed"]
RequestStatus = Literal["requested", "rejected", "cancelled", "executed", "restored"]
Ask = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Question:
    """``function`` is the one of ``commands.answers``, ``answers`` are the types that an answer can have. ``path`` and
    ``ask`` are for the faces that ask by parameters; None where a question is about files of whoever asks."""

    name: str
    function: str
    answers: tuple[type[Any], ...]
    path: str | None = None
    ask: Ask | None = None


# --- how they are asked ---------------------------------------------------------------------------------------------


def _page(asking: Asking, kind: Kind, **asked: Any) -> Any:
    return lists.ANSWERS[kind](asking.world(Past.lists), Query(**asked))


def _sessions(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None, status: Status | None = None,
    project: Word | None = None, task: Word | None = None, probe: Word | None = None,
    missing: list[Missing] | None = None, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> lists.SessionList:  # fmt: skip
    """Sessions, newest first."""
    found: lists.SessionList = _page(
        asking, "sessions", subject=subject, user=user, status=status, project=project, task=task, probe=probe,
        missing=tuple(missing or ()), text=text, since=since, until=until, after=after, before=before, limit=limit,
    )  # fmt: skip
    return found


def _clusterings(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None, status: Status | None = None,
    text: Word | None = None, since: Time | None = None, until: Time | None = None, after: Number | None = None,
    before: Number | None = None, limit: Limit = PAGE,
) -> lists.ClusteringList:  # fmt: skip
    """Clusterings, newest first."""
    found: lists.ClusteringList = _page(
        asking, "clusterings", subject=subject, user=user, status=status, text=text, since=since, until=until,
        after=after, before=before, limit=limit,
    )  # fmt: skip
    return found


def _uploads(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None, status: UploadStatus | None = None,
    text: Word | None = None, since: Time | None = None, until: Time | None = None, after: Number | None = None,
    before: Number | None = None, limit: Limit = PAGE,
) -> lists.UploadList:  # fmt: skip
    """Uploads, newest first."""
    found: lists.UploadList = _page(
        asking, "uploads", subject=subject, user=user, status=status, text=text, since=since, until=until,
        after=after, before=before, limit=limit,
    )  # fmt: skip
    return found


def _requests(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None,
    status: RequestStatus | None = None, decided: bool = False, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> lists.RequestList:  # fmt: skip
    """Requests that are open; with ``decided`` the others, too. Newest first."""
    wanted = status if status is not None or decided else "requested"
    found: lists.RequestList = _page(
        asking, "requests", subject=subject, user=user, status=wanted, text=text, since=since, until=until,
        after=after, before=before, limit=limit,
    )  # fmt: skip
    return found


def _record(asking: Asking, ref: Ref) -> Any:
    """One upload, session, clustering or request, whole; or a subject, a probe, a user."""
    if ref.startswith(named.PREFIXES):
        return named.named(asking.world(Past.everything), ref)
    world, found = asking.found(ref)
    return request.request(world, found.id) if found.kind == "deletion" else record.record(world, found)


def _why(asking: Asking, ref: Ref) -> why.Why:
    """What a record waits for, or why it failed, and what would resolve it."""
    return why.why(*asking.found(ref))


def _history(asking: Asking, ref: Ref) -> history.History:
    """The events of one record, oldest first; or of a stream by its name in the log, of a subject, a probe, a user."""
    if ref.startswith(named.PREFIXES):
        found = history.named_history(asking.world(Past.everything), ref)
        if found is not None:
            return found
    if "/" in ref:
        stream = history.stream_history(asking.world(Past.nothing), ref)
        if stream is not None:
            return stream
    return history.history(*asking.found(ref))


def _trace(asking: Asking, ref: Ref, *, limit: Limit = PAGE) -> trace.Trace:
    """From a record back to its file, and forward to what stands on it."""
    return trace.trace(*asking.found(ref, bound_up=True), limit=limit)


def _log(
    asking: Asking, *, actor: Word | None = None, type: Word | None = None, subject: Word | None = None,  # noqa: A002
    since: Time | None = None, until: Time | None = None, text: Word | None = None, after: Number | None = None,
    before: Number | None = None, limit: Annotated[int, Field(ge=1, le=log.MOST)] = log.PAGE,
) -> log.Log:  # fmt: skip
    """The newest events of the whole ledger, the oldest of them first; with ``after`` alone the oldest behind it."""
    matching = log.Matching(actor=actor, type=type, subject=subject, since=since, until=until, text=text)
    return log.log(asking.world(Past.nothing), matching, after=after, before=before, limit=limit)


def _status(asking: Asking, *, of: Word | None = None) -> status.Status:
    """How things stand: what waits, what failed, what is open for one's decision. ``of`` is whose records are meant."""
    return status.status(asking.world(), of=of, now=datetime.now(UTC))


def _stored_file(asking: Asking, ref: Ref) -> stored_file.StoredFile:
    """An uploaded file, byte for byte as it came."""
    return stored_file.stored_file(*asking.found(ref))


def _audit(
    asking: Asking, *, by: By | None = None, since: date | None = None, until: date | None = None
) -> audit.Audit:
    """Uploads, inserts, deletions and refusals, counted by days (UTC)."""
    first, last = (day.isoformat() if day is not None else "" for day in (since, until))
    return audit.audit(asking.world(Past.counts), by, since=first, until=last)


def _diff(
    asking: Asking, *, start: MomentText, end: MomentText | None = None, subject: Word | None = None,
    user: Word | None = None,
) -> diff.Diff:  # fmt: skip
    """What changed between two moments, and by whom: positions of the log, or times."""
    moments = (None if text is None else moment_of(text) for text in (start, end))
    return diff.diff(asking.world(), *moments, subject=subject, user=user)


def _what_if(asking: Asking, *, without: Ref) -> what_if.WhatIf:
    """How the ledger would stand had something never happened."""
    return what_if.what_if(asking.world(), without, roots=asking.roots, limits=asking.limits)


def _request(asking: Asking, request_id: Ref) -> request.Request:
    """A request, its history, and what it takes with it."""
    named = by_id(request_id)
    if named is None or named.kind != "deletion":
        raise Refusal("not-found", f'"{request_id}" is not the id of a request.', "Give one such as d70.")
    world, found = asking.found(request_id)
    return request.request(world, found.id)


def _verified(asking: Asking) -> verified.Verified:
    """Recompute the whole ledger, and say what does not hold."""
    return verified.verified(asking.url, kept={})


def _proof(asking: Asking, ref: Ref) -> proof.Proof:
    """That the events of a record are in the ledger: a file that can be verified."""
    if ref.isascii() and ref.isdigit() and len(ref) < 19:
        return proof.proof_of(asking.daybook, int(ref), key_file=asking.key_file)
    _, found = asking.found(ref)
    return proof.proof_of(asking.daybook, found.stream, key_file=asking.key_file)


def _checkpoint(asking: Asking) -> checkpoint.CheckpointState:
    """The newest checkpoint, and how many events came since."""
    return checkpoint.checkpoint_state(asking.world(Past.nothing))


def _catalogue(asking: Asking, *, table: Word | None = None) -> lab.Catalogue:
    """Reference values, of one table or of all."""
    return lab.catalogue(asking.world(Past.lab), table)


def _subjects(asking: Asking) -> lab.Subjects:
    """Subjects with their probes."""
    return lab.subjects(asking.world(Past.lab))


def _roles(asking: Asking) -> lab.Roles:
    """Everybody's role, and who granted it."""
    return lab.roles(asking.world(Past.lab))


def _people(asking: Asking) -> lab.People:
    """Names and addresses behind usernames, as they are now."""
    return lab.people(asking.world(Past.lab))


def _users(asking: Asking) -> accounts.Users:
    """Who has an account."""
    return accounts.users(asking.world(Past.lab))


def _tokens(asking: Asking, *, user: Word | None = None) -> accounts.Tokens:
    """Tokens of one user: one's own, unless said."""
    return accounts.tokens(asking.world(Past.lab), user)


def _policies(asking: Asking) -> accounts.Policies:
    """What holds for the whole ledger."""
    return accounts.policies(asking.world(Past.lab))


# --- all of them ----------------------------------------------------------------------------------------------------

_RECORDS = (
    record.SessionRecord, record.ClusteringRecord, record.UploadRecord, request.Request, named.SubjectRecord,
    named.ProbeRecord, named.UserRecord,
)  # fmt: skip

QUESTIONS = (
    Question("sessions", "lists.sessions", (lists.SessionList,), "/sessions", _sessions),
    Question("clusterings", "lists.clusterings", (lists.ClusteringList,), "/clusterings", _clusterings),
    Question("uploads", "lists.uploads", (lists.UploadList,), "/uploads", _uploads),
    Question("requests", "lists.requests", (lists.RequestList,), "/requests", _requests),
    Question("record", "record.record", _RECORDS, "/records/{ref}", _record),
    Question("why", "why.why", (why.Why,), "/why/{ref}", _why),
    Question("history", "history.history", (history.History,), "/history/{ref}", _history),
    Question("log", "log.log", (log.Log,), "/log", _log),
    Question("status", "status.status", (status.Status,), "/status", _status),
    Question(
        "stored-file", "stored_file.stored_file", (stored_file.StoredFile,), "/files/{ref}", _stored_file
    ),
    Question("audit", "audit.audit", (audit.Audit,), "/audit", _audit),
    Question("diff", "diff.diff", (diff.Diff,), "/diff", _diff),
    Question("what-if", "what_if.what_if", (what_if.WhatIf,), "/what-if", _what_if),
    Question("trace", "trace.trace", (trace.Trace,), "/trace/{ref}", _trace),
    Question("request", "request.request", (request.Request,), "/requests/{request_id}", _request),
    Question("verification", "verified.verified", (verified.Verified,), "/verification", _verified),
    Question("verification-of-proof", "verified.verified_proof", (verified.VerifiedFile,)),
    Question("verification-of-bundle", "verified.verified_bundle", (verified.VerifiedFile,)),
    Question("proof", "proof.proof_of", (proof.Proof,), "/proofs/{ref}", _proof),
    Question("proof-since", "proof.proof_since", (proof.Proof,)),
    Question(
        "checkpoint", "checkpoint.checkpoint_state", (checkpoint.CheckpointState,), "/checkpoint", _checkpoint
    ),
    Question("catalogue", "lab.catalogue", (lab.Catalogue,), "/catalogue", _catalogue),
    Question("subjects", "lab.subjects", (lab.Subjects,), "/subjects", _subjects),
    Question("roles", "lab.roles", (lab.Roles,), "/roles", _roles),
    Question("people", "lab.people", (lab.People,), "/people", _people),
    Question("users", "accounts.users", (accounts.Users,), "/users", _users),
    Question("tokens", "accounts.tokens", (accounts.Tokens,), "/tokens", _tokens),
    Question("policies", "accounts.policies", (accounts.Policies,), "/policies", _policies),
)
