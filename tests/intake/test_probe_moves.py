"""A probe that was recovered from one subject may be used in another."""

from commands.lab.subjects import InsertProbe, RemoveProbe
from tests.intake.lab import PROBES, Lab

AT = "2023-03-01 00:00:00"


def test_probe_that_was_removed_may_be_inserted_in_another_subject(lab: Lab) -> None:
    removed = lab.daybook.submit(
        RemoveProbe(subject="12345", probe=PROBES[0], removal_time=AT)
    )  # as it went in

    inserted = lab.daybook.submit(InsertProbe(subject="23456", probe=PROBES[0], insertion_time=AT))

    assert (removed.result.removed, inserted.result.added) == (1, 1)
