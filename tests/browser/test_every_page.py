"""What holds for every page: anybody can use it, in light and in dark; it fits a phone; it loads little."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page

from commands.samples.lab import SampleLab
from tests.browser.conftest import DESK, PHONE, TABLET, Visitor, join
from tests.browser.lab_of_pages import Stocked, stock
from tests.cli.conftest import Ended, write_input_file
from tests.serving import Server
from tests.web.all_pages import routes

_AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_SERIOUS = ("serious", "critical")
MOST_BYTES = 150_000
pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)  # a page is the same on both


def _violations(page: Page, scheme: Literal["light", "dark"]) -> list[str]:
    """In the dark nothing but colours differs."""
    if not page.evaluate("() => typeof window.axe === 'object'"):
        page.evaluate(_AXE)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] if scheme == "light" else ["color-contrast"]
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {resultTypes: ['violations'], runOnly: rules})", rules
    )
    return [
        f"{each['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for each in found["violations"]
        if each["impact"] in _SERIOUS
        for node in each["nodes"][:3]
    ]


_NO_PAGES = re.compile(r".*(\.csv|\.json|/proof|/bytes|/bundle|/export|/template)|/live|/sign-in/provider.*")
_ASKED = ("/people/user", "/wrong-data/replay")  # of somebody, of something: never by themselves
_SIGNED_OUT = ("/sign-in", "/accept/{code}", "/reset/{code}")
"""Pages for whoever is not signed in: the tests of signing in look at them."""


def _addresses(server: Server, stocked: Stocked) -> list[str]:
    """Of every page that there is; none is forgotten."""
    paths = [
        path for path in routes(server, "GET") if not _NO_PAGES.fullmatch(path) and path not in _SIGNED_OUT
    ]
    made = [*stocked.pages, *(path for path in paths if "{" not in path and path not in _ASKED)]
    met = [each.partition("?")[0] for each in made]
    patterns = {path: re.compile(re.sub(r"\{\w+(:path)?\}", "[^/]+", path)) for path in paths}
    missing = [path for path, pattern in patterns.items() if not any(map(pattern.fullmatch, met))]
    assert not missing, f"lab_of_pages.py names no address of {missing}"
    return list(dict.fromkeys(made))


def test_every_page_can_be_used_by_anybody_fits_a_phone_and_loads_little(
    lab: Callable[..., Ended], sample: SampleLab, folder: Path, server: Server, visiting: Visitor
) -> None:
    write_input_file(sample)
    stocked = stock(lab, sample, folder)
    page = visiting(size=DESK, bypass_csp=True)
    join(page, server, "user_2", "admin")
    wrong: list[str] = []

    page.goto("/sessions")
    beside: list[str] = page.evaluate("() => performance.getEntriesByType('resource').map(each => each.name)")
    base = sum(len(page.context.request.get(each).body()) for each in beside if not each.endswith("/live"))
    for path in _addresses(server, stocked):
        answer = page.goto(path)
        if answer is None or answer.status not in (200, 422):
            wrong.append(f"{path} answers {answer and answer.status}")
            continue
        loaded = base + int(answer.header_value("content-length") or len(answer.body()))
        if loaded > MOST_BYTES:
            wrong.append(f"{path} loads {loaded:,} bytes")
        for scheme in _SCHEMES:
            page.emulate_media(color_scheme=scheme)
            wrong += [f"{path} in {scheme}: {each}" for each in _violations(page, scheme)]
        for size in (TABLET, PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            if wide > size[0]:
                wrong.append(f"{path} is {wide} pixels wide on {size[0]}")
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})

    assert not wrong, "\n".join(wrong)
