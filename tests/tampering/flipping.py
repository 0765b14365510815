"""A small ledger with everything in it, in one transaction of its owner: flip one stored bit, verify, put it back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.intake.uploading import upload
from commands.lab.roles import GrantRole
from commands.proving.checkpoints import make_checkpoint
from commands.recordings.roots import Roots
from commands.requests.approving import approve
from commands.requests.redaction import RequestRedaction
from ledger.database import Database, Transaction
from ledger.verify import Report, examine
from tests.ledger.writing import added, append, lift_guards

FILE = b"subject: {name: '12345'}\nsessions: []\n"
ROOTS = Roots.of({})


def fill(url: str, folder: Path) -> None:
    """Uploads of which one is redacted with its file, roles, reference values, two checkpoints; about twenty events."""
    daybook, second = Daybook.open(url, Actor("user_1")), Daybook.open(url, Actor("user_2"))
    daybook.submit(GrantRole(user="user_2", role="admin"))
    append(daybook.database, [added("user_1"), added("Ü", username="user_1", causation=1, correlation="u1")])
    kept = upload(daybook, FILE, filename="12345.yml", roots=ROOTS)
    make_checkpoint(daybook, folder / "daybook.key")
    gone = int(upload(daybook, FILE + b"# gone", filename="gone.yml", roots=ROOTS).upload[1:])
    request = daybook.submit(RequestRedaction(position=gone, reason="asked for")).result.request
    approve(second, int(request[1:]), accept_impact=False, roots=ROOTS)
    append(daybook.database, [added("user_3")])
    make_checkpoint(daybook, folder / "daybook.key")
    append(daybook.database, [added("user_4"), added("user_5")])
    assert kept.upload == "u5"
    daybook.close()
    second.close()


@dataclass
class Tampered:
    """The ledger in a transaction that is never committed, its triggers lifted."""

    transaction: Transaction
    url: str

    def examine(self) -> Report:
        return examine(self.transaction, self.url)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(map(plain, row)) for row in self.transaction.run(sql).fetchall()]

    def is_stored(self, sql: str, values: tuple[Any, ...]) -> bool:
        """Run the statement behind a savepoint; False where the database itself refuses such a value."""
        self.transaction.run("SAVEPOINT flip")
        try:
            self.transaction.run(sql, values)
        except Exception as error:  # noqa: BLE001 - the drivers' own: a unique key, a text that is not UTF-8, a range
            assert type(error).__name__ in ("IntegrityError", "UniqueViolation", "DataError", "CharacterNotInRepertoire",
                                            "NumericValueOutOfRange", "UntranslatableCharacter"), error  # fmt: skip
            self.put_back()
            return False
        return True

    def put_back(self) -> None:
        self.transaction.run("ROLLBACK TO SAVEPOINT flip")


@contextmanager
def tampered(url: str) -> Iterator[Tampered]:
    database = Database(url, role=None)
    try:
        with database.writing() as transaction:
            transaction.leave_pipeline()  # an error then shows at its statement
            lift_guards(transaction)
            yield Tampered(transaction, url)
            raise _Undo
    except _Undo:
        pass
    finally:
        database.close()


class _Undo(Exception):
    """Nothing of it is committed."""


def plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def flips(value: Any, *, bits: int) -> Iterator[Any]:
    """The value with each of its stored bits flipped in turn: integers of so many bits, bytes, and text as UTF-8, which may
    not be UTF-8 any more and then comes as bytes."""
    if isinstance(value, int):
        for bit in range(bits):
            flipped = value ^ 1 << bit
            yield flipped - (1 << bits) if flipped >> bits - 1 == 1 else flipped
        return
    data = value.encode() if isinstance(value, str) else value
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def flip_all(
    victim: Tampered,
    table: str,
    column: str,
    where: str,
    check: Callable[[Report, str], None],
    *,
    every: int = 1,
) -> int:
    """Each bit of one value (or every so-manieth), verified with it flipped. Returns how many were stored."""
    [(value,)] = victim.rows(f"SELECT {column} FROM {table} WHERE {where}")
    if value is None:
        return 0
    is_sqlite = victim.transaction.dialect == "sqlite"
    wide = is_sqlite or column in ("position", "causation", "size", "first_position")
    stored = 0
    for number, flipped in enumerate(flips(value, bits=64 if wide else 32)):
        if number % every:
            continue
        mark = "?"
        if isinstance(value, str):
            mark = "CAST(? AS TEXT)" if is_sqlite else "convert_from(?, 'UTF8')"
        if victim.is_stored(f"UPDATE {table} SET {column} = {mark} WHERE {where}", (flipped,)):
            check(victim.examine(), f"bit {number} of {column} in {table} where {where}")
            victim.put_back()
            stored += 1
    return stored
