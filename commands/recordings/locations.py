"""The text of a location: how it is split, what it may not hold, and how it is shown. Reads no disk.

Decisions, each because one text must mean one directory:

- ``\\`` and ``/`` both separate, everywhere; a name that holds a backslash cannot be named.
- A drive letter is written in upper case, an ASCII UNC server and share in lower case. Other case is kept.
- ``..`` is refused, never collapsed: behind a symbolic link it means something else than it says.
- Text is NFC, so that what macOS and Windows write of one name is one location.
- Names that Windows reserves (``con``, ``a:b``, a trailing dot) are ordinary names: published files use them.
"""

import re
import unicodedata
from collections.abc import Sequence

_NEVER = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:(?:/|\Z)")


class LocationError(Exception):
    """The location is unusable: ``code`` is stable, ``message`` says why, ``hint`` what to do."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.code = code
        self.message = message
        self.hint = hint


def joined(parts: Sequence[str]) -> str:
    """The text of an anchor (empty for ``/``) and the names below it."""
    return "/".join(parts) or "/"


def parts_of(location: str) -> list[str]:
    """The anchor (``N:``, ``//server/share`` or, for a path of this machine, nothing), then the names."""
    text = location.replace("\\", "/")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if never := _NEVER.search(text):
        what = "a NUL character" if never[0] == "\0" else f"the character U+{ord(never[0]):04X}"
        raise LocationError(
            "location-with-control-character",
            f"location {shown(location)} holds {what}, which no file name should hold.",
            "Write the path again by hand, without copying it.",
        )
    parts = [part for part in text.split("/") if part and part != "."]
    if ".." in parts:
        raise LocationError(
            "location-with-dot-dot", f'location {shown(location)} holds "..".', "Write the path without it."
        )
    if text.startswith("//") and len(parts) > 1:  # a doubled slash is always a share's, as Windows reads it
        anchor = f"//{parts[0]}/{parts[1]}"
        return [anchor.lower() if anchor.isascii() else anchor, *parts[2:]]
    if text.startswith("/") and not text.startswith("//"):
        return ["", *parts]
    if _DRIVE.match(text):
        parts[0] = parts[0].upper()
        return parts
    raise LocationError(
        "location-not-absolute",
        f"location {shown(location)} is not an absolute path.",
        "Start it with a drive and a slash (N:/...), a share (//server/share/...) or a slash (/...).",
    )


def above(location: str) -> list[str]:
    """The directories that a location lies in, the nearest first."""
    found = []
    while (cut := location.rfind("/")) > 0:
        location = location[:cut]
        found.append(location)
    return found


def shown(text: str) -> str:
    """Text in quotes for a message: control characters spelled out, the middle of a very long one cut."""
    if len(text) > 200:
        text = f"{text[:120]} ... {text[-60:]}"
    return f'"{text}"' if text.isprintable() else '"' + "".join(map(_printable, text)) + '"'


def _printable(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]
