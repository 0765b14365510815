"""The log for a query, as far as an archive has it: its files are read where they lie, and the rest is copied.

A file stands for its range only while it is as it was written, the ledger has the same root there, and nothing in it
was redacted since. What it has in an older version, or not at all, because it was redacted, is copied from the ledger.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from commands.analysis.creating import redacted_in
from commands.analysis.engine import Engine
from commands.analysis.ranges import NoCompanion, Range, is_as_written, ranges_in, read_companion
from commands.answers.query.views import PAGE, VIEWS, event_row
from ledger import log
from ledger.bodies import SCHEMAS
from ledger.proofs import StoredTree

if TYPE_CHECKING:
    from commands.door.world import World

_REST = "events_of_ledger"
_COLUMNS = VIEWS["events"].columns
_CURRENT = f"(type, schema) IN ({', '.join(map(str, SCHEMAS.items()))})"
_VIA = """CASE WHEN contains(via, '"authentication":') THEN via
    ELSE json_merge_patch('{"authentication":"claimed"}', via) END"""
_AS_SHOWN = {"via": _VIA, "subject": "regexp_replace(subject, '^0/', '')", "body": "payload"}


def files_of(folder: Path) -> list[Path]:
    """All that an engine may have to read. Raises Refusal where there is no such folder."""
    return [of.file(folder) for of in ranges_in(folder)]


def take_events(engine: Engine, world: "World", folder: Path) -> tuple[int, list[str]]:
    """The view ``events``. Returns how many of them are read from the archive, and which of its files are not."""
    there = ranges_in(folder)
    fit = list(_fitting(world, folder, there))
    engine.create(_REST, _COLUMNS)
    last = 0
    for after, up_to in _between(fit, world.head.size):
        for page in log.pages(world.transaction, after, up_to, PAGE):
            engine.insert(_REST, _COLUMNS, list(map(event_row, page)))
    rows = f"FROM {_REST}"
    if fit:
        files = engine.parquet([of.file(folder) for of in fit])
        engine.run(
            f"CREATE TABLE older AS SELECT position FROM {files} WHERE payload IS NULL OR NOT {_CURRENT}"
        )
        while found := engine.run(
            "SELECT position FROM older WHERE position > ? ORDER BY position LIMIT ?", [last, PAGE]
        ).fetchall():
            positions = [row[0] for row in found]
            last = positions[-1]
            events = log.read_positions(world.transaction, positions)
            engine.insert(_REST, _COLUMNS, [event_row(events[position]) for position in positions])
        shown = ", ".join(
            f"CAST({_AS_SHOWN.get(name, name)} AS {kind}) AS {name}" for name, kind in _COLUMNS.items()
        )
        rows = f"SELECT {shown} FROM {files} WHERE payload IS NOT NULL AND {_CURRENT} UNION ALL {rows}"
    engine.run(f"CREATE VIEW events AS {rows}")
    return sum(of.events for of in fit), [of.file(folder).name for of in there if of not in fit]


def _fitting(world: "World", folder: Path, there: Sequence[Range]) -> Iterator[Range]:
    tree, last = StoredTree(world.transaction), 0
    for of in there:
        if last < of.first and of.last <= world.head.size and _fits(world, folder, of, tree):
            last = of.last
            yield of


def _fits(world: "World", folder: Path, of: Range, tree: StoredTree) -> bool:
    try:
        companion = read_companion(folder, of)
    except NoCompanion:
        return False
    said = (companion.origin, companion.root, companion.redacted)
    ledger = (world.head.origin, tree(of.height, of.index).hex(), redacted_in(world, of))
    return said == ledger and is_as_written(folder, companion)


def _between(fit: Sequence[Range], size: int) -> Iterator[tuple[int, int]]:
    """The stretches of the log that are in no file, as (after, up to)."""
    last = 0
    for of in fit:
        if of.first > last + 1:
            yield last, of.first - 1
        last = of.last
    if last < size:
        yield last, size
