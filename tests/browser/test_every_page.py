"""What holds for every page: anybody can use it, in light and in dark; it fits a phone; it loads little."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from commands.samples.lab import SampleLab
from commands.web.pages import pages
from tests.browser.conftest import DESK, PHONE, TABLET, Visitor, join
from tests.browser.lab_of_pages import stock
from tests.cli.conftest import Ended, write_input_file
from tests.serving import Server

_AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
_SERIOUS = ("serious", "critical")
MOST_BYTES = 150_000
pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)  # a page is the same on both


def _violations(page: Page) -> list[str]:
    if not page.evaluate("() => typeof window.axe === 'object'"):
        page.evaluate(_AXE)
    found: dict[str, Any] = page.evaluate(
        "() => axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
    )
    return [
        f"{each['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for each in found["violations"]
        if each["impact"] in _SERIOUS
        for node in each["nodes"][:3]
    ]


def _others(server: Server, page: Page) -> list[str]:
    """All further pages that have one address."""
    paths = {
        str(getattr(route, "path", ""))
        for route in pages(server.serving).routes
        if "GET" in (getattr(route, "methods", None) or ())
    }
    found = []
    for path in sorted(each for each in paths if "{" not in each and each not in ("/live", "/sign-in")):
        answer = page.context.request.get(path, max_redirects=0)
        if answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html"):
            found.append(path)
    return found


def test_every_page_can_be_used_by_anybody_fits_a_phone_and_loads_little(
    lab: Callable[..., Ended], sample: SampleLab, folder: Path, server: Server, visiting: Visitor
) -> None:
    write_input_file(sample)
    stocked = stock(lab, sample, folder)
    page = visiting(size=DESK, bypass_csp=True)
    join(page, server, "user_2", "admin")
    wrong: list[str] = []

    loaded: list[int] = []
    page.on("response", lambda answer: loaded.append(len(answer.body())) if answer.status != 303 else None)
    page.goto("/sessions")
    base = sum(loaded[1:])  # what every first visit loads besides the page itself
    for path in dict.fromkeys([*stocked.pages, *_others(server, page)]):
        answer = page.goto(path)
        assert answer is not None and answer.status in (200, 422), (path, answer and answer.status)
        if len(answer.body()) + base > MOST_BYTES:
            wrong.append(f"{path} loads {len(answer.body()) + base:,} bytes")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            wrong += [f"{path} in {scheme}: {each}" for each in _violations(page)]
        for size in (TABLET, PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            if wide > size[0]:
                wrong.append(f"{path} is {wide} pixels wide on {size[0]}")
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})

    assert not wrong, "\n".join(wrong)
