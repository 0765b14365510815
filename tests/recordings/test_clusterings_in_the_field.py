"""Sorted output as it is in the field: none, one or several per probe are told, and fail no session."""

import os
import struct
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.recordings.clusterings import Clusterings, find_clusterings, look_for_clusterings
from commands.recordings.disk import list_files
from commands.recordings.readers import list_session, read_listed
from commands.recordings.session import UnreadableSession
from commands.recordings.sorted_output import clusters_left, count_units, read_params
from commands.samples.clusterings import kilosort_output
from commands.samples.openephys import openephys_session
from commands.samples.spikeglx import SampleProbe, spikeglx_session

START = datetime(2023, 5, 1, 10)
TWO = [SampleProbe("18408403232"), SampleProbe("18408405241")]
OPEN_EPHYS = (("18408403232", "NP1000"), ("18408405241", "NP1000"))
REC = "Record Node 101/experiment1/recording1/continuous"


def found(directory: Path) -> Clusterings:
    listing = list_session(directory)
    return look_for_clusterings(directory, read_listed(str(directory), listing).probes, listing=listing)


def told(clusterings: Clusterings) -> dict[str | None, list[str]]:
    return {probe.probe_name: list(probe.found) for probe in clusterings.probes}


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return spikeglx_session(tmp_path / "s", probes=TWO, start=START)


def test_none_one_and_several_are_told_by_probe(session: Path) -> None:
    assert told(found(session)) == {"probe_1": [], "probe_2": []}
    kilosort_output(session / "probe_1" / "ks")
    one = found(session)
    assert told(one) == {"probe_1": ["probe_1/ks (kilosort)"], "probe_2": []}
    assert [output.probe_name for output in one.outputs] == ["probe_1"]
    assert one.problem is not None and one.problem.code == "clustering-missing"
    kilosort_output(session / "probe_2" / "ks")
    kilosort_output(session / "probe_2" / "again")
    several = found(session)
    assert told(several)["probe_2"] == ["probe_2/again (kilosort)", "probe_2/ks (kilosort)"]
    assert several.problem is not None and several.problem.code == "two-clusterings"
    assert [output.probe_name for output in several.outputs] == ["probe_1"]


def test_output_of_no_known_probe_is_told_apart(session: Path) -> None:
    kilosort_output(session / "somewhere", data_file="/elsewhere/x.bin")
    unknown = found(session)
    assert (unknown.unknown, told(unknown)) == (("somewhere (kilosort)",), {"probe_1": [], "probe_2": []})
    assert unknown.problem is not None and unknown.problem.code == "clustering-probe-unknown"


@pytest.mark.parametrize("where", ["{stream}/kilosort2_5", "{stream}/kilosort4/sorter_output", "{stream}"])
def test_kilosort_beside_the_data_belongs_to_the_probe_of_its_stream(tmp_path: Path, where: str) -> None:
    openephys_session(tmp_path, start=START, probes=OPEN_EPHYS)
    for probe in "AB":
        stream = f"{REC}/Neuropix-PXI-100.Probe{probe}-AP"
        kilosort_output(tmp_path / where.format(stream=stream), data_file="continuous.dat")
    outputs = told(found(tmp_path))
    assert [len(files) for files in outputs.values()] == [1, 1]
    assert all(f"Probe{name[-1]}-AP" in files[0] for name, files in outputs.items() if name)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ProbeA-AP", "ProbeB-AP"),
        ("probea", "PROBEB"),
        ("sorted/Neuropix-PXI-100.ProbeA-AP/ks4", "sorted/Neuropix-PXI-100.ProbeB-AP/ks4"),
        ("ks_ProbeA", "ks_ProbeB"),
        ("kilosort4_ProbeA_output", "kilosort4_ProbeB_output"),
    ],
)
def test_folders_called_like_the_probe_are_its(tmp_path: Path, first: str, second: str) -> None:
    directory = openephys_session(tmp_path / "s", start=START, probes=OPEN_EPHYS)
    for name in (first, second):
        kilosort_output(directory / name, data_file="recording.dat")
    assert told(found(directory)) == {"ProbeA": [f"{first} (kilosort)"], "ProbeB": [f"{second} (kilosort)"]}
    alone = look_for_clusterings(directory, ())
    assert sorted(str(probe.probe_name).lower() for probe in alone.probes) == ["probea", "probeb"]


