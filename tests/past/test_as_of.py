"""What a command said at a moment is what it says as of that moment, whatever has happened since."""

import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commands.lab.subjects import RemoveProbe
from ledger.errors import Refusal
from ledger.moments import position_of
from tests.cli.conftest import Ended, run_cli
from tests.correction.corrections import OTHER_SUBJECT, corrected, other_subject
from tests.deletion.desk import Desk
from tests.intake.lab import PROBES, SERIALS, Lab, document, session
from tests.past.story import FOLDERS, Story

STEPS = {"sqlite": 14, "postgresql": 5}
DAYS = {"sqlite": 12, "postgresql": 5}
LISTS = (
    ("sessions",),
    ("clusterings",),
    ("uploads",),
    ("uploads", "--status", "processed", "--limit", "2"),
    ("subject", "list"),
    ("catalogue", "list", "acquisition.Project"),
    ("role", "list"),
    ("request", "list", "--all"),
    ("audit", "--by", "subject"),
    ("log", "--limit", "5"),
)


class Reader:
    """The command line on the lab's ledger."""

    def __init__(self, lab: Lab) -> None:
        self.url = lab.url

    def __call__(self, *arguments: str, as_of: object = None) -> Ended:
        moment = () if as_of is None else ("--as-of", str(as_of))
        return run_cli("--db", self.url, "--json", *arguments, *moment)


def told(ended: Ended) -> tuple[int, str, dict[str, Any]]:
    """Without what is no fact of the ledger, and is not known of the past: who looked at a record, and who works."""
    return ended.exit, ended.err, {k: v for k, v in ended.json.items() if k not in ("looked", "nobody")}


def questions(story: Story, choices: random.Random) -> list[tuple[str, ...]]:
    """Every list, filtered lists, and everything about some records."""
    asked = list(choices.sample(LISTS, 4))
    for what in ("sessions", "clusterings"):
        status = choices.choice(["pending", "waiting", "inserted", "error", "withdrawn", "deleted"])
        asked.append((what, "--status", status, "--limit", str(choices.randint(1, 3))))
        asked.append((what, "--user", choices.choice(["user_1", "user_3"]), "--subject", "12345"))
    references = [f"N:/rec/{choices.choice(FOLDERS)}", "g", "2023-05-01 10:00:00"]
    for table in ("sessions", "clusterings", "uploads", "deletions"):
        rows = story.rows(table)
        references += [f"{table[0]}{row.id}" for row in choices.sample(rows, min(1, len(rows)))]
        if table == "deletions" and rows:
            asked.append(("request", "show", f"d{choices.choice(rows).id}"))
    references += [f"s{choices.randint(1, 9)}"]
    for verb in ("show", "why", "history", "trace"):
        asked += [(verb, reference) for reference in choices.sample(references, 2)]
    return asked


@pytest.mark.parametrize("together", [True, False])
def test_a_session_of_then_failed_by_one_that_has_changed_since(desk: Desk, together: bool) -> None:
    lab, read = desk.lab, Reader(desk.lab)
    lab.record("date_1", serials=SERIALS[:1])
    lab.record("copy_of_1", serials=SERIALS[:1])
    first, copy = session("date_1"), session("copy_of_1")
    if not together:
        lab.upload(first)
    report = lab.upload(first, copy)
    holder, failed = (one.session for one in report.sessions)
    then, said = lab.size(), read("why", failed)
    desk.delete(holder)

    assert said.json["related"] != []
    assert read("why", failed, as_of=then) == said


def test_every_command_says_as_of_a_moment_what_it_said_then(desk: Desk) -> None:
    seed = 1 if os.environ.get("CI") else random.randrange(2**32)
    story, choices, read = Story(desk, seed), random.Random(seed), Reader(desk.lab)
    seen: list[tuple[int, tuple[str, ...], Ended]] = []
    for _ in range(STEPS[desk.lab.daybook.database.dialect]):
        story.step()
        size = desk.lab.size()
        seen += [(size, question, read(*question)) for question in questions(story, choices)]

    for size, question, answer in seen:
        assert told(read(*question, as_of=size)) == told(answer), (seed, question, size)

    for size, question, answer in seen[-30:]:  # and the present is the present again
        if size == desk.lab.size():
            assert read(*question) == answer


def test_what_waited_is_told_with_the_probes_of_then(lab: Lab) -> None:
    lab.record("date_1", serials=["9999999"])
    waiting = lab.upload(session("date_1")).sessions[0].session
    read, then = Reader(lab), lab.size()
    said = read("why", waiting)
    lab.daybook.submit(RemoveProbe(subject="12345", probe=PROBES[0], removal_time="2024-01-01 00:00:00"))

    assert said.json["status"] == "waiting"
    assert told(read("why", waiting, as_of=then)) == told(said)


def test_times_stand_for_the_last_event_until_then(lab: Lab) -> None:
    lab.record_many(2)
    read = Reader(lab)
    lab.upload(session("date_1"))
    first = lab.events()[-1]
    said = read("sessions")
    lab.upload(session("date_1"), session("date_2"))
    last = lab.events()[-1]

    assert read("sessions", as_of=first.recorded_at) == said
    assert read("sessions", as_of=last.recorded_at) == read("sessions") != said


