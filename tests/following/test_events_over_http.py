"""Server-sent events: every event in order, behind the place where the client left."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import commands.web.following
from commands.accounts.tokens import RevokeToken
from commands.door.actor import Actor
from commands.door.submit import Daybook
from tests.ledger.writing import added, append
from tests.serving import Server


@pytest.fixture
def server(ledger_url: str, tmp_path: Path) -> Iterator[Server]:
    made = Server(ledger_url, tmp_path)
    yield made
    made.close()


def heard(
    client: Any, count: int, meanwhile: Callable[[], Any] = lambda: None, **asked: Any
) -> list[dict[str, Any]]:
    """So many events; ``meanwhile`` happens when the connection stands."""
    found: list[dict[str, Any]] = []
    with client.stream("GET", "/api/v1/events", **asked) as answer:
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
        meanwhile()
        event: dict[str, Any] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                event[name] = value
            elif "data" in event:
                found.append(event)
                event = {}
            if len(found) == count:
                break
    return found


def size(server: Server) -> int:
    with Daybook(server.ledger, Actor("user_1")).reading() as world:
        return world.head.size


def test_every_event_comes_in_order_and_then_those_to_come(server: Server) -> None:
    client = server.as_("user_1")
    before = size(server)

    found = heard(
        client, before + 2, lambda: append(server.ledger.database, [added("user_2"), added("user_3")])
    )

    assert [json.loads(event["data"])["position"] for event in found] == list(range(1, before + 3))
    assert [event["event"] for event in found[-2:]] == ["ReferenceValueAdded"] * 2


def test_a_client_goes_on_behind_the_last_event_that_it_names(server: Server) -> None:
    client = server.as_("user_1")
    append(server.ledger.database, [added(f"user_{number}") for number in range(2, 9)])
    first = heard(client, 3)

    second = heard(client, 1, headers={"Last-Event-ID": first[-1]["id"]})
    by_number = heard(client, 1, params={"after": 3})

    assert json.loads(second[0]["data"])["position"] == 4
    assert second == by_number


@pytest.mark.parametrize(
    ("mark", "status", "code"),
    [
        ("1-0000000000000000", 500, "cursor-of-another-ledger"),
        ("999999", 500, "cursor-of-another-ledger"),
        ("x", 422, "no-mark"),
    ],
)
def test_a_place_that_this_ledger_does_not_have_is_refused(
    server: Server, mark: str, status: int, code: str
) -> None:
    answer = server.as_("user_1").get("/api/v1/events", headers={"Last-Event-ID": mark})

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_nobody_hears_anything_without_a_token(server: Server) -> None:
    assert server.anonymous.get("/api/v1/events").status_code == 401


def test_who_is_let_in_no_longer_hears_nothing_more(server: Server) -> None:
    client = server.as_("user_1")
    daybook = Daybook(server.ledger, Actor("user_1", "api", authentication="password"))
    token = client.get("/api/v1/tokens").json()["tokens"][-1]["id"]
    before = size(server)
    found = []

    with client.stream("GET", "/api/v1/events", params={"after": before - 1}) as answer:
        for line in answer.iter_lines():  # to the end of the answer
            if line.startswith("data"):
                found.append(json.loads(line.removeprefix("data: "))["position"])
                daybook.submit(RevokeToken(id=token))

    assert found == [before]


def test_so_many_listen_at_once(server: Server) -> None:
    client = server.as_("user_1")
    most = commands.web.following.MOST

    with ExitStack() as opened:
        answers = [opened.enter_context(client.stream("GET", "/api/v1/events")) for _ in range(most)]
        refused = client.get("/api/v1/events")

    assert {answer.status_code for answer in answers} == {200}
    assert refused.status_code == 503 and refused.headers["retry-after"] == "30"
    assert heard(client, 1)
