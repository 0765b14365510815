"""Who follows the log gets every event in order, at least once, wherever it is killed."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands.answers.following import Cursor, CursorFile, follow, follow_pages
from commands.answers.here import Here
from commands.door.settings import Settings
from commands.door.submit import Daybook
from commands.inputfile.limits import Limits
from commands.recordings.roots import Roots
from ledger.errors import IntegrityFailure, LedgerUnavailable, Refusal
from tests.cli.conftest import Run, run_cli
from tests.ledger.writing import added, append, processes
from tests.patience import PATIENCE_S


def here(daybook: Daybook, url: str) -> Here:
    return Here(daybook, Settings(url, Roots.of({}), Limits(), None, None))


def size(daybook: Daybook) -> int:
    with daybook.reading() as world:
        return world.head.size


@pytest.fixture
def ledger(daybook: Daybook, ledger_url: str) -> Iterator[Here]:
    yield here(daybook, ledger_url)


def test_a_follower_gets_every_event_in_order(ledger: Here, daybook: Daybook) -> None:
    append(daybook.database, [added(f"user_{number}") for number in range(2, 30)])

    found = [event.position for page in follow_pages(ledger, ends=True, at_once=7) for event in page]

    assert found == list(range(1, size(daybook) + 1))


def test_what_is_appended_while_somebody_waits_comes_next(ledger: Here, daybook: Daybook) -> None:
    end = size(daybook)

    def pause(_seconds: float) -> None:
        append(daybook.database, [added(f"user_{size(daybook)}")])

    following = follow(ledger, after=end, pause=pause)

    assert [next(following).position for _ in range(3)] == [end + 1, end + 2, end + 3]


def test_a_cursor_moves_on_when_the_next_event_is_asked_for(
    ledger: Here, daybook: Daybook, tmp_path: Path
) -> None:
    append(daybook.database, [added("user_2"), added("user_3")])
    file = CursorFile(tmp_path / "seen.cursor")
    following = follow(ledger, file, ends=True)

    first = next(following)
    before = file.load()
    next(following)

    assert before is None
    assert file.load() == Cursor.behind(first)


def _handle_and_die(url: str, cursor: str, handled: str, kill_at: int, moment: str) -> None:
    """A follower that writes down what it handled, and is killed before or after its place is kept."""
    from commands.door.actor import Actor

    daybook = Daybook.open(url, Actor("user_1"))
    save, count = CursorFile.save, 0

    def save_or_die(file: CursorFile, place: Cursor) -> None:
        nonlocal count
        count += 1
        if count == kill_at and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        save(file, place)
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    CursorFile.save = save_or_die  # type: ignore[method-assign]
    with open(handled, "a", encoding="utf-8") as book:
        for event in follow(here(daybook, url), CursorFile(Path(cursor)), ends=True):
            book.write(f"{event.position}\n")
            book.flush()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_follower_killed_about_keeping_its_place_goes_on_without_a_gap(
    daybook: Daybook, ledger_url: str, tmp_path: Path, moment: str
) -> None:
    append(daybook.database, [added(f"user_{number}") for number in range(2, 12)])
    end, handled = size(daybook), tmp_path / "handled"
    arguments = (ledger_url, str(tmp_path / "seen.cursor"), str(handled))

    codes = []
    for kill_at in (3, 4, 0):
        child = processes.Process(target=_handle_and_die, args=(*arguments, kill_at, moment))
        child.start()
        child.join(PATIENCE_S)
        codes.append(child.exitcode)

    positions = [int(line) for line in handled.read_text().splitlines()]
    again = [3, 6] if moment == "before" else []  # handled, and not yet kept
    assert codes == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert positions == sorted([*range(1, end + 1), *again])
    assert not list(tmp_path.glob(".seen*")) or moment == "after"


def test_a_cursor_of_another_ledger_is_refused(ledger: Here, daybook: Daybook, tmp_path: Path) -> None:
    file = CursorFile(tmp_path / "seen.cursor")
    list(follow(ledger, file, ends=True))
    kept = file.load()
    assert kept is not None

    for other in (
        Cursor(kept.position, "another", kept.recorded_at),
        Cursor(kept.position + 9, kept.command_id, kept.recorded_at),
    ):
        file.save(other)
        with pytest.raises(IntegrityFailure, match="another ledger, or an older copy"):
            list(follow(ledger, file, ends=True))


@pytest.mark.parametrize("text", ["", "7", "{}", '{"position": -1, "command_id": "", "recorded_at": ""}'])
def test_what_is_no_cursor_is_refused(ledger: Here, tmp_path: Path, text: str) -> None:
    (tmp_path / "seen.cursor").write_text(text)

    with pytest.raises(Refusal, match="is no cursor"):
        list(follow(ledger, CursorFile(tmp_path / "seen.cursor"), ends=True))


def test_a_ledger_that_is_not_reached_is_tried_again(ledger: Here, daybook: Daybook) -> None:
    told: list[Any] = []
    pauses: list[float] = []
    ask, failing = ledger.ask, iter([True, True, False, False])

    def sometimes(*words: Any, **asked: Any) -> Any:
        if next(failing):
            raise LedgerUnavailable("unreachable", "It cannot be reached.")
        return ask(*words, **asked)

    ledger.ask = sometimes  # type: ignore[method-assign]

    found = next(follow(ledger, tell=told.append, pause=pauses.append))

    assert found.position == 1
    assert [why and why.code for why in told] == ["unreachable", "unreachable", None]
    assert pauses == [1.0, 2.0]


def test_tail_prints_a_line_an_event_and_keeps_its_place(run: Run, tmp_path: Path) -> None:
    cursor = str(tmp_path / "seen.cursor")
    first = run("tail", "--json", "--once", "--cursor", cursor)
    assert run("catalogue", "add", "reference.Probe", "npx_9").exit == 0

    second = run("tail", "--json", "--once", "--cursor", cursor)

    events = [json.loads(line) for line in (first.out + second.out).splitlines()]
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert [json.loads(line)["type"] for line in second.out.splitlines()] == ["ReferenceValueAdded"]


def test_tail_begins_where_it_is_told(run: Run) -> None:
    for number in range(12):
        assert run("catalogue", "add", "reference.Probe", f"npx_{number}").exit == 0
    end = run("log", "--json").json["position"]

    from_two = run("tail", "--once", "--json", "--from", "2").out.splitlines()
    newest = run("tail", "--once", "--json").out.splitlines()
    in_words = run("tail", "--once").out.splitlines()

    assert [json.loads(line)["position"] for line in from_two] == list(range(2, end + 1))
    assert [json.loads(line)["position"] for line in newest] == list(range(end - 9, end + 1))
    assert len(in_words) == 10 and "npx_11" in in_words[-1]


@pytest.mark.tampers
def test_tail_says_that_its_cursor_is_of_another_ledger(run_here: Run, tmp_path: Path) -> None:
    text = '{"position": 1, "command_id": "x", "recorded_at": "x"}'
    (tmp_path / "seen.cursor").write_text(text)

    ended = run_cli("tail", "--once", "--cursor", str(tmp_path / "seen.cursor"))

    assert ended.exit == 5 and "[cursor-of-another-ledger]" in ended.err
