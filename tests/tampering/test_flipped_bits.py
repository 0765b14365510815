"""Any one bit of what is stored, flipped: ``verify`` names the event, the head row, the checkpoint or the file.

On SQLite some bits of each byte of some rows are flipped, and a sample of the others; DAYBOOK_LONG_TESTS flips all.
PostgreSQL gets a sample: what a bit means is the same there.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.log import STORED_COLUMNS
from ledger.verify import Report
from tests.length import LONG
from tests.tampering.flipping import Tampered, fill, flip_all, tampered

EVENTS = 15
WHOLE = (4,)  # positions
HEAD = (
    "id",
    "origin",
    "size",
    "compact_range",
    "recorded_at",
    "live_slot",
    "projections",
    "rebuild",
    "sha256",
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def victim(
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tampered]:
    folder = tmp_path_factory.mktemp("flipped")
    url = ledger_templates(request.param, folder)
    fill(url, folder)
    with tampered(url) as opened:
        assert opened.rows("SELECT count(*), max(position) FROM events") == [(EVENTS, EVENTS)]
        assert opened.examine().problems == []
        yield opened
        assert opened.examine().problems == []


def sampled(victim: Tampered, *, whole: bool) -> int:
    """Every bit, or every so-manieth: a prime, so that all places in a byte are among them."""
    if LONG:
        return 1 if victim.transaction.dialect == "sqlite" else 7
    if victim.transaction.dialect == "postgresql":
        return 211
    return 3 if whole else 61


def named_first(position: int | None, *codes: str) -> Callable[[Report, str], None]:
    def check(report: Report, what: str) -> None:
        assert report.problems, f"{what}: not noticed"
        first = report.problems[0]
        assert first.position == position, f"{what}: {first}"
        assert not codes or first.code in codes, f"{what}: {first}"

    return check


@pytest.mark.parametrize("position", range(1, EVENTS + 1))
def test_every_bit_of_an_event_is_named_at_its_position(victim: Tampered, position: int) -> None:
    every, stored = sampled(victim, whole=position in WHOLE), 0

    for column in STORED_COLUMNS:
        stored += flip_all(
            victim, "events", column, f"position = {position}", named_first(position), every=every
        )

    assert stored > 1_000 / every


def test_every_bit_of_the_head_row_is_named(victim: Tampered) -> None:
    for column in HEAD:
        every = sampled(victim, whole=column != "projections")  # a long text, in which all places are alike
        flip_all(victim, "head", column, "id = 1", named_first(None, "head-changed"), every=every)


def test_every_bit_of_a_checkpoint_is_named(victim: Tampered) -> None:
    for size in (6, 13):
        for column in ("size", "text"):
            every = sampled(victim, whole=size == 13)
            check = named_first(None, "checkpoint-unsound")
            assert flip_all(victim, "checkpoints", column, f"size = {size}", check, every=every)


def test_every_bit_of_a_file_is_named_at_the_event_that_received_it(victim: Tampered) -> None:
    [(digest,)] = victim.rows("SELECT sha256 FROM input_files")

    def check(report: Report, what: str) -> None:
        assert {(p.code, p.position) for p in report.problems} == {
            ("file-missing", 5),
            ("file-changed", None),
        }, what

    for column in ("sha256", "content"):
        every = sampled(victim, whole=True)
        assert flip_all(victim, "input_files", column, f"sha256 = '{digest}'", check, every=every)


def test_every_bit_of_a_receipt_but_its_answer_is_named(victim: Tampered) -> None:
    """What the receipt answers, and the hash of the command, stand nowhere else: see the decision on redactions."""
    [(command,)] = victim.rows("SELECT command_id FROM receipts WHERE first_position = 5")

    def check(report: Report, what: str) -> None:
        assert report.problems, what
        assert {problem.code for problem in report.problems} <= {"receipt-wrong", "receipt-missing"}, what

    for column in ("command_id", "first_position", "last_position"):
        every = sampled(victim, whole=False)
        assert flip_all(victim, "receipts", column, f"command_id = '{command}'", check, every=every)
