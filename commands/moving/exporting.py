"""Export a ledger as text: every event, and what lies beside the log.

Input files, receipts of commands and checkpoints, which lie beside the log, go with it. Names of people and the
signing key do not. ``cloudevents`` defines the lines.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from commands.door.submit import Daybook
from commands.door.world import World
from commands.moving.cloudevents import (
    CHECKPOINT,
    DAMAGED,
    END,
    ENDS,
    FILE,
    HEAD,
    RECEIPT,
    event_line,
    other_line,
)
from commands.moving.importing import _PAGE, ACCOUNT_EVENTS, Moved, MovedDamaged, _digest_in, _Progress
from ledger import input_files, log
from ledger.database import Database, Transaction
from ledger.envelope import StoredEvent
from ledger.errors import IntegrityFailure, NextStep, Refusal
from ledger.input_files import erased
from ledger.moments import Moment
from ledger.verify import Report, examine
from projections.past import Past

_AT_ONCE = 500  # command ids in one query


def export_ledger(
    daybook: Daybook,
    write: Callable[[bytes], Any],
    progress: _Progress = lambda done, total: None,
    *,
    as_of: Moment | None = None,
) -> Moved:
    """Write every line of the ledger as it is now, or was at another moment; writers go on meanwhile. One ledger
    gives one text. Raises Refusal for a moment whose export could not be verified, IntegrityFailure for a ledger
    that is not intact.
    """
    url = daybook.database.address.text
    if as_of is not None:
        with daybook.reading() as world:
            _require_intact(world, url, progress)
    with daybook.reading() if as_of is None else daybook.reading_past(as_of, Past.nothing) as world:
        transaction, head = world.transaction, world.head
        if as_of is not None:
            _refuse_unverifiable(world)
        else:
            _require_intact(world, url, progress)
        root = head.compact_range.root().hex()
        sql = "SELECT count(*) FROM checkpoints WHERE size <= ?"
        (checkpoints,) = transaction.run(sql, (head.size,)).fetchone()
        promised = {"events": head.size, "root": root, "checkpoints": checkpoints, ENDS: True}
        write = counted = _Counted(write)
        write(other_line(head.origin, HEAD, str(head.size), promised))
        files: set[str] = set()
        accounts: set[str] = set()
        for page in log.stored_pages(transaction, 0, head.size, _PAGE):
            receipts, signed = _receipts(transaction, page), _checkpoints(transaction, page)
            accounts.update(event.stream for event in page if event.type in ACCOUNT_EVENTS)
            for event in page:
                digest = _digest_in(event, "InputFileReceived")
                if digest is not None and digest not in files and not erased(transaction, digest):
                    files.add(digest)
                    write(other_line(head.origin, FILE, digest, input_files.fetch(transaction, digest)))
                write(event_line(head.origin, event))
                if (receipt := receipts.get(event.position)) is not None:
                    write(other_line(head.origin, RECEIPT, receipt["command_id"], receipt))
                if (text := signed.get(event.position)) is not None:
                    write(other_line(head.origin, CHECKPOINT, str(event.position), {"text": text}))
            progress(page[-1].position, head.size)
        end = {"lines": counted.lines + 1, "events": head.size, "root": root}
        write(other_line(head.origin, END, str(head.size), end))
        return Moved(
            position=head.size, origin=head.origin, events=head.size, root=root,
            input_files=len(files), checkpoints=checkpoints, accounts=len(accounts),
        )  # fmt: skip


class _Counted:
    """Writes lines, and counts them."""

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self._write, self.lines = write, 0

    def __call__(self, line: bytes) -> None:
        self.lines += 1
        self._write(line)


def _require_intact(world: World, url: str, progress: _Progress) -> None:
    problems = examine(world.transaction, url, progress=progress).problems
    if problems:
        where = "" if problems[0].position is None else f"position {problems[0].position}: "
        raise IntegrityFailure(
            "not-intact",
            f"The ledger is not intact, and nothing was exported. {where}{problems[0].message}",
            "See all of it, or write what can be read",
            NextStep("verify"),
            NextStep("export-damaged", arguments={"file": None}),
        )


def export_damaged(
    url: str, write: Callable[[bytes], Any], progress: _Progress = lambda done, total: None
) -> MovedDamaged:
    """Write what can be read of a ledger, for people to read: no import takes it."""
    database = Database(url)
    try:
        with database.reading() as transaction:
            report = examine(transaction, url)
            transaction.read_broken_text(True)
            return _write_damaged(transaction, write, progress, report)
    finally:
        database.close()


def _write_damaged(
    transaction: Transaction, write: Callable[[bytes], Any], progress: _Progress, report: Report
) -> MovedDamaged:
    (last,) = transaction.run("SELECT max(position) FROM events").fetchone()
    origin, size, files, left_out, events = _readable_origin(transaction), last or 0, 0, 0, 0

    def written(line: Callable[[], bytes]) -> bool:
        nonlocal left_out
        try:
            write(line())
        except (Refusal, TypeError, ValueError, AttributeError):  # values of types that no such row has
            left_out += 1
            return False
        return True

    promised = {"events": size, "root": report.root, "checkpoints": 0, DAMAGED: len(report.problems)}
    write(other_line(origin, HEAD, str(size), promised))
    for page in log.stored_pages(transaction, 0, size, _PAGE):
        for event in page:
            events += written(partial(event_line, origin, event))
        progress(page[-1].position, size)
    for (digest,) in transaction.run("SELECT sha256 FROM input_files").fetchall():
        content = partial(input_files.fetch, transaction, digest)
        files += written(lambda: other_line(origin, FILE, digest, content()))  # noqa: B023 - called at once
    return MovedDamaged(
        position=size, origin=origin, events=events, root=report.root, input_files=files, checkpoints=0,
        damaged=len(report.problems), left_out=left_out,
    )  # fmt: skip


def _readable_origin(transaction: Transaction) -> str:
    row = transaction.run("SELECT payload FROM events WHERE position = 1").fetchone()
    try:
        return str(orjson.loads(row[0])["origin"])
    except (TypeError, ValueError, KeyError):
        return "daybook/unknown"


def _refuse_unverifiable(world: World) -> None:
    """Raises Refusal for a moment between the events of one command, whose receipt would be missing, and where a
    payload was redacted later, by an event that would be missing.
    """
    transaction, position = world.transaction, world.head.size
    event = log.read_positions(transaction, [position]).get(position)
    receipt = None if event is None else log.read_receipt(transaction, event.command_id)
    if receipt is not None and receipt[2] != position:
        raise Refusal(
            "inside-an-append",
            f"Position {position} lies inside of what one command appended: {receipt[1]} to {receipt[2]}.",
            f"Give the last of them, {receipt[2]}.",
        )
    redactions = world.state.redactions.where("event > ?", [position])
    if redactions:
        raise Refusal(
            "redacted-later",
            f"The payload of position {redactions[0].position} was redacted later, at position {redactions[0].event}: "
            "a ledger without that event would not verify.",
            f"Give position {max(row.event for row in redactions)} or a later one.",
        )


def _receipts(transaction: Transaction, page: list[StoredEvent]) -> dict[int, dict[str, Any]]:
    """The receipts of the commands that end in this page, by their last position."""
    found = {}
    commands = list(dict.fromkeys(event.command_id for event in page))
    for start in range(0, len(commands), _AT_ONCE):
        some = commands[start : start + _AT_ONCE]
        rows = transaction.run(
            "SELECT last_position, command_id, command_sha256, first_position, result FROM receipts "
            f"WHERE command_id IN ({', '.join('?' * len(some))})",
            some,
        ).fetchall()
        for last, command_id, command_sha256, first, result in rows:
            found[last] = {
                "command_id": command_id,
                "command_sha256": bytes(command_sha256).hex(),
                "first_position": first,
                "last_position": last,
                "result": result,
            }
    return found


def _checkpoints(transaction: Transaction, page: list[StoredEvent]) -> dict[int, str]:
    sql = "SELECT size, text FROM checkpoints WHERE size >= ? AND size <= ?"
    return dict(transaction.run(sql, (page[0].position, page[-1].position)).fetchall())
