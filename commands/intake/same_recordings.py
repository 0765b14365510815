"""Whether what lies on disk is the recording that was inserted, as far as the readers can prove it. Pure.

Names prove nothing: a recording is known by its probe's serial number, its start, its length and its size. What has
neither a serial number nor a length or size is known by nothing.
"""

from collections.abc import Sequence
from typing import Any

Plain = dict[str, Any]
Mark = tuple[Any, ...]

_TOLD_BY = ("serial", "duration_s", "file_bytes")


def marks(recordings: Sequence[Plain]) -> set[Mark]:
    """What tells these recordings from others. Recordings are plain records, as events hold them."""
    return {_mark(recording) for recording in recordings}


def _mark(recording: Plain) -> Mark:
    return tuple(recording.get(name) for name in ("system", "start", *_TOLD_BY))


def proven(recordings: Sequence[Plain]) -> bool:
    """Whether each of them is told from all others: by a start that a header states, and one thing more."""
    return bool(recordings) and all(
        recording.get("start") is not None
        and not recording.get("start_inferred")
        and any(recording.get(name) is not None for name in _TOLD_BY)
        for recording in recordings
    )


def renamed_probes(stored: Sequence[Plain], found: Sequence[Plain]) -> list[tuple[str, str]] | None:
    """How probes that are on record are called on disk now, where that differs: (old name, new name); None where one
    of them cannot be told. Each has a ``name`` and a ``serial``.

    A lone probe is called like its folder where that holds nothing else, so its name goes with the folder's."""
    left = list(found)
    pairs: list[tuple[str, str]] = []
    rest = []
    for probe in stored:
        same = [one for one in left if probe["serial"] and one["serial"] == probe["serial"]]
        same = same or [one for one in left if one["name"] == probe["name"] and not probe["serial"]]
        if len(same) != 1:
            rest.append(probe)
            continue
        left.remove(same[0])
        pairs.append((probe["name"], same[0]["name"]))
    if len(rest) == 1 and len(left) == 1 and not rest[0]["serial"] and not left[0]["serial"]:
        pairs.append((rest.pop()["name"], left[0]["name"]))
    return None if rest else [(old, new) for old, new in pairs if old != new]
