"""Creating a ledger: once, twice, at the same time, and after a crash at any step."""

import errno
import os
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.roles import GrantRole
from commands.moving import aside, setup
from commands.moving.setup import initialise, key_path
from commands.proving.checkpoints import make_checkpoint
from ledger import log, signing_keys
from ledger.bodies import body_of
from ledger.database import Database
from ledger.errors import LedgerUnavailable
from ledger.verify import verify
from tests.conftest import create_database
from tests.ledger import killing
from tests.ledger.test_unavailable import as_nobody
from tests.ledger.writing import Register, elsewhere, is_sqlite, join_all, stored_events

__all__ = ["as_nobody"]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'daybook.db'}"
    return create_database(request.getfixturevalue("postgresql_server"))


def create(url: str, folder: Path) -> None:
    initialise(url, Actor("user_1"), key_directory=folder)


def assert_complete(url: str, folder: Path) -> None:
    """One LedgerCreated, whose key is the one in the file, and everything verifies."""
    database = Database(url)
    events = stored_events(database)
    with database.reading() as transaction:
        origin = log.read_head(transaction).origin
    database.close()
    assert [event.type for event in events] == ["LedgerCreated"]
    key = signing_keys.read_key(key_path(url, folder))
    assert body_of(events[0]) == {"origin": origin, "public_key": signing_keys.public_key_text(key)}
    assert key.name == origin
    assert verify(url).problems == []


