"""Daybook in Python: ``import daybook``, then ``daybook.connect(...)``. The public face, and nothing else.

Importing it makes sure that ``ledger``, ``projections``, ``migrations`` and ``commands`` are Daybook's own and not
packages of the same name that Python found first. It raises ImportError and names the path that is in the way.
"""

from typing import TYPE_CHECKING

from daybook import parts

if TYPE_CHECKING:
    from commands.door.submit import Daybook

__all__ = ["__version__", "connect"]

parts.make_sure()

from ledger import __version__  # noqa: E402 - not before it is known whose ledger that is


def connect(url: str, user: str | None = None) -> "Daybook":
    """Open the ledger at ``url`` (``sqlite:///PATH``, ``postgresql://...``) as ``user``; unless said, as the
    account that this process runs under.

    ``reading()`` gives a world to ask, ``submit(command)`` carries out a command, ``close()`` ends it. Raises
    ledger.errors.LedgerUnavailable where there is no ledger or it cannot be reached.
    """
    from commands.door.actor import Actor
    from commands.door.submit import Daybook

    return Daybook.open(url, Actor.of_process(claimed=user))
