"""Who did how much, counted. Reads the ledger; appends nothing. What each column counts: ``projections.audit``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from projections.audit import By
from projections.audit import audit as count

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Sessions and clusterings are counted singly."""

    uploads: int
    rejected: int
    sessions_inserted: int
    clusterings_inserted: int
    failures: int
    completions: int
    withdrawals: int
    requests: int
    deletions: int
    corrections: int
    restores: int
    redactions: int
    refusals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsOf(Counts):
    """``key`` is the user, subject, project, week (its Monday), month (``2026-01``) or authentication; null for
    what is of none."""

    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """``by`` is what the rows are of, null for totals alone. From the day ``since`` on and before the day ``until``,
    both in UTC and counted whole; null for no limit. In ``total`` every event counts once."""

    by: By | None
    since: str | None
    until: str | None
    position: int
    rows: list[CountsOf]
    total: Counts


def audit(world: "World", by: By | None, *, since: str = "", until: str = "") -> Audit:
    """``since`` and ``until`` are days (``2026-01-31``), empty for no limit."""
    found = count(world.transaction, world.head.live_slot, by, since=since, until=until)
    return Audit(
        by=by,
        since=since or None,
        until=until or None,
        position=world.head.size,
        rows=[CountsOf(key=line.key, **line.counts) for line in found.lines],
        total=Counts(**found.total),
    )
