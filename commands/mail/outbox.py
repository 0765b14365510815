"""Put mail into the outbox: encrypted with the server's key, for the address that the user has when it is sent."""

import uuid
from dataclasses import dataclass
from typing import Any

from commands.accounts.server_key import ServerKey
from commands.accounts.times import now
from commands.door.ledger import Ledger
from commands.mail.texts import Letter, invitation, reset
from ledger import outbox, people
from ledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Post:
    """What every mail needs: where it is kept, with what its body is encrypted, where its links lead."""

    ledger: Ledger
    key: ServerKey
    public_url: str | None


def put(
    post: Post, transaction: Transaction, user: str, kind: str, letter: Letter, *, mail_id: str = "",
    until: str | None = None, gathered: bool = False,
) -> bool:  # fmt: skip
    """False where the user has no address, or has been told already."""
    known = people.find(transaction, user)
    if known is None or not known.email:
        return False
    at = now()
    status = outbox.GATHERED if gathered else outbox.QUEUED
    body = post.key.encrypted(letter.body)
    mail = outbox.Mail(
        mail_id or uuid.uuid4().hex, user, kind, letter.subject, body, status, 0, "", at, at, until
    )
    return outbox.put(transaction, mail)


def put_secret(post: Post, action: str, answer: Any, secret: dict[str, str | None] | None) -> bool:
    """The link of an invitation or a reset, for whom it is. False where there is none, or no address."""
    link = None if secret is None else secret.get("link")
    if link is None or action not in ("invite-user", "reset-password", "reset-second-factor"):
        return False
    with post.ledger.database.writing() as transaction:
        (lab,) = transaction.run("SELECT origin FROM head").fetchone()
        if action == "invite-user":
            letter = invitation(lab, answer.user, answer.role, link, answer.until)
        else:
            letter = reset(lab, answer.user, answer.what, link, answer.until)
        return put(post, transaction, answer.user, action, letter, until=answer.until)
