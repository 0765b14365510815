"""Put the recordings of one session together, and give its probes their names."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from commands.recordings.disk import OF_THE_SYSTEM, Found
from commands.recordings.session import (
    Missing,
    ProbeOnDisk,
    Recording,
    Remark,
    SessionDirectory,
    System,
    UnreadableSession,
)

_STREAM = re.compile(r"(?:^|\.)(imec\d+)(?=\.)", re.IGNORECASE)
_NAMES_A_PROBE = re.compile(r"(?:.*[_. -])?(?:probe[_ -]?\w*|imec\d*)", re.IGNORECASE)
_TELLS_PROBES_APART: frozenset[System] = frozenset({"neuropixels", "openephys"})


@dataclass(frozen=True, slots=True)
class Contents:
    """What a reader found. The names of ``missing`` are given when the session is put together."""

    recordings: tuple[Recording, ...]
    missing: tuple[Missing, ...] = ()
    remarks: tuple[Remark, ...] = ()


def read_each(
    found: Sequence[Found], read_one: Callable[[Found], Recording], name_of: Callable[[Found], str]
) -> Contents:
    """A recording for each file; a file with a content that cannot be used is missing.

    Raises UnreadableSession where none can be used, or one may not be read.
    """
    recordings: list[Recording] = []
    missing: list[Missing] = []
    for one in found:
        try:
            recordings.append(read_one(one))
        except UnreadableSession as problem:
            if problem.code in OF_THE_SYSTEM or len(found) == 1:
                raise
            missing.append(Missing(name_of(one), problem.code, (one.file,), problem.message, problem.hint))
    if not recordings:
        raise UnreadableSession(missing[0].code, missing[0].message, missing[0].hint)
    return Contents(tuple(recordings), tuple(missing))


def session_of(
    system: System, directory_name: str, contents: Contents | Sequence[Recording]
) -> SessionDirectory:
    """Put the recordings of one system together; there must be at least one."""
    found = contents if isinstance(contents, Contents) else Contents(tuple(contents))
    recordings = found.recordings
    if len(recordings) == 1:  # most sessions by far
        one = recordings[0]
        probe = _probe(directory_name, recordings, _names(directory_name, one)[0])
        missing = _named(found.missing, recordings, directory_name)
        return SessionDirectory(
            system, recordings, (probe,), one.start, one.acquiring, missing, found.remarks
        )
    raw = [r for r in recordings if not r.derived] or recordings
    return SessionDirectory(
        system=system,
        recordings=recordings,
        probes=_probes(directory_name, recordings),
        start=min((r.start for r in raw if r.start is not None), default=None),
        acquiring=any(r.acquiring for r in recordings),
        missing=_named(found.missing, recordings, directory_name),
        remarks=(*found.remarks, *_of_one_serial(raw)),
    )


def _of_one_serial(recordings: Sequence[Recording]) -> list[Remark]:
    """A remark where what was recorded at the same time, at different ports, has one serial: one of them is wrong, and
    only one probe is taken."""
    found: dict[tuple[str, datetime | None], dict[str, Recording]] = {}
    for one in recordings:
        if one.serial is not None:
            minute = None if one.start is None else one.start.replace(second=0, microsecond=0)
            found.setdefault((one.serial, minute), {}).setdefault(_identity(replace(one, serial=None)), one)
    remarks = []
    for (serial, _), of in found.items():
        if len(of) > 1:
            files = tuple(one.file for one in of.values())
            names = " and ".join(sorted(one.name for one in of.values()))
            said = f"{names} were recorded at the same time and have the same serial number, {serial}: "
            said += "they are taken as one probe."
            remarks.append(Remark("same-serial", serial, files, said))
    return remarks


def _probes(directory_name: str, recordings: Sequence[Recording]) -> tuple[ProbeOnDisk, ...]:
    by_identity: dict[str, list[Recording]] = {}
    for recording in recordings:
        by_identity.setdefault(_identity(recording), []).append(recording)
    for of_one in by_identity.values():
        of_one.sort(key=lambda r: (r.derived, r.file))  # a probe is named after its raw recording
    probes = sorted(by_identity.values(), key=lambda of_one: (of_one[0].file, of_one[0].name))
    names = probe_names(directory_name, [of_one[0] for of_one in probes])
    return tuple(_probe(directory_name, of_one, name) for of_one, name in zip(probes, names, strict=True))


def _identity(recording: Recording) -> str:
    """Equal for recordings of one probe: its serial, else what tells it apart, else nothing."""
    if recording.serial is not None:
        return f"serial {recording.serial}"
    if recording.system not in _TELLS_PROBES_APART:
        return ""
    if recording.system == "openephys":
        return f"stream {_source(recording)}"
    stream = _STREAM.search(recording.file.rpartition("/")[2])
    return f"stream {stream[1].lower()}" if stream else f"folder {_folder(recording.file)}"


def _source(recording: Recording) -> str:
    """``Neuropix-PXI-100.ProbeA`` of an Open Ephys recording: the processor and the stream."""
    folder = (recording.stream or "").rpartition("/")[2]
    at = folder.find(recording.name)
    return folder[: at + len(recording.name)] if at >= 0 else recording.name


def _probe(directory_name: str, recordings: Sequence[Recording], name: str) -> ProbeOnDisk:
    first = recordings[0]
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if len(recordings) == 1:
        streams = () if first.stream is None else (first.stream,)
        return ProbeOnDisk(name, first.serial, first.part_number, first.shanks, (first.file,), streams)
    if first.system not in _TELLS_PROBES_APART and len({_folder(r.file) for r in recordings}) > 1:
        name = directory_name
    return ProbeOnDisk(
        name=name,
        serial=first.serial,
        part_number=next((r.part_number for r in recordings if r.part_number is not None), None),
        shanks=next((r.shanks for r in recordings if r.shanks is not None), None),
        recordings=tuple(dict.fromkeys(r.file for r in recordings)),
        streams=tuple(dict.fromkeys(r.stream for r in recordings if r.stream is not None)),
    )


def probe_names(directory_name: str, firsts: Sequence[Recording]) -> list[str]:
    """A name for each probe, from its first recording.

    Names are NFC, as texts of input files are. It is the folder that holds the probe's recordings, or its stream
    (Open Ephys). Where the folder is not one probe's own (several may be recorded into it: ``run_g0`` with
    ``run_g0_t0.imec0.ap.meta``), it is the folder and the stream, ``run_g0/imec0``, also of a lone probe. Only where
    that does not tell two probes apart it is longer: the path of the folder in the session directory, that path with
    the stream, the file.
    """
    possible = [_names(directory_name, recording) for recording in firsts]
    names: list[str | None] = [None] * len(firsts)
    for level in range(4):
        candidates = [each[level] for each in possible]
        taken = Counter([*candidates, *(name for name in names if name is not None)])
        for i, candidate in enumerate(candidates):
            if names[i] is None and taken[candidate] == 1:
                names[i] = candidate
        if None not in names:
            break
    return [name or f"{r.file} {r.name}" for name, r in zip(names, firsts, strict=True)]


def _names(directory_name: str, recording: Recording) -> tuple[str, str, str, str]:
    file = recording.file
    if recording.system == "openephys":
        source = _source(recording)
        node = file.partition("/experiment")[0] if "/experiment" in file else ""
        return recording.name, source, f"{node}/{source}", recording.stream or file
    folder = _folder(file) or directory_name
    last = folder.rpartition("/")[2]
    parts = file.rpartition("/")[2].lower().split(".")
    stream = next((part for part in parts if part.startswith("imec")), parts[0])
    numbered = _STREAM.search(file.rpartition("/")[2])
    if recording.system == "neuropixels" and numbered and not _NAMES_A_PROBE.fullmatch(last):
        last = f"{last}/{numbered[1].lower()}"
    return last, folder, f"{folder}/{stream}", file


def _folder(file: str) -> str:
    return file.rpartition("/")[0]


def _named(
    missing: Sequence[Missing], recordings: Sequence[Recording], directory_name: str
) -> tuple[Missing, ...]:
    """The missing data, with names that neither a probe nor other missing data has."""
    if not missing:
        return ()
    taken = {name for r in recordings for name in _names(directory_name, r)[:2]}
    named = []
    for one in missing:
        name = unicodedata.normalize("NFC", one.name)
        if name in taken:
            name = one.files[0]
        taken.add(name)
        named.append(replace(one, name=name))
    return tuple(named)


def name_on_disk(system: System, directory_name: str, file: str) -> str:
    """What a probe with this file would be called."""
    return _names(directory_name, Recording(system, "", file))[0]
