"""Verbs about users: ``role grant``, ``revoke``, ``request``, ``list``; ``person set``, ``erase``, ``list``."""

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation, user_name
from commands.cli.output import Column, printable
from commands.cli.times import as_of_option, shown
from commands.cli.verbs import VerbGroup, WritingVerb

_EVERYONE = "everyone"
_ROLES = click.Choice(["researcher", "admin", "auditor"])
_user = click.argument("username", metavar="USER", callback=user_name)  # --as is called user already


@click.group(cls=VerbGroup)
def role() -> None:
    """Who may do what.

    A researcher acts on what he or she uploaded, an admin on everything, an auditor on nothing. A user has one role.
    The user everyone stands for all who were granted none.
    """


@role.command(cls=WritingVerb)
@_user
@click.argument("role", metavar="ROLE", type=_ROLES)
@pass_invocation
def grant(invocation: Invocation, username: str, role: str) -> None:
    """Give a user a role, in place of the one before.

    USER as in --as; ROLE is researcher, admin or auditor. The user everyone can be researcher or auditor.
    """
    result = invocation.do("grant-role", user=username, role=role)

    def human() -> None:
        name = printable(username)
        if not result.changed:
            output.say(f"{name} has the role {role} already: nothing to do.")
            return
        was = f", who was {result.was} before" if result.was else ""
        output.say(f"Granted the role {role} to {name}{was}.")

    invocation.answer(result, human)


@role.command("request", cls=WritingVerb)
@click.argument("role", metavar="ROLE", type=_ROLES)
@click.option(
    "--reason", required=True, metavar="TEXT", help="What it is needed for; whoever decides reads it."
)
@pass_invocation
def request_role(invocation: Invocation, role: str, reason: str) -> None:
    """Ask for a role, which an admin grants or rejects.

    It is a request: daybook request list. ROLE is researcher, admin or auditor.
    """
    from commands.cli.changes import change

    change(invocation, "request-role", role=role, reason=reason)


@role.command(cls=WritingVerb)
@_user
@click.argument("role", metavar="ROLE", type=_ROLES)
@pass_invocation
def revoke(invocation: Invocation, username: str, role: str) -> None:
    """Take a role from a user, who is left with that of everyone.

    Without a role of everyone, only those may change anything who were granted a role by name.
    """
    result = invocation.do("revoke-role", user=username, role=role)

    def human() -> None:
        name = printable(username)
        if username == _EVERYONE:
            left = "Whoever was granted no role by name may change nothing."
        elif result.left_with:
            left = f"As everyone, {name} has the role {result.left_with} still."
        else:
            left = f"{name} may change nothing any more."
        if result.changed:
            output.say(f"Revoked the role {role} from {name}. {left}")
        else:
            output.say(f"{name} was granted no role: nothing to do. {left}")

    invocation.answer(result, human)


@role.command("list")
@as_of_option
@pass_invocation
def list_roles(invocation: Invocation, as_of: int | str | None) -> None:
    """Everybody's role, and who granted it."""
    found = invocation.ask("roles", as_of=as_of)

    def human() -> None:
        columns = [
            Column("user"),
            Column("role"),
            Column("granted by"),
            Column("granted (UTC)"),
            Column("name", "end"),
            Column("e-mail", "end"),
        ]
        rows = [
            [r.user, r.role or "none", r.granted_by, shown(r.granted_at), r.name, r.email]
            for r in found.roles
        ]
        output.write_table(columns, rows)
        output.say("everyone: whoever is not named here.")

    invocation.answer(found, human)


@click.group(cls=VerbGroup)
def person() -> None:
    """Names and addresses behind usernames, which can be erased.

    They are kept beside the log, and no event, proof or export ever holds them.
    """


@person.command("set", cls=WritingVerb)
@_user
@click.option("--name", metavar="TEXT", help="The name, as people write it.")
@click.option("--email", metavar="TEXT", help="The e-mail address.")
@pass_invocation
def set_person(invocation: Invocation, username: str, name: str | None, email: str | None) -> None:
    """Say who is behind a username.

    Your own, or as an admin anybody's. What is not given stays as it is.
    """
    if name is None and email is None:
        raise click.UsageError("There is nothing to set. Give --name or --email.")
    result = invocation.do("set-person", user=username, name=name, email=email)

    def human() -> None:
        if not result.changed:
            output.say(f"That is known of {printable(username)} already: nothing to do.")
            return
        given = {"name": name, "e-mail address": email}
        what = " and ".join(field for field, value in given.items() if value is not None)
        output.say(f"Set the {what} of {printable(username)}.")

    invocation.answer(result, human)


@person.command(cls=WritingVerb)
@_user
@pass_invocation
def erase(invocation: Invocation, username: str) -> None:
    """Erase name and address of a username, for good.

    Your own, or as an admin anybody's. The username itself stays: it stands in the events.
    """
    result = invocation.do("erase-person", user=username)

    def human() -> None:
        if result.changed:
            output.say(
                f"Erased name and address of {printable(username)}. Backups made before still hold them."
            )
        else:
            output.say(f"Neither name nor address of {printable(username)} is known: nothing to do.")

    invocation.answer(result, human)


@person.command("list")
@pass_invocation
def list_people(invocation: Invocation) -> None:
    """Names and addresses, as far as they are known."""
    found = invocation.ask("people")

    def human() -> None:
        if not found.people:
            output.say("Nobody's name is known. Say one: daybook person set USER --name TEXT --email TEXT")
            return
        columns = [Column("user"), Column("name", "end"), Column("e-mail", "end")]
        output.write_table(columns, [[p.user, p.name, p.email] for p in found.people])

    invocation.answer(found, human)
