"""What was redacted is known when a file brings it again: nothing is inserted for it, and nothing of it is kept."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from commands.answers.stored_file import stored_file
from commands.inputfile.blanking import BLANK, placeholder
from commands.intake import uploading
from commands.intake.uploading import replay
from commands.intake.validation import validate
from commands.requests.correction.correct import correct
from commands.samples.clusterings import kilosort_output
from ledger import marks
from ledger.bodies import body_of
from ledger.errors import Refusal
from ledger.verify import verify
from projections.references import Reference
from tests.intake.lab import PROBES, Entry, document, group, number, session, task
from tests.redaction.conftest import REASON, Office, tables_that_hold

JANE = "Jane D\u00f6e saw the animal"
GIVEN = {"probe_1": PROBES[0], "probe_2": PROBES[1]}


def entry(folder: str, **fields: Any) -> Entry:
    return session(folder, probe_association=GIVEN, **fields)


def held(office: Office, *texts: str) -> list[str]:
    """The tables that have one of these texts, the way that they came or as JSON has them."""
    forms = {form for text in texts for form in (text, text.encode("unicode_escape").decode())}
    forms |= {repr(text.encode())[2:-1] for text in texts}
    return [table for form in sorted(forms) for table in tables_that_hold(office.lab.url, form)]


def redact_entry(office: Office, *, file: bool = True) -> int:
    """The newest session's entry, with the file that brought it."""
    found = office.last("SessionInsertRequested").position
    office.redact(found)
    if file:
        office.redact(office.last("InputFileReceived").position)
    return found


def codes(report: Any) -> list[str]:
    return [finding.code for finding in report.findings]


def standing(office: Office) -> list[int]:
    with office.lab.daybook.reading() as world:
        return [row.id for row in world.state.sessions.where("status = 'inserted'", [])]


@pytest.fixture
def redacted(office: Office) -> int:
    """A session whose entry had a name in its notes, and the file that brought it, are redacted."""
    office.lab.record_many(3)
    office.lab.upload(entry("date_1", name="first", notes=JANE))
    found = redact_entry(office)
    assert held(office, JANE, "date_1") == []
    return found


GROWN: dict[str, Callable[[], list[Entry]]] = {
    "as it was": lambda: [entry("date_1", name="first", notes=JANE)],
    "other fields": lambda: [
        entry("date_1", name="elsewise", notes=f"{JANE}!", room="2.345", tasks=[task()])
    ],
    "another way to write its place": lambda: [
        entry("date_1", notes=JANE) | {"location": "n:\\rec\\\\date_1\\"}
    ],
    "without the note": lambda: [entry("date_1")],
}


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize("grown", GROWN.values(), ids=list(GROWN))
def test_grown_file_brings_the_entry_again_and_it_stands_once(
    office: Office, redacted: int, grown: Callable[[], list[Entry]], form: str
) -> None:
    data = document(*grown(), entry("date_2"), form=form)

    report = office.lab.upload_bytes(data, filename=f"12345.{form}")

    assert [(one.session, one.outcome) for one in report.sessions] == [
        (f"s{redacted}", "duplicate"), (report.sessions[1].session, "inserted"),
    ]  # fmt: skip
    assert standing(office) == [redacted, number(report.sessions[1])]
    [notice] = [finding for finding in report.findings if finding.code.startswith("redacted")]
    assert (notice.severity, notice.code, notice.path) == ("notice", "redacted-entry", "sessions[0]")
    assert f"This is s{redacted}, which was redacted at " in notice.message
    assert "by user_1 and user_2" in notice.message and REASON.rstrip(".") in notice.message
    assert held(office, JANE, "date_1", "first", "elsewise") == []


def test_lines_of_the_entry_are_blank_in_what_is_kept_and_the_others_stay(
    office: Office, redacted: int
) -> None:
    data = document(entry("date_2"), entry("date_1", notes=JANE), entry("date_3"))
    came = data.decode().splitlines()

    report = office.lab.upload_bytes(data)

    kept = office.lab.kept_bytes().decode().splitlines()
    [lines] = report.blanked
    changed = [number for number, pair in enumerate(zip(came, kept, strict=True), 1) if pair[0] != pair[1]]
    assert (changed[0], changed[-1]) == (lines.first_line, lines.last_line)
    assert kept[lines.first_line - 1] == f'- "{placeholder(redacted)}"'
    assert not any(kept[lines.first_line : lines.last_line])
    assert (lines.position, lines.redacted_by, lines.reason) == (redacted, "user_2", REASON)
    with office.lab.daybook.reading() as world:
        told = stored_file(world, Reference("upload", int(str(report.upload)[1:])))
    assert told.data == office.lab.kept_bytes() and told.blanked == report.blanked


