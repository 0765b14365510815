"""Verbs about accounts: ``user add``, ``list``, ``disable``, ``enable``; ``token create``, ``list``, ``revoke``."""

from shlex import quote

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation, user_name
from commands.cli.output import Column, printable
from commands.cli.times import as_of_option, shown
from commands.cli.verbs import VerbGroup, WritingVerb

_user = click.argument("username", metavar="USER", callback=user_name)  # --as is called user already


@click.group(cls=VerbGroup)
def user() -> None:
    """Who has an account, and may come in through the server."""


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
    from commands.accounts.standing import AddServiceAccount

    with invocation.daybook() as daybook:
        command = AddServiceAccount(**invocation.repeatable, user=username, owner=owner)
        result = daybook.submit(command).result

    def human() -> None:
        output.say(
            f"Added the service account {printable(result.user)}; {printable(result.owner)} answers for it."
        )
        output.say(f"For a token of it: daybook token create NAME --for {printable(quote(result.user))}")

    invocation.answer(result, human)


@user.command("list")
@as_of_option
@pass_invocation
def list_users(invocation: Invocation, as_of: int | str | None) -> None:
    """Everybody who has an account or a role.

    \b
    daybook user list
    daybook user list --as-of yesterday
    """
    from commands.answers.accounts import users
    from projections.past import Past

    with invocation.reading(as_of, Past.lab) as world:
        found = users(world)

    def human() -> None:
        columns = [
            Column("user"),
            Column("account", is_status=True),
            Column("role"),
            Column("answers for it"),
        ]
        output.write_table(columns, [[u.user, u.account or "none", u.role, u.owner] for u in found.users])

    invocation.answer(found, human)


@user.command(cls=WritingVerb)
@_user
@pass_invocation
def disable(invocation: Invocation, username: str) -> None:
    """Disable an account: its tokens end at once, its records stay.

    Whoever it is may then change nothing by any other way either. For admins.

    \b
    daybook user disable user_2
    daybook user disable rig_1 --json
    """
    from commands.accounts.standing import DisableUser

    with invocation.daybook() as daybook:
        result = daybook.submit(DisableUser(**invocation.repeatable, user=username)).result
    name = printable(username)
    invocation.answer(
        result,
        lambda: output.say(
            f"{name} is disabled: the tokens have ended, the records stay."
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
    from commands.accounts.standing import EnableUser

    with invocation.daybook() as daybook:
        result = daybook.submit(EnableUser(**invocation.repeatable, user=username)).result
    name = printable(username)
    invocation.answer(
        result,
        lambda: output.say(
            f"{name} is enabled. Tokens that ended stay ended."
            if result.changed
            else f"{name} is not disabled: nothing to do."
        ),
    )


@click.group(cls=VerbGroup)
def token() -> None:
    """Tokens with which programs come in through the server."""


@token.command(cls=WritingVerb)
@click.argument("name", metavar="NAME")
@click.option(
    "--for", "username", metavar="USER", callback=user_name, help="For this service account, not for you."
)
@click.option(
    "--scope",
    type=click.Choice(("read", "write")),
    default="write",
    show_default=True,
    help="What it is good for.",
)
@click.option(
    "--expires", metavar="TIME", default="90d", show_default=True, help="After so many days or hours."
)
@pass_invocation
def create(invocation: Invocation, name: str, username: str | None, scope: str, expires: str) -> None:
    """Create a token; it is shown this once.

    NAME says where it is used. The ledger keeps a digest of it, and its public id stands in every event that it
    lets somebody do.

    \b
    daybook token create laptop
    daybook token create rig --for rig_1 --expires 30d --scope write
    """
    from commands.accounts.tokens import create_token

    with invocation.daybook() as daybook:
        result, secret = create_token(
            daybook, name, user=username, scope=scope, length=expires,  # type: ignore[arg-type]
            command_id=invocation.command_id,
        )  # fmt: skip

    def human() -> None:
        if secret is None:
            output.say(f"The token {result.id} was created by this command before, and is not shown again.")
            output.say(f"To have another: daybook token revoke {result.id}, then: daybook token create NAME")
            return
        output.say(
            f"Created the token {result.id} of {printable(result.user)}, good until {shown(result.until)}."
        )
        output.say("It is shown this once. Keep it where only its user can read it:")
        output.say(secret)

    own = {} if secret is None else {"secret": {"token": secret}}
    invocation.answer(result, human, **own)


@token.command("list")
@click.option(
    "--user", "username", metavar="USER", callback=user_name, help="This user's; yours, unless said."
)
@pass_invocation
def list_tokens(invocation: Invocation, username: str | None) -> None:
    """Your tokens, the newest last.

    \b
    daybook token list
    daybook token list --user rig_1
    """
    from commands.answers.accounts import tokens

    with invocation.reading() as world:
        found = tokens(world, username)

    def human() -> None:
        if not found.tokens:
            output.say_instead(
                f"{printable(found.user)} has no tokens. Create one: daybook token create NAME"
            )
            return
        columns = [
            Column("token"), Column("name", "end"), Column("scope"), Column("created (UTC)"), Column("until (UTC)"),
            Column("last used (UTC)"), Column("ended"),
        ]  # fmt: skip
        rows = [
            [t.id, t.name, t.scope, shown(t.issued_at), shown(t.until), shown(t.used_at), t.ended]
            for t in found.tokens
        ]
        output.write_table(columns, rows)

    invocation.answer(found, human)


@token.command(cls=WritingVerb)
@click.argument("token", metavar="TOKEN")
@pass_invocation
def revoke(invocation: Invocation, token: str) -> None:
    """End a token at once.

    TOKEN is its public id. Yours, that of a service account that you answer for, or as an admin anybody's.

    \b
    daybook token revoke k7m2q9x4wd
    daybook token revoke k7m2q9x4wd --json
    """
    from commands.accounts.tokens import RevokeToken

    with invocation.daybook() as daybook:
        result = daybook.submit(RevokeToken(**invocation.repeatable, id=token)).result
    what = f"The token {printable(token)} of {printable(result.user)}"
    invocation.answer(
        result,
        lambda: output.say(
            f"{what} has ended." if result.changed else f"{what} had ended already: nothing to do."
        ),
    )
