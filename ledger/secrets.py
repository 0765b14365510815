"""What accounts sign in with, and the keys of redactions. The only module that writes the table ``secrets``; nothing of
it is ever in an event.

A secret is kept as a digest, under an id that may be known. When it ends, its digest is blanked and its row says
why; the events say what happened. The key of redactions (``marks``) is kept as it is, or is not there.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from ledger.database import Transaction

TOKEN = "token"  # noqa: S105 - the name of a kind
PASSWORD = "password"  # noqa: S105
SIGN_IN, INVITATION = "sign-in", "invitation"
HALF_SIGN_IN = "half-sign-in"  # the password was right, the code is to come
PASSWORD_RESET, FACTOR_RESET = "password-reset", "second-factor-reset"
SECOND_FACTOR, NEW_FACTOR, RECOVERY_CODE = "second-factor", "new-second-factor", "recovery-code"
WEBHOOK = "webhook"
_COLUMNS = "id, kind, username, digest, details, created_at, expires_at, used_at"
_SELECT = f"SELECT {_COLUMNS} FROM secrets"


@dataclass(frozen=True, slots=True)
class Secret:
    """``details`` is whatever a kind keeps beside its digest; ``ended`` in it says why there is none any more. Times
    are as the log's; ``expires_at`` None: never."""

    id: str
    kind: str
    username: str
    digest: str
    details: dict[str, Any]
    created_at: str
    expires_at: str | None
    used_at: str | None = None

    def has_expired(self, at: str) -> bool:
        return self.expires_at is not None and self.expires_at <= at

    @property
    def is_living(self) -> bool:
        return self.digest != ""


def find(transaction: Transaction, secret_id: str) -> Secret | None:
    row = transaction.run(f"{_SELECT} WHERE id = ?", (secret_id,)).fetchone()
    return None if row is None else _read(row)


def of_user(transaction: Transaction, username: str, kind: str) -> list[Secret]:
    rows = transaction.run(
        f"{_SELECT} WHERE username = ? AND kind = ? ORDER BY created_at, id", (username, kind)
    ).fetchall()
    return [_read(row) for row in rows]


def living(transaction: Transaction, username: str, kind: str, at: str) -> list[Secret]:
    """Those that are good at this time."""
    kept = of_user(transaction, username, kind)
    return [one for one in kept if one.is_living and not one.has_expired(at)]


def of_kind(transaction: Transaction, kind: str) -> list[Secret]:
    rows = transaction.run(f"{_SELECT} WHERE kind = ? ORDER BY created_at, id", (kind,)).fetchall()
    return [_read(row) for row in rows]


def write(transaction: Transaction, secret: Secret) -> None:
    """A new one, or in place of the one with its id."""
    remove(transaction, secret.id)
    details = orjson.dumps(secret.details).decode()
    transaction.run(
        f"INSERT INTO secrets ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            secret.id, secret.kind, secret.username, secret.digest, details, secret.created_at, secret.expires_at,
            secret.used_at,
        ),
    )  # fmt: skip


def remove(transaction: Transaction, secret_id: str) -> None:
    transaction.run("DELETE FROM secrets WHERE id = ?", (secret_id,))


def mark_used(transaction: Transaction, secret_id: str, at: str) -> None:
    transaction.run("UPDATE secrets SET used_at = ? WHERE id = ?", (at, secret_id))


def end(transaction: Transaction, secret: Secret, why: str) -> bool:
    """Nobody signs in with it any more. False where it had ended in between."""
    details = orjson.dumps(secret.details | {"ended": why}).decode()
    ended = transaction.run(
        "UPDATE secrets SET digest = '', details = ? WHERE id = ? AND digest = ? RETURNING id",
        (details, secret.id, secret.digest),
    ).fetchone()
    return ended is not None


def change(transaction: Transaction, secret: Secret, details: dict[str, Any]) -> bool:
    """False where its details changed in between."""
    old, new = orjson.dumps(secret.details).decode(), orjson.dumps(details).decode()
    changed = transaction.run(
        "UPDATE secrets SET details = ? WHERE id = ? AND details = ? RETURNING id", (new, secret.id, old)
    ).fetchone()
    return changed is not None


def change_digest(transaction: Transaction, secret: Secret, digest: str) -> None:
    """The same secret, encrypted otherwise; nothing where it changed in between."""
    transaction.run(
        "UPDATE secrets SET digest = ? WHERE id = ? AND digest = ?", (digest, secret.id, secret.digest)
    )


def end_of_user(transaction: Transaction, username: str, why: str, *kinds: str) -> None:
    """Of these kinds; without any, all."""
    condition = f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    rows = transaction.run(f"{_SELECT} WHERE username = ?{condition}", (username, *kinds)).fetchall()
    for secret in map(_read, rows):
        if secret.is_living:
            end(transaction, secret, why)


def _read(row: Any) -> Secret:
    identity, kind, username, digest, details, created_at, expires_at, used_at = row
    return Secret(identity, kind, username, digest, orjson.loads(details), created_at, expires_at, used_at)
