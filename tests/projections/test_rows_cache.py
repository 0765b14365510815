"""The write-behind cache against a dictionary: whatever is done to both, they hold the same."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ledger.database import Database, Transaction
from projections.records import ClusteringGroup, ProbeInsertion, Upload
from projections.rows import Rows, State

SLOT = "b"  # the one that is not live, and empty
NAMES = st.sampled_from(["a", "b", "c", "é", "d'; --"])


class Undone(Exception):
    """Ends a transaction without a trace."""


@pytest.fixture
def empty(ledger_templates: Callable[[str, Path], str], tmp_path: Path) -> Iterator[Database]:
    database = Database(ledger_templates("sqlite", tmp_path))
    yield database
    database.close()


def undone(database: Database, work: Callable[[Transaction], None]) -> None:
    with pytest.raises(Undone), database.writing() as transaction:
        work(transaction)
        raise Undone


class Cache(RuleBasedStateMachine):
    """One table with a key of one column, another with a key of two."""

    transaction: Transaction

    @initialize(complete=st.booleans())
    def begin(self, complete: bool) -> None:
        self.rows = {
            1: Rows(ClusteringGroup, SLOT, complete=complete),
            2: Rows(ProbeInsertion, SLOT, complete=complete),
        }
        self.model: dict[int, dict[Any, Any]] = {1: {}, 2: {}}
        for rows in self.rows.values():
            rows.attach(self.transaction)
        self.clean = True
        self.number = 0

    def key(self, table: int, one: str, two: str) -> Any:
        return one if table == 1 else (one, two)

    def made(self, table: int, key: Any) -> Any:
        self.number += 1
        return (
            ClusteringGroup(key, "0/12345", self.number, "n:/a")
            if table == 1
            else ProbeInsertion(*key, f"time {self.number}", None)
        )

    @rule(table=st.sampled_from([1, 2]), one=NAMES, two=NAMES)
    def get(self, table: int, one: str, two: str) -> None:
        key = self.key(table, one, two)
        assert self.rows[table].get(key) == self.model[table].get(key)
        if key not in self.model[table]:
            with pytest.raises(KeyError, match=r"_b: "):
                self.rows[table][key]

    @rule(table=st.sampled_from([1, 2]), one=NAMES, two=NAMES)
    def add_or_remove(self, table: int, one: str, two: str) -> None:
        key, model = self.key(table, one, two), self.model[table]
        if key in model:
            self.rows[table].remove(key)
            del model[key]
        elif self.rows[table].get(key) is None:  # as every handler asks before it adds, or knows
            self.rows[table].add(record := self.made(table, key))
            model[key] = record
        self.clean = False

    @rule(table=st.sampled_from([1, 2]), one=NAMES, two=NAMES)
    def change(self, table: int, one: str, two: str) -> None:
        key, model = self.key(table, one, two), self.model[table]
        if key not in model:
            return
        self.number += 1
        record = self.rows[table].change(key)
        if table == 1:
            record.clustering = self.number
            model[key] = ClusteringGroup(key, record.subject, self.number, "n:/a")
        else:
            record.removal_time = f"time {self.number}"
            model[key] = ProbeInsertion(*key, record.insertion_time, record.removal_time)
        self.clean = False

    @rule()
    def flush(self) -> None:
        for rows in self.rows.values():
            rows.flush_removed()
        for rows in self.rows.values():
            rows.flush()
            assert len(rows) == 0
        self.clean = True

    @rule(beyond=st.integers(0, 3))
    def flush_and_forget(self, beyond: int) -> None:
        self.flush()
        for rows in self.rows.values():
            rows.forget(beyond=beyond)

    @rule(names=st.lists(st.tuples(NAMES, NAMES)))
    def prefetch(self, names: list[tuple[str, str]]) -> None:
        self.rows[1].prefetch(one for one, _ in names)
        self.rows[2].prefetch(names)

    @rule()
    def ask_with_sql(self) -> None:
        if self.clean:
            found = self.rows[2].where("probe >= ?", ["b"])
            assert found == [row for key, row in sorted(self.model[2].items()) if key[1] >= "b"]

    @invariant()
    def tables_hold_what_was_flushed(self) -> None:
        if not self.clean:
            return
        for table, rows in self.rows.items():
            found = self.transaction.run(f"SELECT * FROM {rows.table}").fetchall()
            assert sorted(found) == sorted(map(in_columns, self.model[table].values()))

    def teardown(self) -> None:
        for record in (ClusteringGroup, ProbeInsertion):
            self.transaction.run(f"DELETE FROM {record.TABLE}_{SLOT}")


def in_columns(record: Any) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in record.__slots__)


def test_the_cache_and_its_table_agree_with_a_dictionary(empty: Database) -> None:
    def work(transaction: Transaction) -> None:
        Cache.transaction = transaction
        run_state_machine_as_test(Cache, settings=settings(max_examples=100, stateful_step_count=25))

    undone(empty, work)


def test_a_key_that_is_freed_and_taken_in_one_batch_is_held_by_the_last(shared_database: Database) -> None:
    def work(transaction: Transaction) -> None:
        state = State(SLOT, transaction)
        state.groups.add(ClusteringGroup("N:/a", "0/12345", 1, "n:/a"))
        state.flush()
        for session in range(2, 30):  # freed and taken again and again
            state.groups.remove("N:/a")
            state.groups.add(ClusteringGroup("N:/a", "0/12345", session, "n:/a"))
            state.groups.add(ClusteringGroup(f"N:/{session}", "0/12345", session, "n:/a"))
        state.groups.remove("N:/5")
        state.flush()
        rows = dict(
            transaction.run(f"SELECT group_name, clustering FROM clustering_groups_{SLOT}").fetchall()
        )
        assert rows == {"N:/a": 29} | {f"N:/{number}": number for number in range(2, 30) if number != 5}
        assert state.dirty() == 0

    undone(shared_database, work)


def test_a_row_that_was_never_written_is_never_deleted_either(empty: Database) -> None:
    def work(transaction: Transaction) -> None:
        rows = Rows(ClusteringGroup, SLOT, complete=True)
        rows.attach(transaction)
        rows.add(ClusteringGroup("N:/a", "0/12345", 1, "n:/a"))
        rows.remove("N:/a")
        rows.flush_removed()
        rows.flush()
        assert transaction.run(f"SELECT count(*) FROM {rows.table}").fetchone() == (0,)
        assert rows.get("N:/a") is None

    undone(empty, work)


def test_a_cache_that_is_complete_asks_the_database_nothing(empty: Database) -> None:
    rows = Rows(Upload, SLOT, complete=True)  # attached to no transaction

    assert rows.get(1) is None
    rows.prefetch([1, 2])
    with pytest.raises(RuntimeError, match="not attached"):
        rows.where("id > ?", [0])


def test_many_rows_are_prefetched_in_a_few_statements(shared_database: Database, monkeypatch: Any) -> None:
    def work(transaction: Transaction) -> None:
        state = State(SLOT, transaction)
        for number in range(1_200):
            state.groups.add(ClusteringGroup(f"N:/{number}", "0/12345", number, "n:/a"))
        state.flush()
        fresh = State(SLOT, transaction)
        statements = []
        run = transaction.run
        monkeypatch.setattr(transaction, "run", lambda *one: statements.append(one) or run(*one))
        fresh.groups.prefetch(f"N:/{number}" for number in range(1_300))
        assert fresh.groups["N:/1199"].clustering == 1_199
        assert fresh.groups.get("N:/1250") is None
        assert len(statements) == 3
        fresh.times.prefetch((f"0/{number % 2}", f"time {number}") for number in range(1_200))
        assert fresh.times.get(("0/1", "time 1")) is None
        assert len(statements) == 3 + 2 * 2  # two subjects, each in two parts
        monkeypatch.undo()

    undone(shared_database, work)


def test_rows_in_spans_are_those_of_the_cache_and_those_of_the_table(shared_database: Database) -> None:
    def row(number: int, status: str) -> Upload:
        return Upload(number, "user_1", "0/12345", "", "", 0, status, *[0] * 6, "", None, 1, None, None, "")

    def work(transaction: Transaction) -> None:
        written = State(SLOT, transaction)
        for number in (1, 2, 3, 50):
            written.uploads.add(row(number, "processed" if number != 2 else "rejected"))
        written.flush()
        fresh = State(SLOT, transaction)
        fresh.uploads.change(3).status = "validated"
        fresh.uploads.add(row(51, "received"))
        spans = [(1, 3), (50, 10**15)]

        found = fresh.uploads.within(spans, "status = 'processed'")

        assert sorted((row.id, row.status) for row in found) == [
            (1, "processed"), (3, "validated"), (50, "processed"), (51, "received"),
        ]  # fmt: skip
        assert len(written.uploads.within(spans, "1 = 1")) == 4

    undone(shared_database, work)
    rows = Rows(Upload, SLOT, complete=True)  # attached to no transaction
    rows.add(row(7, "processed"))
    assert rows.within([(1, 6)], "1 = 1") == [] and len(rows.within([(1, 7)], "1 = 1")) == 1


def test_keys_that_are_held_back_are_written_last_and_never_forgotten_before(empty: Database) -> None:
    def work(transaction: Transaction) -> None:
        state = State(SLOT, transaction)
        state.groups.add(ClusteringGroup("N:/a", "0/12345", 1, "n:/a"))
        state.flush()
        state.groups.remove("N:/a")
        state.flush(keys=False)
        state.forget(beyond=0)
        assert state.groups.get("N:/a") is None
        state.groups.add(ClusteringGroup("N:/b", "0/12345", 2, "n:/a"))
        state.flush(keys=False)
        state.forget(beyond=0)
        assert transaction.run(f"SELECT group_name FROM {state.groups.table}").fetchall() == [("N:/a",)]
        state.flush()
        assert transaction.run(f"SELECT group_name FROM {state.groups.table}").fetchall() == [("N:/b",)]

    undone(empty, work)


def test_a_row_that_was_removed_is_not_found_again_before_that_is_written(empty: Database) -> None:
    def work(transaction: Transaction) -> None:
        rows: Rows[ClusteringGroup] = Rows(ClusteringGroup, SLOT)
        rows.attach(transaction)
        rows.add(ClusteringGroup("a", "0/12345", 1, "n:/a"))
        rows.add(ClusteringGroup("b", "0/12345", 2, "n:/b"))
        rows.flush()
        rows.remove("a")

        assert [row.group_name for row in rows.where("subject = ?", ["0/12345"])] == ["b"]
        assert rows.get("a") is None

    undone(empty, work)
