"""Temporary tables and views that hide the projections, the log and its head behind those of an earlier position.

The only module that makes them, in a transaction of ``Database.past``, which undoes them at its end.
"""

import types
import typing
from dataclasses import dataclass, fields
from typing import Any

from ledger.database import Transaction
from ledger.log import Head
from ledger.moments import recorded_at
from ledger.proofs import StoredTree
from projections.records import RECORDS
from projections.tables import INDEXES

FOLDED = "past"  # the slot of the rows that were folded again: sessions_past and so on
_TYPES: dict[type, str] = {int: "BIGINT", str: "TEXT", float: "DOUBLE PRECISION"}
# An error on either database, however the table is read: to answer from a table that nobody filled would be wrong.
_UNREADABLE = "SELECT 1 AS the_reading_is_not_about_this WHERE abs(-9223372036854775807 - 1) = 0"


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a table said: those of its rows of today for which ``still_so`` holds (None: none), and ``rows``."""

    still_so: str | None
    rows: list[Any]


def hide(transaction: Transaction, head: Head, position: int, shadows: dict[Any, Shadow]) -> None:
    """Hide the present behind ``position``; a projection without a shadow cannot be read any more."""
    compact_range = StoredTree(transaction).compact_range(position).to_bytes()
    at = recorded_at(transaction, position) if position else ""
    slot, durable = head.live_slot, transaction.durable
    for record in RECORDS:
        shadow = shadows.get(record)
        if shadow is None:
            transaction.run(f"CREATE TEMP VIEW {record.TABLE}_{slot} AS {_UNREADABLE}")
            continue
        columns = [field.name for field in fields(record)]
        parts = [f"SELECT {', '.join(columns)} FROM {_folded_table(transaction, record, shadow.rows)}"]
        if shadow.still_so is not None:
            named = ", ".join(f"row.{column}" for column in columns)
            parts.append(f"SELECT {named} FROM {durable}{record.TABLE}_{slot} AS row WHERE {shadow.still_so}")
        transaction.run(f"CREATE TEMP VIEW {record.TABLE}_{slot} AS {' UNION ALL '.join(parts)}")
    transaction.run(
        "CREATE TEMP TABLE head (origin TEXT, size BIGINT, compact_range BYTEA, recorded_at TEXT, live_slot TEXT, "
        "projections TEXT, rebuild TEXT)"
    )
    transaction.run(
        "INSERT INTO head VALUES (?, ?, ?, ?, ?, ?, ?)",
        (head.origin, position, compact_range, at, slot, head.projections, head.rebuild),
    )
    transaction.run(f"CREATE TEMP VIEW events AS SELECT * FROM {durable}events WHERE position <= {position}")
    transaction.read_temporary()


def _folded_table(transaction: Transaction, record: Any, rows: list[Any]) -> str:
    """A temporary table of these rows, with the keys and indexes that the projection has."""
    table = f"{record.TABLE}_{FOLDED}"
    hints = typing.get_type_hints(record)
    columns = [field.name for field in fields(record)]
    typed = ", ".join(f"{column} {_type(hints[column])}" for column in columns)
    transaction.run(f"CREATE TEMP TABLE {table} ({typed}, PRIMARY KEY ({', '.join(record.KEY)}))")
    if rows:
        values = [tuple(getattr(row, column) for column in columns) for row in rows]
        transaction.insert_many(table, columns, values)
        for indexed, column, condition in INDEXES:
            if indexed == record.TABLE and condition is None:
                transaction.run(f"CREATE INDEX {table}_{column} ON {table} ({column})")
    return table


def _type(hint: Any) -> str:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return next(_TYPES[option] for option in options if option is not types.NoneType)
