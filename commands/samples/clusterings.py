"""Write the output of clustering programs: Kilosort and phy, KlustaKwik, Tint, MClust. Few spikes each."""

import os
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

_UNITS = {"good": 3, "mua": 2, "noise": 1}


def kilosort_output(
    folder: Path,
    *,
    data_file: str = "../npx.imec.ap.bin",
    units: Mapping[str, int] = _UNITS,
    curated: datetime | None = None,
    info: bool = True,
) -> Path:
    """Kilosort's output as phy leaves it: ``units`` clusters per group, two spikes each. Returns the folder.

    ``curated`` becomes the modification time of the files that phy writes. ``info`` False leaves out
    ``cluster_info.tsv``, which older releases of phy do not write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    groups = [group for group, n in units.items() for _ in range(n)]
    spikes = 2 * len(groups)
    _npy(folder / "spike_times.npy", [3000 * (i + 1) for i in range(spikes)], "<i8")
    _npy(folder / "spike_clusters.npy", [i % len(groups) for i in range(spikes)], "<i4")
    _npy(folder / "spike_templates.npy", [i % len(groups) for i in range(spikes)], "<i4")
    (folder / "params.py").write_text(
        f"dat_path = {data_file!r}\nn_channels_dat = 385\ndtype = 'int16'\noffset = 0\n"
        "sample_rate = 30000.0\nhp_filtered = False\n"
    )
    (folder / "cluster_KSLabel.tsv").write_text(
        "cluster_id\tKSLabel\n" + "".join(f"{i}\tgood\n" for i in range(len(groups)))
    )
    rows = "".join(f"{i}\t{group}\n" for i, group in enumerate(groups))
    (folder / "cluster_group.tsv").write_text("cluster_id\tgroup\n" + rows)
    if info:
        rows = "".join(
            f"{i}\t{60.5 + i}\t{2 * i}\t{20 * i}\t0.5\t{group}\t2\t0\n" for i, group in enumerate(groups)
        )
        header = "cluster_id\tamp\tch\tdepth\tfr\tgroup\tn_spikes\tsh\n"
        (folder / "cluster_info.tsv").write_text(header + rows)
    if curated is not None:
        for name in ("spike_clusters.npy", "cluster_KSLabel.tsv", "cluster_group.tsv", "cluster_info.tsv"):
            if (folder / name).exists():
                os.utime(folder / name, (curated.timestamp(), curated.timestamp()))
    return folder


def klusta_output(session: Path, *, stem: str = "2020-06-17_openfield", tetrodes: int = 4) -> Path:
    """The folder ``KLUSTA`` that KlustaKwik runs leave in an Axona session. Returns it."""
    folder = session / "KLUSTA"
    folder.mkdir(parents=True, exist_ok=True)
    for tetrode in range(1, tetrodes + 1):
        (folder / f"{stem}.clu.{tetrode}").write_text("3\n1\n2\n2\n3\n")
    return folder


def tint_output(session: Path, *, stem: str = "2020-06-17_openfield", tetrodes: int = 4) -> list[Path]:
    """A ``.cut`` file per tetrode, with three clusters. Returns the files."""
    files = []
    for tetrode in range(1, tetrodes + 1):
        blank = "\t0" * 8
        clusters = "".join(
            f" cluster: {i} center:{blank}\n{' ' * 15}min:{blank}\n{' ' * 15}max:{blank}\n" for i in range(3)
        )
        file = session / f"{stem}_{tetrode}.cut"
        file.write_text(
            f"n_clusters: 3\nn_channels: 4\nn_params: 2\ntimes_used_in_Vt:\t0\t0\t0\t0\n{clusters}\n"
            f"Exact_cut_for: {stem} spikes: 5\n  1  2  2  0  1\n"
        )
        files.append(file)
    return files


def mclust_output(session: Path, *, units: int = 3, ending: str = ".t64") -> list[Path]:
    """A file of spike times per unit, of 64 bits (``.t64``) or 32 bits. Returns the files."""
    files = []
    for unit in range(1, units + 1):
        file = session / f"TT1_SS_{unit:02}{ending}"
        header = "%%BEGINHEADER\n% Program: matlab\n% T-file\n% Output from MClust\n%%ENDHEADER\n"
        kind = ">Q" if ending == ".t64" else ">I"
        file.write_bytes(header.encode("ascii") + b"".join(struct.pack(kind, 10_000 * i) for i in (1, 2, 3)))
        files.append(file)
    return files


def _npy(file: Path, values: Sequence[int], dtype: str) -> None:
    """Version 1.0 of the NPY format (numpy.lib.format), for one dimension of integers."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({len(values)},), }}"
    header = header.ljust(-(10 + len(header) + 1) % 64 + len(header)) + "\n"
    kind = {"<i8": "q", "<i4": "i"}[dtype]
    body = struct.pack(f"<{len(values)}{kind}", *values)
    file.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin-1") + body)
