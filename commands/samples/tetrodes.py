"""Write session directories of tetrode systems: Axona, Neuralynx, Neurologger. Headers only; no spikes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

NEURALYNX_HEADER_BYTES = 16_384


def axona_session(
    directory: Path,
    *,
    start: datetime,
    trials: Sequence[str] = ("openfield",),
    duration_s: int = 1200,
    tetrodes: int = 4,
) -> Path:
    """One ``.set`` per trial, each starting when the one before ends; EEG and tracking files beside."""
    directory.mkdir(parents=True, exist_ok=True)
    for i, trial in enumerate(trials):
        began = start + timedelta(seconds=i * duration_s)
        stem = f"{start:%Y-%m-%d}_{trial}"
        (directory / f"{stem}.set").write_bytes(
            axona_set(start=began, duration_s=duration_s).encode("latin-1")
        )
        for ending in (*range(1, tetrodes + 1), "eeg", "inp", "pos"):
            (directory / f"{stem}.{ending}").write_bytes(b"trial_date \r\ndata_start\r\ndata_end\r\n")
    return directory


def axona_set(*, start: datetime, duration_s: int, channels: int = 64) -> str:
    """The text of a ``.set`` file: the trial, then the settings of every channel, with CRLF."""
    lines = [
        f"trial_date {_DAYS[start.weekday()]}, {start.day} {_MONTHS[start.month - 1]} {start.year}",
        f"trial_time {start:%H:%M:%S}",
        "experimenter user_1",
        "comments 100cm square",
        f"duration {duration_s:<10}",
        "sw_version 1.2.2.14",
        "ADC_fullscale_mv 1500",
        "tracker_version 0",
        "stim_version 1",
        "audio_version 0",
    ]
    settings = ("gain", "filter", "a_in", "b_in", "mode", "filtresp", "filtkind", "filtfreq1", "filtfreq2")
    values = ("6000", "2", "0", "7", "5", "2", "0", "300", "7000")
    for channel in range(channels):
        lines += [f"{key}_ch_{channel} {value}" for key, value in zip(settings, values, strict=True)]
    lines += ["tracker_pixels_per_metre 300", f"lasttrialdatetime {int(start.timestamp())}", "modeanalog32 0"]
    return "\r\n".join(lines) + "\r\n"


def neuralynx_session(
    directory: Path,
    *,
    start: datetime,
    duration_s: float | None = 1800.0,
    tetrodes: int = 4,
    form: Literal["cheetah 4", "cheetah 5", "cheetah 6"] = "cheetah 6",
) -> Path:
    """Tetrode files with a header each; ``duration_s`` None leaves out when they were closed."""
    directory.mkdir(parents=True, exist_ok=True)
    for tetrode in range(1, tetrodes + 1):
        name = f"TT{tetrode}.ntt"
        header = neuralynx_header(name, start=start, duration_s=duration_s, form=form)
        (directory / name).write_bytes(header)
    (directory / "Events.nev").write_bytes(b"")
    return directory


def neuralynx_header(
    name: str,
    *,
    start: datetime,
    duration_s: float | None,
    form: Literal["cheetah 4", "cheetah 5", "cheetah 6"],
) -> bytes:
    """The 16 kB with which every Neuralynx file begins, as three generations of Cheetah write them."""
    folder = f"C:\\CheetahData\\{start:%Y-%m-%d_%H-%M-%S}"
    times = [("Opened", "Created", start)]
    if duration_s is not None:
        times.append(("Closed", "Closed", start + timedelta(seconds=duration_s)))
    lines = ["######## Neuralynx Data File Header"]
    if form == "cheetah 6":
        lines += ["-FileType Spike", "-FileVersion 3.4", f'-OriginalFileName "{folder}\\{name}"']
        lines += [f"-Time{key} {t:%Y/%m/%d %H:%M:%S}" for _, key, t in times]
        lines += ['-ApplicationName Cheetah "6.4.1"', "-AcquisitionSystem AcqSystem1 DigitalLynxSX"]
    else:
        old = form == "cheetah 4"
        lines.append(f"## File Name{':' if old else ''} {folder}\\{name}")
        for key, _, t in times[: 1 if old else 2]:
            clock = f"{t.hour}:{t.minute}:{t.second}.{t.microsecond // 1000}"
            date = f"{t.month}/{t.day}/{t.year}"
            lines.append(
                f"## Time {key}: (m/d/y): {date}  At Time: {clock}"
                if old
                else f"## Time {key} (m/d/y): {date}  (h:m:s.ms) {clock}"
            )
        lines.append("-CheetahRev 4.60.0 " if old else "-CheetahRev 5.6.3 ")
    lines += [
        f"-AcqEntName {name.partition('.')[0]}",
        "-RecordSize 304",
        "-SamplingFrequency 32000",
        "-ADMaxValue 32767",
        "-NumADChannels 4",
        "-ADChannel 0 1 2 3",
    ]
    return ("\r\n".join(lines) + "\r\n").encode("latin-1").ljust(NEURALYNX_HEADER_BYTES, b"\0")


def neurologger_session(directory: Path, *, start: datetime, header_written: datetime | None = None) -> Path:
    """A logger's raw files and the MATLAB header, written ``header_written`` (default: the next day)."""
    (directory / "Raw").mkdir(parents=True, exist_ok=True)
    written = header_written or start + timedelta(days=1)
    text = (
        f"MATLAB 5.0 MAT-file, Platform: PCWIN64, Created on: {_DAYS[written.weekday()][:3]} "
        f"{_MONTHS[written.month - 1]} {written.day:2} {written:%H:%M:%S} {written.year}"
    )
    header = text.encode("ascii").ljust(116, b" ") + bytes(8) + b"\x00\x01IM"
    (directory / "neurologger_header.mat").write_bytes(header)
    (directory / "Raw" / "EVENTLOG.CSV").write_text("Event number,Time,Event type,Details\r\n", newline="")
    for i in range(2):
        (directory / "Raw" / f"NEUR{i:04}.DT2").write_bytes(b"")
    return directory
