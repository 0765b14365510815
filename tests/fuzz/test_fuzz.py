"""The short form of the fuzz targets: other seeds each time, but in CI always the same."""

import os
import random
from collections.abc import Callable

import pytest

from tests.fuzz import commandlines, described, http, inputfile, recordings
from tests.server.conftest import Server, server

__all__ = ["server"]

_EACH = 15
_CASES: list[tuple[str, Callable[[int], None], int]] = [
    *[("inputfile", inputfile.one_case, 120)] * 4,
    ("recordings", recordings.one_case, 120),
    ("commandlines", commandlines.one_case, 60),
]


@pytest.mark.parametrize("part", range(len(_CASES)))
def test_mutated_input_is_answered_without_a_fault(part: int) -> None:
    target, one_case, cases = _CASES[part]
    first = 1_000 * part if os.environ.get("CI") else random.SystemRandom().randrange(2**40)
    for seed in range(first, first + cases):
        try:
            one_case(seed)
        except Exception as error:
            raise AssertionError(f"python -m tests.fuzz {target} --seed {seed} --seconds 0.001") from error


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_mutated_requests_are_answered_without_a_fault(server: Server) -> None:
    client = server.as_("user_1")
    first = 0 if os.environ.get("CI") else random.SystemRandom().randrange(2**40)
    for seed in range(first, first + 20):
        try:
            http.ask(seed, client)
        except Exception as error:
            raise AssertionError(f"python -m tests.fuzz http --seed {seed} --seconds 0.001") from error


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_answers_are_as_the_server_describes_them(server: Server) -> None:
    """Some of the operations, others each time."""
    client = server.as_("user_1")
    known = described.operations(client.get("/api/v1/openapi.json").json())
    assert len(known) > 80
    first = 0 if os.environ.get("CI") else random.SystemRandom().randrange(2**40)
    for operation in known[first % _EACH :: _EACH]:
        described.examine(operation, first, client, number=2)


def test_names_that_are_too_long_are_no_files_and_no_faults() -> None:
    for arguments in (
        ["bundle", "x" * 5_000],
        ["compose", "é" * 200],
        ["verify", "--bundle", "x" * 5_000],
        ["validate", "x" * 5_000],
        ["checkpoint", "-o", "x" * 5_000],
        ["--config", "x" * 5_000, "sessions"],
        ["--db", "/", "init"],
    ):
        assert commandlines.ended(arguments) in (1, 2), arguments
