"""``docs/python.md``, played as it stands: beside a ledger, and through a server."""

import doctest
import re

import pytest

import daybook
from daybook.client import Client
from tests.conftest import ROOT
from tests.python.conftest import Connect

pytestmark = pytest.mark.both_ways
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
FLAGS = doctest.ELLIPSIS


def test_the_page_can_be_played(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = "\n".join(re.findall(r"```pycon\n(.*?)```", PAGE, re.DOTALL))
    asked: list[str] = []
    client = connect()

    def connected(address: str) -> Client:
        asked.append(address)
        return client

    monkeypatch.setattr(daybook, "connect", connected)
    test = doctest.DocTestParser().get_doctest(blocks, {}, "docs/python.md", None, 0)
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=said.append)

    assert result.attempted > 20 and not result.failed, "".join(said)
    assert asked == ["sqlite:///daybook.db"]


@pytest.mark.parametrize("name", sorted(set(daybook.__all__) - {"Client", "Rows", "NextStep", "__version__"}))
def test_every_public_name_stands_on_the_page(name: str) -> None:
    assert name in PAGE
