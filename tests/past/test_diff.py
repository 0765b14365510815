"""What changed between two moments: the difference of what is listed then and then, and who did it."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.intake.completion import annotate
from commands.lab.catalogue import AddReferenceValue, RetireReferenceValue
from commands.lab.roles import GrantRole
from commands.lab.subjects import InsertProbe
from ledger import log
from ledger.database import Database
from projections.changes import between
from projections.differences import COUNTS
from projections.past import Past, put_before
from tests.cli.conftest import commands_of, run_cli
from tests.deletion.desk import Desk
from tests.intake.lab import Lab, session
from tests.length import TIMES
from tests.past.test_shadowed_tables import write

EXAMPLES = {"sqlite": 6, "postgresql": 3}


def lines_at(database: Database, position: int) -> dict[tuple[str, str], dict[str, Any]]:
    """Sessions, clusterings, uploads and requests as they are listed at a position."""
    from tests import all_lines

    with database.past() as transaction:
        slot = put_before(transaction, position, Past.everything).live_slot
        found = {("session", line["session"]): line for line in all_lines.sessions(transaction, slot)}
        found |= {
            ("clustering", line["clustering"]): line for line in all_lines.clusterings(transaction, slot)
        }
        found |= {("upload", line["upload"]): line for line in all_lines.uploads(transaction, slot)}
        found |= {("request", line["request"]): line for line in all_lines.requests(transaction, slot)}
    return found


NOT_TOLD = {"changed_at", "processed_at", "decided_at"}


def test_a_diff_is_the_difference_of_two_looks_at_everything(shared_database: Database) -> None:
    @settings(max_examples=EXAMPLES[shared_database.dialect] * TIMES)
    @given(seed=st.integers(0, 2**32), steps=st.integers(5, 60))
    def check(seed: int, steps: int) -> None:
        before, size = write(shared_database, seed, steps)
        choices = random.Random(seed)
        for _ in range(3):
            first, second = sorted(choices.sample(range(before, size + 1), 2))
            old, new = lines_at(shared_database, first), lines_at(shared_database, second)

            with shared_database.reading() as transaction:
                head = log.read_head(transaction)
                changes = between(transaction, head.live_slot, head.size, first, second)
                differences, others = list(changes.differences), list(changes.others())

            told = {(one.kind, one.name): one for one in differences}
            for key in old.keys() | new.keys():
                ignored = NOT_TOLD | (
                    set(COUNTS) | {"pending", "withdrawn", "deleted"} if key[0] == "upload" else set()
                )
                differs = {
                    name: (old[key][name], new[key][name])
                    for name in (new[key] if key in old else ())
                    if name not in ignored and old[key][name] != new[key][name]
                }
                if key not in old:
                    assert told.pop(key).change == "added", key
                elif differs:
                    one = told.pop(key)
                    assert one.change == "changed"
                    assert differs.items() <= one.fields.items(), key
                    assert one.fields.keys() - differs.keys() <= {
                        "notes",
                        "probe_association",
                        "probes",
                        "tasks",
                        "sessions",
                    }
            left = {key for key in told if key[0] in ("session", "clustering", "upload", "request")}
            assert all(
                told[key].fields.keys() <= {"notes", "probe_association", "probes", "tasks", "sessions"}
                for key in left
            )
            assert changes.events == second - first
            counted = {event["position"] for one in differences for event in one.events}
            assert len(counted) + sum(other["events"] for other in others) == second - first
            assert all(first < position <= second for position in counted)

    check()


def changes_of(lab: Lab, first: int, **filters: Any) -> dict[str, Any]:
    with lab.daybook.reading() as world:
        size = world.head.size
        found = between(world.transaction, world.head.live_slot, size, first, size, **filters)
        return {one.name: one for one in found.differences}


def test_a_change_says_from_what_to_what_and_who_did_it(desk: Desk) -> None:
    lab = desk.lab
    lab.record_many(2)
    name = lab.upload(session("date_1")).sessions[0].session
    first = lab.size()
    annotate(desk.of("user_2"), int(name[1:]), roots=lab.roots, room="2.345", notes="moved")
    request = desk.request(name)
    desk.approve(request)

    found = changes_of(lab, first)

    assert found[name].fields == {
        "status": ("inserted", "deleted"), "room": (None, "2.345"), "notes": (None, "moved"),
    }  # fmt: skip
    assert [(event["type"], event["actor"]) for event in found[name].events] == [
        ("SessionAnnotated", "user_2"), ("SessionDeleted", "user_2"),
    ]  # fmt: skip
    assert found[f"d{request}"].change == "added"
    assert found[f"d{request}"].record["status"] == "executed"
    assert set(found) == {name, f"d{request}"}


def test_subjects_values_and_roles_are_told_too(lab: Lab) -> None:
    first = lab.size()
    for command in (
        AddReferenceValue(table="reference.ExperimentRoom", value="9.9"),
        RetireReferenceValue(table="reference.ExperimentRoom", value="2.345"),
        InsertProbe(subject="12345", probe="npx_3", insertion_time="2023-04-01 00:00:00"),
        GrantRole(user="user_2", role="auditor"),
    ):
        lab.daybook.submit(command)

    found = changes_of(lab, first)

    assert {name: one.change for name, one in found.items()} == {
        "reference.ExperimentRoom: 9.9": "added",
        "reference.ExperimentRoom: 2.345": "changed",
        "12345": "changed",
        "user_2": "added",
    }
    assert found["reference.ExperimentRoom: 2.345"].fields == {"retired": (False, True)}
    before, after = ([probe["probe"] for probe in some] for some in found["12345"].fields["probes"])
    assert set(after) - set(before) == {"npx_3"}


def test_a_filter_leaves_only_its_events(lab: Lab) -> None:
    lab.record_many(2)
    first = lab.size()
    one = lab.upload(session("date_1")).sessions[0].session
    other = lab.upload(session("date_2"), user="user_2").sessions[0].session

    assert {one, other} <= changes_of(lab, first).keys()
    assert one not in changes_of(lab, first, user="user_2")
    assert other in changes_of(lab, first, user="user_2")
    assert {one, other} <= changes_of(lab, first, subject="12345").keys()
    assert changes_of(lab, first, subject="23456") == {}


def test_records_with_the_same_change_share_a_line(desk: Desk) -> None:
    lab = desk.lab
    names = [one.session for one in lab.upload(*map(session, lab.record_many(6))).sessions]
    first = lab.size()
    desk.delete(*names)

    answer = run_cli("--db", lab.url, "diff", str(first), str(lab.size()))

    line = next(line for line in answer.out.splitlines() if "inserted → deleted" in line)
    assert line.startswith(f"~  {', '.join(names[:4])} and 2 more  12345")
    assert "user_2" in line


def test_the_earlier_moment_comes_first(lab: Lab) -> None:
    answer = run_cli("--db", lab.url, "--json", "diff", "9", "3")

    assert answer.exit == 1
    assert commands_of(answer.json["error"]) == ["daybook diff 3 9"]


def test_nothing_changed_between_a_moment_and_itself(lab: Lab) -> None:
    answer = run_cli("--db", lab.url, "diff", "3", "3")

    assert answer.out.startswith("Nothing happened from position 3 (20")


@pytest.mark.parametrize("moment", ["0", "2"])
def test_events_that_changed_no_record_are_counted(lab: Lab, moment: str) -> None:
    with pytest.raises(Exception, match="may not"):
        lab.as_user("user_2").submit(GrantRole(user="user_2", role="admin"))

    answer = run_cli("--db", lab.url, "--json", "diff", moment, str(lab.size()))

    assert {"actor": "user_2", "type": "ActionRefused", "events": 1} in answer.json["others"]
    assert ("user_1" in [one["name"] for one in answer.json["differences"]]) is (moment == "0")


def test_a_diff_without_its_end_or_with_now_goes_up_to_the_present(lab: Lab) -> None:
    size = lab.size()

    explicit = run_cli("--db", lab.url, "--json", "diff", "3", str(size)).json

    assert run_cli("--db", lab.url, "--json", "diff", "3").json == explicit
    assert run_cli("--db", lab.url, "--json", "diff", "3", "now").json == explicit
