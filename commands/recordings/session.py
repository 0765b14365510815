"""What the readers of session directories find: recordings, probes, and what is wrong or was left. Only shapes.

Times are naive local time, as the acquisition software wrote them. Where it wrote UTC instead, the start was put into
the zone that ``Recording.zone`` names.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

System = Literal["neuropixels", "axona", "neuralynx", "neurologger", "openephys"]

FAR_APART = timedelta(hours=12)
"""Recordings of one session start within this time: more is several days, such as a subject's folder."""


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
    """The directory holds no recording that can be read, or recordings of several systems, or is part of one."""


class UnreadableSession(SessionDirectoryError):
    """A recording is there, but it cannot be read or does not make sense.

    The code ``session-changing`` means that files vanished while they were read: trying again may help.
    """


@dataclass(frozen=True, slots=True)
class Recording:
    """One file set. ``file`` is the file that was read: its path in the session directory, with ``/``.

    ``name`` is its name on disk: the folder that holds the meta (SpikeGLX), the stem of the ``.set`` (Axona),
    the directory (Neuralynx, Neurologger), the stream (Open Ephys). Several recordings may share it, such as
    triggers. ``serial`` is None where none is stored, and where a stored 0 means that it is not known.
    ``shanks`` counts the shanks of the probe, not those recorded from. ``acquiring`` means that the
    acquisition software has not closed the recording (yet: it may have crashed). ``derived`` marks the output of a
    program that ran on another recording (CatGT). ``start_source`` says which file, or name, the start is from;
    ``start_inferred`` marks one that no header states. ``zone`` names the zone that a start in UTC was put into;
    None: the source is in local time. ``stream`` is the folder of the data, where a recording has one of its own.
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
    start_source: str | None = None
    zone: str | None = None
    stream: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeOnDisk:
    """One probe of a session, however many files it has. ``recordings`` are its recordings' files, ``streams`` the
    folders of their data where these have their own.

    ``name`` is unique in the session, and is the same whether or not other probes were recorded beside it: see
    ``probe_names``. Systems that do not tell probes apart have one per session directory.
    """

    name: str
    serial: str | None
    part_number: str | None
    shanks: int | None
    recordings: tuple[str, ...]
    streams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """Recorded data whose description is missing or broken: they are there, but cannot be taken as they are.

    ``name`` is what the data would be called if they could be read (a probe's name on disk, or a folder): a person
    leaves them out by it. ``files`` are what lies there; ``code``, ``message`` and ``hint`` are as in an error.
    """

    name: str
    code: str
    files: tuple[str, ...]
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something readable that is not taken, or a fact to keep in mind: the session goes in, and this stays with it.

    ``code`` is one of ``lf-only``, ``auxiliary-stream``, ``exported-piece``, ``derived``, ``clock-in-doubt``,
    ``settings-unreadable``, ``nested-recordings``, ``sessions-txt-name``, ``linked-folder``, ``same-serial``.
    """

    code: str
    name: str
    files: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class SessionDirectory:
    """What one session directory holds. ``start`` is its session_time: the earliest of its raw recordings.

    ``missing`` makes a session wait, ``remarks`` stay with it. ``last_written`` is told while ``acquiring``: when
    the open recordings' files were last modified, in UTC (an acquisition that crashed leaves them untouched).
    """

    system: System
    recordings: tuple[Recording, ...]
    probes: tuple[ProbeOnDisk, ...]
    start: datetime | None
    acquiring: bool
    missing: tuple[Missing, ...] = ()
    remarks: tuple[Remark, ...] = ()
    last_written: datetime | None = None

    @property
    def raw(self) -> tuple[Recording, ...]:
        """The recordings that no program made from others; all of them where there are only such."""
        return tuple(r for r in self.recordings if not r.derived) or self.recordings

    @property
    def start_inferred(self) -> bool:
        return any(r.start_inferred and r.start == self.start for r in self.recordings)

    @property
    def zone(self) -> str | None:
        """The zone that the session's start was put into; None: it was read as local time."""
        return next((r.zone for r in self.recordings if r.start == self.start), None)

    @property
    def starts(self) -> tuple[tuple[datetime, str], ...]:
        """When each raw recording started, and its file; in this order."""
        return tuple(sorted((r.start, r.file) for r in self.raw if r.start is not None))

    @property
    def far_apart(self) -> bool:
        """Whether the recordings are those of more than one session: too much lies between their starts."""
        if len(self.recordings) == 1:
            return False
        starts = self.starts
        return bool(starts) and starts[-1][0] - starts[0][0] > FAR_APART

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
