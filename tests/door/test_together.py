"""Threads that submit at the same time share a transaction, and notice nothing of each other."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from commands.door.actor import Actor
from commands.door.command import Command
from commands.door.submit import Daybook
from commands.door.world import Decision, Receipt, Result, World
from commands.lab.roles import GrantRole
from commands.lab.subjects import RegisterSubject
from ledger import log
from ledger.database import Database, Transaction
from ledger.errors import Conflict, LedgerUnavailable, Refusal
from tests.ledger.writing import added
from tests.patience import PATIENCE_S, until


class Broken(Command[Result]):
    """Writes a row behind the ledger's back, and then fails."""

    how: str

    def authorise(self, world: World) -> None:
        """Anybody may."""

    def decide(self, world: World) -> Decision[Result]:
        world.transaction.run(
            "INSERT INTO people (username, name) VALUES (?, ?)", (f"user_{self.command_id}", "nobody")
        )
        if self.how == "refusal":
            raise Refusal("broken", "It cannot be carried out.")
        if self.how == "fault":
            raise ZeroDivisionError
        if self.how == "database":
            world.transaction.run("INSERT INTO people (username) VALUES (?)", (f"user_{self.command_id}",))
        if self.how == "event":  # which is found out only when the event is appended
            return Decision([added("user_2", expected_version=7)], Result())
        return Decision((), Result())


class Together:
    """What threads submit while somebody else holds the append lock, and how each of them ended."""

    def __init__(self, daybook: Daybook) -> None:
        self.daybook = daybook
        self.ended: dict[int, Any] = {}
        self.transactions = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        writing = Database.writing

        @contextmanager
        def counting(database: Database) -> Iterator[Transaction]:
            with writing(database) as transaction:
                yield transaction
            self.transactions += 1

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Database, "writing", counting)
            yield

    def submit(self, *commands: Command[Any], actor: str = "user_1") -> list[Any]:
        threads = [
            threading.Thread(target=self._submit, args=(number, command, actor))
            for number, command in enumerate(commands)
        ]
        queue = self.daybook.ledger.together
        with self.daybook.database.writing() as transaction:
            log.lock_head(transaction)
            with self.counted():
                for number, thread in enumerate(threads):
                    thread.start()
                    until(lambda number=number: queue.waiting == number and queue._is_led)
        for thread in threads:
            thread.join(PATIENCE_S)
        return [self.ended[number] for number in range(len(commands))]

    def _submit(self, number: int, command: Command[Any], actor: str) -> None:
        try:
            self.ended[number] = Daybook(self.daybook.ledger, Actor(actor)).submit(command)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.ended[number] = error


@pytest.fixture
def together(daybook: Daybook) -> Together:
    return Together(daybook)


def size(daybook: Daybook) -> int:
    with daybook.reading() as world:
        return world.head.size


def names(daybook: Daybook) -> list[str]:
    with daybook.reading() as world:
        return [row[0] for row in world.transaction.run("SELECT username FROM people").fetchall()]


def test_commands_that_wait_are_carried_out_in_one_transaction(together: Together, daybook: Daybook) -> None:
    before = size(daybook)

    with together.counted():
        receipts = together.submit(*(RegisterSubject(name=f"{number}") for number in range(6)))

    assert [receipt.first for receipt in receipts] == list(range(before + 1, before + 7))
    assert [receipt.result.position for receipt in receipts] == [receipt.last for receipt in receipts]
    assert size(daybook) == before + 6
    with daybook.reading() as world:
        events = log.read_all(world.transaction, before, 10)
    assert [event.position for event in events] == list(range(before + 1, before + 7))
    assert [event.command_id for event in events] == [receipt.command_id for receipt in receipts]


