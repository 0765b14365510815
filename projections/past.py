"""The ledger as it was: put an earlier state before the present one, for the rest of a transaction.

The tables of the projections, the log and its head are hidden by temporary ones of the same names, so that whatever
reads them reads the past. What has not changed since is taken from the present rows; only records that have are
folded again from their events. A reading says what it is about, and no more than that is folded; a table that it did
not ask for cannot be read at all.

It works because records never vanish: every session, clustering and upload of then has its row today, with the same
number, subject, user and location, and ``changed_at`` tells whether anything happened to it later.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from ledger import log
from ledger.database import Transaction
from ledger.log import Head
from ledger.moments import Moment, last_until, position_of, recorded_at
from projections.apply import apply
from projections.concerned import bound_up, candidates, marks, portions, subjects_of, with_needed
from projections.handlers.record_status import COUNTED
from projections.listings import subject_key
from projections.rebuild import without_garbage_collection
from projections.records import (
    RECORDS,
    Activity,
    Clustering,
    ClusteringGroup,
    ClusteringSession,
    Deletion,
    Duplicate,
    ProbeInsertion,
    Redaction,
    ReferenceValue,
    Session,
    SessionLocation,
    SessionProbe,
    SessionTask,
    SessionTime,
    Subject,
    Upload,
    User,
)
from projections.rows import State
from projections.shadows import FOLDED, Shadow, hide

_OWNERS: dict[Any, str] = {
    Session: "id", SessionTask: "session", SessionProbe: "session", SessionLocation: "session",
    SessionTime: "session", Clustering: "id", ClusteringSession: "clustering", ClusteringGroup: "clustering",
    Upload: "id",
}  # fmt: skip
_RECORDS = {*_OWNERS, Duplicate}
_LAB = (Subject, ProbeInsertion, ReferenceValue, User)
_KINDS: tuple[Any, ...] = (Session, Clustering, Upload)
_CHUNK = 500  # records that are folded at a time, and whatever they are


def put_before(transaction: Transaction, moment: Moment, about: "About") -> Head:
    """For the rest of a transaction of ``Database.past``: the past for the present. Returns the head as it was."""
    head = log.read_head(transaction)
    position = position_of(transaction, head, moment)
    if position == head.size:
        return head
    past = Past(transaction, head, position)
    with without_garbage_collection():
        about(past)
        past.hide_the_present()
    return log.read_head(transaction)


class Past:
    """One position of the ledger, not the last. What a reading of it is about: any of ``records``, ``named``, ``page``,
    ``lab``, ``requests`` and ``counts``; the log, its head and what is redacted can always be read."""

    def __init__(self, transaction: Transaction, head: Head, position: int) -> None:
        self.position = position
        self._transaction = transaction
        self._head = head
        self._slot = head.live_slot
        self._next = recorded_at(transaction, position + 1)
        self._day = ""
        self._readable: set[Any] = {
            Redaction
        }  # whatever is redacted today is shown as such: it cannot be read
        self._streams: set[str] = set()
        self._folded: set[int] = set()
        self._rows: dict[Any, dict[Any, Any]] = {record: {} for record in RECORDS}
        self._knows_uploads = False

    # --- what a reading can be about

    def nothing(self) -> None:
        """Of the log alone."""

    def everything(self) -> None:
        """But for counts."""
        self.records()
        self.lab()
        self.requests()

    def records(self) -> None:
        """Of all sessions, clusterings and uploads."""
        self._readable |= _RECORDS
        self._take({record: self._changed(record) for record in _KINDS})

    def named(self, text: str, location: str | None = None) -> None:
        """Of whatever ``text`` can mean (as in ``references.find``), and all that is bound up with its subject."""
        self._readable |= _RECORDS
        self.requests()
        changed = {record: self._changed(record) for record in _KINDS}
        if sum(map(len, changed.values())) <= _CHUNK:  # quicker than to find out what is bound up with what
            self._take(changed)
            return
        transaction, slot = self._transaction, self._slot
        found = candidates(transaction, slot, text, location, self.position)
        subjects: set[str] = set()
        for table, some in found.records.items():
            subjects |= subjects_of(transaction, slot, table, some)
        for table, some in found.beginnings.items():
            if len(some) == 1:
                subjects |= subjects_of(transaction, slot, table, some)
        for names in portions(bound_up(transaction, slot, subjects)):
            condition = f"subject IN ({marks(names)})"
            self._take({record: self._changed(record, condition, names) for record in _KINDS})
        for record in _KINDS:
            numbers = found.records.get(record.TABLE, set()) | found.beginnings.get(record.TABLE, set())
            for chosen in portions(numbers):
                self._take({record: self._changed(record, f"id IN ({marks(chosen)})", chosen)})

    def page(
        self,
        record: type[Session] | type[Clustering] | type[Upload],
        *,
        subject: str | None = None,
        user: str | None = None,
        status: str | None = None,
        since: str | None = None,
        limit: int | None = None,
    ) -> None:
        """Of the newest ``limit`` records that match, as ``listings`` gives them."""
        # an upload is listed with how its entries stand
        self._readable |= {Upload, Session, Clustering} if record is Upload else {record}
        time = "received_at" if record is Upload else "requested_at"
        conditions: list[str] = ["id <= ?"]
        values: list[Any] = [self.position]
        filters = (
            ("subject = ?", None if subject is None else subject_key(subject)), ("username = ?", user),
            (f"{time} >= ?", since),
        )  # fmt: skip
        for condition, value in filters:
            if value is not None:
                conditions.append(condition)
                values.append(value)
        where = " AND ".join(conditions)
        if limit is None:
            self._take({record: self._changed(record, where, values)})
        elif status is None:
            page = f"SELECT id FROM {record.TABLE}_{self._slot} WHERE {where} ORDER BY id DESC LIMIT ?"
            oldest = f"id >= (SELECT min(id) FROM ({page}) AS page)"
            self._take({record: self._changed(record, f"{where} AND {oldest}", [*values, *values, limit])})
        else:
            self._until_full(record, where, values, status, limit)

    def _until_full(self, record: Any, where: str, values: list[Any], status: str, limit: int) -> None:
        """Fold records, the newest first, until as many have the status as are wanted. One that nothing happened to
        since has the status of today."""
        changed = self._changed(record, where, values)[::-1]
        standing = (
            f"SELECT count(*) FROM {record.TABLE}_{self._slot} "
            f"WHERE {where} AND {self._unchanged(record)} AND status = ? AND id > ?"
        )
        matching = 0
        for start in range(0, len(changed), _CHUNK):
            some = changed[start : start + _CHUNK]
            self._take({record: some})
            self._fold()
            matching += sum(self._rows[record][number,].status == status for number in some)
            newer = self._transaction.run(standing, [*values, status, some[-1]]).fetchone()[0]
            if matching + newer >= limit:
                return

    def lab(self) -> None:
        """Of subjects with their probes, reference values, and who has which role."""
        self._readable |= {*_LAB}
        self._streams.add("ledger")
        for table, column, stream in (
            ("subjects", "subject", "subject"),
            ("reference_values", "reference", "reference"),
            ("users", "username", "user"),
        ):
            rows = self._transaction.run(f"SELECT DISTINCT {column} FROM {table}_{self._slot}").fetchall()
            self._streams.update(f"{stream}/{row[0]}" for row in rows)

    def requests(self) -> None:
        """Of requests to delete, correct or redact."""
        self._readable.add(Deletion)
        rows = self._transaction.run(
            f"SELECT id, upload FROM deletions_{self._slot} WHERE id <= ?", (self.position,)
        ).fetchall()
        self._streams.update(f"deletion/{number}" for number, _ in rows)
        self._streams.update(f"upload/{upload}" for _, upload in rows if upload is not None)

    def counts(self) -> None:
        """Of who did how much when. Days that were over are as they are today; the last one is counted anew."""
        self._readable.add(Activity)
        if not self.position:
            return
        self._day = recorded_at(self._transaction, self.position)[:10]
        before = last_until(self._transaction, self.position, self._day)  # a day sorts before its times
        touched = self._transaction.run(
            "SELECT DISTINCT stream FROM events WHERE position > ? AND position <= ?", (before, self.position)
        ).fetchall()
        state = self._state(with_needed(self._transaction, self._slot, (stream for (stream,) in touched)))
        self._keep(Activity, (row for row in state.activity.every() if row.day == self._day))

    # --- what has changed since

    def _changed(self, record: Any, where: str = "1 = 1", values: Sequence[Any] = ()) -> list[int]:
        """The records of then that something may have happened to since: their numbers, ascending."""
        if record is Upload:
            self._look_for_changed_uploads()
            changed = "id IN (SELECT id FROM uploads_changed)"
        else:
            changed = f"changed_at >= {self._quoted_next}"
        sql = (
            f"SELECT id FROM {record.TABLE}_{self._slot} WHERE id <= ? AND {changed} AND {where} ORDER BY id"
        )
        return [row[0] for row in self._transaction.run(sql, [self.position, *values]).fetchall()]

    def _unchanged(self, record: Any, alias: str = "") -> str:
        """The condition under which a row of today says what it said then; a view can hold it."""
        if record is Upload:
            self._look_for_changed_uploads()
            return f"{alias}id <= {self.position} AND {alias}id NOT IN (SELECT id FROM uploads_changed)"
        # times never decrease along the log, and several events can have the same: then the record is folded again
        return f"{alias}changed_at < {self._quoted_next}"

    @property
    def _quoted_next(self) -> str:
        return "'" + self._next.replace("'", "''") + "'"

    def _look_for_changed_uploads(self) -> None:
        """An upload changes by its own events and by those of its records, which it counts; by a correction that is
        carried out, too, which makes new records in the same append."""
        if self._knows_uploads:
            return
        self._knows_uploads = True
        self._transaction.run("CREATE TEMP TABLE uploads_changed (id BIGINT PRIMARY KEY)")
        later = f">= {self._quoted_next}"
        found = [
            f"SELECT id FROM uploads_{self._slot} WHERE received_at {later} OR processed_at {later}",
            f"SELECT upload FROM sessions_{self._slot} WHERE changed_at {later}",
            f"SELECT upload FROM clusterings_{self._slot} WHERE changed_at {later} AND group_name IS NOT NULL",
        ]
        self._transaction.run(f"INSERT INTO uploads_changed {' UNION '.join(found)}")

    # --- folding

    def _take(self, numbers: dict[Any, list[int]]) -> None:
        """Fold these records. Of an upload also whatever has changed of what it counts."""
        for record, chosen in numbers.items():
            self._folded.update(chosen)
            kind = record.__name__.lower()
            self._streams |= with_needed(
                self._transaction, self._slot, (f"{kind}/{number}" for number in chosen)
            )
        for some in portions(numbers.get(Upload, ())):
            among = f"upload IN ({marks(some)})"
            self._take(
                {
                    Session: self._changed(Session, among, some),
                    Clustering: self._changed(Clustering, f"{among} AND group_name IS NOT NULL", some),
                }
            )

    def _state(self, streams: Collection[str]) -> State:
        state = State(FOLDED, complete=True)
        apply(state, log.read_streams(self._transaction, streams, self.position))
        return state

    def _fold(self) -> None:
        """Fold the streams that were asked for so far, and keep the rows of what the reading is about."""
        state = self._state(self._streams)
        self._streams = set()
        if Upload in self._readable:
            self._count_entries(state)
        tables = {rows.table: rows for rows in state.all}
        for record in self._readable:
            rows = tables[f"{record.TABLE}_{FOLDED}"].every()
            owner = _OWNERS.get(record)
            if owner is not None:
                self._keep(record, (row for row in rows if getattr(row, owner) in self._folded))
            elif record in _LAB or record is Deletion:
                self._keep(record, rows)

    def _keep(self, record: Any, rows: Iterable[Any]) -> None:
        self._rows[record].update((tuple(getattr(row, name) for name in record.KEY), row) for row in rows)

    def _count_entries(self, state: State) -> None:
        """The counts of the folded uploads: of their entries that were folded, and of those that stand as today."""
        uploads = {
            row.id: row
            for row in state.uploads.every()
            if row.id in self._folded and row.status != "rejected"
        }
        for row in uploads.values():
            row.inserted = row.waiting = row.errors = 0
        entries: list[Session | Clustering] = [
            *state.sessions.every(), *(row for row in state.clusterings.every() if row.group_name is not None)
        ]  # fmt: skip
        counted = [(entry.upload, entry.status, 1) for entry in entries if entry.id in self._folded]
        for record, condition in ((Session, ""), (Clustering, " AND group_name IS NOT NULL")):
            for some in portions(uploads):
                counted += self._transaction.run(
                    f"SELECT upload, status, count(*) FROM {record.TABLE}_{self._slot} WHERE upload IN ({marks(some)}) "
                    f"AND {self._unchanged(record)}{condition} GROUP BY upload, status",
                    some,
                ).fetchall()
        for upload, status, number in counted:
            column = COUNTED.get(status)
            if column is not None and upload in uploads:
                row = uploads[upload]
                setattr(row, column, getattr(row, column) + number)

    # --- hiding the present

    def hide_the_present(self) -> None:
        self._fold()
        shadows = {}
        for record in self._readable:
            shadows[record] = Shadow(self._still_so(record), list(self._rows[record].values()))
        hide(self._transaction, self._head, self.position, shadows)

    def _still_so(self, record: Any) -> str | None:
        """The condition, in a view of ``record`` as ``row``, under which a row of today is one of then."""
        owner = _OWNERS.get(record)
        if owner == "id":
            return self._unchanged(record, "row.")
        if owner is not None:
            of = Session if owner == "session" else Clustering
            table = f"{self._transaction.durable}{of.TABLE}_{self._slot}"
            same = f"owner.id = row.{owner} AND {self._unchanged(of, 'owner.')}"
            return f"EXISTS (SELECT 1 FROM {table} AS owner WHERE {same})"
        if record is Duplicate:
            return f"row.upload < {self.position}"  # of the second event of the upload
        if record is Redaction:
            return f"row.position <= {self.position}"
        if record is Activity:
            return f"row.day < '{self._day}'"
        return None


About = Callable[[Past], None]
"""What a reading is about: a method of ``Past``, or a function that calls some of them."""
