"""What must become of each case: one line of facts per directory that is read, one per folder that is composed.

The facts are those of the session directories alone. What becomes of the input files beside them (``*.yml``) belongs
into the same table, as a further field.
"""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Read:
    """What one directory must give. ``probes`` are names and serials; ``missing`` and ``remarks`` names by code;
    ``refused`` is the code of the error and a text that stands in it; ``units`` those of the whole clustering."""

    directory: str
    probes: dict[str, str | None] = field(default_factory=dict)
    start: str = ""
    recordings: int | None = None
    missing: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    refused: tuple[str, str] | None = None
    acquiring: bool = False
    far_apart: bool = False
    inferred: bool = False
    zone: str | None = None
    shanks: int | None = None
    clusterings: dict[str, list[str]] | None = None
    clustering_code: str | None = None
    units: int | None = None

    @property
    def start_time(self) -> datetime | None:
        return datetime.fromisoformat(self.start) if self.start else None


@dataclass(frozen=True, slots=True)
class Compose:
    """What composing for a folder must give: locations below the case, or the code of the refusal and a text in it."""

    directory: str
    locations: list[str] = field(default_factory=list)
    remarks: tuple[str, ...] = ()
    refused: tuple[str, str] | None = None


_NOISE = "rec/rat_01/Noise4Sam_g0"
_NOISE_PROBE: dict[str, str | None] = {"Noise4Sam_g0_imec0": "18194809281"}
_CI0: dict[str, str | None] = {
    "5-19-2022-CI0_g0_imec0": "18194803162",
    "5-19-2022-CI0_g0_imec1": "18194803842",
}
_RUN: dict[str, str | None] = {"run_g0_imec0": "18194809281"}
_BOTH: dict[str, str | None] = {"run_g0_imec0": "18194809281", "run_g0_imec1": "18194803162"}
_OE_BOTH: dict[str, str | None] = {"ProbeA": "18194809281", "ProbeB": "18194803162"}
_NIDQ = {"Noise4Sam_g0_t0.nidq": "auxiliary-stream"}
_IBL = ["rec/Subjects/subj_A/2021-07-28/001", "rec/Subjects/subj_A/2021-08-02/001"]
_RUNS = [
    "rec/rat_01/2020-11-03/morning_g0",
    "rec/rat_01/2022-05-19/5-19-2022-CI2_g0",
    "rec/rat_01/2022-05-19/5-19-2022-CI4_g0",
]
_RAW = ["rec/rat_01/5-19-2022-CI0", "rec/rat_01/5-19-2022-CI2"]
_DEEP = "rec/rat_01/2025-08-13_10-00-00"


def _rig(name: str, start: str, remarks: dict[str, str]) -> Read:
    return Read(f"rec/rat_01/{name}", _NOISE_PROBE, start, 1, remarks=_NIDQ | remarks)


