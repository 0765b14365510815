"""After a redaction: write anew what archives hold of it, as far as they can be reached from here; say what is left.

The ledger knows where its archives lie. What somebody copied from there it does not know.
"""

from dataclasses import dataclass
from pathlib import Path
from socket import gethostname

from commands.analysis.creating import write_anew
from commands.analysis.ranges import range_of
from commands.door.submit import Daybook
from ledger import archives
from ledger.archives import Archive
from ledger.errors import Refusal

_WAIT_S = 60.0  # for another run, which may have passed the file already


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveReached:
    """The ``file`` of an archive that held what was redacted. ``written`` anew without it; else ``problem`` says why
    that has to be done yet, at its ``host``."""

    host: str
    folder: str
    file: str
    written: bool
    problem: str | None


def reached(daybook: Daybook, position: int) -> list[ArchiveReached]:
    """Each archive that held the event at this position, which was redacted."""
    with daybook.database.reading() as transaction:
        known = [archive for archive in archives.known(transaction) if position <= archive.archived_to]
    return [_reached(daybook, archive, position) for archive in known]


def _reached(daybook: Daybook, archive: Archive, position: int) -> ArchiveReached:
    folder = Path(archive.folder)
    file, problem = range_of(position, archive.events).file(folder).name, None
    if archive.host != gethostname():
        problem = f"It lies on {archive.host}."
    else:
        try:
            if file not in [made.file for made in write_anew(daybook, folder, [position], wait_s=_WAIT_S)]:
                problem = f"{file} is not there: is its disk not mounted, or was it moved?"
        except Refusal as refusal:
            problem = refusal.message
    return ArchiveReached(
        host=archive.host, folder=archive.folder, file=file, written=problem is None, problem=problem
    )
