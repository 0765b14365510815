"""What was redacted of a subject is known again by every name that the subject had."""

import pytest

from commands.requests.approving import approve
from commands.requests.changes.renaming import RenameSubject
from tests.intake.lab import PROBES, SUBJECT, document, session
from tests.redaction.conftest import Office, tables_that_hold

RIGHT = "54322"
WORDS = "Jane Doe held the animal"
GIVEN = {"probe_1": PROBES[0], "probe_2": PROBES[1]}


def rename(office: Office, name: str = SUBJECT, new: str = RIGHT) -> None:
    lab = office.lab
    made = lab.daybook.submit(RenameSubject(subject=name, new_name=new, reason="mistyped")).result
    approve(lab.as_user("user_2"), int(str(made.request)[1:]), accept_impact=False, roots=lab.roots)


def redact(office: Office) -> None:
    office.lab.upload(session("date_1", probe_association=GIVEN, notes=WORDS), subject=_name(office))
    office.redact(office.last("SessionInsertRequested").position)
    office.redact(office.last("InputFileReceived").position)
    assert tables_that_hold(office.lab.url, WORDS) == []


def _name(office: Office) -> str:
    with office.lab.daybook.reading() as world:
        return SUBJECT if world.state.subjects.get(f"0/{SUBJECT}") is not None else RIGHT


@pytest.mark.parametrize("written", [SUBJECT, RIGHT])
@pytest.mark.parametrize("first", ["redacted", "renamed"])
def test_file_that_brings_it_again_under_either_name_is_kept_without_it(
    office: Office, written: str, first: str
) -> None:
    office.lab.record_many(2)
    if first == "redacted":
        redact(office)
        rename(office)
    else:
        office.lab.upload(session("date_2", probe_association=GIVEN))
        rename(office)
        redact(office)

    again = office.lab.upload(
        session("date_1", notes=WORDS),
        session("date_2", notes=WORDS, probe_association=GIVEN),
        subject=written,
    )

    assert again.ok is (written == RIGHT), again.findings
    assert {finding.code for finding in again.findings} >= {"redacted-text", "redacted-entry"}
    assert tables_that_hold(office.lab.url, WORDS) == []


def test_file_of_a_subject_that_was_taken_back_is_kept_without_it(office: Office) -> None:
    from commands.requests.changes.subjects import TakeBackSubject

    office.lab.record_many(1)
    redact(office)
    made = office.lab.daybook.submit(TakeBackSubject(subject=SUBJECT, reason="no such animal")).result
    office.approve(int(str(made.request)[1:]))

    again = office.lab.upload_bytes(document(session("date_1"), session("date_2", notes=WORDS)))

    assert not again.ok
    assert tables_that_hold(office.lab.url, WORDS) == []


def test_recording_that_was_redacted_before_the_renaming_is_known_by_its_time(office: Office) -> None:
    """A copy of it at another place."""
    office.lab.record("date_1")
    redact(office)
    rename(office)
    office.lab.record("copy")

    report = office.lab.upload(session("copy", probe_association=GIVEN), subject=RIGHT)

    assert [one.outcome for one in report.sessions] == ["error"]
