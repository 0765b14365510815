"""The key of the server, for verbs that open or encrypt what it keeps, at the machine of the ledger."""

from pathlib import Path
from typing import TYPE_CHECKING

from commands.cli.invocation import Invocation

if TYPE_CHECKING:
    from commands.accounts.server_key import ServerKey


def server_key_of(invocation: Invocation) -> "ServerKey":
    """Where the server looks for it, too. At a distance refused, before one is made."""
    from commands.accounts.server_key import server_key

    invocation.address  # noqa: B018 - is refused where the ledger is at a server
    file = invocation.settings.file
    return server_key(file.parent if file is not None else invocation.state_folder or Path())