def test_probe_1_is_not_probe_10(tmp_path: Path) -> None:
    probes = [SampleProbe(str(18408400000 + i)) for i in range(10)]
    directory = spikeglx_session(tmp_path, probes=probes, start=START)
    for i in range(1, 11):
        kilosort_output(directory / "sorted" / f"ks_probe_{i}")
    assert all(files == [f"sorted/ks_{name} (kilosort)"] for name, files in told(found(directory)).items())


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (r"'E:\Neuro\run_g0\x.bin'", r"E:\Neuro\run_g0\x.bin"),
        (r"'C:\Users\user_1\x.bin'", r"C:\Users\user_1\x.bin"),
        (r'"D:\new\temp\run\x.bin"', r"D:\new\temp\run\x.bin"),
        (r"'D:\xyz.bin'", r"D:\xyz.bin"),
        (r"r'D:\new\x.bin'", r"D:\new\x.bin"),
        (r"'D:\\new\\x.bin'", r"D:\new\x.bin"),
        ("'D:/new/x.bin'", "D:/new/x.bin"),
    ],
)
def test_windows_path_is_read_as_it_was_meant(written: str, path: str) -> None:
    params = read_params(f"dat_path = {written}\nn_channels_dat = 385\nhp_filtered = False\n".encode())
    assert params == {"dat_path": path, "n_channels_dat": 385, "hp_filtered": False}


@pytest.mark.parametrize(
    "written", [rb"'E:\Neuro\probe_1\x.bin'", rb"['C:\Users\probe_1\a.bin', 'C:\Users\probe_1\b.bin']"]
)
def test_windows_path_in_params_tells_the_probe(session: Path, written: bytes) -> None:
    kilosort_output(session / "sorting")
    (session / "sorting" / "params.py").write_bytes(b"dat_path = " + written)
    assert told(found(session))["probe_1"] == ["sorting (kilosort)"]


@pytest.mark.parametrize(
    "content", [b"", b"dat_path = (", b"dat_path = '\\0'", b"\0", b"dat_path = 'a" + b"a" * 70_000 + b"'"]
)
def test_params_of_any_form_fail_nothing(session: Path, content: bytes) -> None:
    kilosort_output(session / "sorting")
    (session / "sorting" / "params.py").write_bytes(content)
    assert found(session).unknown == ("sorting (kilosort)",)


# --- units ----------------------------------------------------------------------------------------


def units(folder: Path) -> dict[str, int] | None:
    [output] = find_clusterings(folder, ())
    return output.units


def table(folder: Path, name: str, rows: Sequence[tuple[int, str]], column: str = "group") -> None:
    text = "".join(f"{number}\t{group}\n" for number, group in rows)
    (folder / name).write_text(f"cluster_id\t{column}\n{text}")


@pytest.mark.parametrize("kind", ["<i4", "<u4", "<i8", "<u8", "<i2"])
def test_clusters_that_phy_merged_are_not_counted(tmp_path: Path, kind: str) -> None:
    kilosort_output(tmp_path, info=False)
    numpy.save(tmp_path / "spike_clusters.npy", numpy.array([0, 0, 7, 7, 2], dtype=kind))
    rows = [(0, "good"), (1, "good"), (2, "mua"), (3, "good"), (7, "good")]  # 1 and 3 became 7
    table(tmp_path, "cluster_group.tsv", rows)
    assert units(tmp_path) == {"good": 2, "mua": 1}


def test_clusters_without_a_row_are_unsorted(tmp_path: Path) -> None:
    kilosort_output(tmp_path, info=False)
    numpy.save(tmp_path / "spike_clusters.npy", numpy.array([0, 4, 5], dtype="<i4"))
    table(tmp_path, "cluster_group.tsv", [(0, "good")])
    assert units(tmp_path) == {"good": 1, "unsorted": 2}


