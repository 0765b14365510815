"""Who acts: a name, how it was authenticated, and how it came in."""

import os
import platform
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import orjson

from ledger import __version__
from ledger.errors import Refusal

EVERYONE = "everyone"
OS, CLAIMED = "os", "claimed"
Authentication = Literal["os", "claimed"]
_LONGEST_USER = 255


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and through which interface: ``cli``, ``python``.

    ``authentication`` is ``os`` for the account that the process runs under, else ``claimed``: a statement.
    """

    user: str
    interface: str = "python"
    authentication: Authentication = field(default="claimed", kw_only=True)

    def __post_init__(self) -> None:
        if not 0 < len(self.user) <= _LONGEST_USER or not self.user.isprintable():
            raise Refusal(
                "user-name",
                f"A user's name has 1 to {_LONGEST_USER} printable characters.",
                "Give another name.",
            )
        if self.user == EVERYONE:
            raise Refusal("user-name", f'"{EVERYONE}" stands for all users.', "Give another name.")
        if self.authentication == OS and self.user != account():
            raise ValueError(f"this process does not run under the account {self.user}")

    @classmethod
    def of_process(cls, interface: str = "python", *, claimed: str | None = None) -> "Actor":
        """The account that this process runs under, or who is ``claimed``; to name that account claims nothing."""
        own = account()
        if claimed is None or claimed == own:
            return cls(own, interface, authentication="os")
        return cls(claimed, interface)

    def via(self) -> str:
        return orjson.dumps(
            {
                "interface": self.interface,
                "version": __version__,
                "host": platform.node(),
                "os_user": account(),
                "authentication": self.authentication,
            }
        ).decode()


def account() -> str:
    """The account that this process runs under, whatever LOGNAME and USER say: anybody can set those."""
    if not hasattr(os, "geteuid"):  # Windows, where this asks the system and not the environment
        return os.getlogin()
    return _name_of(os.geteuid())


@cache
def _name_of(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container may run under a number that has no name
        return f"uid-{number}"
