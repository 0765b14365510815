"""A first input file for what is on disk: what is filled in, what is left to a person, what is refused."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from commands.inputfile.compose import ComposeProblem, compose
from commands.inputfile.draft import quoted
from commands.inputfile.read import read_input_file
from commands.inputfile.schema import YAML_LANGUAGE_SERVER
from commands.recordings.session_folders import session_folders
from commands.samples.clusterings import kilosort_output
from commands.samples.lab import lab
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from commands.samples.task_table import SampleTask, write_sessions_txt
from commands.samples.tetrodes import axona_session, neuralynx_session

START = datetime(2023, 5, 1, 10)
ONE = [SampleProbe("18408403232")]
TWO = [SampleProbe("18408403232"), SampleProbe("18408405241")]


def location_of(path: Path) -> str:
    return "N:/" + "/".join(path.parts[-2:])


def composed(directory: Path, subject: str | None = "012345") -> tuple[str, dict]:
    text = compose(directory, subject=subject, location_of=location_of)
    assert text.splitlines()[0] == YAML_LANGUAGE_SERVER
    return text, yaml.safe_load(text)


def locations(directory: Path) -> list[str]:
    return [session["location"] for session in composed(directory)[1]["sessions"]]


def refusal(directory: Path) -> ComposeProblem:
    with pytest.raises(ComposeProblem) as raised:
        compose(directory, subject=None, location_of=location_of)
    assert raised.value.hint
    return raised.value


def test_session_directory_gives_one_session(tmp_path: Path) -> None:
    session = spikeglx_session(tmp_path / "subject" / "2023-05-01_10-00-00", probes=TWO, start=START)
    write_sessions_txt(session, [SampleTask("open_field_1", 30, 700), SampleTask("sleep", 720)])
    text, document = composed(session)
    assert document == {
        "subject": {"name": "012345", "datasource_id": 0},
        "sessions": [
            {
                "location": "N:/subject/2023-05-01_10-00-00",
                "experimenter": [None],
                "probe_association": {"probe_1": None, "probe_2": None},
                "tasks": [
                    {
                        "task_type": None,
                        "arena_apparatus": None,
                        "task_start": True,
                        "task_stop": True,
                        "notes": True,
                    }
                ]
                * 2,
            }
        ],
    }
    for table in (
        "reference.Experimenter",
        "reference.Probe",
        "behavior.TaskType",
        "reference.ArenaApparatus",
    ):
        assert f"must match {table}" in text
    assert '"probe_1":  # serial 18408403232' in text
    assert "# #1 open_field_1, 30 to 700 s" in text
    assert 'name: "012345"' in text
    assert 'location: "N:/subject/2023-05-01_10-00-00"' in text


def test_single_probe_needs_no_association_and_missing_sessions_txt_is_said(tmp_path: Path) -> None:
    text, document = composed(spikeglx_session(tmp_path / "s", probes=ONE, start=START))
    assert "probe_association" not in document["sessions"][0]
    assert document["sessions"][0]["tasks"] == []
    assert "no sessions.txt here" in text


def test_unknown_subject_is_left_empty_with_the_folders_name(tmp_path: Path) -> None:
    spikeglx_session(tmp_path / "26232" / "s", probes=ONE, start=START)
    text, document = composed(tmp_path / "26232", subject=None)
    assert document["subject"]["name"] is None
    assert "# a registered subject; folder 26232" in text


def test_directory_of_sessions_gives_all_by_their_start(tmp_path: Path) -> None:
    for name, day in (("b", 1), ("c", 0), ("a", 2)):
        spikeglx_session(tmp_path / "26232" / name, probes=TWO, start=START + timedelta(days=day))
    assert locations(tmp_path / "26232") == ["N:/26232/c", "N:/26232/b", "N:/26232/a"]
    assert locations(tmp_path) == [
        "N:/26232/c",
        "N:/26232/b",
        "N:/26232/a",
    ]  # one subject below is one subject


def test_subject_folder_whose_probe_folders_lie_below_its_sessions_is_no_session(tmp_path: Path) -> None:
    spikeglx_session(tmp_path / "26232" / "only", probes=TWO, start=START)
    assert locations(tmp_path / "26232") == ["N:/26232/only"]


def test_curations_are_skipped(tmp_path: Path) -> None:
    session = spikeglx_session(tmp_path / "26232" / "s", probes=ONE, start=START)
    spikeglx_session(session / "curations" / "01", probes=ONE, start=START)
    kilosort_output(session / "curations" / "01" / "probe_1" / "ks")
    assert locations(tmp_path / "26232") == ["N:/26232/s"]


def test_run_folders_of_spikeglx_and_catgt_output_are_one_session(tmp_path: Path) -> None:
    for day in range(2):
        start = START + timedelta(days=day)
        session = tmp_path / "26232" / f"day_{day}"
        spikeglx_session(session, probes=TWO, start=start, layout="run folders", catgt=True)
    assert locations(tmp_path / "26232") == ["N:/26232/day_0", "N:/26232/day_1"]


def test_runs_directly_in_the_subject_are_sessions_and_their_catgt_output_is_left_out(tmp_path: Path) -> None:
    for day in range(2):
        start = START + timedelta(days=day)
        spikeglx_session(
            tmp_path / "26232", probes=ONE, start=start, layout="run folders", run=f"run{day}", catgt=True
        )
    text, document = composed(tmp_path / "26232")
    assert [s["location"] for s in document["sessions"]] == ["N:/26232/run0_g0", "N:/26232/run1_g0"]
    assert "catgt_run0_g0: left out. It is the output of CatGT" in text


def test_tetrode_sessions_are_composed(tmp_path: Path) -> None:
    for day in range(2):
        axona_session(tmp_path / "ax" / f"day_{day}", start=START + timedelta(days=day))
        neuralynx_session(tmp_path / "nl" / f"day_{day}", start=START + timedelta(days=day))
    assert locations(tmp_path / "ax") == ["N:/ax/day_0", "N:/ax/day_1"]
    assert locations(tmp_path / "nl") == ["N:/nl/day_0", "N:/nl/day_1"]


def test_still_acquiring_is_said(tmp_path: Path) -> None:
    spikeglx_session(tmp_path / "s", probes=ONE, start=START, acquiring=True)
    assert "still being acquired" in composed(tmp_path / "s")[0]


def test_broken_sessions_txt_is_said_and_the_rest_composed(tmp_path: Path) -> None:
    session = spikeglx_session(tmp_path / "s", probes=ONE, start=START)
    (session / "sessions.txt").write_text("#7, a, start=1\n")
    text, document = composed(session)
    assert document["sessions"][0]["tasks"] == []
    assert "found task #7 where #1 should be" in text


def test_unreadable_session_is_left_out_and_said(tmp_path: Path) -> None:
    spikeglx_session(tmp_path / "26232" / "good", probes=ONE, start=START)
    bad = spikeglx_session(tmp_path / "26232" / "bad", probes=ONE, start=START)
    (bad / "probe_1" / "npx.imec.ap.meta").write_bytes(b"")
    text, document = composed(tmp_path / "26232")
    assert [s["location"] for s in document["sessions"]] == ["N:/26232/good"]
    assert "# bad: left out. probe_1/npx.imec.ap.meta is empty." in text


def test_several_subjects_are_refused_and_counted(tmp_path: Path) -> None:
    lab(tmp_path, subjects=2, sessions_per_subject=2)
    problem = refusal(tmp_path / "recordings")
    assert problem.code == "several-subjects"
    assert "12345 (2 sessions), 12346 (2 sessions)" in problem.message


def test_directory_without_sessions_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).code == "no-sessions"
    assert refusal(tmp_path / "nowhere").code == "not-found"


def test_folder_of_one_probe_is_refused(tmp_path: Path) -> None:
    spikeglx_session(tmp_path, probes=ONE, start=START)
    assert refusal(tmp_path / "probe_1").code == "part-of-session"


def test_mixed_systems_are_refused_in_a_session_and_among_sessions(tmp_path: Path) -> None:
    axona_session(spikeglx_session(tmp_path / "a" / "s", probes=ONE, start=START), start=START)
    assert refusal(tmp_path / "a" / "s").code == "mixed-systems"
    spikeglx_session(tmp_path / "b" / "s1", probes=ONE, start=START)
    neuralynx_session(tmp_path / "b" / "s2", start=START)
    assert refusal(tmp_path / "b").code == "mixed-systems"


def test_names_cannot_break_out_of_the_file(tmp_path: Path) -> None:
    probes = [SampleProbe("1", folder='p"  evil: [1'), SampleProbe("2", folder="probe #2: x")]
    session = spikeglx_session(tmp_path / "s: #1 'a' - b", probes=probes, start=START)
    write_sessions_txt(session, [SampleTask("a: {b} # c", 1)])
    _, document = composed(tmp_path, subject='x"\n')
    assert document["subject"]["name"] == 'x"\n'
    assert set(document["sessions"][0]) == {"location", "experimenter", "probe_association", "tasks"}
    assert set(document["sessions"][0]["probe_association"]) == {'p"  evil: [1', "probe #2: x"}
    assert document["sessions"][0]["location"].endswith("s: #1 'a' - b")


@pytest.mark.parametrize("sign", ["\n", "\t", "\x07", "\x85"])
def test_name_that_upload_refuses_is_said_and_not_offered(tmp_path: Path, sign: str) -> None:
    spikeglx_session(tmp_path / "12345" / "day_1", probes=ONE, start=START)
    spikeglx_session(tmp_path / "12345" / f"day{sign}2", probes=ONE, start=START)
    probes = [SampleProbe("1", folder=f"probe{sign}1"), SampleProbe("2", folder="probe_2")]
    spikeglx_session(tmp_path / "12345" / "day_3", probes=probes, start=START)
    write_sessions_txt(tmp_path / "12345" / "day_3", [SampleTask("a", 1)])

    text, document = composed(tmp_path / "12345")

    offered = [session["location"] for session in document["sessions"]]
    assert offered == ["N:/12345/day_1", "N:/12345/day_3"]
    assert "its name holds a line break or another control character" in text
    association = next(s for s in document["sessions"] if s["location"].endswith("day_3"))[
        "probe_association"
    ]
    assert association == {"probe_2": None}
    assert "its name cannot be written in an input file: rename it" in text
    read = read_input_file(text.replace("      -  #", "      - user_1  #").encode(), filename="a.yml")
    assert [f for f in read.findings if f.code in ("control-character", "escape-in-path")] == []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_quoting(text: str) -> None:
    assert yaml.safe_load(f"a: {quoted(text)}  # b\n") == {"a": text}


@pytest.mark.parametrize(
    ("recordings", "tables", "sessions"),
    [
        ([""], [], [""]),
        (["probe_1", "probe_2"], [], [""]),
        (["s1/probe_1", "s1/probe_2", "s2/probe_1"], [], ["s1", "s2"]),
        (["s1", "s1/old/probe_1"], [], ["s1"]),
        (["s1/raw_ephys_data/probe_right"], [], ["s1"]),
        (["s1/left/deep", "s1/right"], ["s1"], ["s1"]),
        (["r_g0/r_g0_imec0"], [], ["r_g0"]),
        (["s1/r_g0/r_g0_imec0", "s1/r_g1/r_g1_imec0", "s1/catgt_r_g0/r_g0_imec0"], [], ["s1"]),
        (["a/r1_g0/r1_g0_imec0", "a/r2_g0/r2_g0_imec0"], [], ["a/r1_g0", "a/r2_g0"]),
        (["s1/Record Node 101/experiment1/recording1"], [], ["s1"]),
        (["Record Node 101/experiment1/recording1"], [], [""]),
        ([], ["s1"], []),
    ],
)
def test_sessions_are_told_from_the_names_of_folders(
    recordings: list[str], tables: list[str], sessions: list[str]
) -> None:
    assert session_folders(recordings, tables) == sessions
