"""Hides the projections, the log and its head behind those of an earlier position, by a WITH clause.

The only module that writes it. On either database, a common table expression with the name of a table takes the
table's place in the statement that follows; nothing is created. Its text holds only the program's own names and
conditions; every row, and whatever comes from one, is bound. Rows are bound as one JSON text.
"""

import re
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

import orjson

from ledger.database import PastTransaction
from ledger.log import Head
from projections.records import RECORDS, SLOTS

Values = Sequence[Any]
_TABLES = {f"{record.TABLE}_{slot}": record for record in RECORDS for slot in SLOTS}
_HIDDEN = re.compile(rf"(?<![.\w])(?:{'|'.join(('events', 'head', *_TABLES))})\b")
_HEAD = ("origin", "size", "compact_range", "recorded_at", "live_slot", "projections", "rebuild")
_TYPES: dict[type, str] = {int: "BIGINT", str: "TEXT", float: "DOUBLE PRECISION"}
IN_LIST = {
    "sqlite": "(SELECT value FROM json_each(?))",
    "postgresql": "(SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(? AS json)))",
}
"""The condition ``id IN ...`` for a list of numbers that is bound as JSON: the same text however long the list is."""
IN_TEXTS = {
    "sqlite": IN_LIST["sqlite"],
    "postgresql": "(SELECT value FROM json_array_elements_text(CAST(? AS json)))",
}


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a table held then: those of today's rows, ``row``, for which ``still_so`` holds (empty: none), and the
    ``rows`` that were folded.
    """

    still_so: str
    values: Values
    rows: Sequence[Any]


class Shadows:
    """Puts the past before one statement after the other. ``shadow`` says what a projection held; one without a
    shadow cannot be read.
    """

    def __init__(
        self, transaction: PastTransaction, slot: str, head: Head, shadow: Callable[[Any], Shadow | None]
    ) -> None:
        self._dialect = transaction.dialect
        self._durable = transaction.durable
        self._slot = slot
        self._head = head
        self._shadow = shadow
        self._made: dict[str, tuple[str, Values]] = {}

    def forget(self) -> None:
        """Ask again for what a table held."""
        self._made = {}

    def __call__(self, sql: str, values: Values) -> tuple[str, Values]:
        names = _hidden_in(sql)
        if not names:
            return sql, values
        texts: list[str] = []
        bound: list[Any] = []
        for name in names:
            made = self._made.get(name)
            if made is None:
                made = self._made[name] = self._make(name)
            texts.append(made[0])
            bound += made[1]
        return f"WITH {', '.join(texts)} {sql}", [*bound, *values]

    def _make(self, name: str) -> tuple[str, Values]:
        in_place = _in_place(self._dialect)
        if name == "events":
            selected = f"SELECT * FROM {self._durable}events WHERE position <= ?"
            return f"events AS {in_place}({selected})", [self._head.size]
        if name == "head":
            return _head_text(), _head_values(self._head)
        record = _TABLES[name]
        shadow = self._shadow(record) if name.endswith(f"_{self._slot}") else None
        if shadow is None:
            # an answer from a table that nobody filled would be wrong
            raise RuntimeError(f"the reading of the past is not about {name}")
        text = _table_text(name, self._dialect, self._durable, shadow.still_so, bool(shadow.rows))
        rows = [_as_json(record, shadow.rows, self._dialect)] if shadow.rows or not shadow.still_so else []
        return f"{name} AS {in_place}({text})", [*rows, *shadow.values]


@cache
def _in_place(dialect: str) -> str:
    """Otherwise the database would build the whole of an expression that a statement names twice."""
    if dialect == "sqlite":
        import sqlite3

        if sqlite3.sqlite_version_info < (3, 35):  # it never does that, and does not know the words
            return ""
    return "NOT MATERIALIZED "


@lru_cache(4096)
def _hidden_in(sql: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_HIDDEN.findall(sql)))


@cache
def _head_text() -> str:
    types_ = {"size": "BIGINT", "compact_range": ""}
    columns = [f"CAST(? AS {kind})" if (kind := types_.get(name, "TEXT")) else "?" for name in _HEAD]
    return f"head ({', '.join(_HEAD)}) AS (SELECT {', '.join(columns)})"


def _head_values(head: Head) -> Values:
    return (
        head.origin, head.size, head.compact_range.to_bytes(), head.recorded_at, head.live_slot, head.projections,
        head.rebuild,
    )  # fmt: skip


@lru_cache(1024)
def _table_text(name: str, dialect: str, durable: str, still_so: str, has_rows: bool) -> str:
    record = _TABLES[name]
    columns = _columns(record)
    parts = []
    if has_rows or not still_so:
        parts.append(_folded_rows(record, name, dialect, durable))
    if still_so:
        selected = ", ".join(f"row.{column} AS {column}" for column in columns)
        parts.append(f"SELECT {selected} FROM {durable}{name} AS row WHERE {still_so}")
    return " UNION ALL ".join(parts)


def _as_json(record: Any, rows: Sequence[Any], dialect: str) -> str:
    """Objects; on SQLite arrays, as objects take half as long again there."""
    if dialect == "postgresql":
        return orjson.dumps(rows).decode()
    return orjson.dumps(list(map(attrgetter(*_columns(record)), rows))).decode()


@cache
def _columns(record: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record))


def _folded_rows(record: Any, name: str, dialect: str, durable: str) -> str:
    hints = typing.get_type_hints(record)
    columns = _columns(record)
    if dialect == "postgresql":
        rows = f"json_populate_recordset(CAST(NULL AS {durable}{name}), CAST(? AS json))"
        return f"SELECT {', '.join(columns)} FROM {rows}"
    # given the columns' types, SQLite searches the two parts one by one, each by its own index
    typed = [
        f"CAST(json_extract(value, '$[{i}]') AS {_type(hints[name])}) AS {name}"
        for i, name in enumerate(columns)
    ]
    return f"SELECT {', '.join(typed)} FROM json_each(?)"


def _type(hint: Any) -> str:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return next(_TYPES[option] for option in options if option is not types.NoneType)
