"""Creating a ledger: once, twice, at the same time, and after a crash at any step."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving import setup
from commands.moving.setup import initialise, key_path
from ledger import checkpoint, log
from ledger.database import Database
from ledger.errors import LedgerUnavailable
from ledger.events import body_of
from ledger.verify import verify
from tests.conftest import create_database
from tests.ledger.crashing import DIED, die_at
from tests.ledger.writing import elsewhere, is_sqlite, join_all, stored_events


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
    key = checkpoint.read_key(key_path(url, folder))
    assert body_of(events[0]) == {"origin": origin, "public_key": checkpoint.public_key_text(key)}
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
    children = [elsewhere(create_or_give_way, new_url, tmp_path) for _ in range(3)]
    join_all(children)

    create(new_url, tmp_path)
    assert_complete(new_url, tmp_path)


def create_or_give_way(url: str, folder: Path) -> None:
    try:
        create(url, folder)
    except (log.Conflict, LedgerUnavailable, checkpoint.CheckpointError) as error:
        assert str(error)


STEPS: dict[str, tuple[Any, str]] = {
    "the migration": (setup, "_migrate"),
    "the head row": (log, "create_head"),
    "the key": (checkpoint, "write_new_key"),
    "opening": (Daybook, "open"),
    "the first event": (Daybook, "submit"),
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
            made = original(*arguments, **options)
            if isinstance(made, Daybook):
                made.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, dies)
    with pytest.raises(KeyboardInterrupt):
        create(new_url, tmp_path)
    monkeypatch.undo()

    create(new_url, tmp_path)
    assert_complete(new_url, tmp_path)


def create_and_die(url: str, folder: Path, statement: int) -> None:
    die_at(statement, after=False)
    create(url, folder)
    os._exit(0)


def test_a_process_that_dies_while_it_creates_a_ledger_leaves_no_obstacle(
    new_url: str, tmp_path: Path
) -> None:
    if not is_sqlite(new_url):
        pytest.skip("the statements are the same; one database is enough")
    statement = 0
    exit_code: int | None = DIED
    while exit_code == DIED:
        statement += 3
        folder = tmp_path / f"{statement}"
        folder.mkdir()
        url = f"sqlite:///{folder / 'daybook.db'}"
        child = elsewhere(create_and_die, url, folder, statement)
        child.join()
        exit_code = child.exitcode
        create(url, folder)
        assert_complete(url, folder)
    assert statement > 9


def test_the_key_of_another_ledger_is_not_taken(new_url: str, tmp_path: Path) -> None:
    checkpoint.write_new_key(tmp_path / "daybook.key", "daybook/elsewhere")

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
