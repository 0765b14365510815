"""The editor: what was typed comes back, findings name their lines, what was meant is put in by a button, and an upload is
followed to its end. All of it without scripts."""

import json
import re
from pathlib import Path

import httpx
import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import run_cli, write_input_file
from tests.serving import Server
from tests.web.conftest import Browser, joined
from tests.web.test_doing_on_pages import command_id_in, log_of

TEXT = "text"


@pytest.fixture
def browser(server: Server, sample: SampleLab) -> Browser:
    assert run_cli("--db", server.url, "catalogue", "load", "catalogue.yml").exit == 0
    return joined(server, "user_1")


@pytest.fixture
def file(sample: SampleLab) -> str:
    return write_input_file(sample).read_text()


def typed_in(answer: httpx.Response) -> str:
    """What stands in the editor: a browser leaves the first line break of an element out."""
    import html

    found = re.search(r'<textarea [^>]*name="text"[^>]*>\n(.*?)</textarea>', answer.text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def send(browser: Browser, text: str, **more: str) -> httpx.Response:
    """As a browser sends it: in parts, each line break as two characters."""
    form = {"name": "12345.yml", "text": text.replace("\n", "\r\n"), **more}
    parts = [(name, (None, value)) for name, value in form.items()]
    return browser.client.post("/ingest", files=parts, follow_redirects=True)


def settled(browser: Browser, server: Server, address: str) -> httpx.Response:
    """The page of an upload when all of it is processed."""
    assert server.serving.working is not None
    number = int(address.rpartition("/u")[2])
    assert server.serving.working.waited_for(number, 60)
    return browser.get(address)


def test_a_right_file_is_checked_then_uploaded_and_each_entry_said(
    browser: Browser, server: Server, file: str
) -> None:
    checked = send(browser, file)

    assert (
        checked.status_code == 200
        and "can be uploaded as it is" in checked.text
        and "3 new sessions" in checked.text
    )
    assert typed_in(checked) == file
    followed = send(browser, file, do="upload", command_id=command_id_in(checked.text))
    ended = settled(browser, server, followed.url.path)
    assert followed.url.path.startswith("/ingest/uploads/u")
    assert "3 inserted" in ended.text and ended.text.count('class="status inserted"') == 3


def test_uploading_the_same_form_twice_is_one_upload(browser: Browser, server: Server, file: str) -> None:
    once = {"do": "upload", "command_id": "a-form-sent-twice"}

    first, again = send(browser, file, **once), send(browser, file, **once)

    assert first.url.path == again.url.path
    assert [e["type"] for e in log_of(server)].count("InputFileReceived") == 1


def test_findings_name_their_lines_and_a_button_puts_in_what_was_meant_everywhere(
    browser: Browser, file: str
) -> None:
    wrong = file.replace("[user_1, user_2]", "[usr_1, user_2]")
    assert wrong != file
    lines = [number for number, line in enumerate(wrong.split("\n"), 1) if "usr_1" in line]

    found = send(browser, wrong)

    assert typed_in(found) == wrong
    for line in lines:
        assert f'<b id="L{line}" class="bad">× {line}</b>' in found.text
        assert f'href="#L{line}"' in found.text
    mended = send(browser, wrong, mend=json.dumps(["usr_1", "user_1"]))
    assert typed_in(mended) == file and "can be uploaded as it is" in mended.text


def test_what_does_not_parse_is_mended_line_by_line(browser: Browser) -> None:
    wrong = "subject:\n  name: 12345\nsessions:\n  - location: /a\n   tasks: []\n"

    found = send(browser, wrong)
    code = re.search(r'name="mend" value="([^"]+)"', found.text)

    assert code is not None and typed_in(found) == wrong
    assert "\n    tasks: []" in typed_in(send(browser, wrong, mend=code[1].replace("&#34;", '"')))


def test_a_rejected_file_stays_in_the_editor_and_inserts_nothing(
    browser: Browser, server: Server, file: str
) -> None:
    wrong = file.replace("12345", "99999", 1)

    answer = send(browser, wrong, do="upload")

    assert answer.status_code == 422 and typed_in(answer) == wrong and "not ingested" in answer.text
    assert "SessionInserted" not in [event["type"] for event in log_of(server)]


def test_a_draft_is_kept_for_whoever_typed_it_and_for_nobody_else(
    browser: Browser, server: Server, file: str
) -> None:
    send(browser, file)
    other = joined(server, "user_2")

    assert typed_in(browser.get("/ingest?name=12345.yml")) == file
    assert typed_in(other.get("/ingest?name=12345.yml")) == ""
    assert "Forget the draft" not in other.get("/ingest").text


def test_no_more_than_twenty_drafts_of_a_user_are_kept(browser: Browser) -> None:
    for number in range(22):
        browser.client.post("/ingest/keep", data={"name": f"draft_{number}.yml", "text": "x"})

    shown = browser.get("/ingest").text

    assert shown.count("Forget the draft") == 20
    assert "draft_21.yml" in shown and "draft_0.yml" not in shown and "draft_1.yml" not in shown


def test_a_file_from_a_computer_is_opened_beside_a_draft_of_its_name(browser: Browser, file: str) -> None:
    send(browser, "subject: {}\n")

    opened = browser.client.post(
        "/ingest/open", files={"file": ("C:\\data\\12345.yml", file.encode())}, follow_redirects=True
    )

    assert typed_in(opened) == file and 'value="12345 (2).yml"' in opened.text
    assert typed_in(browser.get("/ingest?name=12345.yml")) == "subject: {}\n"


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00\x00", "é".encode("latin-1"), b"\xff\xfea\x00", b""])
def test_what_is_no_text_is_said_at_the_field(browser: Browser, data: bytes) -> None:
    answer = browser.client.post("/ingest/open", files={"file": ("a.yml", data)}, follow_redirects=True)

    assert answer.status_code == (422 if data else 200)


def test_what_is_stored_is_shown_and_not_run(browser: Browser) -> None:
    script = "</textarea><script>alert(1)</script>"

    answer = send(browser, f"subject: '{script}'\n", name=f"{script}.yml")

    assert "<script>alert" not in answer.text and typed_in(answer) == f"subject: '{script}'\n"


def test_a_file_beyond_the_limit_is_refused_at_the_field(browser: Browser, server: Server) -> None:
    most = server.serving.settings.limits.input_file_bytes

    answer = send(browser, "#" * (most + 1))

    assert answer.status_code == 422 and f"{most:,}" in answer.text


def test_who_may_not_upload_is_told_who_may_and_keeps_what_was_typed(server: Server, file: str) -> None:
    assert run_cli("--db", server.url, "role", "grant", "user_3", "auditor").exit == 0
    auditor = joined(server, "user_3")

    answer = send(auditor, file, do="upload")

    assert answer.status_code == 403 and typed_in(answer) == file


def test_a_duplicate_that_differs_says_field_by_field_how_and_can_be_corrected(
    browser: Browser, server: Server, file: str
) -> None:
    settled(browser, server, send(browser, file, do="upload").url.path)
    changed = file.replace("[user_1, user_2]", "[user_2]", 1)
    assert changed != file

    ended = settled(browser, server, send(browser, changed, do="upload").url.path)

    assert "on record: " in ended.text and 'class="now">' in ended.text
    assert re.search(r'href="/correct\?upload=u\d+&amp;entry=sessions\.0"', ended.text)


def test_a_path_of_a_file_is_no_part_of_its_name(browser: Browser, tmp_path: Path) -> None:
    for name in ("../../etc/passwd", "C:\\x\\passwd", "a/passwd"):
        assert 'value="passwd"' in send(browser, "subject: {}\n", name=name).text


def test_three_thousand_findings_are_grouped_and_paged_and_those_without_words_keep_code_and_line(
    browser: Browser,
) -> None:
    text = "subject: {name: '12345'}\nsessions:\n" + "".join(
        f"  - {{location: '/a/{number}', experimenter: user_1, tasks: [], kolor_{number}: 1}}\n"
        for number in range(3000)
    )

    found = send(browser, text)

    assert found.status_code == 200 and typed_in(found) == text
    assert "2,000 more findings without words" in found.text
    assert "<code>unknown-key</code>, 2,000 times" in found.text
    assert "1,000 of one kind" in found.text and '<b id="L2999" class="bad">' in found.text
    assert len(found.text) < 2 * len(text) + 200_000


def test_causes_beyond_a_page_are_on_the_next(browser: Browser) -> None:
    text = "subject: {name: '12345'}\nsessions:\n" + "".join(
        f"  - {{location: '/a/{kind}', experimenter: user_1, tasks: [], {key}: 1}}\n"
        for kind in range(50) for key in (f"kolor_{kind}",)
    )  # fmt: skip
    send(browser, text)

    assert browser.get("/ingest?name=12345.yml&check=yes&page=99").status_code == 200
    assert browser.get("/ingest?name=12345.yml&check=yes&page=x").status_code == 200


def test_a_file_of_ten_thousand_sessions_is_edited_as_a_small_one(browser: Browser) -> None:
    text = "subject: {name: '12345'}\nsessions:\n" + "".join(
        f"  - location: /a/{number}\n    experimenter: user_1\n    tasks: []\n" for number in range(10_000)
    )

    found = send(browser, text)

    assert found.status_code == 200 and typed_in(found) == text
    assert '<b id="L3" class="bad">' in found.text and "more findings without words" in found.text
