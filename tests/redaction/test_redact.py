"""One payload is removed, by two admins; the event, its place and its hash stay."""

from typing import Any

import orjson
import pytest

from commands.door.permission import NotPermitted
from commands.intake.completion import annotate
from commands.lab.catalogue import RetireReferenceValue
from commands.lab.roles import GrantRole
from commands.requests.closing import SetApprovalPolicy
from commands.requests.correction.correct import correct
from commands.requests.redaction import ApproveRedaction, RequestRedaction
from commands.samples.clusterings import kilosort_output
from ledger import input_files, log
from ledger.bodies import body_of
from ledger.errors import Refusal
from ledger.verify import verify
from projections.rebuild import contents
from projections.records import SLOTS
from tests.intake.lab import PROBES, document, group, session, task
from tests.redaction.conftest import REASON, Office, tables_that_hold

CANARY = "Jane-Doe-canary"


class Undone(Exception):
    """Ends a transaction without a trace."""


def upload_one(office: Office, **fields: Any) -> int:
    """A session with the canary in its notes, inserted; its number."""
    office.lab.record("date_1")
    office.lab.upload(
        session(
            "date_1", notes=CANARY, probe_association={"probe_1": PROBES[0], "probe_2": PROBES[1]}, **fields
        )
    )
    return office.last("SessionInsertRequested").position


def refused(office: Office, position: int) -> str:
    with pytest.raises(Refusal) as caught:
        office.request(position)
    assert caught.value.hint
    return caught.value.code


def test_payload_is_gone_and_event_place_and_hash_stay(office: Office) -> None:
    number = upload_one(office)
    before = {event.position: event for event in office.lab.events()}
    root = verify(office.lab.url).root

    result = office.redact(number)

    after = {event.position: event for event in office.lab.events()}
    assert office.stored_payload(number) is None
    assert after[number]._replace(payload=None) == before[number]._replace(payload=None)
    assert [after[at] for at in before if at != number] == [before[at] for at in before if at != number]
    assert (result.kind, result.status, result.redacts) == ("redaction", "executed", number)
    assert office.lab.types(after=max(before)) == [
        "RedactionRequested",
        "DeletionApproved",
        "PayloadRedacted",
    ]
    report = verify(office.lab.url)
    assert report.ok and report.root != root


def test_what_is_kept_says_who_when_and_why(office: Office) -> None:
    number = upload_one(office)

    request = office.request(number)
    office.approve(request)

    redaction = office.last("PayloadRedacted")
    body = body_of(redaction)
    assert (body["position"], body["type"], body["stream"]) == (
        number, "SessionInsertRequested", f"session/{number}",
    )  # fmt: skip
    assert (body["reason"], body["requested_by"], body["deletion"]) == (REASON, "user_1", request)
    assert redaction.actor == "user_2"
    shown = body_of(next(event for event in office.lab.events() if event.position == number))
    assert shown.pop("redacted") == {
        "by": "user_2", "at": redaction.recorded_at, "reason": REASON, "requested_by": "user_1",
    }  # fmt: skip
    assert shown == body["kept"]
    assert CANARY not in orjson.dumps(shown).decode()


def test_no_table_holds_the_text_any_more(office: Office) -> None:
    number = upload_one(office, tasks=[task(task_start=0, task_stop=5, notes=CANARY)], project=["my_project"])
    annotate(office.lab.daybook, number, roots=office.lab.roots, room="2.345")
    for kind in (
        "SessionInsertRequested", "SessionInserted", "SessionAnnotated", "InputFileReceived",
    ):  # fmt: skip
        office.redact(office.last(kind).position)

    assert tables_that_hold(office.lab.url, CANARY) == []


@pytest.mark.parametrize("kind", ["SessionInsertRequested", "InputFileReceived"])
def test_whoever_asks_is_told_where_the_same_text_stands_too(office: Office, kind: str) -> None:
    lab = office.lab
    upload_one(office)
    first = office.last(kind)
    entry = session("date_1", notes="other words")
    lab.upload(entry)  # a duplicate that differs: its upload says from what
    for found in (session("date_1", notes=CANARY, room="2.345"), session("date_1", notes="other words")):
        request = correct(lab.daybook, document(found), filename="a.yml", roots=lab.roots, reason="as it was")
        assert request.request is not None
        office.approve(int(request.request[1:]))

    named = lab.daybook.submit(RequestRedaction(position=first.position, reason=REASON)).result.copies

    same = {e.position for e in lab.events() if CANARY in (e.payload or "")} - {first.position}
    if kind == "SessionInsertRequested":
        assert {e.type for e in lab.events() if e.position in same} >= {
            "InputFileValidated",
            "CorrectionRequested",
        }
        assert len(same) >= 4 and same <= set(named)
    else:
        assert min(same) in named


