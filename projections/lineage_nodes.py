"""The nodes of a lineage, from rows and events, and the few kinds of query that a bounded look needs."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ledger.bodies import body_of
from ledger.database import Transaction
from ledger.envelope import StoredEvent, via_of
from ledger.log import Head
from projections.graph import Lineage, Plain
from projections.lines import subject_name
from projections.records import Clustering, Session, Upload
from projections.rows import Rows, State

R = TypeVar("R")
Say = Callable[[str, Plain], str]
"""(type, body) -> what an event says, in one line."""

_AT_ONCE = 500
_GONE = ("deleted", "withdrawn")


class Look:
    """A graph in the making. ``most`` is how many of a kind may stand beside a record; ``gone`` says at which
    position deleted and withdrawn records went.
    """

    def __init__(self, transaction: Transaction, head: Head, ref: str, most: int, say: Say) -> None:
        self.transaction = transaction
        self.state = State(head.live_slot, transaction)
        self.graph = Lineage(ref, head.origin)
        self.most = most
        self.say = say
        self.gone: dict[int, str] = {}

    def session_node(self, row: Session) -> str:
        name = f"s{row.id}"
        if row.status in _GONE:
            self.gone[row.status_position] = name
        return self.graph.node(
            name, "session", f"{name} {row.status}", status=row.status, subject=subject_name(row.subject),
            session_time=row.session_time, location=row.location, username=row.username, reason=row.reason,
            message=row.message, requested_at=row.requested_at, changed_at=row.changed_at,
        )  # fmt: skip

    def clustering_node(self, row: Clustering) -> str:
        name = f"c{row.id}"
        if row.status in _GONE:
            self.gone[row.status_position] = name
        return self.graph.node(
            name, "clustering", f"{name} {row.status}", status=row.status, subject=subject_name(row.subject),
            group_name=row.group_name, curator=row.curator, curation_time=row.curation_time, location=row.location,
            username=row.username, reason=row.reason, message=row.message, requested_at=row.requested_at,
            changed_at=row.changed_at,
        )  # fmt: skip

    def upload_node(self, row: Upload) -> str:
        name = self.graph.node(
            f"u{row.id}", "upload", f"u{row.id} {row.status}", status=row.status, filename=row.filename,
            subject=subject_name(row.subject), username=row.username, received_at=row.received_at,
            replays=None if row.replays is None else f"u{row.replays}", sessions=row.sessions,
            clusterings=row.clusterings, duplicates=row.duplicates, inserted=row.inserted, waiting=row.waiting,
            errors=row.errors,
        )  # fmt: skip
        if row.sha256:  # a redaction blanks it
            file = self.graph.node(
                f"file:{row.sha256}", "file", row.filename, sha256=row.sha256, size_bytes=row.size_bytes
            )
            self.graph.edge(file, name, "content")
        return name

    def request_node(self, number: int | None) -> str:
        row = None if number is None else self.state.deletions.get(number)
        if row is None:
            return ""
        name = f"d{row.id}"
        return self.graph.node(
            name, "request", f"{name} {row.kind} {row.status}", asks_for=row.kind, status=row.status,
            subject=subject_name(row.subject), username=row.requested_by, requested_at=row.requested_at,
            reason=row.reason, decided_by=row.decided_by, decided_at=row.decided_at, decision=row.decision,
            sessions=row.sessions, clusterings=row.clusterings,
        )  # fmt: skip

    def event_node(self, event: StoredEvent) -> str:
        body, via = body_of(event), via_of(event)
        redacted = body.get("redacted")
        says = (
            f"(redacted by {redacted['by']}: {redacted['reason']})"
            if redacted
            else self.say(event.type, body)
        )
        name = self.graph.node(
            f"e{event.position}", "event", event.type, position=event.position, type=event.type, at=event.recorded_at,
            actor=event.actor, says=says, via=via, redacted=redacted is not None,
        )  # fmt: skip
        self.graph.edge(self.graph.node(f"user:{event.actor}", "user", event.actor), name, "did")
        self.graph.edge(self._program_node(via), name, "ran")
        return name

    def _program_node(self, via: Plain) -> str:
        interface, version, host = (via.get(key, "") for key in ("interface", "version", "host"))
        return self.graph.node(
            f"program:{interface}:{version}:{host}", "program", f"daybook {version}".rstrip(), interface=interface,
            version=version, host=host,
        )  # fmt: skip

    def record_node(self, row: Session | Clustering) -> str:
        return self.session_node(row) if isinstance(row, Session) else self.clustering_node(row)

    # --- queries

    def there(self, rows: Rows[R], numbers: Iterable[int]) -> list[R]:
        """The rows with these numbers, but for those that a reading of the past left out."""
        wanted = list(numbers)
        rows.prefetch(wanted)
        return [row for number in wanted if (row := rows.get(number)) is not None]

    def first_of(self, sql: str, *values: object, most: int | None = None) -> list[tuple[Any, ...]]:
        limited = (*values, self.most if most is None else most)
        found: list[tuple[Any, ...]] = self.transaction.run(f"{sql} LIMIT ?", limited).fetchall()
        return found

    def count(self, sql: str, *values: object) -> int:
        return int(self.transaction.run(sql, values).fetchone()[0])

    def among(self, sql: str, values: Iterable[int]) -> list[tuple[Any, ...]]:
        """The rows for these values, which take the place of ``{}`` in the statement."""
        numbers, found = list(values), []
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            found += self.transaction.run(sql.format(", ".join("?" * len(some))), some).fetchall()
        return found


def request_number(correlation: str) -> int | None:
    """The number of the request that events belong to, if it is one."""
    return int(correlation[1:]) if re.fullmatch(r"d[0-9]{1,18}", correlation) else None