def test_a_new_ledger_is_complete_and_its_key_is_the_owners_alone(new_url: str, tmp_path: Path) -> None:
    assert initialise(new_url, Actor("user_1"), key_directory=tmp_path).created

    assert_complete(new_url, tmp_path)
    mode = (tmp_path / "daybook.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_ISREG(mode)


def test_a_second_time_changes_nothing(new_url: str, tmp_path: Path) -> None:
    create(new_url, tmp_path)
    key = (tmp_path / "daybook.key").read_bytes()

    for _ in range(2):
        assert not initialise(new_url, Actor("user_2"), key_directory=tmp_path).created

    assert (tmp_path / "daybook.key").read_bytes() == key
    assert_complete(new_url, tmp_path)


def test_a_second_time_does_not_need_the_key(new_url: str, tmp_path: Path) -> None:
    create(new_url, tmp_path)
    (tmp_path / "daybook.key").unlink()

    assert not initialise(new_url, Actor("user_1"), key_directory=tmp_path).created
    assert not (tmp_path / "daybook.key").exists()


def test_several_at_the_same_time_make_one_ledger(new_url: str, tmp_path: Path) -> None:
    children = [elsewhere(killing.create_or_give_way, new_url, tmp_path) for _ in range(3)]
    join_all(children)

    create(new_url, tmp_path)
    assert_complete(new_url, tmp_path)


STEPS: dict[str, tuple[Any, str]] = {
    "the migration": (setup, "_migrate"),
    "the head row": (log, "create_head"),
    "the key": (signing_keys, "write_new_key"),
    "the first event": (Daybook, "within"),
    "its place": (aside, "_put"),
    "the key's place": (setup, "find_key"),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_before_or_after_any_step_is_finished_by_the_next_run(
    new_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    owner, name = STEPS[step]
    original: Callable[..., Any] = getattr(owner, name)

    def dies(*arguments: Any, **options: Any) -> Any:
        if after:
            original(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, dies)
    with pytest.raises(KeyboardInterrupt):
        create(new_url, tmp_path)
    monkeypatch.undo()

    create(new_url, tmp_path)
    assert_complete(new_url, tmp_path)


def test_killed_at_any_step_there_is_no_ledger_or_a_whole_one(new_url: str, tmp_path: Path) -> None:
    def place(name: str) -> tuple[str, Path]:
        folder = tmp_path / name
        folder.mkdir()
        if is_sqlite(new_url):
            return f"sqlite:///{folder / 'daybook.db'}", folder
        with psycopg.connect(new_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {(database := f'k_{uuid.uuid4().hex[:12]}')}")
        return make_url(new_url).set(database=database).render_as_string(hide_password=False), folder

    join_all([elsewhere(killing.create, *place("counted"), None, tmp_path / "steps")])
    for step in killing.chosen(tmp_path / "steps", statements=4):
        url, folder = place(f"{step}")
        child = elsewhere(killing.create, url, folder, step)
        child.join()
        assert child.exitcode == killing.KILLED, step

        if (made := made_by(url)) is not None:
            assert verify(url).problems == [], step
        created = initialise(url, Actor("user_2"), key_directory=folder)
        assert (created.created, created.created_by) == (made is None, made or "user_2"), step
        assert_complete(url, folder)


def made_by(url: str) -> str | None:
    """Who made the ledger that is here; None where there is none."""
    database = Database(url)
    try:
        return stored_events(database)[0].actor
    except LedgerUnavailable as unavailable:
        assert unavailable.code == "no-ledger"
        return None
    finally:
        database.close()


def test_loser_of_two_takes_nothing_of_the_winners(new_url: str, tmp_path: Path) -> None:
    """The second is stopped between its last statement and its place, until the first is done."""
    with pytest.MonkeyPatch.context() as patched:
        original = setup._create

        def slowly(*arguments: Any) -> bool:
            patched.undo()
            initialise(new_url, Actor("winner"), key_directory=tmp_path)
            return original(*arguments)

        patched.setattr(setup, "_create", slowly)
        lost = initialise(new_url, Actor("loser"), key_directory=tmp_path)

    assert (lost.created, lost.created_by) == (False, "winner")
    assert_complete(new_url, tmp_path)
    assert not list(tmp_path.glob("*.new*"))


def test_folder_that_may_not_be_written_is_said_with_what_to_do(tmp_path: Path, as_nobody: None) -> None:
    with pytest.raises(LedgerUnavailable) as caught:
        create(f"sqlite:///{tmp_path / 'daybook.db'}", tmp_path)

    assert caught.value.code == "folder-not-writable"
    assert str(tmp_path) in caught.value.message and "writable" in caught.value.hint


def test_disk_without_hard_links_gets_a_ledger_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def no_link(source: Path, target: Path, **_: Any) -> None:
        if str(source).endswith(".new"):
            raise OSError(errno.EPERM, "Operation not permitted")
        link(source, target)

    monkeypatch.setattr(os, "link", no_link)
    url = f"sqlite:///{tmp_path / 'daybook.db'}"
    create(url, tmp_path)

    assert_complete(url, tmp_path)
    assert not list(tmp_path.glob("*.new*"))


@pytest.mark.tampers
def test_ledger_without_its_first_admin_takes_nothing_before_it_is_finished(
    new_url: str, tmp_path: Path
) -> None:
    """What older versions of the program left behind when they were stopped: tables and an empty log."""
    database = Database(new_url, role=None)
    with setup.tables_of_this_version(database):
        pass
    database.close()
    signing_keys.write_new_key(tmp_path / "other.key", "daybook/elsewhere")
    daybook = Daybook.open(new_url, Actor("user_1"))
    for attempt in (
        lambda: daybook.submit(Register(name="a", values=1)),
        lambda: daybook.submit(GrantRole(user="user_1", role="admin")),
        lambda: make_checkpoint(daybook, tmp_path / "other.key"),
    ):
        with pytest.raises(LedgerUnavailable, match="begun and never finished"):
            attempt()
    daybook.close()

    create(new_url, tmp_path)
    assert_complete(new_url, tmp_path)


def test_the_key_of_another_ledger_is_not_taken(new_url: str, tmp_path: Path) -> None:
    signing_keys.write_new_key(tmp_path / "daybook.key", "daybook/elsewhere")

    with pytest.raises(LedgerUnavailable, match="signing key of another ledger") as caught:
        create(new_url, tmp_path)
    assert caught.value.hint

    (tmp_path / "other").mkdir()
    (tmp_path / "daybook.key").rename(tmp_path / "other" / "daybook.key")
    create(new_url, tmp_path)
    assert_complete(new_url, tmp_path)


def test_two_ledgers_have_two_origins_and_two_keys(new_url: str, tmp_path: Path) -> None:
    create(new_url, tmp_path)
    (tmp_path / "other").mkdir()
    other = f"sqlite:///{tmp_path / 'other' / 'daybook.db'}"
    create(other, tmp_path)

    keys = {(tmp_path / place / "daybook.key").read_text() for place in (".", "other")}
    assert len(keys) == 2
    assert_complete(other, tmp_path)
