"""Whatever the bytes are: findings with their lines, never an exception, and two events."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.intake.upload_report import UploadReport
from commands.recordings.roots import Roots
from ledger.verify import verify
from tests.intake.bad_files import AS_JSON, GOOD, NO_DOCUMENT, WRONG
from tests.intake.lab import CATALOGUE, Lab, load_catalogue

pytestmark = pytest.mark.both_ways


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def common(
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lab]:
    """One lab for all of the files: a rejected one leaves nothing that another could trip over."""
    folder = tmp_path_factory.mktemp("common")
    url = ledger_templates(request.param, folder)
    share = folder / "N"
    (share / "rec").mkdir(parents=True)
    daybook = Daybook.open(url, Actor("user_1"))
    load_catalogue(daybook, CATALOGUE)
    lab = Lab(url, daybook, share / "rec", Roots.of({"N:": [str(share)]}))
    lab.record("date_1")
    yield lab
    daybook.close()
    assert verify(url).problems == []


def rejected(lab: Lab, data: bytes) -> UploadReport:
    before = lab.size()
    is_json = data.lstrip().startswith(b"{")
    report = lab.upload_bytes(data, filename="12345.json" if is_json else "12345.yml")
    assert not report.ok and report.sessions == report.clusterings == []
    assert lab.types(before) == ["InputFileReceived", "InputFileRejected"]
    assert lab.kept_bytes() == data
    for finding in report.findings:
        assert finding.message and "Traceback" not in finding.message and len(finding.message) < 2000, finding
        finding.message.encode(), finding.hint.encode()
    return report


def test_there_are_more_than_a_hundred_of_them() -> None:
    assert len(NO_DOCUMENT) + len(WRONG) >= 140


@pytest.mark.parametrize("name", NO_DOCUMENT)
def test_what_is_no_document_is_rejected_at_stage_0_or_1(common: Lab, name: str) -> None:
    report = rejected(common, NO_DOCUMENT[name])
    assert {finding.stage for finding in report.findings if finding.severity == "error"} <= {0, 1}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_rejected_with_its_line(common: Lab, name: str) -> None:
    data, line = WRONG[name]
    report = rejected(common, data)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    assert all(error.line is not None for error in errors if error.path), errors
    if line is not None:
        assert line in {error.line for error in errors}, errors


@pytest.mark.parametrize("data", [GOOD.encode(), AS_JSON.encode(), b"\xef\xbb\xbf" + GOOD.encode()])
def test_the_file_that_they_are_made_from_is_good(lab: Lab, data: bytes) -> None:
    lab.record("date_1")
    report = lab.upload_bytes(data)
    assert report.sessions[0].outcome == "inserted", report.findings


def test_ten_thousand_errors_are_a_limited_list(common: Lab) -> None:
    entries = "".join(
        f"  - {{location: 'N:/x{n}', experimenter: nobody, tasks: [], extra: 1}}\n" for n in range(10_000)
    )
    report = rejected(common, f"subject: {{name: 12345}}\nsessions:\n{entries}".encode())
    assert 100 <= len(report.findings) <= 30_001
