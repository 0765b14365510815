"""One message to a webhook: an event, signed, sent to an address that may be sent to. The only module that sends them.

Where a name leads is looked up once, judged, and that very address connected to: a name that leads elsewhere a moment
later changes nothing. No redirection is followed, and nobody holds a sender for long.
"""

import hmac
import ipaddress
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from commands.answers.document import json_text
from commands.answers.following import mark_of
from commands.answers.rows import EventLine
from ledger import __version__

PATIENCE_S = 10.0
LONGEST_S = 30.0
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotTaken(Exception):
    """Why a message was not taken. ``for_good``: the receiver has refused it, and will the next time."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


def signature(secret: str, at: int, body: bytes) -> str:
    """HMAC-SHA256 over the time in seconds since 1970, a full stop, and the body."""
    return f"t={at},v1={hmac.new(secret.encode(), b'%d.%b' % (at, body), sha256).hexdigest()}"


def message_of(event: EventLine, secret: str, at: int) -> tuple[bytes, dict[str, str]]:
    body = json_text(event, indent=False)
    return body, {
        "Content-Type": "application/json",
        "User-Agent": f"daybook/{__version__}",
        "Daybook-Event": event.type,
        "Daybook-Place": mark_of(event),
        "Daybook-Signature": signature(secret, at, body),
    }


def send(url: str, body: bytes, headers: dict[str, str], networks: Sequence[str]) -> None:
    """Raises NotTaken. ``networks`` are those that private addresses may be in; in them it need not be https."""
    parts = urlsplit(url)
    is_open = parts.scheme == "http"
    port = parts.port or (80 if is_open else 443)
    kind: Any = HTTPConnection if is_open else HTTPSConnection
    options = {} if is_open else {"context": ssl.create_default_context()}
    connection = kind(str(parts.hostname), port, timeout=PATIENCE_S, **options)
    opened: list[socket.socket] = []

    def connect(place: tuple[str, int], timeout: float, _source: Any = None) -> socket.socket:
        opened.append(_connected(place, timeout, networks, only_private=is_open))
        return opened[-1]

    connection._create_connection = connect
    ending = threading.Timer(LONGEST_S, _shut, (opened,))
    ending.daemon = True
    ending.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, headers)
        status = connection.getresponse().status
    except (OSError, HTTPException, ValueError) as error:
        raise NotTaken(
            f"it is not reached: {getattr(error, 'strerror', None) or type(error).__name__}"
        ) from None
    finally:
        ending.cancel()
        connection.close()
    if not 200 <= status < 300:
        raise NotTaken(f"it answers {status}", for_good=400 <= status < 500 and status not in (408, 425, 429))


def _shut(opened: list[socket.socket]) -> None:
    for each in opened:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _connected(
    place: tuple[str, int], timeout: float, networks: Sequence[str], *, only_private: bool
) -> socket.socket:
    """Raises NotTaken where no address of the name may be sent to, OSError where none answers."""
    failure: Exception = NotTaken(f"{place[0]} leads to no address that may be sent to")
    for family, kind, protocol, _, where in socket.getaddrinfo(*place, type=socket.SOCK_STREAM):
        address = ipaddress.ip_address(str(where[0]).partition("%")[0])
        if not may_be_sent_to(address, networks, only_private=only_private):
            continue
        try:
            opened = socket.socket(family, kind, protocol)
            opened.settimeout(timeout)
            opened.connect(where)
        except OSError as error:
            failure = error
        else:
            return opened
    raise failure


def may_be_sent_to(address: Address, networks: Sequence[str], *, only_private: bool) -> bool:
    """Addresses of the internet, and private ones of these networks; ``only_private``: these alone, as the message is
    not encrypted."""
    inner = _inside(address)
    if any(
        each.version == network.version and each in network
        for each in (address, inner)
        for network in map(ipaddress.ip_network, networks)
    ):
        return True
    return not only_private and address.is_global and inner.is_global and not inner.is_multicast


def _inside(address: Address) -> Address:
    """The address of IPv4 that one of IPv6 stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo
        return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
    return address
