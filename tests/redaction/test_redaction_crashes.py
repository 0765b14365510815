"""Killed between any two steps of a redaction: the next one to open the ledger brings it to its end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import projections.rebuild as rebuilding
from commands.door import freshness
from commands.door import ledger as opened
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.roles import GrantRole
from commands.requests import redaction
from commands.requests.redaction import ApproveRedaction
from ledger import log
from ledger.database import Database
from ledger.errors import Conflict, LedgerUnavailable
from projections.rebuild import contents, rebuild
from projections.records import RECORDS, SLOTS
from projections.versions import versions
from tests.intake.lab import PROBES, session
from tests.redaction.conftest import Office

CANARY = "Jane-Doe-canary"


@pytest.fixture
def requested(office: Office) -> int:
    """The request to redact an inserted session's entry, whose location holds the canary."""
    office.lab.record(CANARY)
    association = {"probe_1": PROBES[0], "probe_2": PROBES[1]}
    office.lab.upload(session(CANARY, notes=CANARY, probe_association=association))
    return office.request(office.last("SessionInsertRequested").position)


def lists(office: Office) -> str:
    """Every row of every list, in both slots."""
    database = Database(office.lab.url)
    with database.reading() as transaction:
        found = repr([contents(transaction, slot) for slot in SLOTS])
    database.close()
    return found


def head(office: Office) -> log.Head:
    with (
        office.lab.daybook.database.reading() as transaction
    ):  # below the door, which would mend what it finds
        return log.read_head(transaction)


def killed(*_: object, **__: object) -> Any:
    raise KeyboardInterrupt


def test_killed_before_the_lists_are_made_anew_the_next_one_makes_them(
    office: Office, requested: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "bring_up_to_date", killed)
    with pytest.raises(KeyboardInterrupt):
        office.approve(requested)
    assert CANARY in lists(office)
    assert head(office).projections == log.REDACTED

    Daybook.open(office.lab.url, Actor("user_3")).close()

    assert CANARY not in lists(office)
    assert (head(office).projections, head(office).rebuild) == (versions(), "")
    office.lab.daybook.submit(GrantRole(user="user_3", role="auditor"))


