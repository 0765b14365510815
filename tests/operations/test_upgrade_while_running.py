"""A program that still runs while a newer version upgraded its ledger appends nothing, and loses nothing."""

import orjson
import pytest

from commands.door.submit import Daybook
from commands.lab.subjects import RegisterSubject
from ledger import log
from ledger.database import Database
from ledger.errors import LedgerUnavailable
from ledger.head import store_head


@pytest.mark.tampers
def test_a_running_program_is_refused_by_lists_of_a_newer_one(daybook: Daybook, ledger_url: str) -> None:
    first = daybook.submit(RegisterSubject(name="1"))
    owner = Database(ledger_url, role=None)
    with owner.writing() as transaction:
        head = log.lock_head(transaction)
        versions = orjson.loads(head.projections)
        versions["sessions"] += 1
        head.projections = orjson.dumps(versions).decode()
        store_head(transaction, head)
    owner.close()

    with pytest.raises(LedgerUnavailable):
        daybook.submit(RegisterSubject(name="2"))

    with daybook.database.reading() as transaction:
        assert log.read_head(transaction).size == first.last
