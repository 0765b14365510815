"""What keeps a client from its server, told apart: no such host, nobody listens, TLS, a proxy, silence. Pure."""

import errno
import socket
import ssl
from http.client import BadStatusLine, HTTPException

from ledger.errors import NextStep, Refusal

_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
_VPN = "Is this machine on the network that the server is in, or its VPN on?"
_PROVES = "Where the lab signs its certificates itself, SSL_CERT_FILE names the file with its authority."


class Unreachable(Refusal):
    """No answer of a Daybook server came. ``command_id`` is that of the command whose answer was lost: whether it was
    carried out is not known."""

    command_id: str | None = None


class WrongAddress(Refusal):
    """It is no address of a server, or none that a token may be sent to."""


class Lost(Exception):
    """The connection ended before an answer came; asking again may help."""


class NotSignedIn(Refusal):
    """The server does not know who asks."""


class ServerFault(Refusal):
    """A fault of the server itself, which it has kept as an ``incident``."""


def not_signed_in(server: str, *, had_token: bool) -> NotSignedIn:
    message = (
        f"{server} does not take your token: it has expired, or was ended."
        if had_token
        else f"You are not signed in at {server}."
    )
    return NotSignedIn("not-signed-in", message, "Sign in", NextStep("sign-in"))


def unreachable(error: BaseException, server: str, host: str, *, proxy: str | None = None) -> Unreachable:
    """``server`` is its address, ``host`` its name, ``proxy`` the one that was asked to connect."""
    through = f" through the proxy {proxy}" if proxy else ""
    if isinstance(error, socket.gaierror):
        name = (proxy or host) if proxy else host
        return Unreachable(
            "unknown-host", f"{server} cannot be reached: this machine knows no host {name}.",
            f"Is the name right? {_VPN}",
        )  # fmt: skip
    if isinstance(error, ssl.SSLError):
        return _of_tls(error, server)
    if isinstance(error, TimeoutError):
        return Unreachable(
            "timeout", f"{server} cannot be reached{through}: no answer came in time.",
            f"A firewall may be in the way. {_VPN}",
        )  # fmt: skip
    if isinstance(error, OSError) and str(error).startswith("Tunnel connection failed"):
        return Unreachable(
            "proxy", f"The proxy {proxy} does not connect to {server}: {str(error).partition(': ')[2]}.",
            "The proxy is that of HTTPS_PROXY; NO_PROXY names hosts that are reached without it.",
        )  # fmt: skip
    if isinstance(error, ConnectionRefusedError):
        if proxy:
            return Unreachable(
                "proxy", f"The proxy {proxy} of HTTPS_PROXY cannot be reached.",
                "NO_PROXY names hosts that are reached without it.",
            )  # fmt: skip
        return Unreachable(
            "nobody-listens", f"{server} cannot be reached: nobody listens there.",
            "Is the server running, and the port right?",
        )  # fmt: skip
    if isinstance(error, OSError) and error.errno in _NO_WAY:
        return Unreachable("no-way", f"{server} cannot be reached: there is no way to its network.", _VPN)
    if isinstance(error, BadStatusLine | HTTPException) and not isinstance(error, ConnectionError):
        return Unreachable(
            "no-daybook", f"What answers at {server} speaks no HTTP.", "Is the port right, and https or http?"
        )
    return Unreachable(
        "connection-lost", f"The connection to {server}{through} was lost before an answer came.",
        "Run the same command again.",
    )  # fmt: skip


def _of_tls(error: ssl.SSLError, server: str) -> Unreachable:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".") or "it cannot be verified"
        return Unreachable("tls", f"The certificate of {server} is not taken: {why}.", _PROVES)
    reason = (error.reason or "").replace("_", " ").lower()
    if "wrong version" in reason or "record layer" in reason or "http request" in reason:
        return Unreachable("tls", f"{server} speaks no TLS.", "Is it served by http, or at another port?")
    return Unreachable(
        "tls", f"TLS with {server} failed: {reason or 'the connection ended'}.", "Ask who keeps the server."
    )
