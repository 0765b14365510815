"""Read wireless neurologger (Deuteron) recordings, known by their ``neurologger_header.mat``.

What the MATLAB file holds is not documented, so only its standard text header is read: 116 bytes that end
with ``Created on: Wed Jun 17 15:02:11 2020`` (MAT-File Format, MathWorks). That is when the header was
written, after the recording. The start of the recording is therefore taken, in this order, from a date and
time in the name of the directory (``2020-06-17_12-35-40``) or from that text; both are ``start_inferred``.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from commands.recordings.calendar_text import local_time
from commands.recordings.disk import Found, read_file, shown
from commands.recordings.session import Recording, UnreadableSession

_HEADER_TEXT_BYTES = 116

_IN_NAME = re.compile(r"(?<!\d)(\d{4})-(\d\d)-(\d\d)[_T -](\d\d)[-.:](\d\d)[-.:](\d\d)(?!\d)")
_CREATED = re.compile(
    r"Created on: [A-Za-z]{3} ([A-Za-z]{3}) {1,2}(\d{1,2}) (\d{1,2}:\d{2}:\d{2}) (\d{4})", re.ASCII
)


def read(directory: str, directory_name: str, found: Sequence[Found]) -> list[Recording]:
    """The recording of each header. Raises UnreadableSession."""
    recordings = []
    for header in found:
        name = header.folder.rpartition("/")[2] or directory_name
        data = read_file(directory, header.file, limit=_HEADER_TEXT_BYTES, head=True)
        start = _from_name(name) or _from_name(directory_name) or _created(data)
        if start is None:
            raise UnreadableSession(
                "no-start",
                f"{shown(header.file)} does not say when it was created, and neither does the name of its "
                f"directory, {shown(name)}.",
                "Name the session directory after the start of the recording, such as 2020-06-17_12-35-40.",
            )
        recordings.append(
            Recording(system="neurologger", name=name, file=header.file, start=start, start_inferred=True)
        )
    return recordings


def _from_name(name: str) -> datetime | None:
    match = _IN_NAME.search(name)
    return local_time(match[1], match[2], match[3], ":".join(match.groups()[3:])) if match else None


def _created(data: bytes) -> datetime | None:
    match = _CREATED.search(data.decode("latin-1"))
    return local_time(match[4], match[1], match[2], match[3]) if match else None
