"""The ledger as it was: put an earlier state before the present one, for the rest of a transaction.

What the projections, the log and its head held then hides what they hold now, so that whatever reads them reads the
past. What has not changed since comes from the present rows; only records that have changed are folded again. A
reading says what it is about, and no more is folded; a table that it did not ask for cannot be read at all.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ledger import log
from ledger.bodies import body_of
from ledger.collector import without_garbage_collection
from ledger.database import PastTransaction
from ledger.log import Head
from ledger.merkle import CompactRange
from ledger.moments import Moment, last_until, position_of, recorded_around
from ledger.proofs import StoredTree
from projections.concerned import Candidates, bound_up, candidates, lab_streams, subjects_of
from projections.portions import marks, portions
from projections.records import (
    Activity,
    Clustering,
    Deletion,
    Duplicate,
    Redaction,
    Session,
    Upload,
)
from projections.references import by_id
from projections.refolding import KINDS, LAB, OWNERS, Refolding
from projections.shadows import Shadow, Shadows

_RECORDS = {*OWNERS, Duplicate}  # and requests
_FEW = 500  # records: folding all is quicker than finding out what is linked to what
_OF_TABLE: dict[str, Any] = {record.TABLE: record for record in KINDS}


def put_before(
    transaction: PastTransaction, moment: Moment, about: "About", head: Head | None = None
) -> Head:
    """For the rest of a transaction of ``Database.past``: the past for the present. Returns the head as it was.
    ``head`` is that of today, where it was read in this transaction."""
    head = head or log.read_head(transaction)
    position = position_of(transaction, head, moment)
    if position == head.size:
        return head
    past = Past(transaction, head, position)
    with without_garbage_collection():
        about(past)
    past.hide_the_present()
    return past.head


class HeadThen(Head):
    """The head as it was. Its tree is put together when somebody asks for it, which is rare."""

    __slots__ = ("_transaction", "_tree")

    def __init__(self, transaction: PastTransaction, head: Head, position: int, at: str) -> None:
        self._transaction = transaction
        self._tree: CompactRange | None = None
        self.origin, self.size, self.recorded_at = head.origin, position, at
        self.live_slot, self.projections, self.rebuild = head.live_slot, head.projections, head.rebuild

    @property
    def compact_range(self) -> CompactRange:  # type: ignore[override]
        if self._tree is None:
            with self._transaction.present():
                self._tree = StoredTree(self._transaction).compact_range(self.size)
        return self._tree


class Past:
    """One position of the ledger, not the last. What a reading of it is about: any of ``records``, ``named``, ``one``,
    ``lists``, ``lab``, ``requests`` and ``counts``; the log, its head and what is redacted can always be read."""

    def __init__(self, transaction: PastTransaction, head: Head, position: int) -> None:
        self.position = position
        self._transaction = transaction
        self._slot = head.live_slot
        self._size = head.size
        at, next_at = recorded_around(transaction, position)
        self.head = HeadThen(transaction, head, position, at)
        self.refolding = Refolding(transaction, head.live_slot, position, next_at)
        self._shadows = Shadows(transaction, head.live_slot, self.head, self._shadow)
        # what is redacted today shows as redacted: it cannot be read any more
        self._readable: set[Any] = {Redaction}
        self._whole: set[Any] = set()
        self._day = ""

    # --- what a reading can be about

    def nothing(self) -> None:
        """About the log alone."""

    def everything(self) -> None:
        """About everything but counts."""
        self.records()
        self.lab()

    def records(self) -> None:
        """About all sessions, clusterings, uploads and requests."""
        self._readable |= _RECORDS
        self._whole |= _RECORDS
        self._fold({record: self.refolding.changed(record) for record in KINDS})

    def named(self, text: str, location: str | None = None) -> None:
        """About whatever ``text`` can mean (as in ``references.find``), and all that is linked to its subject."""
        self._readable |= _RECORDS
        changed = {record: self.refolding.changed(record) for record in KINDS}
        if sum(map(len, changed.values())) <= _FEW:
            self._fold(changed)
            return
        self._fold({Deletion: changed[Deletion]})
        transaction, slot = self._transaction, self._slot
        found = candidates(transaction, slot, text, location, self.position)
        subjects: set[str] = set()
        for table, some in found.items():
            subjects |= subjects_of(transaction, slot, table, some)
        for names in portions(bound_up(transaction, slot, subjects)):
            condition = f"subject IN ({marks(names)})"
            self._fold({record: self.refolding.changed(record, condition, names) for record in KINDS})
        for record in KINDS:
            for chosen in portions(found.get(record.TABLE, set())):
                self._fold({record: self.refolding.changed(record, f"id IN ({marks(chosen)})", chosen)})

    def one(self, text: str, location: str | None = None) -> None:
        """About whatever ``text`` can mean, and what belongs to it: the entries of an upload, the clusterings of a
        session, the sessions of a clustering, what replaced it or was replaced by it, who deleted it, and the upload
        of what failed or was withdrawn. A request to delete needs more: see ``named``.
        """
        exact = self._exactly(text)
        found = exact or candidates(self._transaction, self._slot, text, location, self.position)
        if "deletions" in found:
            self.named(text, location)
            return
        self._readable |= _RECORDS
        if exact is None:
            for table, numbers in found.items():
                self.refolding.fold_changed(_OF_TABLE[table], numbers)
        for table, numbers in found.items():
            self._fold_with_its_own(_OF_TABLE[table], numbers)

    def _exactly(self, text: str) -> Candidates | None:
        """About the session or clustering with this id: its row is needed anyway."""
        named = by_id(text)
        if named is None or named.kind not in ("session", "clustering") or named.id > self.position:
            return None
        record: Any = Session if named.kind == "session" else Clustering
        if self.refolding.today(record).get(named.id) is None:
            return None
        return {record.TABLE: {named.id}}

    def lists(self) -> None:
        """About pages of records: ``projections.pages`` folds what belongs to a page when it puts the page together."""

    def lab(self) -> None:
        """About subjects with their probes, reference values, and who has which role."""
        self._readable |= {*LAB}
        self.refolding.fold_lab({"ledger", *lab_streams(self._transaction, self._slot)})

    def counts(self) -> None:
        """About who did how much when. Days that were over then are as they are today; the last one is counted anew."""
        self._readable.add(Activity)
        if not self.position:
            return
        self._day = self.head.recorded_at[:10]
        before = last_until(self._transaction, self.position, self._day)  # a day sorts before its times
        touched = self._transaction.run(
            "SELECT DISTINCT stream FROM events WHERE position > ? AND position <= ?", (before, self.position)
        ).fetchall()
        streams = {row[0] for row in touched}
        clusterings = [int(stream[11:]) for stream in streams if stream.startswith("clustering/")]
        state = self.refolding.state(streams, clusterings=clusterings, counted=True)
        self.refolding.keep(Activity, (row for row in state.of(Activity) if row.day == self._day))

    # --- folding

    def _fold(self, changed: Mapping[Any, Collection[int]]) -> None:
        """Fold records that have changed since; for an upload, also those of its entries that have."""
        self.refolding.fold({record: some for record, some in changed.items() if record is not Upload})
        self.refolding.fold_uploads(changed.get(Upload, ()))
        self.refolding.fold_entries(changed.get(Upload, ()))

    def _fold_with_its_own(self, record: Any, numbers: Collection[int]) -> None:
        if record is Upload:
            self.refolding.fold_entries(numbers)
            return
        refolding = self.refolding
        rows = self._fold_with_replaced(record, set(numbers))
        if record is Clustering:
            refolding.fold_changed(Session, self._stood_on(rows))
        of_files = {row.upload for row in rows if row.status in ("error", "withdrawn")}
        if of_files:
            refolding.fold_changed(Upload, of_files)
        failed = [row.status_position for row in rows if row.status == "error"]
        if failed:  # by another session, perhaps, which is told of beside it
            failures = map(body_of, log.read_positions(self._transaction, failed).values())
            refolding.fold_changed(
                Session, {by for body in failures if (by := body.get("taken_by")) is not None}
            )
        deleted = [row.status_position for row in rows if row.status == "deleted"]
        if deleted:
            events = log.read_positions(self._transaction, deleted)
            refolding.fold_changed(Deletion, {int(event.correlation[1:]) for event in events.values()})

    def _fold_with_replaced(self, record: Any, numbers: set[int]) -> list[Any]:
        """Fold these records and all that replaced them or were replaced by them, then or today, sessions with their
        clusterings: what stood on one of them may stand on another today. Returns these records as they were.
        """
        refolding, new = self.refolding, set(numbers)
        known: set[int] = set()
        while new:
            changed: dict[Any, Collection[int]] = {record: refolding.changed_of(record, new)}
            if record is Session:
                changed[Clustering] = self._changed_on(new)
            refolding.fold(changed)
            known |= new
            rows = [row for n in new for row in (refolding.then(record, n), refolding.today(record).get(n))]
            linked = {number for row in rows if row is not None for number in (row.replaces, row.replaced_by)}
            if record is Session:
                linked |= self._replaced_later(changed[Session])
            new = linked - known - {None}
        return [row for number in numbers if (row := refolding.then(record, number)) is not None]

    def _replaced_later(self, sessions: Collection[int]) -> set[int | None]:
        """What replaced these sessions, even where that was undone: a clustering may stand there to this day."""
        deleted: list[int] = []
        for some in portions([f"session/{number}" for number in sessions]):
            sql = f"SELECT position FROM events WHERE stream IN ({marks(some)}) AND type = 'SessionDeleted'"
            deleted += (row[0] for row in self._transaction.run(sql, some).fetchall())
        events = log.read_positions(self._transaction, deleted) if deleted else {}
        return {body_of(event)["replaced_by"] for event in events.values()}

    def _changed_on(self, sessions: Collection[int]) -> list[int]:
        """The clusterings on these sessions that may have changed since; and those over several sessions whose entry
        came again since: they may have stood on these sessions, and stand on others today. They are of the same
        subject."""
        found: list[int] = []
        for some in portions(sessions):
            own = f"SELECT own.id FROM clusterings_{self._slot} AS own WHERE"
            listed = f"({marks(some)})"
            links = f"SELECT clustering FROM clustering_sessions_{self._slot} WHERE session IN {listed}"
            subjects = f"SELECT subject FROM sessions_{self._slot} WHERE id IN {listed}"
            sql = (  # not OR: each by its own index
                f"{own} own.id <= ? AND own.changed_at >= ? AND own.session IN {listed} "
                f"UNION {own} own.id <= ? AND own.changed_at >= ? AND own.id IN ({links}) "
                f"UNION {own} own.group_name > '' AND +own.id <= ? AND own.changed_at >= ? "
                f"AND own.subject IN ({subjects}) "
                "AND EXISTS (SELECT 1 FROM events WHERE stream = 'clustering/' || own.id "
                "AND type = 'ClusteringEntryRenewed' AND +position > ?)"
            )
            values = [self.position, self.refolding.next, *some]
            found += (row[0] for row in self._transaction.run(sql, [*values * 3, self.position]).fetchall())
        return found

    def _stood_on(self, clusterings: Sequence[Clustering]) -> set[int]:
        several = self.refolding.stood_on([row.id for row in clusterings if row.session is None])
        return {row.session for row in clusterings if row.session is not None}.union(*several.values())

    # --- pages

    def has_all(self, record: Any) -> bool:
        """Whether every record of this kind can be read."""
        return record in self._whole

    def close(self) -> None:
        """Forgets what was folded; no record can be read any more."""
        self._readable -= _RECORDS
        self.refolding.forget()
        self._shadows.forget()

    # --- hiding the present

    def hide_the_present(self) -> None:
        self._transaction.hide(self)

    def __call__(self, sql: str, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """The statement, preceded by what hides today's tables."""
        return self._shadows(sql, values)

    def known(self, record: Any) -> dict[Any, Any]:
        """Rows of then that are in memory, by the keys that ``Rows`` uses."""
        return self.refolding.known(record) if record in self._readable else {}

    def _shadow(self, record: Any) -> Shadow | None:
        if record not in self._readable:
            return None
        still_so, values = "", list[Any]()
        if record in OWNERS or record in LAB:
            still_so, values = self.refolding.still_so(record)
        elif record is Duplicate:
            still_so, values = "row.upload < ?", [self.position]  # of the second event of the upload
        elif record is Redaction:
            still_so, values = "row.position <= ?", [self.position]
        elif record is Activity:
            still_so, values = "row.day < ?", [self._day]
        return Shadow(still_so, values, list(self.refolding.rows[record].values()))


About = Callable[[Past], None]
"""What a reading is about: a method of ``Past``, or a function that calls some of them."""
