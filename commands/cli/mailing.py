"""The verb ``mail``: what is to be told is sent, where no server that runs does it."""

import time
from collections.abc import Callable

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import plural, printable
from commands.cli.server_keys import server_key_of
from commands.cli.verbs import Verb
from ledger.connection_errors import MAY_PASS
from ledger.errors import LedgerUnavailable, Refusal

EVERY_S = 30.0


def _follow(invocation: Invocation, once: Callable[[], object]) -> None:
    """Until Ctrl-C, through a database that is restarted."""
    lost = False
    try:
        while True:
            time.sleep(EVERY_S)
            try:
                once()
            except LedgerUnavailable as unavailable:
                if unavailable.code not in MAY_PASS:
                    raise
                if not lost:
                    invocation.note(f"the ledger cannot be reached: {printable(unavailable.message)}")
                lost = True
            else:
                if lost:
                    invocation.note("the ledger can be reached again.")
                lost = False
    except KeyboardInterrupt:
        output.say("Stopped.", err=True)


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
        if follow:
            _follow(invocation, lambda: (look(post), send_due(post, settings)))
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
