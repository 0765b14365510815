"""One clustering output per probe, its units and its curation time."""

import contextlib
import os
from datetime import datetime
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.recordings.clusterings import (
    ClusteringProblem,
    NoClustering,
    find_clusterings,
)
from commands.recordings.readers import read_session_directory
from commands.recordings.session import ProbeOnDisk, UnreadableSession
from commands.recordings.sorted_output import count_units, read_params
from commands.samples.clusterings import kilosort_output, klusta_output, mclust_output, tint_output
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from commands.samples.tetrodes import axona_session, neuralynx_session

START = datetime(2023, 5, 1, 10)
CURATED = datetime(2023, 5, 9, 16, 30, 5)
TWO = [SampleProbe("18408403232"), SampleProbe("18408405241")]


def two_probes(directory: Path) -> tuple[ProbeOnDisk, ...]:
    return read_session_directory(spikeglx_session(directory, probes=TWO, start=START)).probes


def problem(directory: Path, probes: tuple[ProbeOnDisk, ...]) -> ClusteringProblem:
    with pytest.raises(ClusteringProblem) as raised:
        find_clusterings(directory, probes)
    return raised.value


def test_one_output_per_probe_is_found_with_units_and_curation_time(tmp_path: Path) -> None:
    probes = two_probes(tmp_path)
    for name in ("probe_1", "probe_2"):
        kilosort_output(tmp_path / name / "ks2.1_01", curated=CURATED, units={"good": 5, "noise": 2})
    first, second = find_clusterings(tmp_path, probes)
    assert (first.location, first.method, first.probe_name) == ("probe_1/ks2.1_01", "kilosort", "probe_1")
    assert second.probe_name == "probe_2"
    assert first.units == {"good": 5, "noise": 2}
    assert first.modified == CURATED
    assert first.modified_file == "probe_1/ks2.1_01/spike_clusters.npy"


def test_curation_time_is_the_newest_curated_file_in_whole_seconds(tmp_path: Path) -> None:
    kilosort_output(tmp_path, curated=CURATED)
    later = CURATED.timestamp() + 60.75
    os.utime(tmp_path / "cluster_group.tsv", (later, later))
    os.utime(tmp_path / "spike_times.npy", (later + 900, later + 900))  # copied later: no curation
    [output] = find_clusterings(tmp_path, ())
    assert (output.modified, output.modified_file) == (CURATED.replace(minute=31), "cluster_group.tsv")


def test_uncurated_output_is_as_old_as_its_spike_times(tmp_path: Path) -> None:
    (tmp_path / "spike_times.npy").touch()
    os.utime(tmp_path / "spike_times.npy", (CURATED.timestamp(),) * 2)
    [output] = find_clusterings(tmp_path, ())
    assert (output.modified, output.units, output.location) == (CURATED, None, ".")


def test_nothing_found_is_told_from_something_missing(tmp_path: Path) -> None:
    probes = two_probes(tmp_path)
    with pytest.raises(NoClustering) as raised:
        find_clusterings(tmp_path, probes)
    assert raised.value.code == "no-clustering"
    kilosort_output(tmp_path / "probe_1" / "ks")
    missing = problem(tmp_path, probes)
    assert missing.code == "clustering-missing"
    assert not isinstance(missing, NoClustering)
    assert '"probe_2"' in missing.message


def test_two_outputs_for_one_probe_are_both_named(tmp_path: Path) -> None:
    probes = two_probes(tmp_path)
    for folder in ("probe_1/ks_01", "probe_1/ks_02", "probe_2/ks_01"):
        kilosort_output(tmp_path / folder)
    two = problem(tmp_path, probes)
    assert two.code == "two-clusterings"
    assert "probe_1/ks_01 (kilosort), probe_1/ks_02 (kilosort)" in two.message


def test_curations_folder_holds_one_output_per_probe(tmp_path: Path) -> None:
    probes = two_probes(tmp_path)
    for curation in ("01", "02"):
        for name in ("probe_1", "probe_2"):
            kilosort_output(tmp_path / "curations" / curation / name / "ks")
    assert [o.location for o in find_clusterings(tmp_path / "curations" / "02", probes)] == [
        "probe_1/ks",
        "probe_2/ks",
    ]
    assert problem(tmp_path, probes).code == "two-clusterings"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("probe_1", "PROBE_2"),
        ("a_18408403232", "b_18408405241_ks"),
        ("out/npx_g0_imec0/ks", "out/npx_g0_imec1/ks"),
        ("imec0_ks2", "imec1_ks2"),
    ],
)
def test_output_is_matched_by_the_names_of_its_folders(tmp_path: Path, first: str, second: str) -> None:
    layout = "run folders" if "imec" in first else "probe folders"
    spikeglx_session(tmp_path / "s", probes=TWO, start=START, layout=layout)  # type: ignore[arg-type]
    probes = read_session_directory(tmp_path / "s").probes
    kilosort_output(tmp_path / "c" / first)
    kilosort_output(tmp_path / "c" / second)
    owners = {o.location: o.probe_name for o in find_clusterings(tmp_path / "c", probes)}
    assert owners == {first: probes[0].name, second: probes[1].name}


