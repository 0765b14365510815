"""The page of a record: what it says and who said so, how it stood, what happened to it, its proof."""

import re
from pathlib import Path
from typing import Any

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import run_cli
from tests.serving import Server
from tests.web.conftest import Browser, joined
from tests.web.test_lists import Lab, lab

__all__ = ["lab"]


@pytest.fixture
def session(lab: Lab) -> str:
    found: list[dict[str, Any]] = lab("sessions", "--json").json["sessions"]
    return str(found[0]["session"])


def _fact(page: str, field: str) -> str:
    row = re.search(rf'<tr id="{field}">.*?</tr>', page, re.DOTALL)
    assert row is not None, field
    return row[0]


def test_each_value_leads_to_the_line_that_it_stands_on(lab: Lab, server: Server, session: str) -> None:
    browser = joined(server, "user_2")

    page = browser.get(f"/sessions/{session}").text
    link = re.search(r'href="(/uploads/u\d+/file\?line=(\d+)#L\d+)"', _fact(page, "location"))
    assert link is not None
    file = browser.get(link[1]).text

    marked = re.search(r'<li id="L(\d+)" class="marked">.*?<code>(.*?)</code>', file)
    assert marked is not None and marked[1] == link[2] and "location:" in marked[2]


def test_a_record_is_shown_as_it_stood_and_what_differs_from_now_is_marked(
    lab: Lab, server: Server, session: str
) -> None:
    before = lab("status", "--json").json["position"]
    assert lab("annotate", session, "--project", "my_project").exit == 0
    browser = joined(server, "user_2")

    then = browser.get(f"/sessions/{session}?as_of={session[1:]}").text
    slid = browser.get(f"/sessions/{session}?step=0")
    now = browser.get(f"/sessions/{session}?step=9")

    assert "now: inserted" in _fact(then, "status") and 'class="asof"' in then
    assert 'id="project"' not in browser.get(f"/sessions/{session}?as_of={before}").text
    assert slid.url.query == f"as_of={session[1:]}".encode() and now.url.query == b""
    assert "my_project" in _fact(now.text, "project") and 'class="asof"' not in now.text


def test_a_checkpoint_proves_a_record_and_what_it_does_not_reach_is_said(
    lab: Lab, server: Server, session: str, tmp_path: Path
) -> None:
    browser = joined(server, "user_2")
    assert "not yet covered by a checkpoint" in browser.get(f"/sessions/{session}").text

    assert lab("checkpoint").exit == 0
    assert lab("annotate", session, "--project", "my_project").exit == 0
    page = browser.get(f"/sessions/{session}").text
    proof = browser.get(f"/sessions/{session}/proof")
    (tmp_path / "proof.json").write_bytes(proof.content)

    assert "✓ proven to event" in page and "1 later event not yet covered" in page
    assert "attachment" in proof.headers["content-disposition"]
    alone = run_cli("--db", f"sqlite:///{tmp_path / 'elsewhere.db'}", "verify", "--receipt", "proof.json")
    assert alone.exit == 0, alone.shown


def test_a_record_is_found_by_whatever_it_is_called(
    lab: Lab, server: Server, session: str, sample: SampleLab
) -> None:
    browser = joined(server, "user_2")

    for called in (session, str(sample.subjects[0].sessions[-1].start)):
        assert browser.get(f"/records/{called}").url.path == f"/sessions/{session}", called
    assert browser.get("/records/subject:12345").url.path == "/subjects/12345"
    assert browser.get("/records/s999999").status_code == 404
    assert browser.get(f"/uploads/{session}").status_code == 404


def test_every_kind_of_record_has_a_page_now_and_then(lab: Lab, server: Server, session: str) -> None:
    browser: Browser = joined(server, "user_2")
    upload = lab("uploads", "--json").json["uploads"][0]["upload"]
    clustering = lab("clusterings", "--json").json["clusterings"][0]["clustering"]
    probe = lab("subject", "list", "--json").json["subjects"][0]["probes"][0]["probe"]
    position = lab("status", "--json").json["position"]
    pages = [
        f"/sessions/{session}", f"/uploads/{upload}", f"/clusterings/{clustering}", "/subjects", "/subjects/12345",
        f"/probes/{probe}", "/users/user_1", f"/uploads/{upload}/file",
    ]  # fmt: skip

    for path in pages:
        for query in ("", f"?as_of={position}"):
            shown = browser.get(path + query)
            assert shown.status_code == 200, (path, query, shown.text)
            assert f"As of event {position}" in shown.text or not query
    for path in (*pages[:3], "/subjects"):
        assert browser.get(f"{path}.csv").headers["content-type"].startswith("text/csv")
        assert browser.get(f"{path}.json").json()["position"] >= position


def test_who_may_not_is_told_what_is_needed_and_whom_to_ask(lab: Lab, server: Server, session: str) -> None:
    assert lab("role", "grant", "user_1", "admin").exit == 0
    assert lab("role", "grant", "user_2", "auditor").exit == 0
    browser = joined(server, "user_2")

    page = browser.get(f"/sessions/{session}").text

    assert "Change anything: this needs the role researcher. Ask user_1." in page


def test_a_stored_file_comes_as_it_was_uploaded(lab: Lab, server: Server, sample: SampleLab) -> None:
    browser = joined(server, "user_2")
    upload = lab("uploads", "--json").json["uploads"][0]["upload"]

    sent = browser.get(f"/uploads/{upload}/file/bytes")

    assert sent.content == (sample.directory / "subject_1.yml").read_bytes()
    assert sent.headers["x-content-type-options"] == "nosniff"
