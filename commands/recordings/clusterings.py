"""Find the output of clustering programs under a directory: one output per probe, its units and its age.

======== ===================================================== =========================================
method   known by                                              curation time: the newest of
======== ===================================================== =========================================
kilosort ``spike_times.npy`` (Kilosort and phy)                ``spike_clusters.npy``, ``cluster_*.tsv``;
                                                               without these ``spike_times.npy``
klusta   a folder ``KLUSTA``                                   the files directly in it
tint     ``*.cut``                                             these
mclust   ``*.t``, ``*.t32``, ``*.t64``                         these
======== ===================================================== =========================================

The files of one method in one folder are one output. ``params.py`` is read as literals, never run.
"""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from commands.recordings.disk import HOUSEKEEPING, Listing, file_times, list_files, read_file, shown
from commands.recordings.session import ProbeOnDisk, SessionDirectoryError, UnreadableSession

Method = Literal["kilosort", "klusta", "tint", "mclust"]

PARAMS_LIMIT = 64 << 10
TABLE_LIMIT = 16 << 20

_ENDINGS: dict[str, Method] = {
    "spike_times.npy": "kilosort",
    ".cut": "tint",
    ".t": "mclust",
    ".t32": "mclust",
    ".t64": "mclust",
}
ENDINGS = tuple(_ENDINGS)
_CURATED = re.compile(r"spike_clusters\.npy|cluster_\w+\.[ct]sv")
_LOOKS_LIKE_PROBE = re.compile(r"probe[ _-]?\w+|(?:.*[_-])?imec\d+(?:[_-].*)?", re.IGNORECASE)


class ClusteringProblem(SessionDirectoryError):
    """There is not exactly one clustering output for every probe; or one of them cannot be read."""


class NoClustering(ClusteringProblem):
    """There is no clustering output at all."""


@dataclass(frozen=True, slots=True)
class ClusteringOutput:
    """``location`` is the folder, relative to the directory searched (``.``: that itself), with ``/``.

    ``units`` counts the clusters of each group ("good", "mua", "noise", "unsorted", …), where a table of them
    is there. ``modified`` is the curation time: that of ``modified_file``, naive local time, whole seconds.
    """

    location: str
    method: Method
    probe_name: str | None
    units: dict[str, int] | None
    modified: datetime
    modified_file: str


def find_clusterings(
    directory: Path | str, probes: Sequence[ProbeOnDisk], *, listing: Listing | None = None
) -> tuple[ClusteringOutput, ...]:
    """Find one clustering output for each probe, sorted by location.

    ``listing`` saves a second walk where ``list_session`` has walked the directory already.

    Outputs are matched to probes by the names of folders, by serial number, or by the data file that
    ``params.py`` names. With no ``probes``, an output's probe is the folder above it that is named like one.
    Raises NoClustering, ClusteringProblem (none or several for a probe), NotASession, UnreadableSession.
    """
    root = str(directory)
    found = _outputs(root, listing or list_files(root, ENDINGS, skipped=HOUSEKEEPING))
    if not found:
        raise NoClustering(
            "no-clustering",
            f"{shown(root)} holds no clustering output.",
            "Looked for spike_times.npy (Kilosort, phy), KLUSTA/, *.cut (Tint), *.t, *.t32, *.t64 (MClust).",
        )
    marks = _marks(probes)
    owners = {key: _owner(root, *key, marks) for key in found}
    _check_one_each(root, owners, probes)
    return tuple(
        _output(root, folder, method, owners[folder, method], found[folder, method])
        for folder, method in sorted(found)
    )


