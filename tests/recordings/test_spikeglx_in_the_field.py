"""SpikeGLX directories as they are in the field: halves that lack the other, bands, inputs, exports, clocks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.recordings.readers import read_session_directory
from commands.recordings.session import SessionDirectory, UnreadableSession
from commands.recordings.spikeglx_files import is_probe_meta, run_of
from commands.samples.spikeglx import SampleProbe, nidq_meta, probe_meta, spikeglx_session

START = datetime(2023, 5, 1, 10)
TWO = [SampleProbe("18408403232"), SampleProbe("18408405241")]
UUID = "185fa46a-0000-4000-8000-b9ea35c08fb7"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """``npx_g0/npx_g0_imec0/npx_g0_t0.imec0.ap.meta`` and so on: two probes, three triggers."""
    return spikeglx_session(tmp_path / "s", probes=TWO, start=START, layout="run folders", triggers=3)


def second(run: Path, ending: str, trigger: int = 0) -> Path:
    return run / "npx_g0" / "npx_g0_imec1" / f"npx_g0_t{trigger}.imec1.{ending}"


def told(found: SessionDirectory) -> tuple[dict[str, str], dict[str, str]]:
    return {m.name: m.code for m in found.missing}, {r.name: r.code for r in found.remarks}


def test_whole_session_lacks_nothing(run: Path) -> None:
    assert told(read_session_directory(run)) == ({}, {})


def test_every_trigger_without_a_meta_is_named_under_its_probe(run: Path) -> None:
    for trigger in range(3):
        second(run, "ap.meta", trigger).unlink()
    found = read_session_directory(run)
    [missing] = found.missing
    assert (missing.name, missing.code) == ("npx_g0_imec1", "meta-missing")
    assert [file[-21:] for file in missing.files] == [f"npx_g0_t{t}.imec1.ap.bin"[-21:] for t in range(3)]
    assert "npx_g0_t0.imec1.ap.meta is missing" in missing.message
    assert [probe.serial for probe in found.probes] == ["18408403232"]


def test_one_trigger_without_a_meta_is_named_by_its_file(run: Path) -> None:
    second(run, "ap.meta", 1).unlink()
    found = read_session_directory(run)
    assert told(found)[0] == {"npx_g0/npx_g0_imec1/npx_g0_t1.imec1.ap.bin": "meta-missing"}
    assert len(found.probes) == 2


@pytest.mark.parametrize("ending", ["ap.meta.txt", "ap.META.TXT"])
def test_meta_with_a_hidden_ending_is_to_be_renamed(run: Path, ending: str) -> None:
    for trigger in range(3):
        second(run, "ap.meta", trigger).rename(second(run, ending, trigger))
    [missing] = read_session_directory(run).missing
    assert missing.hint.endswith("rename it to npx_g0_t0.imec1.ap.meta.")
    assert sum(file.lower().endswith(".meta.txt") for file in missing.files) == 3


@pytest.mark.parametrize("content", [b"", b"\0\0", b"nothing", b"imDatPrb_sn=1\n"])
def test_broken_meta_beside_sound_ones_is_missing(run: Path, content: bytes) -> None:
    second(run, "ap.meta").write_bytes(content)
    found = read_session_directory(run)
    assert list(told(found)[0]) == ["npx_g0/npx_g0_imec1/npx_g0_t0.imec1.ap.meta"]
    assert len(found.recordings) == 5


def test_broken_meta_alone_is_an_error(tmp_path: Path) -> None:
    directory = spikeglx_session(tmp_path, probes=TWO[:1], start=START)
    (directory / "probe_1" / "npx.imec.ap.meta").write_bytes(b"nothing")
    with pytest.raises(UnreadableSession, match="is not a SpikeGLX meta"):
        read_session_directory(directory)


def test_lone_lf_band_is_a_remark_and_no_probe(run: Path) -> None:
    for trigger in range(3):
        for ending in ("ap.meta", "ap.bin"):
            second(run, ending, trigger).unlink()
    found = read_session_directory(run)
    assert told(found) == ({}, {"npx_g0_imec1": "lf-only"})
    assert len(found.probes) == 1


@pytest.mark.parametrize("stream", ["nidq", "nidq1", "obx0"])
def test_inputs_are_a_remark(run: Path, stream: str) -> None:
    band = ".obx" if stream.startswith("obx") else ""
    for ending in ("bin", "meta"):
        (run / "npx_g0" / f"npx_g0_t0.{stream}{band}.{ending}").write_text(
            nidq_meta("a", start=START, duration_s=1.0)
        )
    assert told(read_session_directory(run)) == ({}, {f"npx_g0_t0.{stream}": "auxiliary-stream"})


@pytest.mark.parametrize("name", ["npx_g0_t0.exported", "npx_g0_t0_exported", "exported-npx_g0_t0"])
def test_exported_piece_is_a_remark_and_alone_an_error(run: Path, tmp_path: Path, name: str) -> None:
    text = probe_meta(TWO[0], file_name="x", start=START + timedelta(days=3), duration_s=5.0)
    for ending, content in (("meta", text), ("bin", "")):
        (run / f"{name}.imec0.ap.{ending}").write_text(content)
    found = read_session_directory(run)
    assert told(found) == ({}, {name: "exported-piece"})
    assert not found.far_apart
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / f"{name}.imec0.ap.meta").write_text(text)
    with pytest.raises(Exception, match="only pieces that were exported"):
        read_session_directory(tmp_path / "alone")


def test_output_of_catgt_beside_is_a_remark_and_counts_for_no_time(tmp_path: Path) -> None:
    directory = spikeglx_session(tmp_path, probes=TWO, start=START, layout="run folders", catgt=True)
    for file in directory.glob("catgt_*/*/*.meta"):
        file.write_text(
            file.read_text().replace(
                "fileCreateTime_original=2023-05-01", "fileCreateTime_original=2020-01-01"
            )
        )
    found = read_session_directory(directory)
    assert told(found) == ({}, {"catgt_npx_g0": "derived"})
    assert (found.start, found.far_apart, len(found.probes)) == (START, False, 2)


def test_output_of_supercat_alone_has_an_inferred_start(tmp_path: Path) -> None:
    spikeglx_session(tmp_path, probes=TWO[:1], start=START, layout="run folders", catgt=True)
    place = tmp_path / "super"
    (tmp_path / "catgt_npx_g0").rename(place)
    for file in place.rglob("*.ap.meta"):
        file.write_text(
            file.read_text().replace("-gblcar>", "-supercat={/data,catgt_a_g0}{/data,catgt_b_g0}>")
        )
    found = read_session_directory(place)
    assert found.start_inferred and told(found) == ({}, {})


@pytest.mark.parametrize("uuid", ["", f".{UUID}"])
@pytest.mark.parametrize("ending", ["bin", "cbin"])
def test_names_of_alf_are_read(tmp_path: Path, uuid: str, ending: str) -> None:
    for i, probe in enumerate(TWO):
        place = tmp_path / "raw_ephys_data" / f"probe0{i}"
        place.mkdir(parents=True)
        stem = f"_spikeglx_ephysData_g0_t0.imec{i}.ap{uuid}"
        (place / f"{stem}.meta").write_text(probe_meta(probe, file_name="x", start=START, duration_s=5.0))
        (place / f"_spikeglx_ephysData_g0_t0.imec{i}.ap{uuid.replace('185f', '5d9d')}.{ending}").touch()
    found = read_session_directory(tmp_path)
    assert {p.name: p.serial for p in found.probes} == {"probe00": "18408403232", "probe01": "18408405241"}
    assert told(found) == ({}, {})


def test_probes_with_unknown_serials_are_told_apart_by_their_streams(tmp_path: Path) -> None:
    unknown = [SampleProbe("0"), SampleProbe("0")]
    for layout in ("run folders", "one folder"):
        directory = spikeglx_session(
            tmp_path / layout,
            probes=unknown,
            start=START,
            layout=layout,
            triggers=2,  # type: ignore[arg-type]
        )
        found = read_session_directory(directory)
        assert [(p.serial, len(p.recordings)) for p in found.probes] == [(None, 2), (None, 2)]


@pytest.mark.parametrize("layout", ["probe folders", "run folders", "one folder"])
def test_lone_probe_is_named_like_one_of_several(tmp_path: Path, layout: Any) -> None:
    one = spikeglx_session(tmp_path / "one" / "s", probes=TWO[:1], start=START, layout=layout)
    two = spikeglx_session(tmp_path / "two" / "s", probes=TWO, start=START, layout=layout)
    [first] = read_session_directory(one).probes
    assert first.name == read_session_directory(two).probes[0].name


def test_probe_folders_of_two_spellings_of_unicode_have_one_name(tmp_path: Path) -> None:
    for form, name in (("nfc", "sonde_\u00e9"), ("nfd", "sonde_e\u0301")):
        probe = SampleProbe("18408403232", folder=name)
        directory = spikeglx_session(tmp_path / form, probes=[probe], start=START)
        assert read_session_directory(directory).probes[0].name == "sonde_\u00e9"


def test_open_recording_says_when_it_was_last_written(tmp_path: Path) -> None:
    found = read_session_directory(spikeglx_session(tmp_path, probes=TWO, start=START, acquiring=True))
    assert found.acquiring and found.last_written is not None
    assert abs(found.last_written - datetime.now(UTC)) < timedelta(minutes=5)
    closed = read_session_directory(spikeglx_session(tmp_path, probes=TWO, start=START))
    assert closed.last_written is None


@pytest.mark.parametrize(("hours", "apart"), [(0, False), (12, False), (12.01, True), (24 * 400, True)])
def test_starts_more_than_twelve_hours_apart_are_told(tmp_path: Path, hours: float, apart: bool) -> None:
    for i, probe in enumerate(TWO):
        began = START + timedelta(hours=hours * i)
        spikeglx_session(tmp_path / f"probe_{i}", probes=[probe], start=began)
    found = read_session_directory(tmp_path)
    assert found.far_apart is apart
    assert [start for start, _ in found.starts] == [START, START + timedelta(hours=hours)]


@pytest.mark.parametrize(
    ("start", "doubt"),
    [
        ("1969-12-31T23:59:59", True),
        ("1970-01-01T00:00:01", True),
        ("2000-01-01T00:03:10", True),
        ("2015-12-31T23:00:00", True),  # before there was a probe
        ("2016-01-01T12:00:00", False),
        ("2026-06-01T12:00:00", False),
        ("2049-01-02T12:00:00", True),
    ],
)
def test_clock_that_cannot_be_true_is_a_remark(tmp_path: Path, start: str, doubt: bool) -> None:
    spikeglx_session(tmp_path, probes=TWO, start=datetime.fromisoformat(start))
    codes = [remark.code for remark in read_session_directory(tmp_path).remarks]
    assert codes == ["clock-in-doubt"] * doubt


def test_remark_on_a_clock_names_the_recording_that_the_start_comes_from(tmp_path: Path) -> None:
    began = datetime(2049, 1, 2)
    for later, probe in enumerate(TWO):
        folder = tmp_path / f"{'ba'[later]}_probe"  # the later one is read first
        spikeglx_session(folder, probes=[probe], start=began + timedelta(minutes=later))

    [remark] = read_session_directory(tmp_path).remarks

    assert [file.split("/")[0] for file in remark.files] == ["b_probe"]


def test_start_ahead_of_now_is_a_remark_where_now_is_given(tmp_path: Path) -> None:
    spikeglx_session(tmp_path, probes=TWO, start=START)
    ahead = read_session_directory(tmp_path, now=START - timedelta(days=3))
    assert [remark.code for remark in ahead.remarks] == ["clock-in-doubt"]
    assert read_session_directory(tmp_path, now=START).remarks == ()


@pytest.mark.parametrize(
    ("name", "run_name"),
    [
        ("a/npx_g0_t0.imec0.ap.meta", "npx_g0"),
        ("npx_g12_tcat.imec1.ap.meta", "npx_g12"),
        (f"_spikeglx_ephysData_g0_t0.imec0.ap.{UUID}.meta", "_spikeglx_ephysData_g0"),
        ("npx.imec.ap.meta", None),
        ("notes.txt", None),
    ],
)
def test_run_is_told_from_the_name(name: str, run_name: str | None) -> None:
    assert run_of(name) == run_name


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=120))
def test_any_name_can_be_asked(name: str) -> None:
    assert is_probe_meta(name) in (True, False)
    run_of(name)


def test_hidden_ending_of_the_task_table_is_a_remark(run: Path) -> None:
    (run / "sessions.txt.txt").write_text("#1, a, start=1")
    [remark] = read_session_directory(run).remarks
    assert (remark.code, remark.files) == ("sessions-txt-name", ("sessions.txt.txt",))
    assert "rename it to sessions.txt" in remark.message
