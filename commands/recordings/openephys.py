"""Read Open Ephys recordings in the binary format, from 0.4 to 1.0, known by ``structure.oebin``. Never opens the data.

``structure.oebin`` (JSON) lists the streams of one recording: they tell which probes were recorded. ``settings.xml``
(``settings_2.xml`` for the second experiment) says which probe a stream comes from, and when the experiment began, in
local time. It lies in the record node, or above or below it where somebody moved it. ``sync_messages.txt`` says in UTC
when a recording began (0.6 on), or counts samples since the experiment did
(https://open-ephys.github.io/gui-docs/User-Manual/Recording-data/Binary-format.html).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commands.recordings.disk import OF_THE_SYSTEM, Found, names_in, read_file, shown
from commands.recordings.openephys_settings import SETTINGS_LIMIT, Settings, parse_settings
from commands.recordings.openephys_times import Times, recording_node
from commands.recordings.place import Place
from commands.recordings.plausible import checked
from commands.recordings.probes import Contents
from commands.recordings.session import (
    Missing,
    NotASession,
    Recording,
    Remark,
    SessionDirectory,
    UnreadableSession,
)

ENDINGS = ("structure.oebin", "structure.oebin.txt", "settings.xml", "sync_messages.txt", "continuous.dat")
STRUCTURE_LIMIT = 16 << 20
"""Bytes. The largest published one has 360 kB."""

MOST_NEIGHBOURS = 20

_DATA = re.compile(r"(?:(.*)/)?continuous/([^/]+)", re.DOTALL)
_FOLDER = re.compile(r"(.+?)-(\d+)\.(.+)", re.DOTALL)
_BAND = re.compile(r"-(AP|LFP)$")
_QUAD = re.compile(r"(.+)-[1-4]", re.DOTALL)
_OF_PROBES = ("neuropix", "onebox", "onix")
_OF_OTHER_ELECTRODES = ("rhythm", "acquisition board", "intan", "rhd", "rhs")
_INPUTS = re.compile(r".*\bADC|.*PXIe?-\d{4}", re.IGNORECASE)
_LF_RATE = 5000.0  # AP bands have 30,000 samples a second, LF bands 2,500


@dataclass(frozen=True, slots=True)
class _Stream:
    """One stream of a recording. ``base`` is its name without the band."""

    folder: str
    name: str
    processor: str
    number: str
    rate: float

    @property
    def base(self) -> str:
        return _BAND.sub("", self.name)

    @property
    def lf(self) -> bool:
        band = _BAND.search(self.name)
        return band[1] == "LFP" if band else 0 < self.rate <= _LF_RATE

    @property
    def source(self) -> str:
        return f"{self.processor} {self.number}".strip()


@dataclass(frozen=True, slots=True)
class _Structure:
    file: str
    folder: str
    streams: tuple[_Stream, ...]


def read(place: Place, found: Sequence[Found]) -> Contents:
    """The recordings of each ``structure.oebin``, one per probe. Raises UnreadableSession, NotASession."""
    structures: list[_Structure] = []
    problems: list[UnreadableSession] = []
    missing: list[Missing] = []
    for oebin in found:
        try:
            structures.append(_structure(place, oebin))
        except UnreadableSession as problem:
            if problem.code in OF_THE_SYSTEM:
                raise
            problems.append(problem)
            files = (oebin.file, *_data_files(place, oebin.folder))
            name = oebin.folder or place.name
            missing.append(Missing(name, problem.code, files, problem.message, problem.hint))
    if not structures and problems:
        raise problems[0]
    missing += undescribed(place, {s.folder: s.streams for s in structures}, {m.name for m in missing})
    times = Times(place)
    recordings: list[Recording] = []
    others: list[Recording] = []
    remarks: list[Remark] = []
    for structure in structures:
        settings = times.settings(structure.folder)
        of_probes, of_others, beside = _sorted(structure, settings)
        recordings += [_recording(place, times, structure, stream) for stream in of_probes]
        others += [_recording(place, times, structure, stream) for stream in of_others]
        remarks += beside
    if not recordings:
        recordings, others = others, []
    if not recordings:
        raise _nothing_recorded(place, structures)
    remarks += [
        _not_taken(other.stream or other.file, "holds other electrodes than Neuropixels") for other in others
    ]
    remarks += times.remarks()
    if all(recording.start is None for recording in recordings) and (dated := times.inferred()):
        recordings = [
            replace(r, start=dated.time, start_source=dated.source, start_inferred=True) for r in recordings
        ]
    return Contents(tuple(recordings), tuple(missing), tuple(remarks))


def _structure(place: Place, oebin: Found) -> _Structure:
    data = read_file(place.root, oebin.file, limit=STRUCTURE_LIMIT, listing=place.listing)
    try:
        listed = json.loads(data)["continuous"]
        streams = tuple(_stream(one) for one in listed)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableSession(
            "not-a-structure-file",
            f"{shown(oebin.file)} is not a structure.oebin of Open Ephys: it does not list its continuous streams.",
            "Copy it again; if it was written so, the recording did not end as it should.",
        ) from error
    return checked(_Structure(oebin.file, oebin.folder, streams), file=oebin.file)


def _stream(one: dict[str, object]) -> _Stream:
    folder = str(one["folder_name"]).strip("/\\")
    match = _FOLDER.fullmatch(folder)
    processor, number, name = match.groups() if match else ("", "", folder)
    rate = one.get("sample_rate", 0)
    return _Stream(
        folder=folder,
        name=str(one.get("stream_name") or (folder if name.isdecimal() else name)),
        processor=str(one.get("source_processor_name") or processor.replace("_", " ")),
        number=str(one.get("source_processor_id") or number),
        rate=float(rate) if isinstance(rate, int | float) else 0.0,
    )


def _sorted(
    structure: _Structure, settings: Settings | None
) -> tuple[list[_Stream], list[_Stream], list[Remark]]:
    """The streams of probes, those of other electrodes, and remarks on the others."""
    of_probes: list[_Stream] = []
    of_others: list[_Stream] = []
    remarks: list[Remark] = []
    lf: list[_Stream] = []
    for stream in structure.streams:
        kind = stream.processor.lower()
        if kind.startswith(_OF_PROBES) and _is_probes(stream, settings):
            (lf if stream.lf else of_probes).append(stream)
        elif kind.startswith(_OF_OTHER_ELECTRODES):
            of_others.append(stream)
        else:
            remarks.append(
                _not_taken(_folder_of(structure, stream), f"comes from {shown(stream.source)}, no probe")
            )
    taken = {_probe_key(stream, settings) for stream in of_probes}
    for stream in lf:
        if _probe_key(stream, settings) not in taken:
            where = _folder_of(structure, stream)
            message = (
                f"{shown(where)}: only the LF band of {shown(stream.base)} is there, which is not taken."
            )
            remarks.append(Remark("lf-only", stream.base, (where,), message))
    return of_probes, of_others, remarks


def _is_probes(stream: _Stream, settings: Settings | None) -> bool:
    if _INPUTS.match(stream.name):
        return False
    if stream.processor.lower().startswith("onix") and "probe" not in stream.name.lower():
        return False
    processor = settings.processor(stream.processor, stream.number) if settings else None
    return processor is None or not processor.streams or stream.name in processor.streams


def _probe_key(stream: _Stream, settings: Settings | None) -> tuple[str, str]:
    """Equal for the two bands of one probe. Streams without names (before 0.6) are numbered: AP, LF, AP, LF."""
    index = stream.folder.rpartition(".")[2]
    if not index.isdecimal():
        return stream.number, stream.base
    processor = settings.processor(stream.processor, stream.number) if settings else None
    probe = processor.probe_of(index) if processor else None
    if probe is not None:
        return stream.number, f"probe {id(probe)}"
    return stream.number, str(int(index) - stream.lf)


def _recording(place: Place, times: Times, structure: _Structure, stream: _Stream) -> Recording:
    settings = times.settings(structure.folder)
    processor = settings.processor(stream.processor, stream.number) if settings else None
    index = stream.folder.rpartition(".")[2]
    probe = processor.probe_of(index if index.isdecimal() else stream.base) if processor else None
    name = stream.base
    if (
        probe is not None
        and (probe.shank or "quad base" in probe.model.lower())
        and (match := _QUAD.fullmatch(name))
    ):
        name = match[1]  # four streams, one for each shank
    start = times.start(structure.folder)
    return Recording(
        system="openephys",
        name=name,
        file=structure.file,
        serial=probe.serial if probe else None,
        part_number=probe.part_number if probe else None,
        shanks=probe.shanks if probe else None,
        start=start.time,
        start_inferred=start.inferred,
        start_source=start.source,
        zone=place.zone_name if start.from_utc else None,
        stream=_folder_of(structure, stream),
    )


def _folder_of(structure: _Structure, stream: _Stream) -> str:
    return (
        f"{structure.folder}/continuous/{stream.folder}"
        if structure.folder
        else f"continuous/{stream.folder}"
    )


def _not_taken(where: str, what: str) -> Remark:
    name = where.rpartition("/")[2]
    return Remark("auxiliary-stream", name, (where,), f"{shown(where)}: the stream {what}; it is not taken.")


def _data_files(place: Place, folder: str) -> list[str]:
    inside = f"{folder}/continuous/" if folder else "continuous/"
    return [found.file for found in place.having(("continuous.dat",)) if found.file.startswith(inside)]


def undescribed(place: Place, described: dict[str, tuple[_Stream, ...]], told: set[str]) -> list[Missing]:
    """Data that no ``structure.oebin`` describes, by the folder of their recording. Those in ``told`` are broken
    anyhow.
    """
    listed = {folder: {stream.folder for stream in streams} for folder, streams in described.items()}
    lacking: dict[str, list[str]] = {}
    for found in place.having(("continuous.dat",)):
        match = _DATA.fullmatch(found.folder)
        folder = (match[1] or "") if match else ""
        if match is None or (folder or place.name) in told or match[2] in listed.get(folder, ()):
            continue
        lacking.setdefault(folder, []).append(found.file)
    hidden = {found.folder: found.file for found in place.having(("structure.oebin.txt",))}
    missing = []
    for folder, files in lacking.items():
        where = shown(folder or place.name)
        hint = "If the acquisition crashed there, these data can only be left out."
        if folder in described:
            code, message = (
                "stream-undescribed",
                f"structure.oebin in {where} does not list {shown(files[0])}.",
            )
        elif folder in hidden:
            code, message = (
                "structure-missing",
                f"{where} has data, but its structure.oebin has another name.",
            )
            hint = f"Its ending was hidden or changed: rename {shown(hidden[folder])} to structure.oebin."
        else:
            code = "structure-missing"
            message = f"{where} has data without their description: structure.oebin is missing."
        missing.append(Missing(folder or place.name, code, tuple(files), message, hint))
    return missing


def _nothing_recorded(place: Place, structures: Sequence[_Structure]) -> NotASession:
    sources = list(dict.fromkeys(stream.source for s in structures for stream in s.streams))
    if not sources:
        what = "its recordings have no continuous stream"
    elif len(sources) == 1:
        what = f"its only stream is that of {shown(sources[0])}"
    else:
        what = f"its streams are those of {', '.join(map(shown, sources[:4]))}"
    if any(stream.lf for s in structures for stream in s.streams):
        what += ", and of probes only the LF band is there"
    return NotASession(
        "no-probe-recorded",
        f"{shown(place.root)} is a recording of Open Ephys, but no probe was recorded: {what}, and nothing names a "
        "probe.",
        "Give the directory in which the probes were recorded, or record them in one of its record nodes.",
    )


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the settings of a neighbouring session say, in ``file``: serial numbers by the names of probes here."""

    file: str
    serials: dict[str, str]


