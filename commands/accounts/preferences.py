"""What each account has chosen: the zone that times are shown in. In no event: nobody else is concerned."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from commands.door.command import Command
from commands.door.permission import require_enabled, require_self
from commands.door.world import Decision, Result, World
from ledger import preferences
from ledger.database import Transaction
from ledger.errors import Refusal

ZONE = "zone"
MAIL = ("mail-requests", "mail-uploads", "mail-digest")
"""Whether mail comes of requests and of uploads, and whether that of a day comes at once: "on" or "off"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesSet(Result):
    """``zone`` None: times are shown in UTC. No receipt keeps it: the command appends nothing."""

    user: str
    zone: str | None
    changed: bool


class SetPreferences(Command[PreferencesSet]):
    """Each for himself or herself. What is None stays as it is; a ``zone`` that is empty is none. ``mail`` are those of
    ``MAIL`` that are said."""

    user: str
    zone: str | None = None
    mail: dict[Literal["mail-requests", "mail-uploads", "mail-digest"], Literal["on", "off"]] = {}

    def authorise(self, world: World) -> None:
        action = f"choose for {self.user}"
        require_enabled(world, action)
        require_self(world, self.user, action)

    def decide(self, world: World) -> Decision[PreferencesSet]:
        before = preferences.of_user(world.transaction, self.user)
        zone = before.get(ZONE) if self.zone is None else checked_zone(self.zone)
        chosen = {ZONE: zone} | {str(name): str(value) for name, value in self.mail.items()}
        changed = any(before.get(name) != value for name, value in chosen.items())
        if changed:
            preferences.write(world.transaction, self.user, chosen)
        return Decision((), PreferencesSet(user=self.user, zone=zone, changed=changed))


def checked_zone(text: str) -> str | None:
    """Raises Refusal for what is no name of a zone; empty is None."""
    name = text.strip()
    if not name:
        return None
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise Refusal(
            "time-zone",
            f'"{name[:100]}" is no time zone that this machine knows.',
            "Give a name such as Europe/Oslo, or UTC.",
        ) from None
    return name


def zone_of(transaction: Transaction, user: str) -> tzinfo:
    """The zone that times are shown in; UTC where none was chosen, or the machine does not know it any more."""
    chosen = preferences.of_user(transaction, user).get(ZONE)
    if chosen is None:
        return UTC
    try:
        return ZoneInfo(chosen)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return UTC
