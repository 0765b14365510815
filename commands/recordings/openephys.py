"""Read Open Ephys recordings in the binary format, known by their ``structure.oebin``. Never opens the data.

``structure.oebin`` (JSON) lists the streams of one recording. The ``settings.xml`` of the record node above
has the date on which the experiment began, in local time, and the probes in the order of their streams
(https://open-ephys.github.io/gui-docs/User-Manual/Recording-data/Binary-format.html). A later recording of
an experiment has no start of its own: it is None.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from commands.recordings.calendar_text import local_time
from commands.recordings.disk import Found, read_file, shown
from commands.recordings.session import Recording, UnreadableSession

FILE_LIMIT = 32 << 20

_DATE = re.compile(rb"<DATE>\s*(\d{1,2})\s+([A-Za-z]{3,9})\s+(\d{4})\s+([\d:]{5,8})\s*</DATE>")
_PROBE = re.compile(rb"<NP_PROBE\b([^<>]*)>")
_SERIAL = re.compile(rb'\bprobe_serial_number="([0-9A-Za-z_-]{1,40})"')
_PART = re.compile(rb'\bprobe_part_number="([^"<>&]{1,80})"')
_EXPERIMENT = re.compile(r"(?:.*/)?experiment(\d+)/recording(\d+)")

Probe = tuple[str, str | None]


def read(directory: str, directory_name: str, found: Sequence[Found]) -> list[Recording]:
    """The recordings of each ``structure.oebin``: one per probe, or one in all without Neuropixels probes.

    Raises UnreadableSession.
    """
    settings = cache(lambda node, number: _settings(directory, node, number))
    recordings: list[Recording] = []
    for oebin in found:
        match = _EXPERIMENT.fullmatch(oebin.folder)
        node = oebin.folder.rpartition("/")[0].rpartition("/")[0]
        number = int(match[1]) if match else 1
        start, probes = settings(node, number)
        if match is not None and int(match[2]) > 1:
            start = None
        streams = _probe_streams(read_file(directory, oebin.file, limit=FILE_LIMIT), oebin.file)
        if probes and len(streams) != len(probes):
            streams = [serial for serial, _ in probes]
        if not probes:
            name = node.rpartition("/")[2] or directory_name
            recordings.append(Recording(system="openephys", name=name, file=oebin.file, start=start))
        for stream, (serial, part_number) in zip(streams, probes, strict=False):
            recordings.append(
                Recording(
                    "openephys", stream, oebin.file, serial=serial, part_number=part_number, start=start
                )
            )
    return recordings


def _settings(directory: str, node: str, experiment: int) -> tuple[datetime | None, list[Probe]]:
    """When an experiment began, and the serial and part number of each of its probes."""
    name = "settings.xml" if experiment == 1 else f"settings_{experiment}.xml"
    file = f"{node}/{name}" if node else name
    try:
        data = read_file(directory, file, limit=FILE_LIMIT)
    except UnreadableSession as problem:
        if problem.code != "session-changing":
            raise
        raise UnreadableSession(
            "missing-file",
            f"{shown(file)} is missing: without it the start and the probes are not known.",
            "Copy it from the acquisition computer, into the folder of the record node.",
        ) from problem
    date = _DATE.search(data)
    if date is None:
        raise UnreadableSession(
            "missing-key",
            f"{shown(file)} has no usable <DATE>.",
            'Expected a date such as "6 Mar 2025 14:48:00". Is it the settings file of Open Ephys?',
        )
    day, month, year, clock = (group.decode("ascii") for group in date.groups())
    probes = []
    for attributes in _PROBE.findall(data):
        serial, part = _SERIAL.search(attributes), _PART.search(attributes)
        if serial is not None:
            probes.append((serial[1].decode("ascii"), part[1].decode("ascii", "replace") if part else None))
    return local_time(year, month, day, clock), probes


def _probe_streams(data: bytes, file: str) -> list[str]:
    """The names of the streams that hold the AP band of a probe, in order: ``ProbeA`` for ``ProbeA-AP``."""
    try:
        structure: Any = json.loads(data)
        streams = [stream for stream in structure["continuous"] if int(stream["num_channels"]) >= 384]
        names = [str(stream.get("stream_name") or stream["folder_name"]).strip("/") for stream in streams]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableSession(
            "not-a-structure-file",
            f"{shown(file)} is not a structure.oebin of Open Ephys: it does not list its continuous streams.",
            "Copy it again from the acquisition computer.",
        ) from error
    return [name.removesuffix("-AP") for name in names if not name.endswith("-LFP")]
