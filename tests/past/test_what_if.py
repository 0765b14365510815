"""How the ledger would stand without something: as a ledger stands in which it never was."""

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from commands.answers.differences import DifferenceLine
from commands.answers.what_if import WhatIf, what_if
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.inputfile.limits import Limits
from commands.intake.completion import annotate
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from tests import all_lines
from tests.cli.conftest import run_cli
from tests.correction.corrections import OTHER_SUBJECT, corrected, other_subject
from tests.deletion.desk import Desk
from tests.intake.lab import CATALOGUE, PROBES, SERIALS, Lab, document, group, load_catalogue, session

FOLDERS = ("plain_1", "plain_2", "plain_3", "plain_4", "sorted_1", "sorted_2")
STEPS = {"sqlite": 16, "postgresql": 10}
_OF_THE_TABLES = {
    "session": "sessions",
    "clustering": "clusterings",
    "upload": "uploads",
    "request": "requests",
}


def without(lab: Lab, text: str) -> WhatIf:
    with lab.daybook.reading() as world:
        size = world.head.size
        found = what_if(world, text, roots=lab.roots, limits=Limits())
    assert lab.size() == size
    return found


def fields(one: DifferenceLine) -> dict[str, tuple[Any, Any]]:
    return {name: (field.before, field.after) for name, field in one.fields.items()}


def changes(found: WhatIf) -> dict[str, str]:
    return {one.name: one.change for one in found.differences}


# --- a model: the same history in a second ledger, but for one thing ------------------------------------------------


@dataclass
class Ledger:
    """A lab's ledger, and what the steps of a history came to in it: uploads, their sessions, requests."""

    desk: Desk
    uploads: dict[int, str] = field(default_factory=dict)
    sessions: dict[tuple[int, str], str] = field(default_factory=dict)
    requests: dict[int, int] = field(default_factory=dict)

    @property
    def lab(self) -> Lab:
        return self.desk.lab


Step = Callable[[Ledger], None]


class Script:
    """A random history as steps that were possible in one ledger, to be repeated in another one. A step that speaks
    of what is not there is left out."""

    def __init__(self, choices: random.Random) -> None:
        self.choices = choices
        self.steps: list[tuple[str, int, Step]] = []

    def write(self, ledger: Ledger, count: int) -> None:
        while len(self.steps) < count:
            kind = self.choices.choice(
                ["upload", "upload", "group", "annotate", "annotate", "request", "restore", "withdraw"]
            )
            step = getattr(self, f"_{kind}")(ledger, len(self.steps))
            if step is not None and self._try(ledger, step):
                self.steps.append((kind, len(self.steps), step))

    def repeat(self, ledger: Ledger, but: int) -> None:
        for _, at, step in self.steps:
            if at != but:
                self._try(ledger, step)

    @staticmethod
    def _try(ledger: Ledger, step: Step) -> bool:
        try:
            step(ledger)
        except (Refusal, KeyError):
            return False
        return True

    def _free(self, ledger: Ledger) -> list[str]:
        with ledger.lab.daybook.reading() as world:
            held = {row.location for row in world.state.locations.where("location > ?", [""])}
        return [name for name in FOLDERS if f"N:/rec/{name}" not in held]

    def _upload(self, ledger: Ledger, at: int) -> Step | None:
        free = self._free(ledger)
        if not free:
            return None
        names = self.choices.sample(free, self.choices.randint(1, len(free)))
        user = self.choices.choice(["user_1", "user_3"])
        return lambda there: uploaded(there, at, user, [session(name, clustering=True) for name in names], [])

    def _group(self, ledger: Ledger, at: int) -> Step | None:
        free = self._free(ledger)
        with ledger.lab.daybook.reading() as world:
            held = world.state.groups.get("g")
        if (
            len(free) < 2 or held is not None
        ):  # what would come of a file that brought it again is not made up
            return None
        entries = [session(name, name=name, clustering=True) for name in free[:2]]
        joint = [group("g", free[:2])]
        return lambda there: uploaded(there, at, "user_1", entries, joint)

    def _one(self, keys: Any) -> Any:
        return self.choices.choice(list(keys)) if keys else None

    def _annotate(self, ledger: Ledger, at: int) -> Step | None:
        key = self._one(ledger.sessions)
        notes = f"note {at}"

        def step(there: Ledger) -> None:
            annotate(
                there.desk.of("user_2"), int(there.sessions[key][1:]), roots=there.lab.roots, notes=notes
            )

        return None if key is None else step

    def _request(self, ledger: Ledger, at: int) -> Step | None:
        key = self._one([*ledger.sessions, *ledger.uploads])

        def step(there: Ledger) -> None:
            name = there.uploads[key] if isinstance(key, int) else there.sessions[key]
            there.requests[at] = there.desk.request(name)
            there.desk.approve(there.requests[at])

        return None if key is None else step

    def _restore(self, ledger: Ledger, at: int) -> Step | None:
        key = self._one(ledger.requests)
        return None if key is None else lambda there: there.desk.restore(there.requests[key]) and None

    def _withdraw(self, ledger: Ledger, at: int) -> Step | None:
        key = self._one(ledger.sessions)
        return (
            None
            if key is None
            else lambda there: there.desk.withdraw(there.sessions[key], user="user_2") and None
        )


