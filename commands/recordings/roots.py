"""Where directories lie: the user's notation on one side, this machine's directories on the other.

A configuration maps a prefix in the user's notation to one or several mounted directories that are searched
in order: ``{"N:": ["/mnt/N"], "P:": ["/mnt/p1", "/mnt/p2"]}``. ``normalise`` turns every spelling of a
location into one text, without touching the disk: that text is the deduplication key.

Decisions, each because one key must mean one directory:

- ``\\`` and ``/`` both separate, everywhere; a name that holds a backslash cannot be named.
- A drive letter is written in upper case, an ASCII UNC server and share in lower case. Other case is kept.
- ``..`` is refused, never collapsed: behind a symbolic link it means something else than it says.
- Text is NFC, so that what macOS and Windows write of one name is one location.
- Names that Windows reserves (``con``, ``a:b``, a trailing dot) are ordinary names: published files use them.
- A directory inside another root belongs to the innermost root. Prefixes with the same directories are one
  root, named by the first. A configuration in which a directory would have two names is refused.
"""

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

MAX_LOCATION_BYTES = 2048  # UTF-8; a unique index over (username, location) has to hold it on every database

_NEVER = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:(?:/|\Z)")

Parts = tuple[str, ...]


class LocationError(Exception):
    """Unusable: ``code`` is stable, ``message`` says what is so, ``hint`` what to do."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Root:
    """One root's own prefix, and its directories in the order in which they are searched."""

    prefix: Parts
    places: tuple[Parts, ...]


ByDepth = Mapping[int, Mapping[str, Root]]


@dataclass(frozen=True, slots=True)
class Roots:
    """A checked configuration. A root goes by its own prefix: the first that was given for its directories.

    ``directories`` maps each root's own prefix to where it is mounted, as on disk. ``prefixes`` and
    ``places`` map every prefix and every directory (NFC) to its root: by depth, the deepest first, then text.
    """

    directories: Mapping[str, tuple[str, ...]]
    prefixes: ByDepth
    places: ByDepth
    configured: bool

    @classmethod
    def of(cls, configuration: Mapping[str, Sequence[str]]) -> "Roots":
        """Check a configuration; an empty one admits every absolute path of this machine.

        Raises ValueError, in words for the admin who wrote it.
        """
        groups: dict[frozenset[Parts], list[Root]] = {}
        on_disk: dict[Parts, str] = {}
        prefixes: dict[Parts, Root] = {}
        for prefix, listed in (configuration or {"/": ["/"]}).items():
            name = _configured(prefix, "the prefix")
            places: list[Parts] = []
            for directory in [listed] if isinstance(listed, str) else listed:
                place = _configured(directory, f"the directory of {prefix}")
                if place[0] != "":
                    raise ValueError(
                        f'roots: {prefix}: "{directory}" is not an absolute path of this machine.'
                    )
                on_disk.setdefault(place, os.path.normpath(directory.replace("\\", "/")))
                places.append(place)
            if not places:
                raise ValueError(f'roots: "{prefix}" has no directory.')
            if name in prefixes:
                raise ValueError(f'roots: "{prefix}" is configured twice.')
            group = groups.setdefault(frozenset(places), [])
            group.append(Root(name, tuple(dict.fromkeys(places))))
            prefixes[name] = group[0]
        _check_places([group[0] for group in groups.values()])
        own = [group[0] for group in groups.values()]
        return cls(
            directories={joined(root.prefix): tuple(on_disk[place] for place in root.places) for root in own},
            prefixes=_by_depth(prefixes),
            places=_by_depth({place: root for root in own for place in root.places}),
            configured=bool(configuration),
        )


def _configured(text: str, what: str) -> Parts:
    try:
        return tuple(_parts(text))
    except LocationError as problem:
        raise ValueError(f'roots: {what} "{text}" cannot be used: {problem}') from None


def _check_places(roots: Sequence[Root]) -> None:
    """Refuse what would give a directory two names: see the module's last decision."""
    for one, other in product(roots, repeat=2):
        for inner, outer in product(one.places, other.places):
            if inner == outer and one is not other:
                raise ValueError(f'roots: "{joined(inner)}" would belong to two roots.')
            nested = len(inner) > len(outer) and inner[: len(outer)] == outer
            if nested and len(other.places) > 1:
                raise ValueError(
                    f'roots: "{joined(inner)}" lies inside "{joined(outer)}", and '
                    f'"{joined(other.prefix)}" has further directories: it would have two names.'
                )


def joined(parts: Sequence[str]) -> str:
    """The text of an anchor (empty for ``/``) and the names below it."""
    return "/".join(parts) or "/"


def _parts(location: str) -> list[str]:
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


def shown(text: str) -> str:
    """Text in quotes for a message: control characters spelled out, the middle of a very long one cut."""
    if len(text) > 200:
        text = f"{text[:120]} ... {text[-60:]}"
    return f'"{text}"' if text.isprintable() else '"' + "".join(map(_printable, text)) + '"'


def _printable(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def normalise(location: str, roots: Roots) -> str:
    r"""The one text for a location: ``N:\a\b``, ``n:/a//b/.`` and ``/mnt/N/a/b`` are all ``N:/a/b``.

    Reads no disk; normalising twice changes nothing. Raises LocationError with ``location-not-absolute``,
    ``location-outside-roots``, ``location-with-dot-dot``, ``location-with-control-character`` or
    ``location-too-long``.
    """
    prefix, names = split(location, roots)
    normalised = joined([prefix.rstrip("/"), *names])
    if len(normalised) * 4 > MAX_LOCATION_BYTES and (size := len(normalised.encode())) > MAX_LOCATION_BYTES:
        raise LocationError(
            "location-too-long",
            f"location {shown(location)} is {size} bytes long; at most {MAX_LOCATION_BYTES} are kept.",
            "Shorten the path, or ask an admin for a root that begins deeper.",
        )
    return normalised


def split(location: str, roots: Roots) -> tuple[str, list[str]]:
    """The own prefix of the root that a location belongs to, and the names below it. Raises as ``normalise``.

    Notation is read first (its longest prefix), then the directory that it stands for (the innermost root).
    What the result says must lead back to the same root, or the directory is hidden behind another's prefix.
    """
    parts = _parts(location)
    if spelled := _longest(parts, roots.prefixes):
        root, names = spelled
        parts = [*root.places[0], *names]
    if (lies := _longest(parts, roots.places)) is not None:
        root, names = lies
        if _longest([*root.prefix, *names], roots.prefixes) == lies:
            return joined(root.prefix), names
    if roots.configured:
        hint = f"Locations begin with {' or '.join(sorted(roots.directories))}."
    else:
        hint = "No roots are configured: ask an admin to say where such paths are mounted on the server."
    raise LocationError(
        "location-outside-roots", f"location {shown(location)} is outside every configured root.", hint
    )


def _longest(parts: list[str], names: ByDepth) -> tuple[Root, list[str]] | None:
    for depth, roots in names.items():
        if depth <= len(parts) and (root := roots.get("/".join(parts[:depth]))):
            return root, parts[depth:]
    return None


def _by_depth(names: Mapping[Parts, Root]) -> ByDepth:
    table: dict[int, dict[str, Root]] = {}
    for name in sorted(names, key=len, reverse=True):
        table.setdefault(len(name), {})["/".join(name)] = names[name]
    return table
