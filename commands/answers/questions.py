"""Every question: its function, its answers, and how a face asks it.

``ask`` takes an ``Asking`` and typed parameters; a face derives from them what it takes: options, a query, a form. A
change of an answer is a change of what scripts read: it needs a line in the changelog. What a question needs is loaded
when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from commands.answers.times import moment_of
from ledger.errors import NextStep, Refusal

if TYPE_CHECKING:
    from commands.answers.asking import Asking
    from commands.answers.parameters import (
        Authentication,
        By,
        Checkpoint,
        Content,
        Day,
        Encoding,
        Form,
        JobStatus,
        Limit,
        LimitBeside,
        LimitOfLog,
        Missing,
        MissingOfClustering,
        MomentText,
        Number,
        Position,
        Records,
        Ref,
        RequestStatus,
        Status,
        Text,
        Time,
        UploadStatus,
        Word,
    )
    from projections.queries import Kind

PAGE = 100
Ask = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Question:
    """``function`` is the one of ``commands.answers``, ``types`` are those that an answer can have. ``path`` and
    ``ask`` are for the faces that ask by parameters; None where a question is about files of whoever asks.
    ``in_body``: one of the parameters is a file, for which an address has no room."""

    name: str
    function: str
    types: tuple[str, ...]
    path: str | None = None
    ask: Ask | None = None
    in_body: bool = False

    @property
    def answers(self) -> tuple[type[Any], ...]:
        """The types themselves, which are loaded now."""
        places = (place.rpartition(".") for place in self.types)
        return tuple(getattr(import_module(f"commands.answers.{module}"), name) for module, _, name in places)


# --- how they are asked ---------------------------------------------------------------------------------------------


def _page(asking: Asking, kind: Kind, **asked: Any) -> Any:
    from commands.answers.lists import ANSWERS
    from projections.queries import Query

    return ANSWERS[kind](asking.world("lists"), Query(**asked))


def _sessions(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None, status: Status | None = None,
    project: Word | None = None, task: Word | None = None, probe: Word | None = None,
    missing: list[Missing] | None = None, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """Sessions, newest first."""
    return _page(
        asking, "sessions", subject=subject, user=user, status=status, project=project, task=task, probe=probe,
        missing=tuple(missing or ()), text=text, since=since, until=until, after=after, before=before, limit=limit,
    )  # fmt: skip


def _clusterings(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None, status: Status | None = None,
    project: Word | None = None, task: Word | None = None, probe: Word | None = None,
    missing: list[MissingOfClustering] | None = None, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """Clusterings, newest first; by what one of the sessions that they stand on is, or lacks."""
    return _page(
        asking, "clusterings", subject=subject, user=user, status=status, project=project, task=task, probe=probe,
        missing=tuple(missing or ()), text=text, since=since, until=until, after=after, before=before, limit=limit,
    )  # fmt: skip


def _uploads(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None, status: UploadStatus | None = None,
    project: Word | None = None, task: Word | None = None, probe: Word | None = None,
    missing: list[Missing] | None = None, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """Uploads, newest first; by what one of the sessions that they brought is, or lacks."""
    return _page(
        asking, "uploads", subject=subject, user=user, status=status, project=project, task=task, probe=probe,
        missing=tuple(missing or ()), text=text, since=since, until=until, after=after, before=before, limit=limit,
    )  # fmt: skip


def _requests(
    asking: Asking, *, subject: Word | None = None, user: Word | None = None,
    status: RequestStatus | None = None, decided: bool = False, text: Word | None = None, since: Time | None = None,
    until: Time | None = None, after: Number | None = None, before: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """Requests that are open; with ``decided`` the others, too. Newest first."""
    wanted = status if status is not None or decided else "requested"
    return _page(
        asking, "requests", subject=subject, user=user, status=wanted, text=text, since=since, until=until,
        after=after, before=before, limit=limit,
    )  # fmt: skip


def _record(asking: Asking, ref: Ref) -> Any:
    """One upload, session, clustering or request, whole; or a subject, a probe, a user."""
    if is_named(ref):
        from commands.answers.named import named

        return named(asking.world(), ref)
    world, found = asking.found(ref)
    if found.kind == "deletion":
        from commands.answers.request import request

        return request(world, found.id)
    from commands.answers.record import record

    return record(world, found)


def _why(asking: Asking, ref: Ref) -> Any:
    """What a record waits for, or why it failed, and what would resolve it."""
    from commands.answers.why import why

    return why(*asking.found(ref))


def _history(asking: Asking, ref: Ref) -> Any:
    """The events of one record, oldest first; or of a stream by its name in the log, of a subject, a probe, a user."""
    from commands.answers.history import history, named_history, stream_history

    if is_named(ref):
        found = named_history(asking.world(), ref)
        if found is not None:
            return found
    if "/" in ref:
        stream = stream_history(asking.world("nothing"), ref)
        if stream is not None:
            return stream
    return history(*asking.found(ref))


def _trace(asking: Asking, ref: Ref, *, limit: LimitBeside = PAGE) -> Any:
    """From a record back to its file, and forward to what stands on it; or from a subject, a probe, a user."""
    from commands.answers.trace import named_trace, trace

    if is_named(ref):
        return named_trace(asking.world(), ref, limit=limit)
    return trace(*asking.found(ref, bound_up=True), limit=limit)


def _blame(asking: Asking, ref: Ref) -> Any:
    """For each thing that a record says: which event said so, and on which line of which upload it stands."""
    from commands.answers.blame import blame

    world, found = asking.found(ref)
    if found.kind == "deletion":
        raise Refusal(
            "no-blame", f"{found} is a request: it says only what its own events say.", "See its history",
            NextStep("history", str(found)),
        )  # fmt: skip
    return blame(world, found)


def _log(
    asking: Asking, *, actor: Word | None = None, type: Word | None = None, subject: Word | None = None,  # noqa: A002
    since: Time | None = None, until: Time | None = None, text: Word | None = None, after: Number | None = None,
    before: Number | None = None, authentication: Authentication | None = None,
    within: Position | None = None, limit: LimitOfLog = PAGE,
) -> Any:  # fmt: skip
    """The newest events of the whole ledger, the oldest of them first; with ``after`` alone the oldest behind it.
    With ``within`` it looks through so many positions at most, and says where to look on."""
    from commands.answers.log import Matching, log

    matching = Matching(
        actor=actor,
        type=type,
        subject=subject,
        since=since,
        until=until,
        text=text,
        authentication=authentication,
    )
    return log(asking.world("nothing"), matching, after=after, before=before, limit=limit, within=within)


def _status(asking: Asking, *, of: Word | None = None, kept: bool = True) -> Any:
    """How things stand: what waits, what failed, what is open for one's decision. ``of`` is whose records are meant;
    ``kept``: look for the checkpoints that are kept by themselves, too."""
    from commands.answers.status import status

    checkpoints = asking.checkpoints if kept else None
    return status(asking.world(), of=of, now=datetime.now(UTC), checkpoints=checkpoints)


def _stored_file(asking: Asking, ref: Ref) -> Any:
    """An uploaded file, byte for byte as it came."""
    from commands.answers.stored_file import stored_file

    return stored_file(*asking.found(ref))


def _audit(
    asking: Asking, *, by: By | None = None, since: Day | None = None, until: Day | None = None
) -> Any:
    """Uploads, inserts, deletions and refusals, counted by days (UTC)."""
    from commands.answers.audit import audit

    first, last = (day.isoformat() if day is not None else "" for day in (since, until))
    return audit(asking.world("counts"), by, since=first, until=last)


def _diff(
    asking: Asking, *, start: MomentText, end: MomentText | None = None, subject: Word | None = None,
    user: Word | None = None,
) -> Any:  # fmt: skip
    """What changed between two moments, and by whom: positions of the log, or times."""
    from commands.answers.diff import diff

    moments = (None if text is None else moment_of(text) for text in (start, end))
    return diff(asking.world(), *moments, subject=subject, user=user)


def _what_if(asking: Asking, *, without: Ref) -> Any:
    """How the ledger would stand had something never happened."""
    from commands.answers.what_if import what_if

    return what_if(asking.world(), without, roots=asking.roots, limits=asking.limits)


def _request(asking: Asking, request_id: Ref) -> Any:
    """A request, its history, and what it takes with it."""
    from commands.answers.request import request
    from projections.references import by_id

    named = by_id(request_id)
    if named is None or named.kind != "deletion":
        raise Refusal("not-found", f'"{request_id}" is not the id of a request.', "Give one such as d70.")
    world, found = asking.found(request_id)
    return request(world, found.id)


def _draft(asking: Asking, *, directory: Text, subject: Word | None = None, form: Form = "yaml") -> Any:
    """An input file drafted from session directories: one of a session, or that of a subject."""
    from commands.answers.drafting import drafted, valid_values
    from commands.recordings.search import resolve

    world = asking.world()
    return drafted(
        resolve(directory, asking.roots), subject=subject, form=form, roots=asking.roots,
        values=valid_values(world, subject), position=world.head.size,
    )  # fmt: skip


def _would_delete(asking: Asking, *, records: Records) -> Any:
    """What a request for the deletion of these records would take. Nothing is asked for."""
    from commands.answers.request import would_delete

    return would_delete(asking.world(), records)


def _verified(
    asking: Asking, *, checkpoints: list[Checkpoint] | None = None, names: list[Text] | None = None,
    trust: list[Text] | None = None, lists: bool | None = None,
) -> Any:  # fmt: skip
    """Recompute the whole ledger, and say what does not hold: also against ``checkpoints`` that were kept elsewhere,
    each called by one of ``names`` where there are any; ``trust`` are keys of witnesses that have to have signed them.
    Without ``lists`` these are compared with the events unless there are very many."""
    from commands.answers.verified import kept_under, public_keys, verified

    return verified(asking.url, kept=kept_under(checkpoints, names), trust=public_keys(trust), lists=lists)


def _verified_proof(
    asking: Asking, *, content: Content, encoding: Encoding = "utf-8", checkpoints: list[Checkpoint] | None = None,
    names: list[Text] | None = None, trust: list[Text] | None = None,
) -> Any:  # fmt: skip
    """Whether a receipt or a proof holds, by itself and against the ledger; else as of the whole ledger."""
    from commands.answers.doing.common import bytes_of
    from commands.answers.verified import kept_under, public_keys, verified_proof
    from commands.proving.bundle_verifier import Malformed

    text = bytes_of(content, encoding).decode("utf-8", "replace")
    kept = kept_under(checkpoints, names)
    try:
        return verified_proof(asking.url, text, kept=kept, trust=public_keys(trust))
    except Malformed as error:
        raise Refusal("malformed", f"{error}.", "Get it again from where it was kept.") from None


def _proof(asking: Asking, ref: Ref, *, checkpoint: Checkpoint | None = None, or_events: bool = False) -> Any:
    """That the events of a record, a stream or a position are in the ledger: a file that can be verified. Under the
    newest ``checkpoint``, unless one is given. With ``or_events`` the events alone where the signing key is not."""
    from commands.answers.proof import proof_of, receipt_of
    from commands.answers.verified import require_checkpoint

    require_checkpoint(checkpoint)
    if or_events:
        return receipt_of(asking.daybook, asking.stream(ref), key_file=asking.key_file)
    what = int(ref) if ref.isascii() and ref.isdigit() and len(ref) < 19 else asking.stream(ref)
    return proof_of(asking.daybook, what, key_file=asking.key_file, checkpoint=checkpoint)


def _proof_since(asking: Asking, *, checkpoint: Checkpoint) -> Any:
    """That nothing before this checkpoint was rewritten: a file that can be verified."""
    from commands.answers.proof import proof_since
    from commands.answers.verified import require_checkpoint

    require_checkpoint(checkpoint)
    return proof_since(asking.daybook, checkpoint, key_file=asking.key_file)


def _checkpoint(asking: Asking) -> Any:
    """The newest checkpoint, and how many events came since."""
    from commands.answers.checkpoint import checkpoint_state

    return checkpoint_state(asking.world("nothing"), asking.checkpoints)


def _catalogue(asking: Asking, *, table: Word | None = None) -> Any:
    """Reference values, of one table or of all."""
    from commands.answers.lab import catalogue

    return catalogue(asking.world("lab"), table)


def _subjects(asking: Asking) -> Any:
    """Subjects with their probes."""
    from commands.answers.lab import subjects

    return subjects(asking.world("lab"))


def _roles(asking: Asking) -> Any:
    """Everybody's role, and who granted it."""
    from commands.answers.lab import roles

    return roles(asking.world("lab"))


