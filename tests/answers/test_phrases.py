"""What an event says of its record's status is a sentence about the record, whichever the status is."""

from typing import Any

import pytest

from commands.answers.phrases import phrase
from ledger.events import TYPES

STATUSES = ("inserted", "pending", "waiting", "error", "withdrawn")
"""Those of a session or a clustering that is not deleted."""

# Every event that tells what its record was before, or is from now on, and the field that does.
TELLING = {
    "SessionDeleted": "was", "SessionRestored": "status", "ClusteringDeleted": "was", "ClusteringRestored": "status",
}  # fmt: skip


def test_no_other_event_tells_a_status_by_its_word() -> None:
    fields = {
        kind: [name for name in ("was", "status") if name in body.model_fields]
        for kind, body in TYPES.items()
    }
    assert {kind: found for kind, found in fields.items() if found} == {
        k: [name] for k, name in TELLING.items()
    }


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("kind", TELLING)
def test_a_status_is_told_in_a_sentence(kind: str, status: str) -> None:
    body: dict[str, Any] = {TELLING[kind]: status, "replaced_by": None}
    said = phrase(kind, body)
    assert said.startswith("it ") and said != status
    assert not said.endswith(("been error", "been pending", "been inserted again"))
    if kind.endswith("Restored"):
        assert "again" in said
    else:
        assert "had" in said


def test_what_a_correction_put_in_its_place_is_named() -> None:
    body = {"was": "inserted", "replaced_by": 12}
    assert phrase("SessionDeleted", body) == "it had been inserted, and s12 replaces it"
    assert phrase("ClusteringDeleted", body) == "it had been inserted, and c12 replaces it"
    assert phrase("SessionSuperseded", {"by": 12}) == "by s12"
    assert phrase("ClusteringSuperseded", {"by": 12}) == "by c12"
