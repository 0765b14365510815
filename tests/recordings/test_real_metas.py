"""Published SpikeGLX and Axona files, read as they are; probeinterface is the oracle."""

from datetime import datetime
from pathlib import Path

import probeinterface
import pytest

from commands.recordings.axona import parse_set
from commands.recordings.session import Recording, UnreadableSession
from commands.recordings.spikeglx import parse_meta

# file: (serial, part number, shanks of the probe, start, still acquiring, made by CatGT)
METAS = {
    "ibl-neuropixel/sample3A_g0_t0.imec.ap.meta": ("641251510", "3", 1, "2019-05-07T17:24:02", False, False),
    "ibl-neuropixel/sample3B_catgt.ap.meta": (
        "19051020361", "PRB_1_4_0480_1_C", 1, "2022-09-15T23:05:18", False, True,
    ),
    "ibl-neuropixel/sample3B_g0_t0.imec1.ap.meta": (
        "18005116811", "PRB_1_4_0480_1", 1, "2019-08-15T17:37:20", False, False,
    ),
    "ibl-neuropixel/sampleNP2.1_g0_t0.imec.ap.meta": (
        "19011116954", "PRB2_1_2_0640_0", 1, "2020-10-29T16:54:09", False, False,
    ),
    "ibl-neuropixel/sampleNP2.4_4shanks_g0_t0.imec.ap.meta": (
        "19011110513", "NP2010", 4, "2021-08-02T14:30:26", False, False,
    ),
    "ibl-neuropixel/sampleNP2.4_4shanks_while_acquiring_incomplete.ap.meta": (
        "19122519691", "NP2010", 4, "2024-03-13T12:16:32", True, False,
    ),
    "probeinterface/NP-Ultra.meta": ("20088315201", "NP1100", 1, "2021-11-30T16:10:26", False, False),
    "probeinterface/NP1110_2x192_bank4_g0_t0.imec0.ap.meta": (
        "21144116901", "NP1110", 1, "2026-03-19T22:20:16", False, False,
    ),
    "probeinterface/NP1110_bank0_g0_t0.imec0.ap.meta": (
        "21144116901", "NP1110", 1, "2026-03-19T22:16:27", False, False,
    ),
    "probeinterface/NP1110_botrow80_g0_t0.imec0.ap.meta": (
        "21144116901", "NP1110", 1, "2026-03-19T22:18:10", False, False,
    ),
    "probeinterface/NP1110_vstripe_g0_t0.imec0.ap.meta": (
        "21144116901", "NP1110", 1, "2026-03-19T22:15:54", False, False,
    ),
    "probeinterface/NP1_saved_only_subset_of_channels.meta": (
        "19398105682", "PRB_1_4_0480_1_C", 1, "2022-09-29T11:43:49", False, False,
    ),
    "probeinterface/NP2020_sample_g0_t0.imec0.ap.meta": (
        "22053118151", "NP2020", 4, "2026-05-06T22:05:09", False, False,
    ),
    "probeinterface/NP2_2013_all_channels.imec0.ap.meta": (
        "12345601012", "NP2013", 4, "2023-09-04T16:01:07", False, False,
    ),
    "probeinterface/NP2_2013_subset_channels.imec0.ap.meta": (
        "12345601012", "NP2013", 4, "2023-09-04T16:03:26", False, False,
    ),
    "probeinterface/NP2_4_shanks.imec0.ap.meta": (
        "19122510362", "NP2010", 4, "2021-09-20T14:13:34", False, False,
    ),
    "probeinterface/NP2_4_shanks_save_different_electrodes.imec0.ap.meta": (
        "19011111323", "NP2010", 4, "2022-10-25T14:53:42", False, False,
    ),
    "probeinterface/Noise_g0_t0.imec0.ap.meta": (
        "18194809281", "PRB_1_4_0480_1", 1, "2020-11-03T10:35:10", False, False,
    ),
    "probeinterface/allan-longcol_g0_t0.imec0.ap.meta": (
        "19076619641", "PRB_1_4_0480_1_C", 1, "2021-03-01T09:00:05", False, False,
    ),
    "probeinterface/catgt.meta": ("19454409771", "PRB_1_4_0480_1_C", 1, "2023-04-27T15:21:38", False, True),
    "probeinterface/doppio-checkerboard_t0.imec0.ap.meta": (
        "19076614052", "PRB_1_4_0480_1_C", 1, "2020-03-17T09:08:06", False, False,
    ),
    "probeinterface/non_human_primate_long_staggered.imec0.ap.meta": (
        "19445524222", "NP1030", 1, "2023-03-13T14:19:21", False, False,
    ),
    "probeinterface/non_human_primate_short_linear_probe_type_0.meta": (
        "22168303281", "NP1015", 1, "2023-02-24T09:53:29", False, False,
    ),
    "probeinterface/p2_g0_t0.imec0.ap.meta": (
        "19011116954", "PRB2_1_2_0640_0", 1, "2019-09-27T16:04:32", False, False,
    ),
    "probeinterface/phase3a.imec.ap.meta": ("262720641", "3", 1, "2018-10-18T00:54:51", False, False),
}  # fmt: skip
NIDQ = "ibl-neuropixel/sample3B_g0_t0.nidq.meta"


