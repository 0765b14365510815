"""A small lab for the tests of the main job: a share, a filled catalogue, sessions on disk, input files as data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.inputfile.catalogue import read_catalogue
from commands.intake.upload_report import UploadedClustering, UploadedSession, UploadReport
from commands.intake.uploading import upload
from commands.lab.catalogue import LoadCatalogue
from commands.lab.roles import GrantRole
from commands.recordings.roots import Roots
from commands.samples.spikeglx import SampleProbe, probe_meta, spikeglx_session
from ledger import input_files, log
from ledger.bodies import body_of
from ledger.envelope import StoredEvent

SERIALS = ("18408403232", "18408405241")
PROBES = tuple(f"npx_1_{serial}" for serial in SERIALS)
SUBJECT = "12345"
START = datetime(2023, 5, 1, 10)

CATALOGUE = f"""
reference.Experimenter: [user_1, user_2, user_3]
reference.ExperimentRoom: ["2.345", "2.346"]
reference.Probe: [{", ".join(PROBES)}, npx_2_18408403232, tetrode_drive, npx_3]
reference.ArenaApparatus: [150_square, 100_square]
reference.ArenaObject: [object_1]
reference.CueCard: [card_1]
acquisition.Project: [my_project, my_other_project]
behavior.TaskType: [OpenField, {{name: SleepTask, arena_required: false}}]
behavior.TaskLightLevel: [dim]
subjects:
  - name: "{SUBJECT}"
    probes:
      - {{probe: {PROBES[0]}, insertion_time: "2023-03-01 00:00:00"}}
      - {{probe: {PROBES[1]}, insertion_time: "2023-03-01 00:00:00"}}
  - name: "23456"
    probes: [{{probe: tetrode_drive, insertion_time: "2023-03-01 00:00:00"}}]
  - name: "34567"
"""

Entry = dict[str, Any]


def load_catalogue(daybook: Daybook, text: str) -> None:
    result = read_catalogue(text.encode())
    assert result.catalogue is not None, result.findings
    daybook.submit(LoadCatalogue(catalogue=result.catalogue))


@dataclass
class Lab:
    url: str
    daybook: Daybook
    share: Path
    roots: Roots
    _others: dict[str, Daybook] = field(default_factory=dict)

    def as_user(self, user: str) -> Daybook:
        if user not in self._others:
            self._others[user] = Daybook.open(self.url, Actor(user))
        return self._others[user]

    def as_admin(self, user: str) -> Daybook:
        self.daybook.submit(GrantRole(user=user, role="admin"))
        return self.as_user(user)

    def close(self) -> None:
        for daybook in self._others.values():
            daybook.close()

    def record(self, name: str, *, day: int = 0, serials: Sequence[str] = SERIALS, **options: Any) -> Path:
        """A session directory on the share, ``day`` days after the first."""
        options.setdefault("start", START + timedelta(days=day))
        return spikeglx_session(self.share / name, probes=[SampleProbe(s) for s in serials], **options)

    def record_many(self, count: int) -> list[str]:
        names = [f"date_{number + 1}" for number in range(count)]
        for number, name in enumerate(names):
            self.record(name, day=number)
        return names

    def record_quickly(self, count: int) -> list[str]:
        """Sessions of one probe, an hour apart: one meta and nothing else."""
        text = probe_meta(SampleProbe(SERIALS[0]), file_name="npx.imec.ap.bin", start=START, duration_s=60.0)
        for number in range(count):
            folder = self.share / f"quick_{number}" / "probe_1"
            folder.mkdir(parents=True)
            start = (START + timedelta(hours=number)).isoformat()
            (folder / "npx.imec.ap.meta").write_text(text.replace(START.isoformat(), start))
        return [f"quick_{number}" for number in range(count)]

    def upload(self, *sessions: Entry, user: str = "user_1", **parts: Any) -> UploadReport:
        return self.upload_bytes(document(*sessions, **parts), user=user)

    def upload_bytes(
        self, data: bytes, *, user: str = "user_1", filename: str = "12345.yml", **options: Any
    ) -> UploadReport:
        daybook = self.daybook if user == self.daybook.actor.user else self.as_user(user)
        return upload(daybook, data, filename=filename, **{"roots": self.roots} | options)

    def size(self) -> int:
        with self.daybook.reading() as world:
            return world.head.size

    def events(self, after: int = 0) -> list[StoredEvent]:
        with self.daybook.reading() as world:
            return [e for page in log.pages(world.transaction, after, world.head.size) for e in page]

    def types(self, after: int = 0) -> list[str]:
        return [event.type for event in self.events(after)]

    def bodies(self, kind: str, after: int = 0) -> list[dict[str, Any]]:
        return [body_of(event) for event in self.events(after) if event.type == kind]

    def kept_bytes(self) -> bytes:
        """What is kept of the newest upload."""
        digest = self.bodies("InputFileReceived")[-1]["sha256"]
        with self.daybook.reading() as world:
            return input_files.fetch(world.transaction, digest)

    def statuses(self) -> dict[str, str]:
        """Status of the newest session at each location."""
        with self.daybook.reading() as world:
            rows = world.state.sessions.where("id > 0", [])
            return {row.location: row.status for row in rows}


def session(folder: str, /, **fields: Any) -> Entry:
    entry: Entry = {
        "location": f"N:/rec/{folder}",
        "experimenter": "user_1",
        "tasks": [],
        "clustering": False,
    }
    return entry | fields


def task(**fields: Any) -> Entry:
    return {"task_type": "OpenField", "arena_apparatus": "150_square"} | fields


def group(name: str, sessions: Sequence[str], /, **fields: Any) -> Entry:
    entry: Entry = {
        "curator": "user_1", "location": f"N:/joint/{name}", "group_name": name, "sessions": list(sessions),
    }  # fmt: skip
    return entry | fields


def document(
    *sessions: Entry, subject: str = SUBJECT, form: str = "yaml", clustering: Sequence[Entry] = ()
) -> bytes:
    plain: Entry = {"subject": {"name": subject}, "sessions": list(sessions)}
    if clustering:
        plain["clustering"] = list(clustering)
    if form == "json":
        return json.dumps(plain, indent=2).encode()
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True).encode()


def number(entry: UploadedSession | UploadedClustering) -> int:
    """The number in the id of a reported session or clustering."""
    name = entry.session if isinstance(entry, UploadedSession) else entry.clustering
    return int(name[1:])
