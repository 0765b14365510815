"""The verb ``mail``: what is to be told is sent, where no server that runs does it."""

import time

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import plural
from commands.cli.server_keys import server_key_of
from commands.cli.verbs import Verb
from ledger.errors import Refusal

EVERY_S = 30.0


@click.command(cls=Verb)
@click.option("--follow", is_flag=True, help="Go on until Ctrl-C. A server that runs does this by itself.")
@pass_invocation
def mail(invocation: Invocation, follow: bool) -> None:
    """Send the mail that is due: links, requests, what became of uploads, reminders.

    Needs [mail] in daybook.toml. What could not be sent is tried again, later each time.

    \b
    daybook mail
    daybook mail --follow
    """
    from commands.answers.accounts import MailSent
    from commands.mail.notices import look
    from commands.mail.outbox import Post
    from commands.mail.sending import send_due

    invocation.address  # noqa: B018 - is refused where the ledger is at a server
    settings = invocation.settings.mail
    if settings is None:
        raise Refusal(
            "no-mail",
            "The settings do not say where mail is handed in.",
            "Give [mail] in daybook.toml its host.",
        )
    with invocation.daybook() as daybook:
        post = Post(daybook.ledger, server_key_of(invocation), invocation.settings.public_url)
        look(post)
        done = send_due(post, settings)
        try:
            while follow:
                time.sleep(EVERY_S)
                look(post)
                send_due(post, settings)
        except KeyboardInterrupt:
            output.say("Stopped.", err=True)
        with daybook.reading() as world:
            found = MailSent(position=world.head.size, sent=done.sent, failed=done.failed)

    def human() -> None:
        failed = (
            f" {plural(found.failed, 'mail')} could not be sent, and the outbox says why."
            if found.failed
            else ""
        )
        output.say(f"{plural(found.sent, 'mail')} sent.{failed}")

    invocation.answer(found, human)
