"""Who acts: a name, how it was authenticated, and how it came in."""

import os
import platform
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

import orjson

from ledger import __version__
from ledger.errors import NextStep, Refusal
from ledger.look_alikes import comparable, folded

EVERYONE = "everyone"
Authentication = Literal["os", "claimed", "password", "second-factor", "token", "oidc"]
OS: Final = "os"
CLAIMED: Final = "claimed"
PASSWORD: Final = "password"  # noqa: S105 - the name of a way
SECOND_FACTOR: Final = "second-factor"
_LONGEST_USER = 255
_LONGEST_EMAIL = 254  # RFC 5321 lets no longer one through
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def checked_user(user: str) -> str:
    """The name as an event can hold it for a user. Raises Refusal for a name that it can't hold."""
    if not 0 < len(user) <= _LONGEST_USER or not user.isprintable() or user != user.strip():
        raise Refusal(
            "user-name",
            f"A user's name has 1 to {_LONGEST_USER} printable characters, and no blanks around it.",
            "Give the name that the user acts under.",
        )
    return user


def checked_email(text: str) -> str:
    """Raises Refusal."""
    email = text.strip()
    if not _EMAIL.fullmatch(email) or not email.isprintable() or len(email) > _LONGEST_EMAIL:
        raise Refusal(
            "person-email",
            "That is not an e-mail address.",
            f"Write name@domain, {_LONGEST_EMAIL} characters at most. To remove one",
            NextStep("erase-person", arguments={"user": None}),
        )
    return email


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and through which interface: ``cli``, ``python``, ``api``.

    ``authentication`` is ``os`` for the account that the process runs under, ``claimed`` for any other name that was
    only stated, else what the server asked for; with a ``token`` its public id. ``may_write`` is False where it lets
    its bearer only read. ``on_behalf_of`` is the user whom a service account acts for, whose the records then are.
    """

    user: str
    interface: str = "python"
    authentication: Authentication = field(default="claimed", kw_only=True)
    token: str | None = field(default=None, kw_only=True)
    may_write: bool = field(default=True, kw_only=True)
    on_behalf_of: str | None = field(default=None, kw_only=True)
    until: str | None = field(default=None, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "user", comparable(self.user))  # one person, however an accent is encoded
        if self.on_behalf_of is not None:
            object.__setattr__(self, "on_behalf_of", checked_user(comparable(self.on_behalf_of)))
        if not 0 < len(self.user) <= _LONGEST_USER or not self.user.isprintable():
            raise Refusal(
                "user-name",
                f"A user's name has 1 to {_LONGEST_USER} printable characters.",
                "Give another name.",
            )
        if folded(self.user) == EVERYONE:
            raise Refusal("user-name", f'"{EVERYONE}" stands for all users.', "Give another name.")
        if self.authentication == OS and self.user != comparable(account()):
            raise ValueError(f"this process does not run under the account {self.user}")

    @classmethod
    def of_process(
        cls, interface: str = "python", *, claimed: str | None = None, on_behalf_of: str | None = None
    ) -> "Actor":
        """The account that this process runs under, or the one that is ``claimed``. Naming one's own account claims
        nothing.
        """
        own = account()
        if claimed is None or comparable(claimed) == comparable(own):
            return cls(own, interface, authentication="os", on_behalf_of=on_behalf_of)
        return cls(claimed, interface, on_behalf_of=on_behalf_of)

    @property
    def owner(self) -> str:
        """Whose the records are that the actor makes."""
        return self.on_behalf_of or self.user

    def via(self) -> str:
        said = {
            "interface": self.interface,
            "version": __version__,
            "host": platform.node(),
            "os_user": account(),
            "authentication": self.authentication,
        }
        if self.token is not None:
            said["token"] = self.token
        if self.on_behalf_of is not None:
            said["on_behalf_of"] = self.on_behalf_of
        return orjson.dumps(said).decode()

    def require_writing(self) -> None:
        """Raises Refusal where the actor signed in with something that only lets him or her read."""
        if not self.may_write:
            raise Refusal(
                "token-reads-only",
                f"The token {self.token} lets its bearer read, and nothing else.",
                "Use one that was created to write",
                NextStep("create-token", arguments={"name": None, "scope": "write"}),
            )


def account() -> str:
    """The account that this process runs under, whatever LOGNAME and USER say: anybody can set those."""
    if not hasattr(os, "geteuid"):  # Windows: this asks the system, not the environment
        return os.getlogin()
    return _name_of(os.geteuid())


@cache
def _name_of(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container may run under a number that has no name
        return f"uid-{number}"
