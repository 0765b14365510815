"""Write Open Ephys session directories in the binary format, of 0.4 to 1.0: settings and structure, empty data."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import quoteattr

Version = Literal["0.4", "0.5", "0.6", "1.0"]
Source = Literal["Neuropix-PXI", "OneBox", "ONIX Source"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PAUSE = timedelta(minutes=10)
"""From the start of one recording to that of the next."""

_RATE = 30_000


def openephys_session(
    directory: Path,
    *,
    start: datetime,
    probes: Sequence[tuple[str, str]] = (("18408403232", "PRB_1_4_0480_1"),),
    names: Sequence[str] | None = None,
    recordings: int = 1,
    experiments: int = 1,
    node: int = 101,
    version: Version = "0.6",
    source: Source = "Neuropix-PXI",
    utc: datetime | None = None,
    unrecorded: Collection[int] = (),
    disabled: Collection[int] = (),
    nidaq: bool = False,
    settings: bool = True,
) -> Path:
    """One record node. ``probes`` are serial and part numbers; they are called ProbeA, ProbeB, … or by ``names``.

    ``utc`` is when the first recording began, for ``sync_messages.txt`` (None: there is none); the next begin ten
    minutes after each other. Of ``unrecorded`` probes no stream is written; ``disabled`` ones the settings say are.
    """
    called = _names(len(probes), names, source)
    present = [i for i in range(len(probes)) if i not in disabled]
    firsts = [sum(len(_bands(probes[i][1])) for i in present[:index]) for index in range(len(present))]
    record_node = directory / f"Record Node {node}" if version != "0.4" else directory
    for experiment in range(1, experiments + 1):
        began = start + (experiment - 1) * recordings * _PAUSE
        for recording in range(1, recordings + 1):
            folder = record_node / f"experiment{experiment}" / f"recording{recording}"
            streams = [
                stream
                for index, i in enumerate(present)
                if i not in unrecorded
                for stream in _streams(called[i], _bands(probes[i][1]), firsts[index], version, source, node)
            ]
            if nidaq:
                streams.append(
                    _stream("NI-DAQmx", 103, "PXIe-6341", _RATE, 8, node, named=version in ("0.6", "1.0"))
                )
            for stream in streams:
                data = folder / "continuous" / str(stream["folder_name"])
                data.mkdir(parents=True, exist_ok=True)
                (data / "continuous.dat").write_bytes(b"")
            structure = {"GUI version": _gui(version), "continuous": streams, "events": [], "spikes": []}
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "structure.oebin").write_text(json.dumps(structure, indent=2))
            if utc is not None:
                after = (recording - 1) * _PAUSE
                sync = sync_messages(utc + (began - start) + after, after, version=version, source=source)
                (folder / "sync_messages.txt").write_text(sync)
        if settings:
            name = "settings.xml" if experiment == 1 else f"settings_{experiment}.xml"
            text = openephys_settings(
                began,
                list(zip(called, probes, strict=True)),
                version=version,
                source=source,
                disabled=disabled,
            )
            (record_node / name).write_text(text)
    return directory


def sync_messages(utc: datetime, elapsed: timedelta, *, version: Version, source: Source) -> str:
    """``sync_messages.txt``: from 0.6 on in UTC, before that the number of the recording's first sample."""
    first = 1000 + round(elapsed.total_seconds() * _RATE)
    if version in ("0.4", "0.5"):
        return (
            f"Software time: {first}@1000000000Hz\n"
            f"Processor: {source} Id: 100 subProcessor: 0 start time: {first}@{_RATE}Hz\n"
        )
    return (
        "Software Time (milliseconds since midnight Jan 1st 1970 UTC): "
        f"{round(utc.timestamp() * 1000)}\nStart Time for {source} (100) - ProbeA @ {_RATE} Hz: {first}\n"
    )


def _names(count: int, names: Sequence[str] | None, source: Source) -> list[str]:
    if names is not None:
        return list(names)
    if source == "ONIX Source":
        return [f"PortA-Neuropixels2.0eHeadstage-Neuropixels2.0-Probe{i}" for i in range(count)]
    return [f"Probe{chr(ord('A') + i)}" for i in range(count)]


def _gui(version: Version) -> str:
    return {"0.4": "0.4.6", "0.5": "0.5.5", "0.6": "0.6.7", "1.0": "1.0.1"}[version]


def _bands(part_number: str) -> tuple[tuple[str, int], ...]:
    """Probes of the second generation have one stream for both bands."""
    return (("", _RATE),) if part_number.startswith("NP20") else (("-AP", _RATE), ("-LFP", 2_500))


