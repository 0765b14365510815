"""The verb that starts the server: ``serve``. The only place of the command line that loads it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import printable
from commands.cli.verbs import Verb
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.web.server import FirstLink

_PORT = 8440


@click.command(cls=Verb)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    metavar="N",
    help="0 for a free one.",
)
@click.option(
    "--tls-cert",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="For https: the certificate.",
)
@click.option(
    "--tls-key", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="For https: its key."
)
@click.option(
    "--behind-proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    help="A proxy in front ends TLS at this address; its word about a client is believed.",
)
@click.option("--no-work", is_flag=True, help="Do no stage 3 here, because workers do it elsewhere.")
@pass_invocation
def serve(
    invocation: Invocation, host: str, port: int, tls_cert: str | None, tls_key: str | None, proxies: tuple[str, ...],
    no_work: bool,
) -> None:  # fmt: skip
    """Serve the ledger over HTTP, to people, rigs and scripts.

    Its first line on standard output is its address. Where nobody can sign in yet, a link for an admin follows.
    Ctrl-C ends it: what is being written is finished. An address that others can reach needs TLS, here or in a proxy in
    front.

    \b
    daybook serve
    daybook serve --host 0.0.0.0 --tls-cert lab.pem --tls-key lab.key
    """
    if invocation.json:
        raise click.UsageError("A server has no one answer: leave out --json.")
    try:
        from commands.web.server import Options, run
    except ImportError as error:
        raise Refusal(
            "no-server",
            f"The server needs {error.name}, which is not installed.",
            'Install it: pip install "daybook-ledger[server]"',
        ) from None

    options = Options(
        host=host, port=port, tls_cert=Path(tls_cert) if tls_cert else None,
        tls_key=Path(tls_key) if tls_key else None, proxies=proxies, work=not no_work,
    )  # fmt: skip
    run(invocation.settings, invocation.state_folder, options, _tell)


def _tell(address: str, first: "FirstLink | None") -> None:
    import sys

    output.say(address)
    if first is not None:
        output.say(
            f"Nobody can sign in yet. For {printable(first.user)}, who is an admin; once, within an hour:"
        )
        output.say(first.link)
    sys.stdout.flush()
    how = "" if first is not None else f" Sign in: {address}/sign-in."
    output.say(f"Serving.{how} Ctrl-C ends it.", err=True)
