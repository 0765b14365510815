"""Verbs about webhooks: ``webhook add``, ``list``, ``show``, ``remove``, ``retry``, ``send``."""

import time
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column, plural, printable
from commands.cli.server_keys import server_key_of
from commands.cli.times import shown
from commands.cli.verbs import Verb, VerbGroup, WritingVerb

if TYPE_CHECKING:
    from commands.accounts.webhooks import WebhookLine


@click.group(cls=VerbGroup)
def webhook() -> None:
    """Addresses that are sent every event, signed.

    \b
    daybook webhook add https://example.org/daybook
    daybook webhook list
    """


@webhook.command(cls=WritingVerb)
@click.argument("url", metavar="URL")
@click.option(
    "--since",
    type=click.IntRange(0, 2**63 - 1),
    metavar="POSITION",
    help="Begin behind it; else with what comes.",
)
@pass_invocation
def add(invocation: Invocation, url: str, since: int | None) -> None:
    """Send every event to URL from now on.

    The secret that messages are signed with is shown this once. What was sent cannot be redacted: whoever gets it has
    it. Private addresses are sent to only where webhooks.networks of daybook.toml names their network.

    \b
    daybook webhook add https://example.org/daybook
    daybook webhook add https://example.org/daybook --since 0
    """
    from commands.accounts.webhooks import add_webhook

    key = server_key_of(invocation)
    with invocation.daybook() as daybook:
        made, secret = add_webhook(daybook, key, url, since=since, command_id=invocation.command_id)

    def human() -> None:
        output.say(
            f"Added the webhook {made.id}: what comes behind position {made.since:,} goes to {made.host}."
        )
        output.say("What was sent cannot be redacted.")
        if secret is not None:
            output.say("Its messages are signed with this secret, which is shown this once:")
            output.say(secret)

    invocation.answer(made, human, **({} if secret is None else {"secret": {"secret": secret}}))


@webhook.command("list", cls=Verb)
@pass_invocation
def list_(invocation: Invocation) -> None:
    """The webhooks, and how far each has come. For admins.

    \b
    daybook webhook list
    daybook webhook list --json
    """
    from commands.accounts.webhooks import list_webhooks

    with invocation.daybook() as daybook:
        found = list_webhooks(daybook)

    def human() -> None:
        if not found.webhooks:
            output.say_instead("There is no webhook. Add one: daybook webhook add URL")
            return
        columns = [
            Column("webhook"), Column("host"), Column("sent to", right=True), Column("failures", right=True),
            Column("next attempt (UTC)"), Column("dead letters", right=True), Column("error", "below"),
        ]  # fmt: skip
        output.write_table(columns, [_row(line) for line in found.webhooks])

    invocation.answer(found, human)


def _row(line: "WebhookLine") -> list[object]:
    next_at = "stopped" if line.stopped else shown(line.next_at or "")
    return [line.id, line.host, line.sent_to, line.failures or "", next_at, len(line.dead) or "", line.error]


@webhook.command(cls=Verb)
@click.argument("webhook", metavar="ID")
@pass_invocation
def show(invocation: Invocation, webhook: str) -> None:
    """One webhook, and its dead letters. For admins.

    \b
    daybook webhook show k7m2q9x4wd
    daybook webhook show k7m2q9x4wd --json
    """
    from commands.accounts.webhooks import list_webhooks

    with invocation.daybook() as daybook:
        found = list_webhooks(daybook, webhook)
    line = found.webhooks[0]

    def human() -> None:
        output.say(f"{line.id} to {line.host}, added by {printable(line.user)}, {shown(line.made_at)}.")
        output.say(f"Sent to position {line.sent_to:,} of {found.position:,}.")
        if line.error:
            again = f" The next attempt is at {shown(line.next_at)}." if line.next_at else ""
            output.say(printable(f"{plural(line.failures, 'failure')}: {line.error}.{again}"))
        if line.stopped:
            output.say("It is stopped: too many events were refused.")
        if line.dead:
            columns = [
                Column("position", right=True), Column("attempts", right=True), Column("given up (UTC)"),
                Column("error", "below"),
            ]  # fmt: skip
            output.write_table(
                columns, [[each.position, each.attempts, shown(each.at), each.error] for each in line.dead]
            )
            output.say(f"To send them again: daybook webhook retry {line.id}")

    invocation.answer(found, human)


@webhook.command(cls=WritingVerb)
@click.argument("webhook", metavar="ID")
@pass_invocation
def remove(invocation: Invocation, webhook: str) -> None:
    """Send nothing to it any more.

    \b
    daybook webhook remove k7m2q9x4wd
    daybook webhook remove k7m2q9x4wd --json
    """
    from commands.accounts.webhooks import RemoveWebhook

    with invocation.daybook() as daybook:
        ended = daybook.submit(RemoveWebhook(id=webhook, **invocation.repeatable)).result
    invocation.answer(
        ended,
        lambda: output.say(
            f"Removed the webhook {ended.id}." if ended.changed else f"{ended.id} was removed already."
        ),
    )


@webhook.command(cls=Verb)
@click.argument("webhook", metavar="ID")
@pass_invocation
def retry(invocation: Invocation, webhook: str) -> None:
    """Send its dead letters again, and at once what waits. For admins.

    \b
    daybook webhook retry k7m2q9x4wd
    daybook webhook retry k7m2q9x4wd --json
    """
    from commands.accounts.webhooks import retry_webhook

    with invocation.daybook() as daybook:
        found = retry_webhook(daybook, webhook)
    invocation.answer(
        found,
        lambda: output.say(
            f"{plural(len(found.again), 'dead letter')} will be sent again, before what waits."
        ),
    )


@webhook.command(cls=Verb)
@click.option("--follow", is_flag=True, help="Go on until Ctrl-C. A server that runs does this by itself.")
@pass_invocation
def send(invocation: Invocation, follow: bool) -> None:
    """Send what is due to every webhook.

    \b
    daybook webhook send
    daybook webhook send --follow
    """
    from commands.answers.webhook_sending import EVERY_S, send_due

    key, networks = server_key_of(invocation), invocation.settings.webhooks
    with invocation.daybook() as daybook:
        found = send_due(daybook.ledger, key, networks)
        try:
            while follow:
                time.sleep(EVERY_S)
                send_due(daybook.ledger, key, networks)
        except KeyboardInterrupt:
            output.say("Stopped.", err=True)

    def human() -> None:
        output.say(
            f"{plural(found.sent, 'message')} taken, {plural(found.dead, 'dead letter')}, "
            f"{plural(found.waiting, 'webhook')} to be tried again."
        )

    invocation.answer(found, human)
