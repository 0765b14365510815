"""What becomes of the clusterings that stand on sessions which a correction replaces. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from commands.intake.insertion import SessionOutcome
from ledger.events import SessionInserted, SessionWaiting
from projections.records import Clustering


@dataclass(frozen=True, slots=True)
class Dependent:
    """A clustering that stands on replaced sessions, or is replaced itself, and what ``becomes`` of it: replaced,
    inserted-anew (with its session), carried-over or deleted."""

    row: Clustering
    stands_on: tuple[int, ...]
    becomes: str
    reason: str = ""


def with_fates(
    dependents: Iterable[Dependent],
    *,
    subject: str,
    outcomes: Mapping[int, SessionOutcome | None],
    replaced: Collection[int],
) -> list[Dependent]:
    """``subject`` is that of the corrected file; ``outcomes`` are by the number of the replaced session, and None where
    the disk was not read; ``replaced`` are the multi-session clusterings that the file itself changes."""
    return [
        replace(dependent, becomes=becomes, reason=reason)
        for dependent in dependents
        for becomes, reason in (_fate(dependent, subject, outcomes, replaced),)
    ]


def _fate(
    dependent: Dependent,
    subject: str,
    outcomes: Mapping[int, SessionOutcome | None],
    replaced: Collection[int],
) -> tuple[str, str]:
    row = dependent.row
    if row.id in replaced:
        return "replaced", ""
    if row.session is not None:
        return _with_its_session(row, outcomes[row.session])
    if row.subject != subject:
        moved = ", ".join(f"s{number}" for number in dependent.stands_on)
        here, there = row.subject.partition("/")[2], subject.partition("/")[2]
        return "deleted", f"it is of subject {here}, and {moved} would be of subject {there}"
    waits = [f"s{number}" for number in dependent.stands_on if not _is_inserted(outcomes[number])]
    return "carried-over", f"waits for {', '.join(waits)}" if waits else ""


def _with_its_session(row: Clustering, outcome: SessionOutcome | None) -> tuple[str, str]:
    if outcome is not None and isinstance(outcome.event, SessionWaiting):
        return "inserted-anew", "when the session is inserted"
    if outcome is None or row.location in {clustering.location for clustering in outcome.clusterings}:
        return "inserted-anew", ""
    return "deleted", "the corrected entry has none there"


def _is_inserted(outcome: SessionOutcome | None) -> bool:
    return outcome is None or isinstance(outcome.event, SessionInserted)
