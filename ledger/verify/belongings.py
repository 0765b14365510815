"""What belongs to the log: its first and its last event, streams, times, receipts, input files, and what redactions
removed.
"""

from hashlib import sha256

import orjson

from ledger import signing_keys
from ledger.bodies import SCHEMAS, UPCASTS
from ledger.database import Transaction
from ledger.gaps import Gaps
from ledger.plurals import plural
from ledger.verify.report import ReadLog, plain

_PAGE = 10_000
_RECEIPTS = (
    "SELECT r.command_id, r.first_position, r.last_position, r.command_sha256, r.result, f.command_id, l.command_id "
    "FROM receipts r LEFT JOIN events f ON f.position = r.first_position "
    "LEFT JOIN events l ON l.position = r.last_position ORDER BY r.first_position"
)


def check_ends(transaction: Transaction, log: ReadLog) -> tuple[signing_keys.PublicKey | None, str]:
    """The head row agrees with the first event and with the last one. Returns the ledger's key and name from the
    first, as far as that can be read."""
    rows = transaction.run(
        "SELECT position, type, recorded_at, payload FROM events WHERE position IN (1, ?) ORDER BY position",
        (log.size,),
    ).fetchall()
    if rows and rows[-1][0] == log.size and rows[-1][2] != log.recorded_at:
        text = f"The head row says that event {log.size} was recorded at {log.recorded_at}, the event {rows[-1][2]}."
        log.problem("head-mismatch", log.size, text)
    if not rows or rows[0][0] != 1:
        return None, log.origin  # an empty ledger, or the missing event is reported already
    try:
        created = orjson.loads(rows[0][3])
        stated, key = created["origin"], signing_keys.parse_public_key(created["public_key"])
    except (ValueError, KeyError, TypeError):  # CheckpointError and JSONDecodeError are ValueErrors
        log.problem("no-key", 1, "Event 1 does not say which key signs the checkpoints.")
        return None, log.origin
    if stated != log.origin:
        text = f'The head row calls the ledger "{log.origin}", its first event "{stated}".'
        log.problem("origin-changed", 1, text)
    return key, stated


def check_extent(transaction: Transaction, log: ReadLog) -> None:
    for condition, value in (("position < ?", 1), ("position > ?", log.size)):
        (extra,) = transaction.run(f"SELECT min(position) FROM events WHERE {condition}", (value,)).fetchone()
        if extra is not None:
            text = f"There is an event at position {extra}, outside of the head's {log.size}."
            log.problem("beyond-head", extra, text)
            return


def check_streams(transaction: Transaction, log: ReadLog) -> None:
    streams = transaction.run(
        "SELECT stream, count(*), max(stream_version) FROM events "
        "GROUP BY stream HAVING count(*) <> max(stream_version) OR min(stream_version) <> 1"
    ).fetchall()
    for stream, count, highest in streams:
        try:
            rows = transaction.run(
                "SELECT position, stream_version FROM events WHERE stream = ? ORDER BY stream_version",
                (stream,),
            ).fetchall()
        except UnicodeEncodeError:
            continue  # a name that is not UTF-8: that is said of its event
        position = next((at for number, (at, version) in enumerate(rows, start=1) if version != number), None)
        log.problem(
            "stream-gap", position, f"{stream} has {plural(count, 'event')}, but versions up to {highest}."
        )


def check_kinds(log: ReadLog) -> None:
    """This version can read every event."""
    first: dict[tuple[str, int], int] = {}
    for chunk in log.chunks:
        first = chunk.kinds | first
    for (kind, schema), position in first.items():
        newest = SCHEMAS.get(kind, 0)
        if schema != newest and (kind, schema) not in UPCASTS:
            text = (
                f"Event {position} is {kind!r} version {schema}, which this version of Daybook cannot read: a newer "
                "one wrote it, or it was forged."
            )
            log.problem("event-unknown", position, text)


def check_times(log: ReadLog) -> None:
    """Times never decrease along the log, from one chunk to the next either."""
    before = ""
    for chunk in log.chunks:
        first, last = chunk.times
        if first and first < before:
            text = f"Event {chunk.after + 1} was recorded before the one before it."
            log.problem("time-wrong", chunk.after + 1, text)
        before = max(before, last)
    log.report.latest = before


def check_removals(transaction: Transaction, log: ReadLog) -> None:
    """Every file that was received is there with the bytes that its name says, and what is gone was redacted."""
    present = set()
    for (digest,) in transaction.run("SELECT sha256 FROM input_files").fetchall():
        try:  # one at a time: memory may not hold all of them
            row = transaction.run("SELECT content FROM input_files WHERE sha256 = ?", (digest,)).fetchone()
        except UnicodeEncodeError:
            row = None
        content = None if row is None else plain(row[0])
        if isinstance(content, bytes) and sha256(content).hexdigest() == digest:
            present.add(digest)
        else:
            log.problem("file-changed", None, f"The bytes of input file {digest} were changed.")
    blank = [position for chunk in log.chunks for position in chunk.blank]
    received = [each for chunk in log.chunks for each in chunk.received]
    noted = [event for chunk in log.chunks for event in chunk.noted]
    log.take(Gaps(blank, received, noted, is_cut=log.is_cut).problems(present))


def check_receipts(transaction: Transaction, log: ReadLog) -> None:
    """Every event belongs to one receipt: without it, the same command could be carried out twice."""
    expected = 1
    for page in transaction.stream(_RECEIPTS, _PAGE):
        for command, first, last, digest, result, at_first, at_last in page:
            if type(first) is not int or type(last) is not int:  # a text, or nothing, that SQLite kept
                log.problem(
                    "receipt-wrong", None, f"The receipt of command {command} does not name its events."
                )
            elif not at_first == at_last == command or first < expected or last < first:
                text = (
                    f"The receipt of command {command} names events {first} to {last}, which are not its own."
                )
                log.problem("receipt-wrong", log.first(first, last), text)
            else:
                if first > expected:
                    _no_receipt(log, expected, first - 1)
                if not _is_answer(plain(digest), result):
                    text = f"The receipt of command {command} does not hold an answer and the hash of its command."
                    log.problem("receipt-wrong", first, text)
                expected = last + 1
    if expected <= log.size:
        _no_receipt(log, expected, log.size)


def _is_answer(digest: object, result: object) -> bool:
    """Whether it is the receipt that was given cannot be told: it stands nowhere else."""
    try:
        answered = isinstance(result, str) and isinstance(orjson.loads(result), dict)
    except ValueError:
        answered = False
    return answered and isinstance(digest, bytes)


def _no_receipt(log: ReadLog, first: int, last: int) -> None:
    log.problem("receipt-missing", log.first(first, last), f"No receipt names the events {first} to {last}.")
