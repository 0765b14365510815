"""The stored bytes of an earlier upload go the whole way again, for their owner, against today's state."""

import pytest

from commands.door.command import Command
from commands.door.permission import NotPermitted
from commands.door.world import Decision, Result, World
from commands.intake.upload_report import UploadReport
from commands.intake.uploading import replay
from commands.lab.catalogue import RetireReferenceValue
from commands.requests.redaction import RequestRedaction
from ledger import input_files
from ledger.envelope import NewEvent
from ledger.errors import IntegrityFailure, Refusal
from ledger.events import SessionDeleted
from tests.correction.corrections import approve
from tests.intake.lab import Lab, document, load_catalogue, number, session


class DeleteSession(Command[Result]):
    session: int

    def authorise(self, world: World) -> None:
        pass

    def decide(self, world: World) -> Decision:
        row = world.state.sessions[self.session]
        event = SessionDeleted(was=row.status)
        return Decision(
            [NewEvent(f"session/{row.id}", event, row.version, row.subject, row.username)], Result()
        )


def erase(lab: Lab, upload: int) -> None:
    """Redact the receipt of an upload, and with it the bytes."""
    asked = lab.daybook.submit(RequestRedaction(position=upload, reason="a name"))
    approve(lab, int(asked.result.request[1:]))


def outcomes(report: UploadReport) -> list[str]:
    return [entry.outcome for entry in report.sessions]


def upload_number(report: UploadReport) -> int:
    return int(report.upload[1:])


def test_replay_of_what_stands_inserts_nothing(lab: Lab) -> None:
    lab.record_many(2)
    first = lab.upload(session("date_1"), session("date_2"))
    before = lab.size()

    report = replay(lab.daybook, upload_number(first), roots=lab.roots)

    assert report.ok and outcomes(report) == ["duplicate", "duplicate"]
    assert lab.types(before) == ["InputFileReceived", "InputFileValidated", "InputFileProcessed"]
    assert [entry.session for entry in report.sessions] == [entry.session for entry in first.sessions]


def test_replay_after_a_deletion_inserts_what_is_missing(lab: Lab) -> None:
    lab.record_many(3)
    first = lab.upload(*(session(f"date_{n}") for n in (1, 2, 3)))
    lab.daybook.submit(DeleteSession(session=number(first.sessions[1])))

    report = replay(lab.daybook, upload_number(first), roots=lab.roots)

    assert outcomes(report) == ["duplicate", "inserted", "duplicate"]
    assert number(report.sessions[1]) > number(first.sessions[1])
    with lab.daybook.reading() as world:
        assert world.state.sessions[number(first.sessions[1])].status == "deleted"
        assert world.state.sessions[number(report.sessions[1])].status == "inserted"


def test_replay_keeps_the_bytes_and_the_name_and_says_what_it_replays(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload_bytes(document(session("date_1")), filename="campaign.yml")

    again = replay(lab.daybook, upload_number(first), roots=lab.roots)

    with lab.daybook.reading() as world:
        rows = [world.state.uploads[upload_number(report)] for report in (first, again)]
    assert rows[0].sha256 == rows[1].sha256
    assert rows[1].filename == "campaign.yml"
    assert [row.replays for row in rows] == [None, upload_number(first)]


def test_replay_of_a_replay_names_the_first(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    second = replay(lab.daybook, upload_number(first), roots=lab.roots)

    third = replay(lab.daybook, upload_number(second), roots=lab.roots)

    with lab.daybook.reading() as world:
        assert world.state.uploads[upload_number(third)].replays == upload_number(first)


def test_rejected_upload_is_replayed_when_the_catalogue_was_mended(lab: Lab) -> None:
    lab.record("date_1")
    rejected = lab.upload(session("date_1", room="9.999"))
    assert not rejected.ok
    still = replay(lab.daybook, upload_number(rejected), roots=lab.roots)
    assert not still.ok and [finding.code for finding in still.findings] == ["unknown-value"]
    load_catalogue(lab.daybook, 'reference.ExperimentRoom: ["9.999"]')

    report = replay(lab.daybook, upload_number(rejected), roots=lab.roots)

    assert report.ok and outcomes(report) == ["inserted"]
    with lab.daybook.reading() as world:
        assert world.state.uploads[upload_number(still)].replays == upload_number(rejected)


def test_accepted_upload_is_rejected_when_a_value_of_what_is_missing_was_retired(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1", room="2.345"))
    lab.daybook.submit(DeleteSession(session=number(first.sessions[0])))
    lab.daybook.submit(RetireReferenceValue(table="reference.ExperimentRoom", value="2.345"))

    report = replay(lab.daybook, upload_number(first), roots=lab.roots)

    assert not report.ok
    assert [finding.code for finding in report.findings] == ["deleted-before", "retired-value"]


def test_what_an_admin_replays_is_its_owners(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    lab.daybook.submit(DeleteSession(session=number(first.sessions[0])))
    before = lab.size()

    report = replay(lab.as_admin("user_3"), upload_number(first), roots=lab.roots)

    assert outcomes(report) == ["inserted"]
    events = [event for event in lab.events(before) if event.type != "RoleGranted"]
    assert {event.actor for event in events} == {"user_3"}
    assert {event.username for event in events} == {"user_1"}
    assert outcomes(lab.upload(session("date_1"))) == ["duplicate"]


def test_replay_of_another_users_upload_is_not_permitted(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    before = lab.size()

    with pytest.raises(NotPermitted, match=f"user_2 may not replay an upload: {first.upload}"):
        replay(lab.as_user("user_2"), upload_number(first), roots=lab.roots)

    assert lab.types(before) == ["ActionRefused"]


def test_replay_of_what_is_no_upload_is_refused(lab: Lab) -> None:
    with pytest.raises(Refusal, match="There is no upload u999999"):
        replay(lab.daybook, 999999, roots=lab.roots)


def test_replay_of_erased_bytes_is_refused_and_says_why(lab: Lab) -> None:
    lab.record("date_1")
    uploads = [upload_number(lab.upload(session("date_1"))) for _ in range(2)]
    for upload in uploads:  # with the last receipt go the bytes
        erase(lab, upload)
    daybook = lab.as_user("user_1")
    before = lab.size()

    for upload in uploads:
        with pytest.raises(Refusal, match=f"stored bytes of u{upload} were erased") as caught:
            replay(daybook, upload, roots=lab.roots)
        assert caught.value.code == "bytes-erased"

    assert lab.size() == before


@pytest.mark.tampers
def test_bytes_that_are_gone_without_a_redaction_are_no_mere_refusal(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))

    def gone(*_: object) -> bytes:
        raise IntegrityFailure("bytes-missing", "The bytes of input file 00 are missing.")

    monkeypatch.setattr(input_files, "fetch", gone)
    with pytest.raises(IntegrityFailure):
        replay(lab.daybook, upload_number(first), roots=lab.roots)
