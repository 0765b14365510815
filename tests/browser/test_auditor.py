"""The auditor's question: who ingested this session, from which line, and has it been changed since? Proven offline."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from commands.samples.lab import SampleLab
from tests.browser.conftest import Visitor, join, leads_on
from tests.cli.conftest import Ended, write_input_file
from tests.serving import Server


def test_who_ingested_it_from_which_line_and_was_it_changed_since_in_three_clicks(
    lab: Callable[..., Ended], sample: SampleLab, server: Server, visiting: Visitor, folder: Path
) -> None:
    lines = write_input_file(sample).read_text(encoding="utf-8").splitlines()
    assert lab("upload", "subject_1.yml").exit == 0
    start = str(sample.subjects[0].sessions[1].start)
    assert lab("checkpoint").exit == 0
    page = visiting(accept_downloads=True)
    join(page, server, "user_2", "auditor")

    page.goto("/sessions")
    with leads_on(page):
        page.get_by_role("link", name=start).click()
    happened = page.get_by_role("region", name="What happened")
    expect(happened.get_by_text("user_1, claimed").first).to_be_visible()  # who, and that nothing came after
    expect(happened.locator("li").first).to_contain_text("Inserted")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download it with its file and the script").click()
    with leads_on(page):
        page.locator("#location").get_by_role("link", name="line").click()
    marked = page.locator("li.marked")

    expect(marked).to_be_in_viewport()
    number = int(str(marked.get_attribute("id"))[1:])
    assert lines[number - 1].strip() in marked.inner_text()
    taken.value.save_as(folder / "bundle.zip")
    with zipfile.ZipFile(folder / "bundle.zip") as bundle:
        bundle.extractall(folder / "offline")
    alone = subprocess.run(
        [sys.executable, "verify.py"], cwd=folder / "offline", capture_output=True, text=True, check=False
    )
    assert alone.returncode == 0, alone.stdout + alone.stderr


def test_without_scripts_a_record_is_shown_as_it_stood(
    lab: Callable[..., Ended], sample: SampleLab, server: Server, visiting: Visitor
) -> None:
    write_input_file(sample)
    assert lab("upload", "subject_1.yml").exit == 0
    session = lab("sessions", "--json").json["sessions"][0]["session"]
    page = visiting(java_script_enabled=False)
    join(page, server, "user_2")

    page.goto(f"/sessions/{session}")
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    with leads_on(page):
        page.get_by_role("button", name="Show").last.click()

    expect(page.locator(".asof")).to_contain_text("This is how it stood")
    expect(page.locator("#status")).to_contain_text("now: inserted")
