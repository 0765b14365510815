"""A process that dies at any statement of a command leaves all of the command or nothing."""

from contextlib import suppress

import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from ledger import log
from projections.rebuild import contents, rebuild
from tests.ledger.crashing import DIED, submit_and_die
from tests.ledger.writing import Register, elsewhere, head_size, is_sqlite


def state_of(daybook: Daybook) -> tuple[object, ...]:
    with daybook.reading() as world:
        receipts = world.transaction.run("SELECT count(*) FROM receipts").fetchone()
        events = [event.position for event in log.read_all(world.transaction)]
        return world.head, events, receipts, contents(world.transaction, world.head.live_slot)


# so few that no node of the tree is completed meanwhile, which is one statement more
@pytest.mark.parametrize("values", [2, 17], ids=["few rows", "copied rows"])
def test_a_crash_before_any_statement_or_after_the_commit_leaves_all_or_nothing(
    ledger_url: str, values: int
) -> None:
    if is_sqlite(ledger_url) and values == 17:
        pytest.skip("only PostgreSQL has another way for many rows")
    daybook = Daybook.open(ledger_url, Actor("user_1"))

    def dies(statement: int, *, after: bool = False) -> bool:
        """Whether the process died there; checks what it left, and sends the command again."""
        command_id = f"{statement}_{after}"
        before = state_of(daybook)
        child = elsewhere(submit_and_die, ledger_url, command_id, values, statement, after)
        child.join()
        with daybook.reading() as world:
            receipt = log.read_receipt(world.transaction, command_id)
        assert (receipt is None) == (child.exitcode == DIED and not after)
        if receipt is None:
            assert state_of(daybook) == before
        again = daybook.submit(Register(name=command_id, values=values, command_id=command_id))
        assert again.repeated == (receipt is not None)
        assert again.last - again.first == values
        return child.exitcode == DIED

    commit = 0
    while dies(commit + 1):
        commit += 1
    assert commit >= 8  # begin, lock, receipt, state, events, head, rows, receipt, commit
    assert dies(commit, after=True)

    assert head_size(daybook.database) == 1 + (values + 1) * (commit + 2)
    incremental = state_of(daybook)[-1]
    rebuild(daybook.database)
    assert state_of(daybook)[-1] == incremental
    daybook.close()


def test_an_interrupted_command_leaves_nothing(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    daybook = Daybook.open(ledger_url, Actor("user_1"))
    before = state_of(daybook)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(log, "write_receipt", interrupted)
    with suppress(KeyboardInterrupt):
        daybook.submit(Register(name="1", values=2))
    monkeypatch.undo()

    assert state_of(daybook) == before
    assert daybook.submit(Register(name="1", values=2)).last == 4
    daybook.close()
