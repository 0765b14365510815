"""The keys and tables of SpikeGLX metas, per probe model and release. Only text; writes nothing.

The key sets are those of published recordings made with the release named; the values are made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

Model = Literal["3A", "1.0", "2.0-SS", "2.0-MS", "2013", "2020"]

_EVERY_RELEASE = {
    "gateMode": "Immediate",
    "imSampRate": "30000",
    "imStdby": "",
    "syncSourcePeriod": "1",
    "trigMode": "Immediate",
    "typeThis": "imec",
    "userNotes": "",
}
_PHASE_3A = _EVERY_RELEASE | {
    "appVersion": "20180829",
    "imAiRangeMax": "0.6",
    "imAiRangeMin": "-0.6",
    "imDoGainCor": "true",
    "imHpFlt": "300",
    "imNoLEDs": "true",
    "imProbeOpt": "3",
    "imRoFile": "",
    "imSoftStart": "true",
    "imVersAPI": "4.3",
    "imVersBs": "0.3",
    "imVersHwr": "4.2",
    "syncImChan": "6",
    "syncImChanType": "0",
    "syncImThresh": "3",
    "syncSourceIdx": "0",
    "typeEnabled": "imec",
}
_PXI = _EVERY_RELEASE | {
    "appVersion": "20190327",
    "imAiRangeMax": "0.6",
    "imAiRangeMin": "-0.6",
    "imCalibrated": "true",
    "imDatApi": "1.15",
    "imDatBs_fw": "1.1.128",
    "imDatBsc_fw": "1.0.151",
    "imDatBsc_hw": "2.1",
    "imDatBsc_pn": "NP2_QBSC_00",
    "imDatBsc_sn": "201",
    "imDatFx_hw": "1.2",
    "imDatFx_pn": "NP2_FLEX_0",
    "imDatHs_fw": "5.1",
    "imDatHs_pn": "NP2_HS_30",
    "imDatHs_sn": "1201",
    "imDatPrb_pn": "PRB_1_4_0480_1",
    "imDatPrb_port": "1",
    "imDatPrb_slot": "2",
    "imDatPrb_type": "0",
    "imLEDEnable": "false",
    "imRoFile": "",
    "imTrgRising": "true",
    "imTrgSource": "0",
    "syncImInputSlot": "2",
    "syncSourceIdx": "3",
    "typeImEnabled": "1",
    "typeNiEnabled": "1",
}
_NP2_RANGE = {"imAiRangeMax": "0.5", "imAiRangeMin": "-0.5", "imMaxInt": "8192", "imDatPrb_dock": "1"}
_PHASE_20 = _PXI | _NP2_RANGE | {
    "appVersion": "20190919",
    "imDatApi": "2.11",
    "imDatFx_pn": "NPM_FLEX_0",
    "imDatPrb_pn": "PRB2_1_2_0640_0",
    "imDatPrb_type": "21",
}  # fmt: skip
_PHASE_30 = _PHASE_20 | {
    "appVersion": "20201103",
    "imDatApi": "3.31",
    "imDatPrb_pn": "NP2010",
    "imDatPrb_type": "24",
    "nDataDirs": "1",
}
_RELEASE_2023 = {k: v for k, v in _PHASE_30.items() if k not in ("imDatHs_fw", "imRoFile")} | {
    "appVersion": "20230815",
    "imAiRangeMax": "0.62",
    "imAiRangeMin": "-0.62",
    "imAnyChanFullBand": "true",
    "imChan0apGain": "100",
    "imDatApi": "3.62",
    "imDatFx_sn": "23100001",
    "imDatHs_hw": "3.2",
    "imDatPrb_pn": "NP2013",
    "imDatPrb_type": "2013",
    "imErrFlags_IS_CT_SR_LK_PP_SY": "0 0 0 0 0 0",
    "imIsSvyRun": "false",
    "imLowLatency": "false",
    "imMaxInt": "2048",
    "imSvyMaxBnk": "-1",
    "imSvySecPerBnk": "60",
    "imTipLength": "206",
    "imroFile": "",
    "typeObEnabled": "0",
}
_QUAD_BASE = {k: v for k, v in _RELEASE_2023.items() if not k.startswith("imErrFlags")} | {
    "appVersion": "20260115",
    "imChan0Ref": "ext",
    "imColsPerShank": "2",
    "imDatApi": "4.1.3",
    "imDatBsc_tech": "std",
    "imDatHs_fw": "0.0.0",
    "imDatPrb_pn": "NP2020",
    "imDatPrb_sr_mask": "15",
    "imDatPrb_sr_nok": "4",
    "imDatPrb_tech": "qb",
    "imDatPrb_type": "2020",
    **{f"imErrFlags0_{shank}_IS_CT_SR_LK_PP_SY_MS": "0 0 0 0 0 0 0" for shank in range(4)},
    "imRowsPerShank": "640",
    "imSRAtDetect": "true",
    "imSvyNShanks": "1",
    "imSvySettleSec": "2",
    "imX0EvenRow": "27",
    "imX0OddRow": "27",
    "imXPitch": "32",
    "imZPitch": "15",
    "obErrFlags0_IS_CT_SR_LK_PP_SY_MS": "0 0 0 0 0 0 0",
}


@dataclass(frozen=True, slots=True)
class ProbeModel:
    """``channels`` are read out, of ``shanks * sites_per_shank``. ``lf``: has a separate LF file."""

    keys: Mapping[str, str]
    label: str
    shanks: int
    channels: int
    sync: int
    sites_per_shank: int
    lf: bool
    geometry: Literal["shank map", "geometry map"]


MODELS: dict[Model, ProbeModel] = {
    "3A": ProbeModel(_PHASE_3A, "neuropixels_1.0", 1, 384, 1, 960, True, "shank map"),
    "1.0": ProbeModel(_PXI, "neuropixels 1.0 - 3B", 1, 384, 1, 960, True, "shank map"),
    "2.0-SS": ProbeModel(_PHASE_20, "neuropixels 2.0 - SS", 1, 384, 1, 1280, False, "shank map"),
    "2.0-MS": ProbeModel(_PHASE_30, "neuropixels 2.0 - MS", 4, 384, 1, 1280, False, "shank map"),
    "2013": ProbeModel(_RELEASE_2023, "neuropixels 2.0 - MS", 4, 384, 1, 1280, False, "geometry map"),
    "2020": ProbeModel(_QUAD_BASE, "neuropixels 2.0 - QB", 4, 1536, 4, 1280, False, "geometry map"),
}

_STRIPE = ((0, 0), (1, 0), (0, 48), (1, 48), (2, 0), (3, 0), (2, 48), (3, 48))
"""Shank and first site of each block of 48 channels: a stripe across the four shanks, at the tip."""


def _sites(model: Model) -> list[tuple[int, int]]:
    """Shank and site of each channel."""
    probe = MODELS[model]
    if model == "2020":
        return [(c // 384, c % 384) for c in range(probe.channels)]
    if probe.shanks == 4:
        return [(_STRIPE[c // 48][0], _STRIPE[c // 48][1] + c % 48) for c in range(probe.channels)]
    return [(0, c) for c in range(probe.channels)]


@cache
def tables(model: Model, band: Literal["ap", "lf"]) -> tuple[str, ...]:
    """The tables' lines, with their ``~``. ``{serial}`` stands where Phase 3A repeats the serial number."""
    probe = MODELS[model]
    sites = _sites(model)
    channels = range(probe.channels)
    if model == "3A":
        imro = "({serial},3,384)" + "".join(f"({c} 0 0 500 250)" for c in channels)
    elif model == "1.0":
        imro = "(0,384)" + "".join(f"({c} 0 0 500 250 1)" for c in channels)
    elif model == "2.0-SS":
        imro = "(21,384)" + "".join(f"({c} 1 0 {c})" for c in channels)
    else:
        kind = {"2.0-MS": "24", "2013": "2013", "2020": "NP2020"}[model]
        imro = f"({kind},{probe.channels})" + "".join(f"({c} {s} 0 0 {e})" for c, (s, e) in enumerate(sites))
    lines = [f"~imroTbl={imro}"]
    if probe.geometry == "geometry map":
        lines.append(f"~muxTbl={_mux(probe.channels)}")
    lines.append(f"~snsChanMap={_channel_map(probe, band)}")
    if probe.geometry == "shank map":
        shape = f"({probe.shanks},2,{probe.sites_per_shank // 2})"
        lines.append(f"~snsShankMap={shape}" + "".join(f"({s}:{e % 2}:{e // 2}:1)" for s, e in sites))
    else:
        shape = f"({probe.keys['imDatPrb_pn']},{probe.shanks},250,70)"
        lines.append(
            f"~snsGeomMap={shape}" + "".join(f"({s}:{27 + 32 * (e % 2)}:{15 * (e // 2)}:1)" for s, e in sites)
        )
    return tuple(lines)


