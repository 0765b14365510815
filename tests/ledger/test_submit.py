"""The door: idempotent commands, conflicts that are decided anew, and no writing across versions."""

import pytest

from commands.door.actor import Actor
from commands.door.command import Command, new_command_id
from commands.door.submit import Daybook
from commands.door.world import Decision, Receipt, Result, World
from ledger import log
from ledger.envelope import NewEvent
from ledger.errors import Conflict, LedgerUnavailable, Refusal
from ledger.events import SubjectRegistered
from projections import versions
from tests.ledger.writing import Register, Registered, Rename, added, append, stored_events


def size(daybook: Daybook) -> int:
    with daybook.reading() as world:
        return world.head.size


def test_a_receipt_names_the_events_of_its_command(daybook: Daybook) -> None:
    receipt = daybook.submit(Register(name="12345", values=2))

    events = stored_events(daybook.database)[receipt.first - 1 : receipt.last]
    assert (receipt.first, receipt.last, receipt.repeated) == (2, 4, False)
    assert receipt.result == Registered(registered=True, position=4)
    assert {event.command_id for event in events} == {receipt.command_id}
    assert {event.actor for event in events} == {"user_1"}
    assert '"interface":"python"' in events[0].via


def test_the_same_command_again_gives_the_first_receipt_and_no_event(daybook: Daybook) -> None:
    command = Register(name="12345", values=1)
    first = daybook.submit(command)
    daybook.submit(Register(name="6"))

    for _ in range(2):
        again = daybook.submit(Register.model_validate(command.model_dump()))
        assert again == Receipt(command.command_id, first.first, first.last, first.result, repeated=True)
    assert size(daybook) == 4


def test_another_command_under_a_used_id_is_refused(daybook: Daybook) -> None:
    used = daybook.submit(Register(name="1")).command_id

    for other in (Register(name="2"), Register(name="1", values=1), Rename(name="1")):
        with pytest.raises(Conflict, match="used before, for a different command") as caught:
            daybook.submit(other.model_copy(update={"command_id": used}))
        assert caught.value.code == "command-id-reused"
    assert size(daybook) == 2


def test_a_command_without_effect_writes_nothing(daybook: Daybook) -> None:
    daybook.submit(Register(name="1"))

    receipt = daybook.submit(Register(name="1"))

    assert (receipt.first, receipt.last, receipt.result) == (0, 0, Registered(registered=False, position=2))
    assert size(daybook) == 2


def test_a_refusal_in_the_middle_of_deciding_writes_nothing(daybook: Daybook) -> None:
    class Refuse(Command[Result]):
        def authorise(self, world: World) -> None:
            """Anybody may."""

        def decide(self, world: World) -> Decision:
            log.append(world.transaction, world.head, [added("a")], log.Cause("x", "user_1", "{}"))
            raise Refusal("no", "No.", "Ask somebody else.")

    with pytest.raises(Refusal, match=r"No\. Ask"):
        daybook.submit(Refuse())

    assert size(daybook) == 1


class Insist(Command[Result]):
    """Appends to a new stream that is taken, so often."""

    times: int

    def authorise(self, world: World) -> None:
        """Anybody may."""

    def decide(self, world: World) -> Decision:
        _attempts.append(1)
        name = "1" if len(_attempts) <= self.times else self.command_id
        body = SubjectRegistered(datasource_id=0, name=name)
        return Decision([NewEvent(f"subject/0/{name}", body, subject=f"0/{name}")], Result())


_attempts: list[int] = []


def test_a_key_that_was_taken_meanwhile_is_decided_anew(daybook: Daybook) -> None:
    daybook.submit(Register(name="1"))

    for times, attempts in ((0, 1), (2, 3), (4, 5)):
        _attempts.clear()
        daybook.submit(Insist(times=times))
        assert len(_attempts) == attempts
    assert size(daybook) == 5


def test_deciding_anew_ends_after_a_bounded_number_of_times(daybook: Daybook) -> None:
    daybook.submit(Register(name="1"))
    _attempts.clear()

    with pytest.raises(Conflict, match="Another writer was faster"):
        daybook.submit(Insist(times=1_000))

    assert len(_attempts) == 5
    assert size(daybook) == 2


def test_a_stream_that_moved_is_the_callers_to_look_at_again(daybook: Daybook) -> None:
    append(daybook.database, [added("a")])
    _attempts.clear()

    class Stale(Command[Result]):
        def authorise(self, world: World) -> None:
            """Anybody may."""

        def decide(self, world: World) -> Decision:
            _attempts.append(1)
            return Decision([added("b", expected_version=7)], Result())

    with pytest.raises(Conflict) as caught:
        daybook.submit(Stale())

    assert (caught.value.code, len(_attempts)) == ("stream-moved", 1)


def test_a_process_of_another_version_does_not_write_into_rebuilt_projections(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch, ledger_url: str
) -> None:
    monkeypatch.setitem(versions.VERSIONS, "sessions", 99)
    newer = Daybook.open(ledger_url, Actor("user_1"))
    newer.submit(Register(name="1"))
    newer.close()
    monkeypatch.undo()

    with pytest.raises(LedgerUnavailable, match="A newer version of Daybook") as caught:
        daybook.submit(Register(name="2"))

    assert caught.value.hint
    assert size(daybook) == 2


def test_command_ids_are_unique_and_sort_by_time() -> None:
    ids = [new_command_id() for _ in range(1_000)]

    assert len(set(ids)) == 1_000
    assert [one[:16] for one in ids] == sorted(one[:16] for one in ids)


def test_text_with_the_character_nul_is_refused_on_both_databases(daybook: Daybook) -> None:
    with pytest.raises(Refusal, match="NUL") as caught:
        daybook.submit(Register(name="a\0b"))
    assert caught.value.hint

    daybook.submit(Register(name=r"a\u0000b"))  # a backslash and letters
    daybook.submit(Register(name="a\\"))
    assert size(daybook) == 3
