"""When a probe is in a subject: from the moment of its insertion on, until that of its removal."""

import pytest

from commands.recordings.insertions import Insertion

INSERTED, REMOVED = "2023-03-01 10:00:00", "2023-04-01 10:00:00"


@pytest.mark.parametrize(
    ("time", "is_in", "comes_before"),
    [
        ("2023-03-01 09:59:59", False, True),
        (INSERTED, True, True),
        ("2023-04-01 09:59:59", True, True),
        (REMOVED, False, False),
        ("2023-04-01 10:00:01", False, False),
    ],
)
def test_a_probe_is_in_a_subject_from_its_insertion_until_its_removal(
    time: str, is_in: bool, comes_before: bool
) -> None:
    probe = Insertion("0/12345", "npx_1", INSERTED, REMOVED)

    assert (probe.at(time), probe.before_removal(time)) == (is_in, comes_before)


def test_a_probe_that_was_not_removed_stays() -> None:
    probe = Insertion("0/12345", "npx_1", INSERTED, None)

    assert probe.at("2049-01-01 00:00:00") and probe.before_removal("1999-01-01 00:00:00")
