"""One connection to a server, opened when it is needed, and again where it was lost. The only module that sends.

What is asked may be asked again, and a command has an id under which it is carried out once: so a lost answer is asked
for again, a few times, and a server that says when to come back is taken at its word where that is soon.
"""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlencode

import orjson

from commands.answers import wire
from commands.remote.address import ServerAddress
from commands.remote.faults import Lost, Unreachable, unreachable
from commands.remote.proxies import proxy_for
from ledger import __version__

CONNECT_S = 10.0
ANSWER_S = 300.0
"""For an answer to begin, and between two pieces of it: a ledger that is verified takes a while."""
FILE_S = 3600.0
"""For a file that is made before it is sent: a whole log."""
PAUSES_S = (0.2, 1.0, 3.0)
LONGEST_WAIT_S = 10.0
_PIECE = 1 << 20
Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """``headers`` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_document(self) -> bool:
        return self.headers.get("content-type", "").partition(";")[0].strip() == "application/json"

    def header(self, name: str) -> str | None:
        return self.headers.get(name.lower())

    def json(self) -> Any:
        """Raises ValueError."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:  # a lone surrogate or an integer of more than 64 bits
            import json

            return json.loads(self.body)


class Connection:
    """``notice`` sees the headers of every answer. Not for two threads at once."""

    def __init__(
        self,
        address: ServerAddress,
        token: str | None,
        *,
        notice: Callable[[Reply], None] = lambda reply: None,
    ) -> None:
        self.address, self.token, self._notice = address, token, notice
        self.pause: Callable[[float], None] = time.sleep
        self._open: HTTPConnection | None = None
        self._proxy = proxy_for(address)
        self._own: dict[str, str] = {}

    def say(self, header: str, value: str) -> None:
        """A header of every request from now on."""
        self._own[header] = value

    def get(self, path: str, query: Query = ()) -> Reply:
        return self.send("GET", path, query=query)

    def send(
        self, method: str, path: str, *, query: Query = (), body: bytes | None = None, kind: str | None = None,
        command_id: str | None = None, again: bool = True,
    ) -> Reply:  # fmt: skip
        """``path`` begins with a slash and is quoted. ``again``: where the answer is lost, it is asked for again.
        Raises Unreachable."""
        target, headers = self._target(path, query), self._headers(kind, command_id)
        pauses = list(PAUSES_S) if again else []
        while True:
            try:
                reply = self._once(method, target, body, headers)
            except Lost as lost:
                if not pauses:
                    raise self._gave_up(lost, command_id) from None
                self.pause(pauses.pop(0))
                continue
            wait = _seconds(reply) if reply.status == 503 else None
            if wait is None or wait > LONGEST_WAIT_S or not pauses:
                self._notice(reply)
                return reply
            pauses.pop(0)
            self.pause(wait)

    def take(
        self, path: str, query: Query, write: Callable[[bytes], Any], progress: Callable[[int, int], None]
    ) -> Reply:
        """A file, written as it comes; the reply is without it. A problem comes back as one. Raises Unreachable where
        less came than was said."""
        self.close()
        connection = self._connected()
        connection.sock.settimeout(FILE_S)
        try:
            connection.request("GET", self._target(path, query), None, self._headers(None, None))
            response = connection.getresponse()
            headers = _headers(response)
            if response.status != 200:
                reply = Reply(response.status, headers, response.read())
            else:
                self._write(response, int(headers["content-length"]), write, progress)
                reply = Reply(response.status, headers, b"")
        except (HTTPException, OSError, KeyError) as error:
            raise self._unreachable(error) from None
        finally:
            self.close()
        self._notice(reply)
        return reply

    def _write(
        self,
        response: HTTPResponse,
        size: int,
        write: Callable[[bytes], Any],
        progress: Callable[[int, int], None],
    ) -> None:
        came = 0
        while piece := response.read(_PIECE):
            write(piece)
            came += len(piece)
            progress(came, size)
        if came < size:
            raise ConnectionResetError(f"{came} of {size} bytes came")

    def _target(self, path: str, query: Query) -> str:
        return self.address.prefix + path + (f"?{urlencode(query)}" if query else "")

    def _headers(self, kind: str | None, command_id: str | None) -> dict[str, str]:
        headers = {wire.VERSION: __version__, "Accept": "application/json", **self._own}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if kind is not None:
            headers["Content-Type"] = kind
        if command_id is not None:
            headers[wire.COMMAND_ID] = command_id
        return headers

    def _once(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Raises Lost where an answer may come to another attempt, Unreachable where none will."""
        is_new = self._open is None
        connection = self._open or self._connected()
        try:
            connection.request(method, target, body, dict(headers))
            response = connection.getresponse()
            reply = Reply(response.status, _headers(response), response.read())
        except TimeoutError as error:  # the server may still be at it
            self.close()
            raise self._unreachable(error) from None
        except (HTTPException, OSError) as error:
            self.close()
            if is_new and isinstance(error, HTTPException) and not isinstance(error, ConnectionError):
                raise self._unreachable(error) from None
            raise Lost(error) from None
        if response.will_close:
            self.close()
        return reply

    def _connected(self) -> HTTPConnection:
        host, port = self.address.host, self.address.port
        if self._proxy is not None:
            host, port = self._proxy.host, self._proxy.port
        connection: HTTPConnection
        if self.address.scheme == "https":
            import ssl
            from http.client import HTTPSConnection

            connection = HTTPSConnection(host, port, timeout=CONNECT_S, context=ssl.create_default_context())
        else:
            connection = HTTPConnection(host, port, timeout=CONNECT_S)
        if self._proxy is not None:
            connection.set_tunnel(self.address.host, self.address.port, self._proxy.headers)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            if isinstance(error, ConnectionRefusedError) and self._was_open:
                raise Lost(error) from None  # it is being started again
            raise self._unreachable(error) from None
        connection.sock.settimeout(ANSWER_S)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._open, self._was_open = connection, True
        return connection

    _was_open = False

    def _unreachable(self, error: BaseException) -> Unreachable:
        proxy = None if self._proxy is None else self._proxy.text
        return unreachable(error, self.address.text, self.address.host, proxy=proxy)

    def _gave_up(self, lost: Lost, command_id: str | None) -> Unreachable:
        found = self._unreachable(lost.args[0])
        found.command_id = command_id
        return found

    def certificate_until(self) -> datetime | None:
        """When the certificate of the open connection expires; None without TLS, or where none is open."""
        sock: Any = None if self._open is None else self._open.sock
        certificate = sock.getpeercert() if hasattr(sock, "getpeercert") else None
        if not certificate:
            return None
        import ssl

        return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _headers(response: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _seconds(reply: Reply) -> float | None:
    """Of Retry-After, where it is a number."""
    given = reply.header("Retry-After") or ""
    return float(given) if given.isascii() and given.isdigit() and len(given) < 9 else None