CASES: dict[str, list[Read | Compose]] = {
    "wrong-animal": [Read(_NOISE, _NOISE_PROBE, "2020-11-03 10:35:10", remarks=_NIDQ)],
    "then-other-animal": [
        Read(_NOISE, _NOISE_PROBE, "2020-11-03 10:35:10", remarks=_NIDQ),
        Read("rec/rat_02/copy", _NOISE_PROBE, "2020-11-03 10:35:10", remarks=_NIDQ),
    ],
    "swapped-association": [Read("rec/rat_01/CI0", _CI0, "2022-05-19 17:37:47", 8)],
    "serial-of-another-probe": [
        Read(_NOISE, _NOISE_PROBE, "2020-11-03 10:35:10", remarks=_NIDQ),
        Compose("rec/rat_01", [_NOISE]),
        Compose("rec", [_NOISE]),
        Compose(_NOISE, [_NOISE]),
    ],
    "symlink-twice": [
        Read("rec/rat_01/a", _NOISE_PROBE, "2020-11-03 10:35:10", remarks=_NIDQ),
        Read("link/rat_01/a", _NOISE_PROBE, "2020-11-03 10:35:10", remarks=_NIDQ),
    ],
    "nested-locations": [
        Read("rec/rat_01/5-19-2022-CI0", _CI0, "2022-05-19 17:37:47", 8),
        Compose("rec/rat_01", ["rec/rat_01/5-19-2022-CI0"]),
        Compose("rec", ["rec/rat_01/5-19-2022-CI0"]),
        Compose("rec/rat_01/5-19-2022-CI0", ["rec/rat_01/5-19-2022-CI0"]),
        Compose(
            "rec/rat_01/5-19-2022-CI0/5-19-2022-CI0_g0",
            refused=("part-of-session", "rec/rat_01/5-19-2022-CI0, or"),
        ),
    ],
    "two-runs-one-day": [
        Compose("rec/rat_01", _RUNS),
        Compose("rec", _RUNS),
        Compose("rec/rat_01/2022-05-19", _RUNS[1:]),
        Compose("rec/rat_01/2020-11-03", _RUNS[:1]),
        Compose(_RUNS[2], _RUNS[2:]),
    ],
    "ibl-layout": [
        Read(
            _IBL[0],
            {"probe00": "18005108181"},
            remarks={"_spikeglx_ephysData_g0_t0.nidq": "auxiliary-stream"},
        ),
        Compose("rec/Subjects/subj_A", _IBL),
        Compose("rec/Subjects", _IBL),
        Compose("rec", _IBL),
        Compose("rec/Subjects/subj_A/2021-07-28", _IBL[:1]),
        Compose(_IBL[0], _IBL[:1]),
        Compose(f"{_IBL[0]}/raw_ephys_data", refused=("part-of-session", "2021-07-28/001, or")),
    ],
    "raw-beside-catgt": [
        Read(_RAW[0], _CI0, "2022-05-19 17:37:47", 8),
        Compose(
            "rec/rat_01",
            _RAW,
            ("catgt_5-19-2022-CI0_g0", "catgt_5-19-2022-CI2_g0", "supercat_5-19-2022-CI0_g0"),
        ),
        Compose("rec", _RAW, ("supercat_5-19-2022-CI0_g0",)),
    ],
    "rig-clock": [
        _rig("y1969", "1969-12-31 23:59:59", {"1969-12-31 23:59:59": "clock-in-doubt"}),
        _rig("y2000", "2000-01-01 00:03:10", {"2000-01-01 00:03:10": "clock-in-doubt"}),
        _rig("y2049", "2049-11-03 10:35:10", {"2049-11-03 10:35:10": "clock-in-doubt"}),
        _rig("before", "2020-09-30 23:59:59", {}),
    ],
    "timezone": [
        Read(
            "rec/rat_01/a",
            _NOISE_PROBE,
            "2020-11-03 10:35:10",
            remarks=_NIDQ,
            clusterings={"Noise4Sam_g0_imec0": ["Noise4Sam_g0_imec0/ks (kilosort)"]},
            units=13,
        )
    ],
    "crashed-acquisition": [
        Read("rec/rat_01/a", _NOISE_PROBE, "2020-11-03 10:35:10", remarks=_NIDQ, acquiring=True)
    ],
    "two-animals-one-run": [Read("rec/CI0", _CI0, "2022-05-19 17:37:47", 8), Compose("rec/CI0", ["rec/CI0"])],
    "split-seconds": [
        Read("rec/rat_01/s1", {"s1": None}, "2016-11-28 21:50:33.212"),
        Read("rec/rat_01/s2", {"s2": None}, "2016-11-29 21:50:33.212"),
    ],
    "OE-disabled-probe": [
        Read(
            "rec/rat_01/2023-11-08_08-51-06",
            {"ProbeA": "19192717051"},
            "2024-11-14 15:16:52",
            1,
            remarks={"Neuropix-PXI-100.PXIe-6341": "auxiliary-stream"},
            shanks=1,
        )
    ],
    "OE-one-probe-not-recorded": [
        Read(
            "rec/rat_01/2022-04-14_15-11-01",
            {"ProbeB": "20403311724", "ProbeC": "20403311714", "ProbeD": "21144108671"},
            "2022-04-14 15:11:01",
            3,
        )
    ],
    "OEB-v0_5_3_two_neuropixels_stream": [
        Read(
            "rec/rat_01/v0.5.3_two_neuropixels_stream",
            {"Neuropix-PXI-116.0": "19301405542"},
            "2020-11-24 15:46:56",
            1,
        )
    ],
    "OEB-v0_5_x_two_nodes": [
        Read(
            "rec/rat_01/v0.5.x_two_nodes",
            refused=("no-probe-recorded", "only stream is that of File Reader 100"),
        ),
        Read("rec/rat_01/v0.5.x_two_nodes/RecordNode103", refused=("part-of-session", "v0.5.x_two_nodes.")),
        Compose("rec/rat_01", refused=("no-probe-recorded", "File Reader")),
    ],
    "OneBox-serial-0": [
        Read(
            "rec/rat_01/2025-11-17_10-48-37",
            {"ProbeA": None},
            "2025-11-17 10:48:37",
            1,
            remarks={"OneBox-111.OneBox-ADC": "auxiliary-stream"},
            shanks=4,
        )
    ],
    "oe-ks": [
        Read(
            "rec/rat_01/2022-05-03_10-52-24",
            {"ProbeB": "20403311724", "ProbeC": "20403311714"},
            "2022-05-03 10:52:24",
            2,
            remarks={"NI-DAQmx-103.PXIe-6341": "auxiliary-stream"},
            clusterings={
                probe: [
                    f"Record Node 101/experiment1/recording1/continuous/Neuropix-PXI-100.{probe}/kilosort2_5 (kilosort)"
                ]
                for probe in ("ProbeB", "ProbeC")
            },
            units=26,
        )
    ],
    "oe-no-settings": [
        Read(
            "rec/rat_01/LO_02_002",
            {"ProbeB": None, "ProbeC": None},
            "2022-05-03 17:52:24.618",
            2,
            remarks={"NI-DAQmx-103.PXIe-6341": "auxiliary-stream"},
            zone="UTC",
        )
    ],
    "phy-single": [
        Read(
            "rec/rat_01/s1",
            _NOISE_PROBE,
            "2020-11-03 10:35:10",
            remarks=_NIDQ,
            clusterings={"Noise4Sam_g0_imec0": ["Noise4Sam_g0_imec0/kilosort2_5 (kilosort)"]},
            units=13,  # the table has 14 lines, the first of which is its header
        )
    ],
    "axona-tree": [
        Read(
            "rec/rat_01",
            {"rat_01": None},
            recordings=1,
            remarks={"dataset_multi_modal": "nested-recordings", "dataset_unit_spikes": "nested-recordings"},
        ),
        Compose("rec/rat_01", ["rec/rat_01"], ("dataset_multi_modal", "dataset_unit_spikes")),
        Compose("rec", ["rec/rat_01"]),
    ],
    "meta-txt-one-of-two": [
        Read(
            "rec/rat_01/2023-05-01", _RUN, "2023-05-01 10:00:00", 1, missing={"run_g0_imec1": "meta-missing"}
        )
    ],
    "lf-only-one-of-two": [
        Read("rec/rat_01/2023-05-01", _RUN, "2023-05-01 10:00:00", 1, remarks={"run_g0_imec1": "lf-only"})
    ],
    "glx-days-renamed-as-triggers": [
        Read(
            "rec/rat_01/043_01",
            {"concat220327_220401_g0_imec0": "18194809281"},
            "2022-03-27 10:00:00",
            3,
            far_apart=True,
        ),
        Compose("rec/rat_01", refused=("starts-apart", "2022-03-27, 2022-03-28, 2022-04-01")),
    ],
    "glx-multidrive": [
        Read(
            f"rec/rat_01/{drive}/Subjects/rat_01/2026-03-16/001",
            {f"_spikeglx_ephysData_g0_imec{i}": serial},
            "2026-03-16 10:00:00",
            1,
        )
        for i, (drive, serial) in enumerate((("C", "18194809281"), ("D", "18194803162")))
    ],
    "ibl-uuid-names": [
        Read("rec/rat_01/2022-08-23/001", {"probe00": "18194809281"}, "2022-08-23 10:00:00", 1)
    ],
    "onebox-adc-only": [
        Read(
            "rec/rat_01/2025-07-10",
            refused=("no-probe-recorded", "obx.meta is there, but no probe was recorded"),
        )
    ],
    "oe-200-channels": [Read("rec/rat_01/2023-03-30_17-13-30", _OE_BOTH, "2023-03-30 17:13:30", 2)],
    "oe-nidaq-node": [
        Read(
            "rec/rat_01/2025-09-12_10-00-00",
            _OE_BOTH,
            "2025-09-12 10:00:00",
            2,
            remarks={"NI-DAQmx-107.PXI-6221": "auxiliary-stream"},
        )
    ],
    "oe-crash-second-experiment": [
        Read(
            "rec/rat_01/2022-04-26_15-08-26",
            {"ProbeA": "18194809281"},
            "2022-04-26 15:08:26",
            1,
            missing={"Record Node 104/experiment2/recording1": "structure-missing"},
        )
    ],
    "oe-location-too-deep": [
        Read(_DEEP, {"ProbeA": "18194809281"}, "2025-08-13 10:00:00", 1),
        *(
            Read(f"{_DEEP}/{below}", refused=("part-of-session", "2025-08-13_10-00-00."))
            for below in (
                "Record Node 104",
                "Record Node 104/experiment1",
                "Record Node 104/experiment1/recording1",
                "Record Node 104/experiment1/recording1/continuous",
            )
        ),
        Compose("rec/rat_01", [_DEEP]),
        Compose(f"{_DEEP}/Record Node 104", refused=("part-of-session", "2025-08-13_10-00-00, or")),
        Compose(
            f"{_DEEP}/Record Node 104/experiment1/recording1",
            refused=("part-of-session", "2025-08-13_10-00-00"),
        ),
    ],
    "oe-continuous-format": [
        Read(
            "rec/rat_01/2023-01-10_10-00-00",
            refused=("open-ephys-format", "100_CH1.continuous: the Open Ephys format, not the binary one"),
        )
    ],
    "phy-windows-params": [
        Read(
            "rec/rat_01/2023-05-01",
            _BOTH,
            "2023-05-01 10:00:00",
            2,
            clusterings={
                "run_g0_imec0": ["sorting/first (kilosort)"],
                "run_g0_imec1": ["sorting/second (kilosort)"],
            },
            units=6,
        )
    ],
    "si-phy-export-beside": [
        Read(
            "rec/rat_01/2023-05-01",
            _RUN,
            "2023-05-01 10:00:00",
            1,
            clusterings={"run_g0_imec0": ["kilosort4/sorter_output (kilosort)", "phy_folder (kilosort)"]},
            clustering_code="two-clusterings",
        )
    ],
    "oe-group-two-probes": [
        *(
            Read(f"rec/rat_01/2024-11-01_{hour}-00-00", _OE_BOTH, f"2024-11-01 {hour}:00:00", 2)
            for hour in (10, 12)
        ),
        Compose("rec/rat_01", [f"rec/rat_01/2024-11-01_{hour}-00-00" for hour in (10, 12)]),
    ],
    "nlx-no-time": [
        Read(
            "rec/rat_01/2019-07-12_13-21-32",
            {"2019-07-12_13-21-32": None},
            "2019-07-12 13:21:32",
            1,
            inferred=True,
        )
    ],
}
