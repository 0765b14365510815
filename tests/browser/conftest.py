"""One Chromium for the tests of this folder, a fresh window for each, and a lab at a server to look at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from commands.samples.lab import SampleLab
from tests.accounts.people import PASSWORD, code_for
from tests.browser.chromium import chromium
from tests.cli.conftest import Ended, run_cli
from tests.patience import PATIENCE_S
from tests.server.test_signing_in import admin
from tests.serving import Server
from tests.web.conftest import folder, quick_passwords, sample, server

__all__ = ["folder", "quick_passwords", "sample", "server"]
PHONE, TABLET, DESK = (390, 844), (1024, 768), (1440, 900)
expect.set_options(timeout=PATIENCE_S * 1000 / 20)
_OPTIONS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Together, so that few processes of a suite start a browser."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with this folder: while it runs, no other test of the process could have an event loop."""
    with sync_playwright() as playwright:
        found = chromium(playwright.chromium.executable_path)
        started = playwright.chromium.launch(executable_path=found, args=list(_OPTIONS))
        yield started
        started.close()


Visitor = Callable[..., Page]


@pytest.fixture
def visiting(browser: Browser, server: Server) -> Iterator[Visitor]:
    """``visiting()`` opens a window of its own at the server. What a page loads from elsewhere, what its policy forbids
    and what its scripts throw fail the test."""
    windows: list[Any] = []
    wrong: list[str] = []

    def open_window(*, size: tuple[int, int] = DESK, **options: Any) -> Page:
        context = browser.new_context(
            base_url=server.address, viewport={"width": size[0], "height": size[1]}, **options
        )
        context.set_default_timeout(PATIENCE_S * 1000 / 20)
        windows.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None,
        )
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith((server.address, "data:", "blob:")) else wrong.append(asked.url)
            ),
        )
        return page

    yield open_window
    for context in windows:
        context.close()
    assert wrong == []


@pytest.fixture
def lab(ledger_url: str, sample: SampleLab) -> Callable[..., Ended]:
    """The command line of a ledger with the lab's catalogue and nothing uploaded."""

    def run(*arguments: str, **options: Any) -> Ended:
        return run_cli("--db", ledger_url, *arguments, **options)

    assert run("catalogue", "load", "catalogue.yml").exit == 0
    return run


def join(page: Page, server: Server, user: str, role: Any = "researcher") -> None:
    """By the link of an invitation, which signs in as well."""
    page.goto(f"/accept/{code_for(admin(server), user, role)}")
    page.get_by_label("Password, of").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()


def sign_in(page: Page, user: str, *, at: str = "/sign-in") -> None:
    """In a window that nobody is signed in at."""
    page.context.clear_cookies()
    page.goto(at)
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@contextmanager
def leads_on(page: Page) -> Iterator[None]:
    """A click within leads to another page, which is there at the end."""
    with page.expect_navigation():
        yield
