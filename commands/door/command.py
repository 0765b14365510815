"""What a command is: a frozen model that judges who may do it, and decides. Reading needs neither this nor pydantic."""

from hashlib import sha256
from typing import Any, ClassVar, Generic

from pydantic import BaseModel, ConfigDict, Field

from commands.door.command_ids import checked_command_id as checked_command_id
from commands.door.command_ids import new_command_id
from commands.door.world import Decision, R, World


class Command(BaseModel, Generic[R]):
    """What somebody wants, and what type of result answers it: ``class GrantRole(Command[RoleGrant])``. Submitting
    the same ``command_id`` again gives the first receipt."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64")
    RECOVERS: ClassVar[bool] = False
    """Taken of the database's owner where nobody else gets in; or the door's own."""

    command_id: str = Field(default_factory=new_command_id)

    def authorise(self, world: World) -> None:
        """Raises NotPermitted where the actor may not do this."""
        raise NotImplementedError

    def decide(self, world: World) -> Decision[R]:
        """Raises Refusal where the command cannot be carried out."""
        raise NotImplementedError

    def fingerprint(self) -> bytes:
        """What a repeated command must share with the first: its name too, as two commands may have the same fields."""
        return sha256(f"{type(self).__name__} {self.model_dump_json()}".encode()).digest()

    @classmethod
    def result_type(cls) -> Any:
        """The type, or the union of types, that the class is a ``Command`` of."""
        for each in cls.__mro__:
            arguments = getattr(each, "__pydantic_generic_metadata__", {}).get("args")
            if arguments:
                return arguments[0]
        raise TypeError(f"{cls.__name__} does not say what it answers: class {cls.__name__}(Command[...])")
