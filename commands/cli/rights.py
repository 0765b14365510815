"""Verbs about rights of service accounts: ``user allow``, ``user forbid``."""

from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation, user_name
from commands.cli.output import printable
from commands.cli.verbs import WritingVerb

if TYPE_CHECKING:
    from commands.accounts.rights import Right, RightChanged

_user = click.argument("username", metavar="ACCOUNT", callback=user_name)  # --as is called user already
_right = click.argument("right", metavar="RIGHT", type=click.Choice(["work", "on-behalf-of"]))
_of = click.argument("of", metavar="[USER]", required=False)


@click.command(cls=WritingVerb)
@_user
@_right
@_of
@pass_invocation
def allow(invocation: Invocation, username: str, right: "Right", of: str | None) -> None:
    """Give a service account a right besides its role.

    RIGHT is work: it may settle anybody's entries, and nothing else of them; or on-behalf-of USER: what it does
    with --on-behalf-of USER makes records of USER, where both may do it. For admins.

    \b
    daybook user allow rig_1 work
    daybook user allow rig_1 on-behalf-of user_2
    """
    result = invocation.do("grant-right", user=username, right=right, of=of)
    invocation.answer(result, lambda: output.say(_told(result, "may", "may already")))


@click.command(cls=WritingVerb)
@_user
@_right
@_of
@pass_invocation
def forbid(invocation: Invocation, username: str, right: "Right", of: str | None) -> None:
    """Take a right from a service account. For admins.

    \b
    daybook user forbid rig_1 work
    daybook user forbid rig_1 on-behalf-of user_2
    """
    result = invocation.do("revoke-right", user=username, right=right, of=of)
    invocation.answer(result, lambda: output.say(_told(result, "may no longer", "may not")))


def _told(result: "RightChanged", now: str, before: str) -> str:
    what = "settle anybody's entries" if result.of is None else f"act on behalf of {printable(result.of)}"
    if result.changed:
        return f"{printable(result.user)} {now} {what}."
    return f"{printable(result.user)} {before} {what}: nothing to do."
