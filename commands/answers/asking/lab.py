"""Questions about the lab, and about who may come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commands.answers.asking import Asking
    from commands.answers.parameters import (
        Word,
    )


def catalogue(asking: Asking, *, table: Word | None = None) -> Any:
    """Reference values, of one table or of all."""
    from commands.answers.lab import catalogue

    return catalogue(asking.world("lab"), table)


def subjects(asking: Asking) -> Any:
    """Subjects with their probes."""
    from commands.answers.lab import subjects

    return subjects(asking.world("lab"))


def roles(asking: Asking) -> Any:
    """Everybody's role, and who granted it."""
    from commands.answers.lab import roles

    return roles(asking.world("lab"))


def people(asking: Asking) -> Any:
    """Names and addresses behind usernames, as they are now."""
    from commands.answers.lab import people

    return people(asking.world("lab"))


def users(asking: Asking) -> Any:
    """Who has an account."""
    from commands.answers.accounts import users

    return users(asking.world("lab"))


def invitations(asking: Asking) -> Any:
    """Invitations that are open, or have expired."""
    from commands.answers.accounts import invitations

    return invitations(asking.world("lab"))


def tokens(asking: Asking, *, user: Word | None = None) -> Any:
    """Tokens of one user: one's own, unless said."""
    from commands.answers.accounts import tokens

    return tokens(asking.world("lab"), user)


def policies(asking: Asking) -> Any:
    """What holds for the whole ledger."""
    from commands.answers.accounts import policies

    return policies(asking.world("lab"))
