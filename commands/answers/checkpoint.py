"""The newest checkpoint that was signed, and how far the ledger has gone since. Reads the ledger; signs nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointState:
    """``checkpoint`` is the signed text, ``size`` how many events it covers, ``root`` what they hash to; null where
    nothing was signed yet. ``since`` counts the events behind it."""

    position: int
    origin: str
    size: int | None
    root: str | None
    checkpoint: str | None
    since: int


def checkpoint_state(world: "World") -> CheckpointState:
    from ledger.checkpoint import parse

    row = world.transaction.run(
        "SELECT text FROM checkpoints WHERE size <= ? ORDER BY size DESC LIMIT 1", (world.head.size,)
    ).fetchone()
    signed = None if row is None else parse(row[0]).checkpoint
    return CheckpointState(
        position=world.head.size,
        origin=world.head.origin,
        size=None if signed is None else signed.size,
        root=None if signed is None else signed.root.hex(),
        checkpoint=None if row is None else row[0],
        since=world.head.size - (0 if signed is None else signed.size),
    )
