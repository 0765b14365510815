"""Secrets that nobody can guess, the ids that they are known by, and the digests that are kept of them. Pure."""

import secrets
from hashlib import sha256
from hmac import compare_digest

_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # none that is taken for another
_ID_LENGTH = 10


def new_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))


def new_secret() -> str:
    """256 bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Of a secret that nobody chose: no dictionary has it, and a plain hash is enough."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_of(secret: str, digest: str) -> bool:
    """In the same time, whatever they have in common."""
    return compare_digest(digest_of(secret), digest)
