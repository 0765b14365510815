"""The input files that people write in a random history: one that grows, and one that corrects."""

from collections.abc import Collection

from tests.histories.model import Model
from tests.histories.records import Session
from tests.histories.scene import FOLDERS, GROUPS, NOTES, ROOMS, SUBJECTS, Entry, File, Folder, GroupEntry
from tests.projections.choices import Seeded


def grown(
    choices: Seeded, subject: str, entries: list[Entry], groups: list[GroupEntry], *, known: int
) -> File:
    """A user's file of a subject, often with a session or a multi-session clustering more than last time; ``known``
    are the sessions of all files."""
    for _ in range(choices.choose([0, 1, 1, 2, 3]) if entries else 3):
        folder = choices.choose(FOLDERS)
        if all(one.folder != folder for one in entries):
            entries.append(Entry(folder, f"session_{known}", choices.choose(ROOMS)))
            known += 1
    able = [one for one in entries if one.folder.kind != "empty"]
    if len(able) > 1 and choices.number(0, 1):
        name = choices.choose(GROUPS)
        if all(one.name != name for one in groups):
            groups.append(GroupEntry(name, tuple(one.name for one in choices.sample(able, 2))))
    return File(subject, tuple(entries), tuple(groups))


def corrected(choices: Seeded, model: Model, one: Session, *, by_name: bool) -> File | None:
    """Some sessions of the owner and subject of ``one``: in another room, at another place (where they are found
    ``by_name``), of the other animal; with multi-session clusterings that stand on them. None where no file can be
    written of them, because two have one name."""
    same = [
        other for other in model.sessions
        if other.stands and (other.owner, other.subject) == (one.owner, one.subject)
    ]  # fmt: skip
    groups = [
        group for group in model.groups
        if group.stands and group.owner == one.owner and set(group.sessions) <= set(same) and choices.number(0, 1)
    ]  # fmt: skip
    some = {one, *(session for group in groups for session in group.sessions)}
    some |= set(choices.sample(same, min(len(same), choices.choose([0, 1, 2]))))
    sessions = sorted(some, key=lambda session: session.id)
    if len({session.name for session in sessions}) < len(sessions):
        return None
    subject = choices.choose([one.subject, one.subject, *SUBJECTS])
    moves = subject == one.subject and by_name
    entries: list[Entry] = []
    for session in sessions:
        room = choices.choose([session.room, *ROOMS])
        here = {entry.folder for entry in entries}
        folder = _elsewhere(choices, model, session, here) if moves else session.folder
        entries.append(Entry(folder, session.name, room))
    listed = [
        GroupEntry(group.name, tuple(each.name for each in group.sessions), choices.choose(NOTES))
        for group in groups
    ]
    return File(subject, tuple(entries), tuple(listed))


def _elsewhere(choices: Seeded, model: Model, session: Session, here: Collection[Folder]) -> Folder:
    """Its folder, or now and then one that nobody holds: the session is then known by its name."""
    named = [
        other for other in model.sessions
        if other.stands and (other.name, other.subject) == (session.name, session.subject)
    ]  # fmt: skip
    free = [one for one in FOLDERS if one not in model.locations and one not in here]
    if not free or len(named) > 1 or choices.number(0, 3 if session.status == "inserted" else 1):
        return session.folder
    other = (
        "strange" if session.status == "inserted" else "plain"
    )  # that lets wait what stands on it, or go on
    return choices.choose([one for one in free if one.kind == other] or free)
