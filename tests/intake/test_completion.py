"""What a file left out is added by command: the same checks, only what is missing, and never over somebody's head."""

from collections.abc import Callable
from datetime import datetime

import pytest

from commands.inputfile.entries import ClusteringEntry
from commands.intake import completion
from commands.intake.completion import Rejected, add_clustering, add_tasks, annotate, associate
from commands.lab.catalogue import RetireReferenceValue
from commands.samples.clusterings import kilosort_output
from ledger.errors import Conflict, Refusal
from projections import listings
from projections.references import Reference
from tests.intake.lab import PROBES, Lab, number, session, task

TASKS = b"- {task_type: OpenField, arena_apparatus: 150_square, task_start: 1, task_stop: 2}\n"


def entry_of(lab: Lab, session_number: int) -> dict[str, object]:
    with lab.daybook.reading() as world:
        whole = listings.whole(world.transaction, world.head.live_slot, Reference("session", session_number))
    return dict(whole["entry"])


@pytest.fixture
def one(lab: Lab) -> int:
    """An inserted session that has nothing but what is required."""
    kilosort_output(lab.record("date_1", serials=["18408403232"]) / "sorted")
    return number(lab.upload(session("date_1")).sessions[0])


@pytest.fixture
def waiting(lab: Lab) -> int:
    lab.record("date_2", day=1, serials=["9999998", "9999999"])
    return number(lab.upload(session("date_2")).sessions[0])


def test_room_project_and_notes_are_added_and_shown(lab: Lab, one: int) -> None:
    before = lab.size()
    annotate(lab.daybook, one, roots=lab.roots, room="2.345", project=("my_project",), notes="n")
    assert lab.types(before) == ["SessionAnnotated"]
    assert lab.bodies("SessionAnnotated")[0]["fields"] == {
        "room": "2.345",
        "project": ["my_project"],
        "notes": "n",
    }
    with lab.daybook.reading() as world:
        whole = listings.whole(world.transaction, world.head.live_slot, Reference("session", one))
    assert (whole["room"], whole["project"], whole["notes"]) == ("2.345", ["my_project"], "n")


def test_notes_that_a_file_could_not_hold_are_refused_and_a_project_counts_once(lab: Lab, one: int) -> None:
    before = lab.size()
    for notes in ("a\x1b[31mb", "a\x00b", "a\u2028b", "a\ud800b"):
        with pytest.raises(Refusal, match=r"U\+[0-9A-F]{4}"):
            annotate(lab.daybook, one, roots=lab.roots, notes=notes)
        with pytest.raises(Refusal, match=r"U\+[0-9A-F]{4}"):
            clustering = ClusteringEntry("user_1", "N:/rec/date_1/sorted", notes=notes)
            add_clustering(lab.daybook, one, clustering, roots=lab.roots)
    assert lab.size() == before
    annotate(lab.daybook, one, roots=lab.roots, notes="two\nlines", project=("my_project", "my_project"))
    assert entry_of(lab, one)["project"] == ["my_project"]


def test_tasks_are_added_to_a_waiting_session_and_inserted_with_it(lab: Lab, waiting: int) -> None:
    add_tasks(lab.daybook, waiting, TASKS, filename="t.yml", roots=lab.roots)
    assert associate(
        lab.daybook, waiting, {"probe_1": PROBES[0], "probe_2": PROBES[1]}, roots=lab.roots
    ).status == "inserted"  # fmt: skip
    assert [t["task_start"] for t in lab.bodies("SessionInserted")[-1]["tasks"]] == [1]
    entry = entry_of(lab, waiting)
    assert (
        entry["probe_association"] == {"probe_1": PROBES[0], "probe_2": PROBES[1]}
        and len(entry["tasks"]) == 1
    )


def test_the_owner_stays_and_the_actor_is_named(lab: Lab, one: int) -> None:
    annotate(lab.as_admin("user_2"), one, roots=lab.roots, notes="by somebody else")
    [event] = [event for event in lab.events() if event.type == "SessionAnnotated"]
    assert (event.actor, event.username, event.correlation) == ("user_2", "user_1", f"u{one - 2}")


Step = Callable[[Lab, int], object]
REFUSED: list[tuple[str, Step]] = [
    ("nothing-given", lambda lab, one: annotate(lab.daybook, one, roots=lab.roots)),
    ("nothing-given", lambda lab, one: annotate(lab.daybook, one, roots=lab.roots, notes="")),
    ("unknown-value", lambda lab, one: annotate(lab.daybook, one, roots=lab.roots, room="9")),
    ("unknown-value", lambda lab, one: annotate(lab.daybook, one, roots=lab.roots, project=("nix",))),
    ("has-experimenter", lambda lab, one: (
        annotate(lab.daybook, one, roots=lab.roots, room="2.345"),
        annotate(lab.daybook, one, roots=lab.roots, room="2.346"),
    )),
    ("nothing-given", lambda lab, one: add_tasks(lab.daybook, one, b"[]", filename="t.json", roots=lab.roots)),
    ("unknown-value", lambda lab, one: add_tasks(
        lab.daybook, one, TASKS.replace(b"150", b"151"), filename="t.yml", roots=lab.roots)),
    ("tasks-overlap", lambda lab, one: add_tasks(lab.daybook, one, TASKS + TASKS, filename="t.yml", roots=lab.roots)),
    ("yaml-syntax", lambda lab, one: add_tasks(lab.daybook, one, b"- {", filename="t.yml", roots=lab.roots)),
    ("not-inserted", lambda lab, one: add_clustering(
        lab.daybook, number(lab.upload(session("date_3")).sessions[0]), ClusteringEntry("user_1", "N:/rec"),
        roots=lab.roots)),
    ("not-found", lambda lab, one: annotate(lab.daybook, 10**6, roots=lab.roots, notes="n")),
    ("not-found", lambda lab, one: associate(lab.daybook, 1, {"a": "b"}, roots=lab.roots)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "step"), REFUSED, ids=[f"{i}-{code}" for i, (code, _) in enumerate(REFUSED)]
)
def test_a_wrong_completion_is_refused_in_words(lab: Lab, one: int, code: str, step: Step) -> None:
    lab.record("date_3", day=2, acquiring=True)
    with pytest.raises(Refusal) as refused:
        step(lab, one)
    assert refused.value.message and "Traceback" not in str(refused.value)
    if code == "has-experimenter":
        assert refused.value.code == "has-room"
    elif code in ("tasks-overlap", "yaml-syntax"):
        assert isinstance(refused.value, Rejected)
    else:
        assert refused.value.code == code
    assert lab.types()[-1] not in ("TasksAdded", "ClusteringInserted")


