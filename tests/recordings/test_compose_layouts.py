"""The layouts that labs use: a session has one location, from whichever folder it is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from commands.inputfile.compose import ComposeProblem, compose
from commands.recordings.session_folders import session_folders
from commands.samples.clusterings import kilosort_output
from commands.samples.openephys import openephys_session
from commands.samples.spikeglx import SampleProbe, probe_meta, spikeglx_session
from commands.samples.tetrodes import axona_session, neuralynx_session

START = datetime(2023, 5, 1, 10)
SERIAL = "18408403232"

Write = Callable[[Path, datetime], object]


def probe_folder(directory: Path, start: datetime, serial: str = SERIAL) -> None:
    spikeglx_session(directory, probes=[SampleProbe(serial)], start=start)


def run(name: str, *, serial: str = SERIAL, catgt: bool = False) -> Write:
    """Writes a run folder ``<name>_g0`` into a directory."""

    def write(directory: Path, start: datetime) -> None:
        spikeglx_session(
            directory, probes=[SampleProbe(serial)], start=start, layout="run folders", run=name, catgt=catgt
        )

    return write


def gate(folder: Path, run_name: str, number: int, start: datetime, serial: str = SERIAL) -> None:
    name = f"{run_name}_g{number}"
    place = folder / name / f"{name}_imec0"
    place.mkdir(parents=True)
    file = f"{name}_t0.imec0.ap.meta"
    (place / file).write_text(probe_meta(SampleProbe(serial), file_name=file, start=start, duration_s=60.0))


def open_ephys(directory: Path, start: datetime) -> None:
    openephys_session(directory, start=start, recordings=2)


@dataclass(frozen=True)
class Layout:
    """``writes`` are folders (below the subject's) and what is written into each; ``sessions`` what must come out."""

    subject: str
    writes: Sequence[tuple[str, Write]]
    sessions: Sequence[str]


LAYOUTS = {
    "date and number (IBL)": Layout(
        "lab/Subjects/subj_A",
        [("2023-05-01/001/raw_ephys_data", probe_folder), ("2023-05-01/002/raw_ephys_data", probe_folder), ("2023-05-02/001/raw_ephys_data", run("_spikeglx_ephysData"))],
        ["2023-05-01/001", "2023-05-01/002", "2023-05-02/001"],
    ),
    "NeuroBlueprint": Layout(
        "project/rawdata/sub-001_id-12345",
        [("ses-001_date-20230501/ephys", run("sub-001_ses-001")), ("ses-002_date-20230502/ephys", run("sub-001_ses-002"))],
        ["ses-001_date-20230501", "ses-002_date-20230502"],
    ),
    "BIDS": Layout(
        "dataset/sub-01",
        [("ses-01/ephys", open_ephys), ("ses-02/ephys", open_ephys)],
        ["ses-01", "ses-02"],
    ),
    "days with runs in them": Layout(
        "rat_01",
        [("2023-05-01", run("morning")), ("2023-05-01", run("evening")), ("20230502", run("morning")), ("230503", run("only"))],
        ["2023-05-01/morning_g0", "2023-05-01/evening_g0", "20230502/morning_g0", "230503/only_g0"],
    ),
    "days with one recording each": Layout(
        "rat_01", [("2023-05-01", probe_folder), ("2023-05-02", probe_folder)], ["2023-05-01", "2023-05-02"]
    ),
    "date and time": Layout(
        "12345",
        [("2023-05-01_10-00-00", probe_folder), ("2023-05-02_10-00-00", probe_folder), ("2023-05-03_10-00-00", run("npx"))],
        ["2023-05-01_10-00-00", "2023-05-02_10-00-00", "2023-05-03_10-00-00"],
    ),
    "runs in the subject": Layout("rat_01", [("", run("rat_01_day1")), ("", run("rat_01_day2"))], ["rat_01_day1_g0", "rat_01_day2_g0"]),
    "one run in the subject": Layout("rat_01", [("", run("rat_01_20230501"))], ["rat_01_20230501_g0"]),
    "a folder per run": Layout("rat_01", [("CI0", run("CI0")), ("CI1", run("CI1"))], ["CI0", "CI1"]),
    "output of CatGT beside": Layout("rat_01", [("", run("a", catgt=True)), ("", run("b", catgt=True))], ["a_g0", "b_g0"]),
    "two gates": Layout(
        "rat_01",
        [("batch", lambda d, s: gate(d, "5-1-2023", 0, s)), ("batch", lambda d, s: gate(d, "5-1-2023", 1, s))],
        ["batch"],
    ),
    "numbered sessions": Layout("mouse", [("session1", open_ephys), ("session_2", open_ephys)], ["session1", "session_2"]),
    "line breaks aside, odd names": Layout("Ratte ä", [("2023-05-01 e\u0301", probe_folder), ("2023-05-02 #2", probe_folder)], ["2023-05-01 e\u0301", "2023-05-02 #2"]),
}  # fmt: skip


def lay(place: Path, layout: Layout) -> list[Path]:
    """Write a layout, one session an hour; the directories that are its sessions, in this order."""
    subject = place / layout.subject
    for i, (folder, write) in enumerate(layout.writes):
        (subject / folder).mkdir(parents=True, exist_ok=True)
        write(subject / folder, START + timedelta(hours=i))
    return [subject / session for session in layout.sessions]


def locations(directory: Path) -> list[str]:
    text = compose(directory, subject="x", location_of=str)
    return [session["location"] for session in yaml.safe_load(text)["sessions"]]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_gives_its_sessions_from_every_folder_above(tmp_path: Path, name: str) -> None:
    sessions = lay(tmp_path, LAYOUTS[name])
    subject = tmp_path / LAYOUTS[name].subject
    for above in [subject, *subject.parents[: len(LAYOUTS[name].subject.split("/"))]]:
        assert locations(above) == [str(session) for session in sessions], above


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_folder_between_gives_the_same_location_or_says_which(tmp_path: Path, name: str) -> None:
    sessions = lay(tmp_path, LAYOUTS[name])
    subject = tmp_path / LAYOUTS[name].subject
    for folder in sorted(path for path in subject.rglob("*") if path.is_dir()):
        if any(part.startswith(("catgt_", "continuous")) for part in folder.relative_to(subject).parts):
            continue
        inside = [s for s in sessions if s in (folder, *folder.parents)]
        below = [str(s) for s in sessions if folder in s.parents or folder == s]
        if inside and inside[0] != folder:
            with pytest.raises(ComposeProblem) as raised:
                locations(folder)
            assert (raised.value.code, str(inside[0]) in raised.value.hint) == ("part-of-session", True), (
                folder
            )
        else:
            assert locations(folder) == below, folder


def test_a_second_recording_never_changes_the_first_ones_location(tmp_path: Path) -> None:
    run("monday")(tmp_path / "rat_01" / "2023-05-01", START)
    [first] = locations(tmp_path / "rat_01")
    run("again")(tmp_path / "rat_01" / "2023-05-01", START + timedelta(hours=1))
    run("tuesday")(tmp_path / "rat_01" / "2023-05-02", START + timedelta(days=1))
    assert locations(tmp_path / "rat_01")[0] == first


def test_gates_of_two_days_are_two_sessions(tmp_path: Path) -> None:
    gate(tmp_path / "rat_01", "r", 0, START)
    gate(tmp_path / "rat_01", "r", 1, START + timedelta(days=1))
    probe_folder(tmp_path / "rat_01" / "day_3", START + timedelta(days=2))
    expected = [str(tmp_path / "rat_01" / name) for name in ("r_g0", "r_g1", "day_3")]
    assert locations(tmp_path) == locations(tmp_path / "rat_01") == expected
    assert locations(tmp_path / "rat_01" / "r_g1") == expected[1:2]


def test_two_days_in_one_folder_are_never_one_session(tmp_path: Path) -> None:
    probe_folder(tmp_path / "rat_01" / "ok_g0", START)
    for i in range(2):
        probe_folder(tmp_path / "rat_01" / "both" / f"probe_{i}", START + timedelta(days=i), f"{SERIAL}{i}")
    with pytest.raises(ComposeProblem, match="start on 2023-05-01, 2023-05-02") as raised:
        locations(tmp_path / "rat_01" / "both")
    assert raised.value.code == "starts-apart"
    text = compose(tmp_path / "rat_01", subject="x", location_of=str)
    assert len(yaml.safe_load(text)["sessions"]) == 1
    assert "# both: left out." in text and "start on 2023-05-01, 2023-05-02" in text


@pytest.mark.parametrize("names", [("rat_01", "rat_02"), ("12345", "12346"), ("mouse A", "mouse B")])
def test_two_animals_are_not_sessions_of_one(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, serial in zip(names, ("18408403232", "18408405241"), strict=True):
        probe_folder(tmp_path / "recordings" / name, START, serial)
    with pytest.raises(ComposeProblem) as raised:
        locations(tmp_path / "recordings")
    assert raised.value.code == "several-subjects"
    assert all(name in raised.value.message for name in names)


def test_another_probe_on_another_day_is_no_other_animal(tmp_path: Path) -> None:
    probe_folder(tmp_path / "rat_01" / "2023-05-01", START)
    probe_folder(tmp_path / "rat_01" / "2023-06-01", START + timedelta(days=31), "18408405241")
    assert len(locations(tmp_path / "rat_01")) == 2


def test_several_subjects_with_days_in_them_are_refused(tmp_path: Path) -> None:
    for subject in ("rat_01", "rat_02"):
        run("a")(tmp_path / subject / "2023-05-01", START)
        run("b")(tmp_path / subject / "2023-05-02", START + timedelta(days=1))
    with pytest.raises(ComposeProblem, match=r"rat_01 \(2 sessions\), rat_02 \(2 sessions\)"):
        locations(tmp_path)


def test_derivatives_are_left_out(tmp_path: Path) -> None:
    probe_folder(tmp_path / "project" / "rawdata" / "sub-01" / "ses-01" / "ephys", START)
    probe_folder(tmp_path / "project" / "derivatives" / "sub-01" / "ses-01" / "ephys", START)
    text = compose(tmp_path / "project", subject="x", location_of=str)
    assert [s["location"] for s in yaml.safe_load(text)["sessions"]] == [
        str(tmp_path / "project" / "rawdata" / "sub-01" / "ses-01")
    ]
    assert "# derivatives: left out." in text


def test_output_of_catgt_alone_is_what_there_is(tmp_path: Path) -> None:
    run("a", catgt=True)(tmp_path / "rat_01", START)
    for file in sorted((tmp_path / "rat_01" / "a_g0").rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    assert locations(tmp_path / "rat_01") == [str(tmp_path / "rat_01" / "catgt_a_g0")]


def test_tetrode_sessions_of_one_subject_need_no_serials(tmp_path: Path) -> None:
    axona_session(tmp_path / "ax" / "a", start=START)
    axona_session(tmp_path / "ax" / "b", start=START + timedelta(days=1))
    neuralynx_session(tmp_path / "nl" / "2023-05-01_10-00-00", start=START)
    assert len(locations(tmp_path / "ax")) == 2
    assert len(locations(tmp_path / "nl")) == 1


def test_sorted_output_is_no_session(tmp_path: Path) -> None:
    probe_folder(tmp_path / "rat_01" / "2023-05-01", START)
    kilosort_output(tmp_path / "rat_01" / "sorted" / "2023-05-01")
    assert locations(tmp_path / "rat_01") == [str(tmp_path / "rat_01" / "2023-05-01")]


@pytest.mark.parametrize(
    ("recordings", "above", "beside", "sessions"),
    [
        (["run_g0_imec0"], ["rat_01", "run_g0"], [], [""]),
        (["run_g0_imec0"], ["rat_01", "2023-05-01", "run_g0"], ["run_g1"], [""]),
        (["run_g0_imec0"], ["rat_01", "batch", "run_g0"], ["run_g0", "run_g1"], [".."]),
        (["run_g0_imec0"], ["rat_01", "batch", "run_g0"], ["run_g1", "other_g0"], [""]),
        ([""], ["rat_01", "2021-07-28", "001", "raw_ephys_data", "probe00"], [], ["../.."]),
        (["experiment1/recording1"], ["rat_01", "s", "Record_Node_101"], [], [".."]),
        (["probe_1"], ["recordings", "123456"], [], [""]),
    ],
)  # fmt: skip
def test_the_path_alone_tells_a_session(
    recordings: list[str], above: list[str], beside: list[str], sessions: list[str]
) -> None:
    assert session_folders(recordings, [], above=above, beside=beside) == sessions