def _streams(
    name: str, bands: Sequence[tuple[str, int]], first: int, version: Version, source: Source, node: int
) -> list[dict[str, object]]:
    """The streams of one probe; before 0.6 they are numbered through, from ``first``."""
    named = version in ("0.6", "1.0")
    return [
        _stream(source, 100, f"{name}{band}" if named else str(first + i), rate, 384, node, named=named)
        for i, (band, rate) in enumerate(bands)
    ]


def _stream(
    source: str, number: int, name: str, rate: int, channels: int, node: int, *, named: bool
) -> dict[str, object]:
    stream: dict[str, object] = {
        "folder_name": f"{source.replace(' ', '_')}-{number}.{name}/",
        "sample_rate": float(rate) if named else rate,
        "source_processor_name": source,
        "source_processor_id": number,
        "recorded_processor": "Record Node",
        "recorded_processor_id": node,
        "num_channels": channels,
        "channels": [{"channel_name": f"CH{i}", "bit_volts": 0.195, "units": "uV"} for i in range(channels)],
    }
    return stream | ({"stream_name": name} if named else {"source_processor_sub_idx": int(name)})


def openephys_settings(
    start: datetime,
    probes: Sequence[tuple[str, tuple[str, str]]],
    *,
    version: Version = "0.6",
    source: Source = "Neuropix-PXI",
    disabled: Collection[int] = (),
) -> str:
    """The text of ``settings.xml``: ``probes`` are (name, (serial, part number)), in the order of the ports."""
    date = f"{start.day} {_MONTHS[start.month - 1]} {start.year} {start:%H:%M:%S}"
    named = version in ("0.6", "1.0")
    number = 'nodeId="100"' if named else 'NodeId="100"'
    processor = source if named else f"Sources/{source}"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "",
        "<SETTINGS>",
        f"  <INFO>\n    <VERSION>{_gui(version)}</VERSION>\n    <DATE>{date}</DATE>\n  </INFO>",
        f'  <SIGNALCHAIN>\n    <PROCESSOR name="{processor}" libraryVersion="0.6.6" {number}>',
    ]
    for i, (name, (_, part)) in enumerate(probes):
        if named and i not in disabled:
            lines += [
                f'      <STREAM name={quoteattr(name + band)} sample_rate="{rate}.0" channel_count="384"/>'
                for band, rate in _bands(part)
            ]
    inside, out = ("<EDITOR>", "</EDITOR>")
    if version == "1.0":
        inside, out = f"{inside}<CUSTOM_PARAMETERS>", f"</CUSTOM_PARAMETERS>{out}"
    lines.append(f"      {inside}")
    if source == "ONIX Source":
        lines.append('        <NEUROPIXELSV2E idx="256" isEnabled="1">')
    lines += [
        _probe(i, serial, part, version, source, enabled=i not in disabled)
        for i, (_, (serial, part)) in enumerate(probes)
    ]
    if source == "ONIX Source":
        lines.append("        </NEUROPIXELSV2E>")
    return "\n".join([*lines, f"      {out}", "    </PROCESSOR>", "  </SIGNALCHAIN>", "</SETTINGS>", ""])


def _probe(i: int, serial: str, part_number: str, version: Version, source: Source, *, enabled: bool) -> str:
    if source == "ONIX Source":
        electrodes = " ".join(f'CH{c}="{c}"' for c in range(384))
        return (
            f'          <PROBE{i} probeSerialNumber="{serial}" probePartNumber="{part_number}">\n'
            f"            <SELECTED_ELECTRODES {electrodes}/>\n          </PROBE{i}>"
        )
    second = part_number.startswith("NP20")
    channels = " ".join(f'CH{c}="{f"0:{c // 96}" if second else 0}"' for c in range(384))
    across = " ".join(f'CH{c}="{(27, 59, 11, 43)[c % 4]}"' for c in range(384))
    along = " ".join(f'CH{c}="{20 * (c // 2)}"' for c in range(384))
    lf = "" if second else ' lfpGainValue="250x"'
    model = "Neuropixels 2.0 - Multishank" if second else "Neuropixels 1.0"
    switch = "" if version in ("0.4", "0.5") else f' isEnabled="{int(enabled)}"'
    return (
        f'        <NP_PROBE slot="2" port="{i + 1}" dock="1" probe_serial_number="{serial}"\n'
        f'                  probe_part_number="{part_number}" probe_name="{model}"'
        f' num_adcs="32"{lf}{switch}>\n'
        f"          <CHANNELS {channels}/>\n          <ELECTRODE_XPOS {across}/>\n"
        f"          <ELECTRODE_YPOS {along}/>\n        </NP_PROBE>"
    )