@pytest.mark.parametrize("how", ["refusal", "fault", "event", "database"])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_one_bad_command_spoils_no_other(together: Together, daybook: Daybook, how: str, at: int) -> None:
    before = size(daybook)
    commands: list[Command[Any]] = [RegisterSubject(name=f"{number}") for number in range(5)]
    commands[at] = Broken(how=how)

    ended = together.submit(*commands)

    bad = ended.pop(at)
    kinds = {"refusal": Refusal, "fault": ZeroDivisionError, "event": Conflict, "database": Conflict}
    assert isinstance(bad, kinds[how]), bad
    assert all(isinstance(receipt, Receipt) for receipt in ended)
    assert sorted(receipt.first for receipt in ended) == list(range(before + 1, before + 5))
    assert names(daybook) == []


def test_who_may_not_is_refused_and_recorded_among_others(together: Together, daybook: Daybook) -> None:
    before = size(daybook)

    ended = together.submit(*(GrantRole(user="user_9", role="admin") for _ in range(3)), actor="user_7")

    assert [error.code for error in ended] == ["not-permitted"] * 3
    with daybook.reading() as world:
        events = log.read_all(world.transaction, before, 10)
    assert [event.type for event in events] == ["ActionRefused"] * 3


def test_the_same_command_twice_among_others_is_carried_out_once(
    together: Together, daybook: Daybook
) -> None:
    before = size(daybook)
    twice = RegisterSubject(name="12345", command_id="twice")

    first, again, other = together.submit(twice, twice, RegisterSubject(name="12346"))

    assert (first.first, again.first, other.first) == (before + 1, before + 1, before + 2)
    assert (first.repeated, again.repeated) == (False, True)


def test_two_that_take_the_same_key_follow_each_other(together: Together, daybook: Daybook) -> None:
    first, second = together.submit(RegisterSubject(name="12345"), RegisterSubject(name="12345"))

    assert first.result.added == 1 and second.result.added == 0


def test_a_ledger_that_cannot_be_written_is_told_to_all_who_wait(
    together: Together, daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = size(daybook)
    append, failing = log.append, [True]

    def commit_fails(transaction: Transaction, *words: Any) -> Any:
        stored = append(transaction, *words)
        if failing[0] and stored[0].position == before + 3:
            failing[0] = False
            raise LedgerUnavailable("disk-full", "The disk is full.") from _driver_error(daybook)
        return stored

    monkeypatch.setattr(log, "append", commit_fails)

    ended = together.submit(*(RegisterSubject(name=f"{number}") for number in range(4)))

    assert all(isinstance(receipt, Receipt) for receipt in ended)  # each alone, when there was space again
    assert sorted(receipt.first for receipt in ended) == list(range(before + 1, before + 5))


def _driver_error(daybook: Daybook) -> Exception:
    import sqlite3

    import psycopg

    return sqlite3.OperationalError() if daybook.database.dialect == "sqlite" else psycopg.OperationalError()


def test_the_lock_that_is_not_given_is_told_to_all_who_wait(
    together: Together, daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = size(daybook)
    lock_head: Callable[[Transaction], Any] = log.lock_head
    main = threading.current_thread()

    def busy(transaction: Transaction) -> Any:
        head = lock_head(transaction)
        if threading.current_thread() is not main:
            raise LedgerUnavailable("busy", "Others have been writing for long.")
        return head

    monkeypatch.setattr(log, "lock_head", busy)

    ended = together.submit(*(RegisterSubject(name=f"{number}") for number in range(4)))

    assert [error.code for error in ended] == ["busy"] * 4
    assert len({id(error) for error in ended}) == 4
    monkeypatch.undo()
    assert size(daybook) == before
    assert daybook.submit(RegisterSubject(name="1")).first == before + 1


def test_many_threads_leave_no_gap(daybook: Daybook) -> None:
    before, failures = size(daybook), []

    def write(number: int) -> None:
        try:
            for count in range(20):
                receipt = Daybook(daybook.ledger, Actor(f"user_{number % 3}")).submit(
                    RegisterSubject(name=f"{number}-{count}")
                )
                assert receipt.last == receipt.first
        except Exception as error:  # noqa: BLE001 - raised by the test
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert failures == []
    with daybook.reading() as world:
        events = log.read_all(world.transaction, before, 1000)
    assert [event.position for event in events] == list(range(before + 1, before + 241))