def uploaded(there: Ledger, at: int, user: str, entries: list[Any], joint: list[Any]) -> None:
    report = there.lab.upload_bytes(
        document(*entries, clustering=joint), user=user, filename=f"file_{at}.yml"
    )
    there.uploads[at] = report.upload
    for one in report.sessions:
        if one.outcome != "duplicate":
            there.sessions[at, one.location] = one.session


NEITHER = {
    "requested_at",
    "changed_at",
    "received_at",
    "processed_at",
    "decided_at",
    "replaces",
    "replaced_by",
}
OWN = {"session", "clustering", "upload", "request", "sessions", "records", "sha256", "size_bytes"}


def anonymous(kind: str, line: dict[str, Any]) -> str:
    """A line without numbers and times, which differ between two ledgers."""
    left = NEITHER | (OWN - {"sessions"} if kind in ("upload", "request") else OWN)
    told = {name: value for name, value in line.items() if name not in left}
    return kind + re.sub(r"\b[sc]\d+\b", "#", str(sorted(told.items())))


def listed(lab: Lab) -> dict[tuple[str, str], dict[str, Any]]:
    with lab.daybook.reading() as world:
        slot = world.head.live_slot
        found = {("session", one["session"]): one for one in all_lines.sessions(world.transaction, slot)}
        found |= {
            ("clustering", one["clustering"]): one for one in all_lines.clusterings(world.transaction, slot)
        }
        found |= {("upload", one["upload"]): one for one in all_lines.uploads(world.transaction, slot)}
        requests = all_lines.requests(world.transaction, slot)
        return found | {("request", one["request"]): one for one in requests}


def plain(lines: dict[tuple[str, str], dict[str, Any]], columns: dict[str, set[str]]) -> Counter[str]:
    return Counter(
        anonymous(kind, {name: line[name] for name in line if name in columns[kind]})
        for (kind, _), line in lines.items()
    )


@pytest.fixture
def second(
    request: pytest.FixtureRequest, lab: Lab, tmp_path: Path, ledger_templates: Callable[[str, Path], str]
) -> Iterator[Lab]:
    """Another ledger for the same share."""
    kind = lab.daybook.database.dialect
    directory = tmp_path / "second"
    directory.mkdir()
    url = ledger_templates(kind, directory)
    daybook = Daybook.open(url, Actor("user_1"))
    load_catalogue(daybook, CATALOGUE)
    other = Lab(url, daybook, lab.share, lab.roots)
    yield other
    other.close()
    daybook.close()


@pytest.mark.parametrize("seed", [None, 1804839293])
def test_without_an_upload_or_a_deletion_it_stands_as_where_it_never_was(
    desk: Desk, second: Lab, seed: int | None
) -> None:
    if seed is None:
        seed = 1 if os.environ.get("CI") else random.randrange(2**32)
    lab, choices = desk.lab, random.Random(seed)
    for day, name in enumerate(FOLDERS):
        lab.record(name, day=day, serials=SERIALS[:1])
        if name.startswith("sorted"):
            kilosort_output(lab.share / name / "ks2.1_01")
    first, other = Ledger(desk), Ledger(Desk(second))
    script = Script(choices)
    script.write(first, STEPS[lab.daybook.database.dialect])
    kind, at, _ = choices.choice([s for s in script.steps if s[0] in ("upload", "group", "request")])
    name = f"d{first.requests[at]}" if kind == "request" else first.uploads[at]

    found = without(lab, name)

    script.repeat(other, at)
    now = listed(lab)
    for one in found.differences:
        if one.kind in _OF_THE_TABLES:
            now.pop((one.kind, one.name), None)
            if one.change != "removed":
                now[one.kind, one.name] = asdict(one.record)
    there = listed(second)
    columns: dict[str, set[str]] = {}
    for (kind, _), line in [*now.items(), *there.items()]:  # a difference says a little more than a list
        columns[kind] = columns.get(kind, set(line)) & set(line)
    assert plain(now, columns) == plain(there, columns), (seed, name)


