"""A clock that runs ahead: refused by the door where a server knows better, and said where it has been."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from commands.answers.status import status
from commands.door.submit import Daybook
from ledger import log
from ledger.errors import LedgerUnavailable
from ledger.verify import verify
from tests.cli.conftest import Run, folder, run, run_here
from tests.ledger.writing import Register, is_sqlite, stored_events

__all__ = ["folder", "run", "run_here"]


def by_a_clock(minutes: float) -> str:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def submit_at(daybook: Daybook, name: str, minutes: float, *, without_server: bool = False) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(log, "now", lambda: by_a_clock(minutes))
        if without_server:  # as on SQLite: there is no other clock
            patched.setattr(log, "_refuse_clock_ahead", lambda at, head: None)
        daybook.submit(Register(name=name))


@pytest.mark.tampers
@pytest.mark.parametrize("minutes", [4.5, 5.5])
def test_door_refuses_more_than_five_minutes_ahead_of_the_server(
    daybook: Daybook, ledger_url: str, minutes: float
) -> None:
    if is_sqlite(ledger_url) or minutes < 5:
        submit_at(daybook, "a", minutes)
        assert len(stored_events(daybook.database)) == 2
        return

    with pytest.raises(LedgerUnavailable, match="clock of this machine") as caught:
        submit_at(daybook, "a", minutes)

    assert caught.value.code == "clock-ahead" and caught.value.hint
    assert len(stored_events(daybook.database)) == 1
    daybook.submit(Register(name="a"))  # the connection is good, and the clock is right


@pytest.mark.tampers
def test_behind_a_time_that_lies_ahead_events_keep_it_and_say_the_writers_own(
    daybook: Daybook, ledger_url: str
) -> None:
    submit_at(daybook, "a", 60, without_server=True)

    daybook.submit(Register(name="b"))

    _, ahead, later = stored_events(daybook.database)
    own = orjson.loads(later.via)["clock"]
    assert later.recorded_at == ahead.recorded_at
    assert own < by_a_clock(1) and "clock" not in orjson.loads(ahead.via)
    report = verify(ledger_url)
    assert report.problems == [] and report.latest == ahead.recorded_at
    assert daybook.ledger.ahead == ahead.recorded_at
    with daybook.reading() as world:
        assert status(world, now=datetime.now(UTC)).ahead == ahead.recorded_at
        assert status(world, now=datetime.now(UTC) + timedelta(hours=2)).ahead is None


def test_clocks_that_agree_leave_nothing_to_say(daybook: Daybook) -> None:
    daybook.submit(Register(name="a"))

    assert daybook.ledger.ahead is None
    assert all("clock" not in orjson.loads(event.via) for event in stored_events(daybook.database))
    with daybook.reading() as world:
        assert status(world, now=datetime.now(UTC)).ahead is None


@pytest.mark.tampers
def test_next_command_and_status_say_that_a_clock_ran_ahead(
    run: Run, daybook: Daybook, ledger_url: str
) -> None:
    submit_at(daybook, "a", 60, without_server=True)

    for arguments in (["subject", "add", "12345"], ["status"], ["verify"]):
        ended = run(*arguments)
        assert ended.exit == 0 and "a clock ran ahead" in ended.err, arguments
    assert run("verify", "--json").json["ahead"] == stored_events(daybook.database)[-1].recorded_at
