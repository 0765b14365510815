"""Find the directory that a location names, on this machine. The only module that decides which directory may be read.

A symbolic link may not lead out of the mounted directory that it was found in. Names on disk may be NFC or NFD: both
are looked for, and two different directories are an error.
"""

import contextlib
import errno
import os
import stat
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from commands.recordings.locations import LocationError, joined, shown
from commands.recordings.roots import Roots, normalise, split

_LISTED = 2_000  # names of a directory in which what was meant is looked for
_LONGEST = 80  # characters of a name that is compared with others
_STEPS = (
    20_000_000  # a letter beside a letter, in search of what was meant: a run's first missing names get it
)
_GONE = (errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENODEV)
_AS_THE_SERVER = os.access in os.supports_effective_ids


def top_of(directory: Path, roots: Roots) -> Path:
    """The mounted directory that a directory lies in; links are followed in it alone."""
    mounted = [Path(os.path.realpath(place)) for places in roots.directories.values() for place in places]
    around = [place for place in mounted if directory.is_relative_to(place)]
    return max(around, key=lambda place: len(place.parts), default=directory.parent)


def resolve(location: str, roots: Roots) -> Path:
    """Find one directory; ``Search.directory`` says more and is cheaper for many."""
    return Path(Search(roots).directory(location))


class Search:
    """One run's look at the disk. Parents are remembered for the run; the directory itself is always asked.

    A clean location costs two system calls once its parent is known. Make a new Search for every run.
    """

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._tops: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._listings: dict[str, dict[str, str]] = {}
        self._near: dict[tuple[str, str], str | None] = {}
        self._steps = 0

    def directory(self, location: str) -> str:
        """The directory that a location names, with symbolic links followed; readable when asked.

        Takes any spelling. Raises LocationError: what ``normalise`` raises, and ``location-not-found``,
        ``root-not-mounted``, ``location-not-directory``, ``location-not-readable``,
        ``location-escapes-root``, ``location-symlink-loop``, ``location-too-long``, ``location-ambiguous``
        or ``location-unreachable``.
        """
        prefix, names = split(location, self._roots)
        directories = self._roots.directories[prefix]
        found: dict[str, str] = {}
        for directory in directories:
            try:
                found.setdefault(self._find(directory, names), directory)
            except FileNotFoundError:
                continue
            except OSError as problem:
                _explain(problem, location, directory)
        if not found:
            self._explain_missing(location, prefix, names)
        if len(found) > 1:
            raise LocationError(
                "location-ambiguous",
                f"location {shown(location)} is there more than once: {' and '.join(sorted(found))}.",
                f"Rename or move one of them: every location under {prefix} must name one directory.",
            )
        return next(iter(found))

    def named(self, text: str) -> str:
        """The location of a directory that was found: without the links that led to it."""
        tops = [
            (top, directory)
            for directory, top in self._tops.items()
            if text == top or text.startswith(f"{top}/")
        ]
        top, directory = max(tops, key=lambda one: len(one[0]))
        return normalise(f"{directory.rstrip('/')}{text[len(top) :]}" or "/", self._roots)

    def _find(self, directory: str, names: Sequence[str]) -> str:
        top = self._tops.get(directory)
        if top is None:
            top = self._tops[directory] = _directory(os.path.realpath(directory, strict=True)).rstrip("/")
        real, spelled = top, directory
        for name in names[:-1]:
            spelled = f"{spelled}/{name}"
            known = self._parents.get(spelled)
            if known is None:
                known = self._parents[spelled] = _step(real, name, top)
            real = known
        if names:
            real = _step(real, names[-1], top)
        if not os.access(real or "/", os.R_OK | os.X_OK, effective_ids=_AS_THE_SERVER):
            Path(real or "/").stat()  # gone since, rather than not readable?
            raise PermissionError(errno.EACCES, "may not be read", real)
        return real or "/"

    def _explain_missing(self, location: str, prefix: str, names: Sequence[str]) -> NoReturn:
        directories = self._roots.directories[prefix]
        if unmounted := [directory for directory in directories if _looks_unmounted(directory)]:
            raise LocationError(
                "root-not-mounted",
                f"location {shown(location)} could not be looked for: {' and '.join(unmounted)}, "
                f"where {prefix} should be mounted, is empty or not there.",
                "Ask an admin to mount it; the file itself may be right.",
            )
        there, parent = max(_deepest(directory, names) for directory in directories)
        hint = "Check the spelling; upper and lower case differ on the server."
        if os.path.lexists(parent) and not Path(parent).exists():
            missing = f"{parent} is a symbolic link to something that is not there"
        elif there < len(names):
            missing = f"there is no {shown(names[there])} in {parent}"
            if near := self._nearest(parent, names[there]):
                corrected = joined([prefix.rstrip("/"), *names[:there], near, *names[there + 1 :]])
                hint = f"Did you mean {shown(corrected)}?"
        else:
            missing = "it was there a moment ago"
        raise LocationError(
            "location-not-found", f"location {shown(location)} was not found: {missing}.", hint
        )

    def _nearest(self, parent: str, name: str) -> str | None:
        """A name in ``parent`` that may have been meant."""
        if (parent, name) in self._near:
            return self._near[parent, name]
        if len(name) > _LONGEST or self._steps >= _STEPS:
            return None
        listing = self._listings.get(parent)
        if listing is None:
            listing = self._listings[parent] = _names_in(parent)
        self._steps += (len(listing) + 1) * len(name) ** 2
        folded = name.casefold()
        near = [folded] if folded in listing else get_close_matches(folded, listing, n=1, cutoff=0.75)
        self._near[parent, name] = listing[near[0]] if near else None
        return self._near[parent, name]


