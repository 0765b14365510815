"""The process that looks at session directories beside a large upload: what it finds, and what happens without it."""

import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from pydantic import TypeAdapter

from commands.intake import second_reader, settling
from commands.intake.looking import Batch, look_at
from commands.intake.second_reader import Gone, SecondReader, looked_at_in_turn
from commands.intake.settled import SettledSession
from commands.intake.unsettled import unsettled_sessions
from commands.intake.uploading import take_in
from commands.samples.clusterings import kilosort_output
from ledger.events import SessionInsertFailed
from tests.intake.lab import SERIALS, Lab, document, session
from tests.patience import PATIENCE_S, until

FOUND = TypeAdapter(list[SettledSession])
EMPTY = Batch((), (), frozenset())


@pytest.fixture
def reader(lab: Lab) -> Iterator[SecondReader]:
    opened = SecondReader(lab.roots, None)
    yield opened
    opened.close()


@pytest.fixture
def asked(lab: Lab) -> Batch:
    """Four sessions: one goes in with its clustering, one waits, one has a broken table, one is gone."""
    sorted_one = lab.record("sorted", serials=SERIALS[:1])
    lab.record("acquired", day=1, acquiring=True)
    kilosort_output(sorted_one / "probe_1")
    (lab.record("told", day=2) / "sessions.txt").write_text("#2, none\n")
    inherits = session("told", tasks=[{"task_type": "SleepTask"}])
    gone = lab.record("gone", day=3)
    entries = [session("sorted", clustering=True), session("acquired"), inherits, session("gone")]
    take_in(lab.daybook, document(*entries), filename="12345.yml", roots=lab.roots)
    gone.rename(gone.with_name("elsewhere"))
    with lab.daybook.reading() as world:
        numbers = unsettled_sessions(world, None, None)
    return settling._asked(lab.daybook, numbers)


def test_it_finds_what_is_found_here(lab: Lab, reader: SecondReader, asked: Batch) -> None:
    here = look_at(asked, lab.roots, None)

    there = FOUND.validate_json(reader.look_at(asked).result(PATIENCE_S))

    assert there == here
    assert [type(each.event).__name__ for each in there] == [
        "SessionInserted", "SessionWaiting", "SessionInsertFailed", "SessionInsertFailed",
    ]  # fmt: skip
    assert [len(each.clusterings) for each in there] == [1, 0, 0, 0]
    assert [each.event.payload() for each in there] == [each.event.payload() for each in here]


def test_one_that_is_killed_answers_no_more_and_is_given_nothing(reader: SecondReader) -> None:
    assert reader.look_at(EMPTY).result(PATIENCE_S) == b"[]"

    reader._process.kill()
    with pytest.raises(Gone):
        reader.look_at(EMPTY).result(PATIENCE_S)

    until(lambda: not reader.is_free)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no system to stop a process on")
def test_one_that_hangs_holds_up_nobody(reader: SecondReader) -> None:
    reader.look_at(EMPTY).result(PATIENCE_S)
    reader._process.send_signal(signal.SIGSTOP)
    answer = reader.look_at(EMPTY)

    reader.close()

    assert reader._process.returncode == -signal.SIGKILL
    with pytest.raises(Gone):
        answer.result(PATIENCE_S)


def test_a_ctrl_c_is_left_to_its_parent(reader: SecondReader) -> None:
    reader.look_at(EMPTY).result(PATIENCE_S)

    reader._process.send_signal(signal.SIGINT)

    assert reader.look_at(EMPTY).result(PATIENCE_S) == b"[]"


class Slow:
    """A reader that answers when it is told to."""

    def __init__(self, answers: int = 10**9) -> None:
        self.given: list[Future[bytes]] = []
        self.answers = answers

    @property
    def is_free(self) -> bool:
        return sum(not each.done() for each in self.given) < 2 and len(self.given) < self.answers

    def look_at(self, _batch: Batch) -> "Future[bytes]":
        self.given.append(Future())
        return self.given[-1]


def _found(number: int) -> list[SettledSession]:
    failed = SessionInsertFailed(code="none", message="None.")
    return [SettledSession(session=number, version=1, event=failed)]


def test_what_is_found_comes_in_order_and_not_too_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, looked_at = Slow(), []

    def here(numbers: list[int]) -> list[SettledSession]:
        looked_at.extend(numbers)
        return _found(numbers[0])

    def prepare(numbers: list[int]) -> Batch:
        if numbers == [8]:
            raise ValueError("an entry that cannot be read")
        return EMPTY

    batches = [[number] for number in range(12)]
    found = looked_at_in_turn(batches, slow, prepare, here)  # type: ignore[arg-type]

    assert next(found) == ([0], _found(0)) and looked_at == [0]
    slow.given[0].set_result(FOUND.dump_json(_found(1)))
    assert next(found) == ([1], _found(1))
    assert looked_at == [0] and len(slow.given) == 3  # 1, 2 and 3 are looked at elsewhere
    slow.given[1].set_exception(Gone())
    assert next(found) == ([2], _found(2)) and looked_at[-1] == 2
    monkeypatch.setattr(Future, "result", lambda _: FOUND.dump_json(_found(99)))
    assert next(found) == ([3], _found(99))  # waited for, once enough were looked at here
    assert looked_at == [0, 2, 5, 6, 7]
    for answer in slow.given:
        if not answer.done():
            answer.set_exception(Gone())
    assert [numbers for numbers, _ in found] == batches[4:]
    assert 8 in looked_at


def test_a_large_upload_goes_the_same_way(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_reader, "WORTH_IT", 7)
    monkeypatch.setattr(second_reader, "_cores", lambda: 2)
    monkeypatch.setattr(settling, "BATCH", 2)
    given: list[Batch] = []
    look = SecondReader.look_at

    def noted(reader: SecondReader, batch: Batch) -> Any:
        given.append(batch)
        return look(reader, batch)

    monkeypatch.setattr(SecondReader, "look_at", noted)
    names = lab.record_quickly(7)

    report = lab.upload(*map(session, names))

    assert given
    assert [each.outcome for each in report.sessions] == ["inserted"] * 7
    inserted = [event.stream for event in lab.events() if event.type == "SessionInserted"]
    assert inserted == [f"session/{each.session[1:]}" for each in report.sessions]


def test_where_no_process_can_be_started_the_upload_goes_on_without(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError("no more processes")

    monkeypatch.setattr(second_reader, "WORTH_IT", 2)
    monkeypatch.setattr(second_reader, "_cores", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", refuse)

    report = lab.upload(*map(session, lab.record_quickly(2)))

    assert [each.outcome for each in report.sessions] == ["inserted"] * 2


def test_a_small_upload_starts_no_process(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(second_reader, "SecondReader", lambda *_: started.append(1))

    lab.upload(*map(session, lab.record_quickly(2)))

    assert not started