# --- one thing at a time --------------------------------------------------------------------------------------------


def test_an_upload_takes_all_that_came_of_it_and_what_stands_on_it(lab: Lab) -> None:
    lab.record_many(3)
    kilosort_output(lab.share.parent / "joint" / "g")
    first = lab.upload(session("date_1"), session("date_2"))
    times = [one.session_time for one in first.sessions]
    later = lab.upload(session("date_3"), clustering=[group("g", times)])

    found = without(lab, first.upload)

    assert changes(found) == {
        first.upload: "removed",
        **{one.session: "removed" for one in first.sessions},
        later.sessions[0].session: "removed",  # one entry that is wrong rejects the whole file
        later.clusterings[0].clustering: "removed",
        later.upload: "changed",
    }
    assert [one.ref for one in found.otherwise] == [later.upload]
    assert (
        "would have been rejected: no session of its subject would have the time"
        in found.otherwise[0].message
    )


def test_a_later_file_that_brought_a_session_again_would_have_inserted_it(lab: Lab) -> None:
    lab.record_many(2)
    first = lab.upload(session("date_1"))
    unchanged = lab.upload(session("date_1"), session("date_2"))
    lab.upload(session("date_1"), session("date_2"))

    found = without(lab, first.upload)

    name = first.sessions[0].session
    assert changes(found) == {first.upload: "removed", name: "removed", unchanged.upload: "changed"}
    assert [(one.ref, one.message) for one in found.otherwise] == [
        (
            unchanged.upload,
            f"sessions[0] (N:/rec/date_1) was a duplicate of {name}; it would have been new, and inserted from there",
        )
    ]


def test_what_another_user_uploaded_again_would_have_been_new(lab: Lab) -> None:
    lab.record_many(1)
    first = lab.upload(session("date_1"))
    again = lab.upload(session("date_1"), user="user_2")
    assert again.sessions[0].outcome == "duplicate"

    found = without(lab, first.upload)

    assert [one.ref for one in found.otherwise] == [again.upload]
    assert f"was a duplicate of {first.sessions[0].session}" in found.otherwise[0].message


def test_without_a_deletion_what_was_uploaded_again_would_be_a_duplicate(desk: Desk) -> None:
    lab = desk.lab
    lab.record_many(2)
    old = lab.upload(session("date_1")).sessions[0].session
    request = desk.delete(old)
    again = lab.upload(session("date_1"), session("date_2"))
    new, beside = (one.session for one in again.sessions)

    found = without(lab, f"d{request}")

    by_name = {one.name: one for one in found.differences}
    assert fields(by_name[old])["status"] == ("deleted", "inserted")
    assert by_name[new].change == "removed"
    assert fields(by_name[again.upload]) == {"inserted": (2, 1), "duplicates": (0, 1)}
    assert beside not in by_name
    assert [(one.ref, one.message) for one in found.otherwise] == [
        (new, f"would have been a duplicate of {old}, which would stand at N:/rec/date_1")
    ]


@pytest.mark.parametrize("named", ["session", "upload"])
def test_without_a_deletion_a_later_one_would_have_taken_what_stood_on_both(desk: Desk, named: str) -> None:
    lab = desk.lab
    names = lab.record_quickly(2)
    kilosort_output(lab.share.parent / "joint" / "g")
    first = lab.upload(session(names[0], name=names[0]))
    second = lab.upload(*(session(name, name=name) for name in names), clustering=[group("g", names)])
    clustering = second.clusterings[0].clustering
    earlier = desk.delete(first.sessions[0].session)
    later = desk.delete(second.sessions[1].session if named == "session" else second.upload)

    found = without(lab, f"d{earlier}")

    assert [(one.ref, one.message) for one in found.otherwise] == [
        (f"d{later}", f"would have taken {clustering} too")
    ]
    by_name = {one.name: one for one in found.differences}
    assert fields(by_name[first.sessions[0].session])["status"] == ("deleted", "inserted")
    assert clustering not in by_name or "status" not in fields(by_name[clustering])
    assert fields(by_name[f"d{later}"]) == {"clusterings": (0, 1)}


def test_without_a_deletion_a_file_of_another_subject_would_be_a_duplicate(desk: Desk) -> None:
    lab = desk.lab
    other_subject(lab)
    lab.record("date_1", serials=SERIALS[:1])
    old = lab.upload(session("date_1")).sessions[0].session
    request = desk.delete(old)
    new = lab.upload(session("date_1"), subject=OTHER_SUBJECT).sessions[0].session

    found = without(lab, f"d{request}")

    assert (changes(found)[old], changes(found)[new]) == ("changed", "removed")
    assert [one.ref for one in found.otherwise] == [new]


