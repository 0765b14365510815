"""Bytes -> text. An input file is UTF-8; any other encoding is named, with the place where it shows."""

import re

from commands.inputfile.document import Position, Unreadable, line_starts, unreadable
from commands.inputfile.limits import Limits

_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_OTHER_FORMATS = (
    (b"PK\x03\x04", "a zip archive, as Word and Excel files are"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel file"),
    (b"%PDF", "a PDF file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "an image"),
    (b"\x89HDF", "an HDF5 file, as NWB and new MATLAB files are"),
    (b"MATLAB", "a MATLAB file"),
    (b"SQLite", "a SQLite database"),
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SAVE_AS_UTF_8 = "Save it as UTF-8 (in most editors: Save as, Encoding)."


def decode(data: bytes, limits: Limits) -> str:
    """The text, without a byte-order mark. Raises ``Unreadable``."""
    if len(data) > limits.input_file_bytes:
        raise unreadable(
            "file-too-large",
            f"The file has {len(data):,} bytes; at most {limits.input_file_bytes:,} are read.",
            "Split it into several files.",
        )
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise _wide(name)
    if b"\0" in data[:4096]:
        _refuse_nul(data)
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise _not_utf_8(data.removeprefix(b"\xef\xbb\xbf"), error) from None


def refuse_control_characters(text: str) -> None:
    """Raises ``Unreadable`` at the first character that neither format admits."""
    found = _CONTROL.search(text)
    if found is None:
        return
    point = ord(found[0])
    raise unreadable(
        "control-character",
        f"The file holds the control character U+{point:04X}, which is not text.",
        "Delete it; it may not be visible in the editor.",
        at=_position(text, found.start()),
    )


def _refuse_nul(data: bytes) -> None:
    head = data[:4096]
    if _looks_binary(data):
        raise _binary(data)
    nul_at = [index for index, byte in enumerate(head) if byte == 0]
    share = len(nul_at) / len(head)
    if share > 0.7:
        raise _wide("UTF-32")
    odd = sum(index % 2 for index in nul_at)
    if share > 0.3 and (odd == 0 or odd == len(nul_at)):
        raise _wide("UTF-16")
    if share > 0.05:
        raise _binary(data)


def _looks_binary(data: bytes) -> bool:
    return any(data.startswith(magic) for magic, _ in _OTHER_FORMATS)


def _wide(name: str) -> Unreadable:
    return unreadable(
        "not-utf-8", f"The file is encoded in {name}; expected UTF-8.", _SAVE_AS_UTF_8, at=(1, 1)
    )


def _binary(data: bytes) -> Unreadable:
    what = next((what for magic, what in _OTHER_FORMATS if data.startswith(magic)), "binary data")
    return unreadable(
        "binary-file",
        f"The file is no text: it looks like {what}.",
        "Upload the YAML or JSON file.",
        at=(1, 1),
    )


def _not_utf_8(data: bytes, error: UnicodeDecodeError) -> Unreadable:
    strange = len(data) - len(data[:4096].decode("utf-8", "ignore").encode()) - max(0, len(data) - 4096)
    if _looks_binary(data) or strange > len(data[:4096]) * 0.2 + 2:
        return _binary(data)
    before = data[: error.start].decode()
    byte = data[error.start]
    after = data[error.start : error.start + 1].decode("cp1252", "ignore")
    hint = _SAVE_AS_UTF_8
    if after.isalpha() or after in "°²³µ±–—“”‘’":
        word_before = re.search(r"\w*+\Z", before[-40:])
        rest = re.match(r"\w*", data[error.start : error.start + 40].decode("cp1252", "ignore"))
        word = f"{word_before[0] if word_before else ''}{rest[0] if rest else ''}" or after
        hint = f'In Latin-1 (Windows-1252) it is "{after}", as in "{word:.40}". {_SAVE_AS_UTF_8}'
    return unreadable(
        "not-utf-8",
        f"The byte 0x{byte:02X} (byte {error.start + 1} of the file) is not UTF-8.",
        hint,
        at=_position(before, len(before)),
    )


def _position(text: str, at: int) -> Position:
    starts = line_starts(text[:at])
    return len(starts), at - starts[-1] + 1
