"""Follow the log: every event in order, each at least once, from a position that is kept in a file.

A follower asks for what stands behind its position. Positions have no gap and come in the order of commits, so none is
missed. The position moves on when what it stands for was handled: who is killed between the two handles those events
again. Ask a ledger here or at a server; no reading stays open while somebody waits.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from ledger.errors import IntegrityFailure, LedgerUnavailable, Refusal
from ledger.small_files import read_small

if TYPE_CHECKING:
    from commands.answers.answering import Answering
    from commands.answers.log import Log
    from commands.answers.rows import EventLine

AT_ONCE = 500
"""Events of a page: so many are handled again at most where a follower was killed."""
EVERY_S = 0.5
_MARK = 16  # hexadecimal digits
_LONGEST_NUMBER = 19
LONGEST_PAUSE_S = 30.0
Passing = tuple[type[Refusal], ...]
PASSING: Passing = (LedgerUnavailable,)
"""What passes: the ledger is there again later. Who asks at a distance adds that the server is not reached."""
Told = Callable[[Refusal | None], None]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event that was handled: its position, and what tells it from another ledger's event there."""

    position: int = 0
    command_id: str = ""
    recorded_at: str = ""

    @classmethod
    def behind(cls, event: "EventLine") -> "Cursor":
        return cls(event.position, event.command_id, event.recorded_at)


def mark_of(event: "EventLine") -> str:
    """The place behind an event in one word: its position, and what tells it from another ledger's event there."""
    told = sha256(f"{event.command_id} {event.recorded_at}".encode()).hexdigest()
    return f"{event.position}-{told[:_MARK]}"


def behind_mark(ledger: "Answering", mark: str) -> int:
    """The position of a mark. A number is one without what tells it. Raises Refusal for what is no mark, and
    IntegrityFailure where this ledger has another event there, or none."""
    number, _, told = mark.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < _LONGEST_NUMBER):
        raise Refusal(
            "no-mark", "This is no place of a follower.", "Give the id of the last event, or a position."
        )
    position = int(number)
    found = list(ledger.ask("log", after=position - 1, limit=1).events) if position else []
    if position and (not found or (told and mark_of(found[0]) != mark)):
        raise _of_another(position, is_there=bool(found))
    return position


class CursorFile:
    """One follower's place. Written whole or not at all; two followers need two files."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def load(self) -> Cursor | None:
        """None where there is no file yet. Raises Refusal where it cannot be read, or is none of a follower."""
        try:
            data = read_small(self._file)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise Refusal("cursor-unreadable", f"The cursor {self._file} cannot be read: {why}.") from error
        found = None
        with suppress(ValueError, TypeError, AttributeError, KeyError):
            plain = orjson.loads(data)
            found = Cursor(plain["position"], plain["command_id"], plain["recorded_at"])
        if found is None or not (
            type(found.position) is int
            and found.position >= 0
            and isinstance(found.command_id, str)
            and isinstance(found.recorded_at, str)
        ):
            raise Refusal(
                "cursor-damaged",
                f"{self._file} is no cursor of a follower.",
                "Name another file; or remove it, and say from which position to go on.",
            )
        return found

    def save(self, cursor: Cursor) -> None:
        """On the disk when this returns. A crash before leaves the cursor of before: its events are handled again."""
        aside = self._file.with_name(f".{self._file.name}.{os.urandom(4).hex()}")
        text = orjson.dumps(
            {
                "position": cursor.position,
                "command_id": cursor.command_id,
                "recorded_at": cursor.recorded_at,
            }
        )
        try:
            try:
                with aside.open("xb") as stream:
                    stream.write(text + b"\n")
                    stream.flush()
                    os.fsync(stream.fileno())
                aside.replace(self._file)
            finally:
                aside.unlink(missing_ok=True)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise Refusal(
                "cursor-not-kept",
                f"The cursor {self._file} cannot be written: {why}.",
                "What was handled since will come again.",
            ) from error


def pages(ledger: "Answering", cursor: Cursor, *, at_once: int = AT_ONCE) -> "Iterator[list[EventLine]]":
    """What stands behind a position, page by page, to the end of the log as it is then. Raises IntegrityFailure where
    the ledger is not the one that the cursor was kept of: another one, or an older copy of it."""
    _require_same(ledger, cursor)
    after = cursor.position
    while True:
        found: Log = ledger.ask("log", after=after, limit=at_once)
        page = list(found.events)
        if not page:
            return
        yield page
        after = page[-1].position
        if found.newer is None:
            return


def follow(
    ledger: "Answering", file: CursorFile | None = None, *, after: int = 0, ends: bool = False,
    pause: Callable[[float], None] = time.sleep, tell: Told = lambda what: None, passing: Passing = PASSING,
) -> "Iterator[EventLine]":  # fmt: skip
    """Every event behind the cursor in ``file``, or behind ``after`` where there is none yet; then those that come,
    until the caller stops, or with ``ends`` to the end of the log. An event counts as handled when the next one is
    asked for.
    A ledger that cannot be reached (``passing``) is tried again: ``tell`` is called with why, and with None when it is
    back.
    """
    for page in follow_pages(ledger, file, after=after, ends=ends, pause=pause, tell=tell, passing=passing):
        for number, event in enumerate(page):
            yield event
            if file is not None and number < len(page) - 1:
                file.save(Cursor.behind(event))


def follow_pages(
    ledger: "Answering", file: CursorFile | None = None, *, after: int = 0, ends: bool = False,
    pause: Callable[[float], None] = time.sleep, tell: Told = lambda what: None, passing: Passing = PASSING,
    at_once: int = AT_ONCE,
) -> "Iterator[list[EventLine]]":  # fmt: skip
    """As ``follow``, a page at a time: a page counts as handled when the next one is asked for."""
    cursor = (file.load() if file is not None else None) or Cursor(after)
    failures = 0
    while True:
        try:
            for page in pages(ledger, cursor, at_once=at_once):
                if failures:
                    failures = 0
                    tell(None)
                yield page
                cursor = Cursor.behind(page[-1])
                if file is not None:
                    file.save(cursor)
            if failures:
                tell(None)
            failures = 0
        except passing as why:
            if ends:
                raise
            failures += 1
            tell(why)
        if ends:
            return
        pause(min(EVERY_S * 2**failures, LONGEST_PAUSE_S))


def _require_same(ledger: "Answering", cursor: Cursor) -> None:
    if not cursor.command_id:
        return
    found = list(ledger.ask("log", after=cursor.position - 1, limit=1).events)
    if not found or Cursor.behind(found[0]) != cursor:
        raise _of_another(cursor.position, is_there=bool(found))


def _of_another(position: int, *, is_there: bool) -> IntegrityFailure:
    what = "is another one" if is_there else "is not there"
    return IntegrityFailure(
        "cursor-of-another-ledger",
        f"Event {position:,}, which was handled last, {what}: this is another ledger, or an older copy of it.",
        "See which ledger this is. To follow it, begin anew.",
    )
