"""The entries of a file that are somebody else's in the ledger, and the notices that say whose.

Several people keep one growing file, so what one of them has entered is known to all. Reads the ledger; checks nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from commands.door.world import World
from commands.inputfile.check import CheckedClustering, CheckedSession
from commands.inputfile.entries import GroupClusteringEntry, InputFile, SessionEntry
from commands.inputfile.fields import clipped
from commands.inputfile.findings import Finding
from commands.inputfile.known import Known
from commands.intake.duplicates import compare_clusterings, compare_sessions
from commands.intake.known import meant_by
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise

_NAMED = 20  # entries of an owner that have a notice of their own; of the others one says how many they are
_SHOWN = 5  # differences in a notice
_LONGEST = 80  # characters of a value in it


@dataclass(frozen=True, slots=True)
class OthersEntry:
    """``path`` leads to the entry in the file; ``record`` is s12 or c56. ``subject`` is the record's, where the file is
    about another; ``differences`` are those of the file's entry."""

    path: str
    record: str
    owner: str
    status: str
    subject: str
    differences: list[dict[str, Any]]


def entries_of_others(
    world: World, input_file: InputFile, known: Known, roots: Roots, owner: str
) -> list[OthersEntry]:
    """What the file has in common with other people than ``owner``, or with other subjects than its own."""
    sessions = _sessions(input_file.sessions, known, roots, owner)
    clusterings = _clusterings(input_file.clustering, known, input_file.subject.name, owner)
    if not sessions and not clusterings:
        return []
    subject = f"{input_file.subject.datasource_id}/{input_file.subject.name}"
    compared = compare_sessions(world, sessions, subject, roots).changed
    differing = {f"sessions[{each['index']}]": each["differences"] for each in compared}
    compared = compare_clusterings(world, clusterings, meant_by(input_file, known, roots), roots).changed
    differing |= {f"clustering[{each['index']}]": each["differences"] for each in compared}
    found = []
    for session in sessions:
        path, held = f"sessions[{session.entry.index}]", known.locations[session.location]
        found.append(
            OthersEntry(path, f"s{held.session}", held.username, held.status, held.subject,
                        differing.get(path, []))
        )  # fmt: skip
    for clustering in clusterings:
        path, group = f"clustering[{clustering.entry.index}]", known.groups[clustering.entry.group_name]
        status = world.state.clusterings[group.clustering].status
        found.append(
            OthersEntry(path, f"c{group.clustering}", group.username, status, "", differing.get(path, []))
        )
    return found


def _sessions(
    entries: Iterable[SessionEntry], known: Known, roots: Roots, owner: str
) -> list[CheckedSession]:
    found = []
    for entry in entries:
        try:
            location = normalise(entry.location, roots)
        except LocationError:
            continue  # a finding of stage 2
        held = known.locations.get(location)
        if held is not None and (held.username != owner or held.subject):
            found.append(CheckedSession(entry, location, held.session))
    return found


def _clusterings(
    entries: Iterable[GroupClusteringEntry], known: Known, subject: str, owner: str
) -> list[CheckedClustering]:
    held = [(entry, known.groups.get(entry.group_name)) for entry in entries]
    return [
        CheckedClustering(entry, None, group.clustering, ())
        for entry, group in held
        if group is not None and group.subject == subject and group.username != owner
    ]


def notices(
    others: Iterable[OthersEntry], position: Callable[[str], tuple[int, int] | None], owner: str
) -> Iterator[Finding]:
    """One for each entry, no more than anybody would read; one more counts the rest of an owner's."""
    said: dict[str, int] = {}
    rest: dict[str, list[OthersEntry]] = {}
    for entry in others:
        said[entry.owner] = said.get(entry.owner, 0) + 1
        if said[entry.owner] > _NAMED:
            rest.setdefault(entry.owner, []).append(entry)
        else:
            yield _notice(entry, entry.path, _sentence(entry, owner), position)
    for user, entries in rest.items():
        differing = sum(bool(entry.differences) for entry in entries)
        but = f", {differing:,} of them with differences" if differing else ""
        first, last = entries[0].record, entries[-1].record
        message = f"{len(entries):,} more entries from here on are {_whose(user, owner)} too ({first} to {last}){but}."
        yield _notice(entries[0], entries[0].path, message, position)


def _sentence(entry: OthersEntry, owner: str) -> str:
    of = f" of subject {clipped(entry.subject)}" if entry.subject else ""
    message = f"This is {entry.record}{of}, {_whose(entry.owner, owner)} ({entry.status}): nothing is inserted for it."
    if not entry.differences:
        return message
    shown = "; ".join(
        f"{each['field']}: {_value(each['stored'])} -> {_value(each['given'])}"
        for each in entry.differences[:_SHOWN]
    )
    more = len(entry.differences) - _SHOWN
    return f"{message} This file says otherwise: {shown}{f'; and {more:,} more' if more > 0 else ''}."


def _whose(user: str, owner: str) -> str:
    return "your own" if user == owner else f"{user}'s"


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    return clipped(value if isinstance(value, str) else orjson.dumps(value).decode(), _LONGEST)


def _notice(
    entry: OthersEntry, path: str, message: str, position: Callable[[str], tuple[int, int] | None]
) -> Finding:
    line, column = position(path) or (None, None)
    code = "known-of-another-subject" if entry.subject else "known-of-another-user"
    return Finding(2, "notice", code, path, line, column, message)
