"""The lists: everything that a view shows stands in its address, and the same view can be had as a file."""

import csv
import io
import re
from collections.abc import Callable

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import Ended, run_cli, write_input_file
from tests.serving import Server
from tests.web.conftest import Browser, joined

Lab = Callable[..., Ended]


@pytest.fixture
def lab(ledger_url: str, sample: SampleLab) -> Lab:
    def run(*arguments: str) -> Ended:
        return run_cli("--db", ledger_url, *arguments)

    assert run("catalogue", "load", "catalogue.yml").exit == 0
    write_input_file(sample)
    assert run("upload", "subject_1.yml").exit == 0
    return run


def _times(page: str) -> list[str]:
    return re.findall(r'href="/sessions/s\d+[^"]*">([^<]+)<', page)


def test_sessions_are_listed_newest_first_page_by_page(lab: Lab, server: Server) -> None:
    browser = joined(server, "user_2")

    newest = browser.get("/sessions?limit=2").text
    older = re.search(r'href="(/sessions\?[^"]*after=\d+)"', newest)
    assert older is not None
    oldest = browser.get(older[1].replace("&amp;", "&") + "&limit=2").text

    assert _times(newest) == ["2023-05-03 10:00:00", "2023-05-02 10:00:00"]
    assert _times(oldest) == ["2023-05-01 10:00:00"]
    assert "2 of 3 shown" in newest


def test_a_filter_that_cannot_be_is_said_at_its_field_and_the_rest_stays(lab: Lab, server: Server) -> None:
    wrong = joined(server, "user_2").get("/sessions?since=whenever&subject=12345")

    assert wrong.status_code == 422
    assert "&#34;whenever&#34; is no time" in wrong.text and 'value="12345"' in wrong.text
    assert re.search(r'name="since"[^>]*aria-invalid="true"', wrong.text)


def test_an_empty_list_says_why(ledger_url: str, server: Server) -> None:
    browser = joined(server, "user_2")

    assert "No session yet" in browser.get("/sessions").text
    assert "Nothing matches: subject 777" in browser.get("/sessions?subject=777").text
    assert "There was none at this moment" in browser.get("/clusterings?as_of=1").text


def test_the_same_view_as_csv_and_json_says_its_position(lab: Lab, server: Server) -> None:
    browser = joined(server, "user_2")
    view = "subject=12345&column=status&column=location"

    sheet = browser.get(f"/sessions.csv?{view}")
    document = browser.get(f"/sessions.json?{view}&limit=2")

    rows = list(csv.reader(io.StringIO(sheet.text)))
    assert rows[0] == ["session", "status", "location", "message"] and len(rows) == 4
    position = sheet.headers["daybook-position"]
    assert sheet.headers["daybook-count"] == "3"
    assert sheet.headers["content-disposition"] == f'attachment; filename="sessions-{position}.csv"'
    assert document.json()["position"] == int(position) and len(document.json()["sessions"]) == 2
    assert document.headers["daybook-count"] == "2"


def test_the_address_with_a_position_gives_the_same_rows_later(lab: Lab, server: Server) -> None:
    browser = joined(server, "user_2")
    before = browser.get("/sessions.json").json()

    assert lab("subject", "add", "777").exit == 0
    assert lab("annotate", before["sessions"][0]["session"], "--project", "my_project").exit == 0
    again = browser.get(f"/sessions.json?as_of={before['position']}").json()

    assert again["sessions"] == before["sessions"] and again["position"] == before["position"]


def test_all_that_match_go_into_a_file_though_a_page_shows_less(
    lab: Lab, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commands.web.pages import lists

    monkeypatch.setattr(lists, "PAGE", 2)
    monkeypatch.setattr(lists, "_AT_ONCE", 2)
    browser = joined(server, "user_2")

    page = browser.get("/sessions").text
    everything = re.search(r'href="(/sessions\.csv\?[^"]*limit=all[^"]*)"', page)
    assert everything is not None
    rows = list(csv.reader(io.StringIO(browser.get(everything[1].replace("&amp;", "&")).text)))

    assert len(_times(page)) == 2 and len(rows) == 1 + 3


def test_what_a_spreadsheet_would_compute_is_text(ledger_url: str, server: Server) -> None:
    from commands.web.pages.as_files import as_csv

    body = as_csv(["name"], [["=1+1"], ["@a"], ["plain"], [["-a", "b"]]], "names", 7).body

    assert bytes(body) == b"name\r\n'=1+1\r\n'@a\r\nplain\r\n'-a; b\r\n"


@pytest.mark.parametrize("path", ["/sessions", "/clusterings", "/uploads"])
def test_every_column_can_be_chosen(path: str, lab: Lab, server: Server) -> None:
    from commands.web.pages.list_columns import CLUSTERINGS, SESSIONS, UPLOADS

    what = next(each for each in (SESSIONS, CLUSTERINGS, UPLOADS) if f"/{each.kind}" == path)
    browser: Browser = joined(server, "user_2")

    page = browser.get(path + "?" + "&".join(f"column={column.field}" for column in what.columns))

    assert page.status_code == 200
    for column in what.columns:
        assert re.search(rf'<th scope="col"[^>]*>{re.escape(column.title)}', page.text), column.title
