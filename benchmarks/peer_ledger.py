"""The peer: PyPI's ``eventsourcing``, with its own SQLite and PostgreSQL recorders, given the same facts."""

from functools import singledispatchmethod
from pathlib import Path
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from sqlalchemy.engine import make_url


class Session(Aggregate):
    """A session as an aggregate: one creation event with the facts of a SessionInsertRequested."""

    def __init__(self, subject: str, location: str, entry: dict[str, Any]) -> None:
        self.subject = subject
        self.location = location
        self.entry = entry
        self.status = "pending"

    @event("Annotated")
    def annotate(self, notes: str) -> None:
        self.notes = notes


def application(url: str | None, directory: Path) -> Application[Any]:
    """An application on a new SQLite file, or on the PostgreSQL database at ``url``."""
    if url is None:
        return Application(
            {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(directory / "peer.db")}
        )
    address = make_url(url)
    return Application(
        {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(address.database),
            "POSTGRES_HOST": str(address.query.get("host") or address.host),
            "POSTGRES_PORT": str(address.port or 5432),
            "POSTGRES_USER": str(address.username),
            "POSTGRES_PASSWORD": str(address.password or ""),
        }
    )


class Fold:
    """What a projection costs at the least: every event's state into one dictionary."""

    def __init__(self) -> None:
        self.status: dict[Any, str] = {}

    @singledispatchmethod
    def apply(self, _event: Any) -> None:
        return

    def run(self, app: Application[Any], *, page: int = 1000) -> int:
        """Read all notifications through the peer's own log and mapper; returns how many."""
        start, count = 1, 0
        while True:
            notifications = app.recorder.select_notifications(start, page)
            if not notifications:
                return count
            for notification in notifications:
                happened = app.mapper.to_domain_event(notification)
                self.status[happened.originator_id] = type(happened).__name__
            count += len(notifications)
            start = notifications[-1].id + 1