def _people(asking: Asking) -> Any:
    """Names and addresses behind usernames, as they are now."""
    from commands.answers.lab import people

    return people(asking.world("lab"))


def _users(asking: Asking) -> Any:
    """Who has an account."""
    from commands.answers.accounts import users

    return users(asking.world("lab"))


def _invitations(asking: Asking) -> Any:
    """Invitations that are open, or have expired."""
    from commands.answers.accounts import invitations

    return invitations(asking.world("lab"))


def _tokens(asking: Asking, *, user: Word | None = None) -> Any:
    """Tokens of one user: one's own, unless said."""
    from commands.answers.accounts import tokens

    return tokens(asking.world("lab"), user)


def _jobs(
    asking: Asking, *, status: JobStatus | None = None, folder: Word | None = None, host: Word | None = None,
    after: Number | None = None, limit: Limit = PAGE,
) -> Any:  # fmt: skip
    """What is pending or waits, oldest first: each look, the next one, and who works now."""
    from commands.answers.jobs import jobs

    if asking.as_of is not None:
        raise Refusal("not-of-the-past", "Who looks at what is known of now alone.", "Leave out the moment.")
    place = None if folder is None else (asking.location(folder) or folder).rstrip("/")
    return jobs(asking.world(), status=status, folder=place, host=host, after=after or 0, limit=limit)


