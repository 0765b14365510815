"""Verbs about what holds for a whole ledger: ``policy list``, ``authenticated-only``, ``second-factor``,
``own-requests``."""

from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.verbs import VerbGroup, WritingVerb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commands.door.permission import Role


@click.group(cls=VerbGroup)
def policy() -> None:
    """What holds for the whole ledger, whoever acts."""


@policy.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """The policies as they are.

    \b
    daybook policy list
    daybook policy list --json
    """
    found = invocation.ask("policies")

    def human() -> None:
        output.say(_authenticated(found.authenticated_only))
        output.say(_own_requests(found.own_requests))
        output.say(_second_factor(found.second_factor))

    invocation.answer(found, human)


@policy.command("authenticated-only", cls=WritingVerb)
@click.argument("state", metavar="[on|off]", type=click.Choice(("on", "off")), default="on")
@pass_invocation
def authenticated_only(invocation: Invocation, state: str) -> None:
    """Take commands only of who is authenticated.

    From then on a name given with --as is refused; on PostgreSQL the account of the client's process too, which is no
    more than the client's word: people come in through the server. For an admin who is authenticated.

    \b
    daybook policy authenticated-only
    daybook policy authenticated-only off
    """
    result = invocation.do("set-authentication-policy", authenticated_only=state == "on")
    invocation.answer(result, lambda: output.say(_authenticated(result.authenticated_only)))


@policy.command("second-factor", cls=WritingVerb)
@click.argument("role", metavar="ROLE", type=click.Choice(("researcher", "admin", "auditor")))
@click.argument("state", metavar="[on|off]", type=click.Choice(("on", "off")), default="on")
@pass_invocation
def second_factor(invocation: Invocation, role: "Role", state: str) -> None:
    """Say whether whoever has a role needs a second factor.

    From then on such a user who comes by a password alone does nothing but set one up. Tokens go on being good: they
    were made by whoever could. For admins.

    \b
    daybook policy second-factor admin
    daybook policy second-factor admin off
    """
    result = invocation.do("set-second-factor-policy", role=role, required=state == "on")
    invocation.answer(result, lambda: output.say(_second_factor(result.roles)))


@policy.command("own-requests", cls=WritingVerb)
@click.argument("answer", metavar="allow|refuse", type=click.Choice(("allow", "refuse")))
@pass_invocation
def own_requests(invocation: Invocation, answer: str) -> None:
    """Say whether admins may approve their own requests.

    A redaction takes two whatever is said here. For admins.

    \b
    daybook policy own-requests allow
    daybook policy own-requests refuse
    """
    result = invocation.do("set-approval-policy", own_requests=answer)
    invocation.answer(result, lambda: output.say(_own_requests(result.own_requests)))


def _authenticated(only: bool) -> str:
    if only:
        return "Commands are taken only of who is authenticated."
    return "A claim is enough: commands are taken under any name that is given."


def _own_requests(answer: str) -> str:
    return f"Admins {'may' if answer == 'allow' else 'may not'} approve their own requests."


def _second_factor(roles: "Sequence[str]") -> str:
    if not roles:
        return "A password is enough to sign in, whatever the role."
    return f"A second factor is needed by whoever has the role {' or '.join(roles)}."