def test_validate_says_it_beforehand_and_records_nothing_of_it(office: Office, redacted: int) -> None:
    data = document(entry("date_1", notes=JANE), entry("date_2"))

    checked = validate(office.lab.daybook, data, filename="12345.yml", roots=office.lab.roots)

    assert checked.ok and codes(checked) == ["redacted-entry"]
    assert checked.sessions is not None and (checked.sessions.known, checked.sessions.new) == (1, 1)
    assert [one.position for one in checked.blanked] == [redacted]
    assert held(office, JANE, "date_1") == []


def test_another_person_brings_it(office: Office, redacted: int) -> None:
    report = office.lab.upload(entry("date_1", notes=JANE), user="user_3")

    assert [(one.session, one.username) for one in report.sessions] == [(f"s{redacted}", "user_1")]
    assert standing(office) == [redacted]
    assert held(office, JANE) == []


def test_file_of_another_subject_brings_it(office: Office, redacted: int) -> None:
    report = office.lab.upload_bytes(document(entry("date_1", notes=JANE), subject="23456"))

    assert report.ok and codes(report) == ["redacted-entry"]
    assert standing(office) == [redacted] and held(office, JANE) == []


@pytest.mark.parametrize(
    "text",
    [JANE, unicodedata.normalize("NFD", JANE), f"  {JANE.upper()}\u00a0", JANE.replace(" ", "\n")],
    ids=["as it was", "NFD", "capitals and blanks", "over several lines"],
)
@pytest.mark.parametrize("where", ["session", "task", "object", "clustering"])
def test_text_is_known_wherever_it_is_moved(office: Office, redacted: int, where: str, text: str) -> None:
    moved = {
        "session": entry("date_2", notes=text),
        "task": entry("date_2", tasks=[task(task_start=0, task_stop=5, notes=text)]),
        "object": entry("date_2", tasks=[task(task_start=0, task_stop=5, objects=[
            {"object_name": "object_1", "coord_x": 0, "coord_y": 0, "note": text}])]),
        "clustering": entry("date_2", clustering=[
            {"curator": "user_1", "location": "N:/rec/date_2", "notes": text}]),
    }[where]  # fmt: skip
    kilosort_output(office.lab.share / "date_2")

    report = office.lab.upload(moved)

    assert [one.outcome for one in report.sessions] == ["inserted"]
    [notice] = [finding for finding in report.findings if finding.code == "redacted-text"]
    assert notice.path.startswith("sessions[0]") and "was redacted at" in notice.message
    assert held(office, text, JANE) == []
    requested = body_of(office.last("SessionInsertRequested"))["entry"]
    assert BLANK in str(requested)


def test_text_that_others_of_the_subject_say_too_is_not_taken_from_them(office: Office) -> None:
    office.lab.record_many(3)
    office.lab.upload(entry("date_1", notes="good"), entry("date_2", notes="good"))
    office.redact(office.first("SessionInsertRequested").position)

    report = office.lab.upload(entry("date_1", notes="good"), entry("date_3", notes="good"))

    assert codes(report) == ["redacted-entry"]
    assert body_of(office.last("SessionInsertRequested"))["entry"]["notes"] == "good"


def test_entry_that_waits_takes_nothing_of_it(office: Office, redacted: int) -> None:
    office.lab.record("unknown", day=5, serials=("1", "2"))
    office.lab.upload(session("unknown", notes="before"))

    report = office.lab.upload(session("unknown", notes=JANE), entry("date_1", notes=JANE))

    assert [one.outcome for one in report.sessions] == ["waiting", "duplicate"]
    assert body_of(office.last("SessionEntryRenewed"))["completed"]["notes"] == BLANK
    assert held(office, JANE) == []


