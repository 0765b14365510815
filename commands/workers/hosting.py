"""What this host can take: the folders that it was given, of shares that answer, and so many at once of each share.

A share that is slow or hangs holds no more than its part of the places; one that hung rests a while.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from commands.intake.looks import DEPTH, share_of
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise, split
from commands.recordings.search import is_mounted
from commands.workers.hearing import note
from ledger.errors import Refusal

_ASKED_EVERY_S = 10.0
_ANSWERS_WITHIN_S = 5.0
_REST_S = (30.0, 1800.0)  # the first, and the longest


class Host:
    """Threads share it. ``most`` is how many jobs of one share may be under way at once."""

    def __init__(self, roots: Roots, folders: Sequence[str], *, most: int) -> None:
        self._roots, self._most = roots, most
        self.folders = [_checked(folder, roots) for folder in folders]
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._rests: dict[str, tuple[float, float]] = {}
        self._answers: dict[str, tuple[float, bool]] = {}
        self._asked: dict[str, float] = {}

    def takeable(self, folders: Iterable[str]) -> list[str]:
        """Which of these folders work may be taken of now."""
        return [folder for folder in folders if self._takes(folder)]

    def begin(self, folder: str) -> None:
        with self._lock:
            self._busy[share_of(folder, self._roots)] += 1

    def end(self, folder: str) -> None:
        with self._lock:
            self._busy[share_of(folder, self._roots)] -= 1

    def hung(self, folder: str) -> float:
        """It rests, longer each time. Returns how many seconds."""
        with self._lock:
            _, before = self._rests.get(folder, (0.0, 0.0))
            rest = min(max(2 * before, _REST_S[0]), _REST_S[1])
            self._rests[folder] = (time.monotonic() + rest, rest)
            return rest

    def answered(self, folder: str) -> None:
        with self._lock:
            self._rests.pop(folder, None)

    def reached(self) -> list[str]:
        """The shares that answer."""
        return [prefix for prefix in self._roots.directories if self._is_mounted(prefix)]

    def _takes(self, folder: str) -> bool:
        if folder in ("", "/") and not self.folders:  # what no folder is read for
            return True
        if self.folders and not any(folder == own or folder.startswith(f"{own}/") for own in self.folders):
            return False
        share = share_of(folder, self._roots)
        with self._lock:
            rests_until, _ = self._rests.get(folder, (0.0, 0.0))
            if self._busy[share] >= self._most or time.monotonic() < rests_until:
                return False
        return share in self._roots.directories and self._is_mounted(share)

    def _is_mounted(self, share: str) -> bool:
        """By the last answer, which a thread asks for now and then. A share that hangs holds one thread."""
        now = time.monotonic()
        with self._lock:
            answered_at, mounted = self._answers.get(share, (0.0, False))
            asked_at = self._asked.get(share)
            if asked_at is None and now - answered_at > (_ASKED_EVERY_S if mounted else 1.0):
                self._asked[share] = asked_at = now
                threading.Thread(target=self._ask, args=(share,), daemon=True).start()
        return mounted and (asked_at is None or now - asked_at < _ANSWERS_WITHIN_S)

    def _ask(self, share: str) -> None:
        try:
            mounted = is_mounted(share, self._roots)
        except Exception as error:  # noqa: BLE001 - a share of which nothing is known is not there, and is asked again
            mounted = False
            note(error, "work: a share")
        with self._lock:
            self._answers[share] = (time.monotonic(), mounted)
            self._asked.pop(share, None)


def _checked(folder: str, roots: Roots) -> str:
    """Raises Refusal for a folder that is in no root, and for one that is finer than work is handed out by."""
    try:
        own = normalise(folder, roots).rstrip("/")
        _, names = split(folder, roots)
    except LocationError as problem:
        raise Refusal(
            "no-such-folder", f"No work can be taken of {folder}: {problem}", "Name a folder of a root."
        ) from None
    if len(names) > DEPTH:
        raise Refusal(
            "folder-too-deep",
            f"Work is handed out by folders of {DEPTH} names below a root at most, and {folder} has {len(names)}.",
            "Name the folder above it.",
        )
    return own