def test_without_a_deletion_what_another_user_uploaded_again_would_be_a_duplicate(desk: Desk) -> None:
    lab = desk.lab
    lab.record_many(2)
    old = lab.upload(session("date_1")).sessions[0].session
    request = desk.delete(old)
    again = lab.upload(session("date_1"), session("date_2"), user="user_3")
    new, beside = (one.session for one in again.sessions)

    found = without(lab, f"d{request}")

    by_name = {one.name: one for one in found.differences}
    assert by_name[new].change == "removed" and beside not in by_name
    assert fields(by_name[again.upload]) == {"inserted": (2, 1), "duplicates": (0, 1)}


@pytest.mark.parametrize(("place", "held"), [("date_1", "location"), ("copy_of_1", "session_time")])
def test_without_a_deletion_what_it_made_room_for_could_not_have_been_restored(
    desk: Desk, place: str, held: str
) -> None:
    lab = desk.lab
    lab.record("date_1")
    lab.record("copy_of_1")
    old = lab.upload(session("date_1")).sessions[0].session
    first = desk.delete(old)
    new = lab.upload(session(place)).sessions[0].session
    second = desk.delete(new)
    desk.restore(first)

    found = without(lab, f"d{second}")

    by_name = {one.name: one for one in found.differences}
    assert fields(by_name[old])["status"] == ("inserted", "deleted")
    assert fields(by_name[new])["status"] == ("deleted", "inserted")
    assert [(one.ref, one.message) for one in found.otherwise] == [
        (old, f"could not have been restored: {new} would have its {held}")
    ]


def test_without_its_restoration_an_entry_could_not_have_been_withdrawn(desk: Desk) -> None:
    lab = desk.lab
    names = lab.record_quickly(2)
    desk.pending(*(session(name, name=name) for name in names), clustering=[group("g", names)])
    upload = lab.events()[-1].correlation
    desk.restore(desk.delete(upload))
    restored = next(event for event in lab.events() if event.type == "SessionRestored")
    desk.withdraw(upload)

    found = without(lab, str(restored.position))

    name = f"s{restored.stream.partition('/')[2]}"
    by_name = {one.name: one for one in found.differences}
    assert fields(by_name[name])["status"] == ("withdrawn", "deleted")


def test_what_was_restored_beside_nothing_stays_restored(desk: Desk) -> None:
    """The same without the deletion of something that was never in its way."""
    lab = desk.lab
    lab.record_many(2)
    old, other = (one.session for one in lab.upload(session("date_1"), session("date_2")).sessions)
    first, second = desk.delete(old), desk.delete(other)
    desk.restore(first)

    found = without(lab, f"d{second}")

    assert old not in changes(found) and found.otherwise == []


def test_without_a_correction_the_old_session_stands(desk: Desk) -> None:
    lab = desk.lab
    lab.record("date_1", serials=SERIALS[:1])
    old = lab.upload(session("date_1", room="2.345")).sessions[0].session
    replaced = corrected(lab, document(session("date_1", room="2.346")))
    new, request = replaced.replaced[0].new, replaced.request

    found = without(lab, request)

    by_name = {one.name: one for one in found.differences}
    assert fields(by_name[old]) == {"status": ("deleted", "inserted"), "replaced_by": (new, None)}
    assert by_name[new].change == by_name[request].change == "removed"


def test_without_the_first_upload_a_corrected_file_would_have_inserted_its_session_as_new(desk: Desk) -> None:
    lab = desk.lab
    lab.record("date_1", serials=SERIALS[:1])
    report = lab.upload(session("date_1", room="2.345"))
    new = corrected(lab, document(session("date_1", room="2.346"))).replaced[0].new

    found = without(lab, report.upload)

    by_name = {one.name: one for one in found.differences}
    assert by_name[report.sessions[0].session].change == "removed"
    assert fields(by_name[new]) == {"replaces": (report.sessions[0].session, None)}


def test_an_approval_can_be_thought_away_and_leaves_the_request_open(desk: Desk) -> None:
    lab = desk.lab
    lab.record_many(1)
    name = lab.upload(session("date_1")).sessions[0].session
    request = desk.delete(name)
    approved = next(event for event in lab.events() if event.type == "DeletionApproved")

    found = without(lab, str(approved.position))

    by_name = {one.name: one for one in found.differences}
    assert fields(by_name[name])["status"] == ("deleted", "inserted")
    assert fields(by_name[f"d{request}"])["status"] == ("executed", "requested")


