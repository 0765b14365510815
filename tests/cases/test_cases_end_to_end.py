"""Every tree from the field end to end: its input files are uploaded, and the ledger says what it must."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands.answers.record import SessionRecord, session_record
from commands.answers.why import why
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.inputfile.catalogue import read_catalogue
from commands.intake.completion import associate
from commands.intake.decisions import settle_session
from commands.intake.upload_report import UploadReport
from commands.intake.uploading import upload
from commands.intake.working import work
from commands.lab.catalogue import LoadCatalogue
from commands.recordings.roots import Roots
from projections.references import Reference
from tests.cases.outcomes import OUTCOMES, Outcome
from tests.cases.trees import lay


@dataclass
class Case:
    """One tree, with a ledger that knows its catalogue."""

    folder: Path
    daybook: Daybook
    roots: Roots

    def upload(self, file: str) -> UploadReport:
        of = file.removeprefix("first entry of ")
        data = (self.folder / of).read_bytes()
        if of != file:
            data = b"  - location".join(data.split(b"  - location")[:2])
        return upload(self.daybook, data, filename=of, roots=self.roots)

    def session(self, ref: str) -> SessionRecord:
        with self.daybook.reading() as world:
            return session_record(world, int(ref[1:]))

    def why(self, ref: str) -> Any:
        kind = {"s": "session", "c": "clustering"}[ref[0]]
        with self.daybook.reading() as world:
            return why(world, Reference(kind, int(ref[1:])))  # type: ignore[arg-type]


@pytest.fixture
def case(
    shared: Path, ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> Iterator[Callable[[str], Case]]:
    opened: list[Daybook] = []

    def make(name: str) -> Case:
        folder = lay(shared / "cases", name, tmp_path)
        daybook = Daybook.open(ledger_templates("sqlite", tmp_path), Actor("user_1"))
        opened.append(daybook)
        catalogue = read_catalogue((folder / "catalogue.yml").read_bytes()).catalogue
        assert catalogue is not None
        daybook.submit(LoadCatalogue(catalogue=catalogue))
        return Case(folder, daybook, Roots.of({}))

    yield make
    for daybook in opened:
        daybook.close()


def test_every_input_file_of_every_case_has_an_outcome(shared: Path) -> None:
    """But for the file of values that one case has besides its catalogue."""
    cases = [folder for folder in (shared / "cases").iterdir() if folder.is_dir()]
    files = {
        (folder.name, file.name)
        for folder in cases
        for file in folder.glob("*.yml")
        if file.name not in ("catalogue.yml", "cat2.yml")
    }
    found = {(name, outcome.file) for name, of in OUTCOMES.items() for outcome in of}
    taken = {(name, file) for name, of in OUTCOMES.items() for outcome in of for file in outcome.after}
    assert files <= found | taken
    assert {folder.name for folder in cases} == set(OUTCOMES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [pytest.param(name, one, id=f"{name}:{one.file}") for name, of in OUTCOMES.items() for one in of],
)
def test_upload_becomes_what_it_must(case: Callable[[str], Case], name: str, expected: Outcome) -> None:
    of = case(name)
    for file in expected.after:
        of.upload(file)

    report = of.upload(expected.file)

    said = {finding.code for finding in report.findings}
    assert said.issuperset(expected.findings), report.findings
    assert any(expected.hint in finding.hint for finding in report.findings) or not expected.hint
    if expected.rejected:
        assert not report.ok
        errors = [finding for finding in report.findings if finding.severity == "error"]
        assert expected.rejected in [finding.code for finding in errors], errors
        return
    assert report.ok, report.findings
    assert [entry.outcome for entry in report.sessions] == expected.outcomes, report.sessions
    for entry, reason, text in zip(report.sessions, expected.reasons, expected.texts, strict=False):
        record = of.session(entry.session)
        assert record.reason == reason or not reason, record.message
        told = " ".join([record.message or "", of.why(entry.session).message])
        assert text in told, told
    assert [entry.outcome for entry in report.clusterings] == expected.groups
    if not report.sessions:
        return
    session = of.session(report.sessions[-1].session)
    if expected.probes is not None:
        assert {probe.name: probe.probe for probe in session.probes} == expected.probes
    assert set(expected.remarks) <= {remark.code for remark in session.remarks}, session.remarks
    if expected.clusterings is not None:
        found = [(one.status, one.reason) for one in session.clusterings]
        assert found == expected.clusterings


def test_link_is_what_it_leads_to_where_roots_are_configured(case: Callable[[str], Case]) -> None:
    of = case("symlink-twice")
    of.roots = Roots.of({"N:": [str(of.folder)]})

    assert not (report := of.upload("in.yml")).ok
    assert [finding.code for finding in report.findings if finding.severity == "error"] == [
        "duplicate-location"
    ]
    assert of.upload("first entry of in.yml").ok
    assert [entry.outcome for entry in of.upload("in2.yml").sessions] == ["duplicate"]


# --- what ends the waiting ------------------------------------------------------------------------------------------


def waiting(of: Case, file: str) -> int:
    [entry] = of.upload(file).sessions
    assert entry.outcome == "waiting"
    return int(entry.session[1:])


def test_wrong_animals_session_holds_nothing_and_is_one_record(case: Callable[[str], Case]) -> None:
    of = case("wrong-animal")
    number = waiting(of, "wrong.yml")
    assert waiting(of, "wrong.yml") == number  # the same entry again is the same record

    assert of.upload("right.yml").sessions[0].outcome == "inserted"
    worked = work(of.daybook, of.roots)

    assert (worked.waiting, worked.sessions) == (1, [])
    assert "rat_01" in of.why(f"s{number}").message


def test_each_animal_of_one_run_is_known_again(case: Callable[[str], Case]) -> None:
    of = case("two-animals-one-run")
    for file in ("rat_01.yml", "rat_02.yml"):
        assert of.upload(file).sessions[0].outcome == "inserted"
    for file in ("rat_01.yml", "rat_02.yml"):
        assert of.upload(file).sessions[0].outcome == "duplicate"


def test_swapped_association_goes_in_only_where_somebody_means_it(case: Callable[[str], Case]) -> None:
    of = case("swapped-association")
    number = waiting(of, "in.yml")
    crossed = of.session(f"s{number}").entry["probe_association"]

    done = associate(
        of.daybook, number, crossed, roots=of.roots, despite_serial=True, reason="Cables crossed."
    )

    assert done.status == "inserted"
    assert {remark.code for remark in of.session(f"s{number}").remarks} == {"despite-serial"}


def test_renamed_meta_takes_the_second_probe_in(case: Callable[[str], Case]) -> None:
    of = case("meta-txt-one-of-two")
    number = waiting(of, "input.yml")
    [hidden] = of.folder.rglob("*imec1.ap.meta.txt")
    hidden.rename(hidden.with_suffix(""))

    work(of.daybook, of.roots)

    assert len(of.session(f"s{number}").probes) == 2


@pytest.mark.parametrize(
    ("name", "file", "decision", "remark"),
    [
        ("meta-txt-one-of-two", "input.yml", {"without": ("run_g0_imec1",)}, "data-left-out"),
        ("oe-crash-second-experiment", "input.yml",
         {"without": ("Record Node 104/experiment2/recording1",)}, "data-left-out"),
        ("crashed-acquisition", "in.yml", {"as_crashed": True}, "crashed"),
        ("glx-days-renamed-as-triggers", "input.yml", {"despite_dates": True}, "starts-apart"),
    ],
)  # fmt: skip
def test_decision_of_a_person_takes_it_in_and_stays(
    case: Callable[[str], Case], name: str, file: str, decision: dict[str, Any], remark: str
) -> None:
    of = case(name)
    number = waiting(of, file)

    done = settle_session(of.daybook, number, roots=of.roots, reason="It is so.", **decision)

    assert done.status == "inserted"
    assert remark in {one.code for one in of.session(f"s{number}").remarks}
