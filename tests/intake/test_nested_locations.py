"""No recording is in twice: a location inside another session's, or around one, through links too, is refused."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from commands.inputfile.findings import Finding
from commands.intake import accepting
from commands.intake.decisions import settle_session
from commands.intake.upload_report import UploadReport
from projections.rebuild import contents, rebuild
from tests.deletion.desk import Desk
from tests.intake.lab import SERIALS, START, Lab, number, session
from tests.patience import PATIENCE_S


def refused(report: UploadReport) -> list[Finding]:
    assert not report.ok
    return [finding for finding in report.findings if finding.severity == "error"]


@pytest.fixture
def nested(lab: Lab) -> Lab:
    """A subject's folder with two sessions in it."""
    lab.record("subject/one")
    lab.record("subject/two", start=START + timedelta(hours=1))
    return lab


def test_inside_the_location_of_a_session_there_is_no_other(nested: Lab) -> None:
    outer = nested.upload(session("subject/one"))
    [error] = refused(nested.upload(session("subject/one"), session("subject/one/probe_1")))
    assert (error.code, error.path) == ("nested-location", "sessions[1].location")
    assert (
        "lies inside" in error.message and f"session {outer.sessions[0].session}, user_1's" in error.message
    )


def test_around_the_location_of_a_session_there_is_no_other_whoever_enters_it(nested: Lab) -> None:
    nested.upload(session("subject/one"), session("subject/two"))
    [error] = refused(nested.upload(session("subject"), user="user_2", subject="23456"))
    assert error.code == "nested-location" and "lies around" in error.message and "1 more" in error.message


def test_two_of_one_file_do_not_lie_inside_each_other(nested: Lab) -> None:
    [error] = refused(nested.upload(session("subject/two"), session("subject"), session("other")))[:1]
    assert (error.code, error.path) == ("nested-location", "sessions[0].location")
    assert "sessions[1]" in error.message


def test_a_name_that_begins_like_another_lies_beside_it(nested: Lab) -> None:
    nested.record("subject/one_b", day=2)
    nested.record("subject/one b", day=3)
    report = nested.upload(*(session(f"subject/{name}") for name in ("one", "one_b", "one b", "two")))
    assert [entry.outcome for entry in report.sessions] == ["inserted"] * 4


def test_what_a_link_leads_to_counts(nested: Lab) -> None:
    (nested.share / "link").symlink_to(nested.share / "subject/one")
    (nested.share / "folder").symlink_to(nested.share / "subject")
    first = nested.upload(session("subject/one")).sessions[0]

    again = nested.upload(session("link"))
    assert again.sessions[0].outcome == "duplicate" and again.sessions[0].session == first.session
    assert [(d.field, d.given) for d in again.sessions[0].differences] == [("location", "N:/rec/link")]
    [error] = refused(nested.upload(session("folder")))
    assert error.code == "nested-location" and 'which leads to "N:/rec/subject"' in error.message
    behind = nested.upload(session("folder/one"))
    assert behind.sessions[0].outcome == "duplicate"
    [error] = refused(nested.upload(session("subject/one"), session("link")))
    assert error.code == "duplicate-location"


def test_a_session_entered_by_a_link_is_known_by_either_name_and_without_the_disk(nested: Lab) -> None:
    link = nested.share / "link"
    link.symlink_to(nested.share / "subject/one")
    first = nested.upload(session("link")).sessions[0]
    assert first.outcome == "inserted"

    by_name = nested.upload(session("subject/one"))
    assert by_name.sessions[0].session == first.session
    [error] = refused(nested.upload(session("subject")))
    assert error.code == "nested-location"
    link.unlink()
    assert nested.upload(session("link")).sessions[0].outcome == "duplicate"


def test_two_names_of_one_directory_in_one_file_are_an_error(nested: Lab) -> None:
    (nested.share / "link").symlink_to(nested.share / "subject/one")
    [error] = refused(nested.upload(session("subject/one"), session("link")))
    assert (error.code, error.path) == ("duplicate-location", "sessions[1].location")


def test_a_deleted_session_gives_up_where_its_link_led(nested: Lab) -> None:
    (nested.share / "link").symlink_to(nested.share / "subject/one")
    first = nested.upload(session("link")).sessions[0]
    desk = Desk(nested)
    request = desk.delete(first.session)

    again = nested.upload(session("subject/one")).sessions[0]
    assert again.outcome == "inserted"
    with desk.refused("blocked", "is held by"):
        desk.restore(request)
    with nested.daybook.reading() as world:
        before = contents(world.transaction, world.head.live_slot)
    rebuild(nested.daybook.database)
    with nested.daybook.reading() as world:
        assert contents(world.transaction, world.head.live_slot) == before


def test_a_session_is_not_restored_into_another(nested: Lab) -> None:
    first = nested.upload(session("subject/one")).sessions[0]
    desk = Desk(nested)
    request = desk.delete(first.session)
    nested.upload(session("subject/one/probe_1"))

    with desk.refused("blocked", "lies around or inside"):
        desk.restore(request)


def test_of_two_uploads_at_the_same_moment_one_is_refused(
    nested: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are checked before either is accepted."""
    met, looked = threading.Barrier(2, timeout=PATIENCE_S), accepting.look_at_duplicates
    once = threading.local()
    from commands.intake import uploading

    def both(*arguments: object) -> object:
        found = looked(*arguments)  # type: ignore[arg-type]
        if not getattr(once, "met", False):
            once.met = True
            met.wait()
        return found

    monkeypatch.setattr(uploading, "look_at_duplicates", both)
    reports: list[UploadReport] = []
    users = ("user_2", "user_3")
    for user in users:
        nested.as_user(user)

    def run(user: str, name: str) -> None:
        reports.append(nested.upload(session(name), user=user))

    threads = [
        threading.Thread(target=run, args=pair)
        for pair in zip(users, ("subject", "subject/one"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(report.ok for report in reports) == [False, True]
    [error] = refused(next(report for report in reports if not report.ok))
    assert error.code == "nested-location"
    assert number(next(report for report in reports if report.ok).sessions[0]) > 0
    assert Path(nested.share / "subject").exists()


def test_a_folder_that_waited_is_not_inserted_around_what_went_in_meanwhile(lab: Lab) -> None:
    lab.record("folder/one", serials=SERIALS[:1])
    lab.record("folder/two", serials=SERIALS[1:], day=1)
    folder = lab.upload(session("folder")).sessions[0]
    assert folder.outcome == "waiting", "its recordings start far apart, and it holds nothing"
    assert lab.upload(session("folder/one")).sessions[0].outcome == "inserted"

    settle_session(lab.daybook, number(folder), roots=lab.roots, despite_dates=True, reason="one session")

    with lab.daybook.reading() as world:
        row = world.state.sessions[number(folder)]
    assert (row.status, row.reason) == ("error", "nested-location")
