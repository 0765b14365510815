"""What a reason is told with, whatever the record: a message, the records it speaks of, and what would move it on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.requests.impact import STANDING
from commands.requests.naming import name_of
from ledger.errors import NextStep
from projections.lines import ClusteringLine, SessionLine

LISTED = 10
WORK = NextStep("work")


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another record that the answer speaks of."""

    ref: str
    status: str
    message: str | None


@dataclass(slots=True)
class Told:
    message: str
    steps: Sequence[NextStep] = ()
    related: list[Related] = field(default_factory=list)
    reason: str | None = None


def related_to(line: SessionLine | ClusteringLine) -> Related:
    ref = line.session if isinstance(line, SessionLine) else line.clustering
    return Related(ref=ref, status=line.status, message=line.message)


def standing_in_place(rows: Any, number: int) -> Related | None:
    """The record that stands where this one was, over as many corrections as there were."""
    row = rows.get(number)
    while row is not None and row.replaced_by is not None and row.replaced_by > row.id:
        row = rows.get(row.replaced_by)
        if row is not None and row.status in STANDING:
            return Related(ref=name_of(row), status=row.status, message=row.message)
    return None
