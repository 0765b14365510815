"""Locations by which recordings would be in twice: one inside another, or the output that was made from a recording.

Says what is wrong with each, as code, message and hint. Pure: what lies on disk is asked for.
"""

from collections.abc import Callable, Iterator, Mapping

from commands.inputfile.entries import SessionEntry
from commands.inputfile.known import Known
from commands.inputfile.reference_values import quoted
from commands.recordings.locations import above, shown
from commands.recordings.session_folders import made_from

Twice = tuple[str, str, str]


def around_or_inside(entry: SessionEntry, location: str, known: Known) -> Twice | None:
    """Around or inside a location that is held. ``location`` is the entry's, normalised."""
    overlaps = list(known.overlaps.get(location, ()))
    if not overlaps:
        return None
    there = known.leads_to.get(location, location)
    outer = [
        one
        for one in overlaps
        if (one.outer if one.outer is not None else f"{there}/".startswith(f"{one.location}/"))
    ]
    one = (outer or overlaps)[0]
    how = "lies inside" if outer else "lies around"
    more = f", and {len(overlaps) - 1:,} more" if len(overlaps) > 1 else ""
    return (
        "nested-location",
        f"location {quoted(entry.location)}{_leading(there, location)} {how} {quoted(one.location)} of session "
        f"s{one.session}, {one.username}'s{more}: its recordings would be in twice.",
        "Give the directory of one session alone."
        if outer
        else "Give the directories of its sessions, each as a session of its own.",
    )


def _leading(there: str, location: str) -> str:
    return "" if there == location else f", which leads to {quoted(there)},"


def inside_another(new: Mapping[str, SessionEntry]) -> Iterator[tuple[SessionEntry, Twice]]:
    """Of the ``new`` entries of a file, by where they lie."""
    for there, entry in new.items():
        outer = next((new[name] for name in above(there) if name in new), None)
        if outer is not None:
            yield (
                entry,
                (
                    "nested-location",
                    f"location {quoted(entry.location)} lies inside {quoted(outer.location)}, that of "
                    f"sessions[{outer.index}]: its recordings would be in twice.",
                    "Give the directory of each session alone.",
                ),
            )


def output_of_run(entry: SessionEntry, location: str, is_there: Callable[[str], bool]) -> Twice | None:
    """What CatGT or SuperCat wrote is no recording of its own, where the run that it was made from lies beside it."""
    for run, session in made_from(location):
        if is_there(run):
            return (
                "derived-location",
                f"location {quoted(entry.location)} holds what CatGT made from the recording {shown(run)}: its "
                "recordings would be in twice.",
                f"Give the directory of that recording: {shown(session)}",
            )
    return None
