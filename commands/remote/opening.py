"""Begin to ask a ledger at a server: with the token that this machine has for it. Nothing is sent yet."""

from urllib.parse import quote

from commands.answers import wire
from commands.answers.answering import Noted
from commands.remote.address import server_address
from commands.remote.connection import Connection
from commands.remote.ledger import Remote, Told
from commands.remote.tokens import token_for


def open_remote(
    server: str, *, token: str | None = None, on_behalf_of: str | None = None, noted: Noted | None = None,
    ahead: Told = lambda time: None, expires: Told = lambda time: None,
) -> Remote:  # fmt: skip
    """``token`` goes before what this machine has. Raises WrongAddress, UnusableToken."""
    address = server_address(server)
    kept = None if token is not None else token_for(address)
    connection = Connection(address, token if kept is None else kept.text)
    if on_behalf_of is not None:
        connection.say(wire.ON_BEHALF_OF, quote(on_behalf_of))
    return Remote(connection, noted=noted, ahead=ahead, expires=expires)
