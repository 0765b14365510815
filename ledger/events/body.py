"""What every event is made of: a frozen model that knows its version and the text of it that is stored."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from ledger.bodies import SCHEMAS


class Body(BaseModel):
    """What an event says besides its envelope."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    SCHEMA: ClassVar[int]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.SCHEMA = SCHEMAS[cls.__name__]

    def payload(self) -> str:
        """The text that is stored and hashed. (``model_dump_json`` gives the same in twice the time.)"""
        return self.__pydantic_serializer__.to_json(self).decode()
