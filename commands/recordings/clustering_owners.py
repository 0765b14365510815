"""Tell which probe the output of a clustering program belongs to, from the names on its path and of its data."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands.recordings.disk import Listing
from commands.recordings.session import ProbeOnDisk
from commands.recordings.sorted_output import data_files

_LOOKS_LIKE_PROBE = re.compile(
    r"(?:.*[._ -])?(probe[ _-]?[a-z0-9]+|imec\d+)(?:[-_.](?:ap|lfp?))?(?:[_-].*)?", re.IGNORECASE | re.DOTALL
)
_BAND = re.compile(r"-(?:ap|lfp)$")
_SHORTEST = 4  # a name of fewer letters may stand in any word


@dataclass(frozen=True, slots=True)
class _Marks:
    """What tells one probe from the others in a path: whole segments, and words within segments."""

    probe: str
    words: frozenset[str]
    within: tuple[str, ...]
    name: str

    def found_in(self, segments: Sequence[str], *, whole: bool) -> bool:
        """Whether a path names the probe; ``whole``: as a whole segment, or by its serial number or stream."""
        return any(
            segment in self.words
            or any(re.search(rf"(?<![a-z0-9]){mark}(?![a-z0-9])", segment) for mark in self.within)
            or (not whole and self.name and re.search(rf"(?<![a-z0-9]){self.name}(?![a-z0-9])", segment))
            for segment in segments
        )


class Owners:
    """Which probe each output under a directory belongs to. ``probes`` are those of the session; none: not known
    yet.
    """

    def __init__(self, root: str, probes: Sequence[ProbeOnDisk], listing: Listing) -> None:
        self._root, self._listing = root, listing
        self._marks = _marks(probes)

    def of(self, folder: str, *, kilosort: bool) -> str | None:
        """The name of the probe of the output in a folder; None where that cannot be told."""
        if len(self._marks) == 1:
            return self._marks[0].probe
        evidence: list[Callable[[], list[str]]] = [lambda: folder.split("/")]
        if kilosort:
            evidence.append(lambda: self._data(folder))
        if not self._marks:
            return next((named for segments in evidence if (named := _named(segments()))), None)
        evidence.append(lambda: list(Path(self._root).parts))
        for segments in evidence:
            path = [_folded(part) for part in segments()]
            above = segments is evidence[-1]  # the path of the directory itself may say anything
            owners = [mark.probe for mark in self._marks if mark.found_in(path, whole=above)]
            if len(owners) == 1:
                return owners[0]
        return None

    def _data(self, folder: str) -> list[str]:
        """The segments of the paths of the recordings that an output was made from."""
        if not any(found.folder == folder and found.name == "params.py" for found in self._listing.found):
            return []
        files = data_files(self._root, folder, self._listing)
        return [part for file in files for part in re.split(r"[/\\]+", file)]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _named(segments: Sequence[str]) -> str | None:
    """What looks like the name of a probe, in the deepest folder that has one."""
    for segment in segments:
        if match := _LOOKS_LIKE_PROBE.fullmatch(segment):
            return match[1]
    return None


def _marks(probes: Sequence[ProbeOnDisk]) -> list[_Marks]:
    words: list[set[str]] = []
    within: list[set[str]] = []
    names: list[str] = []
    for probe in probes:
        name = _folded(probe.name)
        last = name.rpartition("/")[2]
        words.append({name, last})
        within.append({re.escape(probe.serial.lower())} if probe.serial else set())
        names.append(re.escape(last) if len(last) >= _SHORTEST else "")
        for file in probe.recordings:
            folder, _, meta = _folded(file).rpartition("/")
            words[-1] |= {folder.rpartition("/")[2], meta.removesuffix(".meta") + ".bin"}
            within[-1] |= set(re.findall(r"(?<=\.)imec\d+(?=\.)", meta))
        for stream in probe.streams:
            data = _folded(stream).rpartition("/")[2]
            words[-1] |= {data, _BAND.sub("", data)}
    counted = Counter(mark for own, inner in zip(words, within, strict=True) for mark in own | inner)
    shared = {mark for mark, n in counted.items() if n > 1}
    return [
        _Marks(probe.name, frozenset(own - shared), tuple(sorted(inner - shared)), name)
        for probe, own, inner, name in zip(probes, words, within, names, strict=True)
    ]
