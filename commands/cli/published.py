"""Every question with its answer's type: what ``--json`` prints, as ``schema --answers`` and ``docs/answers.md`` say.

A change of an answer is a change of what scripts read: it needs a line in the changelog.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from commands.answers.questions import QUESTIONS, Question
from commands.answers.receipts import VERBS, result_types
from commands.answers.typed import hints, json_schema, nested, shown

_OK = {"type": "boolean"}
_FILE = {"file": {"type": ["string", "null"]}}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question by its ``verb``; ``own`` are the fields that the command line adds to the answer, beside ``ok``."""

    verb: str
    question: Question
    own: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The words of the verb, without its arguments."""
        words = self.verb.split()
        return " ".join(word for word in words if not word.isupper() and not word.startswith("["))


_VERBS = {
    "sessions": "sessions", "clusterings": "clusterings", "uploads": "uploads", "requests": "request list",
    "record": "show REF", "why": "why REF", "history": "history REF", "blame": "blame REF", "log": "log",
    "audit": "audit", "query": "query SQL",
    "diff": "diff A [B]", "what-if": "what-if --without REF", "trace": "trace REF", "request": "request show ID",
    "verification": "verify", "verification-of-proof": "verify --receipt FILE",
    "verification-of-bundle": "verify --bundle FILE", "proof": "prove REF", "proof-since": "prove --since FILE",
    "draft": "compose DIR", "would-delete": "delete request REF... --dry-run",
    "checkpoint": "checkpoint --newest", "catalogue": "catalogue list", "subjects": "subject list",
    "roles": "role list", "people": "person list", "users": "user list", "tokens": "token list",
    "invitations": "user invitations", "sign-in": "auth status",
    "policies": "policy list", "jobs": "jobs", "status": "status", "stored-file": "cat UPLOAD",
}  # fmt: skip
_OWN: dict[str, dict[str, dict[str, Any]]] = {
    "draft": _FILE,
    "sign-in": {"server": {"type": "string"}},
    "proof": _FILE, "proof-since": _FILE, "stored-file": _FILE,
    "status": {"ledger": {"type": "string"}, "settings": {"type": ["string", "null"]}},
}  # fmt: skip
ASKED = tuple(Asked(_VERBS[each.name], each, _OWN.get(each.name, {})) for each in QUESTIONS)


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every answer as ``--json`` prints it, by the name of the question or the command."""
    questions = {
        each.name: json_schema(*each.question.answers, own={"ok": _OK, **each.own}) for each in ASKED
    }
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
    for each in ASKED:
        names = ", ".join(answer.__name__ for answer in each.question.answers)
        also = "".join(f", with `{name}`" for name in each.own)
        parts.append(f"| `daybook {each.verb}` | `{each.question.function}` | {names}{also} |")
        answers.update(dict.fromkeys(each.question.answers))
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
