"""Marks of what was redacted: keyed hashes, by which it is known when it comes again. The only module that makes keys
of redactions, and keeps them.

A mark is an HMAC-SHA256 of a kind and its texts, of 128 bits. Marks stand in the events for good; the key lies beside
the log, among the secrets, and can be erased: then nobody can tell any more what they are of.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from os import urandom

from ledger import secrets
from ledger.database import Transaction
from ledger.log import now

KIND = "redaction-key"
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """``id`` stands beside the marks that it made, in their events."""

    id: str
    secret: bytes
    made_at: str


def mark(key: Key, kind: str, texts: Sequence[str]) -> str:
    """``texts`` are in the form in which they are compared."""
    message = "\0".join((kind, *texts)).encode("utf-8", "surrogatepass")
    return hmac.digest(key.secret, message, "sha256")[:16].hex()


def keys(transaction: Transaction) -> list[Key]:
    """Those that there are, the newest last: it makes the marks of today."""
    found = secrets.of_kind(transaction, KIND)
    return [Key(kept.id, bytes.fromhex(kept.digest), kept.created_at) for kept in found if kept.is_living]


def newest_key(transaction: Transaction) -> Key:
    """A new one where there is none: of a ledger that came without, or whose key was erased."""
    there = keys(transaction)
    if there:
        return there[-1]
    key = Key(urandom(8).hex(), urandom(_BYTES), now())
    keep(transaction, key)
    return key


def keep(transaction: Transaction, key: Key) -> None:
    secrets.write(transaction, secrets.Secret(key.id, KIND, "", key.secret.hex(), {}, key.made_at, None))


def erase(transaction: Transaction) -> list[str]:
    """Remove all keys, and return their ids."""
    found = [key.id for key in keys(transaction)]
    for key_id in found:
        secrets.remove(transaction, key_id)
    return found
