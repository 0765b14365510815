"""What a command is, what it sees, what it decides and what it answers. Nothing here reads or writes by itself."""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from commands.door.result import Result as Result
from ledger.database import Transaction
from ledger.envelope import NewEvent
from ledger.errors import Refusal
from ledger.log import Head
from ledger.plurals import plural
from projections.rows import State

_COMMAND_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


def new_command_id() -> str:
    """Unique, and in the order of time: the newest receipt then stands at the end of its index."""
    return f"{time.time_ns():016x}{os.urandom(8).hex()}"


def checked_command_id(given: str | None) -> str:
    """The id that somebody gave, or a new one. Raises Refusal for an id that could be taken for that of a step."""
    if given is None:
        return new_command_id()
    if not _COMMAND_ID.fullmatch(given):
        raise Refusal(
            "command-id",
            f"The command id has {plural(len(given), 'character')}; it must be 1 to 100 letters, digits, . _ : and -.",
            "Give one such as 3f2a-1.",
        )
    return given


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


R = TypeVar("R", bound=Result)
R_co = TypeVar("R_co", bound=Result, covariant=True)


@dataclass(frozen=True, slots=True)
class Decision(Generic[R_co]):
    """``result`` is what the receipt answers. No events: the log has nothing to tell, and no receipt is kept.

    ``redacted`` are the positions whose payload goes with these events, ``erased`` the sha256 of stored bytes.
    """

    events: Sequence[NewEvent]
    result: R_co
    correlation: str = ""
    redacted: Sequence[int] = ()
    erased: Sequence[str] = ()


class Command(BaseModel, Generic[R]):
    """What somebody wants, and what type of result answers it: ``class GrantRole(Command[RoleGrant])``. Submitting
    the same ``command_id`` again gives the first receipt."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64")
    command_id: str = Field(default_factory=new_command_id)

    def authorise(self, world: World) -> None:
        """Raises NotPermitted where the actor may not do this."""
        raise NotImplementedError

    def decide(self, world: World) -> Decision[R]:
        """Raises Refusal where the command cannot be carried out."""
        raise NotImplementedError

    def fingerprint(self) -> bytes:
        """What a repeated command must have in common with the first. Two commands may have the same fields."""
        return sha256(f"{type(self).__name__} {self.model_dump_json()}".encode()).digest()

    @classmethod
    def result_type(cls) -> Any:
        """The type, or the union of types, that the class is a ``Command`` of."""
        for each in cls.__mro__:
            arguments = getattr(each, "__pydantic_generic_metadata__", {}).get("args")
            if arguments:
                return arguments[0]
        raise TypeError(f"{cls.__name__} does not say what it answers: class {cls.__name__}(Command[...])")


@dataclass(frozen=True, slots=True)
class Receipt(Generic[R_co]):
    """Positions ``first`` to ``last`` are the command's events; both 0 where it had none."""

    command_id: str
    first: int
    last: int
    result: R_co
    repeated: bool = False
