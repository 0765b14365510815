"""Which removals the log accounts for, told from its events alone."""

from typing import Any

import pytest

from ledger.gaps import Gaps
from ledger.hashing import Noted

BLANK, REQUEST = 3, 7


def noted(at: int, stream: str, kind: str, actor: str, command: str, **body: Any) -> Noted:
    return Noted(at, stream, kind, command, f"d{REQUEST}", actor, body, damaged=False)


def granted(at: int, user: str, role: str, actor: str = "user_1") -> Noted:
    return noted(at, f"user/{user}", "RoleGranted", actor, f"g{at}", user=user, role=role)


SOUND = {
    "created": noted(1, "ledger", "LedgerCreated", "user_1", "c"),
    "granted": granted(2, "user_2", "admin"),
    "requested": noted(7, "deletion/7", "RedactionRequested", "user_1", "a", position=BLANK),
    "approved": noted(8, "deletion/7", "DeletionApproved", "user_2", "b"),
    "redacted": noted(9, "redaction/3", "PayloadRedacted", "user_2", "b", position=BLANK, deletion=REQUEST),
}


def problems(events: dict[str, Noted]) -> list[str]:
    return [problem.code for problem in Gaps([BLANK], [], [*events.values()], is_cut=False).problems([])]


def test_redaction_that_one_requested_and_another_approved_is_sound() -> None:
    assert problems(SOUND) == []


def test_request_of_one_who_was_no_admin_any_more_accounts_for_nothing() -> None:
    revoked = granted(5, "user_1", "researcher", actor="user_2")

    assert problems(SOUND | {"revoked": revoked}) == ["payload-missing", "redaction-unfounded"]


@pytest.mark.parametrize(
    ("event", "changed"),
    [
        ("requested", {"position": 10}),
        ("requested", {"body": {"position": 4}}),
        ("requested", {"stream": "deletion/8"}),
        ("requested", {"actor": "user_2"}),
        ("approved", {"command_id": "c"}),
        ("approved", {"actor": "user_3"}),
        ("approved", {"type": "DeletionRejected"}),
        ("redacted", {"correlation": "d8"}),
        ("redacted", {"stream": "redaction/4"}),
        ("redacted", {"position": BLANK}),
        ("granted", {"position": 10}),  # who approved was none yet
        ("granted", {"body": {"user": "user_2", "role": "researcher"}}),
        ("granted", {"body": {"user": "user_3", "role": "admin"}}),
    ],
    ids=str,
)
def test_redaction_that_is_not_so_accounts_for_nothing(event: str, changed: dict[str, Any]) -> None:
    events = SOUND | {event: SOUND[event]._replace(**changed)}

    assert problems(events) == ["payload-missing", "redaction-unfounded"]
