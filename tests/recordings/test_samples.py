"""Sample session directories are as real ones are, and always the same."""

import hashlib
from datetime import datetime
from pathlib import Path

import probeinterface
import pytest
import yaml

from commands.recordings.clusterings import find_clusterings
from commands.recordings.readers import list_session, read_session_directory
from commands.recordings.sessions_txt import inherit, read_sessions_txt
from commands.samples.lab import input_file, lab
from commands.samples.probe_models import MODELS, Model
from commands.samples.spikeglx import PLACEHOLDER_BYTES, SampleProbe, nidq_meta, probe_meta, spikeglx_session

START = datetime(2023, 5, 1, 10)
REAL: dict[Model, str] = {
    "3A": "ibl-neuropixel/sample3A_g0_t0.imec.ap.meta",
    "1.0": "ibl-neuropixel/sample3B_g0_t0.imec1.ap.meta",
    "2.0-SS": "ibl-neuropixel/sampleNP2.1_g0_t0.imec.ap.meta",
    "2.0-MS": "probeinterface/NP2_4_shanks.imec0.ap.meta",
    "2013": "probeinterface/NP2_2013_all_channels.imec0.ap.meta",
    "2020": "probeinterface/NP2020_sample_g0_t0.imec0.ap.meta",
}
NIDQ = "ibl-neuropixel/sample3B_g0_t0.nidq.meta"


def keys(text: str) -> list[str]:
    return [line.partition("=")[0] for line in text.splitlines() if line]


def real(shared: Path, file: str) -> str:
    return (shared / "realdata/spikeglx" / file).read_text()


def generated(model: Model, **values: object) -> str:
    values = {"file_name": "npx.imec.ap.bin", "start": START, "duration_s": 60.0} | values
    return probe_meta(SampleProbe("18408403232", model), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", MODELS)
def test_generated_meta_has_the_keys_of_a_real_one_in_their_order(shared: Path, model: Model) -> None:
    assert keys(generated(model)) == keys(real(shared, REAL[model]))


@pytest.mark.parametrize("model", MODELS)
def test_generated_tables_are_as_long_as_real_ones(shared: Path, model: Model) -> None:
    for ours, theirs in zip(
        generated(model).splitlines(), real(shared, REAL[model]).splitlines(), strict=True
    ):
        if ours.startswith("~"):
            assert ours.count("(") == theirs.count("("), ours[:20]
            assert ours.partition(")")[0].count(",") == theirs.partition(")")[0].count(",")


def test_generated_nidq_and_acquiring_and_catgt_metas_have_the_keys_of_real_ones(shared: Path) -> None:
    assert keys(nidq_meta("a", start=START, duration_s=9.0)) == keys(real(shared, NIDQ))
    acquiring = "ibl-neuropixel/sampleNP2.4_4shanks_while_acquiring_incomplete.ap.meta"
    assert keys(generated("2.0-MS", duration_s=None)) == keys(real(shared, acquiring))
    catgt = {
        key for key in keys(real(shared, "probeinterface/catgt.meta")) if "cat" in key or "original" in key
    }
    assert set(keys(generated("1.0", catgt="npx"))) - set(keys(generated("1.0"))) == catgt


@pytest.mark.parametrize("model", MODELS)
def test_probeinterface_reads_what_was_generated(tmp_path: Path, model: Model) -> None:
    spikeglx_session(tmp_path, probes=[SampleProbe("18408403232", model)], start=START)
    probe = probeinterface.read_spikeglx(tmp_path / "probe_1" / "npx.imec.ap.meta")
    ours = read_session_directory(tmp_path).probes[0]
    assert probe.annotations["serial_number"] == ours.serial == "18408403232"
    assert len(probe.annotations["shank_tips"]) == ours.shanks == MODELS[model].shanks
    assert probe.get_contact_count() == MODELS[model].channels
    assert probe.get_shank_count() == MODELS[model].shanks


@pytest.mark.parametrize("model", MODELS)
def test_data_files_are_placeholders_or_as_large_as_the_meta_says(tmp_path: Path, model: Model) -> None:
    probe = SampleProbe("18408403232", model)
    for folder, full_size in (("small", False), ("full", True)):
        spikeglx_session(tmp_path / folder, probes=[probe], start=START, duration_s=2.0, full_size=full_size)
    [recording] = read_session_directory(tmp_path / "full").recordings
    full = (tmp_path / "full" / "probe_1" / "npx.imec.ap.bin").stat()
    assert full.st_size == recording.file_bytes
    assert full.st_blocks * 512 < 100_000  # sparse
    assert (tmp_path / "small" / "probe_1" / "npx.imec.ap.bin").stat().st_size == PLACEHOLDER_BYTES
    assert (tmp_path / "full" / "probe_1" / "npx.imec.lf.meta").exists() == MODELS[model].lf


def digest(directory: Path) -> str:
    everything = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        everything.update(path.relative_to(directory).as_posix().encode())
        if path.is_file():
            everything.update(path.read_bytes().replace(str(directory).encode(), b""))
    return everything.hexdigest()


def test_lab_is_always_the_same(tmp_path: Path) -> None:
    where = tmp_path / "lab"
    lab(where, subjects=2, sessions_per_subject=1)
    first = digest(where)
    where.rename(tmp_path / "moved")
    lab(where, subjects=2, sessions_per_subject=1)
    assert digest(where) == first


def test_whole_lab_can_be_read(tmp_path: Path) -> None:
    made = lab(tmp_path, subjects=3, sessions_per_subject=2)
    catalogue = yaml.safe_load(made.catalogue)
    assert [s["name"] for s in catalogue["subjects"]] == ["12345", "12346", "12347"]
    assert (tmp_path / "catalogue.yml").read_text() == made.catalogue
    registered = {probe["probe"] for probe in catalogue["reference.Probe"]}
    starts = set()
    for subject, entry in zip(made.subjects, catalogue["subjects"], strict=True):
        assert {probe["probe"] for probe in entry["probes"]} <= registered
        document = yaml.safe_load(input_file(subject))
        assert document["subject"]["name"] == subject.name
        for session, described in zip(subject.sessions, document["sessions"], strict=True):
            found = read_session_directory(session.directory)
            assert described["location"] == session.directory.as_posix()
            assert [f"npx_1_{p.serial}" for p in found.probes] == [p["probe"] for p in entry["probes"]]
            assert len(find_clusterings(session.directory, found.probes)) == len(found.probes)
            table = read_sessions_txt(session.directory, list_session(session.directory))
            assert table is not None
            types = [task["task_type"] for task in described["tasks"]]
            assert set(types) <= {
                t if isinstance(t, str) else t["name"] for t in catalogue["behavior.TaskType"]
            }
            assert inherit(table.rows, types, recording_duration_s=found.duration_s)[-1].stop_s == 1800.0
            starts.add((subject.name, found.start))
    assert len(starts) == 6
