"""Composing, correcting, adding by a form, work and reference values: each as a person without scripts does it."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from commands.inputfile.entry_file import entry_file
from commands.inputfile.limits import DEFAULT_LIMITS
from commands.inputfile.read import read_input_file
from commands.inputfile.template import template
from commands.recordings.roots import Roots
from commands.samples.lab import SampleLab
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from tests.cli.conftest import run_cli, write_input_file
from tests.cli.test_cli_completing import CATALOGUE
from tests.serving import Server
from tests.web.conftest import Browser, joined
from tests.web.test_doing_on_pages import command_id_in, log_of
from tests.web.test_editing import send, settled, typed_in


@pytest.fixture
def browser(server: Server, sample: SampleLab) -> Browser:
    assert run_cli("--db", server.url, "catalogue", "load", "catalogue.yml").exit == 0
    return joined(server, "user_1")


# --- what a file of one entry is ------------------------------------------------------------------------------------


def test_an_entry_alone_is_read_as_it_was_among_the_others() -> None:
    data = template("yaml", example=True).encode()
    before = read_input_file(data).input_file
    assert before is not None

    for index, entry in enumerate(before.sessions):
        text = entry_file(data, "sessions", index, filename="a.yml", limits=DEFAULT_LIMITS)
        assert text is not None
        after = read_input_file(text.encode()).input_file
        assert after is not None and after.subject == before.subject
        assert [replace(each, index=0) for each in after.sessions] == [replace(entry, index=0)]
    assert entry_file(data, "sessions", 99, filename="a.yml", limits=DEFAULT_LIMITS) is None
    assert entry_file(b"{", "sessions", 0, filename="a.yml", limits=DEFAULT_LIMITS) is None


# --- compose --------------------------------------------------------------------------------------------------------


def test_only_configured_roots_are_browsed_and_a_session_is_known_by_what_lies_in_it(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    top = tmp_path / "recordings" / "99001"
    spikeglx_session(top / "2023-05-01", probes=[SampleProbe("111")], start=datetime(2023, 5, 1))
    (top / "papers").mkdir()
    (tmp_path / "elsewhere").mkdir()
    server.serving.settings = replace(
        server.serving.settings, roots=Roots.of({"N:": [str(tmp_path / "recordings")]})
    )

    assert 'at=N%3A"' in browser.get("/compose").text or "at=N%3A&amp;" in browser.get("/compose").text
    shown = browser.get("/compose?at=N:/99001").text
    assert "looks like a session: " in shown and "its name" in shown
    assert re.search(r'papers</a></th><td><span class="soft">a folder', shown)
    for outside in (str(tmp_path / "elsewhere"), "/etc", "N:/../elsewhere", "N:/99001/../../elsewhere"):
        refused = browser.get(f"/compose?at={outside}")
        assert refused.status_code in (404, 422) and "elsewhere</a>" not in refused.text
        assert browser.post("/compose", at=outside).status_code in (404, 422)


def test_a_draft_of_a_folder_opens_in_the_editor(browser: Browser, sample: SampleLab) -> None:
    folder = sample.subjects[0].sessions[0].directory

    drafted = browser.post("/compose", at=str(folder), subject="12345")

    assert drafted.url.path == "/ingest" and str(folder) in typed_in(drafted)
    assert 'value="12345.yml"' in drafted.text


def test_templates_open_as_drafts_and_the_schema_is_a_file(browser: Browser) -> None:
    assert typed_in(browser.get("/ingest/template?example=yes")) == template("yaml", example=True)
    assert browser.get("/ingest/schema.json").json()["title"] == "Daybook input file"


# --- correct --------------------------------------------------------------------------------------------------------


def test_one_duplicate_that_differs_is_corrected_alone_from_request_to_replacement(
    browser: Browser, server: Server, sample: SampleLab
) -> None:
    file = write_input_file(sample).read_text()
    settled(browser, server, send(browser, file, do="upload").url.path)
    changed = file.replace("[user_1, user_2]", "[user_2]", 1)
    ended = settled(browser, server, send(browser, changed, do="upload").url.path)
    found = re.search(r'href="(/correct\?upload=u\d+&amp;entry=sessions\.0)"', ended.text)
    assert found is not None

    preview = browser.get(found[1].replace("&amp;", "&"))
    assert "It would replace 1 record" in preview.text and typed_in(preview).count("location:") == 1
    unsaid = browser.post("/correct", name="a.yml", text=typed_in(preview), do="request", reason="")
    assert unsaid.status_code == 422 and 'id="reason-wrong"' in unsaid.text
    asked = browser.post(
        "/correct", name="a.yml", text=typed_in(preview), do="request", reason="user_2 alone",
        command_id=command_id_in(preview.text),
    )  # fmt: skip
    assert asked.url.path.startswith("/requests/d") and "What goes with it" in asked.text


# --- by a form ------------------------------------------------------------------------------------------------------


def test_sessions_are_added_by_a_form_and_a_row_repeats_what_it_leaves_empty(
    browser: Browser, server: Server, sample: SampleLab
) -> None:
    sessions = sample.subjects[0].sessions
    form = {
        "subject": "12345", "location.0": str(sessions[0].directory), "experimenter.0": "user_1, user_2",
        "room.0": "2.345", "location.1": str(sessions[1].directory), "rows": "3", "do": "upload",
        "command_id": "by-a-form",
    }  # fmt: skip

    added = browser.post("/ingest/one", **form)
    again = browser.post("/ingest/one", **form)

    assert added.url.path == again.url.path and added.url.path.startswith("/ingest/uploads/u")
    settled(browser, server, added.url.path)
    found = run_cli("--db", server.url, "sessions", "--json").json["sessions"]
    assert [(each["experimenter"], each["room"]) for each in found] == [(["user_1", "user_2"], "2.345")] * 2


def test_what_is_wrong_in_a_form_is_said_at_its_field_and_the_rest_stays(
    browser: Browser, server: Server, sample: SampleLab
) -> None:
    directory = str(sample.subjects[0].sessions[0].directory)

    answer = browser.post(
        "/ingest/one", **{"subject": "12345", "location.0": directory, "experimenter.0": "nobody", "rows": "2"}
    )  # fmt: skip

    assert answer.status_code == 422 and 'id="experimenter.0-wrong"' in answer.text
    assert f'value="{directory}"' in answer.text
    assert browser.post("/ingest/one", subject="", rows="1").status_code == 422
    assert browser.post("/ingest/one", rows="3", do="more").text.count('name="location.') == 6
    assert "SessionInserted" not in [event["type"] for event in log_of(server)]


# --- what waits -----------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(server: Server, folder: Path) -> Browser:
    """user_1 brought a session whose two probes no serial number decides."""
    assert run_cli("--db", server.url, "catalogue", "load", "-", stdin=CATALOGUE).exit == 0
    spikeglx_session(
        folder / "recording", probes=[SampleProbe("111"), SampleProbe("222")], start=datetime(2023, 5, 1, 10)
    )
    (folder / "one.yml").write_text(
        'subject: {name: "12345"}\nsessions:\n'
        f'  - {{location: "{folder}/recording", experimenter: user_1, tasks: []}}\n'
    )
    browser = joined(server, "user_1")
    assert run_cli("--db", server.url, "upload", "one.yml").exit == 0
    return browser


def test_a_waiting_association_is_resolved_in_its_row_with_only_the_fitting_probes(
    waiting: Browser, server: Server
) -> None:
    shown = waiting.get("/").text

    assert "1 thing needs you" in shown and "serial 111" in shown
    select = re.search(r'<select[^>]*name="association\.probe_1">(.*?)</select>', shown)
    assert select is not None and re.findall(r"<option>([^<]+)", select[1]) == ["left", "right"]
    ref = re.search(r'name="ref" value="(s\d+)"', shown)
    assert ref is not None
    given = {"ref": ref[1], "back": "/", "command_id": command_id_in(shown.partition("associate")[2])}

    done = waiting.post(
        "/do/associate", **given, **{"association.probe_1": "left", "association.probe_2": "right"}
    )

    assert done.url.path == "/" and "Nothing needs you" in done.text
    assert run_cli("--db", server.url, "show", ref[1], "--json").json["status"] == "inserted"


def test_work_is_grouped_by_cause_and_by_folder_and_looked_at_again_at_once(
    waiting: Browser, server: Server
) -> None:
    shown = waiting.get("/work")

    assert "Which probe is which" in shown.text and "1 of user_1" in shown.text
    assert waiting.get("/work?by=folder").status_code == 200
    records = re.search(r'name="records" value="(s\d+)\s*"', shown.text)
    assert records is not None
    again = waiting.post("/do/work", records=records[1], back="/work", command_id="again")
    assert again.url.path == "/work" and "looked at again" in again.text


def test_with_no_worker_anywhere_the_page_says_so(waiting: Browser, server: Server) -> None:
    working, server.serving.working = server.serving.working, None
    try:
        assert "No worker is running" in waiting.get("/work").text
    finally:
        server.serving.working = working


def test_tasks_that_sessions_txt_has_are_filled_in_for_a_person_to_say_what_they_were(
    browser: Browser, server: Server, sample: SampleLab
) -> None:
    directory = sample.subjects[0].sessions[0].directory
    Path("bare.yml").write_text(
        f'subject: {{name: "12345"}}\nsessions:\n  - {{location: "{directory}", experimenter: user_1, tasks: []}}\n'
    )
    assert run_cli("--db", server.url, "upload", "bare.yml").exit == 0
    ref = run_cli("--db", server.url, "sessions", "--json").json["sessions"][0]["session"]

    shown = browser.get(f"/do/add-tasks?ref={ref}").text
    content = re.search(r'<textarea[^>]*name="content"[^>]*>\n(.*?)</textarea>', shown, re.DOTALL)

    assert content is not None and content[1].startswith("tasks:\n")
    assert content[1].count("task_type:") == 3 and 'value="tasks.yml"' in shown


# --- reference values -----------------------------------------------------------------------------------------------


def test_a_value_is_proposed_and_an_admin_accepts_it(browser: Browser, server: Server) -> None:
    researcher = joined(server, "user_3")
    listed = researcher.get("/values?table=reference.ExperimentRoom&text=9.9")
    assert "No value holds" in listed.text

    researcher.post("/do/propose-value", table="reference.ExperimentRoom", value="9.999", reason="new room")
    request = run_cli("--db", server.url, "request", "list", "--json").json["requests"][0]["request"]
    assert request in browser.get("/").text
    browser.post("/do/approve-request", ref=request, back=f"/requests/{request}")

    assert "9.999" in browser.get("/values?table=reference.ExperimentRoom").text


@pytest.mark.parametrize(
    "page", ["/", "/lab", "/ingest", "/ingest/one", "/compose", "/correct", "/work", "/values", "/requests"]
)
def test_pages_of_an_empty_ledger_say_what_would_fill_them(server: Server, page: str) -> None:
    shown = joined(server, "user_1").get(page)
    assert shown.status_code == 200


@pytest.mark.parametrize(
    "address",
    ["/values?table=nothing", "/ingest/uploads/u999", "/ingest/uploads/x", "/requests/d999", "/requests/x",
     "/wrong-data/replay?upload=u999", "/correct?upload=u999", "/requests/d999/restore"],
)  # fmt: skip
def test_what_is_not_there_is_no_fault_of_the_program(browser: Browser, address: str) -> None:
    assert browser.get(address).status_code in (404, 422)
