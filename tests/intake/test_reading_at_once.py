"""Many session directories are looked at together where the disk is slow, and one by one where it is not."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from commands.intake import reading
from commands.intake.reading import looked_at_each, most_at_once
from commands.intake.validation import validate
from ledger.database import Database
from tests.intake.lab import START, Lab, document, session

MAIN = threading.main_thread()


class Disk:
    """A disk on a clock of its own: a look takes ``seconds`` for whoever waits alone, and ``bears`` so many at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float, bears: int = 1_000) -> None:
        self.now = 0.0
        self.together = 1
        self.seconds, self.bears = seconds, bears
        self.held_up: dict[int, float] = {}
        self.looked_at: list[int] = []
        self.tried: list[int] = []
        self.threads: set[threading.Thread] = set()
        monkeypatch.setattr(reading, "perf_counter", lambda: self.now)
        at_once = reading._at_once

        def remembered(some: Any, look: Any, number: int) -> Any:
            self.tried.append(number)
            self.together = min(number, self.bears)
            yield from at_once(some, look, number)
            self.together = 1

        monkeypatch.setattr(reading, "_at_once", remembered)
        self._lock = threading.Lock()

    def look(self, number: int) -> int:
        with self._lock:
            self.now += self.seconds / self.together + self.held_up.get(number, 0.0)
            self.looked_at.append(number)
            self.threads.add(threading.current_thread())
        return -number


def test_what_is_found_comes_in_the_order_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, seconds=0.12)

    assert list(looked_at_each(range(700), disk.look)) == [-number for number in range(700)]
    assert sorted(disk.looked_at) == list(range(700))


def test_a_disk_that_answers_at_once_is_read_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, seconds=0.0005)

    assert list(looked_at_each(range(200), disk.look)) == [-number for number in range(200)]
    assert (disk.threads, disk.tried) == ({MAIN}, [])


def test_a_busy_machine_is_not_taken_for_a_slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then a look is held up, by what else runs there."""
    disk = Disk(monkeypatch, seconds=0.0005)
    disk.held_up = {number: 0.1 for number in range(400) if number % 3 == 0}

    list(looked_at_each(range(400), disk.look))

    assert (disk.threads, disk.tried) == ({MAIN}, [])


def test_a_share_that_bears_one_at_a_time_is_read_without_threads_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = Disk(monkeypatch, seconds=0.12, bears=1)

    list(looked_at_each(range(400), disk.look))

    assert disk.tried == [4, 1]


@pytest.mark.parametrize(
    ("bears", "kept"), [(1, 1), (4, 4), (8, 8), (32, 32), (1_000, 32)], ids=lambda each: str(each)
)
def test_as_many_are_read_at_once_as_the_share_bears(
    monkeypatch: pytest.MonkeyPatch, bears: int, kept: int
) -> None:
    disk = Disk(monkeypatch, seconds=0.12, bears=bears)

    list(looked_at_each(range(400), disk.look))

    assert disk.tried[-1] == kept
    assert max(disk.tried) <= 32


def test_on_a_share_that_bears_many_400_take_a_twelfth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, seconds=0.12)

    list(looked_at_each(range(400), disk.look))

    assert disk.now <= 0.12 * 400 * 0.12


def test_no_more_are_read_at_once_than_files_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (128, 4096))
    assert most_at_once() == 4
    monkeypatch.setattr(resource, "getrlimit", lambda _: (32, 4096))
    assert most_at_once() == 1
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert most_at_once() == 32


def test_after_an_interruption_no_look_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, seconds=0.12)

    def interrupted(number: int) -> int:
        if number == 100:
            raise KeyboardInterrupt
        return disk.look(number)

    with pytest.raises(KeyboardInterrupt):
        list(looked_at_each(range(10_000), interrupted))

    assert len(disk.looked_at) < 700


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on every look is taken for a slow one, and no thread but the main one may ask the database."""

    def begin() -> None:
        transaction = Database._transaction

        @contextmanager
        def asked(*arguments: Any, **options: Any) -> Any:
            assert threading.current_thread() is MAIN
            with transaction(*arguments, **options) as opened:
                yield opened

        monkeypatch.setattr(Database, "_transaction", asked)
        monkeypatch.setattr(reading, "_SURELY_SLOW_S", -1.0)

    return begin


def test_a_slow_share_changes_nothing_of_what_is_found(lab: Lab, slow: Callable[[], None]) -> None:
    """The metas of one are empty, which is its own fault alone."""
    names = lab.record_many(9)
    for meta in (lab.share / names[4]).rglob("*.meta"):
        meta.write_bytes(b"")
    slow()

    report = lab.upload(*map(session, names))

    outcomes = [each.outcome for each in report.sessions]
    assert [outcome == "inserted" for outcome in outcomes] == [number != 4 for number in range(9)], outcomes
    assert [each.session_time for each in report.sessions if each.session_time] == [
        str(START + timedelta(days=day)) for day in range(9) if day != 4
    ]


def test_a_slow_share_gives_the_same_findings(lab: Lab, slow: Callable[[], None]) -> None:
    entries = [session(name) for name in lab.record_many(5)]
    file = document(*entries[:3], session("not_there"), *entries[3:], session("nor_there"))

    def found() -> list[tuple[str, int | None]]:
        checked = validate(lab.daybook, file, filename="a.yml", roots=lab.roots, record=False)
        return [(finding.code, finding.line) for finding in checked.findings]

    one_by_one = found()
    slow()

    assert found() == one_by_one
    assert [code for code, _ in one_by_one].count("location-not-found") == 2
