"""Of the past no more is folded than what has changed since: counted, list by list."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest

from commands.answers import accounts, lists
from commands.answers import lab as answers
from commands.door.world import World
from commands.intake.completion import annotate
from commands.lab.catalogue import AddReferenceValue
from commands.lab.roles import GrantRole
from commands.lab.subjects import RemoveProbe
from ledger import log
from ledger.database import Transaction
from ledger.envelope import StoredEvent
from projections.past import About, Past
from projections.queries import Query
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.lab import PROBES, number, session

Ask = Callable[[World], Any]
LISTS: dict[str, Ask] = {
    kind: lambda world, ask=ask: ask(world, Query()) for kind, ask in lists.ANSWERS.items()
}  # type: ignore[misc]
OF_THE_LAB: dict[str, Ask] = {
    "catalogue": answers.catalogue, "subjects": answers.subjects, "roles": answers.roles, "users": accounts.users,
}  # fmt: skip
ABOUT: dict[str, tuple[Ask, About]] = {
    **{name: (ask, Past.lists) for name, ask in LISTS.items()},
    **{name: (ask, Past.lab) for name, ask in OF_THE_LAB.items()},
}


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The streams whose events were read to be folded."""
    streams: list[str] = []
    original = log.read_streams

    def read_streams(transaction: Transaction, wanted: Collection[str], up_to: int) -> Iterator[StoredEvent]:
        streams.extend(wanted)
        return original(transaction, wanted, up_to)

    monkeypatch.setattr("ledger.log.read_streams", read_streams)
    return streams


def asked(desk: Desk, position: int, folded: list[str]) -> dict[str, set[str]]:
    """For each list, what was folded of it."""
    found = {}
    for name, (ask, about) in ABOUT.items():
        folded.clear()
        with desk.lab.daybook.reading_past(position, about) as world:
            ask(world)
        assert len(folded) == len(set(folded)), name
        found[name] = set(folded)
    return found


def test_nothing_is_folded_where_nothing_has_changed_since(desk: Desk, folded: list[str]) -> None:
    lab = desk.lab
    first = inserted(lab, 3, **grouped("quick_0", "quick_1"))[0]
    desk.reject(desk.request(first))
    then = lab.size()
    lab.record("later", day=8)
    lab.upload(session("later"))

    assert asked(desk, then, folded) == {name: set() for name in ABOUT}


def test_only_what_has_changed_since_is_folded(desk: Desk, folded: list[str]) -> None:
    lab = desk.lab
    names = lab.record_many(4)
    uploads = [lab.upload(session(name)) for name in names]
    sessions = [number(report.sessions[0]) for report in uploads]
    requests = [desk.request(f"s{sessions[0]}"), desk.request(f"s{sessions[1]}")]
    then = lab.size()
    annotate(lab.daybook, sessions[2], roots=lab.roots, room="2.345")
    desk.reject(requests[1])
    lab.daybook.submit(AddReferenceValue(table="acquisition.Project", value="later"))
    lab.daybook.submit(RemoveProbe(subject="12345", probe=PROBES[1], removal_time="2024-01-01 00:00:00"))
    lab.daybook.submit(GrantRole(user="user_7", role="researcher"))

    lab_streams = {"ledger", "reference/acquisition.Project", "subject/0/12345", "user/user_7"}
    assert asked(desk, then, folded) == {
        "sessions": {f"session/{sessions[2]}"},
        "clusterings": set(),
        "uploads": {uploads[2].upload.replace("u", "upload/")},
        "requests": {f"deletion/{requests[1]}"},
        **dict.fromkeys(OF_THE_LAB, lab_streams),
    }


def test_as_many_statements_are_run_for_a_long_page_as_for_a_short_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = desk.lab
    for name in lab.record_many(6):
        lab.upload(session(name))
    then = lab.size()
    with lab.daybook.reading() as world:
        sessions = [row.id for row in world.state.sessions.where("id > ?", [0])]
    for one in sessions:
        annotate(lab.daybook, one, roots=lab.roots, room="2.345")
    statements: list[str] = []
    original = Transaction.run

    def run(self: Transaction, sql: str, values: Any = ()) -> Any:
        statements.append(sql)
        return original(self, sql, values)

    monkeypatch.setattr(Transaction, "run", run)

    def number_of(ask: Callable[[World, Query], Any], limit: int) -> int:
        statements.clear()
        with lab.daybook.reading_past(then, Past.lists) as world:
            ask(world, Query(limit=limit))
        return len(statements)

    number_of(lists.sessions, 1)  # PostgreSQL is asked once for the schema of the tables
    for kind, ask in lists.ANSWERS.items():
        assert number_of(ask, 2) == number_of(ask, 5), kind
