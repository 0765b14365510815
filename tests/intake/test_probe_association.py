"""Which probe of the subject each probe on disk is: as given, by serial number, the only one; else a person says."""

import pytest

from commands.intake.association import Implanted
from commands.intake.completion import Rejected, associate
from commands.intake.working import work
from commands.lab.subjects import InsertProbe, RemoveProbe
from commands.recordings.insertions import Insertion
from ledger.errors import Refusal
from tests.intake.lab import PROBES, SERIALS, START, Lab, number, session

STRANGERS = ("9999998", "9999999")


def probes_of(lab: Lab, session_number: int) -> dict[str, tuple[str, str]]:
    with lab.daybook.reading() as world:
        rows = world.state.probes.where("session = ?", [session_number])
        return {row.name: (row.probe, row.matched_by) for row in rows}


def test_serial_numbers_in_the_names_decide(lab: Lab) -> None:
    lab.record_many(1)
    one = number(lab.upload(session("date_1")).sessions[0])
    assert probes_of(lab, one) == {"probe_1": (PROBES[0], "serial"), "probe_2": (PROBES[1], "serial")}


def test_what_is_given_against_the_serial_numbers_waits_until_somebody_means_it(lab: Lab) -> None:
    lab.record_many(1)
    crossed = {"probe_1": PROBES[1], "probe_2": PROBES[0]}
    one = number(lab.upload(session("date_1", probe_association=crossed)).sessions[0])
    assert lab.bodies("SessionWaiting")[-1]["reason"] == "serial-contradicts"
    with pytest.raises(Refusal) as refused:
        associate(lab.daybook, one, crossed, roots=lab.roots)
    assert refused.value.code == "serial-contradicts"
    assert refused.value.steps[0].arguments["despite_serial"] == "yes"
    meant = associate(
        lab.daybook, one, crossed, roots=lab.roots, despite_serial=True, reason="The headstages were swapped."
    )
    assert meant.status == "inserted"
    assert probes_of(lab, one) == {"probe_1": (PROBES[1], "given"), "probe_2": (PROBES[0], "given")}


def test_the_only_probe_of_a_subject_needs_no_association(lab: Lab) -> None:
    lab.record("date_1", serials=STRANGERS[:1])
    one = number(lab.upload(session("date_1"), subject="23456").sessions[0])
    assert probes_of(lab, one) == {"probe_1": ("tetrode_drive", "only-one")}


def test_a_serial_is_found_only_as_a_whole_number(lab: Lab) -> None:
    lab.record("date_1", serials=["8408403232"])  # the tail of an inserted one
    report = lab.upload(session("date_1"))
    assert report.sessions[0].outcome == "waiting"


def test_unknown_serials_wait_with_what_was_found_and_what_is_inserted(lab: Lab) -> None:
    lab.record("date_1", serials=STRANGERS)
    before = lab.size()
    report = lab.upload(session("date_1"))
    assert report.ok and report.sessions[0].outcome == "waiting"
    for said in (*STRANGERS, *PROBES, "probe_1", "probe_2"):
        assert said in report.sessions[0].reason
    waiting = lab.bodies("SessionWaiting", before)[0]
    assert waiting["reason"] == "probe-association"
    assert [(probe["name"], probe["serial"]) for probe in waiting["found"]] == [
        ("probe_1", STRANGERS[0]), ("probe_2", STRANGERS[1]),
    ]  # fmt: skip
    assert waiting["inserted"] == list(PROBES)
    assert lab.types(before)[-1] == "InputFileProcessed"


def test_a_serial_in_the_names_of_two_inserted_probes_decides_nothing(lab: Lab) -> None:
    lab.daybook.submit(
        InsertProbe(subject="12345", probe="npx_2_18408403232", insertion_time="2023-03-02 00:00:00")
    )
    lab.record_many(1)
    report = lab.upload(session("date_1"))
    assert report.sessions[0].outcome == "waiting"
    assert '"npx_1_18408403232", "npx_2_18408403232"' in report.sessions[0].reason


@pytest.mark.parametrize(
    "association", [{"probe_1": PROBES[0], "probe_2": PROBES[0]}, {"probe_1": PROBES[1]}]
)
def test_one_probe_for_two_on_disk_is_an_error(lab: Lab, association: dict[str, str]) -> None:
    lab.record_many(1)
    report = lab.upload(session("date_1", probe_association=association))
    assert report.ok and report.sessions[0].outcome == "error"
    assert lab.bodies("SessionInsertFailed")[0]["code"] == "probe-twice"


