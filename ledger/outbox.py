"""Mail that is to be sent. The only module that writes the tables ``outbox`` and ``mail_position``; nothing of them is
ever in an event."""

from dataclasses import dataclass
from typing import Any

from ledger.database import Transaction

QUEUED, SENT, FAILED, GATHERED = "queued", "sent", "failed", "gathered"
"""``gathered`` waits for the digest of its day."""
_COLUMNS = "id, username, kind, subject, body, status, attempts, reason, created_at, next_at, until, sent_at"
_SELECT = f"SELECT {_COLUMNS} FROM outbox"


@dataclass(frozen=True, slots=True)
class Mail:
    """``body`` is encrypted; empty once it was sent. ``reason``: why the last attempt failed. Not sent after
    ``until``."""

    id: str
    username: str
    kind: str
    subject: str
    body: str
    status: str
    attempts: int
    reason: str
    created_at: str
    next_at: str
    until: str | None = None
    sent_at: str | None = None


def put(transaction: Transaction, mail: Mail) -> bool:
    """False where one of this id is there already."""
    row = transaction.run(
        f"INSERT INTO outbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING "
        "RETURNING id",
        (
            mail.id, mail.username, mail.kind, mail.subject, mail.body, mail.status, mail.attempts, mail.reason,
            mail.created_at, mail.next_at, mail.until, mail.sent_at,
        ),
    ).fetchone()  # fmt: skip
    return row is not None


def newest(transaction: Transaction, limit: int) -> list[Mail]:
    rows = transaction.run(f"{_SELECT} ORDER BY created_at DESC, id LIMIT ?", (limit,)).fetchall()
    return [Mail(*row) for row in rows]


def of_status(transaction: Transaction, status: str) -> list[Mail]:
    """The oldest first."""
    rows = transaction.run(f"{_SELECT} WHERE status = ? ORDER BY created_at, id", (status,)).fetchall()
    return [Mail(*row) for row in rows]


def take_due(transaction: Transaction, at: str, again_at: str) -> Mail | None:
    """One that is to be sent now; nobody else takes it until ``again_at``."""
    row: Any = transaction.run(
        "UPDATE outbox SET next_at = ?, attempts = attempts + 1 WHERE id = (SELECT id FROM outbox "
        f"WHERE status = 'queued' AND next_at <= ? ORDER BY next_at, id LIMIT 1) AND next_at <= ? RETURNING {_COLUMNS}",
        (again_at, at, at),
    ).fetchone()
    return None if row is None else Mail(*row)


def mark_sent(transaction: Transaction, mail_id: str, at: str) -> None:
    transaction.run(
        "UPDATE outbox SET status = 'sent', body = '', reason = '', sent_at = ? WHERE id = ?", (at, mail_id)
    )


def mark_failed(transaction: Transaction, mail_id: str, reason: str, next_at: str | None) -> None:
    """``next_at`` None: it is not tried again, and its body is blanked."""
    if next_at is None:
        transaction.run(
            "UPDATE outbox SET status = 'failed', body = '', reason = ? WHERE id = ?", (reason, mail_id)
        )
    else:
        transaction.run("UPDATE outbox SET reason = ?, next_at = ? WHERE id = ?", (reason, next_at, mail_id))


def remove(transaction: Transaction, mail_id: str) -> None:
    transaction.run("DELETE FROM outbox WHERE id = ?", (mail_id,))


def told_until(transaction: Transaction) -> tuple[int, str] | None:
    """The position, and the day of the last digests; None where mail was never looked after."""
    row = transaction.run("SELECT position, day FROM mail_position WHERE id = 1").fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def tell_until(transaction: Transaction, position: int, day: str) -> None:
    transaction.run("DELETE FROM mail_position WHERE id = 1")
    transaction.run("INSERT INTO mail_position (id, position, day) VALUES (1, ?, ?)", (position, day))
