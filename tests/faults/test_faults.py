"""The short form: every fault once on each database that it can come to."""

import warnings
from pathlib import Path

from tests.conftest import ROOT
from tests.faults.kinds import FAULTS
from tests.faults.server import own_server
from tests.faults.suite import BEGIN, END, rows

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_whatever_goes_wrong_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    with own_server() as server:
        found = list(rows(tmp_path, server, seed=0, count=1))

    assert len(found) == sum(len(fault.databases) for fault in FAULTS)
    for row in found:
        if row.count == 0:
            warnings.warn(f"LOUD: {row.fault}: {row.outcome}", stacklevel=1)


def test_the_page_has_a_row_of_each_fault() -> None:
    table = PAGE.partition(BEGIN)[2].partition(END)[0]

    assert [fault.name for fault in FAULTS if f"| {fault.name} |" not in table] == []
    assert "| all held |" in table
