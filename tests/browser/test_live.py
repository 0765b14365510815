"""While work goes on, a list that is looked at shows what became of it, without being loaded again."""

from collections.abc import Callable

from playwright.sync_api import expect

from commands.samples.lab import SampleLab
from tests.browser.conftest import Visitor, join
from tests.cli.conftest import Ended, write_input_file
from tests.serving import Server


def test_a_list_that_is_looked_at_grows_by_itself(
    lab: Callable[..., Ended], sample: SampleLab, server: Server, visiting: Visitor
) -> None:
    page = visiting()
    join(page, server, "user_2")
    page.goto("/sessions?subject=12345")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.evaluate("() => { window.stayed = true }")

    write_input_file(sample)
    assert lab("upload", "subject_1.yml").exit == 0

    for session in sample.subjects[0].sessions:
        expect(page.get_by_role("link", name=str(session.start))).to_be_visible(timeout=60_000)
    assert page.evaluate("() => window.stayed") is True


def test_who_is_not_signed_in_is_told_nothing(ledger_url: str, server: Server) -> None:
    assert server.anonymous.get("/live?after=0").status_code == 204
