"""Check an archive: every file against its companion, its rows against the tree, the tree against what was signed.

Without a ledger it says whether the files are what a ledger signed. With the ledger it also says what was redacted
there and is still in a file, and whose key it was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from commands.analysis.creating import redacted_in
from commands.analysis.engine import Engine, EngineError, require_engine
from commands.analysis.ranges import (
    COLUMNS,
    Companion,
    Hashed,
    NoCompanion,
    Range,
    digest_of,
    ranges_in,
    read_companion,
    require_path,
    rows_of,
)
from commands.door.submit import Daybook
from commands.door.world import Result, World
from commands.proving.checkpoints import ledger_key
from ledger import checkpoint, signing_keys
from ledger.envelope import stored_events
from ledger.errors import Refusal
from ledger.proofs import StoredTree
from ledger.signing_keys import public_key_text

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveProblem:
    """``code``: missing, changed, not-as-signed, other-ledger, or still-there: what was redacted in the ledger."""

    code: str
    file: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveChecked(Result):
    """``position`` is the last that a file holds. ``ledger`` is the one that it was compared with, if there was one: an
    archive of another is checked by itself. ``public_key`` and ``fingerprint`` are those of the key that signed, as the
    archive has them. Where there are no problems, ``ok``."""

    folder: str
    origin: str
    files: int
    events: int
    redacted: int
    ledger: str | None
    compared: bool
    public_key: str
    fingerprint: str
    problems: list[ArchiveProblem]


def check_archive(
    folder: Path, daybook: Daybook | None, progress: Progress = lambda done, total: None
) -> ArchiveChecked:
    """Raises Refusal where there is no archive."""
    require_engine()
    ranges = ranges_in(folder)
    if not ranges:
        raise Refusal("no-archive", f"There is no archive in {folder}.", "Name another folder.")
    problems = list(_gaps(ranges))
    sound: list[Companion] = []
    for of in ranges:
        try:
            sound.append(_checked(folder, of, sound))
        except _Unsound as unsound:
            problems.append(ArchiveProblem(code=unsound.code, file=of.name, message=str(unsound)))
        progress(of.last, ranges[-1].last)
    origin, key = (sound[0].origin, sound[0].public_key) if sound else ("", "")
    ledger = None
    if daybook is not None:
        with daybook.reading() as world:
            ledger = world.head.origin
            if ledger == origin:
                problems += [problem for companion in sound for problem in _compared(world, companion)]
    return ArchiveChecked(
        ok=not problems, position=ranges[-1].last, folder=str(folder), origin=origin, files=len(ranges),
        events=sum(of.events for of in ranges), redacted=sum(len(each.redacted) for each in sound), ledger=ledger,
        compared=ledger is not None and ledger == origin, public_key=key,
        fingerprint=sha256(signing_keys.parse_public_key(key).key).hexdigest() if key else "", problems=problems,
    )  # fmt: skip


class _Unsound(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _gaps(ranges: Sequence[Range]) -> Iterator[ArchiveProblem]:
    last = 0
    for of in ranges:
        if of.first > last + 1:
            text = f"The events {last + 1} to {of.first - 1} are in no file."
            yield ArchiveProblem(code="missing", file=of.name, message=text)
        elif of.first <= last:
            yield ArchiveProblem(code="changed", file=of.name, message="Another file holds the same events.")
        last = max(last, of.last)


def _checked(folder: Path, of: Range, before: Sequence[Companion]) -> Companion:
    """The companion of a file that is as it was written. Raises _Unsound."""
    try:
        companion = read_companion(folder, of)
        found = digest_of(of.file(folder))
    except NoCompanion as refusal:
        raise _Unsound("changed" if of.companion(folder).exists() else "missing", refusal.message) from None
    except OSError as error:
        raise _Unsound("missing", f"{of.file(folder).name} cannot be read: {error.strerror}.") from None
    if found != (companion.sha256, companion.bytes):
        raise _Unsound(
            "changed", f"{of.file(folder).name} is not the file that was written: its sha256 is another."
        )
    if before and (companion.origin, companion.public_key) != (before[0].origin, before[0].public_key):
        raise _Unsound(
            "other-ledger", f"It is of the ledger {companion.origin}, the others of {before[0].origin}."
        )
    try:
        _require_signed(companion)
        _require_rows(folder, companion)
    except EngineError as error:
        raise _Unsound("changed", f"It cannot be read: {error.message.splitlines()[0]}") from None
    except ValueError as error:
        raise _Unsound(
            "not-as-signed", f"It does not hold what was signed: {str(error).rstrip('.')}."
        ) from None
    return companion


def _require_signed(companion: Companion) -> None:
    """Raises ValueError (CheckpointError, ProofError)."""
    key = signing_keys.parse_public_key(companion.public_key)
    signed = checkpoint.verify(companion.checkpoint, [key], origin=companion.origin)
    root = bytes.fromhex(companion.root)
    require_path(companion.range, root=root, path=companion.path, size=signed.size, under=signed.root)


def _require_rows(folder: Path, companion: Companion) -> None:
    """Raises ValueError, EngineError."""
    of, hashed, file = companion.range, Hashed(), companion.range.file(folder)
    with Engine(reads=[file]) as engine:
        for rows in rows_of(engine, file):
            if any(
                value is None
                for row in rows
                for value, name in zip(row, COLUMNS, strict=True)
                if name != "payload"
            ):
                raise ValueError("a value is missing")
            events = stored_events([row[:-1] for row in rows])
            leaves = hashed.take(events)
            for at, (event, leaf, row) in enumerate(zip(events, leaves, rows, strict=True)):
                if event.position != of.first + hashed.events - len(events) + at or leaf != row[-1]:
                    raise ValueError(f"event {event.position} is not the one that was written")
    if hashed.events != of.events or hashed.root().hex() != companion.root:
        raise ValueError("its rows have another root")
    if tuple(hashed.redacted) != companion.redacted:
        raise ValueError("payloads are missing, or there, that should not be")


def _compared(world: World, companion: Companion) -> Iterator[ArchiveProblem]:
    """With the ledger that it is of."""
    of, transaction = companion.range, world.transaction

    def problem(code: str, message: str) -> ArchiveProblem:
        return ArchiveProblem(code=code, file=of.name, message=message)

    if public_key_text(ledger_key(transaction)) != companion.public_key:
        yield problem("other-ledger", "It was signed by a key that is not the ledger's.")
    elif of.last > world.head.size or StoredTree(transaction)(of.height, of.index).hex() != companion.root:
        yield problem(
            "not-as-signed",
            "The ledger holds other events there: one of the two was changed. Verify the ledger.",
        )
    else:
        gone, kept = set(redacted_in(world, of)), set(companion.redacted)
        for position in sorted(gone - kept):
            yield problem("still-there", f"It holds the payload of event {position}, which was redacted.")
        for position in sorted(kept - gone):
            yield problem(
                "changed", f"The payload of event {position} is missing in it, and nobody redacted that."
            )