def neighbours_serials(
    directory: Path | str, session: SessionDirectory, *, within: Path | str
) -> Suggestion | None:
    """The serial numbers that a session without settings may have: those of the session beside it that is next by
    name. Another probe may have been on the cable then, so a person has to say it.

    Reads at most ``MOST_NEIGHBOURS`` of them, inside ``within``. None: there is nothing to suggest.
    """
    here = Path(directory).absolute()
    if not here.parent.is_relative_to(Path(within).absolute()):
        return None
    unknown = [r for r in session.recordings if r.serial is None and r.stream is not None]
    node = next((recording_node(r.file) for r in unknown), None)
    beside = sorted(name for name in names_in(here.parent) if name != here.name)
    before = [name for name in beside if name < here.name]
    for name in [*reversed(before), *beside[len(before) :]][:MOST_NEIGHBOURS] if node is not None else []:
        file = f"{name}/{node}/settings.xml" if node else f"{name}/settings.xml"
        try:
            settings = parse_settings(
                read_file(here.parent, file, limit=SETTINGS_LIMIT, within=within), file=file
            )
        except UnreadableSession:
            continue  # it is only a suggestion
        if serials := _serials(unknown, settings):
            return Suggestion(file, serials)
    return None


def _serials(recordings: Sequence[Recording], settings: Settings) -> dict[str, str]:
    serials = {}
    for recording in recordings:
        match = _FOLDER.fullmatch((recording.stream or "").rpartition("/")[2])
        processor = settings.processor(match[1].replace("_", " "), match[2]) if match else None
        probe = processor.probe_of(_BAND.sub("", match[3])) if processor and match else None
        if probe is not None and probe.serial is not None:
            serials[recording.name] = probe.serial
    return serials
