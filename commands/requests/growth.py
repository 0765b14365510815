"""What has come to stand on the records of a request since its impact was shown."""

from dataclasses import dataclass
from typing import Any

from commands.door.world import Decision, Result, World
from commands.requests.impact import Impact, impact_at
from commands.requests.naming import name_of, rows_of, some_of
from commands.requests.rules import request_event
from ledger.errors import NextStep, Refusal
from ledger.events import DeletionImpactGrown
from ledger.plurals import plural
from projections.records import Deletion


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactGrown(Result):
    """Why an approval was not carried out. ``records`` are the records that would go beyond what was shown, each with
    its owner (``c56 of user_2``), ``tasks`` how many tasks."""

    ok: bool = False
    request: str
    records: list[str]
    tasks: int

    def refusal(self) -> Refusal:
        return impact_grown(int(self.request[1:]), {"records": self.records, "tasks": self.tasks})


def refused_growth(
    world: World, row: Deletion, impact: Impact, *, accept_impact: bool
) -> Decision[ImpactGrown] | None:
    """Where more would go than was requested, or than was shown and accepted: what was shown now is on record, and
    the result says what has been added.
    """
    shown = impact_at(world, row.shown_position)
    accepted = shown if accept_impact else impact_at(world, row.id)
    if not impact.exceeds(accepted):
        return None
    more = added(world, impact, accepted)
    grown = ImpactGrown(request=f"d{row.id}", records=more["records"], tasks=more["tasks"])
    if not impact.exceeds(shown):
        return Decision((), grown)
    event = request_event(row, DeletionImpactGrown(impact=impact.plain()))
    return Decision([event], grown, correlation=f"d{row.id}")


def added(world: World, impact: Impact, shown: dict[str, Any]) -> dict[str, Any]:
    """What an impact holds that an earlier one did not: ``{"records": ["c56 of user_2"], "tasks": 0}``."""
    sessions, clusterings = impact.beyond(shown)
    rows = rows_of(world, sessions, clusterings)
    records = [f"{name_of(row)} of {row.username}" for row in rows]
    return {"records": records, "tasks": max(0, impact.tasks - int(shown["tasks"]))}


def impact_grown(number: int, grown: dict[str, Any]) -> Refusal:
    return Refusal(
        "impact-grown",
        f"d{number} would now take more than was shown: {told_growth(grown)}.",
        "Look at it, then accept just that",
        NextStep("show-request", f"d{number}"),
        NextStep("approve-request", f"d{number}", {"accept_impact": "yes"}),
    )


def told_growth(grown: dict[str, Any]) -> str:
    """``c56 of user_2, and 2 tasks more``."""
    tasks = grown["tasks"]
    parts = [some_of(grown["records"])] if grown["records"] else []
    parts += [f"{plural(tasks, 'more task')}"] if tasks else []
    return ", and ".join(parts)
