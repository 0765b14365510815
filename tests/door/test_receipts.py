"""A receipt is its actor's, and holds nothing that would have to be erased."""

import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.people import ErasePerson, SetPerson
from ledger.errors import Conflict
from tests.ledger.writing import Register


def test_receipt_is_given_again_to_its_actor_alone(daybook: Daybook) -> None:
    command = Register(name="12345", values=1)
    first = daybook.submit(command)
    stranger = Daybook(daybook.ledger, Actor("user_2"))

    refused = []
    for other in (command, Register(name="6", command_id=command.command_id)):
        with pytest.raises(Conflict) as caught:
            stranger.submit(other)
        refused.append(caught.value)

    assert [conflict.code for conflict in refused] == ["command-id-reused"] * 2
    assert str(refused[0]) == str(refused[1])  # whether it was this command is not told either
    assert "user_1" not in str(refused[0]) and "12345" not in str(refused[0])
    assert daybook.submit(command) == Daybook(daybook.ledger, Actor("user_1", "cli")).submit(command)
    assert daybook.submit(command).last == first.last


def test_receipt_of_what_one_may_not_do_any_more_is_still_ones_own(daybook: Daybook) -> None:
    """It tells what was done, and does nothing."""
    command = Register(name="1")
    daybook.submit(command)

    again = Daybook(daybook.ledger, Actor("user_1")).submit(command)

    assert again.repeated


def test_names_and_addresses_of_people_are_in_no_receipt(daybook: Daybook) -> None:
    canary, address = "Jane-Doe-canary", "canary@example.org"
    command = SetPerson(user="user_1", name=canary, email=address)
    daybook.submit(command)
    daybook.submit(command)
    daybook.submit(ErasePerson(user="user_1"))

    with daybook.database.reading() as transaction:
        receipts = transaction.run("SELECT * FROM receipts").fetchall()
        events = transaction.run("SELECT * FROM events").fetchall()
    assert canary not in repr(receipts + events) and address not in repr(receipts + events)
