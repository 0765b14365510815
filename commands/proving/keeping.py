"""Checkpoints that are made without being asked for, and kept where the settings say: in a folder or a repository.

A ledger that lost its newest events still holds together: only a checkpoint elsewhere shows the loss. So the command
that reaches the bound signs what there is. Before that it checks that the ledger continues what was kept last: a
past that was cut off or rewritten is reported at once, and never signed over.
"""

import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from commands.door.settings import Checkpoints
from commands.door.submit import Daybook
from commands.proving.checkpoints import make_checkpoint
from ledger import log
from ledger.checkpoint import parse
from ledger.database import Transaction
from ledger.errors import IntegrityFailure, NextStep, Refusal
from ledger.plurals import plural
from ledger.proofs import StoredTree
from ledger.signing_keys import CheckpointError
from ledger.small_files import read_small

_LONGEST_GIT_S = 30
_SIZE_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint in a file."""

    file: Path
    size: int

    def text(self) -> str:
        try:
            return read_small(self.file).decode()
        except (OSError, ValueError) as error:
            raise _unreadable(self.file, error) from error


def newest_kept(settings: Checkpoints, origin: str) -> Kept | None:
    """The largest checkpoint of this ledger there. Raises Refusal where the place cannot be read."""
    wanted = re.compile(re.escape(_name(origin)) + r"-([0-9]{1,18})\.txt")
    try:
        names = [path.name for path in settings.folder.iterdir()]
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(settings.folder, error) from error
    found = [(int(match[1]), name) for name in names if (match := wanted.fullmatch(name))]
    return Kept(settings.folder / max(found)[1], max(found)[0]) if found else None


def is_due(settings: Checkpoints, size: int, kept: Kept | None, *, at_work: bool) -> bool:
    behind = size - (kept.size if kept is not None else 0)
    if settings.every is None:
        return at_work and behind > 0
    return behind >= settings.every


def keep_checkpoint(
    daybook: Daybook, settings: Checkpoints, key: Path, *, at_work: bool = False
) -> Kept | None:
    """Sign and keep what there is, if it is time; None where it is not, or where the key is missing. Raises Refusal,
    and IntegrityFailure where the ledger does not continue what was kept.
    """
    with daybook.database.reading() as transaction:
        head = log.read_head(transaction)
        last = newest_kept(settings, head.origin)
        if last is not None:
            require_continued(transaction, head, last)
    if not is_due(settings, head.size, last, at_work=at_work) or not key.exists():
        return None
    text = make_checkpoint(daybook, key)
    size = parse(text).checkpoint.size
    file = settings.folder / f"{_name(head.origin)}-{size:0{_SIZE_DIGITS}d}.txt"
    _write(file, text)
    if settings.commits:
        _commit(settings.folder, _name(head.origin), size)
    return Kept(file, size)


def require_continued(transaction: Transaction, head: log.Head, last: Kept) -> None:
    """Raises IntegrityFailure where the log does not begin with what this checkpoint signed."""
    try:
        signed = parse(last.text()).checkpoint
    except CheckpointError as error:
        raise _unreadable(last.file, error) from error
    if signed.size > head.size:
        raise IntegrityFailure(
            "events-missing",
            f"The events {head.size + 1:,} to {signed.size:,} are gone: {last.file} signed them.",
            "Do not write on. See what is there, and look for a backup, or for a write-ahead log that was moved",
            NextStep("verify", arguments={"checkpoint": str(last.file)}),
        )
    if StoredTree(transaction).compact_range(signed.size).root() != signed.root:
        raise IntegrityFailure(
            "past-rewritten",
            f"The first {plural(signed.size, 'event')} are not those that {last.file} signed.",
            "See which",
            NextStep("verify", arguments={"checkpoint": str(last.file)}),
        )


def _name(origin: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", origin)


def _write(file: Path, text: str) -> None:
    """The whole file or none of it, and never over another."""
    temporary = file.with_name(f".{file.name}.{os.urandom(4).hex()}")
    try:
        file.parent.mkdir(exist_ok=True)
        try:
            with temporary.open("x", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            if file.exists():
                raise FileExistsError
            temporary.rename(file)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        with suppress(OSError, ValueError):
            if read_small(file).decode() == text:
                return
        raise IntegrityFailure(
            "checkpoint-contradicts",
            f"{file} is another checkpoint of as many events.",
            "Keep both: they may prove that the past was rewritten.",
        ) from None
    except (OSError, ValueError) as error:
        raise Refusal(
            "checkpoint-not-kept",
            f"The checkpoint cannot be written to {file}: {getattr(error, 'strerror', None) or error}.",
            "Make the folder writable, or name another one in the settings.",
        ) from error


def _commit(repository: Path, name: str, size: int) -> None:
    """Includes what could not be committed before."""
    ours = f"{name}-*.txt"
    for arguments in (
        ["add", "--", ours],
        ["commit", "-q", "-m", f"checkpoint of {plural(size, 'event')}", "--", ours],
    ):
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and nothing that a ledger holds but its own name
                ["git", "-C", str(repository), *arguments],  # noqa: S607 - the one that its owner uses
                capture_output=True,
                timeout=_LONGEST_GIT_S,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"GIT_TERMINAL_PROMPT": "0"},
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _not_committed(repository, str(error)) from error
        if done.returncode:
            lines = (done.stderr or done.stdout).decode("utf-8", "replace").split("\n")
            raise _not_committed(repository, next((line for line in lines if line.strip()), "git failed"))


def _not_committed(repository: Path, why: str) -> Refusal:
    return Refusal(
        "checkpoint-not-committed",
        f"The checkpoint was written to {repository}, and not committed: {why[:200].rstrip('.')}.",
        "Commit it, or see that git can: the next one goes with it.",
    )


def _unreadable(place: Path, error: Exception) -> Refusal:
    return Refusal(
        "checkpoints-unreadable",
        f"The checkpoints that were kept cannot be read: {place}: {getattr(error, 'strerror', None) or error}.",
        "Make the folder readable, or name another one in the settings.",
    )
