"""Every way in which a database is not a usable ledger is said in one line, with what to do."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.setup import initialise
from ledger import connections, database_errors
from ledger.database import Database
from ledger.errors import LedgerUnavailable, NextStep
from ledger.urls import checked
from ledger.verify import verify
from tests.conftest import create_database
from tests.ledger.writing import Register

NOBODY = 65534


def refusal_of(url: str) -> LedgerUnavailable:
    with pytest.raises(LedgerUnavailable) as caught:
        Daybook.open(url, Actor("user_1"))
    assert "Traceback" not in str(caught.value)
    assert "sqlalche.me" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    "text",
    ["", "sqlite://", "sqlite:///:memory:", "sqlite:/x", "mysql://u@h/d", "postgresql://u@h:port/d"],
)  # fmt: skip
def test_what_is_no_address_is_said_with_an_example(text: str) -> None:
    refusal = refusal_of(text)

    assert refusal.code == "database-url"
    assert "sqlite:///FILE" in refusal.hint
    assert "secret" not in str(refusal)


def test_a_file_that_is_not_there_is_no_ledger_and_is_not_made(tmp_path: Path) -> None:
    refusal = refusal_of(f"sqlite:///{tmp_path / 'none.db'}")

    assert (refusal.code, *refusal.steps) == ("no-ledger", NextStep("init"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    assert "is a folder" in refusal_of(f"sqlite:///{tmp_path}").message
    with pytest.raises(LedgerUnavailable, match="is a folder"):
        initialise(f"sqlite:///{tmp_path}", Actor("user_1"))


@pytest.mark.parametrize("content", [b"sessions: []\n" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "subject_1.yml"
    file.write_bytes(content)

    assert refusal_of(f"sqlite:///{file}").code == "not-a-database"
    with pytest.raises(LedgerUnavailable):
        initialise(f"sqlite:///{file}", Actor("user_1"))
    assert file.read_bytes() == content


def test_a_database_without_a_ledger_says_how_to_make_one(tmp_path: Path, postgresql_server: str) -> None:
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE other (x)")
    connection.close()

    for url in (f"sqlite:///{tmp_path / 'other.db'}", create_database(postgresql_server)):
        refusal = refusal_of(url)
        assert (refusal.code, *refusal.steps) == ("no-ledger", NextStep("init"))
        with pytest.raises(LedgerUnavailable, match="no ledger"):
            verify(url)


@pytest.mark.parametrize("place", ["/", "/dev/null", "/dev/null/daybook.db", "{}/pipe", "{}/" + "x" * 5000])
def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path, place: str) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(LedgerUnavailable) as caught:
        initialise(f"sqlite:///{place.format(tmp_path)}", Actor("user_1"), key_directory=tmp_path)

    assert caught.value.hint
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_a_folder_that_is_not_there_is_named_when_a_ledger_is_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="no folder") as caught:
        initialise(f"sqlite:///{tmp_path / 'none' / 'daybook.db'}", Actor("user_1"))
    assert "Create it" in caught.value.hint


@pytest.fixture
def as_nobody(tmp_path: Path) -> Iterator[None]:
    """File permissions mean nothing to root: become somebody for whom they do."""
    if os.geteuid() != 0:
        yield
        return
    for folder in (tmp_path, *tmp_path.parents):
        if folder == tmp_path or folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_ledger_that_may_only_be_read_says_so_when_it_is_written(
    ledger_templates: object, tmp_path: Path, as_nobody: None
) -> None:
    uid = os.geteuid()
    os.seteuid(os.getuid())
    url = ledger_templates("sqlite", tmp_path)  # type: ignore[operator]
    file = Path(str(make_url(url).database))
    file.chmod(0o444)
    tmp_path.chmod(0o777)  # the journal may be made
    os.seteuid(uid)

    daybook = Daybook.open(url, Actor("user_1"))
    with pytest.raises(LedgerUnavailable, match="read-only") as caught:
        daybook.submit(Register(name="1"))
    daybook.close()
    assert "writable" in caught.value.hint


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_ledger_that_may_not_be_read_says_so(
    ledger_templates: object, tmp_path: Path, as_nobody: None
) -> None:
    uid = os.geteuid()
    os.seteuid(os.getuid())
    url = ledger_templates("sqlite", tmp_path)  # type: ignore[operator]
    Path(str(make_url(url).database)).chmod(0o000)
    os.seteuid(uid)

    assert refusal_of(url).code == "not-readable"


def test_a_ledger_that_another_process_holds_is_busy(
    ledger_templates: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = ledger_templates("sqlite", tmp_path)  # type: ignore[operator]
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.05)
    daybook = Daybook.open(url, Actor("user_1"))
    holder = sqlite3.connect(str(make_url(url).database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerUnavailable, match="Another process has been writing") as caught:
        daybook.submit(Register(name="1"))
    assert caught.value.code == "busy"

    holder.close()
    assert daybook.submit(Register(name="1")).first == 2
    daybook.close()


def test_a_full_disk_is_said_and_nothing_is_written(ledger_templates: object, tmp_path: Path) -> None:
    url = ledger_templates("sqlite", tmp_path)  # type: ignore[operator]
    daybook = Daybook.open(url, Actor("user_1"))
    with daybook.database.reading() as transaction:
        driver = transaction._driver
        driver.set_authorizer(None)
        pages = transaction.run("PRAGMA page_count").fetchone()[0]
    driver.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(LedgerUnavailable, match=r"disk .* is full") as caught:
        daybook.submit(Register(name="1", values=2_000))
    assert caught.value.code == "disk-full"

    with suppress(sqlite3.ProgrammingError):  # some space was freed; a connection that was given up is closed
        driver.execute("PRAGMA max_page_count = 1000000000")
    assert daybook.submit(Register(name="1", values=2_000)).first == 2
    daybook.close()
    assert verify(url).problems == []


def test_a_damaged_file_is_said_to_be_damaged(ledger_templates: object, tmp_path: Path) -> None:
    url = ledger_templates("sqlite", tmp_path)  # type: ignore[operator]
    file = Path(str(make_url(url).database))
    content = bytearray(file.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    file.write_bytes(content)

    assert refusal_of(url).code == "not-a-database"


def test_a_server_that_is_not_there_cannot_be_reached(silent_port: int) -> None:
    refusal = refusal_of(f"postgresql://user_1:secret@127.0.0.1:{silent_port}/daybook")

    assert refusal.code == "connection-refused"
    assert "secret" not in str(refusal)


def test_a_server_that_never_answers_cannot_be_reached_either() -> None:
    error = psycopg.errors.ConnectionTimeout("connection timeout expired")
    refusal = database_errors.refusal_of(error, checked("postgresql://user_1@h/d"))

    assert refusal is not None
    assert refusal.code == "timeout"


def test_a_login_that_the_server_does_not_know_is_no_reason_to_run_init(postgresql_server: str) -> None:
    url = make_url(create_database(postgresql_server)).set(username="stranger")
    refusal = refusal_of(url.render_as_string(hide_password=False))

    assert refusal.code == "unknown-login"
    assert "init" not in refusal.hint


def test_a_database_that_the_server_does_not_have_is_named(postgresql_server: str) -> None:
    url = make_url(postgresql_server).set(database="none_of_that_name")
    refusal = refusal_of(url.render_as_string(hide_password=False))

    assert refusal.code == "no-such-database"
    assert "none_of_that_name" in refusal.message


def test_a_login_without_the_role_is_told_whom_to_ask(ledger_templates: object, tmp_path: Path) -> None:
    url = ledger_templates("postgresql", tmp_path)  # type: ignore[operator]
    owner = Database(url, role=None)
    name = f"guest_{tmp_path.name[-6:]}_{os.getpid()}"
    with owner.writing() as transaction:
        transaction.run(f"CREATE ROLE {name} LOGIN")
    try:
        refusal = refusal_of(make_url(url).set(username=name).render_as_string(hide_password=False))
        assert refusal.code == "no-role"
        assert "GRANT daybook_app" in refusal.hint
    finally:
        with owner.writing() as transaction:
            transaction.run(f"DROP ROLE {name}")
        owner.close()


def test_an_owner_who_may_only_create_roles_can_create_a_ledger(
    ledger_templates: object, postgresql_server: str, tmp_path: Path
) -> None:
    (tmp_path / "keys").mkdir()
    ledger_templates("postgresql", tmp_path)  # type: ignore[operator]  # daybook_app is there from here on
    name = f"owner_{tmp_path.name[-6:]}_{os.getpid()}"
    url = make_url(create_database(postgresql_server))
    with psycopg.connect(postgresql_server, autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN CREATEROLE")
        # what PostgreSQL 16 and newer give to the creator of a role: to grant it, and not to take it on
        server.execute(f"GRANT daybook_app TO {name} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        server.execute(f"ALTER DATABASE {url.database} OWNER TO {name}")
        try:
            owners = url.set(username=name).render_as_string(hide_password=False)
            assert initialise(owners, Actor("user_1"), key_directory=tmp_path / "keys").created
            assert verify(owners).problems == []
        finally:
            server.execute(f"DROP DATABASE {url.database} WITH (FORCE)")
            server.execute(f"DROP ROLE {name}")


def test_addresses_may_hold_every_character(ledger_templates: object, tmp_path: Path) -> None:
    folder = tmp_path / "a b#c?d%41é"
    folder.mkdir()
    source = ledger_templates("sqlite", tmp_path)  # type: ignore[operator]
    shutil.copy(str(make_url(source).database), folder / "daybook.db")
    url = make_url("sqlite://").set(database=str(folder / "daybook.db"))

    daybook = Daybook.open(url.render_as_string(), Actor("user_1"))
    assert daybook.submit(Register(name="1")).first == 2
    daybook.close()


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_reader_beside_a_writer_in_a_folder_that_it_may_not_write_raises_no_alarm(
    ledger_templates: object, tmp_path: Path, as_nobody: None
) -> None:
    uid = os.geteuid()
    os.seteuid(os.getuid())
    url = ledger_templates("sqlite", tmp_path)  # type: ignore[operator]
    tmp_path.chmod(0o755)
    os.seteuid(uid)
    reader = Daybook.open(url, Actor("user_1"))

    with pytest.raises(LedgerUnavailable, match="while it was read"), reader.reading() as world:
        assert world.head.size == 1
        os.seteuid(os.getuid())
        writer = Daybook.open(url, Actor("user_2"))
        writer.submit(Register(name="1", values=200))
        writer.close()  # what it wrote is copied into the file
        os.seteuid(uid)
        world.transaction.run("SELECT payload FROM events").fetchall()

    with reader.reading() as world:
        assert world.head.size == 202
    reader.close()


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_ledger_in_a_folder_that_may_not_be_written_is_read_and_verified(
    ledger_templates: object, tmp_path: Path, as_nobody: None
) -> None:
    uid = os.geteuid()
    os.seteuid(os.getuid())
    url = ledger_templates("sqlite", tmp_path)  # type: ignore[operator]
    tmp_path.chmod(0o555)
    os.seteuid(uid)

    daybook = Daybook.open(url, Actor("user_1"))
    with daybook.reading() as world:
        assert world.head.size == 1
    with pytest.raises(LedgerUnavailable, match="read-only"):
        daybook.submit(Register(name="1"))
    daybook.close()

    assert verify(url).problems == []
