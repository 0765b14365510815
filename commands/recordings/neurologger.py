"""Read wireless neurologger (Deuteron) recordings, known by their ``neurologger_header.mat``.

What the MATLAB file holds is not documented, so only its standard text header is read: 116 bytes that end
with ``Created on: Wed Jun 17 15:02:11 2020`` (MAT-File Format, MathWorks). That is when the header was
written, after the recording. The start of the recording is therefore taken, in this order, from a date and
time in the name of the directory (``2020-06-17_12-35-40``) or from that text; both are ``start_inferred``. Where
neither says it, it is None: a person has to.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from commands.recordings.calendar_text import local_time, time_in_name
from commands.recordings.disk import Found, read_file
from commands.recordings.place import Place
from commands.recordings.probes import Contents, read_each
from commands.recordings.session import Recording

_HEADER_TEXT_BYTES = 116

_CREATED = re.compile(
    r"Created on: [A-Za-z]{3} ([A-Za-z]{3}) {1,2}(\d{1,2}) (\d{1,2}:\d{2}:\d{2}) (\d{4})", re.ASCII
)


def read(place: Place, found: Sequence[Found]) -> Contents:
    """The recording of each header. Raises UnreadableSession."""
    return read_each(found, lambda header: _recording(place, header), place.named)


def _recording(place: Place, header: Found) -> Recording:
    name = place.named(header)
    data = read_file(place.root, header.file, limit=_HEADER_TEXT_BYTES, head=True, listing=place.listing)
    named = next((n for n in (name, place.name) if time_in_name(n)), None)
    start = time_in_name(named) if named else _created(data)
    source = f"folder {named}" if named else header.file
    return Recording(
        system="neurologger",
        name=name,
        file=header.file,
        start=start,
        start_inferred=True,
        start_source=source if start is not None else None,
    )


def _created(data: bytes) -> datetime | None:
    match = _CREATED.search(data.decode("latin-1"))
    return local_time(match[4], match[1], match[2], match[3]) if match else None
