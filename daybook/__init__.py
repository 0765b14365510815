"""Daybook in Python: ``import daybook``, then ``daybook.connect(...)``. The public face, and nothing else.

Importing it makes sure that ``ledger``, ``projections``, ``migrations`` and ``commands`` are Daybook's own and not
packages of the same name that Python found first. It raises ImportError and names the path that is in the way. All else
is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from daybook import parts

parts.make_sure()

from ledger import __version__  # noqa: E402 - not before it is known whose ledger that is
from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable, NextStep, Refusal  # noqa: E402

if TYPE_CHECKING:
    from commands.remote.faults import NotSignedIn, Unreachable
    from daybook.client import Client
    from daybook.errors import Fault, NotPermitted, WrongArgument
    from daybook.rows import Rows, to_dataframe

__all__ = [
    "Client", "Conflict", "Fault", "IntegrityFailure", "LedgerUnavailable", "NextStep", "NotPermitted", "NotSignedIn",
    "Refusal", "Rows", "Unreachable", "WrongArgument", "__version__", "connect", "to_dataframe",
]  # fmt: skip

_PLACES = {
    "Client": "daybook.client", "Fault": "daybook.errors", "NotPermitted": "daybook.errors",
    "NotSignedIn": "commands.remote.faults", "Rows": "daybook.rows", "Unreachable": "commands.remote.faults",
    "WrongArgument": "daybook.errors", "to_dataframe": "daybook.rows",
}  # fmt: skip


def connect(
    url: str | None = None, user: str | None = None, *, token: str | None = None, on_behalf_of: str | None = None,
    config: str | None = None,
) -> "Client":  # fmt: skip
    """A client of the ledger at ``url``: a file (``"daybook.db"``, ``"sqlite:///daybook.db"``), a database
    (``"postgresql://..."``) or a server (``"https://..."``; ``http://`` on this machine alone). Without it the ledger
    is the one that the command line would take: of DAYBOOK_DB or DAYBOOK_SERVER, else of ``daybook.toml``.

    Roots and limits are those of ``daybook.toml`` in the working directory or above, or of the file ``config``. Beside
    a ledger of this machine one is the account that the process runs under, or whoever ``user`` claims to be. At a
    server one is whoever's ``token`` it is: this one, else DAYBOOK_TOKEN, else that of ``daybook auth login``.
    ``on_behalf_of`` is a user who granted that.

    Raises LedgerUnavailable where there is no ledger here; a server is asked with the first question. Raises Refusal
    for settings or an address that are wrong.
    """
    from daybook.connecting import connected

    return connected(url, user=user, token=token, on_behalf_of=on_behalf_of, config=config)


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'daybook' has no attribute {name!r}")
    found = getattr(import_module(place), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