def test_tasks_are_not_added_to_a_session_that_has_some(lab: Lab) -> None:
    lab.record("date_1")
    one = number(lab.upload(session("date_1", tasks=[task(task_start=1, task_stop=2)])).sessions[0])
    with pytest.raises(Refusal, match="1 task"):
        add_tasks(lab.daybook, one, TASKS, filename="t.yml", roots=lab.roots)


def test_nothing_is_added_to_a_session_that_failed(lab: Lab) -> None:
    (lab.share / "date_1").mkdir()
    one = number(lab.upload(session("date_1")).sessions[0])
    with pytest.raises(Refusal) as refused:
        annotate(lab.daybook, one, roots=lab.roots, notes="n")
    assert refused.value.code == "session-closed"


def test_values_that_were_retired_since_do_not_block_a_completion(lab: Lab) -> None:
    lab.record("date_1")
    one = number(lab.upload(session("date_1", room="2.345")).sessions[0])
    lab.daybook.submit(RetireReferenceValue(table="reference.ExperimentRoom", value="2.345"))
    annotate(lab.daybook, one, roots=lab.roots, notes="n")
    with pytest.raises(Rejected):
        annotate(lab.daybook, one, roots=lab.roots, project=("no_such_project",))


OVERTAKEN: list[Step] = [
    lambda lab, one: annotate(lab.daybook, one, roots=lab.roots, notes="mine"),
    lambda lab, one: add_tasks(lab.daybook, one, TASKS, filename="t.yml", roots=lab.roots),
    lambda lab, one: add_clustering(
        lab.daybook, one, ClusteringEntry("user_1", "N:/rec/date_1"), roots=lab.roots
    ),
]


@pytest.mark.parametrize("step", OVERTAKEN, ids=["annotate", "add_tasks", "add_clustering"])
def test_a_session_that_somebody_changed_meanwhile_is_a_conflict(
    lab: Lab, one: int, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = completion._current
    overtaken: list[int] = []

    def overtake(daybook: object, session_number: int, action: str) -> object:
        found = current(daybook, session_number, action)  # type: ignore[arg-type]
        if not overtaken:
            overtaken.append(1)
            annotate(lab.as_admin("user_2"), one, roots=lab.roots, room="2.345")
        return found

    monkeypatch.setattr(completion, "_current", overtake)
    lab.as_admin("user_2")
    before = lab.size()
    with pytest.raises(Conflict) as conflict:
        step(lab, one)
    assert conflict.value.code == "session-moved" and f"s{one}" in str(conflict.value)
    assert lab.types(before) == ["SessionAnnotated"]
    step(lab, one)
    assert lab.size() > before + 1


def test_two_equal_clusterings_added_at_once_are_inserted_once(
    lab: Lab, one: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = completion._current
    clustering = ClusteringEntry("user_1", "N:/rec/date_1/sorted")
    overtaken: list[int] = []

    def overtake(daybook: object, session_number: int, action: str) -> object:
        found = current(daybook, session_number, action)  # type: ignore[arg-type]
        if not overtaken:
            overtaken.append(1)
            add_clustering(lab.as_admin("user_2"), one, clustering, roots=lab.roots)
        return found

    monkeypatch.setattr(completion, "_current", overtake)
    with pytest.raises(Refusal):
        add_clustering(lab.daybook, one, clustering, roots=lab.roots)
    assert lab.types().count("ClusteringInserted") == 1


def test_what_was_completed_survives_a_rebuild(lab: Lab, one: int) -> None:
    from projections.rebuild import contents, rebuild

    annotate(lab.daybook, one, roots=lab.roots, room="2.345")
    add_tasks(lab.daybook, one, TASKS, filename="t.yml", roots=lab.roots)
    at = ClusteringEntry("user_2", "N:/rec/date_1/sorted", curation_time=str(datetime(2023, 1, 1)))
    add_clustering(lab.daybook, one, at, roots=lab.roots)
    with lab.daybook.reading() as world:
        live, before = world.head.live_slot, contents(world.transaction, world.head.live_slot)
    rebuild(lab.daybook.database)
    with lab.daybook.reading() as world:
        assert world.head.live_slot != live and contents(world.transaction, world.head.live_slot) == before
