"""Who acts: a name, and how it came in."""

import getpass
import platform
from dataclasses import dataclass

import orjson

from ledger import __version__
from ledger.errors import Refusal

EVERYONE = "everyone"


_LONGEST_USER = 255


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and through which interface: ``cli``, ``python``."""

    user: str
    interface: str = "python"

    def __post_init__(self) -> None:
        if not 0 < len(self.user) <= _LONGEST_USER or not self.user.isprintable():
            raise Refusal(
                "user-name",
                f"A user's name has 1 to {_LONGEST_USER} printable characters.",
                "Give another name.",
            )
        if self.user == EVERYONE:
            raise Refusal("user-name", f'"{EVERYONE}" stands for all users.', "Give another name.")

    def via(self) -> str:
        return orjson.dumps(
            {
                "interface": self.interface,
                "version": __version__,
                "host": platform.node(),
                "os_user": os_user(),
            }
        ).decode()


def os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "unknown"
