"""Verbs about accounts: ``user invite``, ``invitations``, ``add``, ``list``, ``disable``, ``enable``."""

from shlex import quote
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation, user_name
from commands.cli.next_steps import worded
from commands.cli.output import Column, printable
from commands.cli.rights import allow, forbid
from commands.cli.times import as_of_option, shown
from commands.cli.verbs import VerbGroup, WritingVerb
from ledger.errors import NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commands.accounts.resets import What
    from commands.door.permission import Role

_user = click.argument("username", metavar="USER", callback=user_name)  # --as is called user already


@click.group(cls=VerbGroup)
def user() -> None:
    """Who has an account, and may come in through the server."""


@user.command(cls=WritingVerb)
@_user
@click.option(
    "--role", type=click.Choice(("researcher", "admin", "auditor")), help="What the user gets by joining."
)
@click.option("--email", metavar="ADDRESS", help="Kept beside the log, where it can be erased.")
@pass_invocation
def invite(invocation: Invocation, username: str, role: "Role | None", email: str | None) -> None:
    """Invite somebody; the link is shown this once.

    It is good for seven days, and for one use: whoever opens it chooses a password. What was done under that name
    before is the user's from then on. A newer invitation ends the one before. For admins.

    \b
    daybook user invite user_2
    daybook user invite user_2 --role researcher --email user_2@example.org
    """
    result, secret = invocation.do_once("invite-user", user=username, role=role, email=email)

    def human() -> None:
        name = printable(result.user)
        if secret is None:
            output.say(f"{name} was invited by this command before, and the link is not shown again.")
            output.say(f"For another: daybook user invite {printable(quote(result.user))}")
            return
        output.say(
            f"Invited {name}{f' as {result.role}' if result.role else ''}, until {shown(result.until)}."
        )
        if result.superseded:
            output.say("The invitation before this one has ended.")
        for line in result.takes_over:
            newest = ", ".join(line.newest) + (", ..." if line.count > len(line.newest) else "")
            output.say(f"{name} takes over {line.count:,} {line.kind}: {newest}")
        output.say("It is shown this once. Give it to nobody else:")
        say_secret(secret)

    invocation.answer(result, human, **({} if secret is None else {"secret": secret}))


@user.command()
@pass_invocation
def invitations(invocation: Invocation) -> None:
    """Invitations that nobody has used yet.

    \b
    daybook user invitations
    daybook user invitations --json
    """
    found = invocation.ask("invitations")

    def human() -> None:
        if not found.invitations:
            output.say_instead("No invitation is open. To invite somebody: daybook user invite USER")
            return
        columns = [
            Column("user"), Column("role"), Column("invited by"), Column("invited (UTC)"), Column("until (UTC)"),
            Column("state", is_status=True),
        ]  # fmt: skip
        rows = [
            [
                i.user,
                i.role,
                i.invited_by,
                shown(i.invited_at),
                shown(i.until),
                "expired" if i.has_expired else "open",
            ]
            for i in found.invitations
        ]
        output.write_table(columns, rows)

    invocation.answer(found, human)


@user.command("revoke-invitation", cls=WritingVerb)
@_user
@pass_invocation
def revoke_invitation(invocation: Invocation, username: str) -> None:
    """Revoke an invitation that nobody has used yet.

    For admins.

    \b
    daybook user revoke-invitation user_2
    daybook user revoke-invitation user_2 --json
    """
    result = invocation.do("revoke-invitation", user=username)
    name = printable(username)
    invocation.answer(
        result,
        lambda: output.say(
            f"The invitation of {name} has ended."
            if result.changed
            else f"{name} has no invitation: nothing to do."
        ),
    )


@user.command("reset-password", cls=WritingVerb)
@_user
@pass_invocation
def reset_password(invocation: Invocation, username: str) -> None:
    """Make a link for a new password; it is shown this once.

    It is good for an hour. Whoever opens it chooses a password; roles and records stay, all sign-ins end. For another
    admin, and at the machine for whoever owns the database.

    \b
    daybook user reset-password user_2
    daybook user reset-password user_2 --json
    """
    _reset(invocation, username, "password")


