"""Ids of commands: under one id a command is carried out once, however often it is sent."""

import os
import re
import time

from ledger.errors import Refusal
from ledger.plurals import plural

_COMMAND_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


def new_command_id() -> str:
    """A new id, unique and ordered by time: the newest receipt then stands at the end of its index."""
    return f"{time.time_ns():016x}{os.urandom(8).hex()}"


def checked_command_id(given: str | None) -> str:
    """The id that was given, or a new one. Raises Refusal for an id that looks like the id of a step."""
    if given is None:
        return new_command_id()
    if not _COMMAND_ID.fullmatch(given):
        raise Refusal(
            "command-id",
            f"The command id has {plural(len(given), 'character')}; it must be 1 to 100 letters, digits, . _ : and -.",
            "Give one such as 3f2a-1.",
        )
    return given
