"""A server of each test's ledger, and browsers without scripts that sign in at it."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.accounts.conftest import quick_passwords
from tests.accounts.people import PASSWORD, code_for
from tests.cli.conftest import folder, sample
from tests.server.test_signing_in import admin
from tests.serving import Server

__all__ = ["Browser", "folder", "quick_passwords", "sample", "server"]
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def server(ledger_url: str, tmp_path: Path) -> Iterator[Server]:
    made = Server(ledger_url, tmp_path)
    yield made
    made.close()


class Browser:
    """Follows what a server sets and says, as a browser without scripts does."""

    def __init__(self, server: Server) -> None:
        self.client: httpx.Client = server.client(**OWN)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path, follow_redirects=True)

    def post(self, path: str, **form: str) -> httpx.Response:
        return self.client.post(path, data=form, follow_redirects=True)


def joined(server: Server, user: str) -> Browser:
    """A browser of somebody who has joined by an invitation, and is signed in."""
    browser = Browser(server)
    browser.post(f"/accept/{code_for(admin(server), user)}", password=PASSWORD, again=PASSWORD)
    return browser


def form_of(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of the last form on a page, which a browser sends along."""
    form = page.text.rpartition("<form")[2]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
    return {unescape(name): unescape(value) for name, value in found}
