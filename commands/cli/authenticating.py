"""Verbs to come in at a server and to go: ``auth accept``, ``login``, ``logout``, ``status``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation, user_name
from commands.cli.output import printable
from commands.cli.times import shown
from commands.cli.verbs import Verb, VerbGroup
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.answers.accounts import WhoIsIn
    from commands.remote.ledger import Remote

_LONGEST = 1_000
_BY = {
    "password": "a password", "second-factor": "a password and a second factor", "token": "a token",
    "oidc": "the sign-in of the lab",
}  # fmt: skip
_password_option = click.option(
    "--password-stdin", is_flag=True, help="The password is the first line of standard input."
)
_group_option = click.option(
    "--allow-group",
    is_flag=True,
    help="The token file can be read by your group, too (mode 0640), for an account that several use.",
)


@click.group(cls=VerbGroup)
def auth() -> None:
    """Sign in at a server, and out.

    What lets you in is kept in a file of your own, one for each server, or comes from DAYBOOK_TOKEN.
    """


@auth.command(cls=Verb)
@click.argument("code", metavar="CODE")
@_password_option
@_group_option
@pass_invocation
def accept(invocation: Invocation, code: str, password_stdin: bool, allow_group: bool) -> None:
    """Join by an invitation: choose a password, and be signed in.

    CODE is that of the invitation, which an admin made. It is good for seven days, and for one use.

    \b
    daybook auth accept CODE
    daybook auth accept CODE --password-stdin < password.txt
    """
    from commands.remote import signing_in

    with _nobody(invocation) as remote:
        password = _password(password_stdin, "Choose a password", again=True)
        token = signing_in.accept(remote, code, password)
    _come_in(invocation, token, allow_group=allow_group)


@auth.command(cls=Verb)
@click.option(
    "--user",
    "username",
    metavar="USER",
    callback=user_name,
    help="Who; the account that you run it under, unless said.",
)
@_password_option
@click.option("--code", metavar="CODE", help="Of your second factor: what the app shows, or a recovery code.")
@click.option(
    "--token-stdin",
    is_flag=True,
    help="No password: keep the token that is the first line of standard input.",
)
@_group_option
@pass_invocation
def login(
    invocation: Invocation, username: str | None, password_stdin: bool, code: str | None, token_stdin: bool,
    allow_group: bool,
) -> None:  # fmt: skip
    """Sign in; what lets you in is kept until it expires.

    A rig or a script has no password: give it the token that was created for it, with --token-stdin.

    \b
    daybook auth login --user user_2
    daybook auth login --token-stdin < token.txt
    """
    if token_stdin and (username or password_stdin or code):
        raise click.UsageError("--token-stdin goes alone: a token says whose it is.")
    if token_stdin:
        _come_in(invocation, _first_line("token"), allow_group=allow_group)
        return
    from commands.door.actor import account
    from commands.remote import signing_in

    user = username or account()
    with _nobody(invocation) as remote:
        password = _password(password_stdin, f"Password of {printable(user)}")
        try:
            token = signing_in.sign_in(remote, user, password, code)
        except Refusal as refusal:
            if refusal.code != "second-factor-needed" or code is not None or not _is_asked():
                raise
            code = click.prompt("Code of your second factor", err=True)
            token = signing_in.sign_in(remote, user, password, code)
    _come_in(invocation, token, allow_group=allow_group)


@auth.command(cls=Verb)
@pass_invocation
def logout(invocation: Invocation) -> None:
    """Sign out; the token file goes.

    A token that was created for a program stays good, and can be put back: daybook token revoke ends it.

    \b
    daybook auth logout
    daybook auth logout --server https://daybook.example.org
    """
    from commands.remote import signing_in
    from commands.remote.faults import NotSignedIn
    from commands.remote.tokens import forget

    ended = None
    with _somebody(invocation) as remote:
        address, was_in = remote.connection.address, remote.connection.token is not None
        try:
            ended = signing_in.sign_out(remote) if was_in else None
        except NotSignedIn:  # it has ended already
            pass
        except Refusal as refusal:
            if refusal.code != "not-a-sign-in":
                raise
    had_file = forget(address)
    said = {
        "ok": True,
        "server": address.text,
        "user": None if ended is None else ended.user,
        "file": had_file,
    }

    def human() -> None:
        if ended is not None:
            output.say(f"{printable(ended.user)} is signed out at {address.text}.")
        elif had_file:
            output.say(f"The token file for {address.text} is gone.")
        else:
            output.say(f"Nobody was signed in at {address.text}.")

    invocation.answer(said, human)
    _mind_environment(invocation)


@auth.command(cls=Verb)
@pass_invocation
def status(invocation: Invocation) -> None:
    """As whom you are signed in, by what, and until when.

    \b
    daybook auth status
    daybook auth status --server https://daybook.example.org
    """
    from commands.remote import signing_in

    with _somebody(invocation) as remote:
        found = signing_in.who_is_in(remote)
    _answer(invocation, found, remote.connection.address.text)


# --- what they have in common ---------------------------------------------------------------------------------------


def _server(invocation: Invocation) -> str:
    server = invocation.settings.server
    if server is None:
        raise click.UsageError(
            "There is no server to sign in at. Name it: --server URL, DAYBOOK_SERVER, or server in daybook.toml."
        )
    return server


@contextmanager
def _nobody(invocation: Invocation) -> "Iterator[Remote]":
    """The server, to somebody who is not signed in yet."""
    from commands.remote.address import server_address
    from commands.remote.connection import Connection
    from commands.remote.ledger import Remote

    with closing(Remote(Connection(server_address(_server(invocation)), None))) as remote:
        yield remote


@contextmanager
def _somebody(invocation: Invocation, token: str | None = None) -> "Iterator[Remote]":
    from commands.remote.opening import open_remote

    with closing(open_remote(_server(invocation), token=token)) as remote:
        yield remote


def _come_in(invocation: Invocation, token: str, *, allow_group: bool) -> None:
    """Keep the token, if the server takes it."""
    from commands.door.private_files import has_modes
    from commands.remote import signing_in
    from commands.remote.tokens import keep

    with _somebody(invocation, token) as remote:
        found = signing_in.who_is_in(remote)
    file = keep(remote.connection.address, token, allow_group=allow_group)
    _answer(invocation, found, remote.connection.address.text, file=str(file))
    if not has_modes():
        invocation.warn(f"this system does not say who may read {file}: see that nobody else can.")
    _mind_environment(invocation)


def _answer(invocation: Invocation, found: "WhoIsIn", server: str, **own: Any) -> None:
    def human() -> None:
        role = f"role {found.role}" if found.role else "no role"
        reads = ", which only reads" if found.scope == "read" else ""
        name = f' "{printable(found.name)}"' if found.name else ""
        output.say(f"Signed in at {server} as {printable(found.user)}, {role}.")
        output.say(f"By {_BY.get(found.authentication, found.authentication)}{name} ({found.id}){reads}.")
        output.say(_how_long(found.until))

    invocation.answer(found, human, server=server, **own)


def _how_long(until: str | None) -> str:
    if until is None:
        return "It does not expire."
    left = datetime.fromisoformat(until) - datetime.now(UTC)
    hours = int(left.total_seconds() // 3600)
    return f"Until {shown(until)}: for {f'{hours // 24} days' if hours >= 48 else f'{hours} hours'} more."


def _mind_environment(invocation: Invocation) -> None:
    import os

    from commands.remote.tokens import IN_ENVIRONMENT

    if os.environ.get(IN_ENVIRONMENT):
        invocation.warn(f"{IN_ENVIRONMENT} is set, and goes before the token file.")


def _is_asked() -> bool:
    """Whether somebody is there who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def _password(from_stdin: bool, prompt: str, *, again: bool = False) -> str:
    if from_stdin:
        return _first_line("password")
    if not _is_asked():
        raise click.UsageError(
            "There is no terminal to ask for the password at. Give it with --password-stdin."
        )
    ask: Callable[..., str] = click.prompt
    return ask(prompt, hide_input=True, err=True, confirmation_prompt="Once more" if again else False)


def _first_line(what: str) -> str:
    if sys.stdin is None:
        raise click.UsageError(f"Standard input is closed, and the {what} was to come from it.")
    line = sys.stdin.buffer.readline(_LONGEST)
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.UsageError(f"The {what} on standard input is not text in UTF-8.") from None
    if not text:
        raise click.UsageError(f"There is no {what} on standard input.")
    return text