@user.command("reset-second-factor", cls=WritingVerb)
@_user
@pass_invocation
def reset_second_factor(invocation: Invocation, username: str) -> None:
    """Make a link that takes a lost second factor away; it is shown this once.

    It is good for an hour, together with the password. Until then the second factor holds. Roles and records stay, all
    sign-ins end. For another admin, and at the machine for whoever owns the database.

    \b
    daybook user reset-second-factor user_2
    daybook user reset-second-factor user_2 --json
    """
    _reset(invocation, username, "second-factor")


def _reset(invocation: Invocation, username: str, what: "What") -> None:
    again = "reset-password" if what == "password" else "reset-second-factor"
    result, secret = invocation.do_once(again, user=username)

    def human() -> None:
        name = printable(result.user)
        if secret is None:
            output.say("This link was made by this command before, and is not shown again.")
            output.say(f"For another: {printable(worded(NextStep(again, arguments={'user': result.user})))}")
            return
        output.say(f"{name} can use this link until {shown(result.until)}:")
        if result.superseded:
            output.say("The link before this one has ended.")
        say_secret(secret)

    invocation.answer(result, human, **({} if secret is None else {"secret": secret}))


@user.command(cls=WritingVerb)
@_user
@click.option(
    "--service", is_flag=True, required=True, help="For a rig or a script: it signs in with tokens alone."
)
@click.option("--owner", metavar="USER", callback=user_name, help="Who answers for it; you, unless said.")
@pass_invocation
def add(invocation: Invocation, username: str, service: bool, owner: str | None) -> None:  # noqa: ARG001
    """Add a service account, which acts under its own name.

    Its owner issues its tokens: daybook token create NAME --for USER. What it may do is said by its role, as for a
    person. For admins.

    \b
    daybook user add rig_1 --service
    daybook user add rig_1 --service --owner user_2
    """
    result = invocation.do("add-service-account", user=username, owner=owner)

    def human() -> None:
        output.say(
            f"Added the service account {printable(result.user)}; {printable(result.owner)} answers for it."
        )
        output.say(f"For a token of it: daybook token create NAME --for {printable(quote(result.user))}")

    invocation.answer(result, human)


user.add_command(allow)
user.add_command(forbid)


@user.command("list")
@as_of_option
@pass_invocation
def list_users(invocation: Invocation, as_of: int | str | None) -> None:
    """Everybody who has an account or a role.

    \b
    daybook user list
    daybook user list --as-of yesterday
    """
    found = invocation.ask("users", as_of=as_of)

    def human() -> None:
        columns = [
            Column("user"), Column("account", is_status=True), Column("role"), Column("second factor"),
            Column("since (UTC)"), Column("answers for it"), Column("rights"),
        ]  # fmt: skip
        rows = [
            [
                u.user,
                u.account or "none",
                u.role,
                "on" if u.second_factor else None,
                shown(u.joined_at),
                u.owner,
                ", ".join(u.rights) or None,
            ]
            for u in found.users
        ]
        output.write_table(columns, rows)

    invocation.answer(found, human)


@user.command(cls=WritingVerb)
@_user
@pass_invocation
def disable(invocation: Invocation, username: str) -> None:
    """Disable an account: its sign-ins and tokens end at once, its records stay.

    Whoever it is may then change nothing by any other way either. For admins.

    \b
    daybook user disable user_2
    daybook user disable rig_1 --json
    """
    result = invocation.do("disable-user", user=username)
    name = printable(username)
    invocation.answer(
        result,
        lambda: output.say(
            f"{name} is disabled: sign-ins and tokens have ended, the records stay."
            if result.changed
            else f"{name} is disabled already: nothing to do."
        ),
    )


@user.command(cls=WritingVerb)
@_user
@pass_invocation
def enable(invocation: Invocation, username: str) -> None:
    """Enable an account again; tokens that ended are made anew.

    For admins.

    \b
    daybook user enable user_2
    daybook user enable rig_1 --json
    """
    result = invocation.do("enable-user", user=username)
    name = printable(username)
    invocation.answer(
        result,
        lambda: output.say(
            f"{name} is enabled. Tokens that ended stay ended."
            if result.changed
            else f"{name} is not disabled: nothing to do."
        ),
    )


def say_secret(secret: "Mapping[str, str | None]") -> None:
    """A link where it is known where people reach the server, and a code for those who come by a shell."""
    if secret["link"] is not None:
        output.say(f"  link: {secret['link']}")
    output.say(f"  code: {secret['code']}")
    if secret["link"] is None:
        output.say(
            'For a link, say in daybook.toml where people reach the server: public_url = "https://..."'
        )
