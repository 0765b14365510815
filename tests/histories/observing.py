"""Look at the ledger: against the model, at moments that are past, and at rows that were made once more."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands.door.submit import Daybook
from commands.proving.checkpoints import make_checkpoint
from ledger.verify import verify
from projections import rebuild as rebuilding
from projections.rebuild import contents
from tests.histories.model import Model
from tests.histories.records import Record
from tests.projections.pools import InTurn


def compare(daybook: Daybook, model: Model) -> None:
    """Who holds which key, which records stand, what became of requests, and who has which role."""
    with daybook.reading() as world:
        state = world.state
        locations = {row.location: row.session for row in state.locations.where("location > ''", [])}
        times = {(row.subject, row.session_time): row.session for row in state.times.where("session > 0", [])}
        names = {row.group_name: row.clustering for row in state.groups.where("clustering > 0", [])}
        requests = {row.id: (row.kind, row.status) for row in state.deletions.where("id > 0", [])}
        roles = {row.username: row.role for row in state.users.where("username > ''", [])}
    _compare_records(daybook, model)
    assert locations == {folder.location: one.id for folder, one in model.locations.items()}
    assert times == {(f"0/{subject}", time): one.id for (subject, time), one in model.times.items()}
    assert names == {name: one.id for name, one in model.names.items()}
    assert requests == {one.id: (one.kind, one.status) for one in model.requests}
    assert roles == model.roles


def _compare_records(daybook: Daybook, model: Model) -> None:
    with daybook.reading() as world:
        state = world.state
        sessions = state.sessions.where("id > 0", [])
        clusterings = state.clusterings.where("id > 0", [])
        links: dict[int, set[int]] = {}
        for link in state.clustering_sessions.where("clustering > 0", []):
            links.setdefault(link.clustering, set()).add(link.session)
        tasks = Counter(row.session for row in state.tasks.where("session > 0", []))
    _number_singles(model, clusterings)
    assert {
        row.id: (row.status, row.username, row.subject, row.location, row.name, row.room, row.upload,
                 row.session_time, tasks[row.id], row.replaces, row.replaced_by)
        for row in sessions
    } == {
        one.id: (one.status, one.owner, f"0/{one.subject}", one.folder.location, one.name, one.room,
                 one.upload.id, one.time, one.tasks, _id(one.replaces), _id(one.replaced_by))
        for one in model.sessions
    }  # fmt: skip
    assert {
        row.id: (row.status, row.username, row.subject, row.group_name, row.notes or "", row.upload, links[row.id],
                 row.replaces, row.replaced_by)
        for row in clusterings if row.session is None
    } == {
        one.id: (one.status, one.owner, f"0/{one.subject}", one.name, one.notes, one.upload.id,
                 {session.id for session in one.sessions}, _id(one.replaces), _id(one.replaced_by))
        for one in model.groups
    }  # fmt: skip
    assert {row.id: (row.status, row.session) for row in clusterings if row.session is not None} == {
        one.id: (one.status, one.session.id) for one in model.singles
    }


def _number_singles(model: Model, clusterings: Sequence[Any]) -> None:
    """The one clustering of each session that the model has no number for yet."""
    known = {one.id for one in model.singles}
    new = {row.session: row.id for row in clusterings if row.session and row.id not in known}
    for single in model.singles:
        if single.id == 0:
            single.id = new.pop(single.session.id, 0)


def _id(record: Record | None) -> int | None:
    return None if record is None else record.id


@dataclass
class Seen:
    """What the ledger said at a position, and the checkpoint of then."""

    position: int
    contents: dict[str, list[tuple[object, ...]]]
    checkpoint: str


def look(daybook: Daybook, key: Path) -> Seen:
    with daybook.reading() as world:
        position = world.head.size
        found = contents(world.transaction, world.head.live_slot)
    return Seen(position, found, make_checkpoint(daybook, key))


def look_back(daybook: Daybook, url: str, album: Sequence[Seen]) -> None:
    """Every moment is seen as it was then, and the ledger continues the checkpoint of each."""
    for seen in album:
        with daybook.reading_past(seen.position, _everything) as world:
            assert world.head.size == seen.position
            then = contents(world.transaction, world.head.live_slot)
        for table, rows in seen.contents.items():
            assert then[table] == rows, (seen.position, table)
    assert verify(url, kept=[seen.checkpoint for seen in album]).problems == []


def _everything(past: Any) -> None:
    past.everything()
    past.counts()


def rebuild(daybook: Daybook) -> None:
    """At once, and cut between the subjects: what passed from one to the other is in both halves."""
    with daybook.reading() as world:
        before = contents(world.transaction, world.head.live_slot)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuilding, "process_pool", InTurn)
        for size in (rebuilding.PARALLEL_FROM, 1):
            patch.setattr(rebuilding, "PARALLEL_FROM", size)
            rebuilding.rebuild(daybook.database)
            with daybook.reading() as world:
                assert contents(world.transaction, world.head.live_slot) == before
