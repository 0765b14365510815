"""Check a whole ledger: its facts (``ledger.verify``), and that its lists are what the events add up to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from commands.door.freshness import check_schema
from ledger.database import Database
from ledger.errors import IntegrityFailure
from ledger.verify import Report, examine
from projections.comparing import COMPARED_BY_DEFAULT, compare

_Progress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Checked:
    """``lists``: whether they were compared with the events; what was not compared is not said to hold."""

    report: Report
    lists: bool


def check_ledger(
    url: str,
    *,
    kept: Sequence[str] = (),
    lists: bool | None = None,
    progress: _Progress = _silent,
    comparing: _Progress = _silent,
) -> Checked:
    """Check everything as of one moment. ``lists``: whether to compare them; None: where the ledger has no more than
    ``COMPARED_BY_DEFAULT`` events. ``kept`` are checkpoints that were out of the owner's reach.

    Raises LedgerUnavailable where the ledger cannot be read at all, CheckpointError for a text that is none.
    """
    database = Database(url)
    try:
        with database.reading() as transaction:
            check_schema(transaction)
            report = examine(transaction, url, kept=kept, progress=progress)
            if lists is None:
                lists = report.events <= COMPARED_BY_DEFAULT
            if lists:
                try:
                    report.problems += compare(transaction, comparing)
                except IntegrityFailure:  # of the head row, which says which lists are live: that is reported
                    if report.ok:
                        raise
                    lists = False
    finally:
        database.close()
    return Checked(report, lists)


def first_damage(url: str) -> str | None:
    """What does not hold, as a sentence for a reader that stumbled over it."""
    problems = check_ledger(url).report.problems
    if not problems:
        return None
    where = "" if problems[0].position is None else f"position {problems[0].position}: "
    return f"{where}{problems[0].message}"
