"""What is gone from the log without a redaction, and what a redaction says that is not so: ``verify`` finds it."""

from hashlib import sha256

import pytest

from ledger import input_files, log
from ledger.bodies import body_of
from ledger.database import Database
from ledger.envelope import NewEvent
from ledger.events import (
    DeletionApproved,
    InputFileErased,
    PayloadRedacted,
    RedactionRequested,
)
from ledger.verify import verify
from tests.ledger.writing import append, as_owner
from tests.redaction.conftest import Office

pytestmark = pytest.mark.tampers
FILE = b"subject: {name: '12345'}\nsessions: []\n# canary"


def found(url: str) -> list[tuple[str, int | None]]:
    return [(problem.code, problem.position) for problem in verify(url).problems]


@pytest.fixture
def uploaded(office: Office) -> int:
    return int(office.lab.upload_bytes(FILE).upload[1:])


def redacted_by(
    office: Office, position: int, requester: str, approver: str, *, requested: bool = True
) -> int:
    """The events of a redaction, appended past every command, and the payload removed by the owner. Returns the
    position of the last."""
    database = Database(office.lab.url)
    number = office.lab.size() + 1
    body = RedactionRequested(position=position, reason="x")
    kept = body_of(next(e for e in office.lab.events() if e.position == position))
    if requested:
        correlation = {"correlation": f"d{number}"}
        append(database, [NewEvent(f"deletion/{number}", body, 0, **correlation)], actor=requester)
    redacted = PayloadRedacted(
        position=position, stream=f"upload/{position}", type="InputFileReceived", reason="x", requested_by=requester,
        deletion=number, kept=kept,
    )  # fmt: skip
    events = [
        NewEvent(f"deletion/{number}", DeletionApproved(), None),
        NewEvent(f"redaction/{position}", redacted, 0, correlation=f"d{number}"),
    ]
    append(database, events if requested else events[1:], actor=approver)
    database.close()
    as_owner(office.lab.url, ("UPDATE events SET payload = NULL WHERE position = ?", (position,)))
    return office.lab.size()


def test_redaction_of_one_admin_alone_is_found(office: Office, uploaded: int) -> None:
    last = redacted_by(office, uploaded, "user_1", "user_1")

    assert found(office.lab.url) == [("payload-missing", uploaded), ("redaction-unfounded", last)]


def test_redaction_that_nobody_requested_is_found(office: Office, uploaded: int) -> None:
    last = redacted_by(office, uploaded, "user_1", "user_2", requested=False)

    assert found(office.lab.url) == [("payload-missing", uploaded), ("redaction-unfounded", last)]


def test_redaction_that_somebody_forged_for_two_verifies_and_stays_in_the_log(
    office: Office, uploaded: int
) -> None:
    """The limit: a user name is a statement. The events that say so are there for everybody to see."""
    last = redacted_by(office, uploaded, "user_1", "user_2")

    assert found(office.lab.url) == []
    assert next(e for e in office.lab.events() if e.position == last).type == "PayloadRedacted"


def test_payload_that_came_back_is_found(office: Office, uploaded: int) -> None:
    payload = office.stored_payload(uploaded)
    office.redact(uploaded)

    as_owner(office.lab.url, ("UPDATE events SET payload = ? WHERE position = ?", (payload, uploaded)))

    assert ("payload-present", uploaded) in found(office.lab.url)


def test_file_that_is_gone_without_a_redaction_is_found(office: Office, uploaded: int) -> None:
    as_owner(office.lab.url, "DELETE FROM input_files")

    assert found(office.lab.url) == [("file-missing", uploaded)]


def test_file_that_was_not_erased_with_its_receipt_is_missed(office: Office, uploaded: int) -> None:
    again = int(office.lab.upload_bytes(FILE).upload[1:])
    office.redact(uploaded)
    redacted_by(office, again, "user_1", "user_2")
    assert found(office.lab.url) == []

    as_owner(office.lab.url, "DELETE FROM input_files")

    assert found(office.lab.url) == [("file-missing", uploaded), ("file-missing", again)]


def test_file_that_came_back_is_found_where_it_was_erased(office: Office, uploaded: int) -> None:
    office.redact(uploaded)
    with office.lab.daybook.database.writing() as transaction:
        input_files.keep(transaction, FILE)

    assert found(office.lab.url) == [("file-present", office.last("InputFileErased").position)]


def test_file_that_was_uploaded_again_may_be_there(office: Office, uploaded: int) -> None:
    office.redact(uploaded)
    office.lab.upload_bytes(FILE)

    assert found(office.lab.url) == []


def test_erasure_without_a_redaction_is_found(office: Office, uploaded: int) -> None:
    digest = sha256(FILE).hexdigest()
    database = Database(office.lab.url)
    [event] = append(
        database, [NewEvent(f"input-file/{digest}", InputFileErased(sha256=digest, deletion=1), None)]
    )
    database.close()
    as_owner(office.lab.url, "DELETE FROM input_files")

    assert found(office.lab.url) == [("file-missing", uploaded), ("erasure-unfounded", event.position)]


def test_damaged_redaction_is_named_and_not_what_it_accounts_for(office: Office, uploaded: int) -> None:
    office.redact(uploaded)
    positions = {
        kind: office.last(kind).position
        for kind in ("RedactionRequested", "DeletionApproved", "PayloadRedacted", "InputFileErased")
    }
    for kind, position in positions.items():
        for column, value in (
            ("stream", "'other'"), ("type", "'Other'"), ("command_id", "'other'"), ("actor", "'other'"),
            ("correlation", "'other'"), ("payload", "'[]'"),
        ):  # fmt: skip
            before = f"SELECT {column} FROM events WHERE position = {position}"
            with office.lab.daybook.reading() as world:
                stored = world.transaction.run(before).fetchone()[0]
            as_owner(office.lab.url, f"UPDATE events SET {column} = {value} WHERE position = {position}")
            first = found(office.lab.url)[0]
            assert first[1] == position, (kind, column, first)
            as_owner(
                office.lab.url, (f"UPDATE events SET {column} = ? WHERE position = ?", (stored, position))
            )
    assert found(office.lab.url) == []


def test_log_that_is_cut_behind_a_redaction_is_named_where_it_is_cut(office: Office, uploaded: int) -> None:
    office.redact(uploaded)
    gone = office.last("PayloadRedacted").position

    as_owner(office.lab.url, f"DELETE FROM events WHERE position = {gone}")

    assert found(office.lab.url)[0] == ("position-missing", gone)
    assert log.REDACTED not in str(verify(office.lab.url).problems)
