"""Who is behind a username is known beside the log, and can be erased for good."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.accounts.standing import DisableUser
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.listed import list_people, list_roles
from commands.lab.people import ErasePerson, PersonErased, SetPerson, erase_person
from commands.lab.roles import GrantRole
from ledger.database import Database
from ledger.errors import Refusal
from ledger.tables import metadata
from projections.rebuild import rebuild
from tests.ledger.writing import head_size

NAME, EMAIL = "Xanthippe Yardarm-Zed", "xyz@nowhere.example"


def everything_stored(url: str) -> str:
    """Each row of each table, as text."""
    database = Database(url, role=None)
    try:
        with database.reading() as transaction:
            rows = [
                str([bytes(v) if isinstance(v, memoryview) else v for v in row])
                for table in metadata.tables
                for row in transaction.run(f'SELECT * FROM "{table}"').fetchall()
            ]
    finally:
        database.close()
    return "\n".join(rows)


def people(daybook: Daybook) -> list[tuple[str, str | None, str | None]]:
    with daybook.reading() as world:
        return [(p["user"], p["name"], p["email"]) for p in list_people(world)]


def test_what_is_not_given_stays_as_it_is(daybook: Daybook) -> None:
    daybook.submit(SetPerson(user="user_2", name=f" {NAME} "))
    daybook.submit(SetPerson(user="user_2", email=EMAIL))

    assert people(daybook) == [("user_2", NAME, EMAIL)]
    with daybook.reading() as world:
        assert [(row["user"], row["name"]) for row in list_roles(world)] == [
            ("user_1", None),
            ("everyone", None),
        ]


def test_a_name_adds_no_event_and_no_receipt(daybook: Daybook) -> None:
    command = SetPerson(user="user_2", name=NAME, email=EMAIL)

    first = daybook.submit(command)
    again = daybook.submit(command)

    assert first.result.changed and not again.result.changed
    assert (first.last, again.last, head_size(daybook.database)) == (0, 0, 1)


def test_names_are_in_no_table_but_their_own_and_erased_in_none(daybook: Daybook, ledger_url: str) -> None:
    daybook.submit(SetPerson(user="user_2", name=NAME, email=EMAIL))
    stranger = Daybook.open(ledger_url, Actor("user_3"))
    with pytest.raises(Refusal, match="may not say who user_2 is"):
        stranger.submit(SetPerson(user="user_2", name=NAME, email=EMAIL))
    stranger.close()
    rebuild(daybook.database)
    assert everything_stored(ledger_url).count(NAME) == everything_stored(ledger_url).count(EMAIL) == 1

    result = erase_person(daybook, "user_2")

    assert isinstance(result, PersonErased) and (result.user, result.changed) == ("user_2", True)
    stored = everything_stored(ledger_url)
    assert NAME not in stored and EMAIL not in stored and "user_2" in stored
    assert not erase_person(daybook, "user_2").changed


def test_what_is_erased_is_in_no_byte_of_the_files_of_sqlite(
    ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> None:
    daybook = Daybook.open(ledger_templates("sqlite", tmp_path), Actor("user_1"))
    users = [f"user_{number}" for number in range(120)]  # some pages, that split as they fill
    for user in users:
        daybook.submit(SetPerson(user=user, name=f"{NAME} {user}", email=EMAIL))
    daybook.submit(SetPerson(user="user_7", name="Somebody Else"))
    assert NAME.encode() in b"".join(path.read_bytes() for path in tmp_path.glob("daybook.db*"))

    for user in users[:-1]:
        daybook.submit(ErasePerson(user=user))
    erase_person(daybook, users[-1])

    files = {path.name: path.read_bytes() for path in tmp_path.glob("daybook.db*")}
    daybook.close()
    assert [name for name, data in files.items() if NAME.encode() in data or EMAIL.encode() in data] == []
    assert "daybook.db-wal" in files  # it was still open


def test_erasing_does_not_wait_for_somebody_who_is_reading(daybook: Daybook, ledger_url: str) -> None:
    daybook.submit(SetPerson(user="user_2", name=NAME))
    reader = Daybook.open(ledger_url, Actor("user_3"))
    with reader.reading() as world:
        assert len(list_people(world)) == 1
        erase_person(daybook, "user_2")
        assert len(list_people(world)) == 1  # of one moment, as all that it reads
    reader.close()
    assert people(daybook) == []


@pytest.mark.parametrize(
    ("name", "email", "code"),
    [
        ("", None, "person-name"),
        (" \t", None, "person-name"),
        ("a\nb", None, "person-name"),
        ("a\0b", None, "person-name"),
        ("x" * 201, None, "person-name"),
        (None, "", "person-email"),
        (None, "nowhere.example", "person-email"),
        (None, "@nowhere.example", "person-email"),
        (None, "a@", "person-email"),
        (None, "a@b@c", "person-email"),
        (None, "a b@c", "person-email"),
        (None, "a\0@c", "person-email"),
        (None, "x" * 250 + "@x.yz", "person-email"),
    ],
)
def test_what_is_no_name_or_address_is_refused_without_repeating_it(
    daybook: Daybook, name: str | None, email: str | None, code: str
) -> None:
    with pytest.raises(Refusal) as caught:
        daybook.submit(SetPerson(user="user_2", name=name, email=email))

    assert caught.value.code == code and caught.value.hint
    assert not (name or email or "").strip() or (name or email or "") not in str(caught.value)
    assert people(daybook) == []


@pytest.mark.parametrize("user", ["", " user_2", "a\nb", "everyone", "x" * 256])
def test_only_a_username_has_a_person_behind_it(daybook: Daybook, user: str) -> None:
    with pytest.raises(Refusal) as caught:
        daybook.submit(SetPerson(user=user, name=NAME))

    assert caught.value.code == "user-name"


def test_one_may_say_who_one_is_whatever_the_role_as_long_as_the_account_is_not_disabled(
    daybook: Daybook, ledger_url: str
) -> None:
    daybook.submit(GrantRole(user="user_2", role="auditor"))
    auditor = Daybook.open(ledger_url, Actor("user_2"))
    auditor.submit(SetPerson(user="user_2", name=NAME))
    daybook.submit(DisableUser(user="user_2"))

    with pytest.raises(Refusal, match="may not say who user_2 is"):
        auditor.submit(SetPerson(user="user_2", name="Other"))
    auditor.close()

    assert people(daybook) == [("user_2", NAME, None)]
