"""From an address to a client. Settings are those of the command line."""

from daybook.client import Client
from daybook.errors import WrongArgument, raised_typed
from daybook.places import OfServer, OfThisMachine


def connected(
    url: str | None, *, user: str | None, token: str | None, on_behalf_of: str | None, config: str | None
) -> Client:
    """Raises Refusal, LedgerUnavailable, WrongArgument."""
    from commands.door.reading_settings import load

    with raised_typed("connect", beside=None, contact=None):
        is_server = url is not None and url.lower().startswith(("http://", "https://"))
        settings = load(db=None if is_server else url, server=url if is_server else None, config=config)
        if settings.server is None:
            if token is not None:
                raise WrongArgument(
                    "wrong-argument",
                    "A token is for a server, and this ledger is on this machine.",
                    "Leave it out.",
                )
            return Client(OfThisMachine(settings, user, on_behalf_of))
        if user is not None:
            raise WrongArgument(
                "wrong-argument",
                f"At a server you are who is signed in, and not who you say: user={user!r}.",
                "For somebody who granted it to you: on_behalf_of.",
            )
        return Client(OfServer(settings, token, on_behalf_of))
