"""What the random histories happen in: recordings on a share, a catalogue, input files as values.

The folders never change: what becomes of a session depends on its folder, its subject, and who else has its time.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from commands.recordings.roots import Roots
from commands.samples.clusterings import kilosort_output
from commands.samples.spikeglx import SampleProbe, probe_meta
from tests.intake.lab import SERIALS, START, document, group, session

USERS = ("user_1", "user_2", "user_3")
SUBJECTS = ("12345", "23456")
PROBES = {"12345": f"npx_1_{SERIALS[0]}", "23456": f"npx_2_{SERIALS[0]}"}
ROOMS = ("2.345", "2.346")
GROUPS = ("group_1", "group_2")
NOTES = ("", "sorted again")

CATALOGUE = f"""
reference.Experimenter: [user_1, user_2, user_3]
reference.ExperimentRoom: ["2.345", "2.346"]
reference.Probe: [{", ".join(PROBES.values())}, tetrode_drive, npx_3]
reference.ArenaApparatus: [150_square]
behavior.TaskType: [OpenField]
subjects:
  - name: "12345"
    probes:
      - {{probe: {PROBES["12345"]}, insertion_time: "2023-03-01 00:00:00"}}
      - {{probe: npx_3, insertion_time: "2023-03-01 00:00:00"}}
  - name: "23456"
    probes:
      - {{probe: {PROBES["23456"]}, insertion_time: "2023-03-01 00:00:00"}}
      - {{probe: tetrode_drive, insertion_time: "2023-03-01 00:00:00"}}
"""
TASKS = b"""
- {task_type: OpenField, arena_apparatus: 150_square, task_start: 0, task_stop: 10}
- {task_type: OpenField, arena_apparatus: 150_square, task_start: 10, task_stop: 20}
"""
TASKS_ADDED = 2


@dataclass(frozen=True)
class Folder:
    """``kind``: plain, sorted (with a clustering), strange (its serial number is in no probe's name), or empty."""

    name: str
    kind: str
    hour: int

    @property
    def location(self) -> str:
        return f"N:/rec/{self.name}"

    @property
    def time(self) -> str:
        return str(START + timedelta(hours=self.hour))


FOLDERS = (
    Folder("plain_1", "plain", 1),
    Folder("plain_2", "plain", 2),
    Folder("plain_3", "plain", 3),
    Folder("twin", "plain", 1),  # a copy of the first, as far as its time says
    Folder("sorted_1", "sorted", 4),
    Folder("sorted_2", "sorted", 5),
    Folder("strange", "strange", 6),
    Folder("empty", "empty", 7),
)


def write_share(directory: Path) -> Roots:
    for folder in FOLDERS:
        path = directory / "rec" / folder.name
        path.mkdir(parents=True)
        if folder.kind == "empty":
            continue
        serial = "9999999" if folder.kind == "strange" else SERIALS[0]
        start = START + timedelta(hours=folder.hour)
        meta = probe_meta(SampleProbe(serial), file_name="npx.imec.ap.bin", start=start, duration_s=60.0)
        (path / "probe_1").mkdir()
        (path / "probe_1" / "npx.imec.ap.meta").write_text(meta)
        if folder.kind == "sorted":
            kilosort_output(path / "probe_1" / "ks2.1_01")
    for name in GROUPS:
        kilosort_output(directory / "joint" / name)
    return Roots.of({"N:": [str(directory)]})


@dataclass(frozen=True)
class Entry:
    """A session of an input file. ``name`` is unique in the whole history."""

    folder: Folder
    name: str
    room: str


@dataclass(frozen=True)
class GroupEntry:
    """A multi-session clustering of an input file; ``sessions`` are names of its entries."""

    name: str
    sessions: tuple[str, ...]
    notes: str = ""


@dataclass(frozen=True)
class File:
    subject: str
    entries: tuple[Entry, ...]
    groups: tuple[GroupEntry, ...] = ()

    def content(self) -> bytes:
        sessions = [
            session(one.folder.name, name=one.name, room=one.room, clustering=one.folder.kind == "sorted")
            for one in self.entries
        ]
        clustering = [
            group(one.name, one.sessions) | ({"notes": one.notes} if one.notes else {}) for one in self.groups
        ]
        return document(*sessions, subject=self.subject, clustering=clustering)
