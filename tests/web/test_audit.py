"""The audit: who ingested what, the log, refusals, and whether the ledger is intact."""

import csv
import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.patience import until
from tests.serving import Server
from tests.web.conftest import Browser, joined
from tests.web.test_lists import Lab, lab

__all__ = ["lab"]


def test_who_ingested_what_is_drawn_and_stands_in_a_table_too(lab: Lab, server: Server) -> None:
    browser = joined(server, "user_2")

    page = browser.get("/audit").text
    sheet = list(csv.reader(io.StringIO(browser.get("/audit.csv?by=user").text)))

    assert re.search(r'<rect class="bar"[^>]*><title>[^<]*: 3 sessions inserted, 0 files rejected', page)
    assert '<th scope="row">' in page.split("The figures as a table")[1].split("</details>")[0]
    row = dict(zip(sheet[0], next(each for each in sheet if each[0] == "user_1"), strict=True))
    assert row["uploads"] == "1" and row["sessions_inserted"] == "3"


def test_the_rule_that_refuses_most_is_named(lab: Lab, server: Server, folder: Path) -> None:
    text = (folder / "subject_1.yml").read_text(encoding="utf-8")
    (folder / "bad.yml").write_text(text.replace('name: "12345"', 'name: "777"'), encoding="utf-8")
    assert lab("upload", "bad.yml").exit == 1

    page = joined(server, "user_2").get("/audit").text

    assert "unknown-subject" in page and "777" in page and "in the newest 1 rejected file<" in page


def test_the_log_is_searched_by_all_that_an_event_says(lab: Lab, server: Server) -> None:
    browser = joined(server, "user_2")

    def kinds(query: str) -> set[str]:
        return {event["type"] for event in browser.get(f"/log.json?{query}").json()["events"]}

    assert kinds("type=SessionInserted") == {"SessionInserted"}
    assert kinds("authentication=password") == {"UserJoined"} or "UserJoined" in kinds("actor=user_2")
    assert kinds("text=150_square&actor=user_1") >= {"SessionInsertRequested"}
    assert kinds("subject=777") == set()
    assert "No event matches" in browser.get("/log?subject=777").text
    wrong = browser.get("/log?since=whenever&actor=user_1")
    assert wrong.status_code == 422 and "is no time" in wrong.text and 'value="user_1"' in wrong.text
    assert browser.get("/log?type=Nonsense").status_code == 422


def test_the_log_goes_back_page_by_page_to_its_first_event(lab: Lab, server: Server) -> None:
    browser = joined(server, "user_2")
    seen: list[int] = []
    address = "/log?limit=20"

    while True:
        page = browser.get(address).text
        seen += [
            int(each.replace(",", ""))
            for each in re.findall(r'<th scope="row" class="number"><a [^>]*>([\d,]+)<', page)
        ]
        older = re.search(r'href="/log\?([^"]*before=\d+)">Older', page)
        if older is None:
            break
        address = f"/log?{older[1].replace('&amp;', '&')}&limit=20"

    assert seen == list(range(seen[0], 0, -1))


def test_one_event_is_shown_whole_and_refusals_are_a_search(lab: Lab, server: Server) -> None:
    browser = joined(server, "user_2")
    assert "Nobody was refused anything yet" in browser.get("/log?type=ActionRefused").text
    assert lab("role", "grant", "user_1", "admin").exit == 0
    assert lab("role", "grant", "user_3", "auditor").exit == 0
    assert lab("subject", "add", "777", "--as", "user_3").exit == 4

    first = browser.get("/log/1")
    refused = browser.get("/log?type=ActionRefused").text
    assert "LedgerCreated" in first.text and "Its body" in first.text
    assert browser.get("/log/999999").status_code == 404 and browser.get("/log/x").status_code == 404
    assert "may not" in refused and "user_3" in refused and "Action refused" in refused


def test_somebody_has_the_ledger_verified_and_sees_that_it_is_intact(lab: Lab, server: Server) -> None:
    browser = joined(server, "user_2")
    assert "Verify" in browser.get("/integrity").text

    begun = browser.post("/integrity/verify")
    assert begun.status_code == 200 and begun.url.path == "/integrity"
    until(lambda: "intact</span>" in browser.get("/integrity").text)

    assert "for user_2" in browser.get("/integrity").text


def test_a_bundle_is_taken_away_and_verified_by_its_own_script(
    lab: Lab, server: Server, tmp_path: Path
) -> None:
    assert lab("checkpoint").exit == 0
    browser: Browser = joined(server, "user_2")
    session = lab("sessions", "--json").json["sessions"][0]["session"]

    sent = browser.get(f"/integrity/bundle?records={session}")
    with zipfile.ZipFile(io.BytesIO(sent.content)) as bundle:
        bundle.extractall(tmp_path / "bundle")
    done = subprocess.run(
        [sys.executable, "verify.py"], cwd=tmp_path / "bundle", capture_output=True, text=True, check=False
    )

    assert f'filename="bundle-{session}.zip"' in sent.headers["content-disposition"]
    assert done.returncode == 0, done.stdout + done.stderr


def test_where_nothing_was_signed_it_says_so(lab: Lab, server: Server) -> None:
    page = joined(server, "user_2").get("/integrity").text

    assert "None yet: nothing is signed" in page and "Download a bundle" not in page
