"""What the readers of session directories find: recordings, probes, and what is wrong. Only shapes, and
the names that probes get.

Times are naive local time, as the acquisition software wrote them; nothing here converts them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

System = Literal["neuropixels", "axona", "neuralynx", "neurologger", "openephys"]


class SessionDirectoryError(Exception):
    """Something about files on disk that a person has to be told.

    ``code`` is stable, in kebab-case; ``message`` says where and what, ``hint`` what to do next.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(code, message, hint)
        self.code, self.message, self.hint = code, message, hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class NotASession(SessionDirectoryError):
    """The directory holds no recording of a known system, or recordings of several systems."""


class UnreadableSession(SessionDirectoryError):
    """A recording is there, but it cannot be read or does not make sense.

    The code ``session-changing`` means that files vanished while they were read: trying again may help.
    """


@dataclass(frozen=True, slots=True)
class Recording:
    """One file set. ``file`` is the file that was read: its path in the session directory, with ``/``.

    ``name`` is its name on disk: the folder that holds the meta (SpikeGLX), the stem of the ``.set`` (Axona),
    the directory (Neuralynx, Neurologger), the stream (Open Ephys). Several recordings may share it, such as
    triggers. ``shanks`` counts the shanks of the probe, not those recorded from. ``acquiring`` means that the
    acquisition software has not closed the recording yet. ``derived`` marks the output of a program that ran
    on another recording (CatGT). ``start_inferred`` marks a start that no header states; see the reader.
    """

    system: System
    name: str
    file: str
    serial: str | None = None
    part_number: str | None = None
    shanks: int | None = None
    start: datetime | None = None
    duration_s: float | None = None
    file_bytes: int | None = None
    acquiring: bool = False
    derived: bool = False
    start_inferred: bool = False


@dataclass(frozen=True, slots=True)
class ProbeOnDisk:
    """One probe of a session, however many files it has. ``recordings`` are its recordings' files.

    ``name`` is unique in the session. It is the folder that holds the probe's recordings. Where that does not
    tell two probes apart it is, in this order: the folder's path in the session directory; that path with
    the stream (``run_g0/imec1``, for two probes in one folder); the file. Systems that store no serial number
    have one probe per session directory, since their files do not tell probes apart.
    """

    name: str
    serial: str | None
    part_number: str | None
    shanks: int | None
    recordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionDirectory:
    """What one session directory holds. ``start`` is its session_time: the earliest of its recordings."""

    system: System
    recordings: tuple[Recording, ...]
    probes: tuple[ProbeOnDisk, ...]
    start: datetime | None
    acquiring: bool

    @property
    def start_inferred(self) -> bool:
        return any(r.start_inferred and r.start == self.start for r in self.recordings)

    @property
    def duration_s(self) -> float | None:
        """Seconds from the session's start to the end of its last recording; None while that is not known."""
        start = self.start
        if start is None or self.acquiring:
            return None
        ends = [
            (r.start - start).total_seconds() + r.duration_s
            for r in self.recordings
            if r.start is not None and r.duration_s is not None
        ]
        return max(ends, default=None)


def session_of(system: System, directory_name: str, recordings: Sequence[Recording]) -> SessionDirectory:
    """Put the recordings of one system together. ``recordings`` must not be empty."""
    if len(recordings) == 1:  # most sessions by far
        one = recordings[0]
        name = _names(directory_name, one)[0]
        probe = ProbeOnDisk(name, one.serial, one.part_number, one.shanks, (one.file,))
        return SessionDirectory(system, (one,), (probe,), one.start, one.acquiring)
    starts = [r.start for r in recordings if r.start is not None]
    return SessionDirectory(
        system=system,
        recordings=tuple(recordings),
        probes=_probes(directory_name, recordings),
        start=min(starts, default=None),
        acquiring=any(r.acquiring for r in recordings),
    )


def _probes(directory_name: str, recordings: Sequence[Recording]) -> tuple[ProbeOnDisk, ...]:
    by_serial: dict[str | None, list[Recording]] = {}
    for recording in recordings:
        by_serial.setdefault(recording.serial, []).append(recording)
    for of_one in by_serial.values():
        of_one.sort(key=lambda r: (r.derived, r.file))  # a probe is named after its raw recording
    probes = sorted(by_serial.values(), key=lambda of_one: of_one[0].file)
    names = _distinct_names(directory_name, [of_one[0] for of_one in probes])
    return tuple(_probe(directory_name, of_one, name) for of_one, name in zip(probes, names, strict=True))


def _probe(directory_name: str, recordings: Sequence[Recording], name: str | None = None) -> ProbeOnDisk:
    first = recordings[0]
    if first.serial is None and len({_folder(r.file) for r in recordings}) > 1:
        name = directory_name
    return ProbeOnDisk(
        name=name or _names(directory_name, first)[0],
        serial=first.serial,
        part_number=next((r.part_number for r in recordings if r.part_number is not None), None),
        shanks=next((r.shanks for r in recordings if r.shanks is not None), None),
        recordings=tuple(r.file for r in recordings),
    )


def _folder(file: str) -> str:
    return file.rpartition("/")[0]


def _distinct_names(directory_name: str, firsts: Sequence[Recording]) -> list[str]:
    """A name for each probe, from its first recording: the shortest that no other probe could have."""
    names: list[str | None] = [None] * len(firsts)
    for level in range(4):
        candidates = [_names(directory_name, r)[level] for r in firsts]
        taken = Counter([*candidates, *(name for name in names if name is not None)])
        for i, candidate in enumerate(candidates):
            if names[i] is None and taken[candidate] == 1:
                names[i] = candidate
    return [name if name is not None else r.file for name, r in zip(names, firsts, strict=True)]


def _names(directory_name: str, recording: Recording) -> tuple[str, str, str, str]:
    if recording.serial is not None and "/" not in recording.file:
        folder = recording.name
    else:
        folder = _folder(recording.file) or directory_name
    short = recording.name if recording.serial is not None else folder.rpartition("/")[2]
    parts = recording.file.rpartition("/")[2].lower().split(".")
    stream = next((part for part in parts if part.startswith("imec")), parts[0])
    return short, folder, f"{folder}/{stream}", recording.file
