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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

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
class Roots:
    """A checked configuration. ``directories`` maps each root's own prefix to where it is mounted.

    ``names`` maps everything that a root may be called by (its prefixes, its directories, what another root
    calls its place) to its own prefix, or to None where a name is hidden behind another root.
    """

    directories: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str | None]
    depths: tuple[int, ...]
    configured: bool

    @classmethod
    def of(cls, configuration: Mapping[str, Sequence[str]]) -> "Roots":
        """Check a configuration; an empty one admits every absolute path of this machine.

        Raises ValueError, in words for the admin who wrote it.
        """
        spelled: dict[Parts, tuple[Parts, ...]] = {}
        on_disk: dict[Parts, str] = {}
        for prefix, listed in (configuration or {"/": ["/"]}).items():
            name = _configured(prefix, "the prefix")
            if name in spelled:
                raise ValueError(f'roots: "{prefix}" is configured twice.')
            places = []
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
            spelled[name] = tuple(dict.fromkeys(places))
        names, own = _names(spelled)
        return cls(
            directories={joined(name): tuple(on_disk[p] for p in spelled[name]) for name in own},
            names={joined(parts): to if to is None else joined(to) for parts, to in names.items()},
            depths=tuple(sorted({len(parts) for parts in names}, reverse=True)),
            configured=bool(configuration),
        )


def _configured(text: str, what: str) -> Parts:
    try:
        return tuple(_parts(text))
    except LocationError as problem:
        raise ValueError(f'roots: {what} "{text}" cannot be used: {problem}') from None


def _names(spelled: Mapping[Parts, tuple[Parts, ...]]) -> tuple[dict[Parts, Parts | None], list[Parts]]:
    """Everything a root may be called by, and the prefixes that roots go by."""
    aliases: dict[frozenset[Parts], list[Parts]] = {}
    for prefix, listed in spelled.items():
        aliases.setdefault(frozenset(listed), []).append(prefix)
    names: dict[Parts, Parts | None] = {}
    for places, prefixes in aliases.items():
        for name in (*prefixes, *places):
            _call(names, name, prefixes[0])
        for inner, outer in (*_nested(places, places), *_nested(prefixes, prefixes)):
            raise ValueError(f'roots: "{joined(inner)}" lies inside "{joined(outer)}", in the same root.')
    for (inner_places, inner_prefixes), (outer_places, outer_prefixes) in permutations(aliases.items(), 2):
        for inner, outer in _nested(inner_places, outer_places):
            if len(outer_places) > 1:
                raise ValueError(
                    f'roots: "{joined(inner)}" lies inside "{joined(outer)}", and '
                    f'"{joined(outer_prefixes[0])}" has further directories: it would have two names.'
                )
            for prefix in outer_prefixes:
                _call(names, (*prefix, *inner[len(outer) :]), inner_prefixes[0])
    for (_, inner_prefixes), (outer_places, outer_prefixes) in permutations(aliases.items(), 2):
        for inner, outer in _nested(inner_prefixes, outer_prefixes):
            for covered in (*outer_prefixes, *outer_places):
                names.setdefault((*covered, *inner[len(outer) :]), None)
    return names, [prefixes[0] for prefixes in aliases.values()]


def _call(names: dict[Parts, Parts | None], name: Parts, root: Parts) -> None:
    if names.setdefault(name, root) != root:
        raise ValueError(f'roots: "{joined(name)}" would belong to two roots.')


def _nested(inners: Iterable[Parts], outers: Collection[Parts]) -> list[tuple[Parts, Parts]]:
    return [(inner, outer) for inner in inners for outer in outers if _inside(inner, outer)]


def _inside(inner: Parts, outer: Parts) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


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
    """The prefix of the root that a location belongs to, and the names below it. Raises as ``normalise``."""
    parts = _parts(location)
    for depth in roots.depths:
        if depth <= len(parts) and (name := "/".join(parts[:depth]) or "/") in roots.names:
            own = roots.names[name]
            if own is None:
                break
            return own, parts[depth:]
    if roots.configured:
        hint = f"Locations begin with {' or '.join(sorted(roots.directories))}."
    else:
        hint = "No roots are configured: ask an admin to say where such paths are mounted on the server."
    raise LocationError(
        "location-outside-roots", f"location {shown(location)} is outside every configured root.", hint
    )
