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

The files of one method in one folder are one output. That a probe has none, or several, is no fault of its session:
``look_for_clusterings`` says which it is. Times of files are put into a zone, whatever the machine's is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Literal

from commands.recordings.clustering_owners import Owners
from commands.recordings.disk import HOUSEKEEPING, Listing, file_times, list_files, shown
from commands.recordings.session import ProbeOnDisk, SessionDirectoryError, UnreadableSession
from commands.recordings.sorted_output import FILES, SPIKES, units_of

Method = Literal["kilosort", "klusta", "tint", "mclust"]

_ENDINGS: dict[str, Method] = {
    "spike_times.npy": "kilosort",
    ".cut": "tint",
    ".t": "mclust",
    ".t32": "mclust",
    ".t64": "mclust",
}
ENDINGS = tuple(_ENDINGS)
LISTED = (*ENDINGS, *FILES, ".tsv")
"""Endings of all files that something is known by, or read from."""


class ClusteringProblem(SessionDirectoryError):
    """There is not exactly one clustering output for each probe, or one of them cannot be read."""


class NoClustering(ClusteringProblem):
    """There is no clustering output at all."""


@dataclass(frozen=True, slots=True)
class ClusteringOutput:
    """``location`` is the folder, relative to the directory searched (``.``: that itself), with ``/``.

    ``units`` counts the clusters of each group ("good", "mua", "noise", "unsorted", …), where a table of them
    is there. ``modified`` is the curation time: that of ``modified_file``, naive time of ``zone``, whole seconds.
    """

    location: str
    method: Method
    probe_name: str | None
    units: dict[str, int] | None
    modified: datetime
    modified_file: str
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class ProbeClusterings:
    """The outputs found for one probe, as ``folder (method)``. Where there is one, there is nothing to wait for."""

    probe_name: str | None
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clusterings:
    """What lies under a directory. ``outputs`` can be taken: sorted by location, one for each probe that has exactly
    one. ``probes`` has every probe of the session, ``unknown`` the outputs whose probe cannot be told,
    ``unreadable`` the reason why a probe's output cannot be read.
    """

    directory: str
    outputs: tuple[ClusteringOutput, ...]
    probes: tuple[ProbeClusterings, ...]
    unknown: tuple[str, ...]
    unreadable: tuple[UnreadableSession, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.unknown and not any(probe.found for probe in self.probes)

    @property
    def problem(self) -> ClusteringProblem | UnreadableSession | None:
        """Why a clustering of all probes has to wait; None: there is exactly one output for each."""
        if self.is_empty:
            return NoClustering(
                "no-clustering",
                f"{shown(self.directory)} holds no clustering output.",
                "Looked for spike_times.npy (Kilosort, phy), KLUSTA/, *.cut (Tint), *.t, *.t32, *.t64 (MClust).",
            )
        return self._unknown() or self._several() or self._none() or next(iter(self.unreadable), None)

    def _unknown(self) -> ClusteringProblem | None:
        if not self.unknown:
            return None
        names = ", ".join(f'"{shown(probe.probe_name or "")}"' for probe in self.probes)
        return ClusteringProblem(
            "clustering-probe-unknown",
            f"{shown(self.directory)}: it cannot be told to which probe {self.unknown[0]} belongs; "
            f"the probes of the session are {names}.",
            "Put the output into a folder with the name of its probe.",
        )

    def _several(self) -> ClusteringProblem | None:
        several = next((probe for probe in self.probes if len(probe.found) > 1), None)
        if several is None:
            return None
        whose = f'probe "{shown(several.probe_name)}"' if several.probe_name is not None else "one probe"
        return ClusteringProblem(
            "two-clusterings",
            f"{shown(self.directory)} holds {len(several.found)} clustering outputs for {whose}: "
            f"{', '.join(several.found[:5])}.",
            "Give a directory that holds exactly one output per probe, such as curations/01.",
        )

    def _none(self) -> ClusteringProblem | None:
        lacking = next((probe for probe in self.probes if not probe.found), None)
        if lacking is None:
            return None
        others = "; ".join(f'for "{shown(p.probe_name or "")}": {p.found[0]}' for p in self.probes if p.found)
        return ClusteringProblem(
            "clustering-missing",
            f'{shown(self.directory)} holds no clustering output for probe "{shown(lacking.probe_name or "")}", '
            f"only {others}.",
            "Give the directory that holds one output for every probe.",
        )


def find_clusterings(
    directory: Path | str,
    probes: Sequence[ProbeOnDisk],
    *,
    listing: Listing | None = None,
    within: Path | str | None = None,
    zone: tzinfo = UTC,
) -> tuple[ClusteringOutput, ...]:
    """One clustering output for each probe, sorted by location, as ``look_for_clusterings`` finds them.

    Raises NoClustering, ClusteringProblem (none or several for a probe), NotASession, UnreadableSession.
    """
    found = look_for_clusterings(directory, probes, listing=listing, within=within, zone=zone)
    if problem := found.problem:
        raise problem
    return found.outputs


def look_for_clusterings(
    directory: Path | str,
    probes: Sequence[ProbeOnDisk],
    *,
    listing: Listing | None = None,
    within: Path | str | None = None,
    zone: tzinfo = UTC,
) -> Clusterings:
    """Find the clustering outputs under a directory, and the probe of each.

    ``listing`` saves a second walk where ``list_session`` has walked the directory already; without it ``within`` is
    where linked files may lead (default: the directory itself). Outputs are matched to probes by the names of folders,
    by serial number, or by the data files that ``params.py`` names. With no ``probes``, an output's probe is what its
    path, or that of its data, names like one. Raises NotASession, UnreadableSession where it cannot be listed.
    """
    root = str(directory)
    listed = listing or list_files(root, LISTED, within=within, skipped=HOUSEKEEPING)
    found = _outputs(root, listed)
    if not found:
        return Clusterings(root, (), tuple(ProbeClusterings(probe.name, ()) for probe in probes), ())
    owners = Owners(root, probes, listed)
    whose: dict[str | None, list[tuple[str, Method]]] = {}
    nobodys: list[tuple[str, Method]] = []
    for folder, method in sorted(found):
        owner = owners.of(folder, kilosort=method == "kilosort") if _is_text(folder) else None
        if owner is None and (probes or not _is_text(folder)):
            nobodys.append((folder, method))
        else:
            whose.setdefault(owner, []).append((folder, method))
    names: list[str | None] = [probe.name for probe in probes]
    if not names:
        names = sorted(whose, key=lambda name: name or "")
    outputs: list[ClusteringOutput] = []
    unreadable: list[UnreadableSession] = []
    for name in names:
        if len(whose.get(name, ())) == 1:
            [(folder, method)] = whose[name]
            try:
                outputs.append(_output(root, folder, method, name, found[folder, method], listed, zone))
            except UnreadableSession as problem:
                unreadable.append(problem)
    return Clusterings(
        directory=root,
        outputs=tuple(sorted(outputs, key=lambda output: output.location)),
        probes=tuple(
            ProbeClusterings(name, tuple(_said(*output) for output in whose.get(name, ()))) for name in names
        ),
        unknown=tuple(_said(*output) for output in nobodys),
        unreadable=tuple(unreadable),
    )


def _is_text(folder: str) -> bool:
    """Whether a name can be stored; a folder that has another must be renamed first."""
    return folder.isprintable() or all(not "\ud800" <= sign <= "\udfff" for sign in folder)


def _said(folder: str, method: Method) -> str:
    return f"{shown(folder or '.')} ({method})"


def _outputs(root: str, listing: Listing) -> dict[tuple[str, Method], list[str]]:
    """The files that make each output known, by folder and method."""
    outputs: dict[tuple[str, Method], list[str]] = {}
    for folder in listing.folders:
        if folder.rpartition("/")[2].lower() == "klusta" and (files := file_times(root, folder)):
            outputs[folder, "klusta"] = list(files)
    for file in listing.found:
        name = file.name.lower()
        if not name.endswith(ENDINGS) or "klusta" in file.folder.lower().split("/"):
            continue
        method = _ENDINGS[
            "spike_times.npy" if name.endswith("spike_times.npy") else "." + name.rpartition(".")[2]
        ]
        if method != "kilosort" or name == "spike_times.npy":
            outputs.setdefault((file.folder, method), []).append(file.name)
    return outputs


def _output(
    root: str,
    folder: str,
    method: Method,
    owner: str | None,
    names: list[str],
    listing: Listing,
    zone: tzinfo,
) -> ClusteringOutput:
    units = None
    if method == "kilosort":
        beside = [found.name for found in listing.found if found.folder == folder]
        units = units_of(root, folder, beside, listing)
        names = [n for n in beside if n == SPIKES or (n.startswith("cluster_") and n.endswith("sv"))] or names
    times = file_times(root, folder, names)
    if not times:
        raise UnreadableSession(
            "session-changing",
            f"{shown(folder or '.')} lost its files while the directory was being read.",
            "Somebody is moving or copying it. Try again when that is done.",
        )
    newest, name = max((time, name) for name, time in times.items())
    file = f"{folder}/{name}" if folder else name
    try:
        modified = datetime.fromtimestamp(int(newest), tz=zone).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadableSession(
            "bad-file-time", f"{shown(file)} has an impossible modification time.", ""
        ) from error
    return ClusteringOutput(folder or ".", method, owner, units, modified, file, str(zone))
