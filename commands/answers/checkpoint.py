"""The newest checkpoint that was signed, and how far the ledger has gone since. Reads the ledger; signs nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands.door.settings import Checkpoints
    from commands.door.world import World
    from commands.proving.keeping import Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCheckpoint:
    """A ``file`` with a checkpoint of ``size`` events. The last of them was recorded at ``signed_until`` (UTC), null
    where the ledger no longer has it. ``since`` counts the events after it: below 0, that many are gone.
    """

    file: str
    size: int
    signed_until: str | None
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointState:
    """``checkpoint`` is the signed text, ``size`` how many events it covers, ``root`` what they hash to; null where
    nothing was signed yet. ``since`` counts the events behind it, and ``signed_until`` is when the last one before them
    was recorded (UTC). ``kept`` is the newest one that was kept by itself, where the settings say so; ``due``: there
    should be another by now."""

    position: int
    origin: str
    size: int | None
    root: str | None
    checkpoint: str | None
    since: int
    signed_until: str | None
    kept: KeptCheckpoint | None
    due: bool


def checkpoint_state(world: "World", settings: "Checkpoints | None" = None) -> CheckpointState:
    """``settings`` say where checkpoints are kept by themselves. Raises Refusal where that place cannot be read."""
    from commands.proving.keeping import is_due, newest_kept
    from ledger.checkpoint import parse

    row = world.transaction.run(
        "SELECT text FROM checkpoints WHERE size <= ? ORDER BY size DESC LIMIT 1", (world.head.size,)
    ).fetchone()
    signed = None if row is None else parse(row[0]).checkpoint
    kept = None if settings is None else newest_kept(settings, world.head.origin)
    return CheckpointState(
        position=world.head.size,
        origin=world.head.origin,
        size=None if signed is None else signed.size,
        root=None if signed is None else signed.root.hex(),
        checkpoint=None if row is None else row[0],
        since=world.head.size - (0 if signed is None else signed.size),
        signed_until=None if signed is None else _recorded_at(world, signed.size),
        kept=None if kept is None else _kept(world, kept),
        due=settings is not None and is_due(settings, world.head.size, kept, at_work=True),
    )


def kept_checkpoint(world: "World", settings: "Checkpoints") -> KeptCheckpoint | None:
    """The newest one that was kept by itself."""
    from commands.proving.keeping import newest_kept

    kept = newest_kept(settings, world.head.origin)
    return None if kept is None else _kept(world, kept)


def _kept(world: "World", kept: "Kept") -> KeptCheckpoint:
    return KeptCheckpoint(
        file=str(kept.file),
        size=kept.size,
        signed_until=_recorded_at(world, kept.size),
        since=world.head.size - kept.size,
    )


def _recorded_at(world: "World", position: int) -> str | None:
    from ledger.moments import recorded_at

    return recorded_at(world.transaction, position) if 0 < position <= world.head.size else None
