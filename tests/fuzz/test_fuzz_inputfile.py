"""The short form of the fuzz target for input files: other seeds each time, but in CI always the same."""

import os
import random

import pytest

from tests.fuzz.inputfile import one_case


@pytest.mark.parametrize("part", range(4))
def test_mutated_input_files_are_read_without_a_fault(part: int) -> None:
    first = 1_000 * part if os.environ.get("CI") else random.SystemRandom().randrange(2**40)
    for seed in range(first, first + 120):
        try:
            one_case(seed)
        except Exception as error:
            raise AssertionError(f"python -m tests.fuzz inputfile --seed {seed} --seconds 0.001") from error
