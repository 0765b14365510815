"""Whether the database refuses change: which of the triggers that migrations made are there. It only reads."""

from ledger.database import Transaction
from ledger.tables import IMMUTABLE
from projections.records import RECORDS, SLOTS

_ON_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
_ON_POSTGRESQL = (
    "SELECT t.tgname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid "
    "WHERE NOT t.tgisinternal AND t.tgenabled = 'A' AND c.relnamespace = pg_catalog.current_schema()::regnamespace"
)


def expected_guards(dialect: str) -> set[str]:
    verbs = ("update", "delete") if dialect == "sqlite" else ("update", "delete", "truncate")
    names = {f"{table}_refuse_{verb}" for table in IMMUTABLE for verb in verbs} | {"events_refuse_insert"}
    if dialect == "sqlite":
        return names
    lists = {f"{record.TABLE}_{slot}_refuse_delete" for record in RECORDS for slot in SLOTS}
    return names | lists | {"head_refuse_update"}


def missing_guards(transaction: Transaction) -> list[str]:
    """Those that are not there, or do not fire."""
    is_sqlite = transaction.dialect == "sqlite"
    found = {str(name) for (name,) in transaction.run(_ON_SQLITE if is_sqlite else _ON_POSTGRESQL).fetchall()}
    return sorted(expected_guards(transaction.dialect) - found)
