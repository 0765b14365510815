"""Which files of SpikeGLX belong together, and which lack their other half. From names only.

SpikeGLX writes ``run_g0_t0.imec0.ap.bin`` and ``run_g0_t0.imec0.ap.meta`` for each run, gate, trigger, stream and band
(https://billkarsh.github.io/SpikeGLX/, Output File Format). CatGT writes ``tcat`` for the trigger; File Viewer exports
pieces with ``exported`` in their names; the International Brain Laboratory compresses to ``.cbin`` and puts a UUID
before the ending. A stream is ``imec0`` (a probe), ``nidq`` or ``obx0`` (analog and digital inputs).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from commands.recordings.disk import Found, shown
from commands.recordings.place import Place
from commands.recordings.probes import name_on_disk
from commands.recordings.session import Missing, Remark

ENDINGS = (".meta", ".meta.txt", ".bin", ".cbin")

_BANDS = frozenset({"ap", "lf", "obx"})
_STREAMS = frozenset({"imec", "nidq", "obx"})
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EXPORTED = re.compile(r"(?:^|[._-])exported(?:[._-]|$)", re.IGNORECASE)
_RUN = re.compile(r"(.+_g\d+)_t(?:\d+|cat)", re.IGNORECASE)
_INPUTS = ("nidq", "obx")


@dataclass(slots=True)
class FileSet:
    """The files of one stream and band: its metas, metas whose ending was hidden, and its data."""

    folder: str
    stem: str
    stream: str
    band: str
    metas: list[Found] = field(default_factory=list)
    hidden: list[Found] = field(default_factory=list)
    data: list[Found] = field(default_factory=list)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(found.file for found in (*self.data, *self.metas, *self.hidden))

    @property
    def exported(self) -> bool:
        return "export" in self.stem.lower() and _EXPORTED.search(self.stem) is not None


@lru_cache(maxsize=1024)  # asked for when the system is looked for, and when files are put together
def _parsed(name: str) -> tuple[str, str, str, str] | None:
    """The stem of a file's name, its stream and band (in lower case, empty where there is none), and what it is."""
    lowered = name.lower()
    if lowered.endswith(".meta"):
        kind, rest = "meta", name[:-5]
    elif lowered.endswith(".bin"):
        kind, rest = "data", name[:-4]
    elif lowered.endswith(".cbin"):
        kind, rest = "data", name[:-5]
    elif lowered.endswith(".meta.txt"):
        kind, rest = "hidden", name[:-9]
    else:
        return None
    stem, _, last = rest.rpartition(".")
    if len(last) == 36 and _UUID.fullmatch(last.lower()):
        rest = stem
        stem, _, last = rest.rpartition(".")
    band = stream = ""
    if stem and last.lower() in _BANDS:
        band, rest = last.lower(), stem
        stem, _, last = rest.rpartition(".")
    if stem and last.lower().rstrip("0123456789") in _STREAMS:
        stream, rest = last.lower(), stem
    return (rest, stream, band, kind) if rest else None


def is_probe_meta(name: str) -> bool:
    """Whether a file of this name (in lower case) is the meta of a probe's AP band."""
    if not name.endswith(".meta") or ".ap." not in name:
        return False
    return (parsed := _parsed(name)) is not None and parsed[2] == "ap"


def run_of(file: str) -> str | None:
    """The run and gate (``run_g0``) of a file of SpikeGLX; equal for the halves of a run on several drives."""
    parsed = _parsed(file.rpartition("/")[2])
    run = _RUN.fullmatch(parsed[0]) if parsed else None
    return run[1] if run else None


def file_sets(found: Iterable[Found]) -> list[FileSet]:
    """The files of SpikeGLX among those found, put together; sorted by folder."""
    sets: dict[tuple[str, str, str, str], FileSet] = {}
    for each in found:
        parsed = _parsed(each.name)
        if parsed is None:
            continue
        stem, stream, band, kind = parsed
        if not band and not stream.startswith(_INPUTS):
            continue
        key = (each.folder, stem.lower(), stream, band)
        one = sets.get(key)
        if one is None:
            one = sets[key] = FileSet(each.folder, stem, stream, band)
        (one.metas if kind == "meta" else one.data if kind == "data" else one.hidden).append(each)
    return list(sets.values())


def without_meta(place: Place, sets: Sequence[FileSet]) -> list[Missing]:
    """The AP data that no meta describes, by the probe that they would be of."""
    by_probe: dict[tuple[str, str], list[FileSet]] = {}
    for one in sets:
        if one.band == "ap" and not one.metas and not one.exported:
            by_probe.setdefault((one.folder, one.stream), []).append(one)
    missing = []
    for lacking in by_probe.values():
        first = lacking[0]
        name = name_on_disk("neuropixels", place.name, first.files[0])
        described = f"{first.stem}{'.' * bool(first.stream)}{first.stream}.ap.meta"
        folder = f"{first.folder}/" if first.folder else ""
        if first.hidden:
            message = f"{shown(folder + described)} is missing, but {shown(first.hidden[0].name)} lies there."
            hint = f"Its ending was hidden or changed: rename it to {shown(described)}."
        else:
            message = f"{shown(first.files[0])} lies there without its meta: {shown(described)} is missing."
            hint = "Copy the meta to it. If it is lost, these data can only be left out."
        files = tuple(file for one in lacking for file in one.files)
        missing.append(Missing(name, "meta-missing", files, message, hint))
    return missing


def not_taken(place: Place, sets: Sequence[FileSet]) -> list[Remark]:
    """What is readable beside the AP bands of probes: lone LF bands, inputs, exported pieces."""
    with_ap = {(one.stem.lower(), one.stream) for one in sets if one.band == "ap"}
    streams_with_ap = {stream for _, stream in with_ap}
    remarks = []
    for one in sets:
        if one.exported:
            if one.band == "ap":
                what = (
                    f"{shown(one.files[0])} is a piece that was exported from a recording; it is not taken."
                )
                remarks.append(Remark("exported-piece", one.stem, one.files, what))
        elif one.band == "lf":
            cat = one.stem.lower().endswith("_tcat") and one.stream in streams_with_ap
            if not cat and (one.stem.lower(), one.stream) not in with_ap:
                file = one.files[0]
                name = name_on_disk("neuropixels", place.name, file)
                what = f"{shown(file)}: only the LF band of {shown(name)} is there, which is not taken."
                remarks.append(Remark("lf-only", name, one.files, what))
        elif one.stream.startswith(_INPUTS):
            what = f"{shown(one.files[0])}: the stream {one.stream} holds inputs, no probe; it is not taken."
            remarks.append(Remark("auxiliary-stream", f"{one.stem}.{one.stream}", one.files, what))
    return remarks
