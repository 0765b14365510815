"""Where directories lie: the user's notation on one side, this machine's directories on the other.

A configuration maps a prefix in the user's notation to one or several mounted directories that are searched
in order: ``{"N:": ["/mnt/N"], "P:": ["/mnt/p1", "/mnt/p2"]}``. ``normalise`` turns every spelling of a
location into one text, without touching the disk: that text is the deduplication key. ``commands.recordings.search``
finds the directory.

A directory inside another root belongs to the innermost root. Prefixes with the same directories are one
root, named by the first. A configuration in which a directory would have two names is refused.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from itertools import product
from types import MappingProxyType

from commands.recordings.locations import LocationError, joined, parts_of, shown

__all__ = ["LocationError", "Roots", "normalise", "shown"]

_REMEMBERED = 50_000
MAX_LOCATION_BYTES = 2048  # UTF-8; a unique index over (username, location) has to hold it on every database

Parts = tuple[str, ...]


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
    ``sorted_at`` maps a normalised place to that below which its sorted output lies; times in UTC are put into
    ``zone``.
    """

    directories: Mapping[str, tuple[str, ...]]
    prefixes: ByDepth
    places: ByDepth
    configured: bool
    sorted_at: Mapping[str, str] = field(
        default_factory=dict
    )  # where the sorted output of a place lies, both normalised
    zone: tzinfo = UTC
    known: dict[str, str] = field(default_factory=dict, compare=False, repr=False)  # texts normalised lately

    @classmethod
    def of(
        cls,
        configuration: Mapping[str, Sequence[str]],
        *,
        sorted_at: Mapping[str, str] = MappingProxyType({}),
        zone: tzinfo = UTC,
    ) -> "Roots":
        """Check a configuration; an empty one admits every absolute path of this machine. ``sorted_at`` says below
        which place the sorted output of another lies; both are places in roots.

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
        roots = cls(
            directories={joined(root.prefix): tuple(on_disk[place] for place in root.places) for root in own},
            prefixes=_by_depth(prefixes),
            places=_by_depth({place: root for root in own for place in root.places}),
            configured=bool(configuration),
            zone=zone,
        )
        return replace(roots, sorted_at=_sorted_places(sorted_at, roots)) if sorted_at else roots


def _sorted_places(table: Mapping[str, str], roots: "Roots") -> dict[str, str]:
    """Raises ValueError for a place that is in no root."""
    found = {}
    for recorded, place in table.items():
        for text in (recorded, place):
            try:
                normalise(text, roots)
            except LocationError as problem:
                raise ValueError(f'sorted: "{text}" cannot be used: {problem}') from None
        found[normalise(recorded, roots)] = normalise(place, roots)
    return found


def _configured(text: str, what: str) -> Parts:
    try:
        return tuple(parts_of(text))
    except LocationError as problem:
        raise ValueError(f'roots: {what} "{text}" cannot be used: {problem}') from None


def _check_places(roots: Sequence[Root]) -> None:
    """Refuse what would give a directory two names."""
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


def normalise(location: str, roots: Roots) -> str:
    r"""The one text for a location: ``N:\a\b``, ``n:/a//b/.`` and ``/mnt/N/a/b`` are all ``N:/a/b``.

    Reads no disk; normalising twice changes nothing. Raises LocationError with ``location-not-absolute``,
    ``location-outside-roots``, ``location-with-dot-dot``, ``location-with-control-character`` or
    ``location-too-long``.
    """
    known = roots.known.get(location)
    if known is not None:
        return known
    prefix, names = split(location, roots)
    normalised = joined([prefix.rstrip("/"), *names])
    if len(normalised) * 4 > MAX_LOCATION_BYTES and (size := len(normalised.encode())) > MAX_LOCATION_BYTES:
        raise LocationError(
            "location-too-long",
            f"location {shown(location)} is {size} bytes long; at most {MAX_LOCATION_BYTES} are kept.",
            "Shorten the path, or ask an admin for a root that begins deeper.",
        )
    if len(roots.known) >= _REMEMBERED:
        roots.known.clear()
    roots.known[location] = normalised
    return normalised


def split(location: str, roots: Roots) -> tuple[str, list[str]]:
    """The own prefix of the root that a location belongs to, and the names below it. Raises as ``normalise``.

    Notation is read first (its longest prefix), then the directory that it stands for (the innermost root).
    What the result says must lead back to the same root, or the directory is hidden behind another's prefix.
    """
    parts = place = parts_of(location)
    if spelled := _longest(parts, roots.prefixes):
        root, names = spelled
        place = [*root.places[0], *names]
    if lies := _longest(place, roots.places):
        root, names = lies
        own = [*root.prefix, *names]
        if own == parts or _longest(own, roots.prefixes) == lies:
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


def sorted_place(location: str, roots: Roots) -> str | None:
    """Where the sorted output of a normalised location lies: the same path below another place. None: nowhere else."""
    for recorded, place in sorted(roots.sorted_at.items(), key=lambda pair: len(pair[0]), reverse=True):
        if location == recorded or location.startswith(f"{recorded.rstrip('/')}/"):
            return f"{place.rstrip('/')}/{location[len(recorded) :].lstrip('/')}".rstrip("/")
    return None