def _channel_map(probe: ProbeModel, band: Literal["ap", "lf"]) -> str:
    lf = probe.channels if probe.lf else 0
    prefix, first = ("AP", 0) if band == "ap" else ("LF", lf)
    rows = [f"({prefix}{c};{first + c}:{first + c})" for c in range(probe.channels)]
    sync = [f"(SY{i};{probe.channels + lf + i}:{probe.channels + lf + i})" for i in range(probe.sync)]
    return f"({probe.channels},{lf},{probe.sync})" + "".join(rows + sync)


def _mux(channels: int) -> str:
    """Which channels each converter samples, in turn: 24 converters of 16 channels per 384 channels."""
    converters = channels // 16
    groups: list[list[int]] = [[] for _ in range(16)]
    for start in range(0, channels, 32):
        for i in range(32):
            groups[i // 2].append(start + i)
    return f"({converters},16)" + "".join("(" + " ".join(map(str, group)) + ")" for group in groups)


def head(model: Model, band: Literal["ap", "lf"]) -> dict[str, str]:
    """The plain keys that do not depend on the recording."""
    probe = MODELS[model]
    lf = probe.channels if probe.lf else 0
    saved = f"{probe.channels},0,{probe.sync}" if band == "ap" else f"0,{probe.channels},{probe.sync}"
    last = probe.channels + lf + probe.sync - 1
    first = 0 if band == "ap" else lf
    subset = f"{first}:{first + probe.channels - 1},{last}" if probe.lf else f"0:{last}"
    return {
        **probe.keys,
        "acqApLfSy": f"{probe.channels},{lf},{probe.sync}",
        "imSampRate": "30000" if band == "ap" else "2500",
        "nSavedChans": str(probe.channels + probe.sync),
        "snsApLfSy": saved,
        "snsSaveChanSubset": subset,
    }
