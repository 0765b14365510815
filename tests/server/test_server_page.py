"""``docs/server.md``, played: what it says can be typed is typed, and what it says can be asked is asked."""

import re
import shlex

import pytest

from commands.accounts.second_factor import confirm, set_up
from commands.door.actor import Actor, account
from commands.door.submit import Daybook
from commands.samples.lab import SampleLab
from tests.accounts.people import PASSWORD, signed_in
from tests.accounts.test_second_factor import Telephone
from tests.cli.conftest import run_cli, write_input_file
from tests.conftest import ROOT
from tests.server.conftest import Server

PAGE = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
NOT_PLAYED = ("pip install", "daybook serve")  # the server of the fixture stands for it
_BLOCK = re.compile(r"^```(console|http)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def lines(kind: str) -> list[str]:
    return [line for of, block in _BLOCK.findall(PAGE) if of == kind for line in block.splitlines()]


def joins(server: Server, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """user_2, who sets up a second factor."""
    accepted = server.anonymous.post("/api/v1/auth/accept", json={"code": code, "password": PASSWORD})
    assert accepted.status_code == 200
    telephone, user = Telephone(monkeypatch), signed_in(Daybook(server.ledger, Actor("user_1")), "user_2")
    telephone.told(set_up(server.ledger, server.serving.key, "user_2", lab="lab").secret)
    confirm(user, server.serving.key, telephone.shows())


def test_the_page_can_be_played(server: Server, sample: SampleLab, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_input_file(sample).read_bytes()
    for words in (["catalogue", "load", "catalogue.yml"], ["role", "grant", account(), "admin"]):
        assert run_cli("--db", server.url, *words).exit == 0
    typed = [line[2:] for line in lines("console") if line.startswith("$ ")]
    played = [line for line in typed if not line.startswith(NOT_PLAYED)]
    assert len(played) == 11

    for line in played:
        ended = run_cli("--db", server.url, *shlex.split(line)[1:], user=account())
        assert ended.exit == 0, (line, ended.err)
        if line.startswith("daybook user invite"):
            joins(server, ended.out.split("code: ")[1].split()[0], monkeypatch)

    client, asked = server.as_(account()), lines("http")
    assert len(asked) == 9
    for line in asked:
        method, address, *body = line.split(" ", 2)
        if method == "GET":
            response = client.get(address)
        elif body == ["FILE"]:
            response = client.post(address, content=data)
        else:
            response = client.post(address, content=body[0], headers={"Content-Type": "application/json"})
        assert response.status_code in (200, 202), (line, response.text)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"])
def test_what_the_page_names_is_there(server: Server, path: str) -> None:
    assert path in PAGE and server.anonymous.get(path).status_code == 200
