"""Read the headers of Neuralynx ``*.ntt`` files: one recording per directory. Never reads beyond the header.

The first 16 kB of a file are text. It says when the file was opened, in one of these forms, and often when
it was closed. A header names no probe, and does not tell whether the recording is still going on::

    ## Time Opened: (m/d/y): 10/4/2003  At Time: 10:3:0.578            Cheetah before 5
    ## Time Opened (m/d/y): 11/28/2016  (h:m:s.ms) 21:50:33.322        Cheetah 5 to 5.6.4
    -TimeCreated 2019/07/12 13:21:32                                   later, and Pegasus

Where no header says it, the start is taken from the name of the directory (``2019-07-12_13-21-32``, as Cheetah calls
it), and is inferred; where that says nothing either, it is None.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from commands.recordings.calendar_text import local_time, time_in_name
from commands.recordings.disk import OF_THE_SYSTEM, Found, read_file, shown
from commands.recordings.place import Place
from commands.recordings.probes import Contents
from commands.recordings.session import Missing, Recording, UnreadableSession

HEADER_BYTES = 16_384
MAX_TETRODES = 1_024

_OLD = (
    r"##[ \t]*(?:Time|Date) %s:?[ \t]*\((?:m/d/y|mm/dd/yyy)\):[ \t]*(\d{1,2})/(\d{1,2})/(\d{2,4})[ \t]+"
    r"(?:\(h:m:s\.ms\)|At Time:)[ \t]*([\d:.]+)"
)
_NEW = r"(?m)^[ \t]*-Time%s[ \t]+(\d{4})/(\d{1,2})/(\d{1,2})[ \t]+([\d:.]+)"
_OPENED_OLD, _CLOSED_OLD = re.compile(_OLD % "Opened"), re.compile(_OLD % "Closed")
_OPENED, _CLOSED = re.compile(_NEW % "Created"), re.compile(_NEW % "Closed")


def read(place: Place, found: Sequence[Found]) -> Contents:
    """One recording per directory, from the headers of all its tetrodes. Raises UnreadableSession."""
    recordings: list[Recording] = []
    missing: list[Missing] = []
    for folder, files in groupby(found, key=lambda f: f.folder):
        recording, broken = _recording(place, folder, list(files))
        missing += broken
        if recording is not None:
            recordings.append(recording)
    if not recordings:
        raise UnreadableSession(missing[0].code, missing[0].message, missing[0].hint)
    return Contents(tuple(recordings), tuple(missing))


def _recording(place: Place, folder: str, files: Sequence[Found]) -> tuple[Recording | None, list[Missing]]:
    name = folder.rpartition("/")[2] or place.name
    if len(files) > MAX_TETRODES:
        raise UnreadableSession(
            "too-many-files", f"{shown(folder or name)} holds {len(files):,} .ntt files.", ""
        )
    times: list[tuple[datetime, datetime | None]] = []
    undated: list[str] = []
    missing: list[Missing] = []
    for one in files:
        try:
            data = read_file(place.root, one.file, limit=HEADER_BYTES, head=True, listing=place.listing)
            times.append(parse_header(data, file=one.file))
        except UnreadableSession as problem:
            if problem.code in OF_THE_SYSTEM:
                raise
            if problem.code == "missing-key":
                undated.append(one.file)
            else:
                missing.append(Missing(one.file, problem.code, (one.file,), problem.message, problem.hint))
    if not times and not undated:
        return None, missing
    start = min((opened for opened, _ in times), default=None)
    source, inferred = files[0].file, False
    if start is None:
        named = next((n for n in (name, place.name) if time_in_name(n)), None)
        start, source, inferred = time_in_name(named or ""), f"folder {named or name}", True
    ends = [closed for opened, closed in times if closed is not None and closed > opened]
    whole = start is not None and ends and len(ends) == len(times) and not undated
    recording = Recording(
        system="neuralynx",
        name=name,
        file=files[0].file,
        start=start,
        start_inferred=inferred,
        start_source=source if start is not None else None,
        duration_s=(max(ends) - start).total_seconds() if whole and start is not None else None,
    )
    return recording, missing


def parse_header(data: bytes, *, file: str) -> tuple[datetime, datetime | None]:
    """When the file was opened and closed (None where the header does not say). Raises UnreadableSession."""
    text = data[:HEADER_BYTES].decode("latin-1")
    opened = _time(text, _OPENED, _OPENED_OLD)
    if opened is None:
        raise UnreadableSession(
            "missing-key" if text.startswith("####") else "not-a-neuralynx-file",
            f'{shown(file)} has no usable start time: no "-TimeCreated" or "## Time Opened" in its header.',
            "Copy the file again; if it was written so, say when the recording began.",
        )
    return opened, _time(text, _CLOSED, _CLOSED_OLD)


def _time(text: str, new: re.Pattern[str], old: re.Pattern[str]) -> datetime | None:
    if match := new.search(text):
        return local_time(match[1], match[2], match[3], match[4])
    if match := old.search(text):
        return local_time(match[3], match[1], match[2], match[4])
    return None
