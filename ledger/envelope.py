"""The envelope of an event, and the bytes that its leaf in the Merkle tree commits to.

The leaf of an event is, as UTF-8::

    daybook/event/1 <LF>
    position , stream_version , schema , causation <LF>          decimal integers; causation 0 means none
    <n>:<text>  for stream, type, command_id, correlation, actor, via, recorded_at, subject, username

followed by the 32 bytes of sha256(payload). ``<n>`` is the number of Unicode code points of the text that follows
the colon; an absent text is empty. Because the leaf holds the hash of the payload and not the payload, one payload
can be redacted and the tree still verifies. This definition is all that ``append`` and ``verify`` share.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple, Protocol

import orjson

__all__ = [
    "AUTHENTICATIONS",
    "Body",
    "NewEvent",
    "StoredEvent",
    "authentication",
    "head_data",
    "leaf_data",
    "leaves_data",
    "payload_digest",
    "stored_events",
    "via_of",
]

AUTHENTICATIONS = ("os", "claimed", "password", "second-factor", "token", "oidc")


class StoredEvent(NamedTuple):
    """One row of the log, as it was appended. ``payload`` is None where it was redacted.

    ``recorded_at`` is UTC with microseconds, as text (``2026-01-31T12:00:00.000000Z``): it sorts as it reads.
    ``correlation`` names the upload or request that the event belongs to, ``causation`` the position of the event
    that led to it (0: none). ``via`` is a JSON object: interface, version, host, os_user, authentication, and with a
    token its public id; ``on_behalf_of`` is the user whom the actor acted for, if for somebody else.
    """

    position: int
    stream: str
    stream_version: int
    type: str
    schema: int
    command_id: str
    correlation: str
    causation: int
    actor: str
    via: str
    recorded_at: str
    subject: str
    username: str
    payload_sha256: bytes
    payload: str | None


def stored_events(rows: Iterable[Sequence[Any]]) -> list[StoredEvent]:
    """The events of whole rows. (``StoredEvent._make`` takes three times as long, and reading is what takes long.)"""
    return list(map(_MADE, rows))


_MADE = partial(tuple.__new__, StoredEvent)


def via_of(event: StoredEvent) -> dict[str, Any]:
    """How the actor came in: ``claimed`` for an event that is older than the recording of authentication."""
    return {"authentication": "claimed", **orjson.loads(event.via)}


@lru_cache(maxsize=4096)
def authentication(via: str) -> str:
    """How the actor of an event was authenticated: one of ``AUTHENTICATIONS``. A ``via`` that does not say, or says
    something unknown, proves no more than a claim.
    """
    found = orjson.loads(via)
    said = found.get("authentication") if isinstance(found, dict) else None
    return said if said in AUTHENTICATIONS else "claimed"


class Body(Protocol):
    """What the log needs to know of an event's body; the events themselves are in ``ledger.events``."""

    SCHEMA: ClassVar[int]

    def payload(self) -> str: ...


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is about to be appended.

    ``expected_version`` is the version that the stream must have now: 0 for a new stream, None for any. ``subject``
    and ``username`` repeat what reading and rebuilding filter by: the subject as ``datasource_id/name`` and the user
    whose record it is.
    """

    stream: str
    body: Body
    expected_version: int | None = 0
    subject: str = ""
    username: str = ""
    causation: int = 0
    correlation: str = ""  # empty: that of the whole command


_OF_THE_EVENT = itemgetter(0, 1, 2, 3, 4, 7, 13)
_OF_THE_COMMAND = itemgetter(5, 6, 8, 9, 10, 11, 12)
Envelope = tuple[int, str, int, str, int, str, str, int, str, str, str, str, str, bytes]


def leaf_data(event: Envelope) -> bytes:
    """The bytes that the leaf hashes: the first fourteen columns of a ``StoredEvent``, in its order."""
    return leaves_data((event,))[0]


def leaves_data(events: Sequence[Sequence[Any]]) -> list[bytes]:
    """The same of many events. What the events of one command have in common is put together once."""
    found: list[bytes] = []
    last: tuple[str, ...] = ()
    common = ""
    own = zip(map(_OF_THE_EVENT, events), map(_OF_THE_COMMAND, events), strict=True)
    for (position, stream, version, kind, schema, causation, digest), shared in own:
        if shared != last:
            common = "".join(f"{len(text)}:{text}" for text in shared)
            last = shared
        text = (
            f"daybook/event/1\n{position},{version},{schema},{causation}\n"
            f"{len(stream)}:{stream}{len(kind)}:{kind}{common}"
        )
        found.append(text.encode() + digest)
    return found


def head_data(row: tuple[int, str, int, bytes, str, str, str, str]) -> bytes:
    """The bytes that the head row's sha256 hashes: all its other columns, from ``id`` to ``rebuild``, each preceded
    by its length.
    """
    texts = [str(value).encode() if not isinstance(value, bytes) else value for value in row]
    return b"daybook/head/1\n" + b"".join(b"%d:%b" % (len(text), text) for text in texts)


def payload_digest(payload: str) -> bytes:
    return sha256(payload.encode()).digest()
