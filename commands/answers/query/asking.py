"""Ask the ledger by SQL: the views that a statement names are copied into an engine of its own, and it is run there.

The copy is of one moment, is held no longer than the answer is read, and does not have to fit into memory. The
statement never reaches the ledger's own database.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from commands.analysis.engine import Engine, EngineError
from commands.answers.query.archived import files_of, take_events
from commands.answers.query.statement import judged, refusal_of
from commands.answers.query.views import VIEWS, View

if TYPE_CHECKING:
    from commands.door.world import World

_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryColumn:
    """``type`` is DuckDB's."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAnswer:
    """``rows`` have a field a column. Where two columns have one name, the later ones have a number behind it. Times of
    the log are in UTC, those of recordings naive and local. ``archived`` counts the events that were read from an
    archive; ``unfit`` are its files that the ledger does not bear out, and that were not read."""

    position: int
    views: list[str]
    archived: int
    unfit: list[str]
    columns: list[QueryColumn]
    rows: Iterable[dict[str, Any]]


def query(world: "World", sql: str, *, archive: Path | None = None) -> QueryAnswer:
    """``archive`` is a folder whose files are read instead of copying what they hold. Raises Refusal for anything but a
    SELECT over the views, KeyboardInterrupt where it was interrupted.
    """
    no_files: list[str] = []
    with ExitStack() as opened:
        engine = opened.enter_context(Engine(reads=() if archive is None else files_of(archive)))
        statement = judged(engine, sql)
        archived, unfit = 0, no_files
        try:
            for name in statement.views:
                if name == "events" and archive is not None:
                    archived, unfit = take_events(engine, world, archive)
                else:
                    _copy(engine, world, VIEWS[name])
            found = engine.run(sql)
        except EngineError as error:
            raise refusal_of(error, sql) from error
        columns = list(_columns(found.description))
        rows = _rows(engine, sql, [column.name for column in columns])
        opened.pop_all()
        return QueryAnswer(
            position=world.head.size, views=list(statement.views), archived=archived, unfit=unfit, columns=columns,
            rows=rows,
        )  # fmt: skip


def _copy(engine: Engine, world: "World", view: View) -> None:
    engine.create(view.name, view.columns)
    for page in view.rows(world):
        engine.insert(view.name, view.columns, page)


def _columns(description: Any) -> Iterator[QueryColumn]:
    taken: set[str] = set()
    for name, kind, *_ in description:
        unique, number = str(name), 0
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        taken.add(unique)
        yield QueryColumn(name=unique, type=str(kind))


def _rows(engine: Engine, sql: str, names: list[str]) -> Iterator[dict[str, Any]]:
    """What was run, row by row; at the end the copy is gone."""
    with engine:
        try:
            for page in engine.fetched(_PAGE):
                for row in page:
                    yield dict(zip(names, map(_plain, row), strict=True))
        except EngineError as error:
            raise refusal_of(error, sql) from error


def _plain(value: Any) -> Any:
    """As JSON has it, and as the answers write it."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return value.isoformat(sep=" ")
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(_plain(name)): _plain(each) for name, each in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta | UUID):
        return str(value)
    return str(value)
