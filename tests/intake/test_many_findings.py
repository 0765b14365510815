"""A file with more findings than are kept with their text: what the event, the lists and the answers hold of them."""

from dataclasses import asdict

import orjson
import pytest

from commands.answers.record import upload_record
from commands.door.submit import Daybook
from commands.inputfile.kept_findings import MORE_FINDINGS
from commands.intake.uploading import upload
from commands.intake.validation import validate
from commands.recordings.roots import Roots
from ledger.bodies import NO_MORE, body_of
from ledger.redaction import skeleton
from tests.ledger.test_event_bodies import stored
from tests.ledger.writing import stored_events

WRONG = 12_000
TOTAL = WRONG + 1  # and the subject, which is not registered
FILE = b"subject: {name: '12345'}\nsessions:\n" + b"- 1\n" * WRONG


@pytest.fixture
def body(daybook: Daybook) -> dict[str, object]:
    report = upload(daybook, FILE, filename="a.yml", roots=Roots.of({}))
    assert not report.ok
    [rejected] = [event for event in stored_events(daybook.database) if event.type == "InputFileRejected"]
    assert len(rejected.payload or "") < 2_000_000
    found = body_of(rejected)
    assert report.more.total == TOTAL - 1_000 and asdict(report.more) == {
        **found["more"],
        "placed": tuple(found["more"]["placed"]),
    }
    return found


def test_event_keeps_a_thousand_with_text_ten_thousand_with_their_place_and_counts_the_rest(
    body: dict[str, list[dict[str, object]]],
) -> None:
    told = [finding for finding in body["findings"] if finding["code"] != MORE_FINDINGS]
    more = dict(body["more"])
    placed = more.pop("placed")

    assert len(told) == 1_000 and all(finding["message"] for finding in told)
    assert len(placed) == 9_000
    assert placed[0] == {"severity": "error", "code": told[-1]["code"], "line": 1_002, "column": 3}
    assert more == {"errors": TOTAL - 1_000, "warnings": 0, "notices": 0}


def test_lists_and_answers_count_all_of_them(daybook: Daybook, body: dict[str, object]) -> None:
    with daybook.reading() as world:
        [row] = world.state.uploads.where("1 = 1", [])
        record = upload_record(world, row.id)

    assert row.errors == record.errors == TOTAL
    assert record.more.errors == TOTAL - 1_000 and len(record.more.placed) == 9_000


def test_check_without_upload_counts_all_of_them(daybook: Daybook) -> None:
    checked = validate(daybook, FILE, filename="a.yml", roots=Roots.of({}))

    [event] = [event for event in stored_events(daybook.database) if event.type == "InputFileChecked"]
    assert body_of(event)["errors"] == TOTAL
    assert checked.more.errors == TOTAL - 1_000


def test_redaction_keeps_numbers_and_places(body: dict[str, dict[str, object]]) -> None:
    kept = skeleton(orjson.loads(orjson.dumps(body)), unique="(redacted) 1")

    assert {name: kept["more"][name] for name in ("errors", "warnings", "notices")} == {
        name: body["more"][name] for name in ("errors", "warnings", "notices")
    }
    assert [one["line"] for one in kept["more"]["placed"]] == [one["line"] for one in body["more"]["placed"]]
    assert kept["more"]["placed"][0]["code"] == "(redacted)"


@pytest.mark.parametrize("kind", ["InputFileValidated", "InputFileRejected"])
def test_what_the_first_version_wrote_has_no_more(kind: str) -> None:
    assert body_of(stored(kind, 1, '{"findings":[]}')) == {"findings": [], "more": NO_MORE}
