"""Webhooks: addresses that are sent every event, each with a secret that its messages are signed with.

Admins add and remove them, which are events; these name the host alone. The rest of an address may be a secret: it is
kept with the signing secret beside the accounts, encrypted with the server's key, and with how far it has come.
"""

import re
import secrets as chance
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from pydantic import PrivateAttr

from commands.accounts.random_text import new_id
from commands.accounts.server_key import ServerKey
from commands.accounts.standing import account_event
from commands.accounts.times import now
from commands.door.command import Command, checked_command_id
from commands.door.permission import require_admin
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger import secrets
from ledger.errors import Refusal
from ledger.events import WebhookAdded, WebhookRemoved

MOST = 20
MOST_DEAD = 100
"""Dead letters that a hook keeps; with so many it stands still until somebody has looked at them."""
_ADDRESS = re.compile(r"https?://[!-~]{1,2000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that the receiver refused, each time that it was sent."""

    position: int
    attempts: int
    error: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookLine:
    """``sent_to`` is the position of the last event that was taken, or put aside as a dead letter; ``failures`` count
    since one was; ``next_at`` is when the next attempt is made, null for at once; ``stopped``: there are too many dead
    letters, and nothing is sent until they are sent again or given up."""

    id: str
    user: str
    host: str
    made_at: str
    sent_to: int
    sent_at: str | None
    failures: int
    next_at: str | None
    error: str | None
    stopped: bool
    dead: list[DeadLetter]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks(Result):
    webhooks: list[WebhookLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMade(Result):
    id: str
    user: str
    host: str
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEnded(Result):
    """``changed`` is False where it had ended already."""

    id: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRetried(Result):
    """``again`` are the positions of the dead letters that are sent again."""

    id: str
    again: list[int]


class AddWebhook(Command[WebhookMade]):
    """``since`` None: what comes from now on."""

    host: str
    since: int | None = None
    _id: str = PrivateAttr(default_factory=new_id)
    _encrypted: str = PrivateAttr(default="")

    def authorise(self, world: World) -> None:
        require_admin(world, "add a webhook")

    def decide(self, world: World) -> Decision[WebhookMade]:
        if not self._encrypted:
            raise ValueError("a webhook without its address: see ``add_webhook``")
        living = [hook for hook in secrets.of_kind(world.transaction, secrets.WEBHOOK) if hook.is_living]
        if len(living) >= MOST:
            raise Refusal("too-many-webhooks", f"There are {MOST} webhooks already.", "Remove one first.")
        since = world.head.size if self.since is None else min(self.since, world.head.size)
        details = {"host": self.host, "sent_to": since}
        kept = secrets.Secret(self._id, secrets.WEBHOOK, world.actor, self._encrypted, details, now(), None)
        secrets.write(world.transaction, kept)
        event = WebhookAdded(user=world.actor, webhook=self._id, host=self.host, since=since)
        made = WebhookMade(id=self._id, user=world.actor, host=self.host, since=since)
        return Decision([account_event(world.actor, event)], made)


class RemoveWebhook(Command[WebhookEnded]):
    id: str

    def authorise(self, world: World) -> None:
        require_admin(world, f"remove the webhook {self.id}")

    def decide(self, world: World) -> Decision[WebhookEnded]:
        hook = hook_of(world, self.id)
        if not hook.is_living:
            return Decision((), WebhookEnded(id=self.id, changed=False))
        secrets.end(world.transaction, hook, "removed")
        event = WebhookRemoved(user=world.actor, webhook=self.id)
        return Decision([account_event(world.actor, event)], WebhookEnded(id=self.id, changed=True))


def add_webhook(
    daybook: Daybook, key: ServerKey, url: str, *, since: int | None = None, command_id: str | None = None
) -> tuple[WebhookMade, str | None]:
    """What the receipt keeps, and the secret that messages are signed with, which is told this once."""
    host = host_of(url)
    secret = chance.token_urlsafe(32)
    command = AddWebhook(command_id=checked_command_id(command_id), host=host, since=since)
    command._encrypted = key.encrypted(orjson.dumps({"url": url, "signs_with": secret}).decode())
    receipt = daybook.submit(command)
    return receipt.result, None if receipt.repeated else secret


def host_of(url: str) -> str:
    """Raises Refusal for what is no address of a webhook."""
    try:
        parts = urlsplit(url) if _ADDRESS.fullmatch(url) else None
        is_one = parts is not None and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        parts, is_one = None, False
    if parts is None or not is_one or parts.fragment:
        raise Refusal(
            "webhook-address",
            "This is no address of a webhook.",
            "Give one such as https://example.org/daybook.",
        )
    return str(parts.hostname) + (f":{parts.port}" if parts.port else "")


def list_webhooks(daybook: Daybook, hook: str | None = None) -> Webhooks:
    """Those that have not been removed; or one. For admins."""
    daybook.require(lambda world: require_admin(world, "see webhooks"))
    with daybook.reading() as world:
        found = [each for each in secrets.of_kind(world.transaction, secrets.WEBHOOK) if each.is_living]
        if hook is not None:
            found = [hook_of(world, hook)]
        return Webhooks(position=world.head.size, webhooks=[line_of(each) for each in found])


def retry_webhook(daybook: Daybook, hook: str) -> WebhookRetried:
    """Send what was refused again, and at once what waits. For admins."""
    daybook.require(lambda world: require_admin(world, f"retry the webhook {hook}"))
    with daybook.reading() as world:
        kept, position = hook_of(world, hook), world.head.size
    again = sorted(letter["position"] for letter in kept.details.get("dead", []))
    wanted = {**kept.details, "again": sorted({*again, *kept.details.get("again", [])}), "dead": []}
    wanted |= {"failures": 0, "next_at": None}
    with daybook.database.writing() as transaction:
        if not secrets.change(transaction, kept, wanted):
            raise Refusal("webhook-busy", f"{hook} is being sent to just now.", "Try again in a moment.")
    return WebhookRetried(position=position, id=hook, again=again)


def hook_of(world: World, hook: str) -> secrets.Secret:
    found = secrets.find(world.transaction, hook)
    if found is None or found.kind != secrets.WEBHOOK:
        raise Refusal("no-such-webhook", f"There is no webhook {hook}.", "List them first.")
    return found


def line_of(hook: secrets.Secret) -> WebhookLine:
    details: dict[str, Any] = hook.details
    dead = [DeadLetter(**letter) for letter in details.get("dead", [])]
    return WebhookLine(
        id=hook.id, user=hook.username, host=details["host"], made_at=hook.created_at, sent_to=details["sent_to"],
        sent_at=details.get("sent_at"), failures=details.get("failures", 0), next_at=details.get("next_at"),
        error=details.get("error"), stopped=len(dead) >= MOST_DEAD, dead=dead,
    )  # fmt: skip
