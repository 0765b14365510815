"""Read a session directory: the table of the systems, and the one function that uses it.

To add a system, write a module with a ``read`` function and add a line to ``READERS``.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from commands.recordings import axona, neuralynx, neurologger, openephys, spikeglx, spikeglx_files
from commands.recordings.clocks import clock_remark
from commands.recordings.clusterings import LISTED as CLUSTERING_ENDINGS
from commands.recordings.disk import (
    HOUSEKEEPING,
    SKIPPED,
    Found,
    Listing,
    check_name,
    file_times,
    list_files,
    shown,
)
from commands.recordings.nearest import ENDINGS as NEAREST_ENDINGS
from commands.recordings.nearest import nothing, too_deep
from commands.recordings.place import Place
from commands.recordings.plausible import checked
from commands.recordings.probes import Contents, session_of
from commands.recordings.session import NotASession, Remark, SessionDirectory, System
from commands.recordings.sessions_txt import MISNAMED, TABLE_NAME, misnamed_sessions_txt


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """``knows`` says whether a file of that name (in lower case) is one that the system is known by. ``endings`` are
    those of all files that the reader looks at; ``flat``: only files directly in the directory make it known."""

    system: System
    known_by: str
    knows: Callable[[str], bool]
    endings: tuple[str, ...]
    flat: bool
    read: Callable[[Place, Sequence[Found]], Contents]


READERS = (
    Reader(
        "neuropixels", "*.ap.meta", spikeglx_files.is_probe_meta, spikeglx_files.ENDINGS, False, spikeglx.read
    ),
    Reader("axona", "*.set", lambda name: name.endswith(".set"), axona.ENDINGS, True, axona.read),
    Reader("neuralynx", "*.ntt", lambda name: name.endswith(".ntt"), (".ntt",), False, neuralynx.read),
    Reader(
        "neurologger",
        "neurologger_header.mat",
        lambda name: name.endswith("neurologger_header.mat"),
        ("neurologger_header.mat",),
        False,
        neurologger.read,
    ),
    Reader(
        "openephys",
        "structure.oebin",
        lambda name: name == "structure.oebin",
        (*openephys.ENDINGS, ".xml"),
        False,
        openephys.read,
    ),
)

_KNOWN_ENDINGS = (".meta", ".set", ".ntt", "neurologger_header.mat", "structure.oebin")

ENDINGS = tuple(
    dict.fromkeys(
        [ending for reader in READERS for ending in reader.endings]
        + [*NEAREST_ENDINGS, TABLE_NAME, *MISNAMED]
    )
)
"""Of every file that says something about a session directory: descriptions, data, what comes near."""


def read_session_directory(
    directory: Path | str,
    *,
    within: Path | str | None = None,
    zone: tzinfo = UTC,
    now: datetime | None = None,
) -> SessionDirectory:
    """Read what a session directory holds: small text files and headers only, never the recorded data.

    ``within`` is the root that linked files may point into (default: the directory itself). Times in UTC are put
    into ``zone``. With ``now`` (naive time of that zone) a start that lies ahead of it gets a remark.
    Raises NotASession or UnreadableSession.
    """
    root = os.fspath(directory)
    return read_listed(root, list_files(root, ENDINGS, within=within), zone=zone, now=now)


def list_session(
    directory: Path | str, *, within: Path | str | None = None, clusterings: bool = True
) -> Listing:
    """All that stage 3 asks of a session directory in one walk: recordings, ``sessions.txt``, clustering outputs."""
    if not clusterings:
        return list_files(directory, ENDINGS, within=within)
    return list_files(directory, (*ENDINGS, *CLUSTERING_ENDINGS), within=within, skipped=HOUSEKEEPING)


def read_listed(
    root: str, listing: Listing, *, zone: tzinfo = UTC, now: datetime | None = None
) -> SessionDirectory:
    """As read_session_directory, for a directory that was listed already."""
    directory_name = root.rstrip(os.sep).rpartition(os.sep)[2]
    if directory_name in ("", ".", ".."):
        directory_name = Path(root).resolve().name or "root"
    place = Place(root, directory_name, _of_recordings(listing), zone, str(zone))
    by_reader: dict[Reader, list[Found]] = {}
    for found in place.listing.found:
        reader = reader_of(found)
        if reader is not None:
            check_name(found.file)
            by_reader.setdefault(reader, []).append(found)
    for reader, files in list(by_reader.items()):
        if reader.flat and all(found.folder for found in files):
            del by_reader[reader]
    if not by_reader:
        raise nothing(place, [f"{r.known_by} ({r.system})" for r in READERS])
    if len(by_reader) > 1:
        raise NotASession(
            "mixed-systems",
            f"{shown(root)} holds recordings of {len(by_reader)} systems: "
            + "; ".join(f"{r.system} ({shown(f[0].file)})" for r, f in by_reader.items())
            + ".",
            "Keep the recordings of one system in one session directory.",
        )
    [(reader, files)] = by_reader.items()
    if reader.system == "openephys" and (part := too_deep(place)):
        raise part
    return _completed(place, session_of(reader.system, directory_name, reader.read(place, files)), now)


def reader_of(found: Found) -> Reader | None:
    """The system that a listed file is known by; None for all other files."""
    lowered = found.name.lower()
    if not lowered.endswith(_KNOWN_ENDINGS):
        return None
    for reader in READERS:
        if reader.knows(lowered):
            return reader
    return None


def _of_recordings(listing: Listing) -> Listing:
    """Without what lies in folders of curated output, which a wider listing entered too."""
    if all(SKIPPED.isdisjoint(folder.lower().split("/")) for folder in listing.folders):
        return listing  # as most are
    return replace(
        listing, found=[f for f in listing.found if SKIPPED.isdisjoint(f.folder.lower().split("/"))]
    )


def _completed(place: Place, session: SessionDirectory, now: datetime | None) -> SessionDirectory:
    """Adds the facts that no single reader can tell."""
    for recording in session.recordings:
        checked(recording, file=recording.file)
    remarks = list(session.remarks)
    if remark := clock_remark(session, now=now):
        remarks.append(remark)
    if misnamed := misnamed_sessions_txt(place.listing):
        what = f"{shown(misnamed)} is not read: rename it to {TABLE_NAME}. Its ending was hidden or changed."
        remarks.append(Remark("sessions-txt-name", misnamed, (misnamed,), what))
    remarks += [
        Remark(
            "linked-folder",
            folder,
            (folder,),
            f"{shown(folder)} is a link to another folder, which is not followed: a recording in it is not taken.",
        )
        for folder in place.listing.linked
    ]
    last_written = _last_written(place, session) if session.acquiring else None
    if not (remarks or session.missing or last_written):
        return session
    checked([session.missing, remarks], file=place.name)
    return replace(session, remarks=tuple(remarks), last_written=last_written)


def _last_written(place: Place, session: SessionDirectory) -> datetime | None:
    """When the files beside the open recordings' metas were last modified."""
    newest = 0.0
    for folder in {r.file.rpartition("/")[0] for r in session.recordings if r.acquiring}:
        names = [found.name for found in place.listing.found if found.folder == folder]
        newest = max([newest, *file_times(place.root, folder, names).values()])
    return datetime.fromtimestamp(newest, tz=UTC) if 0 < newest < 1e11 else None
