"""Why a PostgreSQL server cannot be reached: the causes told apart, each with its code and with what to do about it.

The driver gives a text and often no SQLSTATE; this module alone reads it. What it quotes of the address is not
repeated: it may be a part of a password.
"""

import re
from dataclasses import dataclass

from ledger.addresses import without_secrets
from ledger.errors import LedgerUnavailable


@dataclass(frozen=True, slots=True)
class _Cause:
    """``states`` are beginnings of SQLSTATEs, ``text`` is looked for in what the driver says. ``{}`` is the address."""

    code: str
    text: re.Pattern[str]
    message: str
    hint: str
    states: tuple[str, ...] = ()


def _cause(code: str, text: str, message: str, hint: str, *states: str) -> _Cause:
    return _Cause(code, re.compile(text, re.IGNORECASE), message, hint, states)


_CAUSES = (
    _cause(
        "no-such-database", r'database "[^\n]*" does not exist',
        "The server of {} has no such database.", "Check the name, or have it created: createdb NAME.", "3D",
    ),
    _cause(
        "wrong-password", r"password authentication failed|authentication failed for user|SASL authentication failed",
        "The server of {} does not take this login and password.",
        "Check both; a password can also stand in ~/.pgpass.", "28P01",
    ),
    _cause(
        "no-password", r"no password supplied|password is required",
        "The server of {} asks for a password, and none was given.",
        "Put it into ~/.pgpass, or into the variable PGPASSWORD.",
    ),
    _cause(
        "unknown-login", r'role "[^\n]*" does not exist|Peer authentication failed|Ident authentication failed',
        "The server of {} does not know this login.",
        "Check the USER in the address; without one it is your account's name.",
    ),
    _cause(
        "login-refused", r"pg_hba\.conf|is not permitted to log in|not currently accepting connections|"
        r"permission denied for database",
        "The server of {} does not let this login in from this machine.",
        "Ask whoever runs the server to allow it (pg_hba.conf, LOGIN, CONNECT).", "28000",
    ),
    _cause(
        "too-many-connections", r"too many (clients|connections)|remaining connection slots",
        "The server of {} has as many connections as it takes.", "Try again in a moment.", "53300",
    ),
    _cause(
        "server-starting", r"database system is (starting up|shutting down|in recovery|not yet accepting)",
        "The server of {} is starting or stopping.", "Try again in a moment.", "57P03", "57P01",
    ),
    _cause(
        "server-options", r"unrecognized configuration parameter|invalid (value for parameter|command-line argument)|"
        r"invalid connection option|bad value for |invalid \S+ value|invalid integer value|invalid port number",
        "A parameter of the address {} has a value that is not taken.",
        "Check what stands behind the ? of the address, and the variables that begin with PG.", "22023", "42704",
    ),
    _cause(
        "tls", r"\bSSL\b(?! negotiation)|\bTLS\b|certificate|private key file",
        "No TLS connection to {} comes about.", "Check sslmode, sslrootcert and the server's certificate.",
    ),
    _cause(
        "unknown-host", r"failed to resolve host|could not translate host name|Name or service not known|getaddrinfo|"
        r"nodename nor servname|Temporary failure in name resolution",
        "There is no host of this name: {}.", "Check how it is written, and that you are in the right network.",
    ),
    _cause(
        "timeout", r"timeout expired|timed out|ConnectionTimeout",
        "{} did not answer in time.", "Check host and port; a firewall may be in between.",
    ),
    _cause(
        "no-route", r"No route to host|(Network|Host) is (unreachable|down)",
        "There is no way to the host of {} from here.", "Check the network, or a VPN that is needed.",
    ),
    _cause(
        "not-postgresql", r"invalid response to|expected authentication request|unsupported frontend protocol|"
        r"server closed the connection unexpectedly|unexpected (response|message)|lost synchronization",
        "What answers at {} does not speak as a PostgreSQL server does.",
        "Check host and port: PostgreSQL's port is 5432 unless said.",
    ),
    _cause(
        "connection-refused", r"Connection refused|No such file or directory",
        "No server listens at {}: the connection was refused.", "Check host and port, and whether the server runs.",
    ),
)  # fmt: skip


PASSING = frozenset(
    {"unreachable", "connection-refused", "connection-lost", "server-starting", "too-many-connections", "timeout",
     "no-route", "unknown-host", "not-postgresql"}
)  # fmt: skip
"""The codes of what may be over in a while, without anybody's doing here."""
MAY_PASS = PASSING | {"busy", "disk-full"}
"""Also what a person sees to: the ledger may be there again in a while."""


def unreachable(address: str, text: str, state: str = "") -> LedgerUnavailable:
    """What to say where no connection comes about. ``address`` is in the form that may be shown."""
    for cause in _CAUSES:
        if state and any(state.startswith(start) for start in cause.states):
            return LedgerUnavailable(cause.code, cause.message.format(address), cause.hint)
    for cause in _CAUSES:
        if cause.text.search(text):
            return LedgerUnavailable(cause.code, cause.message.format(address), cause.hint)
    lines = text.strip().splitlines() or ["no reason given"]
    said = without_secrets(lines[0]).rstrip(".")
    return LedgerUnavailable(
        "unreachable",
        f"{address} cannot be reached: {said}.",
        "Check the address, the server and your login.",
    )
