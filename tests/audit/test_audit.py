"""The counts of the audit report, against the events of the log counted one by one."""

from datetime import date, timedelta
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import log
from ledger.bodies import body_of
from ledger.database import Database, Transaction
from ledger.envelope import StoredEvent
from ledger.events import TYPES
from projections.audit import COUNTS, NOT_COUNTED, By, audit
from projections.past import Past, put_before
from tests.deletion.desk import Desk
from tests.intake.lab import Lab, group, session
from tests.length import TIMES
from tests.projections.test_rebuild_equals_incremental import write_history

EXAMPLES = {"sqlite": 8, "postgresql": 3}
CLOCK_RUNS_AHEAD = True  # from one day to another; verify says that such events lie ahead
KEYS: tuple[By, ...] = get_args(By)

COLUMN = {
    "InputFileReceived": "uploads", "InputFileRejected": "rejected", "SessionInserted": "sessions_inserted",
    "ClusteringInserted": "clusterings_inserted", "SessionInsertFailed": "failures",
    "ClusteringInsertFailed": "failures", "ProbesAssociated": "completions", "TasksAdded": "completions",
    "SessionAnnotated": "completions", "SessionAmended": "completions", "SessionSettled": "completions",
    "SessionWithdrawn": "withdrawals", "ClusteringWithdrawn": "withdrawals", "ChangeRequested": "requests",
    "DeletionRequested": "requests", "CorrectionRequested": "requests", "RedactionRequested": "requests",
    "SessionDeleted": "deletions", "ClusteringDeleted": "deletions", "CorrectionExecuted": "corrections",
    "SessionRestored": "restores", "ClusteringRestored": "restores", "PayloadRedacted": "redactions",
    "ActionRefused": "refusals",
}  # fmt: skip
OF_THE_OWNER = ("SessionInserted", "ClusteringInserted", "SessionInsertFailed", "ClusteringInsertFailed")


def test_every_type_of_event_is_counted_or_named_as_not_counted() -> None:
    counted = [kind for count in COUNTS for kind in count.types]

    assert len(counted) == len(set(counted))
    assert set(counted) | NOT_COUNTED == set(TYPES), "COUNTS or NOT_COUNTED of projections/audit.py"
    assert not set(counted) & NOT_COUNTED


class Model:
    """The log, counted in plain Python."""

    def __init__(self, events: list[StoredEvent]) -> None:
        self.events = events
        self.projects: dict[int, list[str]] = {}
        project: dict[str, list[str]] = {}
        for event in events:
            if event.stream.startswith("session/"):
                body = body_of(event)
                entry = body.get("entry") or body.get("completed")
                if entry is not None:
                    project[event.stream] = entry.get("project", [])
                self.projects[event.position] = project[event.stream]

    def keys(self, by: By, event: StoredEvent) -> set[str | None]:
        if by == "user":
            return {event.username if event.type in OF_THE_OWNER and event.username else event.actor}
        if by == "subject":
            return {event.subject.removeprefix("0/") or None}
        if by == "authentication":
            return {orjson.loads(event.via).get("authentication", "claimed")}
        if by == "week":
            day = date.fromisoformat(event.recorded_at[:10])
            return {(day - timedelta(days=day.weekday())).isoformat()}
        if by == "month":
            return {event.recorded_at[:7]}
        return {name or None for name in self.projects.get(event.position, ())} or {None}

    def report(self, by: By | None, since: str = "", until: str = "~") -> tuple[list[Any], dict[str, int]]:
        lines: dict[str | None, dict[str, int]] = {}
        total = dict.fromkeys(dict.fromkeys(COLUMN.values()), 0)
        for event in self.events:
            column = COLUMN.get(event.type)
            if column is None or not since <= event.recorded_at[:10] < until:
                continue
            total[column] += 1
            for key in self.keys(by, event) if by else ():
                line = lines.setdefault(key, dict.fromkeys(total, 0))
                line[column] += 1
        return sorted(lines.items(), key=lambda one: (one[0] is None, one[0] or "")), total


def test_the_counts_are_those_of_the_log(shared_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also as of an earlier position, and from one day to another."""
    days = iter(range(10**6))
    monkeypatch.setattr("ledger.log._refuse_clock_ahead", lambda *_: None)
    monkeypatch.setattr(
        log, "now", lambda: f"20{30 + next(days) // 300:02}-0{next(days) // 30 % 9 + 1}-11T00:00:00.000000Z"
    )

    @settings(max_examples=EXAMPLES[shared_database.dialect] * TIMES)
    @given(
        seed=st.integers(0, 2**32),
        steps=st.integers(10, 60),
        back=st.integers(0, 60),
        day=st.integers(0, 2**32),
    )
    def check(seed: int, steps: int, back: int, day: int) -> None:
        write_history(shared_database, seed, steps)
        with shared_database.reading() as transaction:
            head = log.read_head(transaction)
            events = log.read_all(transaction, limit=head.size)
            now = Model(events)
            times = sorted({event.recorded_at[:10] for event in events})
            since, until = times[day % len(times)], times[day // 7 % len(times)]
            for by in (None, *KEYS):
                assert counted(transaction, head.live_slot, by) == now.report(by)
                limited = counted(transaction, head.live_slot, by, since=since, until=until)
                assert limited == now.report(by, since, until)
        with shared_database.past() as transaction:
            head = put_before(transaction, max(0, head.size - back), Past.counts)
            then = Model(events[: head.size])
            for by in (None, *KEYS):
                assert counted(transaction, head.live_slot, by) == then.report(by)

    check()


def counted(
    transaction: Transaction, slot: str, by: By | None, **days: str
) -> tuple[list[Any], dict[str, int]]:
    found = audit(transaction, slot, by, **days)
    return [(line.key, line.counts) for line in found.lines], found.total


def test_who_uploads_inserts_and_who_approves_deletes(desk: Desk, lab: Lab) -> None:
    lab.record("a")
    lab.record("b", day=1)
    report = lab.upload(
        session("a", name="a", project=["my_project", "my_other_project"]), session("b", name="b"),
        clustering=[group("g", ["a", "b"])], user="user_3",
    )  # fmt: skip
    desk.restore(desk.delete(report.sessions[0].session))
    with desk.refused("not-permitted"):
        desk.request(report.sessions[1].session, user="user_4")

    def of(by: By) -> dict[str | None, dict[str, int]]:
        with lab.daybook.reading() as world:
            found = audit(world.transaction, world.head.live_slot, by)
        return {
            line.key: {name: count for name, count in line.counts.items() if count} for line in found.lines
        }

    assert of("user") == {
        "user_1": {"requests": 1}, "user_2": {"deletions": 2, "restores": 2},
        "user_3": {"uploads": 1, "sessions_inserted": 2, "clusterings_inserted": 1}, "user_4": {"refusals": 1},
    }  # fmt: skip
    several = {"sessions_inserted": 1, "deletions": 1, "restores": 1}
    assert of("project") | {None: {}} == {"my_project": several, "my_other_project": several, None: {}}
    assert orjson.dumps(of("month")).startswith(b'{"20')
