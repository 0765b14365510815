"""Who has which role, by whom and since when: the rows of users, from events alone."""

from ledger.envelope import StoredEvent, payload_digest
from ledger.events import Body, LedgerCreated, RoleGranted, RoleRevoked, UserInvited, UserJoined
from projections.apply import apply
from projections.records import User
from projections.rows import State

CREATED = LedgerCreated(origin="lab.example/daybook", public_key="")
INVITED = UserInvited(user="user_2", role="auditor", until="2026-02-01T00:00:00.000000Z")
JOINED = UserJoined(user="user_2", role="auditor", invited_by="user_1")


def day(number: int) -> str:
    return f"2026-01-{number:02}T00:00:00.000000Z"


def stored(position: int, actor: str, body: Body) -> StoredEvent:
    """On the day of the number of its position."""
    return StoredEvent(
        position=position, stream="user/user_2", stream_version=position, type=type(body).__name__, schema=1,
        command_id=str(position), correlation="", causation=0, actor=actor, via="{}", recorded_at=day(position),
        subject="", username="user_2", payload=body.payload(), payload_sha256=payload_digest(body.payload()),
    )  # fmt: skip


def user(name: str, *happened: tuple[str, Body]) -> User:
    state = State("a", complete=True)
    apply(
        state,
        [stored(at, actor, body) for at, (actor, body) in enumerate([("user_1", CREATED), *happened], 1)],
    )
    return state.users[name]


def role(name: str, *happened: tuple[str, Body]) -> tuple[str, str, str]:
    row = user(name, *happened)
    return row.role, row.granted_by, row.granted_at


def test_who_made_the_ledger_is_its_admin_since_then_and_everyone_a_researcher() -> None:
    assert role("user_1") == ("admin", "user_1", day(1))
    assert role("everyone") == ("researcher", "user_1", day(1))


def test_a_role_is_by_whom_and_since_when_it_was_granted_last() -> None:
    first = ("user_1", RoleGranted(user="user_2", role="admin"))
    second = ("user_3", RoleGranted(user="user_2", role="auditor"))

    assert role("user_2", first) == ("admin", "user_1", day(2))
    assert role("user_2", first, second) == ("auditor", "user_3", day(3))


def test_a_role_that_was_revoked_is_none_by_whom_and_since_when_it_was() -> None:
    granted = ("user_1", RoleGranted(user="user_2", role="admin"))

    assert role("user_2", granted, ("user_3", RoleRevoked(user="user_2", role="admin"))) == (
        "",
        "user_3",
        day(3),
    )


def test_who_joins_has_the_role_by_who_invited_since_the_joining() -> None:
    joined = [("user_1", INVITED), ("user_2", JOINED)]

    assert role("user_2", *joined) == ("auditor", "user_1", day(3))
    assert user("user_2", *joined).joined_at == day(3)


def test_who_joins_keeps_a_role_that_was_granted_in_between() -> None:
    granted = ("user_3", RoleGranted(user="user_2", role="admin"))

    assert role("user_2", ("user_1", INVITED), granted, ("user_2", JOINED)) == ("admin", "user_3", day(3))


def test_who_joins_again_joined_when_it_was_the_first_time() -> None:
    again = [("user_1", INVITED), ("user_2", JOINED)] * 2

    assert user("user_2", *again).joined_at == day(3)
