"""People who come in by a password, for tests: invited, joined, signed in."""

from argon2 import PasswordHasher

from commands.accounts.invitations import invite
from commands.accounts.sign_ins import Origin, SignedIn, accept
from commands.door.actor import Actor
from commands.door.permission import Role
from commands.door.submit import Daybook

PASSWORD = "plum anvil quiet harbour 7"
ANOTHER = "sextant molten grape choir 3"
HERE = Origin("192.0.2.7", "a test")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def signed_in(daybook: Daybook, user: str) -> Daybook:
    """Whoever signed in with a password."""
    return Daybook(daybook.ledger, Actor(user, "api", authentication="password"))


def code_for(daybook: Daybook, user: str, role: Role | None = None) -> str:
    _, code = invite(daybook, user, role=role)
    assert code is not None
    return code


def joined(daybook: Daybook, user: str, role: Role | None = None) -> tuple[SignedIn, str]:
    """``daybook`` is an admin's."""
    return accept(daybook.ledger, code_for(daybook, user, role), PASSWORD, HERE)