def test_groups_of_kilosort_are_taken_where_nobody_curated(tmp_path: Path) -> None:
    kilosort_output(tmp_path, info=False, units={"good": 2, "mua": 1})
    table(tmp_path, "cluster_group.tsv", [(0, "good"), (1, "mua"), (2, "mua")], "KSLabel")
    assert units(tmp_path) == {"good": 1, "mua": 2}
    (tmp_path / "cluster_group.tsv").unlink()
    assert units(tmp_path) == {"good": 3}  # cluster_KSLabel.tsv


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff{}",
        b"no array" * 10,
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
    ],
)
def test_broken_spike_clusters_leave_the_table_as_it_is(tmp_path: Path, content: bytes) -> None:
    kilosort_output(tmp_path, info=False, units={"good": 2, "mua": 1})
    (tmp_path / "spike_clusters.npy").write_bytes(content)
    assert units(tmp_path) == {"good": 2, "mua": 1}


def test_spike_clusters_beyond_the_limit_count_no_table_that_may_be_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kilosort_output(tmp_path, units={"good": 2})
    monkeypatch.setattr("commands.recordings.sorted_output.SPIKES_LIMIT", 100)
    assert units(tmp_path) == {"good": 2}  # cluster_info.tsv has only what is left
    (tmp_path / "cluster_info.tsv").unlink()
    assert units(tmp_path) is None


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x93NUMPY\x01\x00", struct.pack("<6sBBH", b"\x93NUMPY", 1, 0, 70)]),
)
def test_any_array_can_be_asked(tmp_path_factory: pytest.TempPathFactory, data: bytes, head: bytes) -> None:
    folder = tmp_path_factory.mktemp("a")
    (folder / "spike_clusters.npy").write_bytes(head + data)
    left = clusters_left(str(folder), "spike_clusters.npy", list_files(folder, ("npy",)))
    assert left is None or all(isinstance(number, int) for number in left)


@given(st.binary(max_size=200))
def test_any_table_can_be_counted(data: bytes) -> None:
    counted = count_units(b"cluster_id\tgroup\n" + data, {1, 2})
    assert counted is not None and sum(counted.values()) >= 2 - data.count(b"\n") - 1


def test_files_that_vanish_meanwhile_are_told(session: Path) -> None:
    kilosort_output(session / "probe_1" / "ks")
    listing = list_session(session)
    probes = read_listed(str(session), listing).probes
    for file in (session / "probe_1" / "ks").iterdir():
        os.unlink(file)
    kilosort_output(session / "probe_2" / "ks")
    seen = look_for_clusterings(session, probes, listing=listing)
    assert [problem.code for problem in seen.unreadable] == ["session-changing"]


def test_output_that_cannot_be_read_is_told_and_the_others_are_taken(session: Path) -> None:
    for name in ("probe_1", "probe_2"):
        kilosort_output(session / name / "ks", info=False)
    with (session / "probe_1" / "ks" / "cluster_group.tsv").open("wb") as file:
        file.truncate(20 << 30)
    seen = found(session)
    assert [output.probe_name for output in seen.outputs] == ["probe_2"]
    assert seen.problem is not None and seen.problem.code == "file-too-large"


def test_folder_with_a_name_that_is_not_utf8_belongs_to_nobody(session: Path) -> None:
    kilosort_output(session / "probe_1" / "ks")
    os.rename(session / "probe_1" / "ks", os.fsencode(session / "probe_1") + b"/ks_\xf8")
    seen = found(session)
    assert seen.unknown == ("probe_1/ks_\\xf8 (kilosort)",)
    seen.unknown[0].encode("utf-8")


def test_sorted_output_of_linked_files_is_read_inside_the_root(session: Path, tmp_path: Path) -> None:
    made = kilosort_output(tmp_path / "store")
    (tmp_path / "curated").mkdir()
    for file in made.iterdir():
        (tmp_path / "curated" / file.name).symlink_to(file)
    [output] = find_clusterings(tmp_path / "curated", (), within=tmp_path)
    assert output.units == {"good": 3, "mua": 2, "noise": 1}
    with pytest.raises(UnreadableSession, match="leads out of"):
        find_clusterings(tmp_path / "curated", ())
