"""Read SpikeGLX ``*.ap.meta`` files: one recording each. Never opens a ``.bin``.

A meta file is text, ``key=value`` per line with LF or CRLF, plain keys first and the long tables
(``~imroTbl``, ``~snsChanMap``, ``~snsShankMap`` or ``~snsGeomMap``) last; the ``~`` is missing in some files.
The keys are described on https://billkarsh.github.io/SpikeGLX/ (Metadata guides). Values are found in the
bytes by their keys: a file is 10 to 80 kB of tables of which only a few numbers are needed.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from commands.recordings.disk import Found, read_file, shown
from commands.recordings.place import Place
from commands.recordings.probes import Contents, name_on_disk, read_each
from commands.recordings.session import NotASession, Recording, Remark, UnreadableSession
from commands.recordings.spikeglx_files import ENDINGS, file_sets, not_taken, without_meta

META_LIMIT = 2 << 20
"""Bytes. The largest published meta (a four-shank quad base) has 75 kB."""

_SERIAL = re.compile(rb"[0-9A-Za-z_-]{1,40}")
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?")
_SECONDS = re.compile(rb"\d{1,9}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,2})?")
_BYTES = re.compile(rb"\d{1,18}")
_SHANK_MAP = re.compile(rb"snsShankMap=\(([1-9]\d?),")
_GEOM_MAP = re.compile(rb"snsGeomMap=\([^,()]{0,40},([1-9]\d?),")
_KEYS = re.compile(
    rb"\n(fileCreateTime|fileCreateTime_original|fileSizeBytes|fileTimeSecs|imDatPrb_pn|imDatPrb_sn|imProbeOpt"
    rb"|imProbeSN|snsApLfSy|typeThis)=([^\r\n]*)"
)
_LONGEST_S = 1e8  # three years
_RENAME = "Give it back the name that SpikeGLX gave it."
_COPY_AGAIN = "Copy it again; if it was written so, the recording did not end as it should."


def read(place: Place, found: Sequence[Found]) -> Contents:
    """The recording of each probe meta. A meta that cannot be used leaves its data without a description.

    Raises UnreadableSession where none can be used, or a file may not be read; NotASession where all are exported.
    """
    sets = file_sets(place.having(ENDINGS))
    exported = {meta for one in sets if one.metas and one.exported for meta in one.metas}
    remarks = not_taken(place, sets)
    if exported.issuperset(found):
        raise NotASession(
            "only-exported-pieces",
            f"{shown(place.root)} holds only pieces that were exported from a recording, "
            f"such as {shown(found[0].file)}.",
            "Give the directory of the recording that they come from.",
        )

    def read_one(meta: Found) -> Recording:
        data = read_file(place.root, meta.file, limit=META_LIMIT, listing=place.listing)
        recording = parse_meta(data, file=meta.file, name=place.named(meta))
        # what was joined from several runs notes when CatGT ran before, not when the recording began
        joined = recording.derived and b" -supercat=" in data
        return replace(recording, start_inferred=True) if joined else recording

    contents = read_each(
        [meta for meta in found if meta not in exported],
        read_one,
        lambda meta: name_on_disk("neuropixels", place.name, meta.file),
    )
    missing = (*without_meta(place, sets), *contents.missing)
    return Contents(contents.recordings, missing, (*remarks, *_derived(contents.recordings)))


def _derived(recordings: Sequence[Recording]) -> list[Remark]:
    """A remark for each folder of output of CatGT that lies beside the recordings which it was made from; of output
    among them for each file."""
    raw = {r.serial for r in recordings if not r.derived}
    of_raw = {r.file.split("/")[0] for r in recordings if not r.derived}
    folders: dict[str, list[str]] = {}
    for recording in recordings:
        if recording.derived and recording.serial in raw:
            folder = recording.file.split("/")[0]
            folders.setdefault(recording.file if folder in of_raw else folder, []).append(recording.file)
    return [
        Remark(
            "derived",
            folder,
            tuple(files),
            f"{shown(folder)} is the output of CatGT for recordings that are here as well: no recording of its own.",
        )
        for folder, files in folders.items()
    ]


def parse_meta(data: bytes, *, file: str, name: str) -> Recording:
    """The recording that a probe's AP-band meta describes. Raises UnreadableSession.

    The start is ``fileCreateTime_original`` where CatGT noted it, else ``fileCreateTime``. A meta without
    ``fileTimeSecs`` or ``fileSizeBytes`` belongs to a recording that is still being acquired, or crashed. The
    serial number 0 stands for one that could not be read.
    """
    text = data if data.startswith(b"acq") else b"\n" + data.removeprefix(b"\xef\xbb\xbf")
    head = text.find(b"imroTbl=")  # plain keys come before the tables: no need to search those
    if head < 0:
        head = len(text)
    keys: dict[bytes, bytes] = dict(_KEYS.findall(text, 0, head))
    _check_stream(text, head, keys, file)
    shanks = _shanks(text, file)
    if b"imDatPrb_sn" in keys or b"imProbeSN" not in keys:
        serial, part_number = keys.get(b"imDatPrb_sn"), keys.get(b"imDatPrb_pn")
    else:  # Phase 3A
        serial, part_number = keys.get(b"imProbeSN"), keys.get(b"imProbeOpt")
    if not serial or not _SERIAL.fullmatch(serial := serial.strip()):
        raise _wrong(file, "serial number", "imDatPrb_sn", serial, "the number engraved on the probe's flex")
    original = keys.get(b"fileCreateTime_original")
    seconds, size = keys.get(b"fileTimeSecs"), keys.get(b"fileSizeBytes")
    return Recording(
        system="neuropixels",
        name=name,
        file=file,
        serial=serial.decode("ascii") if serial.strip(b"0") else None,
        part_number=part_number.strip().decode("ascii", "replace") if part_number else None,
        shanks=shanks,
        start=_start(original or keys.get(b"fileCreateTime"), file),
        duration_s=_seconds(seconds, file) if seconds else None,
        file_bytes=_size(size, file) if size else None,
        acquiring=not seconds or not size,
        derived=original is not None,
        start_source=file,
    )


def _check_stream(text: bytes, head: int, keys: dict[bytes, bytes], file: str) -> None:
    """Raise unless this is the meta of a probe's AP band, in a text encoding that SpikeGLX writes."""
    if text.find(b"\0", 0, head) >= 0:
        raise UnreadableSession(
            "wrong-encoding",
            f"{shown(file)} is not plain text: it holds NUL bytes.",
            "It was saved as UTF-16, or damaged while it was copied. " + _COPY_AGAIN,
        )
    if not keys:
        raise UnreadableSession(
            "not-a-meta", f"{shown(file)} is not a SpikeGLX meta: none of its keys is there.", _COPY_AGAIN
        )
    stream = keys.get(b"typeThis", b"imec").strip()
    if stream != b"imec":
        raise UnreadableSession(
            "not-a-probe-meta",
            f"{shown(file)} is named like the meta of a probe but describes the {_quoted(stream)} stream.",
            _RENAME,
        )
    bands = keys.get(b"snsApLfSy", b"")
    if bands.startswith(b"0,") and not bands.startswith(b"0,0,"):
        raise UnreadableSession(
            "not-a-probe-meta",
            f"{shown(file)} is named .ap.meta but describes the LF band (snsApLfSy={_quoted(bands)}).",
            _RENAME,
        )


