"""Read a session directory: the table of the systems, and the one function that uses it.

To add a system, write a module with a ``read`` function and add a line to ``READERS``.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands.recordings import axona, neuralynx, neurologger, openephys, spikeglx
from commands.recordings.clusterings import ENDINGS as CLUSTERING_ENDINGS
from commands.recordings.disk import HOUSEKEEPING, SKIPPED, Found, Listing, list_files, shown
from commands.recordings.session import (
    NotASession,
    Recording,
    SessionDirectory,
    System,
    session_of,
)
from commands.recordings.sessions_txt import TABLE_NAME


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A file whose name ends so (in lower case) tells the system; ``flat``: only directly in there."""

    system: System
    known_by: str
    ending: str
    flat: bool
    read: Callable[[str, str, Sequence[Found]], list[Recording]]


READERS = (
    Reader("neuropixels", "*.ap.meta", ".ap.meta", False, spikeglx.read),
    Reader("axona", "*.set", ".set", True, axona.read),
    Reader("neuralynx", "*.ntt", ".ntt", False, neuralynx.read),
    Reader("neurologger", "neurologger_header.mat", "neurologger_header.mat", False, neurologger.read),
    Reader("openephys", "structure.oebin", "structure.oebin", False, openephys.read),
)

ENDINGS = tuple(reader.ending for reader in READERS)


def read_session_directory(directory: Path | str, *, within: Path | str | None = None) -> SessionDirectory:
    """Read what a session directory holds: small text files and headers only, never the recorded data.

    ``within`` is the root that linked files may point into (default: the directory itself).
    Raises NotASession or UnreadableSession.
    """
    root = os.fspath(directory)
    return read_listed(root, list_files(root, ENDINGS, within=within))


def list_session(
    directory: Path | str, *, within: Path | str | None = None, clusterings: bool = True
) -> Listing:
    """All that stage 3 asks of a session directory in one walk: recordings, ``sessions.txt``, clustering outputs."""
    if not clusterings:
        return list_files(directory, (*ENDINGS, TABLE_NAME), within=within)
    return list_files(
        directory, (*ENDINGS, TABLE_NAME, *CLUSTERING_ENDINGS), within=within, skipped=HOUSEKEEPING
    )


def read_listed(root: str, listing: Listing) -> SessionDirectory:
    """As read_session_directory, for a directory that was listed already."""
    directory_name = root.rstrip(os.sep).rpartition(os.sep)[2]
    if directory_name in ("", ".", ".."):
        directory_name = Path(root).resolve().name or "root"
    by_reader: dict[Reader, list[Found]] = {}
    for found in listing.found:
        reader = _reader_of(found)
        if reader is not None and (found.folder == "" or not reader.flat):
            by_reader.setdefault(reader, []).append(found)
    if not by_reader:
        raise _nothing(root, listing)
    if len(by_reader) > 1:
        raise NotASession(
            "mixed-systems",
            f"{shown(root)} holds recordings of {len(by_reader)} systems: "
            + "; ".join(f"{r.system} ({shown(f[0].file)})" for r, f in by_reader.items())
            + ".",
            "Keep the recordings of one system in one session directory.",
        )
    [(reader, files)] = by_reader.items()
    return session_of(reader.system, directory_name, reader.read(root, directory_name, files))


def _reader_of(found: Found) -> Reader | None:
    """The system that a listed file is known by; None for what a wider listing found besides."""
    lowered = found.name.lower()
    if not lowered.endswith(ENDINGS) or not SKIPPED.isdisjoint(found.folder.lower().split("/")):
        return None
    return next(reader for reader in READERS if lowered.endswith(reader.ending))


def _nothing(root: str, listing: Listing) -> NotASession:
    """Say what was looked for, and what is there that comes near."""
    hint = "A session directory holds " + ", ".join(f"{r.known_by} ({r.system})" for r in READERS) + "."
    deeper = [found.file for found in listing.found if _reader_of(found) is not None]
    if deeper:
        hint = (
            f"{shown(deeper[0])} lies in a subfolder; the recordings of its system lie directly in their "
            "session directory. Give that folder, or move the files up."
        )
    elif listing.linked:
        hint += f" Links to folders are not followed: {', '.join(map(shown, listing.linked[:3]))}."
    return NotASession(
        "no-recordings",
        f"{shown(root)} holds no recording of a known system ({listing.seen:,} files and folders looked at).",
        hint,
    )
