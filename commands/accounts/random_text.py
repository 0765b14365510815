"""Secrets that nobody can guess, the ids that they are known by, and the digests that are kept of them. Pure.

A secret that somebody is given names its kind and its id: ``dbk_k7m2q9x4wd_…`` is a token.
"""

import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest

_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # none that is taken for another
_ID_LENGTH = 10
_PREFIXES = {
    "token": "dbk", "sign-in": "dbs", "invitation": "dbi", "password-reset": "dbr", "second-factor-reset": "dbf",
    "half-sign-in": "dbh",
}  # fmt: skip
FACTOR_PREFIX = _PREFIXES["second-factor-reset"]
_GIVEN = re.compile(r"(db[a-z])_([a-z0-9]{10})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody was given, taken apart. ``id`` may be known, ``secret`` not."""

    kind: str
    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        return f"{_PREFIXES[self.kind]}_{self.id}_{self.secret}"

    @property
    def digest(self) -> str:
        return digest_of(self.secret)


def new(kind: str) -> Given:
    """256 bits."""
    return Given(kind, new_id(), secrets.token_urlsafe(32))


def taken_apart(text: str, kind: str) -> Given | None:
    """None where it is no secret of this kind."""
    found = _GIVEN.fullmatch(text)
    return None if found is None or found[1] != _PREFIXES[kind] else Given(kind, found[2], found[3])


def new_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))


def digest_of(secret: str) -> str:
    """Of a secret that nobody chose: no dictionary has it, and a plain hash is enough."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_of(secret: str, digest: str) -> bool:
    """In the same time, whatever they have in common."""
    return compare_digest(digest_of(secret), digest)
