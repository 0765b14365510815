"""Rewrite the past as somebody could who owns the database and knows the program: whatever follows from the events is
computed anew, so that nothing in the database contradicts anything else."""

from collections.abc import Callable, Sequence
from typing import Any

from ledger import log
from ledger.database import Database
from ledger.envelope import leaf_data, payload_digest
from ledger.log import STORED_COLUMNS
from ledger.merkle import CompactRange, leaf_hash
from projections.rebuild import rebuild
from tests.ledger.writing import as_owner

Event = dict[str, Any]
Change = Callable[[list[Event]], list[Event]]


def rewrite(url: str, change: Change) -> None:
    """``change`` gets the events in their order and returns those that are to have happened."""
    database = Database(url, role=None)
    with database.reading() as transaction:
        head = log.read_head(transaction)
        rows = transaction.run(f"SELECT {', '.join(STORED_COLUMNS)} FROM events ORDER BY position").fetchall()
        receipts = transaction.run("SELECT command_id, command_sha256, result FROM receipts").fetchall()
    events = renumbered(change([dict(zip(STORED_COLUMNS, row, strict=True)) for row in rows]))
    as_owner(url, *[f"DELETE FROM {table}" for table in ("events", "receipts", "checkpoints", "tree_nodes")])
    with database.writing() as transaction:
        head.size, head.compact_range = 0, CompactRange()
        stored = [log.StoredEvent(*(event[name] for name in log.COLUMNS)) for event in events]
        log.take_over(transaction, head, stored, [event["leaf_sha256"] for event in events])
        for command, digest, result in receipts:
            own = [event["position"] for event in events if event["command_id"] == command]
            if own:
                log.write_receipt(transaction, command, bytes(digest), own[0], own[-1], result)
    rebuild(database)
    database.close()


def renumbered(events: Sequence[Event]) -> list[Event]:
    """Positions without a gap, versions of streams, hashes of payloads and leaves."""
    moved = {event["position"]: number for number, event in enumerate(events, start=1)} | {0: 0}
    versions: dict[str, int] = {}
    anew = []
    for position, event in enumerate(events, start=1):
        version = versions[event["stream"]] = versions.get(event["stream"], 0) + 1
        event = event | {
            "position": position, "stream_version": version, "causation": moved.get(event["causation"], 0),
            "payload_sha256": event["payload_sha256"] if event["payload"] is None else payload_digest(event["payload"]),
        }  # fmt: skip
        leaf = leaf_hash(leaf_data(tuple(event[name] for name in STORED_COLUMNS[:14])))  # type: ignore[arg-type]
        anew.append(event | {"leaf_sha256": leaf})
    return anew
