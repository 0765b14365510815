"""What a client can take of a server: bytes and time are bounded, whatever it says of itself."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import pytest

from commands.web import bounds, patience
from tests.patience import PATIENCE_S
from tests.server.conftest import Server


def connected(server: Server) -> socket.socket:
    host, _, port = server.address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def is_ended(connection: socket.socket) -> bool:
    """Waits for it: nothing else ends a connection on which nothing was asked."""
    while connection.recv(4096):
        pass
    return True


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
def test_who_does_not_say_what_he_wants_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(patience, "HEADERS_S", 0.3)

    with connected(server) as connection:
        connection.sendall(sent)
        assert is_ended(connection)


def test_a_second_request_on_a_connection_has_its_own_time(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(server) as connection:
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"\r\n\r\nok\n"):
                answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 OK")
        monkeypatch.setattr(patience, "HEADERS_S", 0.3)
        connection.sendall(b"GET /hea")
        assert is_ended(connection)


def test_a_body_that_does_not_arrive_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BETWEEN_PIECES_S", 0.3)
    token = server.token("user_1")

    with connected(server) as connection:
        head = f"POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 99\r\n\r\n"
        connection.sendall(head.encode() + b"subject:")
        answer = b""
        while piece := connection.recv(4096):
            answer += piece

    assert b" 408 " in answer.splitlines()[0] and b"too-slow" in answer


def test_headers_are_bounded(server: Server) -> None:
    with connected(server) as connection:
        with suppress(ConnectionError):  # it may answer, and end, before it was given everything
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 100_000)
        answer = connection.recv(65536)

    assert (
        answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
        and server.anonymous.get("/healthz").status_code == 200
    )


def test_a_body_may_be_as_long_as_was_said_and_no_longer() -> None:
    async def taken(*pieces: bytes) -> int:
        left = [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        ]

        async def receive() -> Any:
            return left.pop(0)

        bounded = bounds._bounded(receive, 10)
        return sum([len((await bounded())["body"]) for _ in pieces])

    assert asyncio.run(taken(b"x" * 6, b"x" * 4)) == 10
    with pytest.raises(bounds.TooLarge):
        asyncio.run(taken(b"x" * 6, b"x" * 5))
