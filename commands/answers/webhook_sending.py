"""Send every event to every webhook: in order, at least once, and again where it was not taken.

How far a hook has come is kept when a message was taken. What may pass (nobody answers, the receiver is busy or broken)
is tried again after a pause that doubles, and nothing behind it is sent before. What the receiver refuses a few times
is put aside, as a dead letter that admins see, and the next event goes on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from commands.accounts.server_key import ServerKey
from commands.accounts.webhooks import MOST_DEAD
from commands.answers.event import event_line
from commands.answers.rows import EventLine
from commands.answers.webhook_messages import NotTaken, message_of, send
from commands.door.incidents import record_beside
from commands.door.ledger import Ledger
from commands.door.result import Result
from ledger import log, secrets
from ledger.errors import Refusal

AT_ONCE = 100
REFUSED_AT_MOST = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 3600.0
EVERY_S = 2.0
Send = Callable[[str, bytes, dict[str, str], Sequence[str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhooksSent(Result):
    """``sent`` messages were taken; ``waiting`` hooks are tried again later, ``dead`` letters were put aside."""

    sent: int
    waiting: int
    dead: int


def send_due(
    ledger: Ledger, key: ServerKey, networks: Sequence[str], *, post: Send = send,
    clock: Callable[[], float] = time.time, stopped: Callable[[], bool] = lambda: False,
) -> WebhooksSent:  # fmt: skip
    """What is due now, of all hooks. A hook that fails keeps no other waiting for longer than one message."""
    with ledger.reading() as (transaction, head):
        hooks = [hook for hook in secrets.of_kind(transaction, secrets.WEBHOOK) if hook.is_living]
    found = [_Sending(ledger, key, hook, networks, post, clock, stopped).run_alone() for hook in hooks]
    sent, waiting, dead = (sum(each[at] for each in found) for at in range(3))
    return WebhooksSent(position=head.size, sent=sent, waiting=waiting, dead=dead)


@dataclass(slots=True)
class _Sending:
    ledger: Ledger
    key: ServerKey
    hook: secrets.Secret
    networks: Sequence[str]
    post: Send
    clock: Callable[[], float]
    stopped: Callable[[], bool]
    sent: int = 0
    dead: int = 0

    def run_alone(self) -> tuple[int, int, int]:
        """As ``run``: a fault of the program in one hook has it wait, and the others go on."""
        try:
            return self.run()
        except Refusal:
            raise
        except Exception as fault:  # noqa: BLE001 - the other hooks are sent to
            incident = record_beside(fault, verb="webhooks: a hook", database=self.ledger.database)
            self._later(f"A fault of daybook itself (incident {incident}).")
            return self.sent, 1, self.dead

    def run(self) -> tuple[int, int, int]:
        """How many were taken, whether it waits for a later attempt, how many were put aside."""
        details = self.hook.details
        if len(details.get("dead", [])) >= MOST_DEAD or (details.get("next_at") or "") > self._at(0):
            return 0, 1, 0
        try:
            told = orjson.loads(self.key.decrypted(self.hook.digest))
        except Refusal as refusal:
            self._keep({"error": refusal.message})
            return 0, 1, 0
        waits = False
        for event in self._next():
            if self.stopped() or not self._handled(event, told["url"], told["signs_with"]):
                waits = True
                break
        return self.sent, int(waits), self.dead

    def _next(self) -> list[EventLine]:
        """First what is sent again, then what comes behind."""
        again = self.hook.details.get("again", [])
        with self.ledger.reading() as (transaction, _):
            behind = log.read_all(transaction, self.hook.details["sent_to"], AT_ONCE)
            older = log.read_positions(transaction, set(again)) if again else {}
        return [event_line(older[position]) for position in again if position in older] + list(
            map(event_line, behind)
        )

    def _handled(self, event: EventLine, url: str, secret: str) -> bool:
        """Whether to go on with the next one."""
        body, headers = message_of(event, secret, int(self.clock()))
        try:
            self.post(url, body, headers, self.networks)
        except NotTaken as why:
            return self._not_taken(event, why)
        self.sent += 1
        return self._keep(self._past(event) | {"sent_at": self._at(0)})

    def _not_taken(self, event: EventLine, why: NotTaken) -> bool:
        failures = self.hook.details.get("failures", 0) + 1
        if why.for_good and failures >= REFUSED_AT_MOST:
            self.dead += 1
            letter = {"position": event.position, "attempts": failures, "error": str(why), "at": self._at(0)}
            dead = [*self.hook.details.get("dead", []), letter]
            return self._keep(self._past(event) | {"dead": dead}) and len(dead) < MOST_DEAD
        self._later(str(why))
        return False

    def _later(self, why: str) -> None:
        failures = self.hook.details.get("failures", 0) + 1
        pause = min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20), LONGEST_PAUSE_S)
        self._keep({"failures": failures, "error": why, "next_at": self._at(pause)})

    def _past(self, event: EventLine) -> dict[str, Any]:
        again = self.hook.details.get("again", [])
        place = (
            {"again": [position for position in again if position != event.position]}
            if event.position in again
            else {"sent_to": event.position}
        )
        return place | {"failures": 0, "error": None, "next_at": None}

    def _keep(self, changed: dict[str, Any]) -> bool:
        """False where another sender, or an admin, has changed it: then that one goes on. A crash before this sends the
        message again."""
        details = self.hook.details | changed
        with self.ledger.database.writing() as transaction:
            if not secrets.change(transaction, self.hook, details):
                return False
        self.hook = secrets.Secret(
            self.hook.id, self.hook.kind, self.hook.username, self.hook.digest, details, self.hook.created_at,
            self.hook.expires_at, self.hook.used_at,
        )  # fmt: skip
        return True

    def _at(self, later_s: float) -> str:
        moment = datetime.fromtimestamp(self.clock(), UTC) + timedelta(seconds=later_s)
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
