"""The example that is published with the format, on a generated tree: as it stands, and made consistent."""

from datetime import datetime
from pathlib import Path

import pytest

from commands.inputfile.read import read_input_file
from commands.intake.upload_report import UploadReport
from commands.intake.validation import check_file
from commands.samples.clusterings import kilosort_output
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from commands.samples.task_table import SampleTask, write_sessions_txt
from tests.intake.lab import Lab, document, load_catalogue, session

SERIALS = ("e7b34ed0b86f", "2ffaa634efd8", "c25b067cc862")
CATALOGUE = f"""
reference.Experimenter: [simoba]
reference.Probe: [{", ".join(f"npx_102_mec_{serial}" for serial in SERIALS)}]
reference.ArenaObject: [abc]
reference.CueCard: [abc]
acquisition.Project: [my_super_project]
subjects:
  - name: "102"
    probes: [{", ".join(f"{{probe: npx_102_mec_{s}, insertion_time: '2022-01-01 00:00:00'}}" for s in SERIALS)}]
"""
EARLIER = [datetime(2023, 1, day, hour) for day in (2, 3) for hour in (10, 11, 12)]


@pytest.fixture
def published(lab: Lab, shared: Path) -> dict[str, bytes]:
    """The two published files; the catalogue and the tree that they speak of are there."""
    load_catalogue(lab.daybook, CATALOGUE)
    recordings = lab.share.parent / "my_project" / "my_recordings" / "102"
    for name in ("2022-03-04_10:11:12", "2022-04-05_14:15:16", "2022-04-05_08:09:10"):
        start = datetime.strptime(name, "%Y-%m-%d_%H:%M:%S")
        directory = spikeglx_session(recordings / name, probes=[SampleProbe(s) for s in SERIALS], start=start)
        write_sessions_txt(directory, [SampleTask("open_field", 30, 1500, flag="RUNNING")])
    for n in (1, 2, 3):
        kilosort_output(recordings / "2022-03-04_10:11:12" / "clustering" / "1" / f"probe_{n}")
    for name in ("102_msc_001", "102_msc_002"):
        kilosort_output(recordings / "joint_clustering" / name, curated=datetime(2023, 4, 1))
    files = shared / "realdata" / "mass_ingest"
    return {form: (files / f"mass_ingest_example.{form}").read_bytes() for form in ("yml", "json")}


def outcomes(report: UploadReport) -> list[str]:
    assert report.ok, report.findings
    return [entry.outcome for entry in (*report.sessions, *report.clusterings)]


@pytest.mark.parametrize("form", ["yml", "json"])
def test_as_published_it_is_rejected_for_the_sessions_that_nobody_knows(
    lab: Lab, published: dict[str, bytes], form: str
) -> None:
    before = lab.size()
    report = lab.upload_bytes(published[form], filename=f"mass_ingest_example.{form}")
    errors = [finding for finding in report.findings if finding.severity == "error"]
    assert not report.ok and {error.code for error in errors} == {"unknown-session"}
    assert [error.path for error in errors] == [
        *(f"clustering[0].sessions[{n}]" for n in range(3)), *(f"clustering[1].sessions[{n}]" for n in range(3)),
    ]  # fmt: skip
    assert all(error.line for error in errors)
    assert "msc_102_002_c" in errors[-1].hint
    assert lab.types(before) == ["InputFileReceived", "InputFileRejected"]


@pytest.mark.parametrize("forms", [("yml", "json"), ("json", "yml")])
def test_made_consistent_it_is_inserted_and_the_other_form_is_nothing_new(
    lab: Lab, published: dict[str, bytes], forms: tuple[str, str]
) -> None:
    # given: the sessions that the clusterings speak of, and the name that was meant
    for n, start in enumerate(EARLIER):
        lab.record(f"earlier_{n}", start=start, serials=SERIALS)
    earlier = [session(f"earlier_{n}") for n in range(len(EARLIER))]
    assert set(outcomes(lab.upload_bytes(document(*earlier, subject="102")))) == {"inserted"}
    files = {form: data.replace(b"msc_102_002_a", b"msc_102_002_c") for form, data in published.items()}
    read = [
        check_file(
            lab.daybook,
            read_input_file(files[f], filename=f"a.{f}"),
            lab.roots,
            then=lambda found: found.input_file,
        )[1]
        for f in forms
    ]
    assert read[0] == read[1] is not None

    first = lab.upload_bytes(files[forms[0]], filename=f"102.{forms[0]}")
    second = lab.upload_bytes(files[forms[1]], filename=f"102.{forms[1]}")
    third = lab.upload_bytes(files[forms[1]], filename=f"102.{forms[1]}")

    assert outcomes(first) == ["inserted"] * 5
    assert outcomes(second) == outcomes(third) == ["duplicate"] * 5
    assert all(not e.differences for e in (*second.sessions, *second.clusterings))
    assert [body["session_time"] for body in lab.bodies("SessionInserted")[len(EARLIER) :]] == [
        "2022-03-04 10:11:12", "2022-04-05 14:15:16", "2022-04-05 08:09:10",
    ]  # fmt: skip
    maximal = lab.bodies("SessionInserted")[len(EARLIER)]
    assert [probe["matched_by"] for probe in maximal["probes"]] == ["given"] * 3
    [task] = maximal["tasks"]
    assert (task["task_start"], task["task_stop"], task["notes"]) == (30, 1500, "open_field <RUNNING>")
    assert task["curtains"] == [{"start_point": "bottom-left", "direction": "clockwise", "coverage": 25}]
    listed, one, two = lab.bodies("ClusteringInserted")
    assert listed["curation_time_inherited"] and len(listed["outputs"]) == 3
    assert one["curation_time"] == "2023-04-17 10:11:12" and two["curation_time"] == str(datetime(2023, 4, 1))
    asked = [body for body in lab.bodies("ClusteringInsertRequested") if body["session"] is None]
    assert [len(body["sessions"]) for body in asked] == [3, 3]
    assert f"s{asked[1]['sessions'][2]}" == first.sessions[2].session


def test_the_published_template_fails_until_it_is_filled_in(lab: Lab, shared: Path) -> None:
    template = (shared / "realdata" / "mass_ingest" / "mass_ingest_template.yml").read_bytes()
    report = lab.upload_bytes(template, filename="mass_ingest_template.yml")
    errors = [finding for finding in report.findings if finding.severity == "error"]
    assert not report.ok and len(errors) > 20 and all(error.line for error in errors)
