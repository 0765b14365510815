"""What can be done with a record, what somebody may not do, and who may or can grant it. Appends nothing.

The rules are those of ``commands.door.permission``, told before anything is tried.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commands.answers.record import Record, SessionRecord, UploadRecord
from commands.door.permission import DISABLED, role_of
from ledger.errors import NextStep

if TYPE_CHECKING:
    from commands.door.world import World

MOST = 5  # admins that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class MayNot:
    """``what`` cannot be done by whoever asks; ``needed`` is the role, or to be the owner; ``ask`` are those who have
    it or can grant it, the first few of them."""

    what: str
    needed: str
    ask: list[str]


def further(record: Record) -> list[NextStep]:
    """What can be done with a record besides what moves it on."""
    ref = NextStep("request-deletion", record.ref)
    if isinstance(record, UploadRecord):
        return [] if record.status == "rejected" else [NextStep("request-correction", record.ref), ref]
    if record.status == "inserted":
        own = [NextStep("add-clustering", record.ref)] if isinstance(record, SessionRecord) else []
        return [*own, NextStep("request-correction", record.ref), ref]
    return [NextStep("withdraw", record.ref)] if record.status in ("waiting", "pending") else []


def may_not(world: "World", owner: str | None) -> list[MayNot]:
    """Of a record of this owner."""
    role = role_of(world, world.actor)
    granted = world.state.users.where("role = ? AND account <> ?", ["admin", DISABLED])
    admins = [row.username for row in granted if row.username != "everyone"][:MOST]
    found = []
    if role not in ("researcher", "admin"):
        found.append(MayNot(what="Change anything", needed="the role researcher", ask=admins))
    elif role != "admin" and owner is not None and owner != world.actor:
        found.append(
            MayNot(
                what="Complete or withdraw it",
                needed=f"to be {owner}, or the role admin",
                ask=[owner, *admins],
            )
        )
    if role != "admin":
        found.append(MayNot(what="Approve what was asked for", needed="the role admin", ask=admins))
    return found
