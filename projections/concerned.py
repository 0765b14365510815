"""Which records a reference may mean at any time, which subjects are linked, and which streams have to be folded
together.

Reads the present rows. A record keeps its number and group name for ever, and its row says where it lay before, so
whatever a reference once meant is among what it can mean by today's rows.
"""

from collections.abc import Collection, Iterable, Iterator

import orjson

from ledger import log
from ledger.bodies import body_of
from ledger.database import Transaction
from projections import renamed
from projections.portions import marks, portions
from projections.references import by_id, moved_from

_AS_FIND = 1000  # rows, as many as ``references.find`` looks at
Candidates = dict[str, set[int]]
"""Numbers of records by their table."""


def candidates(
    transaction: Transaction, slot: str, text: str, location: str | None, position: int
) -> Candidates:
    """Whatever ``references.find`` could find for this text when the ledger ended at ``position``."""
    found: Candidates = {}

    def look(table: str, condition: str, values: list[object]) -> None:
        sql = f"SELECT id FROM {table}_{slot} WHERE id <= ? AND {condition} ORDER BY id LIMIT {_AS_FIND}"
        rows = transaction.run(sql, [position, *values]).fetchall()
        if rows:
            found.setdefault(table, set()).update(row[0] for row in rows)

    named = by_id(text)
    if named is not None:
        look(f"{named.kind}s", "id = ?", [named.id])
        if found:
            return found
    places = [place for place in (location, text) if place]
    for table in ("sessions", "clusterings"):
        look(table, f"location IN ({marks(places)})", [*places])
    for place in places:
        condition, value = moved_from(place)
        look("sessions", condition, [value])
    look("clusterings", "group_name = ?", [text])
    look("sessions", "session_time = ?", [text])
    return found


def subjects_of(transaction: Transaction, slot: str, table: str, numbers: Collection[int]) -> set[str]:
    found: set[str] = set()
    for some in portions(numbers):
        sql = f"SELECT DISTINCT subject FROM {table}_{slot} WHERE id IN ({marks(some)})"
        found.update(row[0] for row in transaction.run(sql, some).fetchall())
    if table == "deletions":
        found |= _subjects_of_requests(transaction, slot, numbers)
    return found


def _subjects_of_requests(transaction: Transaction, slot: str, numbers: Collection[int]) -> set[str]:
    """The subjects of all records that these requests named, or that were to go with them."""
    found: set[str] = set()
    for number in numbers:
        for event in log.read_stream(transaction, f"deletion/{number}"):
            body = body_of(event)
            impact = body.get("impact", {})
            for table in ("sessions", "clusterings"):
                for first, last in impact.get(table, ()):
                    sql = f"SELECT DISTINCT subject FROM {table}_{slot} WHERE id BETWEEN ? AND ?"
                    found.update(row[0] for row in transaction.run(sql, (first, last)).fetchall())
        named = transaction.run(f"SELECT records FROM deletions_{slot} WHERE id = ?", (number,)).fetchone()
        for name in orjson.loads(named[0]) if named is not None else ():
            of = by_id(name)
            if of is not None and of.kind != "deletion":
                found |= subjects_of(transaction, slot, f"{of.kind}s", [of.id])
    return found


def bound_up(transaction: Transaction, slot: str, subjects: Collection[str]) -> set[str]:
    """These subjects, and all others that their records are linked to: by a correction of a wrong subject, by a
    clustering that stands on sessions of another one, by a file that brought one of them again, or by what they were
    called before.
    """
    known: set[str] = set()
    new = {subject for subject in subjects if subject}
    while new:
        known |= new
        linked = renamed.linked(transaction, new)
        for some in portions(new):
            for sql in _links(slot, marks(some)):
                linked.update(row[0] for row in transaction.run(sql, some).fetchall())
        new = linked - known
    return known


def _links(slot: str, wanted: str) -> Iterator[str]:
    for table in ("sessions", "clusterings"):
        for link in ("replaces", "replaced_by"):
            yield (
                f"SELECT DISTINCT other.subject FROM {table}_{slot} own JOIN {table}_{slot} other "
                f"ON other.id = own.{link} WHERE own.{link} IS NOT NULL AND own.subject IN ({wanted})"
            )
    joined = (
        f"FROM clustering_sessions_{slot} l JOIN sessions_{slot} s ON s.id = l.session "
        f"JOIN clusterings_{slot} c ON c.id = l.clustering"
    )
    yield f"SELECT DISTINCT s.subject {joined} WHERE c.subject IN ({wanted})"
    yield f"SELECT DISTINCT c.subject {joined} WHERE s.subject IN ({wanted})"
    joined = (
        f"FROM duplicates_{slot} d JOIN sessions_{slot} s ON s.id = d.record "
        f"JOIN uploads_{slot} u ON u.id = d.upload"
    )
    yield f"SELECT DISTINCT s.subject {joined} WHERE u.subject IN ({wanted})"
    yield f"SELECT DISTINCT u.subject {joined} WHERE s.subject IN ({wanted})"


def lab_streams(transaction: Transaction, slot: str) -> set[str]:
    """The streams of all subjects, reference tables and users, including what was taken back or renamed since and has
    no row left.
    """
    found: set[str] = set()
    for table, column, stream in (
        ("subjects", "subject", "subject"),
        ("reference_values", "reference", "reference"),
        ("users", "username", "user"),
    ):
        rows = transaction.run(f"SELECT DISTINCT {column} FROM {table}_{slot}").fetchall()
        found.update(f"{stream}/{row[0]}" for row in rows)
    taken_back = transaction.run(
        f"SELECT DISTINCT type, subject FROM activity_{slot} "
        "WHERE type IN ('SubjectTakenBack', 'SubjectRenamed', 'ReferenceValueTakenBack')"
    ).fetchall()
    found.update(f"subject/{subject}" for kind, subject in taken_back if kind != "ReferenceValueTakenBack")
    if any(kind == "ReferenceValueTakenBack" for kind, _ in taken_back):  # seldom: it reads the whole log
        sql = "SELECT DISTINCT stream FROM events WHERE type = 'ReferenceValueTakenBack'"
        found.update(row[0] for row in transaction.run(sql).fetchall())
    return found


def changed_since(transaction: Transaction, streams: Collection[str], position: int) -> set[str]:
    """Those of these streams to which something has happened since a position."""
    found: set[str] = set()
    for some in portions(streams):
        # +: by the index of streams; most of the log may lie behind the position
        sql = f"SELECT DISTINCT stream FROM events WHERE stream IN ({marks(some)}) AND +position > ?"
        found.update(row[0] for row in transaction.run(sql, [*some, position]).fetchall())
    return found


def with_needed(transaction: Transaction, slot: str, streams: Iterable[str]) -> set[str]:
    """These streams, and the streams of the records that their handlers change or look at."""
    found = set(streams)

    def numbers(kind: str) -> list[int]:
        return [int(stream[len(kind) + 1 :]) for stream in found if stream.startswith(f"{kind}/")]

    def add(kind: str, column: str, table: str, of: str, by: str = "id") -> None:
        for some in portions(numbers(of)):
            sql = f"SELECT DISTINCT {column} FROM {table}_{slot} WHERE {by} IN ({marks(some)})"
            rows = transaction.run(sql, some).fetchall()
            found.update(f"{kind}/{row[0]}" for row in rows if row[0] is not None)

    add("session", "session", "clusterings", "clustering")
    add("upload", "upload", "clusterings", "clustering")
    add("upload", "upload", "sessions", "session")
    add("upload", "upload", "deletions", "deletion")
    add("deletion", "id", "deletions", "upload", by="upload")
    return found
