"""The first day of a lab in the browser, with scripts and without: what it has is loaded, a file is written in the editor,
checked, mended, uploaded, and grows; a session that waits is resolved in its row; wrong data go and come back."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from commands.samples.lab import SampleLab
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from tests.browser.conftest import PHONE, Visitor, join, leads_on, sign_in
from tests.cli.conftest import Ended, write_input_file
from tests.cli.test_cli_completing import CATALOGUE
from tests.patience import PATIENCE_S
from tests.serving import Server

Lab = Callable[..., Ended]
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])


def enter(page: Page, server: Server, user: str, role: str | None = "researcher", *, at: str = "/") -> None:
    """``role`` None: who has one already, as user_1, who loaded the catalogue, is an admin."""
    join(page, server, user, role)
    sign_in(page, user, at=at)


def upload(page: Page, server: Server, name: str, text: str) -> None:
    """From the editor to the page where all of it is processed."""
    page.goto("/ingest")
    page.get_by_label("Name of the file").fill(name)
    page.get_by_label("Input file").fill(text)
    with leads_on(page):
        page.get_by_role("button", name="Upload", exact=True).click()
    expect(page).to_have_url(re.compile("/ingest/uploads/u"))
    assert server.serving.working is not None
    assert server.serving.working.waited_for(int(page.url.rpartition("/u")[2].partition("?")[0]), PATIENCE_S)
    page.reload()


@SCRIPTS
def test_from_an_empty_ledger_to_the_first_inserted_sessions(
    sample: SampleLab, server: Server, visiting: Visitor, folder: Path, scripts: bool
) -> None:
    file = write_input_file(sample).read_text()
    page = visiting(java_script_enabled=scripts)
    enter(page, server, "user_1", "admin")
    expect(page.get_by_role("heading", name="Nothing needs you")).to_be_visible()

    page.goto("/do/load-catalogue")
    page.get_by_label("Choose a file").set_input_files(folder / "catalogue.yml")
    page.get_by_role("button", name="Load the file").click()
    expect(page.get_by_role("heading", name="Load the file: done")).to_be_visible()

    page.goto("/ingest")
    page.get_by_label("Name of the file").fill("12345.yml")
    page.get_by_label("Input file").fill(file.replace("[user_1, user_2]", "[usr_1, user_2]"))
    page.get_by_role("button", name="Check", exact=True).click()
    expect(
        page.get_by_role("heading", name='experimenter "usr_1" is not in reference.Experimenter')
    ).to_be_visible()
    with leads_on(page):
        page.get_by_role("button", name="Use user_1 in all 3 lines").click()
    expect(page.get_by_text("It can be uploaded as it is.")).to_be_visible()
    expect(page.get_by_label("Input file")).to_have_value(file)

    upload(page, server, "12345.yml", file)
    expect(page.get_by_role("heading", name="12345.yml: 3 inserted")).to_be_visible()
    page.reload()
    page.go_back()
    page.goto("/")
    expect(page.get_by_text("user_1 uploaded 1 input file, inserted 3 sessions")).to_be_visible()


@SCRIPTS
def test_a_growing_file_is_shared_by_two_people(
    lab: Lab, sample: SampleLab, server: Server, visiting: Visitor, scripts: bool
) -> None:
    whole = write_input_file(sample).read_text()
    entries = whole.split("  - location: ")
    first = visiting(java_script_enabled=scripts)
    enter(first, server, "user_3")
    upload(first, server, "12345.yml", "  - location: ".join(entries[:2]))
    expect(first.get_by_role("heading", name="12345.yml: 1 inserted")).to_be_visible()

    second = visiting(java_script_enabled=scripts)
    enter(second, server, "user_2")
    upload(second, server, "12345.yml", whole)

    expect(second.get_by_role("heading", name="12345.yml: 2 inserted, 1 on record")).to_be_visible()


@SCRIPTS
def test_a_waiting_association_is_resolved_where_it_stands(
    server: Server, lab: Lab, visiting: Visitor, folder: Path, scripts: bool
) -> None:
    assert lab("catalogue", "load", "-", stdin=CATALOGUE).exit == 0
    spikeglx_session(
        folder / "recording", probes=[SampleProbe("111"), SampleProbe("222")], start=datetime(2023, 5, 1, 10)
    )
    page = visiting(java_script_enabled=scripts, size=PHONE)
    enter(page, server, "user_1", None)
    upload(
        page, server, "one.yml",
        'subject: {name: "12345"}\nsessions:\n'
        f'  - {{location: "{folder}/recording", experimenter: user_1, tasks: []}}\n',
    )  # fmt: skip
    expect(page.get_by_role("heading", name="one.yml: 1 waiting")).to_be_visible()

    page.goto("/")
    page.get_by_text("Associate…").click()
    page.get_by_label("probe_1").select_option("left")
    page.get_by_label("probe_2").select_option("right")
    page.get_by_role("button", name="Associate and insert").click()

    expect(page.get_by_role("heading", name="Nothing needs you")).to_be_visible()
    assert lab("sessions", "--json").json["sessions"][0]["status"] == "inserted"


@SCRIPTS
def test_a_wrong_upload_is_asked_for_by_one_decided_by_another_and_restored(
    lab: Lab, sample: SampleLab, server: Server, visiting: Visitor, scripts: bool
) -> None:
    page = visiting(java_script_enabled=scripts)
    enter(page, server, "user_2")
    upload(page, server, "12345.yml", write_input_file(sample).read_text())
    ref = lab("uploads", "--json").json["uploads"][0]["upload"]

    page.goto("/wrong-data/delete")
    page.get_by_label("Records").fill(ref)
    page.get_by_role("button", name="See what it takes").click()
    expect(page.get_by_role("heading", name=re.compile("It would take [0-9]+ records"))).to_be_visible()
    page.get_by_label("Reason").fill("wrong animal")
    with leads_on(page):
        page.get_by_role("button", name="Request the deletion").click()
    expect(page.get_by_text("An admin decides on it.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Approve"))).to_have_count(0)
    place = page.url

    admin = visiting(java_script_enabled=scripts)
    enter(admin, server, "user_1", None)
    admin.get_by_role("link", name="See the impact…").click()
    expect(admin).to_have_url(place)
    with leads_on(admin):
        admin.get_by_role("button", name=re.compile("Approve and delete")).click()
    expect(admin.get_by_text("carried out")).to_be_visible()
    statuses = {each["status"] for each in lab("sessions", "--json").json["sessions"]}
    assert statuses == {"deleted"}

    admin.get_by_role("link", name="Restore…").click()
    with leads_on(admin):
        admin.get_by_role("button", name=re.compile("^Restore")).click()
    statuses = {each["status"] for each in lab("sessions", "--json").json["sessions"]}
    assert statuses == {"inserted"}


def test_a_link_to_a_line_puts_the_cursor_there_and_what_is_typed_is_kept(
    lab: Lab, sample: SampleLab, server: Server, visiting: Visitor
) -> None:
    page = visiting()
    enter(page, server, "user_1", None)
    page.goto("/ingest")
    page.get_by_label("Name of the file").fill("a.yml")
    page.get_by_label("Input file").fill('subject: {name: "99999"}\nsessions: []\n')
    page.get_by_role("button", name="Check", exact=True).click()
    page.locator("a[data-line='1']").first.click()
    chosen = page.evaluate(
        "(() => { const t = document.getElementById('text'); return t.value.slice(t.selectionStart, t.selectionEnd) })()"
    )
    assert chosen == 'subject: {name: "99999"}'

    page.get_by_label("Input file").press_sequentially("typed")
    expect(page.locator("#kept")).to_contain_text("Kept a moment ago", timeout=PATIENCE_S * 1000)
    page.goto("/ingest?name=a.yml")
    expect(page.get_by_label("Input file")).to_have_value("typed\nsessions: []\n")