@pytest.fixture
def unfinished(office: Office, requested: int, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Redacted by a program that was killed before it had the lists made anew."""
    monkeypatch.setattr(redaction, "bring_up_to_date", killed)
    with pytest.raises(KeyboardInterrupt):
        office.approve(requested)
    monkeypatch.undo()
    assert CANARY in lists(office)
    return office


def read(daybook: Daybook) -> None:
    with daybook.reading() as world:
        assert world.head.projections == versions()


def read_past(daybook: Daybook) -> None:
    with daybook.reading_past(2) as world:
        assert world.head.size == 2


def write(daybook: Daybook) -> None:
    daybook.submit(GrantRole(user="user_3", role="auditor"))


@pytest.mark.parametrize("work", [read, read_past, write])
def test_whoever_has_the_ledger_open_makes_the_lists_anew_and_goes_on(
    unfinished: Office, work: Callable[[Daybook], None]
) -> None:
    work(unfinished.lab.daybook)

    assert CANARY not in lists(unfinished)
    assert (head(unfinished).projections, head(unfinished).rebuild) == (versions(), "")


def test_many_threads_have_the_lists_made_anew_once(
    unfinished: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Database] = []

    def counted(database: Database) -> bool:
        made.append(database)
        return freshness.bring_up_to_date(database)

    monkeypatch.setattr(opened, "bring_up_to_date", counted)
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda _: read(unfinished.lab.daybook), range(12)))

    assert len(made) == 1


def test_lists_that_take_too_long_are_not_waited_for(
    unfinished: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "_WAIT_FOR_LISTS_S", 0.05)
    ledger = unfinished.lab.daybook.ledger
    with ledger._mending:  # another thread is at it
        for work in (read, write):
            with pytest.raises(LedgerUnavailable, match="redacted a moment ago") as caught:
                work(unfinished.lab.daybook)
            assert (caught.value.code, caught.value.hint) == ("redacted-meanwhile", "Try again in a minute.")

    write(unfinished.lab.daybook)


def test_rows_that_hold_what_was_redacted_are_not_kept_in_memory(office: Office, requested: int) -> None:
    """Two rebuilds lead back to the tables that they came from."""
    office.approve(requested)
    assert len(office.lab.as_user("user_2").ledger._kept) == 0

    rebuild(office.lab.daybook.database)
    office.lab.as_user("user_2").submit(GrantRole(user="user_3", role="auditor"))

    assert CANARY not in lists(office)


@pytest.mark.parametrize("emptied", [0, 5])
def test_killed_before_the_old_lists_are_empty_the_next_one_empties_them(
    office: Office, requested: int, monkeypatch: pytest.MonkeyPatch, emptied: int
) -> None:
    remove_remains = rebuilding.remove_remains

    def dies(database: Database) -> bool:
        monkeypatch.setattr(rebuilding, "RECORDS", RECORDS[:emptied])
        monkeypatch.setattr(Database, "overwrite_free_space", killed)
        return remove_remains(database)

    monkeypatch.setattr(rebuilding, "remove_remains", dies)
    with pytest.raises(KeyboardInterrupt):
        office.approve(requested)
    monkeypatch.undo()
    assert CANARY in lists(office)
    assert (head(office).projections, head(office).rebuild) == (versions(), log.EMPTYING)
    office.lab.daybook.submit(GrantRole(user="user_3", role="auditor"))  # nobody has to wait for that

    Daybook.open(office.lab.url, Actor("user_3")).close()

    assert CANARY not in lists(office)
    assert head(office).rebuild == ""


def test_file_that_cannot_be_written_anew_now_is_so_by_the_next_one(
    office: Office, requested: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The redaction itself is carried out, and the answer says what is left."""

    def full(_: Database) -> bool:
        raise LedgerUnavailable("disk-full", "The disk is full.")

    monkeypatch.setattr(Database, "overwrite_free_space", full)
    assert office.approve(requested).clean is False
    assert CANARY not in lists(office)
    assert head(office).rebuild == log.EMPTYING
    Daybook.open(office.lab.url, Actor("user_3")).close()  # it can be read all the same
    monkeypatch.undo()

    Daybook.open(office.lab.url, Actor("user_3")).close()

    assert head(office).rebuild == ""


def test_rebuild_that_had_read_the_payload_does_not_bring_it_back(
    office: Office, requested: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has folded the text already, and would swap it in behind the redaction."""
    swap = rebuilding._swap

    def redacted_before_the_swap(*arguments: Any) -> Any:
        monkeypatch.setattr(rebuilding, "_swap", swap)
        office.lab.as_user("user_2").submit(ApproveRedaction(request=requested))
        return swap(*arguments)

    monkeypatch.setattr(rebuilding, "_swap", redacted_before_the_swap)
    with pytest.raises(Conflict, match="Another rebuild"):
        rebuild(office.lab.daybook.database)

    assert head(office).projections == log.REDACTED
    Daybook.open(office.lab.url, Actor("user_3")).close()
    assert CANARY not in lists(office)


def test_rebuild_that_begins_meanwhile_is_not_emptied(
    office: Office, requested: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slot that the redaction left is the one that another rebuild fills."""
    begun = []
    remove_remains = rebuilding.remove_remains

    def another_begins(database: Database) -> bool:
        with database.writing() as transaction:
            log.name_rebuild(transaction, log.lock_head(transaction), "another")
        begun.append(remove_remains(database))
        return begun[0]

    monkeypatch.setattr(rebuilding, "remove_remains", another_begins)
    office.approve(requested)

    assert begun == [True]
    assert head(office).rebuild == "another"
    assert CANARY in lists(office)  # the other rebuild begins by emptying it
    monkeypatch.undo()
    rebuild(office.lab.daybook.database)
    assert CANARY not in lists(office)
