"""Read the headers of Neuralynx ``*.ntt`` files: one recording per directory. Never reads beyond the header.

The first 16 kB of a file are text. It says when the file was opened, in one of these forms, and often when
it was closed. A header names no probe, and does not tell whether the recording is still going on::

    ## Time Opened: (m/d/y): 10/4/2003  At Time: 10:3:0.578            Cheetah before 5
    ## Time Opened (m/d/y): 11/28/2016  (h:m:s.ms) 21:50:33.322        Cheetah 5 to 5.6.4
    -TimeCreated 2019/07/12 13:21:32                                   later, and Pegasus
"""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from commands.recordings.calendar_text import local_time
from commands.recordings.disk import Found, read_file, shown
from commands.recordings.session import Recording, UnreadableSession

HEADER_BYTES = 16_384
MAX_TETRODES = 1_024

_OLD = (
    r"##[ \t]*(?:Time|Date) %s:?[ \t]*\((?:m/d/y|mm/dd/yyy)\):[ \t]*(\d{1,2})/(\d{1,2})/(\d{2,4})[ \t]+"
    r"(?:\(h:m:s\.ms\)|At Time:)[ \t]*([\d:.]+)"
)
_NEW = r"(?m)^[ \t]*-Time%s[ \t]+(\d{4})/(\d{1,2})/(\d{1,2})[ \t]+([\d:.]+)"
_OPENED_OLD, _CLOSED_OLD = re.compile(_OLD % "Opened"), re.compile(_OLD % "Closed")
_OPENED, _CLOSED = re.compile(_NEW % "Created"), re.compile(_NEW % "Closed")


def read(directory: str, directory_name: str, found: Sequence[Found]) -> list[Recording]:
    """One recording per directory, from the headers of all its tetrodes. Raises UnreadableSession."""
    recordings = []
    for folder, files in groupby(found, key=lambda f: f.folder):
        recordings.append(_recording(directory, folder.rpartition("/")[2] or directory_name, list(files)))
    return recordings


def _recording(directory: str, name: str, files: Sequence[Found]) -> Recording:
    if len(files) > MAX_TETRODES:
        raise UnreadableSession(
            "too-many-files", f"{shown(files[0].folder or name)} holds {len(files):,} .ntt files.", ""
        )
    times = [
        parse_header(read_file(directory, f.file, limit=HEADER_BYTES, head=True), file=f.file) for f in files
    ]
    start = min(opened for opened, _ in times)
    ends = [closed for opened, closed in times if closed is not None and closed > opened]
    return Recording(
        system="neuralynx",
        name=name,
        file=files[0].file,
        start=start,
        duration_s=(max(ends) - start).total_seconds() if len(ends) == len(times) else None,
    )


def parse_header(data: bytes, *, file: str) -> tuple[datetime, datetime | None]:
    """When the file was opened and closed (None where the header does not say). Raises UnreadableSession."""
    text = data[:HEADER_BYTES].decode("latin-1")
    opened = _time(text, _OPENED, _OPENED_OLD)
    if opened is None:
        raise UnreadableSession(
            "missing-key" if text.startswith("####") else "not-a-neuralynx-file",
            f'{shown(file)} has no usable start time: no "-TimeCreated" or "## Time Opened" in its header.',
            "Copy the file again from the acquisition computer.",
        )
    return opened, _time(text, _CLOSED, _CLOSED_OLD)


def _time(text: str, new: re.Pattern[str], old: re.Pattern[str]) -> datetime | None:
    if match := new.search(text):
        return local_time(match[1], match[2], match[3], match[4])
    if match := old.search(text):
        return local_time(match[3], match[1], match[2], match[4])
    return None