def test_a_date_is_its_first_moment_in_utc(lab: Lab) -> None:
    lab.record_many(1)
    lab.upload(session("date_1"))
    today = lab.events()[-1].recorded_at[:10]

    answer = Reader(lab)("sessions", as_of=today)

    assert answer.json["error"]["code"] == "before-the-ledger"
    assert answer.exit == 1


def test_moments_that_are_none_are_refused(lab: Lab) -> None:
    read = Reader(lab)
    size = lab.size()

    beyond, never, before = (read("sessions", as_of=at) for at in (size + 1, "2999-01-01", "2000-01-01"))

    assert [answer.json["error"]["code"] for answer in (beyond, never, before)] == [
        "no-such-position", "not-yet", "before-the-ledger",
    ]  # fmt: skip
    assert f"ends at position {size}" in beyond.json["error"]["message"]
    assert read("sessions", as_of="tomorrow").exit == 2
    assert "neither a position" in read("sessions", as_of="-1").json["error"]["message"]


def test_the_empty_ledger_answers_emptily(lab: Lab) -> None:
    read = Reader(lab)

    assert read("sessions", as_of=0).json["sessions"] == []
    assert read("subject", "list", as_of=0).json["subjects"] == []
    assert read("log", as_of=0).json["events"] == []
    assert read("role", "list", as_of=0).json["roles"] == []
    assert read("show", "s12", as_of=0).json["error"]["code"] == "not-found"


def test_a_moment_inside_of_an_append_is_what_the_events_say(lab: Lab) -> None:
    lab.record_many(3)
    lab.upload(session("date_1"), session("date_2"), session("date_3"))
    requests = [event for event in lab.events() if event.type == "SessionInsertRequested"]

    def then(position: int) -> Any:
        found = Reader(lab)("sessions", as_of=position).json["sessions"]
        upload = Reader(lab)("uploads", as_of=position).json["uploads"][0]
        return (
            [(one["session"], one["status"]) for one in reversed(found)],
            upload["status"],
            upload["inserted"],
        )

    assert then(requests[0].position - 2) == ([], "received", 0)
    assert then(requests[1].position) == (
        [(f"s{e.position}", "pending") for e in requests[:2]],
        "validated",
        0,
    )


def test_people_are_told_which_moment_it_is(lab: Lab) -> None:
    answer = run_cli("--db", lab.url, "subject", "list", "--as-of", "5")

    assert "as of position 5, 20" in answer.err
    assert "12345" not in answer.out


def test_a_record_that_moved_to_another_subject_is_traced_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.past._FEW", 0)  # as where more has changed than is folded for one look
    lab, read = desk.lab, Reader(desk.lab)
    other_subject(lab)
    lab.record("date_1", serials=SERIALS[:1])
    entry = session("date_1", name="a")
    first = lab.upload(entry).sessions[0].session
    then = lab.size()
    questions = [(verb, first) for verb in ("show", "why", "history", "trace")]
    said = [read(*question) for question in questions]

    new = corrected(lab, document(entry, subject=OTHER_SUBJECT)).replaced[0].new
    requested = lab.size()
    after = [read(*question) for question in [*questions, ("trace", new), ("show", new)]]
    desk.delete(new)

    assert [read(*question, as_of=then) for question in questions] == said
    assert [read(*q, as_of=requested) for q in [*questions, ("trace", new), ("show", new)]] == after
    assert after != said


@pytest.mark.tampers  # verify says that events of those days lie ahead
def test_counts_and_times_hold_over_days(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = 1 if os.environ.get("CI") else random.randrange(2**32)
    story, read = Story(desk, seed), Reader(desk.lab)
    began = datetime.now(UTC)
    hours = iter(range(6, 10_000, 7))  # the clock of the log runs ahead, from day to day
    monkeypatch.setattr("ledger.log._refuse_clock_ahead", lambda *_: None)  # a server would
    monkeypatch.setattr(
        "ledger.log.now",
        lambda: (
            (began + timedelta(hours=next(hours))).isoformat(timespec="microseconds").replace("+00:00", "Z")
        ),
    )
    questions = [("audit", "--by", by) for by in ("user", "subject", "project", "month")]
    questions += [("log", "--limit", "1"), ("uploads",)]
    seen = []
    for _ in range(DAYS[desk.lab.daybook.database.dialect]):
        story.step()
        size, recorded_at = desk.lab.size(), desk.lab.events()[-1].recorded_at
        seen.append((size, recorded_at, [read(*question) for question in questions]))

    for size, recorded_at, said in seen:
        assert [read(*question, as_of=size) for question in questions] == said, (seed, size)
        assert read(*questions[-1], as_of=recorded_at) == said[-1]


def test_the_moment_of_the_first_event_is_one_of_the_ledger(lab: Lab) -> None:
    first = lab.events()[0].recorded_at

    with lab.daybook.reading() as world:
        assert position_of(world.transaction, world.head, first) >= 1
        with pytest.raises(Refusal, match="no ledger yet"):
            position_of(world.transaction, world.head, f"{first[:10]}T00:00:00.000000Z")