def read_params(data: bytes) -> dict[str, object]:
    """The assignments of literals in a ``params.py``; whatever else it says is left out. Never runs it.

    Raises ValueError where it is no Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Windows paths are full of invalid escapes
            module = ast.parse(data)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not a Python file: {error}") from error
    values: dict[str, object] = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            try:
                values[node.targets[0].id] = ast.literal_eval(node.value)
            except (ValueError, TypeError, RecursionError, MemoryError):
                continue
    return values


def count_units(table: bytes) -> dict[str, int] | None:
    """Clusters per group in a ``cluster_info.tsv`` or ``cluster_group.tsv``; None: it has no group column."""
    lines = table.decode("utf-8-sig", "replace").splitlines()
    header = [column.strip() for column in lines[0].split("\t")] if lines else []
    if "group" not in header or len(header) < 2:
        return None
    column = header.index("group")
    counts: Counter[str] = Counter()
    for line in lines[1:]:
        if line.strip():
            cells = line.split("\t")
            group = cells[column].strip() if column < len(cells) else ""
            counts[shown(group[:40]) or "unsorted"] += 1
    return dict(sorted(counts.items()))


def _outputs(root: str, listing: Listing) -> dict[tuple[str, Method], list[str]]:
    """The files that make each output known, by folder and method."""
    outputs: dict[tuple[str, Method], list[str]] = {}
    for folder in listing.folders:
        if PurePosixPath(folder).name.lower() == "klusta" and (files := file_times(root, folder)):
            outputs[folder, "klusta"] = list(files)
    for file in listing.found:
        if "klusta" in file.folder.lower().split("/"):
            continue
        name = file.name.lower()
        if not name.endswith(ENDINGS):
            continue
        method = _ENDINGS[
            "spike_times.npy" if name.endswith("spike_times.npy") else "." + name.rpartition(".")[2]
        ]
        if method != "kilosort" or name == "spike_times.npy":
            outputs.setdefault((file.folder, method), []).append(file.name)
    return outputs


def _output(root: str, folder: str, method: Method, owner: str | None, names: list[str]) -> ClusteringOutput:
    times = file_times(root, folder)
    units = None
    if method == "kilosort":
        for table in ("cluster_info.tsv", "cluster_group.tsv", "cluster_groups.csv"):
            if units is None and table in times:
                units = count_units(read_file(root, _joined(folder, table), limit=TABLE_LIMIT))
        curated = [
            n for n in times if n == "spike_clusters.npy" or (n.startswith("cluster_") and n.endswith("sv"))
        ]
        names = curated or names
    newest = max((times[name], name) for name in names if name in times)
    try:
        modified = datetime.fromtimestamp(int(newest[0]), tz=UTC).astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadableSession(
            "bad-file-time", f"{shown(_joined(folder, newest[1]))} has an impossible modification time.", ""
        ) from error
    return ClusteringOutput(folder or ".", method, owner, units, modified, _joined(folder, newest[1]))


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


@dataclass(frozen=True, slots=True)
class _Marks:
    """What tells one probe from the others in a path: whole segments, and numbers within segments."""

    probe: str
    words: frozenset[str]
    within: tuple[str, ...]

    def found_in(self, segments: Sequence[str]) -> bool:
        return any(
            segment.lower() in self.words
            or any(re.search(rf"(?<![a-z0-9]){mark}(?![0-9])", segment.lower()) for mark in self.within)
            for segment in segments
        )


def _marks(probes: Sequence[ProbeOnDisk]) -> list[_Marks]:
    words: list[set[str]] = []
    within: list[set[str]] = []
    for probe in probes:
        name = probe.name.lower()
        words.append({name, name.rpartition("/")[2]})
        within.append({re.escape(probe.serial.lower())} if probe.serial else set())
        for file in probe.recordings:
            folder, _, meta = file.lower().rpartition("/")
            words[-1] |= {folder.rpartition("/")[2], meta.removesuffix(".meta") + ".bin"}
            within[-1] |= set(re.findall(r"(?<=\.)imec\d+(?=\.)", meta))
    shared = {mark for mark, n in Counter(m for marks in (*words, *within) for m in marks).items() if n > 1}
    return [
        _Marks(probe.name, frozenset(own - shared), tuple(sorted(inner - shared)))
        for probe, own, inner in zip(probes, words, within, strict=True)
    ]


def _owner(root: str, folder: str, method: Method, marks: Sequence[_Marks]) -> str | None:
    """The name of the probe that an output belongs to; None where that cannot be told."""
    segments = folder.split("/") if folder else []
    if not marks:
        return next((s for s in segments if _LOOKS_LIKE_PROBE.fullmatch(s)), None)
    if len(marks) == 1:
        return marks[0].probe
    for evidence in (
        lambda: segments,
        lambda: _data_file(root, folder) if method == "kilosort" else [],
        lambda: Path(root).parts,
    ):
        path = evidence()
        owners = [mark.probe for mark in marks if mark.found_in(path)]
        if len(owners) == 1:
            return owners[0]
    return None


def _data_file(root: str, folder: str) -> list[str]:
    """The segments of the path of the recording that a Kilosort output was made from."""
    if "params.py" not in file_times(root, folder):
        return []
    try:
        params = read_params(read_file(root, _joined(folder, "params.py"), limit=PARAMS_LIMIT))
    except ValueError:
        return []
    path = params.get("dat_path")
    if isinstance(path, list | tuple) and path:
        path = path[0]
    return re.split(r"[/\\]+", path) if isinstance(path, str) else []


def _check_one_each(
    root: str, owners: dict[tuple[str, Method], str | None], probes: Sequence[ProbeOnDisk]
) -> None:
    by_owner: dict[str | None, list[str]] = {}
    for (folder, method), owner in sorted(owners.items(), key=lambda item: item[0]):
        by_owner.setdefault(owner, []).append(f"{shown(folder or '.')} ({method})")
    for owner, outputs in by_owner.items():
        if owner is None and probes:
            names = ", ".join(f'"{shown(probe.name)}"' for probe in probes)
            raise ClusteringProblem(
                "clustering-probe-unknown",
                f"{shown(root)}: it cannot be told to which probe {outputs[0]} belongs; "
                f"the probes of the session are {names}.",
                "Put the output into a folder with the name of its probe.",
            )
        if len(outputs) > 1:
            whose = f'probe "{shown(owner)}"' if owner is not None else "one probe"
            raise ClusteringProblem(
                "two-clusterings",
                f"{shown(root)} holds {len(outputs)} clustering outputs for {whose}: "
                f"{', '.join(outputs[:5])}.",
                "Give a directory that holds exactly one output per probe, such as curations/01.",
            )
    for probe in probes:
        if probe.name not in by_owner:
            raise ClusteringProblem(
                "clustering-missing",
                f'{shown(root)} holds no clustering output for probe "{shown(probe.name)}", only '
                + "; ".join(
                    f'for "{shown(owner or "")}": {outputs[0]}' for owner, outputs in by_owner.items()
                )
                + ".",
                "Give the directory that holds one output for every probe.",
            )