def test_an_association_that_names_a_probe_that_is_not_on_disk_is_an_error(lab: Lab) -> None:
    lab.record_many(1)
    report = lab.upload(session("date_1", probe_association={"probe_3": PROBES[0]}))
    assert report.sessions[0].outcome == "error"
    assert "probe_3" in report.sessions[0].reason and "probe_1" in report.sessions[0].reason


def test_a_probe_removed_between_the_look_and_the_append_is_not_used(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commands.intake import looking as working

    lab.record_many(1)
    insert = working.insert_session
    overtaken: list[object] = []

    def insert_and_be_overtaken(*args: object, **options: object) -> object:
        found = insert(*args, **options)  # type: ignore[arg-type]
        if not overtaken:
            overtaken.append(lab.as_user("user_2").submit(
                RemoveProbe(subject="12345", probe=PROBES[0], removal_time="2023-04-01 00:00:00")
            ))  # fmt: skip
        return found

    monkeypatch.setattr(working, "insert_session", insert_and_be_overtaken)
    report = lab.upload(session("date_1"))
    assert (
        report.sessions[0].outcome == "waiting"
        and PROBES[0] not in report.sessions[0].reason.split("inserted")[1]
    )
    assert lab.types()[-1] == "InputFileProcessed"


def test_a_removed_probe_does_not_count(lab: Lab) -> None:
    lab.daybook.submit(RemoveProbe(subject="12345", probe=PROBES[1], removal_time="2023-04-01 00:00:00"))
    lab.record("date_1", serials=STRANGERS[:1])
    one = number(lab.upload(session("date_1")).sessions[0])
    assert probes_of(lab, one) == {"probe_1": (PROBES[0], "only-one")}


def test_a_probe_that_was_removed_after_the_recording_counts(lab: Lab) -> None:
    lab.record("date_1", serials=SERIALS[:1])
    for probe in PROBES:
        lab.daybook.submit(RemoveProbe(subject="12345", probe=probe, removal_time="2023-06-01 00:00:00"))
    report = lab.upload(session("date_1"))
    assert report.ok
    assert probes_of(lab, number(report.sessions[0])) == {"probe_1": (PROBES[0], "serial")}


def test_associating_inserts_the_session_at_once(lab: Lab) -> None:
    lab.record("date_1", serials=STRANGERS)
    one = number(lab.upload(session("date_1")).sessions[0])
    before = lab.size()

    answer = associate(lab.daybook, one, {"probe_1": PROBES[1], "probe_2": PROBES[0]}, roots=lab.roots)

    assert answer.status == "inserted" and answer.session_time == str(START)
    assert lab.types(before) == ["ProbesAssociated", "SessionInserted"]
    assert probes_of(lab, one) == {"probe_1": (PROBES[1], "given"), "probe_2": (PROBES[0], "given")}


def test_associating_one_of_two_goes_on_waiting_for_the_other(lab: Lab) -> None:
    lab.record("date_1", serials=STRANGERS)
    one = number(lab.upload(session("date_1")).sessions[0])
    answer = associate(lab.daybook, one, {"probe_1": PROBES[1]}, roots=lab.roots)
    assert answer.status == "waiting" and "probe_2" in answer.reason and "probe_1" not in answer.reason
    assert associate(lab.daybook, one, {"probe_2": PROBES[0]}, roots=lab.roots).status == "inserted"


def test_a_probe_inserted_later_lets_work_insert_the_session(lab: Lab) -> None:
    lab.record("date_1", serials=[SERIALS[0], STRANGERS[0]])
    lab.upload(session("date_1"))
    lab.daybook.submit(InsertProbe(subject="12345", probe="npx_3", insertion_time="2023-03-01 00:00:00"))
    work(lab.daybook, lab.roots)
    assert lab.statuses() == {"N:/rec/date_1": "waiting"}


WRONG: list[tuple[dict[str, str], str]] = [
    ({}, "nothing-given"),
    ({"probe_1": "npx_9"}, "unknown-value"),
    ({"probe_1": "npx_3"}, "probe-not-inserted"),
    ({"probe_7": PROBES[0]}, "probe-not-on-disk"),
    ({"probe_1": PROBES[0], "probe_2": PROBES[0]}, "probe-twice"),
]


def test_a_wrong_association_is_refused_and_the_session_goes_on_waiting(lab: Lab) -> None:
    lab.record("date_1", serials=STRANGERS)
    one = number(lab.upload(session("date_1")).sessions[0])
    before = lab.size()
    for association, code in WRONG:
        with pytest.raises(Refusal) as refused:
            associate(lab.daybook, one, association, roots=lab.roots)
        assert refused.value.code == code
        assert isinstance(refused.value, Rejected) is (code in ("unknown-value", "probe-not-inserted"))
    assert lab.size() == before and lab.statuses() == {"N:/rec/date_1": "waiting"}


def test_what_was_associated_is_not_overwritten(lab: Lab) -> None:
    lab.record("date_1", serials=STRANGERS)
    one = number(lab.upload(session("date_1", probe_association={"probe_1": PROBES[0]})).sessions[0])
    with pytest.raises(Refusal, match="associated with probe"):
        associate(lab.daybook, one, {"probe_1": PROBES[1], "probe_2": PROBES[0]}, roots=lab.roots)
    answer = associate(lab.daybook, one, {"probe_1": PROBES[0], "probe_2": PROBES[1]}, roots=lab.roots)
    assert answer.status == "inserted"


def test_a_session_that_is_inserted_has_no_open_probes(lab: Lab) -> None:
    lab.record_many(1)
    one = number(lab.upload(session("date_1")).sessions[0])
    with pytest.raises(Refusal) as refused:
        associate(lab.daybook, one, {"probe_1": PROBES[0]}, roots=lab.roots)
    assert refused.value.code == "not-waiting"


def test_a_probe_that_was_removed_at_the_start_of_the_recording_does_not_count() -> None:
    start = "2023-05-01 10:00:00"

    until = {"a": None, "b": start, "c": "2023-05-01 10:00:01"}
    rows = tuple(Insertion("0/1", name, "2023-03-01 00:00:00", time) for name, time in until.items())

    assert [one.probe for one in Implanted("0/1", rows).own(start)] == ["a", "c"]


def test_a_probe_that_was_in_another_animal_then_does_not_go_in_without_a_word(lab: Lab) -> None:
    lab.daybook.submit(RemoveProbe(subject="12345", probe=PROBES[0], removal_time="2023-06-01 00:00:00"))
    lab.daybook.submit(InsertProbe(subject="23456", probe=PROBES[0], insertion_time="2023-07-01 00:00:00"))
    lab.record("date_1", serials=SERIALS[:1])  # of May, when it was in 12345

    report = lab.upload(session("date_1"), subject="23456")

    assert report.sessions[0].outcome == "waiting"
    waiting = lab.bodies("SessionWaiting")[-1]
    assert (waiting["reason"], waiting["holds"]) == ("probe-of-another-subject", False)
    assert [one["subject"] for one in waiting["belongs"]] == ["12345"]


def test_a_probe_of_no_known_subject_is_asked_for_and_where_it_was_is_said(lab: Lab) -> None:
    lab.daybook.submit(RemoveProbe(subject="12345", probe=PROBES[0], removal_time="2023-04-01 00:00:00"))
    lab.record("date_1", serials=SERIALS[:1])

    report = lab.upload(session("date_1"), subject="23456")

    assert report.sessions[0].outcome == "inserted" or "until 2023-04-01" in str(report.sessions[0].reason)


def test_what_was_decided_against_a_serial_number_stands_with_its_reason(lab: Lab) -> None:
    lab.record_many(1)
    crossed = {"probe_1": PROBES[1], "probe_2": PROBES[0]}
    one = number(lab.upload(session("date_1", probe_association=crossed)).sessions[0])
    with pytest.raises(Refusal) as refused:
        associate(lab.daybook, one, crossed, roots=lab.roots, despite_serial=True, reason="  ")
    assert refused.value.code == "no-reason"

    associate(lab.daybook, one, crossed, roots=lab.roots, despite_serial=True, reason="Cables were crossed.")

    body = lab.bodies("ProbesAssociated")[-1]
    assert (body["despite_serial"], body["reason"]) == (True, "Cables were crossed.")


def test_a_contradicted_association_can_be_mended(lab: Lab) -> None:
    lab.record_many(1)
    crossed = {"probe_1": PROBES[1], "probe_2": PROBES[0]}
    one = number(lab.upload(session("date_1", probe_association=crossed)).sessions[0])

    answer = associate(lab.daybook, one, {"probe_1": PROBES[0], "probe_2": PROBES[1]}, roots=lab.roots)

    assert answer.status == "inserted"
