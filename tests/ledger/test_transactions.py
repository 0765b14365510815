"""Transactions on both databases: threads, nesting, lost connections, and what the application may not do."""

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy.engine import make_url

from ledger import log
from ledger.database import Database
from ledger.errors import Conflict, LedgerUnavailable
from ledger.input_files import fetch, keep
from tests.ledger.writing import added, append, end_connections, head_size, stored_events
from tests.patience import PATIENCE_S

THREADS = 20  # more than any pool of SQLAlchemy's keeps by default


def in_threads(count: int, function: Callable[[int], None]) -> None:
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            function(number)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_more_threads_than_a_pool_holds_read_and_write_at_once(database: Database) -> None:
    together = threading.Barrier(THREADS, timeout=PATIENCE_S)

    def work(number: int) -> None:
        head_size(database)
        together.wait()  # now every thread has a connection, and keeps it
        append(database, [added(f"{number}")])
        head_size(database)

    in_threads(THREADS, work)

    assert len(stored_events(database)) == 1 + THREADS


def test_a_transaction_inside_another_sees_nothing_of_it_and_both_are_whole(database: Database) -> None:
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        log.append(transaction, head, [added("a")], log.Cause("c", "user_1", "{}"))
        with database.reading() as inner:
            assert log.read_head(inner).size == 1
        log.write_receipt(transaction, "c", b"", 2, 2, "{}")

    assert head_size(database) == 2


def test_a_reader_sees_one_moment_while_others_write(database: Database, ledger_url: str) -> None:
    other = Database(ledger_url)
    with database.reading() as transaction:
        before = log.read_head(transaction).size
        append(other, [added("a")])
        assert log.read_head(transaction).size == before
        assert len(log.read_all(transaction)) == before
    other.close()
    assert head_size(database) == before + 1


def test_a_failed_statement_spoils_only_its_own_transaction(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(Exception, match="no_such_column"), database.writing() as transaction:
            transaction.run("SELECT no_such_column FROM events").fetchone()
        append(database, [added("a")])

    assert head_size(database) == 4


def test_an_error_that_shows_only_at_the_commit_leaves_nothing(database: Database) -> None:
    with pytest.raises(Conflict), database.writing() as transaction:
        head = log.lock_head(transaction)
        log.append(transaction, head, [added("a")], log.Cause("c", "user_1", "{}"))
        log.write_receipt(transaction, "twice", b"", 2, 2, "{}")
        log.write_receipt(transaction, "twice", b"", 2, 2, "{}")

    assert head_size(database) == 1
    assert len(stored_events(database)) == 1


def test_any_number_of_conflicts_leaves_the_connection_good(database: Database) -> None:
    append(database, [added("a", "taken")])
    for number in range(12):
        with pytest.raises(Conflict):
            append(database, [added("a", "taken", expected_version=0)])
        append(database, [added(f"{number}")])

    assert head_size(database) == 14


def test_a_refusal_with_a_failed_statement_behind_it_leaves_the_connection_good(database: Database) -> None:
    """On PostgreSQL the statement's error has not shown yet when the refusal is raised."""
    append(database, [added("a")], "first")
    for number in range(12):
        with pytest.raises((Conflict, ZeroDivisionError)), database.writing() as transaction:
            log.lock_head(transaction)
            with suppress(Exception):  # on SQLite it shows at once
                log.write_receipt(transaction, "first", b"", 2, 2, "{}")
            raise ZeroDivisionError
        append(database, [added(f"{number}")])

    assert head_size(database) == 14


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_lost_server_connection_is_replaced_and_told_to_who_was_in_the_middle(
    database: Database, ledger_url: str
) -> None:
    append(database, [added("a")])
    end_connections(ledger_url)  # between two transactions
    assert head_size(database) == 2

    with pytest.raises(LedgerUnavailable) as caught, database.writing() as transaction:
        log.lock_head(transaction)
        end_connections(ledger_url)  # in the middle of one
        log.read_head(transaction)
    assert caught.value.code == "connection-lost" and caught.value.hint
    assert "\n" not in str(caught.value)
    append(database, [added("b")])
    assert head_size(database) == 3


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_writers_wait_for_each_other_whatever_isolation_the_server_prefers(ledger_url: str) -> None:
    owner = Database(ledger_url, role=None)
    name = make_url(ledger_url).database
    with owner.writing() as transaction:
        transaction.run(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        transaction.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    owner.close()
    database = Database(ledger_url)
    in_threads(6, lambda number: [append(database, [added(f"{number}")]) for _ in range(5)] and None)  # type: ignore[func-returns-value]

    assert head_size(database) == 31
    database.close()


def test_the_same_bytes_are_kept_once_and_come_back(database: Database) -> None:
    content = bytes(range(256)) * 10
    with database.writing() as transaction:
        digests = {keep(transaction, content), keep(transaction, content), keep(transaction, b"")}
    with database.writing() as transaction:
        digests.add(keep(transaction, content))

    assert len(digests) == 2
    with database.reading() as transaction:
        assert sorted(fetch(transaction, digest) for digest in digests) == [b"", content]


def test_bytes_that_are_not_there_are_named(database: Database) -> None:
    with database.reading() as transaction, pytest.raises(Exception, match="0000 are missing"):
        fetch(transaction, "0" * 64)


def test_arguments_may_hold_percent_signs_and_question_marks(database: Database) -> None:
    with database.reading() as transaction:
        assert transaction.run("SELECT ?, '100%'", ("50% ?",)).fetchone() == ("50% ?", "100%")
