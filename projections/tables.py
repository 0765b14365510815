"""The projections' tables, derived from the records, once for each slot. Migrations create them."""

import types
import typing
from dataclasses import fields

from sqlalchemy import Column, Float, Index, Table, Text, text

from ledger.tables import Position, metadata
from projections.records import RECORDS, SLOTS

_COLUMN_TYPES: dict[type, typing.Any] = {int: Position, str: Text, float: Float(53)}
UNSETTLED = "status IN ('pending', 'waiting')"
INDEXES = (
    # table, column, condition: an index of the few rows that work looks for costs next to nothing. What came of an
    # upload needs none: its records are numbered by the positions right behind it.
    ("sessions", "status", UNSETTLED),
    ("sessions", "look_next", "look_next IS NOT NULL"),
    ("sessions", "location", "status = 'error' OR status = 'deleted'"),
    ("clusterings", "group_name", "group_name IS NOT NULL"),
    ("clustering_groups", "looks_like", None),
    ("session_locations", "location", None),
    ("clusterings", "session", None),
    ("clusterings", "status", UNSETTLED),
    ("clustering_sessions", "session", None),
    ("uploads", "status", "status = 'validated'"),
    ("uploads", "sha256", None),
    ("deletions", "status", "status = 'requested'"),
)


def _column(name: str, hint: typing.Any, key: tuple[str, ...]) -> Column[typing.Any]:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kind = next(option for option in options if option is not types.NoneType)
    return Column(
        name,
        _COLUMN_TYPES[kind],
        primary_key=name in key,
        autoincrement=False,
        nullable=types.NoneType in options,
    )


def _table(record: typing.Any, slot: str) -> Table:
    hints = typing.get_type_hints(record)
    columns = [_column(field.name, hints[field.name], record.KEY) for field in fields(record)]
    name = f"{record.TABLE}_{slot}"
    indexes = [
        Index(f"ix_{name}_{column}", column, sqlite_where=where, postgresql_where=where)
        for table, column, condition in INDEXES
        if table == record.TABLE
        for where in (None if condition is None else text(condition),)
    ]
    # where the key is not SQLite's own row id, the key's tree is the table: one page less to write
    return Table(name, metadata, *columns, *indexes, sqlite_with_rowid=record.KEY == ("id",))


TABLES = {(record.TABLE, slot): _table(record, slot) for slot in SLOTS for record in RECORDS}
