"""The ids, subjects, users and values of a ledger, for a shell that completes them. It only reads, and reads little.

SQLite is asked by its own driver. What a server says is kept for a minute in a file that nobody else can read.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from commands.door.address import quick_address
from ledger.addresses import is_server, sqlite_file
from ledger.small_files import read_small

TABLES = (
    "acquisition.Project", "behavior.TaskLightLevel", "behavior.TaskType", "reference.ArenaApparatus",
    "reference.ArenaObject", "reference.CueCard", "reference.ExperimentRoom", "reference.Experimenter",
    "reference.Probe",
)  # fmt: skip
KEPT_S = 60.0
_MOST = 60
_KEPT = 500  # of each kind, of a server
_DIGITS = 12  # of the longest id that is looked for

Ask = Callable[[str, Sequence[object]], list[tuple[object, ...]]]
_UNSETTLED = "status IN ('pending', 'waiting', 'error')"
_RECORDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    # kind: letter, table, condition
    "session": (("s", "sessions", ""),),
    "upload": (("u", "uploads", ""),),
    "request": (("d", "deletions", ""),),
    "open-request": (("d", "deletions", "status = 'requested'"),),
    "open-record": (("s", "sessions", _UNSETTLED), ("c", "clusterings", _UNSETTLED), ("d", "deletions", "")),
    "record": (("s", "sessions", ""), ("c", "clusterings", ""), ("u", "uploads", ""), ("d", "deletions", "")),
}
_NAMES = {
    "subject": "SELECT subject FROM subjects_{slot} ORDER BY subject",
    "user": "SELECT DISTINCT username FROM uploads_{slot} UNION SELECT username FROM users_{slot} "
    "UNION SELECT DISTINCT actor FROM activity_{slot} ORDER BY 1",
    "probe": "SELECT value FROM reference_values_{slot} WHERE reference = 'reference.Probe' AND retired = 0 ORDER BY 1",
    "type": "SELECT DISTINCT type FROM activity_{slot} ORDER BY 1",
    "value": "SELECT reference, value FROM reference_values_{slot} WHERE retired = 0 ORDER BY 1, 2",
}


def values_of(
    kind: str, begun: str, table: str, db: str | None, server: str | None, config: str | None
) -> list[str]:
    """Raises whatever the ledger raises; then nothing is offered."""
    address, there = quick_address(db, server, config)
    if there is not None:
        return []
    if is_server(address):
        return _of_server(address, kind, table)
    file = sqlite_file(address)
    if file is None:
        return []
    import sqlite3

    connection = sqlite3.connect(
        f"{Path(file).absolute().as_uri()}?mode=ro", uri=True, timeout=0.3, isolation_level=None
    )
    try:
        return list(
            _asked(lambda sql, values: connection.execute(sql, values).fetchall(), kind, begun, table, _MOST)
        )
    finally:
        connection.close()


def _slot(ask: Ask) -> str:
    (found,) = ask("SELECT live_slot FROM head", ())
    return "b" if found[0] == "b" else "a"


def _asked(ask: Ask, kind: str, begun: str, table: str, most: int) -> Iterator[str]:
    slot = _slot(ask)
    for letter, records, condition in _RECORDS.get(kind, ()):
        if begun[:1] in ("", letter):
            for number in _numbers(ask, f"{records}_{slot}", condition, begun[1:], most):
                yield f"{letter}{number}"
    if kind in _NAMES:
        for row in ask(_NAMES[kind].format(slot=slot), ()):
            if kind == "subject":
                yield str(row[0]).removeprefix("0/")
            elif kind != "value" or not table:
                yield str(row[-1])
            elif row[0] == table:
                yield str(row[1])


def _numbers(ask: Ask, table: str, condition: str, digits: str, most: int) -> Iterator[object]:
    """The newest ids that begin with these digits, by the key alone."""
    if digits and not (digits.isascii() and digits.isdigit()):
        return
    also = f" AND {condition}" if condition else ""
    spans = [(0, 10**18)] if not digits else [
        (int(digits) * 10**k, (int(digits) + 1) * 10**k) for k in range(_DIGITS - len(digits), -1, -1)
    ]  # fmt: skip
    for first, end in spans:
        sql = f"SELECT id FROM {table} WHERE id >= ? AND id < ?{also} ORDER BY id DESC LIMIT {most:d}"
        for row in ask(sql, (first, end)):
            yield row[0]


# --- a server -------------------------------------------------------------------------------------------------------


def _of_server(address: str, kind: str, table: str) -> list[str]:
    file = _cache(address)
    try:
        if 0 <= time.time() - file.stat().st_mtime < KEPT_S:
            kept: dict[str, list[str]] = json.loads(read_small(file))
            return kept.get(f"{kind}:{table}" if kind == "value" else kind, [])
    except (OSError, ValueError):
        pass
    kept = _learn(address)
    _keep(file, kept)
    return kept.get(f"{kind}:{table}" if kind == "value" else kind, [])


def _cache(address: str) -> Path:
    from hashlib import sha256

    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return folder / "daybook" / "completion" / f"{sha256(address.encode()).hexdigest()[:32]}.json"


def _learn(address: str) -> dict[str, list[str]]:
    from ledger.database import Database

    database = Database(address, connections=1)
    try:
        with database.reading() as transaction:

            def ask(sql: str, values: Sequence[object]) -> list[tuple[object, ...]]:
                found: list[tuple[object, ...]] = transaction.run(sql, values).fetchall()
                return found

            found = {kind: list(_asked(ask, kind, "", "", _KEPT)) for kind in (*_RECORDS, *_NAMES)}
            found |= {f"value:{table}": list(_asked(ask, "value", "", table, _KEPT)) for table in TABLES}
            return found
    finally:
        database.close()


def _keep(file: Path, kept: dict[str, list[str]]) -> None:
    """Written aside, then put into place: another TAB may read it at any moment."""
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(kept, stream)
        aside.replace(file)
    except OSError:  # a home that cannot be written: it is asked again
        aside.unlink(missing_ok=True)
