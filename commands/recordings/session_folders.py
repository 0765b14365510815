"""Tell which folders under a directory are sessions, and which are probes or runs. From names only.

Recordings may lie at any depth in a session, so a subject's folder holds them as well as a session's does. A
recording's session is found by going up from its file: past folders named after a probe, a stream or a record
node; to the nearest folder with a ``sessions.txt``, where there is one; and from SpikeGLX run folders
(``run_g0``, ``catgt_run_g0``) to the folder above, where that holds a single run.
"""

import re
from collections.abc import Iterable

_PART_OF_SESSION = re.compile(
    r"probe[ _-]?\w+|(.*[_-])?imec\d*|record[ _]node[ _]?\d*|experiment\d+|recording\d+"
    r"|raw|raw_ephys_data|ephys|neuropixels|npx|spikeglx|openephys",
    re.IGNORECASE,
)
_RUN = re.compile(r"(?:catgt_|supercat_)?(.+)_g\d+", re.IGNORECASE)


def is_part_of_session(name: str) -> bool:
    """Whether a folder of this name is one part of a session: that of a probe, a stream, a record node."""
    return _PART_OF_SESSION.fullmatch(name) is not None


def session_folders(recording_folders: Iterable[str], table_folders: Iterable[str]) -> list[str]:
    """The folders that are sessions, sorted; ``""`` is the directory itself.

    ``recording_folders`` hold recordings and ``table_folders`` a ``sessions.txt``; paths are relative to the
    directory, with ``/``.
    """
    with_table = set(table_folders)
    folders = {_session_of(folder, with_table) for folder in recording_folders}
    runs: dict[str, set[str]] = {}
    for folder in folders - with_table:
        parent, _, name = folder.rpartition("/")
        if parent and (match := _RUN.fullmatch(name)):
            runs.setdefault(parent, set()).add(match[1])
    single = {parent for parent, names in runs.items() if len(names) == 1}
    folders = {parent if (parent := folder.rpartition("/")[0]) in single else folder for folder in folders}
    return sorted(folder for folder in folders if not any(above in folders for above in _above(folder)))


def _session_of(folder: str, with_table: set[str]) -> str:
    for candidate in (folder, *_above(folder)):
        if candidate in with_table:
            return candidate
    parts = folder.split("/") if folder else []
    while parts and is_part_of_session(parts[-1]):
        parts.pop()
    return "/".join(parts)


def _above(folder: str) -> list[str]:
    """The folders above one, nearest first, down to ``""``."""
    above = []
    while folder:
        folder = folder.rpartition("/")[0]
        above.append(folder)
    return above
