"""A lab that knows a few things, and a check of an input file written as YAML."""

import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands.inputfile.check import Checked, check
from commands.inputfile.findings import Finding
from commands.inputfile.known import HeldGroup, HeldLocation, Known
from commands.inputfile.read import read_input_file
from commands.recordings.roots import Roots

LAB = Roots.of({"N:": ["/mnt/N"]})


@pytest.fixture
def known():
    return Known(
        reference={
            "reference.Experimenter": {"user_1", "user_2", "user_3"},
            "reference.ExperimentRoom": {"2.345"},
            "reference.Probe": {"npx_1", "npx_2", "npx_3"},
            "reference.ArenaApparatus": {"150_square"},
            "reference.ArenaObject": {"object_1"},
            "reference.CueCard": {"card_1"},
            "acquisition.Project": {"my_project"},
            "behavior.TaskType": {"OpenField", "SleepTask"},
        },
        retired={"reference.Experimenter": {"user_0"}},
        arena_not_required={"SleepTask"},
        subjects={"12345", "12346"},
        probes={"npx_1", "npx_2"},
        session_times={"2023-05-01 10:00:00": 7, "2023-05-02 10:12:50": 8},
        locations={
            "N:/old": HeldLocation(7, "user_1", "inserted"),
            "N:/theirs": HeldLocation(9, "user_2", "waiting"),
        },
        groups={"12345_msc_1": HeldGroup(31, "12345"), "12346_msc_1": HeldGroup(32, "12346")},
    )


@dataclass
class Outcome:
    """The result of a check, and the findings as the few things that tests look at."""

    result: Checked

    @property
    def codes(self) -> list[str]:
        return [finding.code for finding in self.result.findings]

    @property
    def places(self) -> list[tuple[str, str]]:
        return [(finding.code, finding.path) for finding in self.result.findings]

    @property
    def only(self) -> Finding:
        assert len(self.result.findings) == 1, self.result.findings
        return self.result.findings[0]


@pytest.fixture
def checked(known):
    def run(sessions="", clustering="", *, known=known, find=Path, roots=LAB, name="12345"):
        text = f"subject:\n  name: {name}\n"
        for key, entries in (("sessions", sessions), ("clustering", clustering)):
            if entries:
                text += f"{key}:\n" + textwrap.indent(textwrap.dedent(entries).strip("\n"), "  ") + "\n"
        read = read_input_file(text.encode(), filename="subject.yml")
        assert read.input_file is not None, read.findings
        return Outcome(
            check(
                read.input_file,
                known,
                roots,
                position=read.position,
                left_out_names=read.left_out_names,
                find=find,
            )
        )

    return run
