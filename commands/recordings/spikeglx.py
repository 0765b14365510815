"""Read SpikeGLX ``*.ap.meta`` files: one recording each. Never opens a ``.bin``.

A meta file is text, ``key=value`` per line with LF or CRLF, plain keys first and the long tables
(``~imroTbl``, ``~snsChanMap``, ``~snsShankMap`` or ``~snsGeomMap``) last; the ``~`` is missing in some files.
The keys are described on https://billkarsh.github.io/SpikeGLX/ (Metadata guides). Values are found in the
bytes by their keys: a file is 10 to 80 kB of tables of which only a few numbers are needed.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from commands.recordings.disk import Found, read_file, shown
from commands.recordings.session import Recording, UnreadableSession

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
_COPY_AGAIN = "Copy it again from the acquisition computer."


def read(directory: str, directory_name: str, found: Sequence[Found]) -> list[Recording]:
    """The recording of each meta file. Raises UnreadableSession."""
    return [
        parse_meta(
            read_file(directory, meta.file, limit=META_LIMIT),
            file=meta.file,
            name=meta.folder.rpartition("/")[2] or directory_name,
        )
        for meta in found
    ]


def parse_meta(data: bytes, *, file: str, name: str) -> Recording:
    """The recording that a probe's AP-band meta describes. Raises UnreadableSession.

    The start is ``fileCreateTime_original`` where CatGT noted it, else ``fileCreateTime``. A meta without
    ``fileTimeSecs`` or ``fileSizeBytes`` belongs to a recording that is still being acquired.
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
        serial=serial.decode("ascii"),
        part_number=part_number.strip().decode("ascii", "replace") if part_number else None,
        shanks=shanks,
        start=_start(original or keys.get(b"fileCreateTime"), file),
        duration_s=_seconds(seconds, file) if seconds else None,
        file_bytes=_size(size, file) if size else None,
        acquiring=not seconds or not size,
        derived=original is not None,
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
