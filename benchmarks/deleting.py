"""Deleting everything that came of an upload of 10,000 sessions, in a ledger of a million events."""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from benchmarks.databases import analyse, new_ledger
from benchmarks.history import fill
from benchmarks.measure import Measure, slower
from benchmarks.reading import LIMITS, load_lab, write_lab
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.intake.uploading import upload
from commands.lab.roles import GrantRole
from commands.recordings.roots import Roots
from commands.requests.approving import approve
from commands.requests.deletion import RequestDeletion
from commands.requests.impact import impact_of_named
from commands.requests.naming import named


def measures(place: Path, server: str | None, events: int, sessions: int) -> Iterator[Measure]:
    name = "SQLite" if server is None else "PostgreSQL"
    daybook = new_ledger(place, server)
    fill(daybook.database, events)
    analyse(daybook)
    load_lab(daybook)
    root = place / "N"
    data = write_lab(root, sessions)
    roots = Roots.of({"N:": [str(root)]})
    before = _size(daybook)
    began = perf_counter()
    report = upload(daybook, data, filename="a.yml", roots=roots, limits=LIMITS)
    inserting = (perf_counter() - began) / (_size(daybook) - before)
    if any(entry.outcome != "inserted" for entry in report.sessions):
        raise AssertionError("everything should be inserted")
    began = perf_counter()
    with daybook.reading() as world:
        impact = impact_of_named(world, named(world, [report.upload]))
    if len(impact.sessions) != sessions:
        raise AssertionError(f"{len(impact.sessions)} sessions in the impact")
    yield slower(
        f"impact of deleting an upload of {sessions:,} sessions, {name}",
        "the limit",
        (perf_counter() - began, 1.0),
        1.0,
    )
    request = daybook.submit(RequestDeletion(records=[report.upload], reason="measured"))
    daybook.submit(GrantRole(user="user_2", role="admin"))
    admin = Daybook.open(daybook.database.address.text, Actor("user_2"))
    before = _size(daybook)
    began = perf_counter()
    approve(admin, int(request.result.request[1:]), accept_impact=False, roots=roots)
    deleting = (perf_counter() - began) / (_size(daybook) - before)
    admin.close()
    daybook.close()
    yield slower(
        f"an event of executing that deletion, {name}",
        "an event of inserting the same sessions",
        (deleting, inserting),
        3.0,
    )


def _size(daybook: Daybook) -> int:
    with daybook.reading() as world:
        return world.head.size