def test_correction_brings_it(office: Office, redacted: int) -> None:
    lab = office.lab
    lab.upload(entry("date_2", notes="before"))
    data = document(entry("date_1", notes=JANE), entry("date_2", notes=JANE))

    looked = correct(lab.daybook, data, filename="12345.yml", roots=lab.roots)
    asked = correct(lab.daybook, data, filename="12345.yml", roots=lab.roots, reason="a better note")
    assert asked.request is not None
    office.approve(int(asked.request[1:]))

    assert {"redacted-entry", "redacted-text"} <= {finding.code for finding in looked.plan.findings}
    assert body_of(office.last("SessionInsertRequested"))["entry"]["notes"] == BLANK
    assert len(standing(office)) == 2 and held(office, JANE) == []


def test_correction_that_was_asked_for_before_the_redaction_does_not_bring_it(office: Office) -> None:
    lab = office.lab
    lab.record("date_1")
    lab.upload(entry("date_1", notes=JANE))
    data = document(entry("date_1", notes=JANE, room="2.345"))
    asked = correct(lab.daybook, data, filename="12345.yml", roots=lab.roots, reason="the room")
    assert asked.request is not None
    office.redact(office.first("SessionInsertRequested").position)
    before = lab.size()

    with pytest.raises(Refusal, match="cannot be carried out"):
        office.approve(int(asked.request[1:]))

    assert lab.size() == before and len(standing(office)) == 1


def test_group_over_several_sessions_is_known_by_its_name(office: Office) -> None:
    names = office.lab.record_many(2)
    for folder in (JANE, "other"):
        kilosort_output(office.lab.share.parent / "joint" / folder)
    entries = [entry(name, name=name) for name in names]
    office.lab.upload(*entries, clustering=[group(JANE, names)])
    found = office.last("ClusteringInsertRequested").position
    office.redact(found)
    office.redact(office.last("ClusteringInserted").position)
    office.redact(office.last("InputFileReceived").position)
    assert held(office, JANE) == []

    report = office.lab.upload(*entries, clustering=[group(JANE, names), group("other", names)])

    assert [(one.clustering, one.outcome) for one in report.clusterings] == [
        (f"c{found}", "duplicate"), (report.clusterings[1].clustering, "inserted"),
    ]  # fmt: skip
    assert held(office, JANE) == []


def test_new_group_goes_on_to_stand_on_a_redacted_session(office: Office, redacted: int) -> None:
    """By its name in the file, which is taken out with the entry."""
    kilosort_output(office.lab.share.parent / "joint" / "both")
    data = document(
        entry("date_1", name="first", notes=JANE),
        entry("date_2", name="second"),
        clustering=[group("both", ["first", "second"])],
    )

    report = office.lab.upload_bytes(data)
    again = replay(office.lab.daybook, int(str(report.upload)[1:]), roots=office.lab.roots)
    grown = office.lab.upload_bytes(data + b"# more\n")

    assert [one.outcome for one in report.clusterings] == ["inserted"]
    assert [one.outcome for one in again.clusterings] == ["duplicate"]
    assert [(one.outcome, one.differences) for one in grown.clusterings] == [("duplicate", [])]
    requested = body_of(office.last("ClusteringInsertRequested"))
    assert requested["sessions"] == [redacted, number(report.sessions[1])]
    assert held(office, JANE, "first") == []


def test_what_is_kept_says_the_same_when_it_is_taken_again(office: Office, redacted: int) -> None:
    first = office.lab.upload(entry("date_1", notes=JANE), entry("date_2", notes=JANE))

    again = replay(office.lab.daybook, int(str(first.upload)[1:]), roots=office.lab.roots)

    assert codes(again) == ["redacted-entry"]
    assert [one.differences for one in again.sessions] == [[], []]
    assert office.lab.kept_bytes().decode().count(BLANK) == 2


def test_very_file_whose_receipt_was_redacted_is_known(office: Office) -> None:
    data = document(session("nowhere"))[:-1] + b"\n# and the other one"
    lab = office.lab
    lab.record("date_1")
    accepted = b"# " + JANE.encode() + b"\n" + document(entry("date_1"))
    for file in (accepted, data):
        lab.upload_bytes(file)
        office.redact(office.last("InputFileReceived").position)

    known, refused = lab.upload_bytes(accepted), lab.upload_bytes(data)

    assert known.ok and codes(known) == ["redacted-file"] and known.sessions == []
    assert not refused.ok and codes(refused) == ["redacted-file"]
    assert held(office, JANE, "the other one") == [] and len(standing(office)) == 1


