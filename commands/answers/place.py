"""Where in the log an answer stands: whose log, until when, and how far it is signed. Reads; appends nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.moments import recorded_at

if TYPE_CHECKING:
    from ledger.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """``at`` is when the event at ``position`` was recorded (UTC), null for position 0; ``size`` is where the log ends
    now; ``signed`` how many events its newest checkpoint covers, null where nothing was signed."""

    origin: str
    position: int
    at: str | None
    size: int
    signed: int | None


def place(transaction: "Transaction", position: int) -> Place:
    origin, size = transaction.run("SELECT origin, size FROM head").fetchone()
    (signed,) = transaction.run("SELECT max(size) FROM checkpoints").fetchone()
    at = recorded_at(transaction, position) if 0 < position <= size else None
    return Place(origin=str(origin), position=position, at=at, size=size, signed=signed)
