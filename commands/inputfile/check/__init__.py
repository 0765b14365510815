"""Stage 2: the values of an input file against what the ledger knows, and its paths against the disk.

Pure but for the disk, which it only looks at. A duplicate (its location is held by whomever, or its group_name by
the same subject) is not processed further, so nothing else of it is checked: a value that was retired since, or a
directory that was archived, must not block a file that grows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from commands.inputfile.check.checked import Checked, CheckedClustering, CheckedSession, SessionReference
from commands.inputfile.check.clusterings import Clusterings
from commands.inputfile.check.places import Places
from commands.inputfile.check.said import Said
from commands.inputfile.check.sessions import Sessions
from commands.inputfile.check.values import Values
from commands.inputfile.entries import InputFile
from commands.inputfile.known import Known
from commands.inputfile.limits import DEFAULT_LIMITS, Limits
from commands.recordings.roots import Roots
from commands.recordings.search import Search

__all__ = ["Checked", "CheckedClustering", "CheckedSession", "SessionReference", "check"]


def check(
    input_file: InputFile,
    known: Known,
    roots: Roots,
    *,
    position: Callable[[str], tuple[int, int] | None],
    left_out_names: Iterable[str] = (),
    find: Callable[[str], object] | None = None,
    cut: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    now: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
    beside: Sequence[CheckedSession] = (),
) -> Checked:
    """Check what stage 1 made of a file.

    ``position``, ``left_out_names`` and ``cut`` are those of the ReadResult. ``find`` looks for a location on disk
    and raises LocationError; by default it is a new ``Search`` over the roots. ``now`` is naive, in the lab's zone;
    without it no curation_time counts as in the future. ``beside`` are sessions of the file that are not checked, and
    that clusterings may stand on.
    """
    said = Said(position, cut, limits)
    places = Places(said, roots, find or Search(roots).directory)
    values = Values(said, input_file.subject, known)
    clusterings = Clusterings(said, places, values, input_file.subject, known, now)
    sessions = Sessions(said, places, values, clusterings, known).all_of(input_file.sessions)
    unread = {*left_out_names, *(entry.name for entry in input_file.sessions if entry.name is not None)}
    groups = clusterings.multi_session(input_file.clustering, [*sessions, *beside], unread)
    duplicates = sum(entry.duplicate_of is not None for entry in sessions)
    duplicates += sum(entry.duplicate_of is not None for entry in groups)
    entries = len(input_file.sessions) + len(input_file.clustering)
    values.subject(input_file.subject, has_news=not entries or duplicates < entries)
    return Checked(tuple(sessions), tuple(groups), *said.gathered.kept())