def test_slot_that_is_not_live_is_empty_afterwards(office: Office) -> None:
    office.redact(upload_one(office))

    with office.lab.daybook.reading() as world:
        live = world.head.live_slot
        assert (world.head.rebuild, world.head.projections != log.REDACTED) == ("", True)
        other = contents(world.transaction, SLOTS[1 - SLOTS.index(live)])
    assert {table: rows for table, rows in other.items() if rows} == {}


def test_file_on_sqlite_holds_the_text_nowhere(office: Office) -> None:
    number = upload_one(office)
    database = office.lab.daybook.database
    if database.dialect != "sqlite":
        pytest.skip("the bytes of a PostgreSQL server are its owner's to overwrite")
    path = database.address.database

    def held() -> int:
        found = 0
        for suffix in ("", "-wal", "-shm"):
            with open(path + suffix, "rb") as file:
                found += file.read().count(CANARY.encode())
        return found

    assert held()
    results = [office.redact(at) for at in (number, office.last("InputFileReceived").position)]
    assert held() == 0
    assert all(result.clean for result in results)


def test_stored_file_goes_with_the_last_receipt_that_names_it(office: Office) -> None:
    data = b"subject: {name: '12345'}\nsessions: []\n# " + CANARY.encode()
    first, second = (office.lab.upload_bytes(data) for _ in range(2))
    digest = body_of(office.last("InputFileReceived"))["sha256"]

    def kept() -> bool:
        with office.lab.daybook.reading() as world:
            rows = world.transaction.run(
                "SELECT content FROM input_files WHERE sha256 = ?", (digest,)
            ).fetchall()
        return bool(rows)

    assert office.redact(int(first.upload[1:])).file_erased is False
    assert kept()
    assert office.redact(int(second.upload[1:])).file_erased is True
    assert not kept()
    with (
        office.lab.daybook.reading() as world,
        pytest.raises(Refusal, match="removed with a redaction") as caught,
    ):
        input_files.fetch(world.transaction, digest)
    assert caught.value.code == "bytes-erased"

    again = office.lab.upload_bytes(data)
    assert [finding.code for finding in again.findings] == ["redacted-file"]
    assert not kept()


def test_a_file_is_erased_only_where_a_redaction_did_it_and_it_is_not_there_again(office: Office) -> None:
    upload = office.lab.upload_bytes(b"subject: {name: '12345'}\nsessions: []\n")
    digest, database = body_of(office.last("InputFileReceived"))["sha256"], office.lab.daybook.database

    def is_erased(sha256: str = digest) -> bool:
        with database.reading() as transaction:
            return input_files.erased(transaction, sha256)

    assert not is_erased() and not is_erased("0" * 64)
    office.redact(int(upload.upload[1:]))
    assert is_erased()
    with pytest.raises(Undone), database.writing() as transaction:
        input_files.keep(transaction, b"subject: {name: '12345'}\nsessions: []\n")
        assert not input_files.erased(transaction, digest)
        raise Undone


def test_redacted_event_can_not_be_redacted_again(office: Office) -> None:
    number = upload_one(office)
    office.redact(number)

    assert refused(office, number) == "already-redacted"


def test_second_request_for_a_position_is_refused_and_names_the_first(office: Office) -> None:
    number = upload_one(office)
    first = office.request(number)

    with pytest.raises(Refusal, match=f"d{first}"):
        office.request(number)
    office.approve(first)


def test_position_that_there_is_not_is_refused(office: Office) -> None:
    assert refused(office, 10_000) == "not-found"


