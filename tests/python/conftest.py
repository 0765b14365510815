"""Clients of one ledger: beside it on each database, and through a server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import daybook
from commands.door.reading_settings import load
from daybook.client import Client
from tests.cli.conftest import folder, ledger_way, run_cli
from tests.serving import Server, known_as

__all__ = ["Connect", "connect", "folder", "stocked_lab"]

Connect = Callable[..., Client]


@pytest.fixture
def stocked_lab(ledger_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory is a lab of three subjects with its settings; the ledger knows its catalogue."""
    assert run_cli("demo", "--lab", "lab").exit == 0
    monkeypatch.chdir(folder / "lab")
    assert run_cli("--db", ledger_url, "catalogue", "load", "catalogue.yml").exit == 0
    return folder / "lab"


@pytest.fixture
def connect(
    request: pytest.FixtureRequest, ledger_url: str, stocked_lab: Path, tmp_path: Path
) -> Iterator[Connect]:
    """``connect("user_2")``, whichever way the ledger is reached."""
    opened: list[Client] = []
    server = Server(ledger_url, tmp_path) if ledger_way(request) == "server" else None
    if server is not None:
        server.serving.settings = replace(load(db=server.url), server=None)

    def as_(user: str = "user_1", *, proven: bool = False) -> Client:
        if server is None:
            opened.append(daybook.connect(ledger_url, user))
        else:
            token = server.token(user) if proven else known_as(user)
            opened.append(daybook.connect(server.address, token=token))
        return opened[-1]

    yield as_
    for client in opened:
        client.close()
    if server is not None:
        server.close()
