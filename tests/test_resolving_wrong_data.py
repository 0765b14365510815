"""The stories of docs/resolving-wrong-data.md, command by command: each answers what the page says, and ends well."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from commands.cli.main import _SECTIONS
from ledger.verify import verify
from tests.conftest import ROOT
from tests.pages import Console, agree, blocks, own_settings, steps

PAGE = (ROOT / "docs" / "resolving-wrong-data.md").read_text(encoding="utf-8")
INTRODUCTION, *STORIES, AFTERWARDS = re.split(r"^## ", PAGE, flags=re.MULTILINE)
COMMANDS = [[step.command for block in blocks(story) for step in steps(block)] for story in STORIES]
OTHERWISE = {
    "daybook --as user_3 request approve d38": [4],
    "daybook --as user_2 upload copy.yml": [3],
}
"""How those commands end, each time, that do not always end with 0."""


def play(console: Console, text: str, otherwise: dict[str, list[int]]) -> None:
    for block in blocks(text):
        for step in steps(block):
            ended = console.run(step.command)
            expected = otherwise[step.command].pop(0) if otherwise.get(step.command) else 0
            assert ended.exit == expected, f"$ {step.command}\n{ended.shown}"
            assert agree(step.answer, ended.shown), f"$ {step.command}\n{ended.shown}"


@dataclass(frozen=True)
class Told:
    """A ledger after a story, as --json has it."""

    records: dict[str, Any]

    def status(self, *names: str) -> list[str]:
        return [self.records[name]["status"] for name in names]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def told(folder: Path) -> Iterator[list[Told]]:
    """The whole page was played; what there was after each story."""
    with own_settings(folder):
        console, otherwise = Console(folder), {command: list(codes) for command, codes in OTHERWISE.items()}
        play(console, INTRODUCTION, otherwise)
        ends = []
        for story in STORIES:
            play(console, story, otherwise)
            rows = console.run("daybook sessions --json").json["sessions"]
            names = [row["session"] for row in rows]
            names += [
                row["clustering"] for row in console.run("daybook clusterings --json").json["clusterings"]
            ]
            ends.append(Told({name: console.run(f"daybook show {name} --json").json for name in names}))
        play(console, AFTERWARDS, otherwise)
        assert not any(otherwise.values())
        yield ends


def test_the_session_of_the_wrong_animal_is_the_right_animals(told: list[Told]) -> None:
    old, new = told[0].records["s29"], told[0].records["s43"]
    assert (old["status"], old["subject"], old["replaced_by"]) == ("deleted", "12345", "s43")
    assert (new["status"], new["subject"], new["replaces"]) == ("inserted", "12347", "s29")
    assert [probe["probe"] for probe in new["probes"]] == ["npx_1_18408400020"]
    assert [clustering["status"] for clustering in new["clusterings"]] == ["inserted"]


def test_the_probes_are_those_of_the_serial_numbers(told: list[Told]) -> None:
    probes = told[1].records["s65"]["probes"]
    assert told[1].status("s52", "s65") == ["deleted", "inserted"]
    assert [probe["probe"].endswith(probe["serial"]) for probe in probes] == [True, True]


def test_the_session_is_where_it_was_recorded_and_its_clustering_followed(told: list[Told]) -> None:
    tuesday, both = told[2].records["s90"], told[2].records["c76"]
    assert (tuesday["status"], tuesday["location"]) == ("inserted", "N:/12345/2023-05-02_10-00-00")
    assert told[2].status("s75", "c80") == ["deleted", "deleted"]
    assert (both["status"], [session["session"] for session in both["sessions"]]) == (
        "inserted",
        ["s74", "s90"],
    )


def test_nothing_of_the_wrong_upload_stands_and_the_right_one_does(told: list[Told]) -> None:
    assert told[3].status("s100", "s101", "c103", "c105", "c109") == ["deleted"] * 5
    [thursday] = [row for row in told[3].records.values() if row["location"] == "N:/12346/2023-05-02_10-07-00"
                  and "session_time" in row]  # fmt: skip
    assert (thursday["status"], thursday["username"]) == ("inserted", "user_3")


def test_the_session_is_its_owners_and_nobody_elses(told: list[Told]) -> None:
    assert told[4].status("s128", "s137", "s148") == ["deleted", "withdrawn", "inserted"]
    standing = [
        row["username"] for row in told[4].records.values()
        if row["status"] == "inserted" and row.get("session_time") == "2023-05-03 10:00:00" and row["subject"] == "12345"
    ]  # fmt: skip
    assert standing == ["user_2"]


def test_what_was_right_before_a_story_is_right_after_it(told: list[Told]) -> None:
    for before, after in pairwise(told):
        standing = {name for name, row in before.records.items() if row["status"] == "inserted"}
        fell = {name for name in standing if after.records[name]["status"] != "inserted"}
        assert fell == set()


def test_the_ledger_continues_every_checkpoint_of_the_page(told: list[Told], folder: Path) -> None:
    kept = [(folder / "lab" / f"before-{number}.checkpoint").read_text() for number in range(1, 6)]
    assert verify(f"sqlite:///{folder}/lab/daybook.db", kept=kept).problems == []


@pytest.mark.parametrize("number", range(5))
def test_each_story_goes_from_a_checkpoint_over_a_clean_upload_to_its_proof(number: int) -> None:
    commands = COMMANDS[number]
    assert commands[0] == f"daybook checkpoint -o before-{number + 1}.checkpoint"
    assert commands[-1] == f"daybook verify --checkpoint before-{number + 1}.checkpoint"
    approved = next(
        at for at, command in enumerate(commands) if re.search(r"--as user_[12] request approve", command)
    )
    assert any(re.match(r"daybook --as user_\d upload", command) for command in commands[approved:])


def test_every_verb_that_the_page_names_exists() -> None:
    verbs = set(re.findall(r"daybook (?:--as user_\d )?([a-z][a-z-]+)", PAGE))
    known = {verb for section in _SECTIONS.values() for verb in section}
    assert verbs <= known, verbs - known
