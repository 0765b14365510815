"""Whatever was wrong: what stands after the correction is what would, had the corrected file come first."""

import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.samples.clusterings import kilosort_output
from ledger.verify import verify
from tests.correction.corrections import (
    assert_numbered_by_position,
    assert_rebuilds_equal,
    compare,
    corrected,
    live,
    other_subject,
)
from tests.intake.lab import CATALOGUE, START, SUBJECT, Lab, document, group, load_catalogue, session, task

FOLDERS = 6
EXAMPLES = {"sqlite": 12, "postgresql": 3}

File = dict[str, Any]
Change = tuple[Any, ...]

FIRST: File = {
    "subject": SUBJECT,
    "sessions": [
        {"folder": number, "name": f"s{number}", "experimenter": "user_1", "tasks": []} for number in range(3)
    ],
    "groups": [
        {"name": "g0", "sessions": ["s0", "s1"], "curator": "user_1"},
        {"name": "g1", "sessions": ["s1", "s2"], "curator": "user_1"},
    ],
}

users = st.sampled_from(["user_1", "user_2"])
texts = st.sampled_from([None, "one", "two"])
one = st.integers(0, 2)
changes = st.one_of(
    st.tuples(st.just("subject"), st.sampled_from([SUBJECT, "34567"])),
    st.tuples(st.just("sessions"), one, st.just("notes"), texts),
    st.tuples(st.just("sessions"), one, st.just("room"), st.sampled_from([None, "2.345", "2.346"])),
    st.tuples(st.just("sessions"), one, st.just("experimenter"), users),
    st.tuples(st.just("sessions"), one, st.just("tasks"), st.integers(0, 2)),
    st.tuples(st.just("sessions"), one, st.just("folder"), st.integers(0, FOLDERS - 1)),
    st.tuples(st.just("groups"), st.integers(0, 1), st.just("curator"), users),
    st.tuples(st.just("groups"), st.integers(0, 1), st.just("notes"), texts),
    st.tuples(
        st.just("groups"),
        st.integers(0, 1),
        st.just("sessions"),
        st.sampled_from([["s0", "s1"], ["s0", "s2"], ["s1", "s2"], ["s0", "s1", "s2"]]),
    ),
)


def changed(file: File, change: Change, stored: File) -> File:
    found = deepcopy(file)
    if change[0] == "subject":
        found["subject"] = change[1]
        return found
    part, index, name, value = change
    if name == "tasks":
        value = [task(task_start=10 * n, task_stop=10 * n + 5) for n in range(value)]
    folders = [entry["folder"] for entry in (*file["sessions"], *stored["sessions"])]
    if name == "folder" and value in folders and value != stored["sessions"][index]["folder"]:
        return found  # a location is entered once, and one that is another's names that other
    if value is None:
        found[part][index].pop(name, None)
    else:
        found[part][index][name] = value
    return found


def as_bytes(file: File) -> bytes:
    sessions = [
        session(f"quick_{entry['folder']}", **{name: entry[name] for name in entry if name != "folder"})
        for entry in file["sessions"]
    ]
    groups = [
        group(entry["name"], entry["sessions"], **{n: entry[n] for n in ("curator", "notes") if n in entry})
        for entry in file["groups"]
    ]
    return document(*sessions, subject=file["subject"], clustering=groups)


@dataclass
class Ledgers:
    """Fresh ledgers with a filled catalogue, beside one share."""

    kind: str
    directory: Path
    share: Path
    fresh: Callable[[str, Path], str]
    stocked: Path

    def opened(self, kind: str, number: int) -> Lab:
        folder = self.directory / f"{kind}_{number}"
        folder.mkdir()
        if kind == "sqlite":
            shutil.copy(self.stocked, folder / "daybook.db")
            url = f"sqlite:///{folder / 'daybook.db'}"
            return self.lab(url)
        lab = self.lab(self.fresh(kind, folder))
        stock(lab)
        return lab

    def lab(self, url: str) -> Lab:
        return Lab(
            url, Daybook.open(url, Actor("user_1")), self.share / "rec", Roots.of({"N:": [str(self.share)]})
        )


def stock(lab: Lab) -> None:
    load_catalogue(lab.daybook, CATALOGUE)
    other_subject(lab)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledgers(
    request: pytest.FixtureRequest, ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> Iterator[Ledgers]:
    share = tmp_path / "N"
    (share / "rec").mkdir(parents=True)
    (tmp_path / "stocked").mkdir()
    made = Ledgers(request.param, tmp_path, share, ledger_templates, tmp_path / "stocked" / "daybook.db")
    lab = made.lab(ledger_templates("sqlite", tmp_path / "stocked"))
    stock(lab)
    lab.record_quickly(FOLDERS)
    for name in ("g0", "g1"):
        kilosort_output(share / "joint" / name, curated=START + timedelta(days=9))
    lab.daybook.close()
    yield made


def test_after_a_correction_stands_what_the_corrected_file_alone_would_give(ledgers: Ledgers) -> None:
    numbers = count()

    @settings(max_examples=EXAMPLES[ledgers.kind], suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.lists(st.lists(changes, min_size=1, max_size=4), min_size=1, max_size=3))
    def holds(steps: list[list[Change]]) -> None:
        lab = ledgers.opened(ledgers.kind, next(numbers))
        file = FIRST
        assert lab.upload_bytes(as_bytes(file)).ok
        for step in steps:
            stored = file
            for change in step:
                file = changed(file, change, stored)
            data = as_bytes(file)
            if compare(lab, data).plan.replaced:
                corrected(lab, data)
            alone = ledgers.opened("sqlite", next(numbers))
            assert alone.upload_bytes(data).ok
            assert live(lab.daybook) == live(alone.daybook)
            again = lab.upload_bytes(data)
            assert {entry.outcome for entry in (*again.sessions, *again.clusterings)} == {"duplicate"}
            assert not any(entry.differences for entry in (*again.sessions, *again.clusterings))
            alone.daybook.close()
        assert_numbered_by_position(lab)
        assert_rebuilds_equal(lab)
        lab.close()
        lab.daybook.close()
        assert verify(lab.url).problems == []

    holds()