def test_a_session_of_the_same_time_would_take_its_place(lab: Lab) -> None:
    lab.record("date_1", serials=SERIALS[:1])
    lab.record("twin", serials=SERIALS[:1])
    first = lab.upload(session("date_1")).sessions[0].session
    twin = lab.upload(session("twin")).sessions[0].session

    found = without(lab, first)

    by_name = {one.name: one for one in found.differences}
    assert fields(by_name[twin])["status"] == ("error", "pending")
    assert f"would not have failed by the session_time of {first}" in found.otherwise[0].message


def test_without_a_probe_a_session_would_not_have_been_inserted(lab: Lab) -> None:
    lab.record("date_1", serials=SERIALS[1:])
    name = lab.upload(session("date_1")).sessions[0].session
    probe = next(
        event for event in lab.events() if event.type == "ProbeInserted" and PROBES[1] in str(event.payload)
    )

    found = without(lab, str(probe.position))

    by_name = {one.name: one for one in found.differences}
    assert fields(by_name[name])["status"][1] == "pending"
    assert [one.ref for one in found.otherwise] == [name]
    assert f'probe "{PROBES[1]}" would not be in its subject' in found.otherwise[0].message


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ("reference.ExperimentRoom", "2.345"),
        ("behavior.TaskType", "OpenField"),
        ("acquisition.Project", "my_project"),
    ],
)
def test_without_a_value_the_files_that_use_it_would_have_been_rejected(
    lab: Lab, table: str, value: str
) -> None:
    lab.record_many(2)
    task = {"task_type": "OpenField", "arena_apparatus": "150_square", "task_start": 0, "task_stop": 10}
    used = lab.upload(session("date_1", room="2.345", project="my_project", tasks=[task]))
    unused = lab.upload(session("date_2", room="2.346", project="my_other_project"))
    added = next(
        event
        for event in lab.events()
        if event.type == "ReferenceValueAdded" and f'"{table}","value":"{value}"' in str(event.payload)
    )

    found = without(lab, str(added.position))

    assert changes(found)[used.upload] == "changed"
    assert changes(found)[used.sessions[0].session] == "removed"
    assert changes(found)[f"{table}: {value}"] == "removed"
    assert unused.upload not in changes(found)
    assert f'"{value}" would not be in {table}' in found.otherwise[0].message


def test_one_event_of_a_record_can_be_thought_away(lab: Lab) -> None:
    lab.record_many(1)
    name = lab.upload(session("date_1")).sessions[0].session
    annotate(lab.daybook, int(name[1:]), roots=lab.roots, notes="first")

    found = without(lab, str(lab.size()))

    assert [(one.name, fields(one)) for one in found.differences] == [(name, {"notes": ("first", None)})]
    assert (found.left_out, found.otherwise) == (1, [])


def test_what_changes_nothing_is_said_to(lab: Lab) -> None:
    lab.upload_bytes(b"sessions: 3\n")
    answer = run_cli("--db", lab.url, "what-if", "--without", str(lab.size()))

    assert "uploads:" in answer.out or "No record would stand otherwise." in answer.out


def test_what_cannot_be_thought_away_is_refused(lab: Lab) -> None:
    def refusal(text: str) -> str:
        code: str = run_cli("--db", lab.url, "--json", "what-if", "--without", text).json["error"]["code"]
        return code

    assert refusal("1") == "no-ledger-left"
    assert refusal("0") == refusal("N:/rec/date_1") == refusal("s") == "not-an-id"
    assert refusal("s3") == refusal("99999") == "not-found"


def test_the_command_line_says_it_in_tables_and_as_json(desk: Desk) -> None:
    lab = desk.lab
    report = lab.upload(*map(session, lab.record_many(2)))
    request = desk.delete(report.upload)
    again = lab.upload(session("date_1"))

    human = run_cli("--db", lab.url, "what-if", "--without", f"d{request}")
    document = run_cli("--db", lab.url, "--json", "what-if", "--without", f"d{request}").json

    assert human.exit == 0
    assert "Without position" in human.out.splitlines()[0]
    assert "status: deleted → inserted" in human.out
    assert f"{again.sessions[0].session} would have been a duplicate of" in human.out
    assert document["without"]["type"] == "DeletionRequested"
    assert document["otherwise"][0]["ref"] == again.sessions[0].session
    assert {one["kind"] for one in document["differences"]} >= {"session", "upload", "request"}
