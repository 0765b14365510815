"""A folder that input files are put into: each that is complete is uploaded, once, and moved aside with what was found.

A file that is taken up is first moved into a folder of its own, whose name is the id of its command. Whoever finds it
there, after a kill, sends the same command again: the ledger answers as the first time. The only module that moves
files of users.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from commands.door.alone import lock
from commands.door.incidents import record
from ledger.errors import NO_ROOM, LedgerUnavailable, Refusal

DONE, REJECTED, OWN = "done", "rejected", ".daybook"
UNCHANGED_S = 10.0
ENDINGS = (".yml", ".yaml", ".json")
_LOOK_EVERY_S = 0.5
_AGAIN_S = (1.0, 60.0)
_LONGEST_NAME = 200  # characters; the rest of what a name may have is for ours

Signature = tuple[int, int, int]
rename = os.rename
"""The one step by which a file gets from one state to the next."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: it is put into ``done`` or ``rejected``, with this ``text`` beside it."""

    where: Literal["done", "rejected"]
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A file was ``moved``, or ``stays`` where it is, as it cannot be read or moved; or the ledger is ``lost``, for the
    time being, and ``found`` again."""

    what: Literal["moved", "stays", "lost", "found"]
    file: str = ""
    outcome: Outcome | None = None
    message: str = ""


Take = Callable[[Path, str], Outcome]
"""Uploads a file under a command id. Raises LedgerUnavailable where it may be tried again."""


class Dropped:
    """The folder. One program watches it at a time: the others are refused."""

    def __init__(
        self, folder: Path, take: Take, tell: Callable[[Told], None], *, unchanged_s: float = UNCHANGED_S
    ) -> None:
        self._folder, self._take, self._tell, self._unchanged_s = folder, take, tell, unchanged_s
        self._own = folder / OWN
        self._seen: dict[str, tuple[Signature, float]] = {}
        self._before_renaming: set[Signature] = set()
        self._stays: dict[str, str] = {}
        self._lock = -1

    def __enter__(self) -> "Dropped":
        try:
            for each in (self._own, self._folder / DONE, self._folder / REJECTED):
                each.mkdir(exist_ok=True)
            self._lock = os.open(self._own / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            lock(self._lock)
        except BlockingIOError:
            os.close(self._lock)
            raise Refusal(
                "watched-already", f"Another program watches {self._folder}.", "End that one first."
            ) from None
        except OSError as error:
            raise Refusal(
                "no-drop-folder",
                f"{self._folder} cannot be watched: {error.strerror}.",
                "Give a folder that you can read and write.",
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def watch(self, stopping: Callable[[float], bool]) -> None:
        """Until ``stopping``, which is called with seconds to wait. Raises Refusal where nothing can be uploaded."""
        again = _AGAIN_S[0]
        while True:
            try:
                self.look()
            except LedgerUnavailable as unavailable:
                if again == _AGAIN_S[0]:
                    self._tell(Told("lost", message=unavailable.message))
                if stopping(again):
                    return
                again = min(2 * again, _AGAIN_S[1])
                continue
            if again > _AGAIN_S[0]:
                self._tell(Told("found"))
            again = _AGAIN_S[0]
            if stopping(_LOOK_EVERY_S):
                return

    def look(self) -> None:
        """Finish what was taken up, then take up what is complete by now."""
        for claim in sorted(self._own.iterdir()):
            if claim.is_dir():
                with self._alone(f"{OWN}/{claim.name}"):
                    self._go_on(claim)
        for name in self._complete():
            taken_up = None
            with self._alone(name):
                taken_up = self._claimed(name)
            if taken_up is not None:
                with self._alone(f"{OWN}/{taken_up.name}"):
                    self._go_on(taken_up)

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """A file that cannot be read, or moved, is told of once and tried again; the others go on. Raises
        LedgerUnavailable where the disk is full, as then nothing can be put anywhere."""
        try:
            yield
        except OSError as error:
            if error.errno in NO_ROOM:
                raise LedgerUnavailable(
                    "disk-full", f"The disk of {self._folder} is full.", "Free some space."
                ) from error
            why = error.strerror or type(error).__name__
            if self._stays.get(name) != why:
                self._tell(Told("stays", name, message=why))
            self._stays[name] = why
        else:
            self._stays.pop(name, None)

    # --- which files ------------------------------------------------------------------------------------------------

    def _complete(self) -> list[str]:
        """Those that were renamed into place, or have not changed for a while."""
        now, found, complete = time.monotonic(), {}, []
        hidden = set()
        for entry in sorted(os.scandir(self._folder), key=lambda each: each.name):
            with suppress(OSError):  # it was moved away meanwhile
                if not entry.is_file(follow_symlinks=False):
                    continue
                signature = _signature(entry.stat(follow_symlinks=False))
                if not _is_input_file(entry.name):
                    hidden.add(signature)
                    continue
                before, since = self._seen.get(entry.name, (None, now))
                since = since if before == signature else now
                found[entry.name] = (signature, since)
                if now - since >= self._unchanged_s or signature in self._before_renaming:
                    complete.append(entry.name)
        self._seen, self._before_renaming = found, hidden
        return complete

    def _claimed(self, name: str) -> Path | None:
        """The folder of its own that a file was moved to; None where it is gone, or changes after all."""
        file = self._folder / name
        try:
            digest = _digest(name, file.read_bytes())
            claim = self._own / f"{digest}-{os.urandom(4).hex()}"
            claim.mkdir()
            rename(file, claim / name)
        except FileNotFoundError:
            return None
        self._seen.pop(name, None)
        return claim

    # --- what becomes of them ---------------------------------------------------------------------------------------

    def _go_on(self, claim: Path) -> None:
        files = [each for each in claim.iterdir() if each.is_file()]
        if not files:  # killed before it was moved here, or after it was moved on
            claim.rmdir()
            return
        [file] = files
        if not claim.name.startswith(_digest(file.name, file.read_bytes())):
            rename(file, self._folder / file.name)  # somebody writes to it still
            claim.rmdir()
            return
        outcome = self._taken(file, f"drop-{claim.name}")
        target = self._folder / outcome.where / self._name_in(self._folder / outcome.where, file.name, claim)
        beside = target.with_name(f"{target.name}.findings.txt")
        aside = self._own / f"{claim.name}.txt"
        aside.write_text(outcome.text, encoding="utf-8", errors="backslashreplace")
        rename(aside, beside)
        rename(file, target)
        claim.rmdir()
        self._tell(Told("moved", str(target.relative_to(self._folder)), outcome))

    def _taken(self, file: Path, command_id: str) -> Outcome:
        try:
            return self._take(file, command_id)
        except Refusal:
            raise
        except Exception as fault:  # it would stop this file, and all behind it, for ever
            if isinstance(fault, OSError) and fault.errno in NO_ROOM:
                raise
            incident, _ = record(fault, verb="watch: a file", beside=None)
            said = f"This is a fault of daybook itself, not of the file (incident {incident})."
            hint = "Report it under this number. When it is mended, put the file here again."
            return Outcome("rejected", f"{file.name}: error: {said} {hint} [incident]\n")

    def _name_in(self, folder: Path, name: str, claim: Path) -> str:
        if not (folder / name).exists():
            return name
        path = Path(name)
        return f"{path.stem}.{claim.name.rpartition('-')[2]}{path.suffix}"


def _is_input_file(name: str) -> bool:
    lower = name.lower()
    return not name.startswith(".") and lower.endswith(ENDINGS) and len(name) <= _LONGEST_NAME


def _signature(status: os.stat_result) -> Signature:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _digest(name: str, content: bytes) -> str:
    return sha256(os.fsencode(name) + b"\0" + content).hexdigest()[:32]
