"""A sign-in at a provider that is under way: what the browser carries, encrypted, until it comes back. Pure."""

from dataclasses import dataclass
from datetime import timedelta

UNDER_WAY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Begun:
    """``state`` comes back in the address, ``nonce`` in what the provider signs; ``verifier`` is shown to the provider
    alone. ``back``: where to go afterwards. ``at``: when it was begun."""

    state: str
    nonce: str
    verifier: str
    back: str
    at: str