def test_what_rights_and_redactions_rest_on_is_refused(office: Office) -> None:
    number = upload_one(office)
    office.lab.daybook.submit(GrantRole(user="user_3", role="auditor"))
    request = office.request(number)
    asked = office.last("RedactionRequested").position
    assert refused(office, asked) == "not-redactable"
    office.approve(request)

    codes = {
        kind: refused(office, office.last(kind).position)
        for kind in (
            "LedgerCreated",
            "RoleGranted",
            "RedactionRequested",
            "PayloadRedacted",
            "DeletionApproved",
        )
    }
    assert codes == dict.fromkeys(codes, "not-redactable") | {"DeletionApproved": "nothing-to-redact"}


def test_what_only_repeats_its_envelope_is_refused(office: Office) -> None:
    """The subject's name is the stream's: to blank it in the payload would only pretend."""
    assert refused(office, office.first("SubjectRegistered").position) == "nothing-to-redact"


def test_what_is_still_worked_on_is_refused(office: Office) -> None:
    office.lab.record("date_1", serials=("1", "2"))
    office.lab.upload(session("date_1", notes=CANARY))
    waiting = office.last("SessionWaiting")

    assert refused(office, waiting.position) == "unsettled"
    assert refused(office, int(waiting.stream.partition("/")[2])) == "unsettled"


def test_what_ended_something_is_redacted_after_what_began_it(office: Office) -> None:
    daybook = office.lab.daybook
    daybook.submit(RetireReferenceValue(table="reference.Experimenter", value="user_3"))
    added = next(
        e for e in office.lab.events() if e.type == "ReferenceValueAdded" and '"user_3"' in str(e.payload)
    )
    retired = office.last("ReferenceValueRetired")

    assert refused(office, retired.position) == "ends-something"
    office.redact(added.position)
    office.redact(retired.position)

    with daybook.reading() as world:
        rows = world.state.reference.where("reference = ?", ["reference.Experimenter"])
        assert [(row.value, row.retired) for row in rows] == [
            (f"(redacted) {added.position}", 0), ("user_1", 0), ("user_2", 0),
        ]  # fmt: skip


def test_two_admins_are_needed_whatever_the_policy_says(office: Office) -> None:
    office.lab.daybook.submit(SetApprovalPolicy(own_requests=True))
    request = office.request(upload_one(office))

    with pytest.raises(NotPermitted, match="another admin"):
        office.lab.daybook.submit(ApproveRedaction(request=request))
    office.approve(request)


@pytest.mark.parametrize("role", ["researcher", "auditor"])
def test_only_an_admin_asks_for_a_redaction_and_approves_it(office: Office, role: Any) -> None:
    number = upload_one(office)
    office.lab.daybook.submit(GrantRole(user="user_3", role=role))
    other = office.lab.as_user("user_3")

    with pytest.raises(NotPermitted, match=f"redact position {number}"):
        other.submit(RequestRedaction(position=number, reason=REASON))
    request = office.request(number)
    with pytest.raises(NotPermitted, match="approve"):
        other.submit(ApproveRedaction(request=request))
    assert office.stored_payload(number) is not None


def test_approval_looks_again_at_what_may_be_redacted(office: Office) -> None:
    number = upload_one(office)
    first = office.request(number)
    with office.lab.daybook.reading() as world:
        row = world.state.deletions[first]
    office.approve(first)

    with pytest.raises(Refusal, match="executed by user_2 already"):
        office.lab.as_user("user_2").submit(ApproveRedaction(request=row.id))


def test_group_whose_name_looks_like_a_redaction_keeps_it_for_itself(office: Office) -> None:
    """Two keys that are the same would end every rebuild."""
    names = office.lab.record_many(2)
    for folder in ("first", "second"):
        kilosort_output(office.lab.share.parent / "joint" / folder)
    office.lab.upload(
        *(session(name, name=name, clustering=False) for name in names), clustering=[group("first", names)]
    )
    first = office.last("ClusteringInsertRequested").position
    joke = group(
        f"(redacted) {first}", ["2023-05-01 10:00:00", "2023-05-02 10:00:00"], location="N:/joint/second"
    )
    office.lab.upload(clustering=[joke])

    office.redact(first)

    with office.lab.daybook.reading() as world:
        held = {row.group_name: row.clustering for row in world.state.groups.where("clustering > ?", [0])}
    second = office.last("ClusteringInsertRequested").position
    assert held == {f"(redacted) {first}": second, f"(redacted) {first}'": first}
