"""What a command is, what it sees, and what it decides. Nothing here reads or writes by itself."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ledger.database import Transaction
from ledger.envelope import NewEvent
from ledger.log import Head
from projections.rows import State


def new_command_id() -> str:
    """Unique, and in the order of time: the newest receipt then stands at the end of its index."""
    return f"{time.time_ns():016x}{os.urandom(8).hex()}"


@dataclass(slots=True)
class World:
    """What a command sees: one moment of the ledger, and who asks."""

    transaction: Transaction
    head: Head
    state: State
    actor: str

    @property
    def next_position(self) -> int:
        """Where the first event of this command will stand; records are numbered by it."""
        return self.head.size + 1


@dataclass(frozen=True, slots=True)
class Decision:
    """``result`` is what the receipt answers. No events: the log has nothing to tell, and no receipt is kept.

    ``redacted`` are the positions whose payload goes with these events, ``erased`` the sha256 of stored bytes.
    """

    events: Sequence[NewEvent]
    result: dict[str, Any] = field(default_factory=dict)
    correlation: str = ""
    redacted: Sequence[int] = ()
    erased: Sequence[str] = ()


class Command(BaseModel):
    """What somebody wants. Submitting the same ``command_id`` again gives the first receipt."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64")
    command_id: str = Field(default_factory=new_command_id)

    def authorise(self, world: World) -> None:
        """Raises NotPermitted where the actor may not do this."""
        raise NotImplementedError

    def decide(self, world: World) -> Decision:
        """Raises Refusal where the command cannot be carried out."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Receipt:
    """Positions ``first`` to ``last`` are the command's events; both 0 where it had none."""

    command_id: str
    first: int
    last: int
    result: dict[str, Any]
    repeated: bool = False
