"""The command line through a server; and servers that answer as none should."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import folder, run, sample, stocked
from tests.serving import Server

__all__ = ["folder", "run", "sample", "saying", "server", "stocked"]


@pytest.fixture
def server(ledger_templates: Callable[[str, Path], str], tmp_path: Path) -> Iterator[Server]:
    """Over a SQLite ledger: what is tried here has nothing to do with the database."""
    made = Server(ledger_templates("sqlite", tmp_path), tmp_path)
    yield made
    made.close()


@contextmanager
def saying(*replies: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """The address of something that gives these replies, a connection each, and what it was asked. An empty reply ends
    the connection as a process that is killed does."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_answer, args=(listening, replies, asked), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
        thread.join(20)


def _answer(listening: socket.socket, replies: tuple[bytes, ...], asked: list[bytes]) -> None:
    for reply in replies:
        connection, _ = listening.accept()
        with connection:
            asked.append(_read(connection))
            if reply:
                connection.sendall(reply)
            else:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def _read(connection: socket.socket) -> bytes:
    """A request with its body, as its Content-Length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 16)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(1 << 16)
    return head + b"\r\n\r\n" + body
