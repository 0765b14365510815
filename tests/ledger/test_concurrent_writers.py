"""Many processes write while others read: every event once, in order, with nothing between."""

import time

import pytest

from ledger import log
from ledger.database import Database
from tests.ledger.writing import elsewhere, join_all, stored_events, submit_many, submit_the_same
from tests.length import LONG

WRITERS = 8
COMMANDS = 1_000 if LONG else 50  # of 1, 2 or 3 events: 100 events a writer


def test_a_tailing_reader_sees_every_event_of_eight_writers_once_and_in_order(
    database: Database, ledger_url: str
) -> None:
    writers = [elsewhere(submit_many, ledger_url, f"user_{number}", COMMANDS) for number in range(WRITERS)]
    seen, position, running = [], 0, True
    while running:
        running = any(writer.is_alive() for writer in writers)  # asked first: the last round sees everything
        with database.reading() as transaction:
            while page := log.read_all(transaction, position, limit=7):
                seen += page
                position = page[-1].position
        time.sleep(0.002)
    join_all(writers)

    per_writer = sum(1 + number % 3 for number in range(COMMANDS))
    assert [event.position for event in seen] == list(range(1, 2 + WRITERS * per_writer))
    assert seen == stored_events(database)
    assert [event.recorded_at for event in seen] == sorted(event.recorded_at for event in seen)
    for number in range(WRITERS):
        own = [event.subject for event in seen if event.actor == f"user_{number}" and event.subject]
        assert own == [f"0/user_{number}_{command}" for command in range(COMMANDS)]


def test_one_command_sent_by_several_processes_at_once_is_carried_out_once(
    database: Database, ledger_url: str
) -> None:
    join_all([elsewhere(submit_the_same, ledger_url, "the same") for _ in range(4)])

    assert len(stored_events(database)) == 4


@pytest.mark.parametrize("page", [1, 1_000])
def test_pages_of_a_growing_log_end_where_the_reader_began(
    database: Database, ledger_url: str, page: int
) -> None:
    writer = elsewhere(submit_many, ledger_url, "user_2", 10)
    with database.reading() as transaction:
        size = log.read_head(transaction).size
        found = [event.position for events in log.pages(transaction, 0, size, page) for event in events]
        assert found == list(range(1, size + 1))
    join_all([writer])
