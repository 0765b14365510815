"""Every question: its function, its answers, and how a face asks it.

``ask`` takes an ``Asking`` and typed parameters; a face derives from them what it takes: options, a query, a form. A
change of an answer is a change of what scripts read: it needs a line in the changelog. What a question needs is loaded
when it is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from commands.answers.asking import lab, ledger, records

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


_RECORDS = (
    "record.SessionRecord", "record.ClusteringRecord", "record.UploadRecord", "request.Request", "named.SubjectRecord",
    "named.RenamedSubject", "named.ProbeRecord", "named.UserRecord",
)  # fmt: skip

QUESTIONS = (
    Question("sessions", "lists.sessions", ("lists.SessionList",), "/sessions", records.sessions),
    Question(
        "clusterings", "lists.clusterings", ("lists.ClusteringList",), "/clusterings", records.clusterings
    ),
    Question("uploads", "lists.uploads", ("lists.UploadList",), "/uploads", records.uploads),
    Question("requests", "lists.requests", ("lists.RequestList",), "/requests", records.requests),
    Question("record", "record.record", _RECORDS, "/records/{ref}", records.record),
    Question("why", "why.why", ("why.Why",), "/why/{ref}", records.why),
    Question("history", "history.history", ("history.History",), "/history/{ref}", records.history),
    Question("blame", "blame.blame", ("blame.Blame",), "/blame/{ref}", records.blame),
    Question("log", "log.log", ("log.Log",), "/log", ledger.log),
    Question("status", "status.status", ("status.Status",), "/status", ledger.status),
    Question(
        "stored-file",
        "stored_file.stored_file",
        ("stored_file.StoredFile",),
        "/files/{ref}",
        records.stored_file,
    ),
    Question("audit", "audit.audit", ("audit.Audit",), "/audit", ledger.audit),
    Question("query", "query.asking.query", ("query.asking.QueryAnswer",)),
    Question("diff", "diff.diff", ("diff.Diff",), "/diff", ledger.diff),
    Question("what-if", "what_if.what_if", ("what_if.WhatIf",), "/what-if", ledger.what_if),
    Question("trace", "trace.trace", ("trace.Trace",), "/trace/{ref}", records.trace),
    Question("request", "request.request", ("request.Request",), "/requests/{request_id}", records.request),
    Question(
        "would-delete",
        "request.would_delete",
        ("request.WouldDelete",),
        "/would-delete",
        records.would_delete,
    ),
    Question("draft", "drafting.drafted", ("drafting.Draft",), "/draft", records.draft),
    Question("verification", "verified.verified", ("verified.Verified",), "/verification", ledger.verified),
    Question(
        "verification-of-proof",
        "verified.verified_proof",
        ("verified.VerifiedFile",),
        "/verification-of-proof",
        ledger.verified_proof,
        in_body=True,
    ),
    Question("verification-of-bundle", "verified.verified_bundle", ("verified.VerifiedFile",)),
    Question("proof", "proof.proof_of", ("proof.Proof",), "/proofs/{ref}", ledger.proof),
    Question("proof-since", "proof.proof_since", ("proof.Proof",), "/proof-since", ledger.proof_since),
    Question(
        "checkpoint",
        "checkpoint.checkpoint_state",
        ("checkpoint.CheckpointState",),
        "/checkpoint",
        ledger.checkpoint,
    ),
    Question("catalogue", "lab.catalogue", ("lab.Catalogue",), "/catalogue", lab.catalogue),
    Question("subjects", "lab.subjects", ("lab.Subjects",), "/subjects", lab.subjects),
    Question("roles", "lab.roles", ("lab.Roles",), "/roles", lab.roles),
    Question("people", "lab.people", ("lab.People",), "/people", lab.people),
    Question("users", "accounts.users", ("accounts.Users",), "/users", lab.users),
    Question(
        "invitations", "accounts.invitations", ("accounts.Invitations",), "/invitations", lab.invitations
    ),
    Question("sign-in", "accounts.who_is_in", ("accounts.WhoIsIn",)),
    Question("tokens", "accounts.tokens", ("accounts.Tokens",), "/tokens", lab.tokens),
    Question("jobs", "jobs.jobs", ("jobs.Jobs",), "/jobs", records.jobs),
    Question("policies", "accounts.policies", ("accounts.Policies",), "/policies", lab.policies),
)
_BY_NAME = {question.name: question for question in QUESTIONS}


def question(name: str) -> Question:
    return _BY_NAME[name]
