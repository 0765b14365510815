"""Verbs about tokens: ``token create``, ``list``, ``revoke``."""

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation, user_name
from commands.cli.output import Column, printable
from commands.cli.times import shown
from commands.cli.verbs import VerbGroup, WritingVerb


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
    result, told = invocation.do_once("create-token", name=name, user=username, scope=scope, length=expires)
    secret = None if told is None else told["token"]

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
    found = invocation.ask("tokens", user=username)

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
    result = invocation.do("revoke-token", id=token)
    what = f"The token {printable(token)} of {printable(result.user)}"
    invocation.answer(
        result,
        lambda: output.say(
            f"{what} has ended." if result.changed else f"{what} had ended already: nothing to do."
        ),
    )
