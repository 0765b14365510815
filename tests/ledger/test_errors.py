"""Refusals go from one process to another as they are."""

import pickle

import pytest

from ledger.envelope import StoredEvent
from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable, NextStep, Refusal
from projections.apply import DoesNotFold

EVENT = StoredEvent(
    7, "session/4", 2, "SessionInserted", 1, "c", "", 0, "user_1", "{}", "2026-01-31T12:00:00.000000Z", "12345",
    "user_1", b"", "{}",
)  # fmt: skip
STEPS = (NextStep("verify"), NextStep("show", "s4", {"at": None}))


@pytest.mark.parametrize(
    "refusal",
    [
        *(kind("code", "Message.", "Hint", *STEPS) for kind in (Refusal, Conflict, LedgerUnavailable)),
        IntegrityFailure("code", "Message."),
        DoesNotFold(EVENT, KeyError(4)),
    ],
    ids=lambda refusal: type(refusal).__name__,
)
def test_refusal_arrives_from_another_process_as_it_was_raised(refusal: Refusal) -> None:
    arrived = pickle.loads(pickle.dumps(refusal))

    assert type(arrived) is type(refusal)
    assert vars(arrived) == vars(refusal)
    assert (str(arrived), arrived.args) == (str(refusal), refusal.args)