def test_output_is_matched_by_the_data_file_in_params(tmp_path: Path) -> None:
    probes = two_probes(tmp_path / "s")
    kilosort_output(tmp_path / "c" / "first", data_file="D:\\data\\s\\probe_2\\npx.imec.ap.bin")
    kilosort_output(tmp_path / "c" / "second", data_file="/data/s/probe_1/npx.imec.ap.bin")
    owners = {o.location: o.probe_name for o in find_clusterings(tmp_path / "c", probes)}
    assert owners == {"first": "probe_2", "second": "probe_1"}


def test_output_of_no_known_probe_is_a_problem(tmp_path: Path) -> None:
    probes = two_probes(tmp_path / "s")
    for name in ("left", "right"):
        kilosort_output(tmp_path / "c" / name)
    unknown = problem(tmp_path / "c", probes)
    assert unknown.code == "clustering-probe-unknown"
    assert '"probe_1", "probe_2"' in unknown.message


def test_outputs_of_several_sessions_name_their_own_probes(tmp_path: Path) -> None:
    for name in ("probe_1", "probe_2"):
        kilosort_output(tmp_path / name / "ks")
    assert [o.probe_name for o in find_clusterings(tmp_path, ())] == ["probe_1", "probe_2"]
    kilosort_output(tmp_path / "probe_2" / "ks_again")
    assert problem(tmp_path, ()).code == "two-clusterings"


def test_tetrode_methods(tmp_path: Path) -> None:
    axona = axona_session(tmp_path / "axona", start=START)
    tint_output(axona)
    [tint] = find_clusterings(axona, read_session_directory(axona).probes)
    assert (tint.method, tint.probe_name, tint.location) == ("tint", "axona", ".")
    klusta_output(axona)
    both = problem(axona, read_session_directory(axona).probes)
    assert both.code == "two-clusterings"
    assert ". (tint), KLUSTA (klusta)" in both.message
    for cut in axona.glob("*.cut"):
        cut.unlink()
    [klusta] = find_clusterings(axona, read_session_directory(axona).probes)
    assert (klusta.method, klusta.location) == ("klusta", "KLUSTA")


@pytest.mark.parametrize("ending", [".t", ".t32", ".t64"])
def test_mclust(tmp_path: Path, ending: str) -> None:
    session = neuralynx_session(tmp_path / "s", start=START)
    mclust_output(session, ending=ending)
    [output] = find_clusterings(session, read_session_directory(session).probes)
    assert output.method == "mclust"
    assert output.modified_file.endswith(ending)


@pytest.mark.parametrize("name", ["old_spike_times.npy", "notes.text", "x.cut.bak"])
def test_other_files_are_no_output(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / ".phy").mkdir()
    (tmp_path / ".phy" / "spike_times.npy").touch()
    with pytest.raises(NoClustering):
        find_clusterings(tmp_path, ())


@pytest.mark.parametrize(
    ("table", "units"),
    [
        (b"cluster_id\tgroup\n0\tgood\n1\tmua\n2\tgood\n", {"good": 2, "mua": 1}),
        (b"cluster_id\tgroup\r\n0\tnoise\r\n\r\n", {"noise": 1}),
        (b"id\tamp\tgroup\tsh\n0\t1\t\t0\n1\t2\tgood\t0\n2", {"good": 1, "unsorted": 2}),
        (b"cluster_id\tgroup\n", {}),
        (b"cluster_id\tKSLabel\n0\tgood\n", {"good": 1}),
        (b"cluster_id\tamp\n0\t1.5\n", None),
        (b"", None),
    ],
)
def test_units_are_counted_by_group(table: bytes, units: dict[str, int] | None) -> None:
    assert count_units(table) == units


def test_units_come_from_cluster_group_where_cluster_info_is_missing(tmp_path: Path) -> None:
    kilosort_output(tmp_path, units={"good": 4}, info=False)
    [output] = find_clusterings(tmp_path, ())
    assert output.units == {"good": 4}


def test_params_are_read_as_literals_and_never_run(tmp_path: Path) -> None:
    canary = tmp_path / "ran"
    source = f"import pathlib\npathlib.Path({str(canary)!r}).touch()\ndat_path = r'D:\\a.bin'\nrate = 3e4\n"
    source += f"x = open({str(canary)!r}, 'w')\ny = 'C:\\d'\n"
    assert read_params(source.encode()) == {"dat_path": "D:\\a.bin", "rate": 3e4, "y": "C:\\d"}
    assert not canary.exists()


@pytest.mark.parametrize("source", [b"dat_path = (", b"(" * 60_000, b"x = " + b"-" * 60_000 + b"1", b"\0"])
def test_hostile_params_are_refused(source: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a Python file|null bytes"):
        read_params(source)


@given(st.binary(max_size=200))
def test_no_params_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_params(data)


def test_impossible_file_time_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spike_times.npy").touch()
    monkeypatch.setattr("commands.recordings.clusterings.file_times", lambda *_: {"spike_times.npy": 1e18})
    with pytest.raises(UnreadableSession, match="impossible modification time"):
        find_clusterings(tmp_path, ())


def test_sample_spike_times_are_valid_numpy_files(tmp_path: Path) -> None:
    kilosort_output(tmp_path, units={"good": 2})
    assert numpy.load(tmp_path / "spike_times.npy").tolist() == [3000, 6000, 9000, 12000]
    assert numpy.load(tmp_path / "spike_clusters.npy").dtype == numpy.int32
