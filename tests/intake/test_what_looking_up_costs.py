"""What an input file asks of the ledger is looked up by an index, however much else the ledger holds."""

from dataclasses import replace
from typing import Any

import pytest

from commands.door.world import World
from commands.inputfile.read import read_input_file
from commands.intake.known import load_known
from commands.intake.returning import returning
from commands.samples.clusterings import kilosort_output
from ledger import log
from ledger.events import DiskLookedAt
from projections.apply import apply
from projections.rows import State
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.lab import Lab, document, group, session
from tests.watching import Watched, whole_reads


def watched(world: World) -> tuple[World, Any]:
    """The world over a transaction that keeps its statements."""
    transaction: Any = Watched(world.transaction)
    state = State(world.state.slot, transaction)
    return replace(world, transaction=transaction, state=state), transaction


def asked(lab: Lab, data: bytes) -> list[str]:
    """The tables that are read from end to end while a file is checked against the ledger."""
    read = read_input_file(data, filename="12345.yml")
    assert read.input_file is not None
    with lab.daybook.reading() as world:
        seen, transaction = watched(world)
        known = load_known(seen, read.input_file, lab.roots)
        returning(seen, read.input_file, known, lab.roots, lambda _: None)
        return [
            step
            for sql, values in transaction.statements
            for step in whole_reads(world.transaction, sql, values)
        ]


def test_no_table_of_records_is_read_whole_for_a_file(lab: Lab) -> None:
    kilosort_output(lab.share.parent / "joint" / "g")
    first = inserted(lab, 2, **grouped("quick_0", "quick_1"))[0]
    Desk(lab).delete(first)
    sessions = [session(f"quick_{n}", name=f"quick_{n}") for n in range(3)]
    groups = [group("G", ["quick_0", "quick_1"]), group("another", ["quick_0", "quick_1"])]

    assert asked(lab, document(*sessions, clustering=groups)) == []


def test_group_that_looks_like_a_held_one_is_found_whatever_its_spelling(lab: Lab) -> None:
    names, place = ["quick_0", "quick_1"], "N:/joint/g"
    kilosort_output(lab.share.parent / "joint" / "g")
    inserted(lab, 2, clustering=[group("MSC 1", names, location=place)])

    report = lab.upload(
        *(session(name, name=name) for name in names),
        clustering=[group(name, names, location=place) for name in ("msc\u00a01", "msc 2")],
    )

    assert [(one.code, one.path) for one in report.findings if one.severity == "error"] == [
        ("look-alike-name", "clustering[0].group_name")
    ]


@pytest.mark.tampers
def test_a_look_at_the_disk_reads_the_sessions_that_it_is_about(lab: Lab) -> None:
    inserted(lab, 5)
    with lab.daybook.database.writing() as transaction:
        slot = log.read_head(transaction).live_slot
        transaction.run(f"UPDATE sessions_{slot} SET look_next = NULL WHERE location NOT LIKE '%quick_3'")

    with lab.daybook.reading() as world:
        seen, transaction = watched(world)
        body = DiskLookedAt(sessions=[(1, 10**12), (10**13, 10**15)]).model_dump_json()
        apply(seen.state, [lab.events()[-1]._replace(stream="look/1", type="DiskLookedAt", payload=body)])
        read = seen.state.sessions.known()

    assert [row.location[-7:] for row in read.values()] == ["quick_3"]
    about = [sql for sql, _ in transaction.statements if " sessions_" in sql]
    assert len(about) == 1
