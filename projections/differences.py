"""States of the ledger that are folded from some of its streams, their records as plain data, and what differs
between two states. Pure: the caller chooses which events are folded.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from ledger.bodies import body_of
from ledger.envelope import StoredEvent
from projections.apply import apply
from projections.lines import clustering_line, deletion_line, session_line, subject_name, upload_line
from projections.listings import probe_line, task_line
from projections.rows import State

Plain = dict[str, Any]
Key = tuple[str, str]
KINDS = ("subject", "reference value", "user", "upload", "session", "clustering", "request")
COUNTS = ("inserted", "duplicates", "waiting", "errors")
_TOLD_BY_EVENTS = {"changed_at", "processed_at", "decided_at"}  # the events tell when it was
_OF_THE_ENTRY = ("notes", "probe_association")  # fields of a session that its row does not have
_RECORDS = {"session": "session", "clustering": "clustering", "upload": "upload", "deletion": "request"}


@dataclass(slots=True)
class Difference:
    """``record`` is the record as it is listed after the change, or before it where the record is gone. ``fields``
    are those that differ, from and to, of a record that is there before and after. ``events`` did it.
    """

    kind: str
    name: str
    change: Literal["added", "removed", "changed"]
    record: Plain
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    events: list[Plain] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return str(self.record.get("subject") or "")


class Folding:
    """A state made of some streams, with those parts of their entries that the rows do not keep."""

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

    def described(self, kinds: Collection[str] = KINDS) -> dict[Key, Plain]:
        """Every record of these kinds as plain data, out of reach of later events."""
        describe = {
            "subject": self._subjects, "reference value": self._values, "user": self._users, "upload": self._uploads,
            "session": self._sessions, "clustering": self._clusterings, "request": self._requests,
        }  # fmt: skip
        found: dict[Key, Plain] = {}
        for kind in kinds:
            found |= describe[kind]()
        return found

    def _subjects(self) -> dict[Key, Plain]:
        inserted = _by_owner(self.state.insertions.every(), "subject")
        return {
            ("subject", subject_name(row.subject)): {
                "subject": subject_name(row.subject),
                "probes": [
                    {"probe": i.probe, "insertion_time": i.insertion_time, "removal_time": i.removal_time}
                    for i in inserted.get(row.subject, ())
                ],
            }
            for row in self.state.subjects.every()
        }

    def _values(self) -> dict[Key, Plain]:
        return {
            ("reference value", f"{row.reference}: {row.value}"): {
                "table": row.reference,
                "value": row.value,
                "attributes": orjson.loads(row.attributes),
                "retired": bool(row.retired),
            }
            for row in self.state.reference.every()
        }

    def _users(self) -> dict[Key, Plain]:
        rows = self.state.users.every()
        return {
            ("user", row.username): {
                "user": row.username,
                "role": row.role,
                "account": row.account,
                "owner": row.owner,
            }
            for row in rows
        }

    def _uploads(self) -> dict[Key, Plain]:
        return {("upload", f"u{row.id}"): upload_line(row) for row in self.state.uploads.every()}

    def _requests(self) -> dict[Key, Plain]:
        return {("request", f"d{row.id}"): deletion_line(row) for row in self.state.deletions.every()}

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
    """In key order."""
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
    """Sorts ids by their numbers."""
    return kind in _RECORDS.values()


_OF_USERS = (
    "RoleGranted", "RoleRevoked", "ServiceAccountAdded", "RightGranted", "RightRevoked", "UserDisabled",
    "UserEnabled", "UserInvited",
    "InvitationRevoked", "UserJoined", "SecondFactorAdded", "SecondFactorRemoved",
)  # fmt: skip


def about(event: StoredEvent) -> list[Key]:
    """The records that an event happened to; none where it is about the ledger as a whole."""
    kind, _, number = event.stream.partition("/")
    if kind in _RECORDS:
        return [(_RECORDS[kind], f"{kind[0]}{number}")]
    if kind == "subject":
        return [("subject", subject_name(number))]
    if kind == "reference":
        return [("reference value", f"{number}: {body_of(event)['value']}")]
    if event.type in _OF_USERS:
        return [("user", str(body_of(event)["user"]))]
    if event.type in ("AuthenticationPolicySet", "SecondFactorPolicySet"):
        return [("user", "everyone")]
    if event.type == "LedgerCreated":
        return [("user", event.actor), ("user", "everyone")]
    return []