def _names_in(directory: str) -> dict[str, str]:
    """The names in it that are no longer than those that are compared, by what they are without capitals; none of a
    directory that has too many, or that cannot be read."""
    names: dict[str, str] = {}
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if len(names) == _LISTED:
                return {}
            if len(entry.name) <= _LONGEST:
                names[entry.name.casefold()] = entry.name
    return names


def _step(real: str, name: str, top: str) -> str:
    """One name deeper, never out of ``top``; both arguments and the result are free of symbolic links."""
    path = f"{real}/{name}"
    if not name.isascii():
        path = _as_on_disk(real, name)
    mode = os.lstat(path).st_mode
    if stat.S_ISDIR(mode):
        return path
    if not stat.S_ISLNK(mode):
        raise NotADirectoryError(errno.ENOTDIR, "is not a directory", path)
    target = os.path.realpath(path, strict=True)
    if target != top and not target.startswith(f"{top}/"):
        raise LocationError(
            "location-escapes-root",
            f"{path} is a symbolic link to {target}, which is outside {top}.",
            "Use the location that the link leads to, or ask an admin to add a root for it.",
        )
    return _directory(target)


def _directory(path: str) -> str:
    if not stat.S_ISDIR(Path(path).stat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "is not a directory", path)
    return path


def _as_on_disk(real: str, name: str) -> str:
    there: dict[tuple[int, int], str] = {}
    for spelling in (name, unicodedata.normalize("NFD", name)):
        with contextlib.suppress(FileNotFoundError):
            status = os.lstat(f"{real}/{spelling}")
            there.setdefault((status.st_dev, status.st_ino), f"{real}/{spelling}")
    if len(there) > 1:
        raise LocationError(
            "location-ambiguous",
            f"{real} holds {shown(name)} twice, in two Unicode spellings that look the same.",
            "Rename one of the two.",
        )
    return next(iter(there.values()), f"{real}/{name}")


def is_mounted(prefix: str, roots: Roots) -> bool:
    """Whether something is there where a root should be mounted. May take as long as the share does not answer."""
    directories = roots.directories.get(prefix, ())
    return bool(directories) and not any(_looks_unmounted(directory) for directory in directories)


def _looks_unmounted(directory: str) -> bool:
    try:
        with os.scandir(directory) as entries:
            return next(entries, None) is None
    except PermissionError:
        return False
    except OSError:
        return True


def _deepest(directory: str, names: Sequence[str]) -> tuple[int, str]:
    path = directory
    for depth, name in enumerate(names):
        deeper = f"{path.rstrip('/')}/{name}"
        if not os.path.lexists(deeper):
            return depth, path
        path = deeper
    return len(names), path


def _explain(problem: OSError, location: str, directory: str) -> NoReturn:
    """Raise what a failed system call means to the one who wrote the location."""
    here = f"location {shown(location)}"
    at = problem.filename or directory
    match problem.errno:
        case errno.ENOTDIR:
            code, message = "location-not-directory", f"{here} is not a directory: {at} is a file."
            hint = "Give the directory that holds the recording, not a file in it."
        case errno.EACCES | errno.EPERM:
            code, message = "location-not-readable", f"{here} may not be read by the server, at {at}."
            hint = "Give the server's account permission to read and enter that directory."
        case errno.ELOOP:
            code, message = "location-symlink-loop", f"{here} runs in a circle of symbolic links, at {at}."
            hint = "Use the location of the directory itself."
        case errno.ENAMETOOLONG:
            code, message = "location-too-long", f"{here} has a name that is too long for the file system."
            hint = "Check that the path was copied as it is."
        case code_number if code_number in _GONE:
            code, message = (
                "root-not-mounted",
                f"{here} could not be looked for: {directory} does not answer.",
            )
            hint = "Ask an admin to look at the share; the file itself may be right."
        case _:
            code, message = "location-unreachable", f"{here} could not be looked at: {problem.strerror}."
            hint = "Try again; if it stays so, ask an admin."
    raise LocationError(code, message, hint) from problem
