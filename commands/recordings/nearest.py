"""For a directory that holds nothing readable: what comes nearest, and what it lacks.

Also where it holds a part of a session only, and which folder above is the session.
"""

from collections.abc import Sequence
from pathlib import Path

from commands.recordings import spikeglx_files
from commands.recordings.disk import Found, shown
from commands.recordings.openephys import undescribed
from commands.recordings.place import Place
from commands.recordings.session import NotASession
from commands.recordings.session_folders import recording_session

_OPEN_EPHYS_FORMAT = (".continuous", ".openephys")
_FORMATS = {
    ".ncs": "continuous channels of Neuralynx; tetrodes are read from .ntt files",
    ".nrd": "raw data of Neuralynx; tetrodes are read from .ntt files",
    ".rhd": "a recording of Intan, which is not read",
    ".rhs": "a recording of Intan, which is not read",
    ".ns5": "a recording of Blackrock, which is not read",
    ".ns6": "a recording of Blackrock, which is not read",
    ".rec": "a recording of SpikeGadgets, which is not read",
    ".kwik": "the Kwik format of Open Ephys, which is not read",
    ".kwd": "the Kwik format of Open Ephys, which is not read",
    ".nwb": "a file of Neurodata Without Borders, which is not read",
    ".pl2": "a recording of Plexon, which is not read",
    ".plx": "a recording of Plexon, which is not read",
    ".smrx": "a recording of Spike2, which is not read",
    ".cbin": "a compressed recording without its .ap.meta",
    ".nev": "a file of events of Blackrock or Neuralynx, which is not read",
}
_SORTED = "spike_times.npy"
ENDINGS = (*_OPEN_EPHYS_FORMAT, *_FORMATS, _SORTED)


def too_deep(place: Place) -> NotASession | None:
    """The refusal of a directory that is a part of a session of Open Ephys: its record node, or a folder in that."""
    root = Path(place.root).absolute()
    for one in place.having(("structure.oebin", "continuous.dat")):
        folder = root / one.folder
        recording = folder if one.name.lower() == "structure.oebin" else folder.parent.parent
        session = recording_session(recording)
        if session is not None and session in root.parents:
            return NotASession(
                "part-of-session",
                f"{shown(place.root)} is only a part of a session of Open Ephys.",
                f"Give the session directory above it: {shown(session)}.",
            )
    return None


def nothing(place: Place, known_by: Sequence[str]) -> NotASession:
    """The refusal of a directory without any recording that can be read."""
    found = place.listing.found
    if found and (part := too_deep(place)):
        return part
    return (
        _of_spikeglx(place) or _of_openephys(place) or _other(place, found) or _no_recordings(place, known_by)
    )


def _of_spikeglx(place: Place) -> NotASession | None:
    sets = spikeglx_files.file_sets(place.having(spikeglx_files.ENDINGS))
    if missing := spikeglx_files.without_meta(place, sets):
        return NotASession(
            "meta-missing", f"{shown(place.root)} cannot be read: {missing[0].message}", missing[0].hint
        )
    remarks = spikeglx_files.not_taken(place, sets)
    if lf := [remark for remark in remarks if remark.code == "lf-only"]:
        return NotASession(
            "lf-only",
            f"{shown(place.root)} holds no AP band: {shown(lf[0].files[-1])}: only the LF band.",
            "Copy the files of the AP band (.ap.bin and .ap.meta) to it.",
        )
    if inputs := [remark for remark in remarks if remark.code == "auxiliary-stream"]:
        return NotASession(
            "no-probe-recorded",
            f"{shown(place.root)}: {shown(inputs[0].files[-1])} is there, but no probe was recorded.",
            "Give the directory in which the probes were recorded.",
        )
    return None


def _of_openephys(place: Place) -> NotASession | None:
    if missing := undescribed(place, {}, set()):
        return NotASession(
            "structure-missing", f"{shown(place.root)} cannot be read: {missing[0].message}", missing[0].hint
        )
    if old := place.having(_OPEN_EPHYS_FORMAT):
        return NotASession(
            "open-ephys-format",
            f"{shown(place.root)}: {shown(old[0].file)}: the Open Ephys format, not the binary one.",
            "Only the binary format is read: convert the recording, or choose Binary in the record node from now on.",
        )
    return None


def _other(place: Place, found: Sequence[Found]) -> NotASession | None:
    deeper = [one.file for one in found if one.name.lower().endswith((".set", ".ntt")) and one.folder]
    if deeper:
        return NotASession(
            "recordings-deeper",
            f"{shown(place.root)} holds no recording directly in it.",
            f"{shown(deeper[0])} lies in a subfolder; the recordings of its system lie directly in their "
            "session directory. Give that folder, or move the files up.",
        )
    by_ending = {_ending(one): one for one in reversed(found)}
    for ending, what in _FORMATS.items():
        if ending in by_ending:
            return NotASession(
                "format-not-read",
                f"{shown(place.root)}: {shown(by_ending[ending].file)} is {what}.",
                "Give a directory with a recording of a system that is read.",
            )
    for one in found:
        if one.name.lower() == _SORTED:
            return NotASession(
                "only-sorted",
                f"{shown(place.root)} holds the output of a clustering ({shown(one.file)}), and no recording.",
                "Give the directory of the recording; the output is a clustering of it.",
            )
    return None


def _ending(one: Found) -> str:
    return "." + one.name.lower().rpartition(".")[2]


def _no_recordings(place: Place, known_by: Sequence[str]) -> NotASession:
    hint = f"A session directory holds {', '.join(known_by)}."
    listing = place.listing
    if listing.linked:
        hint += f" Links to folders are not followed: {', '.join(map(shown, listing.linked[:3]))}."
    if listing.seen == 0:
        hint = "It is empty: is a copy still running, or a drive not mounted? " + hint
    return NotASession(
        "no-recordings",
        f"{shown(place.root)} holds no recording of a known system (files and folders looked at: {listing.seen:,}).",
        hint,
    )
