"""What a command sees, what it decides and what it answers. Nothing here reads or writes by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from commands.door.result import Result as Result
from ledger.database import Transaction
from ledger.envelope import NewEvent
from ledger.log import Head
from projections.rows import State


@dataclass(slots=True)
class World:
    """What a command sees: one moment of the ledger, who asks, and how he or she was authenticated.

    ``owner`` is whose the records are that the command makes: the actor, or the user on whose behalf a service account
    acts.
    """

    transaction: Transaction
    head: Head
    state: State
    actor: str
    authentication: str = "claimed"
    owner: str = ""

    def __post_init__(self) -> None:
        self.owner = self.owner or self.actor

    @property
    def next_position(self) -> int:
        """Where the first event of this command will stand; records are numbered by it."""
        return self.head.size + 1


R = TypeVar("R", bound=Result)
R_co = TypeVar("R_co", bound=Result, covariant=True)


@dataclass(frozen=True, slots=True)
class Decision(Generic[R_co]):
    """``result`` is the answer that the receipt keeps. Without events there is nothing to tell, and no receipt is
    kept.

    ``redacted`` are the positions whose payload goes with these events, ``erased`` the sha256 of stored bytes.
    """

    events: Sequence[NewEvent]
    result: R_co
    correlation: str = ""
    redacted: Sequence[int] = ()
    erased: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Receipt(Generic[R_co]):
    """Positions ``first`` to ``last`` are the command's events; both 0 where it had none."""

    command_id: str
    first: int
    last: int
    result: R_co
    repeated: bool = False
