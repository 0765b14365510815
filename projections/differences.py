"""What differs between two states of the ledger, record by record, and which events made the difference.

Only the streams to which something happened in between are folded. An upload that was there before is told without its
counts: they follow from its entries, which are told themselves.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

import orjson

from ledger import log
from ledger.database import Transaction
from ledger.envelope import StoredEvent
from ledger.events import body_of
from projections.apply import apply
from projections.concerned import with_needed
from projections.listings import (
    clustering_line,
    deletion_line,
    probe_line,
    session_line,
    subject_key,
    subject_name,
    task_line,
    upload_line,
)
from projections.rebuild import without_garbage_collection
from projections.rows import State

Plain = dict[str, Any]
Key = tuple[str, str]
KINDS = ("subject", "reference value", "user", "upload", "session", "clustering", "request")
COUNTS = ("inserted", "duplicates", "waiting", "errors")
_TOLD_BY_EVENTS = {"changed_at", "processed_at", "decided_at"}  # when it was is told with the events
_OF_THE_ENTRY = ("notes", "probe_association")  # fields of a session that its row does not have
_RECORDS = {"session": "session", "clustering": "clustering", "upload": "upload", "deletion": "request"}


@dataclass(slots=True)
class Difference:
    """``record`` is the record as it is listed, after the change, or before where it is gone. ``fields`` are those
    that differ, from and to, of one that is there before and after. ``events`` did it."""

    kind: str
    name: str
    change: Literal["added", "removed", "changed"]
    record: Plain
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    events: list[Plain] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return str(self.record.get("subject") or "")

    def plain(self) -> Plain:
        fields = {name: {"from": before, "to": after} for name, (before, after) in self.fields.items()}
        return {
            "kind": self.kind, "name": self.name, "change": self.change, "fields": fields, "record": self.record,
            "events": self.events,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Changes:
    """``others`` are the events that made no record differ, counted: ``{"actor", "type", "events"}``."""

    events: int
    differences: list[Difference]
    others: list[Plain]


class Folding:
    """A state made of some streams, with what of their entries the rows do not keep."""

    def __init__(self) -> None:
        self.state = State("past", complete=True)
        self._requested: dict[int, Plain] = {}

    def apply(self, events: Iterable[StoredEvent]) -> None:
        apply(self.state, self._remembered(events))

    def _remembered(self, events: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
        for event in events:
            if event.type == "SessionInsertRequested":
                entry = body_of(event)["entry"]
                self._requested[event.position] = {name: entry.get(name) for name in _OF_THE_ENTRY}
            yield event

    def described(self) -> dict[Key, Plain]:
        """Every record as plain data, which later events do not change."""
        state = self.state
        found: dict[Key, Plain] = {}
        inserted = _by_owner(state.insertions.every(), "subject")
        for subject in state.subjects.every():
            found["subject", subject_name(subject.subject)] = {
                "subject": subject_name(subject.subject),
                "probes": [
                    {"probe": i.probe, "insertion_time": i.insertion_time, "removal_time": i.removal_time}
                    for i in inserted.get(subject.subject, ())
                ],
            }
        for value in state.reference.every():
            found["reference value", f"{value.reference}: {value.value}"] = {
                "table": value.reference,
                "value": value.value,
                "attributes": orjson.loads(value.attributes),
                "retired": bool(value.retired),
            }
        for user in state.users.every():
            found["user", user.username] = {"user": user.username, "role": user.role}
        for upload in state.uploads.every():
            found["upload", f"u{upload.id}"] = upload_line(upload)
        for deletion in state.deletions.every():
            found["request", f"d{deletion.id}"] = deletion_line(deletion)
        return found | self._sessions() | self._clusterings()

    def _sessions(self) -> dict[Key, Plain]:
        tasks = _by_owner(self.state.tasks.every(), "session")
        probes = _by_owner(self.state.probes.every(), "session")
        found: dict[Key, Plain] = {}
        for row in self.state.sessions.every():
            given = self._requested[row.id] if row.entry is None else orjson.loads(row.entry)
            found["session", f"s{row.id}"] = (
                session_line(row)
                | {name: given.get(name) for name in _OF_THE_ENTRY}
                | {
                    "probes": [probe_line(probe) for probe in probes.get(row.id, ())],
                    "tasks": [task_line(task) for task in tasks.get(row.id, ())],
                }
            )
        return found

    def _clusterings(self) -> dict[Key, Plain]:
        stands_on = _by_owner(self.state.clustering_sessions.every(), "clustering")
        found: dict[Key, Plain] = {}
        for row in self.state.clusterings.every():
            over = [f"s{link.session}" for link in stands_on.get(row.id, ())]
            found["clustering", f"c{row.id}"] = clustering_line(row) | {"sessions": over}
        return found


def _by_owner(rows: list[Any], owner: str) -> dict[Any, list[Any]]:
    """In the order of their keys."""
    found: dict[Any, list[Any]] = {}
    for row in sorted(rows, key=lambda row: tuple(getattr(row, column) for column in type(row).KEY)):
        found.setdefault(getattr(row, owner), []).append(row)
    return found


def compare(before: Mapping[Key, Plain], after: Mapping[Key, Plain]) -> list[Difference]:
    """In the order of kinds and names."""
    found = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old is None and new is not None:
            found.append(Difference(*key, "added", new))
        elif new is None and old is not None:
            found.append(Difference(*key, "removed", old))
        elif old is not None and new is not None and old != new:
            fields = {
                name: (old[name], new[name])
                for name in new
                if name not in _TOLD_BY_EVENTS and old[name] != new[name]
            }
            if fields:
                found.append(Difference(*key, "changed", new, fields))
    return sorted(found, key=lambda one: (KINDS.index(one.kind), len(one.name) * _is_id(one.kind), one.name))


def _is_id(kind: str) -> bool:
    """Ids are sorted by their numbers."""
    return kind in _RECORDS.values()


def about(event: StoredEvent) -> list[Key]:
    """The records that an event happened to; none where it is one of the ledger as a whole."""
    kind, _, number = event.stream.partition("/")
    if kind in _RECORDS:
        return [(_RECORDS[kind], f"{kind[0]}{number}")]
    if kind == "subject":
        return [("subject", subject_name(number))]
    if kind == "reference":
        return [("reference value", f"{number}: {body_of(event)['value']}")]
    if event.type in ("RoleGranted", "RoleRevoked"):
        return [("user", str(body_of(event)["user"]))]
    if event.type == "LedgerCreated":
        return [("user", event.actor), ("user", "everyone")]
    return []


def between(
    transaction: Transaction,
    slot: str,
    first: int,
    second: int,
    *,
    subject: str | None = None,
    user: str | None = None,
) -> Changes:
    """What changed by the events behind position ``first`` up to ``second``; only by those about a subject, or about
    the records of a user, where one is named."""
    with without_garbage_collection():
        condition, values = "", [first, second]
        for column, value in (
            ("subject", None if subject is None else subject_key(subject)),
            ("username", user),
        ):
            if value is not None:
                condition += f" AND {column} = ?"
                values.append(value)  # type: ignore[arg-type]
        rows = transaction.run(
            f"SELECT DISTINCT stream FROM events WHERE position > ? AND position <= ?{condition}", values
        ).fetchall()
        touched = {row[0] for row in rows}
        return _changes(transaction, with_needed(transaction, slot, touched), touched, first, second)


def _changes(
    transaction: Transaction, streams: Collection[str], touched: Collection[str], first: int, second: int
) -> Changes:
    folding = Folding()
    before: dict[Key, Plain] = {}
    events: dict[int, Plain] = {}
    happened: dict[Key, list[int]] = {}

    def noted(later: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
        for event in later:
            if event.stream in touched:
                events[event.position] = _line(event)
                for key in about(event):
                    happened.setdefault(key, []).append(event.position)
            yield event

    stored = log.read_streams(transaction, streams, second)
    for is_later, some in groupby(stored, key=lambda event: event.position > first):
        if is_later:
            before = folding.described()
            some = noted(some)
        folding.apply(some)
    differences = []
    for one in compare(before, folding.described()):
        positions = happened.get((one.kind, one.name), [])
        if one.kind == "upload" and one.change == "changed":
            _without_counts(one)
        if positions and (one.fields or one.change != "changed"):
            one.events = [events[position] for position in positions]
            differences.append(one)
    told = {event["position"] for one in differences for event in one.events}
    others = [event for position, event in events.items() if position not in told]
    return Changes(len(events), differences, _counted(others))


def _line(event: StoredEvent) -> Plain:
    return {
        "position": event.position,
        "type": event.type,
        "actor": event.actor,
        "recorded_at": event.recorded_at,
        "correlation": event.correlation,
    }


def _without_counts(one: Difference) -> None:
    """Not all of its entries were folded."""
    for name in COUNTS:
        one.fields.pop(name, None)
    one.record = {name: value for name, value in one.record.items() if name not in COUNTS}


def _counted(events: list[Plain]) -> list[Plain]:
    counts: dict[tuple[str, str], int] = {}
    for event in events:
        key = event["actor"], event["type"]
        counts[key] = counts.get(key, 0) + 1
    return [{"actor": actor, "type": kind, "events": n} for (actor, kind), n in sorted(counts.items())]
