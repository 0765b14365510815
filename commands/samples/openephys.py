"""Write Open Ephys session directories in the binary format: settings and structure files, empty data."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def openephys_session(
    directory: Path,
    *,
    start: datetime,
    probes: Sequence[tuple[str, str]] = (("18408403232", "PRB_1_4_0480_1"),),
    recordings: int = 1,
    node: int = 101,
) -> Path:
    """One experiment. ``probes`` are serial and part numbers; they are called ProbeA, ProbeB, …"""
    names = [f"Probe{chr(ord('A') + i)}" for i in range(len(probes))]
    record_node = directory / f"Record Node {node}"
    for recording in range(1, recordings + 1):
        folder = record_node / "experiment1" / f"recording{recording}"
        streams = [
            _stream(f"{name}-{band}", rate)
            for name in names
            for band, rate in (("AP", 30000.0), ("LFP", 2500.0))
        ]
        for stream in streams:
            data = folder / "continuous" / str(stream["folder_name"])
            data.mkdir(parents=True, exist_ok=True)
            (data / "continuous.dat").write_bytes(b"")
        structure = {"GUI version": "0.6.7", "continuous": streams, "events": [], "spikes": []}
        (folder / "structure.oebin").write_text(json.dumps(structure, indent=2))
    (record_node / "settings.xml").write_text(_settings(start, list(zip(names, probes, strict=True))))
    return directory


def _stream(name: str, rate: float) -> dict[str, object]:
    return {
        "folder_name": f"Neuropix-PXI-100.{name}/",
        "sample_rate": rate,
        "source_processor_name": "Neuropix-PXI",
        "source_processor_id": 100,
        "stream_name": name,
        "recorded_processor": "Record Node",
        "recorded_processor_id": 101,
        "num_channels": 384,
        "channels": [{"channel_name": f"CH{i}", "bit_volts": 0.195, "units": "uV"} for i in range(384)],
    }


def _settings(start: datetime, probes: Sequence[tuple[str, tuple[str, str]]]) -> str:
    date = f"{start.day} {_MONTHS[start.month - 1]} {start.year} {start:%H:%M:%S}"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "",
        "<SETTINGS>",
        f"  <INFO>\n    <VERSION>0.6.7</VERSION>\n    <DATE>{date}</DATE>\n  </INFO>",
        '  <SIGNALCHAIN>\n    <PROCESSOR name="Neuropix-PXI" libraryVersion="0.6.6" nodeId="100">',
    ]
    for name, _ in probes:
        for band, rate in (("AP", "30000.0"), ("LFP", "2500.0")):
            lines.append(f'      <STREAM name="{name}-{band}" sample_rate="{rate}" channel_count="384"/>')
    lines.append("      <EDITOR>")
    for i, (_, (serial, part_number)) in enumerate(probes, start=1):
        channels = " ".join(f'CH{c}="0"' for c in range(384))
        across = " ".join(f'CH{c}="{(27, 59, 11, 43)[c % 4]}"' for c in range(384))
        along = " ".join(f'CH{c}="{20 * (c // 2)}"' for c in range(384))
        lines.append(
            f'        <NP_PROBE slot="2" port="{i}" dock="1" probe_serial_number="{serial}"\n'
            f'                  probe_part_number="{part_number}" probe_name="NP 1.0" num_adcs="32">\n'
            f"          <CHANNELS {channels}/>\n          <ELECTRODE_XPOS {across}/>\n"
            f"          <ELECTRODE_YPOS {along}/>\n        </NP_PROBE>"
        )
    return "\n".join([*lines, "      </EDITOR>", "    </PROCESSOR>", "  </SIGNALCHAIN>", "</SETTINGS>", ""])
