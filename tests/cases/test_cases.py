"""Every tree from the field gives what it must: read, composed, its clusterings found."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from commands.inputfile.compose import ComposeProblem, compose
from commands.recordings.clusterings import find_clusterings, look_for_clusterings
from commands.recordings.openephys import neighbours_serials
from commands.recordings.readers import list_session, read_listed, read_session_directory
from commands.recordings.session import SessionDirectory, SessionDirectoryError
from commands.recordings.spikeglx_files import run_of
from tests.cases.table import CASES, Compose, Read
from tests.cases.trees import lay

READS = [
    pytest.param(name, one, id=f"{name}:{one.directory}")
    for name, of in CASES.items()
    for one in of
    if isinstance(one, Read)
]
COMPOSES = [
    pytest.param(name, one, id=f"{name}:{one.directory}")
    for name, of in CASES.items()
    for one in of
    if isinstance(one, Compose)
]


@pytest.fixture
def cases(shared: Path) -> Path:
    return shared / "cases"


def test_every_case_is_in_the_table(cases: Path) -> None:
    assert {folder.name for folder in cases.iterdir() if folder.is_dir()} == set(CASES)


@pytest.mark.parametrize(("name", "expected"), READS)
def test_session_directory_gives_what_it_must(cases: Path, tmp_path: Path, name: str, expected: Read) -> None:
    directory = lay(cases, name, tmp_path) / expected.directory
    if expected.refused is not None:
        code, text = expected.refused
        with pytest.raises(SessionDirectoryError) as raised:
            read_session_directory(directory)
        assert raised.value.code == code and text in str(raised.value)
        return

    found = read_session_directory(directory)

    assert {probe.name: probe.serial for probe in found.probes} == expected.probes
    assert {one.name: one.code for one in found.missing} == expected.missing
    assert {one.name: one.code for one in found.remarks} == expected.remarks
    assert (found.acquiring, found.far_apart, found.start_inferred, found.zone) == (
        expected.acquiring,
        expected.far_apart,
        expected.inferred,
        expected.zone,
    )
    if expected.start:
        assert found.start == expected.start_time
    if expected.recordings is not None:
        assert len(found.recordings) == expected.recordings
    if expected.shanks is not None:
        assert {probe.shanks for probe in found.probes} == {expected.shanks}
    assert all(one.files and all((directory / file).exists() for file in one.files) for one in found.missing)


@pytest.mark.parametrize(
    ("name", "expected"), [case for case in READS if case.values[1].clusterings is not None]
)
def test_clusterings_are_told_by_probe(cases: Path, tmp_path: Path, name: str, expected: Read) -> None:
    directory = lay(cases, name, tmp_path) / expected.directory
    listing = list_session(directory)

    found = look_for_clusterings(directory, read_listed(str(directory), listing).probes, listing=listing)

    assert {probe.probe_name: list(probe.found) for probe in found.probes} == expected.clusterings
    assert (found.problem.code if found.problem else None) == expected.clustering_code
    if expected.units is not None:
        assert sum(sum((output.units or {}).values()) for output in found.outputs) == expected.units


@pytest.mark.parametrize(("name", "expected"), COMPOSES)
def test_compose_gives_the_same_locations_from_whichever_folder(
    cases: Path, tmp_path: Path, name: str, expected: Compose
) -> None:
    case = lay(cases, name, tmp_path)

    def location_of(path: Path) -> str:
        return path.relative_to(case).as_posix()

    if expected.refused is not None:
        code, text = expected.refused
        with pytest.raises(ComposeProblem) as raised:
            compose(case / expected.directory, subject="rat_01", location_of=location_of)
        assert raised.value.code == code and text in str(raised.value)
        return

    text = compose(case / expected.directory, subject="rat_01", location_of=location_of)

    sessions = yaml.safe_load(text)["sessions"]
    assert [session["location"] for session in sessions] == expected.locations
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    for remark in expected.remarks:
        assert any(remark in line for line in comments), remark


# --- what is more than a line of the table -----------------------------------------------------------------------


def read(case: Path, directory: str, **options: object) -> SessionDirectory:
    return read_session_directory(case / directory, **options)  # type: ignore[arg-type]


def test_probe_goes_in_once_its_meta_is_renamed(cases: Path, tmp_path: Path) -> None:
    case = lay(cases, "meta-txt-one-of-two", tmp_path)
    [missing] = read(case, "rec/rat_01/2023-05-01").missing
    assert missing.hint == "Its ending was hidden or changed: rename it to run_g0_t0.imec1.ap.meta."
    [hidden] = case.rglob("*imec1.ap.meta.txt")
    hidden.rename(hidden.with_suffix(""))
    found = read(case, "rec/rat_01/2023-05-01")
    assert (found.missing, [probe.serial for probe in found.probes]) == ((), ["18194809281", "18194803162"])


def test_crashed_acquisition_says_when_its_files_were_last_written(cases: Path, tmp_path: Path) -> None:
    case = lay(cases, "crashed-acquisition", tmp_path)
    then = datetime(2023, 5, 1, 10, tzinfo=UTC)
    for file in case.rglob("*.imec0.*"):
        os.utime(file, (then.timestamp(),) * 2)
    for file in case.rglob("*.nidq.*"):
        os.utime(file, (then.timestamp() + 86400,) * 2)  # another folder, and closed
    assert read(case, "rec/rat_01/a").last_written == then


def test_clock_ahead_of_now_is_remarked_where_it_is_asked_for(cases: Path, tmp_path: Path) -> None:
    case = lay(cases, "rig-clock", tmp_path)
    before = read(case, "rec/rat_01/before", now=datetime(2020, 9, 1))
    assert "2020-09-30 23:59:59" in next(r.message for r in before.remarks if r.code == "clock-in-doubt")


@pytest.mark.parametrize("machine", ["America/New_York", "Asia/Tokyo"])
def test_curation_time_is_the_same_whatever_the_zone_of_the_machine(
    cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    case = lay(cases, "timezone", tmp_path)
    written = datetime(2023, 5, 9, 16, 30, 5, tzinfo=UTC).timestamp()
    for file in (case / "rec/rat_01/a/Noise4Sam_g0_imec0/ks").iterdir():
        os.utime(file, (written, written))
    monkeypatch.setenv("TZ", machine)
    time.tzset()
    try:
        [utc] = find_clusterings(case / "rec/rat_01/a", ())
        [oslo] = find_clusterings(case / "rec/rat_01/a", (), zone=ZoneInfo("Europe/Oslo"))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (utc.modified, utc.zone) == (datetime(2023, 5, 9, 16, 30, 5), "UTC")
    assert (oslo.modified, oslo.zone) == (datetime(2023, 5, 9, 18, 30, 5), "Europe/Oslo")


def test_start_in_utc_is_put_into_the_zone_that_is_set(cases: Path, tmp_path: Path) -> None:
    case = lay(cases, "oe-no-settings", tmp_path)
    found = read(case, "rec/rat_01/LO_02_002", zone=ZoneInfo("America/Los_Angeles"))
    assert (found.start, found.zone) == (datetime(2022, 5, 3, 10, 52, 24, 618000), "America/Los_Angeles")
    assert found.recordings[0].start_source == "Record Node 101/experiment1/recording1/sync_messages.txt"


def test_neighbours_serials_are_only_a_suggestion(cases: Path, tmp_path: Path) -> None:
    case = lay(cases, "oe-no-settings", tmp_path)
    directory = case / "rec/rat_01/LO_02_002"
    suggested = neighbours_serials(directory, read_session_directory(directory), within=case)
    assert suggested is not None
    assert suggested.file == "LO_02_001/Record Node 101/settings.xml"
    assert suggested.serials == {"ProbeB": "20403311724", "ProbeC": "20403311714"}
    assert neighbours_serials(directory, read_session_directory(directory), within=directory) is None


def test_halves_of_a_run_on_two_drives_have_one_run(cases: Path, tmp_path: Path) -> None:
    case = lay(cases, "glx-multidrive", tmp_path)
    halves = [read(case, f"rec/rat_01/{drive}/Subjects/rat_01/2026-03-16/001") for drive in "CD"]
    assert {run_of(half.recordings[0].file) for half in halves} == {"_spikeglx_ephysData_g0"}
    assert halves[0].start == halves[1].start
    assert halves[0].probes[0].serial != halves[1].probes[0].serial


def test_days_that_are_no_session_are_listed(cases: Path, tmp_path: Path) -> None:
    found = read(lay(cases, "glx-days-renamed-as-triggers", tmp_path), "rec/rat_01/043_01")
    assert [(f"{start:%m-%d}", file[-20:]) for start, file in found.starts] == [
        (day, f"01_g0_t{i}.imec0.ap.meta"[-20:]) for i, day in enumerate(("03-27", "03-28", "04-01"))
    ]


def test_group_clustering_has_one_output_for_each_probe(cases: Path, tmp_path: Path) -> None:
    case = lay(cases, "oe-group-two-probes", tmp_path)
    outputs = find_clusterings(case / "rec/rat_01/sorted_together", ())
    assert [output.probe_name for output in outputs] == ["ProbeA", "ProbeB"]
