"""Home: what needs whoever visits, and what happened since. The lab: everybody else's."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.answers.rows import EventLine
from commands.answers.status import OpenRecord, Status
from commands.answers.why import Why
from commands.web.pages.choosing import lists
from commands.web.pages.next_steps import Way
from commands.web.pages.resolving import InRow, forms
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.timeline import title
from commands.web.pages.visiting import Visit, WrongField
from commands.web.serving import Serving
from ledger import preferences
from ledger.plurals import plural

SEEN = "seen"
_AT_ONCE = 300  # events that are told at once: a further look tells the next ones
_FIRST_VISIT = 50
_DONE_BY = {
    "ClusteringDeleted": ("deleted", "clustering", ""), "ClusteringInserted": ("inserted", "clustering", ""),
    "ClusteringInsertFailed": ("", "clustering", " failed"), "ClusteringRestored": ("restored", "clustering", ""),
    "ClusteringWaiting": ("", "clustering", " waiting"), "DeletionApproved": ("approved", "request", ""),
    "DeletionCancelled": ("took back", "request", ""), "DeletionExecuted": ("carried out", "request", ""),
    "DeletionRejected": ("rejected", "request", ""), "DeletionRequested": ("made", "request", ""),
    "InputFileChecked": ("checked", "input file", ""), "InputFileReceived": ("uploaded", "input file", ""),
    "InputFileRejected": ("", "input file", " rejected"), "ProbeInserted": ("recorded", "probe insertion", ""),
    "ProbesAssociated": ("associated the probes of", "session", ""),
    "ReferenceValueAdded": ("added", "reference value", ""), "SessionDeleted": ("deleted", "session", ""),
    "SessionInserted": ("inserted", "session", ""), "SessionInsertFailed": ("", "session", " failed"),
    "SessionRestored": ("restored", "session", ""), "SessionWaiting": ("", "session", " waiting"),
    "SessionWithdrawn": ("withdrew", "session", ""), "SubjectRegistered": ("registered", "subject", ""),
    "UserInvited": ("invited", "user", ""),
    "SubjectRenamed": ("renamed", "subject", ""),
}  # fmt: skip
"""What was done to how many of what, and what comes behind that."""
_UNTOLD = frozenset(
    {
        "InputFileValidated",
        "InputFileProcessed",
        "SessionInsertRequested",
        "ClusteringInsertRequested",
        "SessionSubjectRenamed",
        "ClusteringSubjectRenamed",
        "UploadSubjectRenamed",
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """Something that needs somebody: why, the forms that resolve it, and where else to go."""

    record: OpenRecord
    why: Why
    forms: list[InRow]
    ways: list[Way]


@dataclass(slots=True)
class Happening:
    """Events of one command or upload, told in a line. ``ref`` is the record that it is about."""

    actor: str
    at: str
    ref: str
    first: int
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        parts = [_counted(kind, self.counts[kind]) for kind in self._told]
        return ", ".join(parts) or "an upload went on"

    @property
    def is_verb(self) -> bool:
        """Whether the name of who did it reads on into it."""
        return bool(self._told and _DONE_BY.get(self._told[0], ("",))[0])

    @property
    def _told(self) -> list[str]:
        """A file that was rejected came, too."""
        untold = _UNTOLD | ({"InputFileReceived"} if "InputFileRejected" in self.counts else set())
        return [kind for kind in self.counts if kind not in untold]


def home(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/", _home)
    add_page(router, serving, "/lab", _lab)
    add_form(router, serving, "/seen", _seen)
    return router


def _home(visit: Visit) -> Response:
    status: Status = visit.ask("status", of=visit.actor.owner)
    rows = [_row(visit, record) for record in (*status.failed, *status.waiting)]
    since = _cursor(visit)
    needing = status.waiting_count + status.failed_count + status.decisions_count
    things = (
        "Nothing needs you" if not needing else f"{plural(needing, 'thing')} need{'s' * (needing == 1)} you"
    )
    happened, until = _happened(visit, since)
    told = sum(sum(each.counts.values()) for each in happened)
    return page(
        visit, "home.html", things, position=status.position, status_of=status, rows=rows, since=since,
        happened=happened, told=told, until=until, left=status.position - until, done=visit.query.get("done", ""),
        ref=visit.query.get("ref", ""), lists=lists(visit, {"experimenters", "probes"} if rows else set()),
        untasked=visit.ask("sessions", user=visit.actor.owner, status="inserted", missing=["tasks"], limit="1"),
    )  # fmt: skip


def _row(visit: Visit, record: OpenRecord) -> Row:
    why: Why = visit.ask("why", ref=record.ref)
    inside, others = forms(visit, why.next_steps)
    return Row(record, why, inside, others)


def _lab(visit: Visit) -> Response:
    """Everybody's; one's own stand on the first page."""
    status: Status = visit.ask("status")
    rows = [each for each in (*status.failed, *status.waiting) if each.username != visit.actor.owner]
    return page(visit, "lab.html", "The lab", position=status.position, status_of=status, rows=rows)


# --- since the last visit -------------------------------------------------------------------------------------------


def _cursor(visit: Visit) -> int | None:
    """The last event that was seen; None for who has never said so."""
    with visit.serving.ledger.database.reading() as transaction:
        kept = preferences.of_user(transaction, visit.actor.user).get(SEEN)
    return int(kept) if kept is not None and kept.isdigit() else None


def _happened(visit: Visit, since: int | None) -> tuple[list[Happening], int]:
    """What happened behind an event, the oldest first, and the last event that is told of."""
    if since is None:
        events = list(visit.ask("log", limit=str(_FIRST_VISIT)).events)
    else:
        events = list(visit.ask("log", after=str(since), limit=str(_AT_ONCE)).events)
    return _told(events), events[-1].position if events else (since or 0)


def _told(events: Iterable[EventLine]) -> list[Happening]:
    found: dict[tuple[str, str], Happening] = {}
    for event in events:
        ref = _ref_of(event)
        key = (event.actor, ref or event.command_id)
        one = found.setdefault(key, Happening(event.actor, event.recorded_at, ref, event.position))
        one.counts[event.type] = one.counts.get(event.type, 0) + 1
        one.at = event.recorded_at
    return list(found.values())


def _ref_of(event: EventLine) -> str:
    """The upload or request that an event belongs to, or the record that it is about."""
    if event.correlation[:1] in "ud" and event.correlation[1:].isdigit():
        return event.correlation
    kind, _, number = event.stream.partition("/")
    letter = {"session": "s", "clustering": "c", "upload": "u", "deletion": "d"}.get(kind)
    return f"{letter}{number}" if letter else ""


def _counted(kind: str, number: int) -> str:
    if kind not in _DONE_BY:
        return title(kind).lower() + (f", {plural(number, 'time')}" if number > 1 else "")
    verb, noun, rest = _DONE_BY[kind]
    return f"{verb} {plural(number, noun)}{rest}".strip()


def _seen(visit: Visit, form: FormData) -> Response:
    """Moves on to what was shown, never back: a page that was opened before tells nothing twice."""
    text = str(form.get("until", ""))
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise WrongField("until", "This is no position.")
    until = min(int(text), _end(visit))
    before: Any = _cursor(visit)
    if before is None or until > before:
        with visit.serving.ledger.database.writing() as transaction:
            preferences.write(transaction, visit.actor.user, {SEEN: str(until)})
    return seen_other("/")


def _end(visit: Visit) -> int:
    with visit.serving.daybook(visit.actor).reading() as world:
        return int(world.head.size)
