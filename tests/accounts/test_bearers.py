"""What lets its bearer in again and again does so where its use cannot be noted: a full disk shuts nobody out."""

import pytest

from commands.accounts.sign_ins import actor_by_sign_in
from commands.accounts.tokens import actor_by_token, create_token
from commands.door.submit import Daybook
from ledger import secrets
from ledger.errors import LedgerUnavailable
from tests.accounts.people import joined, signed_in


def test_a_token_and_a_sign_in_let_in_although_their_use_cannot_be_noted(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = create_token(signed_in(daybook, "user_1"), "laptop")
    _, sign_in = joined(daybook, "user_2")
    assert token is not None
    tried: list[str] = []

    def full(_transaction: object, public: str, _at: str) -> None:
        tried.append(public)
        raise LedgerUnavailable("disk-full", "The disk is full.", "Make room.")

    monkeypatch.setattr(secrets, "mark_used", full)

    came = [
        actor_by_token(daybook.ledger, token, interface="api"),
        actor_by_sign_in(daybook.ledger, sign_in, "bearer", interface="api"),
    ]

    assert [actor.user for actor in came if actor is not None] == ["user_1", "user_2"]
    assert len(tried) == 2


def test_what_came_for_a_program_is_no_cookie(daybook: Daybook) -> None:
    _, sign_in = joined(daybook, "user_2")

    assert actor_by_sign_in(daybook.ledger, sign_in, "bearer", interface="api") is not None
    assert actor_by_sign_in(daybook.ledger, sign_in, "cookie", interface="pages") is None


def test_a_secret_is_good_until_its_time_and_no_longer() -> None:
    end = "2026-01-01T00:00:00.000000Z"
    kept = secrets.Secret("t1", secrets.TOKEN, "user_1", "x", {}, "2025-01-01T00:00:00.000000Z", end)

    assert not kept.has_expired("2025-12-31T23:59:59.999999Z")
    assert kept.has_expired(end)
