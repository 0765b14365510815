"""Mutated requests to a server: every one is answered, and never by a fault.

A case is made from its seed alone: an operation of the server's own description, with what nobody should send.
"""

import atexit
import random
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

import httpx

from commands.door.actor import Actor
from commands.moving.setup import initialise
from tests.server.conftest import Server

REQUESTS = 10  # of one case
_WORDS = [
    "", "s1", "u1", "-1", "9" * 40, "%00", "..%2f..%2fetc%2fpasswd", "é" * 50, "%ff", "x" * 3_000, "1e9", "null", "true", "[]",
    "{}", "%ED%A0%80", "9999-12-31", "a;b", "' or 1=1", "%1b[31m",
]  # fmt: skip
_BODIES = [
    b"", b"{}", b"[]", b"null", b"{", b'{"a":1}', b"\xff\xfe", b'{"reason":"\\ud800"}', b"[" * 50_000, b'{"a":' * 5_000,
    b'"' + b"x" * 100_000 + b'"', b"1e999", b'{"command_id":"\\u0000"}', b"x" * 2_000_000,
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="\xff"\r\n\r\na', b"--x\r\n\r\n--x--", b"--x--",
]  # fmt: skip
_TYPES = [
    "application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "application/octet-stream",
    "application/json; charset=utf-16", "",
]  # fmt: skip
_PARAMETERS = [
    "limit",
    "after",
    "before",
    "as_of",
    "subject",
    "status",
    "position",
    "ref",
    "since",
    "text",
    "x",
]
_TOKENS = ["Bearer x", "Basic eA==", f"Bearer {'x' * 5_000}", "", "daybook"]


def operations(client: httpx.Client) -> list[tuple[str, str]]:
    paths = client.get("/api/v1/openapi.json").raise_for_status().json()["paths"]
    return [(method.upper(), path) for path, methods in sorted(paths.items()) for method in sorted(methods)]


def ask(seed: int, client: httpx.Client) -> None:
    """Raises AssertionError where an answer is a fault, and what httpx raises where none comes."""
    chance = random.Random(seed)
    known = operations(client)
    for _ in range(REQUESTS):
        method, path = chance.choice(known)
        path = re.sub(r"\{[^}]*\}", lambda _: chance.choice(_WORDS) or "x", path)
        query = [
            f"{chance.choice(_PARAMETERS)}={chance.choice(_WORDS)}"
            for _ in range(chance.choice((0, 0, 1, 2)))
        ]
        headers = {"Content-Type": chance.choice(_TYPES)}
        if chance.random() < 0.2:
            headers["Authorization"] = chance.choice(_TOKENS)
        if chance.random() < 0.1:
            headers["If-None-Match"] = chance.choice(("*", '"x"', "W/", '"' + "9" * 40 + '"'))
        if chance.random() < 0.1:
            headers["X-Long"] = "a" * chance.choice((10, 20_000, 60_000))
        body = None if method == "GET" else chance.choice(_BODIES)
        try:
            with client.stream(method, f"{path}?{'&'.join(query)}", headers=headers, content=body) as answer:
                if answer.headers.get("content-type", "").startswith("text/event-stream"):
                    continue  # does not end by itself
                answer.read()
        except httpx.TransportError:
            if len(body or b"") > 1_000_000 or "X-Long" in headers:
                continue  # a server may hang up on whoever sends that much
            raise
        assert answer.status_code < 500, (method, path, query, headers, (body or b"")[:60], answer.text[:500])
        assert "Traceback" not in answer.text


@cache
def client() -> httpx.Client:
    folder = Path(tempfile.mkdtemp(prefix="daybook-fuzz-http-"))
    url = f"sqlite:///{folder / 'daybook.db'}"
    initialise(url, Actor("user_1"), key_directory=folder)
    server = Server(url, folder, work=False)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.close)
    return server.as_("user_1")


def one_case(seed: int) -> None:
    ask(seed, client())
