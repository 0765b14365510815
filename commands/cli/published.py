"""Every question with its answer's type: what ``--json`` prints, as ``schema --answers`` and ``docs/answers.md`` say.

A change of an answer is a change of what scripts read: it needs a line in the changelog.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from commands.answers import (
    audit,
    checkpoint,
    diff,
    history,
    lab,
    lists,
    log,
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
from commands.answers.receipts import VERBS, result_types
from commands.answers.typed import hints, json_schema, nested, shown

_OK = {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Question:
    """``verb`` asks it on the command line, ``function`` in Python; ``answers`` are the types that an answer can have.
    ``own`` are the fields that the command line adds to it, beside ``ok``."""

    verb: str
    function: str
    answers: tuple[type[Any], ...]
    own: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The words of the verb, without its arguments."""
        words = self.verb.split()
        return " ".join(word for word in words if not word.isupper() and not word.startswith("["))


QUESTIONS = (
    Question("sessions", "lists.sessions", (lists.SessionList,)),
    Question("clusterings", "lists.clusterings", (lists.ClusteringList,)),
    Question("uploads", "lists.uploads", (lists.UploadList,)),
    Question("request list", "lists.requests", (lists.RequestList,)),
    Question(
        "show REF",
        "record.record",
        (record.SessionRecord, record.ClusteringRecord, record.UploadRecord, request.Request),
    ),
    Question("why REF", "why.why", (why.Why,)),
    Question("history REF", "history.history", (history.History,)),
    Question("log", "log.log", (log.Log,)),
    Question(
        "status",
        "status.status",
        (status.Status,),
        {"ledger": {"type": "string"}, "settings": {"type": ["string", "null"]}},
    ),
    Question(
        "cat UPLOAD",
        "stored_file.stored_file",
        (stored_file.StoredFile,),
        {"file": {"type": ["string", "null"]}},
    ),
    Question("audit", "audit.audit", (audit.Audit,)),
    Question("diff A [B]", "diff.diff", (diff.Diff,)),
    Question("what-if --without REF", "what_if.what_if", (what_if.WhatIf,)),
    Question("trace REF", "trace.trace", (trace.Trace,)),
    Question("request show ID", "request.request", (request.Request,)),
    Question("verify", "verified.verified", (verified.Verified,)),
    Question("verify --receipt FILE", "verified.verified_proof", (verified.VerifiedFile,)),
    Question("verify --bundle FILE", "verified.verified_bundle", (verified.VerifiedFile,)),
    Question("prove REF", "proof.proof_of", (proof.Proof,), {"file": {"type": ["string", "null"]}}),
    Question(
        "prove --since FILE", "proof.proof_since", (proof.Proof,), {"file": {"type": ["string", "null"]}}
    ),
    Question("checkpoint --newest", "checkpoint.checkpoint_state", (checkpoint.CheckpointState,)),
    Question("catalogue list", "lab.catalogue", (lab.Catalogue,)),
    Question("subject list", "lab.subjects", (lab.Subjects,)),
    Question("role list", "lab.roles", (lab.Roles,)),
    Question("person list", "lab.people", (lab.People,)),
)


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every answer as ``--json`` prints it, by the name of the question or the command."""
    questions = {each.name: json_schema(*each.answers, own={"ok": _OK, **each.own}) for each in QUESTIONS}
    commands = {verb: json_schema(*result_types(verb), own={"ok": _OK}) for verb in VERBS}
    return questions | commands


# --- the page -------------------------------------------------------------------------------------------------------

_HEAD = """# Answers

Every question has one function and one answer, whichever way it is asked. `--json` prints the answer with `ok` before
it; `daybook schema --answers` prints the JSON Schema of all of them. A field is there always, with null where there is
nothing to say. Ids are written with their letter (`s12`, `c34`, `u56`, `d78`), times of the log are UTC, times of
recordings naive local time. `position` says how far the ledger had come. Next steps are data: an action, the record
that it is for, and its arguments, of which null is for a person to fill in.

This page is written by `python -m tests.answers_page`; a test compares it with the code.
"""


def page() -> str:
    """``docs/answers.md``."""
    parts = [
        _HEAD,
        "## Questions\n",
        "| asked by | function of `commands.answers` | answer |",
        "|---|---|---|",
    ]
    answers: dict[type[Any], None] = {}
    for each in QUESTIONS:
        names = ", ".join(answer.__name__ for answer in each.answers)
        also = "".join(f", with `{name}`" for name in each.own)
        parts.append(f"| `daybook {each.verb}` | `{each.function}` | {names}{also} |")
        answers.update(dict.fromkeys(each.answers))
    parts += ["\n## Commands\n", "| done by | answer |", "|---|---|"]
    for verb in VERBS:
        types = result_types(verb)
        parts.append(f"| `daybook {verb}` | {', '.join(each.__name__ for each in types)} |")
        answers.update(dict.fromkeys(types))
    parts.append("\n## Answers\n")
    for answer in answers:
        parts += _table(answer)
    rows = dict.fromkeys(row for answer in answers for row in nested(answer) if row not in answers)
    parts.append("## Rows in them\n")
    for row in sorted(rows, key=lambda row: row.__name__):
        parts += _table(row)
    return "\n".join(parts).rstrip() + "\n"


def _table(document: type[Any]) -> Iterator[str]:
    yield f"### {document.__name__}\n"
    yield "| field | type |"
    yield "|---|---|"
    known = hints(document)
    for each in fields(document):
        yield f"| `{each.name}` | {shown(known[each.name])} |"
    yield ""
