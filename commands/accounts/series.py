"""Attempts to sign in that fail in series: recorded by the server itself, so that admins see them."""

from contextlib import suppress

from commands.accounts.attempts import Attempt, Of, is_first
from commands.door.actor import Actor
from commands.door.command import Command
from commands.door.ledger import Ledger
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger.envelope import NewEvent
from ledger.errors import Refusal
from ledger.events import SignInsFailed


class RecordSeries(Command[Result]):
    """``user`` is empty unless the failures are of an account."""

    RECOVERS = True  # of the server's process, whatever the ledger asks of people
    of: Of
    user: str
    failures: int

    def authorise(self, world: World) -> None:
        """Nobody asks for it: it was counted."""

    def decide(self, world: World) -> Decision[Result]:  # noqa: ARG002
        event = SignInsFailed(of=self.of, user=self.user, failures=self.failures)
        return Decision([NewEvent("ledger", event, None, "", self.user)], Result())


def notice(ledger: Ledger, attempt: Attempt, *, interface: str) -> None:
    """After an attempt that failed. Costs the same whoever was meant; that it cannot be recorded fails nothing."""
    for each in attempt.reached:
        if is_first(ledger.database, each):
            user = each.which if each.of == "account" else ""
            command = RecordSeries(of=each.of, user=user, failures=each.most)
            with suppress(Refusal):
                Daybook(ledger, Actor.of_process(interface)).submit(command)
