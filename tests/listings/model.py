"""Lists in plain Python: every record of a moment, folded from the events, filtered and cut. Knows no SQL."""

import random
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from ledger.envelope import StoredEvent
from projections.apply import apply
from projections.queries import MISSING_IN, Kind, Query
from projections.rows import State

TABLES = {"sessions": "sessions", "clusterings": "clusterings", "uploads": "uploads", "requests": "deletions"}
STANDING = ("pending", "waiting", "inserted")
TEXT = {
    "sessions": ("location", "name", "subject", "session_time", "experimenter", "room", "project", "message"),
    "clusterings": ("location", "group_name", "subject", "curator", "curation_time", "notes", "message"),
    "uploads": ("filename", "subject", "sha256"),
    "requests": ("reason", "decision", "records", "subject"),
}


class Folded(State):
    """What events add up to, with what sessions have by their number."""

    tasks_of: dict[int, set[str]]
    probes_of: dict[int, set[str]]
    clusterings_of: dict[int, list[str]]
    sessions_of: dict[tuple[str, int], list[Any]]
    entries_of: dict[int, list[str]]


def folded(events: Sequence[StoredEvent]) -> Folded:
    state = Folded("a", complete=True)
    apply(state, events)
    state.tasks_of, state.probes_of = defaultdict(set), defaultdict(set)
    state.clusterings_of, state.entries_of = defaultdict(list), defaultdict(list)
    for task in state.tasks.every():
        state.tasks_of[task.session].add(task.task_type)
    for probe in state.probes.every():
        state.probes_of[probe.session].add(probe.probe)
    state.sessions_of = defaultdict(list)
    for session in state.sessions.every():
        state.entries_of[session.upload].append(session.status)
        state.sessions_of["sessions", session.id].append(session)
        state.sessions_of["uploads", session.upload].append(session)
    for link in state.clustering_sessions.every():
        state.sessions_of["clusterings", link.clustering].append(state.sessions[link.session])
    for one in state.clusterings.every():
        if one.session is not None:
            state.clusterings_of[one.session].append(one.status)
            state.sessions_of["clusterings", one.id].append(state.sessions[one.session])
        else:
            state.entries_of[one.upload].append(one.status)
    return state


def matching(state: Folded, kind: Kind, query: Query) -> list[int]:
    """All records that match, newest first, whatever the page."""
    rows = getattr(state, TABLES[kind]).every()
    found = [row.id for row in rows if _is_asked_for(row, kind, query) and _holds(row, kind, state, query)]
    return sorted(found, reverse=True)


def _is_asked_for(row: Any, kind: Kind, query: Query) -> bool:
    at = row.received_at if kind == "uploads" else row.requested_at
    user = row.requested_by if kind == "requests" else row.username
    subject = query.subject if query.subject is None or "/" in query.subject else f"0/{query.subject}"
    texts = [unicodedata.normalize("NFC", str(getattr(row, name) or "")).casefold() for name in TEXT[kind]]
    return (
        (subject is None or row.subject == subject)
        and (query.user is None or user == query.user)
        and (query.status is None or row.status == query.status)
        and (
            query.status != "error" or getattr(row, "replaced_by", None) is None
        )  # a later entry came after it
        and (query.since is None or at >= query.since)
        and (query.until is None or at < query.until)
        and (query.text is None or any(query.text.casefold() in text for text in texts))
    )


def _holds(row: Any, kind: Kind, state: Folded, query: Query) -> bool:
    """One of its sessions is all that is asked of sessions."""
    if query.project is None and query.task is None and query.probe is None and not query.missing:
        return True
    if kind == "clusterings" and query.missing and row.status not in STANDING:
        return False
    return any(_is_all(session, state, query) for session in state.sessions_of.get((kind, row.id), []))


def _is_all(row: Any, state: Folded, query: Query) -> bool:
    tasks, probes = state.tasks_of.get(row.id, set()), state.probes_of.get(row.id, set())
    clustered = "inserted" in state.clusterings_of.get(row.id, [])
    remarks = set(orjson.loads(row.remarks or "[]")) & {
        "probe-not-on-disk",
        "lf-only",
        "data-left-out",
        "crashed",
    }
    lacks = {
        "tasks": lambda: (row.status == "inserted" and not tasks) or (row.status, row.reason) == ("waiting", "sessions-txt"),
        "clusterings": lambda: row.status == "inserted" and not clustered,
        "room": lambda: row.room is None and row.status in STANDING,
        "association": lambda: (row.status, row.reason) == ("waiting", "probe-association"),
        "data": lambda: (row.status == "waiting" and row.reason in ("data-missing", "acquiring"))
        or (row.status == "inserted" and bool(remarks)),
    }  # fmt: skip
    return (
        (query.project is None or query.project in orjson.loads(row.project))
        and (query.task is None or query.task in tasks)
        and (query.probe is None or query.probe in probes)
        and all(lacks[name]() for name in query.missing)
    )


def cut(numbers: list[int], query: Query) -> tuple[list[int], bool]:
    """The page of these records, newest first, and whether there are more behind it."""
    limit = query.limit if query.limit is not None else len(numbers)
    if query.before is not None:
        newer = [number for number in numbers if number > query.before]
        return newer[len(newer) - limit :] if len(newer) > limit else newer, len(newer) > limit
    older = [number for number in numbers if query.after is None or number < query.after]
    return older[:limit], len(older) > limit


def some_query(choices: random.Random, state: Folded, kind: Kind) -> Query:
    """A question that often has an answer: about what one of the records says."""
    rows = getattr(state, TABLES[kind]).every()
    if not rows:
        return Query()
    one, other = choices.choice(rows), choices.choice(rows)
    at = one.received_at if kind == "uploads" else one.requested_at
    until = other.received_at if kind == "uploads" else other.requested_at
    text = choices.choice([str(getattr(one, name) or "") for name in TEXT[kind]])

    def maybe(value: Any, of: int = 5) -> Any:
        return value if not choices.randrange(of) else None

    query = Query(
        subject=maybe(one.subject.removeprefix("0/")),
        user=maybe(one.requested_by if kind == "requests" else one.username),
        status=maybe(one.status, 3), since=maybe(at, 8), until=maybe(until, 8),
        text=maybe(text[choices.randint(0, 3) :][: choices.randint(1, 9)].upper() or "x", 5),
        limit=choices.choice([1, 2, 5, 100]),
    )  # fmt: skip
    if kind != "requests":
        tasks = [task.task_type for task in state.tasks.every()] or ["OpenField"]
        probes = [probe.probe for probe in state.probes.every()] or ["probe_1"]
        projects = [orjson.loads(session.project) for session in state.sessions_of.get((kind, one.id), [])]
        names = ("tasks", "clusterings", "room", "association", "data")
        lacking = [name for name in names if not choices.randrange(9) and kind in MISSING_IN[name]]  # type: ignore[index]
        query = replace(
            query, project=maybe(next((names[0] for names in projects if names), "none")),
            task=maybe(choices.choice(tasks)), probe=maybe(choices.choice(probes)), missing=tuple(lacking),
        )  # fmt: skip
    cursor = choices.choice([None, None, other.id])
    return replace(query, **{choices.choice(["after", "before"]): cursor})