def _policies(asking: Asking) -> Any:
    """What holds for the whole ledger."""
    from commands.answers.accounts import policies

    return policies(asking.world("lab"))


def is_named(ref: str) -> bool:
    """Whether a subject, a probe or a user is meant, by the whole name."""
    return ref.startswith(("subject:", "probe:", "user:"))


# --- all of them ----------------------------------------------------------------------------------------------------

_RECORDS = (
    "record.SessionRecord", "record.ClusteringRecord", "record.UploadRecord", "request.Request", "named.SubjectRecord",
    "named.ProbeRecord", "named.UserRecord",
)  # fmt: skip

QUESTIONS = (
    Question("sessions", "lists.sessions", ("lists.SessionList",), "/sessions", _sessions),
    Question("clusterings", "lists.clusterings", ("lists.ClusteringList",), "/clusterings", _clusterings),
    Question("uploads", "lists.uploads", ("lists.UploadList",), "/uploads", _uploads),
    Question("requests", "lists.requests", ("lists.RequestList",), "/requests", _requests),
    Question("record", "record.record", _RECORDS, "/records/{ref}", _record),
    Question("why", "why.why", ("why.Why",), "/why/{ref}", _why),
    Question("history", "history.history", ("history.History",), "/history/{ref}", _history),
    Question("blame", "blame.blame", ("blame.Blame",), "/blame/{ref}", _blame),
    Question("log", "log.log", ("log.Log",), "/log", _log),
    Question("status", "status.status", ("status.Status",), "/status", _status),
    Question(
        "stored-file", "stored_file.stored_file", ("stored_file.StoredFile",), "/files/{ref}", _stored_file
    ),
    Question("audit", "audit.audit", ("audit.Audit",), "/audit", _audit),
    Question("diff", "diff.diff", ("diff.Diff",), "/diff", _diff),
    Question("what-if", "what_if.what_if", ("what_if.WhatIf",), "/what-if", _what_if),
    Question("trace", "trace.trace", ("trace.Trace",), "/trace/{ref}", _trace),
    Question("request", "request.request", ("request.Request",), "/requests/{request_id}", _request),
    Question(
        "would-delete", "request.would_delete", ("request.WouldDelete",), "/would-delete", _would_delete
    ),
    Question("draft", "drafting.drafted", ("drafting.Draft",), "/draft", _draft),
    Question("verification", "verified.verified", ("verified.Verified",), "/verification", _verified),
    Question(
        "verification-of-proof",
        "verified.verified_proof",
        ("verified.VerifiedFile",),
        "/verification-of-proof",
        _verified_proof,
        in_body=True,
    ),
    Question("verification-of-bundle", "verified.verified_bundle", ("verified.VerifiedFile",)),
    Question("proof", "proof.proof_of", ("proof.Proof",), "/proofs/{ref}", _proof),
    Question("proof-since", "proof.proof_since", ("proof.Proof",), "/proof-since", _proof_since),
    Question(
        "checkpoint",
        "checkpoint.checkpoint_state",
        ("checkpoint.CheckpointState",),
        "/checkpoint",
        _checkpoint,
    ),
    Question("catalogue", "lab.catalogue", ("lab.Catalogue",), "/catalogue", _catalogue),
    Question("subjects", "lab.subjects", ("lab.Subjects",), "/subjects", _subjects),
    Question("roles", "lab.roles", ("lab.Roles",), "/roles", _roles),
    Question("people", "lab.people", ("lab.People",), "/people", _people),
    Question("users", "accounts.users", ("accounts.Users",), "/users", _users),
    Question("invitations", "accounts.invitations", ("accounts.Invitations",), "/invitations", _invitations),
    Question("sign-in", "accounts.who_is_in", ("accounts.WhoIsIn",)),
    Question("tokens", "accounts.tokens", ("accounts.Tokens",), "/tokens", _tokens),
    Question("jobs", "jobs.jobs", ("jobs.Jobs",), "/jobs", _jobs),
    Question("policies", "accounts.policies", ("accounts.Policies",), "/policies", _policies),
)
_BY_NAME = {question.name: question for question in QUESTIONS}


def question(name: str) -> Question:
    return _BY_NAME[name]