def _shanks(text: bytes, file: str) -> int:
    pattern, at = _SHANK_MAP, text.rfind(b"snsShankMap=(")
    if at < 0:
        pattern, at = _GEOM_MAP, text.rfind(b"snsGeomMap=(")
    match = pattern.match(text, at) if at >= 0 else None
    end = text.find(b"\n", at) if at >= 0 else -1
    if match is None or text[end - 4 : end if end >= 0 else None].rstrip()[-1:] != b")":
        raise UnreadableSession(
            "truncated-meta",
            f"{shown(file)} is cut short: the table it ends with, ~snsShankMap or ~snsGeomMap, is not whole.",
            _COPY_AGAIN,
        )
    return int(match[1])


def _start(value: bytes | None, file: str) -> datetime:
    if value and _TIME.fullmatch(value := value.strip()):
        try:
            return datetime.fromisoformat(value.decode("ascii"))
        except ValueError:
            pass
    raise _wrong(file, "start time", "fileCreateTime", value, "a local time such as 2023-05-01T10:00:00")


def _seconds(value: bytes, file: str) -> float:
    if _SECONDS.fullmatch(value.strip()) and (seconds := float(value)) <= _LONGEST_S:
        return seconds
    raise _wrong(file, "length", "fileTimeSecs", value, "a number of seconds")


def _size(value: bytes, file: str) -> int:
    if _BYTES.fullmatch(value.strip()):
        return int(value)
    raise _wrong(file, "size", "fileSizeBytes", value, "a number of bytes")


def _quoted(value: bytes) -> str:
    return '"' + shown(value[:60].decode("utf-8", "replace")) + '"'


def _wrong(file: str, what: str, key: str, value: bytes | None, expected: str) -> UnreadableSession:
    if not value:
        return UnreadableSession(
            "missing-key",
            f"{shown(file)} has no {what}: {key} is missing or empty.",
            f"Expected {expected}. {_COPY_AGAIN}",
        )
    return UnreadableSession(
        "bad-value", f"{shown(file)} has no usable {what}: {key}={_quoted(value)}.", f"Expected {expected}."
    )
