"""Two admins and a lab: user_1 asks for redactions, user_2 approves them."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import inspect

from commands.requests.approving import approve
from commands.requests.redaction import RequestRedaction
from ledger.database import Database
from ledger.envelope import StoredEvent
from tests.intake.conftest import lab
from tests.intake.lab import Lab

__all__ = ["lab"]
REASON = "The owner of the data withdrew consent."


@dataclass
class Office:
    lab: Lab

    def request(self, position: int, reason: str = REASON) -> int:
        """The number of the request."""
        result = self.lab.daybook.submit(RequestRedaction(position=position, reason=reason)).result
        return int(result.request[1:])

    def approve(self, number: int) -> Any:
        return approve(self.lab.as_user("user_2"), number, accept_impact=False, roots=self.lab.roots)

    def redact(self, position: int) -> Any:
        return self.approve(self.request(position))

    def first(self, kind: str) -> StoredEvent:
        return next(event for event in self.lab.events() if event.type == kind)

    def last(self, kind: str) -> StoredEvent:
        return next(event for event in reversed(self.lab.events()) if event.type == kind)

    def stored_payload(self, position: int) -> str | None:
        with self.lab.daybook.reading() as world:
            sql = "SELECT payload FROM events WHERE position = ?"
            found: str | None = world.transaction.run(sql, (position,)).fetchone()[0]
            return found


def tables_that_hold(url: str, text: str) -> list[str]:
    """All tables of the database that have the text in any column."""
    database = Database(url, role=None)
    held = []
    with database.engine.connect() as connection:
        for table in sorted(inspect(connection).get_table_names()):
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall():
                if text in repr([bytes(v) if isinstance(v, memoryview) else v for v in row]):
                    held.append(table)
                    break
    database.close()
    return held


@pytest.fixture
def office(lab: Lab) -> Office:
    lab.as_admin("user_2")
    return Office(lab)
