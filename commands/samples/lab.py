"""Write a whole small lab: subjects, their sessions, the catalogue that registers them, input files."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from commands.samples.clusterings import kilosort_output
from commands.samples.probe_models import MODELS, Model
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from commands.samples.task_table import SampleTask, write_sessions_txt

FIRST_DAY = datetime.fromisoformat("2023-05-01T10:00:00")

_IMPLANTS: tuple[tuple[Model, ...], ...] = (("1.0",), ("2.0-MS", "2.0-MS"), ("2.0-SS",))
"""The probes of the first subject, the second, the third, and so on round."""

_TASKS = (
    SampleTask("open_field_1", 30, 700.5, ((30, 400), (410, 700.5))),
    SampleTask("wagon_wheel_1", 720, 1100),
    SampleTask("open_field_1", 1130),
)
_TASK_TYPES = ("OpenField", "WagonWheel", "OpenField")


@dataclass(frozen=True, slots=True)
class SampleSession:
    directory: Path
    start: datetime


@dataclass(frozen=True, slots=True)
class SampleSubject:
    """``probes`` are inserted; in ``reference.Probe`` they are called ``npx_1_<serial>``."""

    name: str
    probes: tuple[SampleProbe, ...]
    sessions: tuple[SampleSession, ...]


@dataclass(frozen=True, slots=True)
class SampleLab:
    """``catalogue`` is the text of the catalogue file; it lies in ``directory`` as ``catalogue.yml``, too."""

    directory: Path
    subjects: tuple[SampleSubject, ...]
    catalogue: str


def lab(
    directory: Path,
    *,
    subjects: int = 3,
    sessions_per_subject: int = 4,
    first_day: datetime = FIRST_DAY,
    clusterings: bool = True,
) -> SampleLab:
    """Write a lab under ``directory``: ``recordings/<subject>/<date and time>/probe_1`` and so on.

    Every session has three tasks in ``sessions.txt``, the last without an end, and with ``clusterings`` one
    curated Kilosort output per probe.
    """
    made = []
    for s in range(subjects):
        name = str(12345 + s)
        models = _IMPLANTS[s % len(_IMPLANTS)]
        probes = tuple(SampleProbe(str(18408400000 + 10 * s + p), model) for p, model in enumerate(models))
        sessions = []
        for i in range(sessions_per_subject):
            start = first_day + timedelta(days=i, minutes=7 * s)
            folder = directory / "recordings" / name / f"{start:%Y-%m-%d_%H-%M-%S}"
            spikeglx_session(folder, probes=probes, start=start, duration_s=1800.0)
            write_sessions_txt(folder, _TASKS)
            for p in range(len(probes) if clusterings else 0):
                kilosort_output(folder / f"probe_{p + 1}" / "ks2.1_01", curated=start + timedelta(days=3))
            sessions.append(SampleSession(folder, start))
        made.append(SampleSubject(name, probes, tuple(sessions)))
    text = catalogue(made, inserted=first_day - timedelta(days=60))
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "catalogue.yml").write_text(text, encoding="utf-8")
    return SampleLab(directory, tuple(made), text)


def catalogue(subjects: list[SampleSubject], *, inserted: datetime) -> str:
    """The catalogue that registers what the input files of these subjects refer to."""
    lines = [
        "reference.Experimenter: [user_1, user_2, user_3]",
        'reference.ExperimentRoom: ["2.345"]',
        "reference.Probe:",
    ]
    for subject in subjects:
        lines += [
            f'  - {{probe: npx_1_{probe.serial}, probe_model: "{MODELS[probe.model].label}"}}'
            for probe in subject.probes
        ]
    lines += [
        "reference.ArenaApparatus: [150_square, wheel]",
        "reference.ArenaObject: [object_1]",
        "reference.CueCard: [card_1]",
        "acquisition.Project: [my_project]",
        "behavior.TaskType: [OpenField, WagonWheel, {name: SleepTask, arena_required: false}]",
        "behavior.TaskLightLevel: [dim]",
        "subjects:",
    ]
    for subject in subjects:
        lines += [f'  - name: "{subject.name}"', "    datasource_id: 0", "    probes:"]
        for p, probe in enumerate(subject.probes):
            when = (inserted + timedelta(minutes=p)).isoformat(sep=" ")
            lines.append(f'      - {{probe: npx_1_{probe.serial}, insertion_time: "{when}"}}')
    return "\n".join(lines) + "\n"


def input_file(
    subject: SampleSubject, *, location_of: Callable[[Path], str] = Path.as_posix, sessions: int | None = None
) -> str:
    """A complete input file for the subject's first ``sessions`` (default: all), every task inheriting."""
    lines = ["subject:", f'  name: "{subject.name}"', "sessions:"]
    for number, session in enumerate(subject.sessions[:sessions], start=1):
        lines += [
            f"  - location: {json.dumps(location_of(session.directory))}",
            f'    name: "{subject.name}_{number}"',
            "    experimenter: [user_1, user_2]",
            '    room: "2.345"',
            "    tasks:",
        ]
        for task_type in _TASK_TYPES:
            arena = "150_square" if task_type == "OpenField" else "wheel"
            lines.append(f"      - {{task_type: {task_type}, arena_apparatus: {arena}, notes: true}}")
    return "\n".join(lines) + "\n"
