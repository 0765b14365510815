"""Whether a server can be worked with from here: reached, by TLS, of this version, in order, and who one is there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from commands.answers import wire
from commands.answers.examination import Examined, apart_by, fine, refused, unknown, wrong
from commands.remote.address import ServerAddress, server_address
from commands.remote.connection import Connection, Reply
from commands.remote.ledger import Remote
from commands.remote.problems import refuse_foreign
from commands.remote.signing_in import who_is_in
from commands.remote.tokens import IN_ENVIRONMENT, Token, token_for
from ledger import __version__
from ledger.errors import NextStep, Refusal

_SOON = timedelta(days=14)
_APART_S = 60
_LATER = ("tls", "version", "clock", "ready", "account")


def of_server(server: str) -> Iterator[Examined]:
    """In the order in which it is needed."""
    try:
        address = server_address(server)
    except Refusal as refusal:
        yield refused("server", refusal)
        yield from (unknown(name, "the address") for name in _LATER)
        return
    yield from _token(address)
    connection = Connection(address, None)
    connection.pause = lambda seconds: None  # who looks for a fault wants it at once
    try:
        reply = connection.get("/readyz")
        refuse_foreign(reply, address.text)
    except Refusal as refusal:
        yield refused("server", refusal)
        yield from (unknown(name, "the server") for name in _LATER)
        return
    finally:
        until = connection.certificate_until()
        connection.close()
    yield fine("server", f"{address.text} is reached.")
    yield _tls(address, until)
    yield _version(reply, address)
    yield _clock(reply)
    yield from _ready(reply)
    yield _account(address)


def _tls(address: ServerAddress, until: datetime | None) -> Examined:
    if address.scheme == "http":
        return fine("tls", "None: the server is on this machine.")
    if until is None:
        return fine("tls", "The certificate is taken.")
    day = until.date().isoformat()
    if until - datetime.now(UTC) < _SOON:
        return wrong("tls", f"The certificate of the server expires on {day}.", "Tell who keeps the server.")
    return fine("tls", f"The certificate is taken; it is good until {day}.")


def _version(reply: Reply, address: ServerAddress) -> Examined:
    theirs = (reply.header(wire.VERSION) or "")[:20]
    if theirs == __version__:
        return fine("version", f"The server is daybook {theirs}, too.")
    return wrong(
        "version",
        f"This is daybook {__version__}, and {address.text} is daybook {theirs}.",
        f"Where they do not answer alike: pip install daybook-ledger=={theirs}",
    )


def _clock(reply: Reply) -> Examined:
    try:
        theirs = parsedate_to_datetime(reply.header("Date") or "")
    except ValueError:
        return fine("clock", "The server does not say what its clock shows.")
    apart = (datetime.now(UTC) - theirs).total_seconds()
    if abs(apart) > _APART_S:
        return apart_by("clock", apart, "the server's")
    return fine("clock", "It agrees with the server's.")


def _ready(reply: Reply) -> Iterator[Examined]:
    try:
        checks = reply.json()["checks"]
        found = [(str(name), each["ok"] is True, str(each["says"])[:200]) for name, each in checks.items()]
    except (ValueError, KeyError, TypeError, AttributeError):
        yield wrong("ready", "The server does not say whether it is ready.", "Ask who keeps the server.")
        return
    for name, is_fine, says in found:
        said = f"At the server: {says}."
        yield fine(name, said) if is_fine else wrong(name, said, "Ask who keeps the server.")


def _token(address: ServerAddress) -> Iterator[Examined]:
    found: Token | None
    try:
        found = token_for(address)
    except Refusal as refusal:
        yield refused("token", refusal)
        return
    if found is None:
        yield wrong("token", f"There is none for {address.text} here.", "Sign in", NextStep("sign-in"))
    elif found.file is None:
        yield fine("token", f"It is that of {IN_ENVIRONMENT}.")
    else:
        yield fine("token", f"{found.file} is for its owner, or for the group that it was given to.")


def _account(address: ServerAddress) -> Examined:
    try:
        token = token_for(address)
        if token is None:
            return unknown("account", "the token")
        remote = Remote(Connection(address, token.text))
        try:
            found = who_is_in(remote)
        finally:
            remote.close()
    except Refusal as refusal:
        return refused("account", refusal)
    until = "does not expire" if found.until is None else f"is good until {found.until[:16]}Z"
    said = f"{found.user}, by {found.authentication} ({found.id}), which {until}"
    if found.role is None:
        return wrong(
            "account", f"{said}; no role.", "Ask an admin for one",
            NextStep("request-role", arguments={"role": "researcher", "reason": None}),
        )  # fmt: skip
    return fine("account", f"{said}; role {found.role}.")
