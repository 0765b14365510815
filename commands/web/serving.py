"""What lives as long as the server: the ledger, its settings, and how it is reached."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from commands.accounts.server_key import ServerKey
from commands.answers.asking import Asking
from commands.door.actor import Actor
from commands.door.ledger import Ledger
from commands.door.settings import Settings
from commands.door.submit import Daybook
from commands.web.measuring import Measures
from commands.web.verifying import Verifying
from ledger.moments import Moment

if TYPE_CHECKING:
    from commands.web.posting import Posting
    from commands.web.working import Working

INTERFACE = "api"


def _signing_nothing() -> None:
    """Where the signing key is: at no place that a server reaches."""


@dataclass
class Serving:
    """``folder`` is where a SQLite ledger lies, None for another. ``proxies`` are the addresses whose word about a
    client is believed. ``working`` does stage 3; None where workers elsewhere do. ``address`` is where it listens, once
    it does."""

    ledger: Ledger
    settings: Settings
    key: ServerKey
    folder: Path | None = None
    proxies: frozenset[str] = field(default_factory=frozenset)
    working: "Working | None" = None
    posting: "Posting | None" = None
    measures: Measures = field(default_factory=Measures)
    address: str | None = None
    stopping: Event = field(default_factory=Event)
    """Set when the server ends: what waits for something new waits no longer."""
    verifying: Verifying = field(default_factory=Verifying)

    @property
    def public_url(self) -> str | None:
        """What links are made of: never what a request says about where it was sent."""
        return self.settings.public_url or self.address

    def daybook(self, actor: Actor) -> Daybook:
        return Daybook(self.ledger, actor)

    def asking(self, actor: Actor, as_of: Moment | None = None) -> Asking:
        settings = self.settings
        return Asking(
            self.daybook(actor), settings.db, settings.roots, settings.limits, _signing_nothing,
            settings.checkpoints, as_of, self.public_url,
        )  # fmt: skip