def read(shared: Path, file: str) -> Recording:
    return parse_meta((shared / "realdata/spikeglx" / file).read_bytes(), file=file, name="probe_1")


@pytest.mark.parametrize("file", METAS)
def test_real_meta_gives_what_is_in_it(shared: Path, file: str) -> None:
    serial, part_number, shanks, start, acquiring, derived = METAS[file]
    recording = read(shared, file)
    assert (recording.serial, recording.part_number, recording.shanks) == (serial, part_number, shanks)
    assert recording.start == datetime.fromisoformat(start)
    assert (recording.acquiring, recording.derived) == (acquiring, derived)
    assert (recording.duration_s is None) == (recording.file_bytes is None) == acquiring


@pytest.mark.parametrize("file", METAS)
def test_real_meta_agrees_with_probeinterface(shared: Path, file: str) -> None:
    probe = probeinterface.read_spikeglx(shared / "realdata/spikeglx" / file)
    recording = read(shared, file)
    assert recording.serial == probe.annotations["serial_number"]
    assert recording.shanks == len(probe.annotations["shank_tips"])  # the probe's, not those recorded from
    if recording.part_number != "3":  # Phase 3A has an option, not a part number: probeinterface assumes one
        assert recording.part_number == probe.annotations["part_number"]


def test_table_of_real_metas_is_complete(shared: Path) -> None:
    folder = shared / "realdata/spikeglx"
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*.meta")} == {*METAS, NIDQ}


def test_nidq_meta_is_told_apart(shared: Path) -> None:
    with pytest.raises(UnreadableSession, match='describes the "nidq" stream') as raised:
        read(shared, NIDQ)
    assert raised.value.code == "not-a-probe-meta"


@pytest.mark.parametrize("file", METAS)
def test_line_ends_tildes_and_byte_order_mark_change_nothing(shared: Path, file: str) -> None:
    data = (shared / "realdata/spikeglx" / file).read_bytes()
    as_it_is = parse_meta(data, file=file, name="p")
    lf = data.replace(b"\r\n", b"\n")
    for other in (
        lf,
        lf.replace(b"\n", b"\r\n"),
        lf.replace(b"\n~", b"\n"),
        b"\xef\xbb\xbf" + lf,
        lf.rstrip(),
        lf + b"\n\n",
        b"fileCreateTime" + lf.partition(b"\nfileCreateTime")[2],  # the first line is one that is needed
    ):
        assert parse_meta(other, file=file, name="p") == as_it_is


def test_real_set_file_gives_trial_start_and_length(shared: Path) -> None:
    recording = parse_set(
        (shared / "realdata/axona/M851_140908t2rh.set").read_bytes(), file="M851_140908t2rh.set"
    )
    assert recording.name == "M851_140908t2rh"
    assert recording.start == datetime.fromisoformat("2014-09-08T17:25:52")
    assert recording.duration_s == 2401.0
    assert recording.serial is None