def test_comment_of_a_redacted_file_is_left_out_of_the_next_one(office: Office) -> None:
    lab = office.lab
    lab.record_many(2)
    lab.upload_bytes(b"# the lab's own words\n" + document(entry("date_2")))
    lab.upload_bytes(b"# the lab's own words\n#   " + JANE.encode() + b"\n" + document(entry("date_1")))
    office.redact(office.last("InputFileReceived").position)

    report = lab.upload_bytes(b"# the lab's own words\n#" + JANE.encode() + b"\n" + document(entry("date_1")))

    assert [one.outcome for one in report.sessions] == ["duplicate"]
    assert lab.kept_bytes().startswith(b"# the lab's own words\n#\nsubject:")
    assert [(one.first_line, one.last_line) for one in report.blanked] == [(2, 2)]


BROKEN: dict[str, Callable[[str], str]] = {
    "a bracket": lambda text: text + "]",
    "cut": lambda text: text[: text.index("experimenter") + 4] + "\n    - {",
    "no colon": lambda text: text.replace(":", "", 1),
    "another document": lambda text: text + "\n---\nmore: 1\n",
    "a control character": lambda text: text + "\x07",
    "not UTF-8": lambda text: text + "\ud800",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_file_that_cannot_be_read_is_kept_without_any_of_its_lines(
    office: Office, redacted: int, form: str, broken: Callable[[str], str]
) -> None:
    data = broken(document(entry("date_1", notes=JANE), form=form).decode()).encode("utf-8", "surrogatepass")

    report = office.lab.upload_bytes(data)

    assert not report.ok
    assert held(office, JANE, "date_1") == []


@pytest.mark.parametrize(
    "data",
    [
        "subject: {name: '12345'}\nsessions:\n  location: N:/rec/date_1\n  notes: NOTES\n",
        "subject: {name: '99999'}\nsessions: [{location: 'N:/rec/date_2', notes: 'NOTES'}]\n",
        "sessions: [{location: 'N:/rec/date_2', notes: 'NOTES'}]\n",
        "subject: {name: '12345'}\nsessions:\n- location: N:/rec/date_2\n  notes: x\n  notes: NOTES\n",
        "subject: {name: '12345'}\nsessions:\n- {location: N:/a, location: N:/rec/date_1, notes: NOTES}\n",
        "subject: {name: '12345'}\nx: &x {location: N:/rec/date_1, notes: NOTES}\nsessions: [*x]\n",
        "# NOTES\nsubject: {name: '12345'}\nsessions: [1]\n",
    ],
)
def test_file_that_is_rejected_is_kept_without_it(office: Office, redacted: int, data: str) -> None:
    report = office.lab.upload_bytes(data.replace("NOTES", JANE).encode())

    assert not report.ok
    assert held(office, JANE) == []


def test_value_of_the_catalogue_that_was_redacted_is_not_kept_with_a_rejected_file(office: Office) -> None:
    lab = office.lab
    lab.record("date_1")
    added = next(e for e in lab.events() if e.type == "ReferenceValueAdded" and '"user_3"' in str(e.payload))
    office.redact(added.position)

    report = lab.upload(entry("date_1") | {"experimenter": ["user_1", "user_3"]})

    assert codes(report) == ["unknown-value", "redacted-text"] or codes(report) == [
        "redacted-text",
        "unknown-value",
    ]
    assert "user_3" not in lab.kept_bytes().decode()
    assert "user_3" not in str(lab.events()[-2:])


def test_link_that_leads_to_it_is_known(office: Office, redacted: int) -> None:
    (office.lab.share / "linked").symlink_to(office.lab.share / "date_1", target_is_directory=True)

    report = office.lab.upload(entry("linked", notes="other words"))

    assert codes(report) == ["redacted-entry"]
    assert standing(office) == [redacted]


def test_redaction_while_a_file_is_looked_at_is_seen(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the append, accepted or rejected."""
    lab = office.lab
    lab.record_many(2)
    lab.upload(entry("date_1", notes=JANE))
    kept_of, redact = uploading.kept_of, [True]

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        found = kept_of(*arguments, **options)
        if redact.pop() if redact else False:
            redact_entry(office)
        return found

    monkeypatch.setattr(uploading, "kept_of", meanwhile)
    rejected = lab.upload(entry("date_1", notes=JANE), entry("nowhere"))
    report = lab.upload(entry("date_1", notes=JANE), entry("date_2"))

    assert not rejected.ok and held(office, JANE) == []
    assert [one.outcome for one in report.sessions] == ["duplicate", "inserted"]


def test_repeated_command_gives_the_first_answer_whatever_was_redacted_since(office: Office) -> None:
    lab = office.lab
    lab.record_many(2)
    data = document(entry("date_1", notes=JANE), entry("date_2"))
    first = lab.upload_bytes(data, command_id="before")
    redact_entry(office, file=False)
    office.redact(office.first("SessionInsertRequested").position)

    before = lab.upload_bytes(data, command_id="before")
    size = lab.size()
    blanked = [lab.upload_bytes(data, command_id="after") for _ in range(2)]

    assert before.upload == first.upload
    assert blanked[0] == blanked[1] and lab.size() == size + 3


def test_ledger_without_its_key_knows_nothing_again(office: Office, redacted: int) -> None:
    with office.lab.daybook.database.writing() as transaction:
        marks.erase(transaction)

    report = office.lab.upload(entry("date_1", notes="other words"))

    assert codes(report) == [] or "redacted-entry" not in codes(report)
    assert verify(office.lab.url).problems == []


def test_redaction_of_a_ledger_without_key_makes_one(office: Office) -> None:
    with office.lab.daybook.database.writing() as transaction:
        marks.erase(transaction)
    office.lab.record("date_1")
    office.lab.upload(entry("date_1", notes=JANE))
    redact_entry(office)

    assert codes(office.lab.upload(entry("date_1", notes=JANE, room="2.345"))) == ["redacted-entry"]


def test_placeholder_of_what_was_never_redacted_is_refused(office: Office) -> None:
    office.lab.record("date_1")
    report = office.lab.upload(entry("date_1"))
    there = number(report.sessions[0])

    forged = office.lab.upload_bytes(document(placeholder(there)))  # type: ignore[arg-type]

    assert not forged.ok and codes(forged) == ["not-redacted"]


def test_new_location_inside_or_around_a_redacted_one_is_an_error(office: Office, redacted: int) -> None:
    (office.lab.share / "date_1" / "deeper").mkdir()

    inside = office.lab.upload(entry("date_1/deeper"))
    around = office.lab.upload(entry(".."))

    assert codes(inside) == ["nested-location"]
    assert not around.ok


def test_copy_of_a_redacted_recording_is_known_by_its_time(office: Office) -> None:
    lab = office.lab
    lab.record("date_1")
    lab.upload(entry("date_1", notes=JANE))
    for kind in ("SessionInsertRequested", "SessionInserted"):
        office.redact(office.last(kind).position)
    lab.record("copy")

    report = lab.upload(entry("copy"))

    assert [one.outcome for one in report.sessions] == ["error"]
    assert len(standing(office)) == 1


def test_redacted_recording_that_was_moved_is_not_said_to_lie_at_its_new_place(office: Office) -> None:
    lab = office.lab
    lab.record("date_1")
    lab.upload(entry("date_1", notes=JANE))
    found = redact_entry(office)
    (lab.share / "date_1").rename(lab.share / "moved_1")

    report = lab.upload(entry("moved_1", notes=JANE))

    assert [one.outcome for one in report.sessions] == ["error"]
    assert standing(office) == [found] and "SessionMoved" not in lab.types()
    assert held(office, JANE) == []


@pytest.mark.parametrize("all_of_it", [True, False], ids=["with its request", "the move alone"])
def test_redacted_recording_that_had_been_moved_is_known_at_its_new_place(
    office: Office, all_of_it: bool
) -> None:
    lab = office.lab
    lab.record("date_1")
    lab.upload(entry("date_1", notes=JANE))
    (lab.share / "date_1").rename(lab.share / "moved_1")
    lab.upload(entry("moved_1", notes=JANE))
    found = office.last("SessionInsertRequested").position
    office.redact(office.last("SessionMoved").position)
    if all_of_it:
        office.redact(office.first("InputFileReceived").position)
        office.redact(office.last("InputFileValidated").position)  # a notice in it names both places
        redact_entry(office)

    report = lab.upload(entry("moved_1", notes="other words"), entry("date_1"))

    assert codes(report).count("redacted-entry") >= 1
    assert standing(office) == [found]
    assert not all_of_it or held(office, JANE, "date_1", "moved_1") == []
