"""Which other events may well say what a redacted one said: of the same record, and of what it came in with."""

from typing import Any

from commands.door.world import World
from commands.requests.redactable import says_something
from ledger import log
from ledger.envelope import StoredEvent
from projections.rows import requested_by

_COPIES = 20  # named in one answer


def copies(world: World, event: StoredEvent) -> list[int]:
    """Positions that may well say the same, the first of them; each is redacted by itself. Of an entry that stood in
    other files just as it was, those files are not looked for."""
    found = [
        other
        for stream in _about_the_same(world, event)
        for other in log.read_stream(world.transaction, stream)
    ]
    return sorted(other.position for other in found if other != event and says_something(world, other))[
        :_COPIES
    ]


def _about_the_same(world: World, event: StoredEvent) -> set[str]:
    """The streams of the record, of what corrections made of it, of the uploads that brought either, whose file is
    kept, and of the corrections by those. Of an upload: its own and those of its records."""
    streams = {event.stream}
    if event.correlation.startswith("u"):
        streams.add(f"upload/{event.correlation[1:]}")
    kind, _, number = event.stream.partition("/")
    state = world.state
    if kind == "upload" and (upload := state.uploads.get(int(number))) is not None:
        streams.update(f"session/{row.id}" for row in requested_by(state.sessions, upload)[:_COPIES])
        streams.update(f"clustering/{row.id}" for row in requested_by(state.clusterings, upload)[:_COPIES])
    rows: Any = {"session": state.sessions, "clustering": state.clusterings}.get(kind)
    if rows is None or rows.get(int(number)) is None:
        return streams
    uploads: set[int] = set()
    for row in _corrected(rows, int(number)):
        streams.add(f"{kind}/{row.id}")
        if kind == "clustering" and row.session is not None:
            streams.add(f"session/{row.session}")
        uploads |= {row.upload, *(again.upload for again in state.duplicates.where("record = ?", [row.id]))}
    streams.update(f"upload/{upload}" for upload in uploads)
    corrections = state.deletions.where(f"upload IN ({', '.join('?' * len(uploads))})", uploads)
    return streams.union(f"deletion/{row.id}" for row in corrections)


def _corrected(rows: Any, number: int) -> list[Any]:
    """A record with all that it replaced and that replaced it, one after the other; restored ones among them."""
    found: dict[int, Any] = {}
    todo = [number]
    while todo:
        row = rows[todo.pop()]
        if row.id not in found:
            found[row.id] = row
            todo += [other.id for other in rows.where("replaces = ?", [row.id])]
            todo += [] if row.replaces is None else [row.replaces]
    return list(found.values())
