"""Reading stays of the order of parsing: coarse bounds that a quadratic step would break."""

import time
from collections.abc import Callable

import yaml

from commands.inputfile.read import read_input_file
from tests.inputfile.documents import campaign_yaml


def least(run: Callable[[], object]) -> float:
    """The shortest of three runs, in seconds."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)


def test_reading_yaml_takes_at_most_thrice_composing_it() -> None:
    data = campaign_yaml(1_000)
    ours = least(lambda: read_input_file(data, filename="a.yml"))
    theirs = least(lambda: yaml.compose(data, Loader=yaml.CSafeLoader))
    assert ours < 3 * theirs


def test_ten_times_the_sessions_take_about_ten_times_as_long_also_where_each_has_findings() -> None:
    def broken(sessions: int) -> bytes:
        return campaign_yaml(sessions).replace(b"room: 2.345 ", b"rom: 2.345 ").replace(b": 27\n", b": yes\n")

    few = least(lambda: read_input_file(broken(200), filename="a.yml"))
    many = least(lambda: read_input_file(broken(2_000), filename="a.yml"))
    assert many < 30 * few
