"""What actions have in common: a command that is submitted, a session that is meant, the bytes of a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ledger.errors import NextStep, Refusal

if TYPE_CHECKING:
    from commands.answers.asking import Asking


_ID = re.compile("s[1-9][0-9]{0,17}")


def number_of(text: str) -> int:
    return int(text[1:])


def submitted(asking: Asking, kind: Any, command_id: str | None, **fields: Any) -> Any:
    """What a command of this kind answers. Without an id it is one that is not repeated."""
    given = {} if command_id is None else {"command_id": command_id}
    return asking.daybook.submit(kind(**given, **fields)).result


def session_of(asking: Asking, text: str) -> int:
    """Raises Refusal for a record that is no session."""
    if _ID.fullmatch(text):  # who may not is told so before it is looked for
        return number_of(text)
    from projections.references import find

    with asking.daybook.reading() as world:
        location = asking.location(text)
        found = find(world.transaction, world.head.live_slot, text, location=location)
    if found.kind != "session":
        raise Refusal(
            "not-a-session",
            f'"{text}" is {found.kind} {found}, not a session.',
            "See them",
            NextStep("list-sessions"),
        )
    return found.id


def bytes_of(content: str | bytes, encoding: str) -> bytes:
    """Of a file. Raises Refusal for what is no base64, where it says so."""
    if isinstance(content, bytes):
        return content
    if encoding == "utf-8":
        return content.encode("utf-8", "surrogatepass")
    from base64 import b64decode

    try:
        return b64decode(content, validate=True)
    except ValueError:
        raise Refusal(
            "not-base64", "The content is not base64, as its encoding says.", "Send it again."
        ) from None
