"""Write SpikeGLX session directories: metas with all their keys and tables, data files without content."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from commands.samples.probe_models import MODELS, Model, head, tables

Layout = Literal["probe folders", "run folders", "one folder"]
"""``probe_1/npx.imec.ap.meta``; ``npx_g0/npx_g0_imec0/npx_g0_t0.imec0.ap.meta``; no folder per probe."""

PLACEHOLDER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class SampleProbe:
    serial: str
    model: Model = "1.0"
    folder: str | None = None  # default: as the layout names it


def spikeglx_session(
    directory: Path,
    *,
    probes: Sequence[SampleProbe],
    start: datetime,
    duration_s: float = 1800.0,
    run: str = "npx",
    layout: Layout = "probe folders",
    triggers: int = 1,
    nidq: bool = False,
    catgt: bool = False,
    acquiring: bool = False,
    line_end: str = "\r\n",
    full_size: bool = False,
) -> Path:
    """Write one session; ``directory`` is made. Returns it.

    ``triggers`` files of ``duration_s`` follow each other. ``catgt`` puts CatGT's output, made an hour after
    the recording, beside the raw data. The data files have ``PLACEHOLDER_BYTES``, or with ``full_size`` the
    size that the meta states (sparse: they take no room where the file system has sparse files).
    """
    for i, probe in enumerate(probes):
        for trigger in range(triggers):
            began = start + timedelta(seconds=trigger * duration_s)
            stem = _stem(directory, probe, i, trigger=trigger, run=run, layout=layout)
            stem.parent.mkdir(parents=True, exist_ok=True)
            for band in ("ap", "lf") if MODELS[probe.model].lf else ("ap",):
                _write(stem, probe, band, began, None if acquiring else duration_s, line_end, full_size)
        if catgt:
            stem = directory / f"catgt_{run}_g0" / f"{run}_g0_imec{i}" / f"{run}_g0_tcat.imec{i}"
            stem.parent.mkdir(parents=True, exist_ok=True)
            _write(stem, probe, "ap", start, triggers * duration_s, "\n", full_size, catgt=run)
    if nidq:
        stem = directory / (f"{run}_g0" if layout != "probe folders" else "") / f"{run}_g0_t0.nidq"
        stem.parent.mkdir(parents=True, exist_ok=True)
        text = nidq_meta(f"{stem}.bin", start=start, duration_s=None if acquiring else duration_s)
        _put(f"{stem}.meta", text.replace("\n", line_end))
        _put(f"{stem}.bin", "")
    return directory


def probe_meta(
    probe: SampleProbe,
    *,
    file_name: str,
    start: datetime,
    duration_s: float | None,
    band: Literal["ap", "lf"] = "ap",
    catgt: str | None = None,
) -> str:
    """The text of a probe's meta, with LF. ``duration_s`` None: acquiring. ``catgt``: the run's name."""
    keys = dict(_head(probe.model, band))
    keys["imProbeSN" if probe.model == "3A" else "imDatPrb_sn"] = probe.serial
    keys["fileName"] = file_name
    keys["fileCreateTime"] = start.isoformat(timespec="seconds")
    if duration_s is not None:
        rate = int(keys["imSampRate"])
        samples = round(duration_s * rate)
        digest = hashlib.sha1(f"{file_name}{start}".encode(), usedforsecurity=False)
        keys["fileSHA1"] = digest.hexdigest().upper()
        keys["fileSizeBytes"] = str(samples * 2 * int(keys["nSavedChans"]))
        keys["fileTimeSecs"] = repr(samples / rate)
        keys["firstSample"] = str((start.hour * 3600 + start.minute * 60 + start.second) * rate // 7)
    if catgt is not None:
        keys["fileCreateTime_original"] = keys["fileCreateTime"]
        keys["fileCreateTime"] = (start + timedelta(hours=1)).isoformat(timespec="seconds")
        keys["fileSHA1"] = "0"
        keys["catGTCmdline0"] = f"<CatGT -dir=D:/data -run={catgt} -g=0 -t=0 -ap -prb=0 -prb_fld -gblcar>"
        keys["catGVals"], keys["catNFiles"], keys["catTVals"] = "0,0", "1", "0,0"
    lines = [f"{key}={keys[key]}" for key in sorted(keys)]
    lines += tables(probe.model, band)
    if probe.model == "3A":
        return "\n".join(lines).replace("{serial}", probe.serial) + "\n"
    return "\n".join(lines) + "\n"


def nidq_meta(file_name: str, *, start: datetime, duration_s: float | None) -> str:
    """The text of the meta of a National Instruments stream, with LF."""
    keys = _NIDQ | {"fileName": file_name, "fileCreateTime": start.isoformat(timespec="seconds")}
    if duration_s is not None:
        samples = round(duration_s * 30003.0003)
        keys |= {"fileSizeBytes": str(samples * 4), "fileTimeSecs": repr(samples / 30003.0003)}
        keys |= {"fileSHA1": "0" * 40, "firstSample": "1738164"}
    lines = [f"{key}={keys[key]}" for key in sorted(keys)]
    return "\n".join([*lines, "~snsChanMap=(0,0,1,1,1)(XA0;0:0)(XD0;1:1)", "~snsShankMap=(1,2,0)"]) + "\n"


@cache
def _head(model: Model, band: Literal["ap", "lf"]) -> dict[str, str]:
    return head(model, band)


def _stem(directory: Path, probe: SampleProbe, i: int, *, trigger: int, run: str, layout: Layout) -> Path:
    if layout == "probe folders":
        suffix = "imec" if trigger == 0 else f"t{trigger}.imec"
        return directory / (probe.folder or f"probe_{i + 1}") / f"{run}.{suffix}"
    run_folder = directory / f"{run}_g0"
    if layout == "run folders":
        run_folder /= probe.folder or f"{run}_g0_imec{i}"
    return run_folder / f"{run}_g0_t{trigger}.imec{i}"


def _write(
    stem: Path,
    probe: SampleProbe,
    band: Literal["ap", "lf"],
    start: datetime,
    duration_s: float | None,
    line_end: str,
    full_size: bool,
    *,
    catgt: str | None = None,
) -> None:
    data_file = f"{stem}.{band}.bin"
    text = probe_meta(probe, file_name=data_file, start=start, duration_s=duration_s, band=band, catgt=catgt)
    _put(f"{stem}.{band}.meta", text if line_end == "\n" else text.replace("\n", line_end))
    channels = MODELS[probe.model].channels + MODELS[probe.model].sync
    size = round((duration_s or 0) * (30_000 if band == "ap" else 2_500)) * channels * 2
    _put(data_file, "", size=size if full_size else min(size, PLACEHOLDER_BYTES))


def _put(file: str, text: str, *, size: int = 0) -> None:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o644)
    try:
        if text:
            os.write(fd, text.encode("utf-8"))
        if size:
            os.ftruncate(fd, size)
    finally:
        os.close(fd)


_NIDQ = {
    "acqMnMaXaDw": "0,0,1,1",
    "appVersion": "20190327",
    "gateMode": "Immediate",
    "nSavedChans": "2",
    "niAiRangeMax": "5",
    "niAiRangeMin": "-5",
    "niAiTermination": "Default",
    "niClockLine1": "Internal",
    "niClockSource": "PXI1Slot2_1ch_Int : 30003.000300",
    "niDev1": "PXI1Slot2",
    "niDev1ProductName": "PXIe-6341",
    "niMAChans1": "",
    "niMAGain": "1",
    "niMNChans1": "",
    "niMNGain": "200",
    "niMuxFactor": "1",
    "niSampRate": "30003.0003",
    "niStartEnable": "false",
    "niStartLine": "PXI1Slot2/port0/line0",
    "niXAChans1": "0",
    "niXDBytes1": "1",
    "niXDChans1": "0:7",
    "snsMnMaXaDw": "0,0,1,1",
    "snsSaveChanSubset": "all",
    "syncNiChan": "3",
    "syncNiChanType": "0",
    "syncNiThresh": "1.1",
    "syncSourceIdx": "3",
    "syncSourcePeriod": "1",
    "trigMode": "Immediate",
    "typeImEnabled": "1",
    "typeNiEnabled": "1",
    "typeThis": "nidq",
    "userNotes": "",
}
