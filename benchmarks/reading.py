"""Input files: reading them against the bare parsers, and uploading a known one against validating it."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from benchmarks.databases import new_ledger
from benchmarks.measure import Measure, in_turn, slower
from benchmarks.peer_model import InputFile
from commands.inputfile.catalogue import read_catalogue
from commands.inputfile.read import Limits, read_input_file
from commands.intake.uploading import upload
from commands.intake.validation import validate
from commands.lab.catalogue import LoadCatalogue
from commands.recordings.roots import Roots
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from tests.inputfile.documents import campaign_json, campaign_yaml

LIMITS = Limits(input_file_bytes=10**9)
SERIALS = ("18408403232", "18408405241")


def measures(sessions: int) -> Iterator[Measure]:
    in_yaml, in_json = campaign_yaml(sessions), campaign_json(sessions)
    text = in_yaml.decode()
    yield slower(
        f"validate a YAML of {sessions:,} sessions, stages 0 and 1",
        "PyYAML's C compose of the same bytes",
        in_turn(lambda: _read(in_yaml, "a.yml"), lambda: yaml.compose(text, Loader=yaml.CSafeLoader)),
        3.0,
    )
    yield slower(
        f"validate a JSON of {sessions:,} sessions, stages 0 and 1",
        "json.loads and one pydantic validation",
        in_turn(lambda: _read(in_json, "a.json"), lambda: InputFile.model_validate(json.loads(in_json))),
        4.0,
    )


def _read(data: bytes, filename: str) -> None:
    result = read_input_file(data, filename=filename, limits=LIMITS)
    if result.input_file is None or any(finding.severity == "error" for finding in result.findings):
        raise AssertionError(f"{filename} should be accepted: {result.findings[:3]}")


def duplicates(place: Path, sessions: int) -> Iterator[Measure]:
    """A file of ``sessions`` real directories, uploaded once; then uploaded again, and validated, in turn."""
    daybook = new_ledger(place, None)
    load_lab(daybook)
    data = write_lab(place / "N", sessions)
    roots = Roots.of({"N:": [str(place / "N")]})
    first = upload(daybook, data, filename="a.yml", roots=roots, limits=LIMITS)
    if not first.ok or any(entry.outcome != "inserted" for entry in first.sessions):
        raise AssertionError("the first upload should insert everything")

    def again() -> None:
        report = upload(daybook, data, filename="a.yml", roots=roots, limits=LIMITS)
        if any(entry.outcome != "duplicate" for entry in report.sessions):
            raise AssertionError("the second upload should insert nothing")

    pair = in_turn(
        again, lambda: validate(daybook, data, filename="a.yml", roots=roots, limits=LIMITS), rounds=3
    )
    daybook.close()
    yield slower(
        f"upload {sessions:,} known sessions again, end to end", "validating the same file", pair, 1.5
    )


def load_lab(daybook: object) -> None:
    """The catalogue that ``write_lab``'s file refers to."""
    catalogue = f"""
reference.Experimenter: [user_1]
reference.Probe: [npx_1_{SERIALS[0]}, npx_1_{SERIALS[1]}]
reference.ArenaApparatus: [150_square]
behavior.TaskType: [OpenField]
subjects:
  - name: "12345"
    probes:
      - {{probe: npx_1_{SERIALS[0]}, insertion_time: "2023-01-01 00:00:00"}}
      - {{probe: npx_1_{SERIALS[1]}, insertion_time: "2023-01-01 00:00:00"}}
"""
    found = read_catalogue(catalogue.encode())
    daybook.submit(LoadCatalogue(catalogue=found.catalogue))  # type: ignore[attr-defined]


def write_lab(root: Path, sessions: int) -> bytes:
    """Session directories under ``root``, each with one probe's meta and a sessions.txt; returns the input file."""
    start = datetime(2023, 1, 2, 10, 0, 0)
    lines = ["subject:", '  name: "12345"', "sessions:"]
    for number in range(sessions):
        directory = root / f"{number // 100:03}" / f"s{number:05}"
        spikeglx_session(directory, probes=[SampleProbe(SERIALS[0])], start=start + timedelta(hours=number))
        (directory / "sessions.txt").write_bytes(b"#1,  open_field_1,       start=57,  end=1600\r\n")
        lines += [
            f'  - location: "N:/{number // 100:03}/s{number:05}"',
            "    experimenter: [user_1]",
            "    tasks:",
            "      - task_type: OpenField",
            "        arena_apparatus: 150_square",
        ]
    return "\n".join(lines).encode() + b"\n"
