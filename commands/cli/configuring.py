"""The verbs ``config`` and ``config init``: the settings in force with their sources, and a file to set them."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import click

from commands.cli import output
from commands.cli.invocation import Invocation, near, pass_invocation
from commands.cli.output import Column, printable
from commands.cli.targets import write_new
from commands.cli.verbs import VerbGroup
from ledger.addresses import shown

_FILE = """\
# Settings of Daybook for this folder and those below it. All of it is optional: what is commented out says what
# holds without it. See what is in force, and why: daybook config

# The ledger: a file of SQLite, or postgresql://USER@HOST/DATABASE. --db and DAYBOOK_DB go before it.
# db = "daybook.db"

# The server that has the ledger, where it is not on this machine; then leave db out. --server and DAYBOOK_SERVER go
# before it.
# server = "https://daybook.example.org"

# Where in a PostgreSQL database the tables of the ledger are.
# schema = "public"

# Whom to ask, and where to report a fault: an address of mail or of a tracker.
# contact = "https://tracker.example.org/daybook"

# Where people reach the server of this ledger: what links are made of.
# public_url = "https://daybook.example.org"

# The zone of times that recordings give in UTC, of file times, and of times on the terminal.
# timezone = "Europe/Oslo"

# How many records a list shows on a terminal; 0 for all.
# list_limit = 100

# How wide tables are on a terminal; that of the terminal where it is not set.
# width = 120

# What is logged on standard error: debug, info, warning or error; nothing where it is not set.
# log_level = "warning"

# Where the prefixes of locations are mounted on this machine. With roots, locations outside of them are refused.
# [roots]
# "N:" = ["/mnt/N"]

# Where the output of clustering programs lies that is not in the session directory: the same path below another place.
# [sorted]
# "N:" = "N:/sorted"

# Checkpoints that are kept by themselves, where the owner of the database cannot change them: in a directory, or in a
# repository that they are committed to; each so many events, or "work" for each daybook work that finds new ones.
# [checkpoints]
# directory = "/mnt/elsewhere/lab"
# every = 1000

# Private networks that webhooks may lead to; else they lead to addresses of the internet alone.
# [webhooks]
# networks = ["10.1.2.0/24"]

# Where a server hands in mail; security is starttls, tls or none. Without it, links are shown to who makes them.
# [mail]
# host = "smtp.example.org"
# from = "daybook@example.org"
# security = "starttls"
# user = "daybook"
# password_file = "smtp.password"

# A provider of OpenID Connect that people sign in by. claim is the one that holds the user name here; whoever has no
# account here stays outside.
# [provider]
# name = "the university"
# issuer = "https://id.example.org"
# client_id = "daybook"
# claim = "preferred_username"
# secret_file = "provider.secret"

# How much of one file is taken: bytes, lists in lists, sessions and clusterings, facts of a catalogue, keys and values.
# [limits]
# input_file_bytes = 10485760
# depth = 32
# entries = 50000
# catalogue_facts = 50000
# nodes = 1500000
"""


@click.group(cls=VerbGroup, invoke_without_command=True)
@click.pass_context
def config(context: click.Context) -> None:
    """See the settings in force, or write a file of them.

    Without a verb, as with show.
    """
    if context.invoked_subcommand is None:
        context.invoke(show_)


@config.command("show")
@pass_invocation
def show_(invocation: Invocation) -> None:
    """Show the settings in force, and where each came from.

    A flag, the environment, a file, or the default. An address is shown without what may be a password.
    """
    found = list(rows(invocation))
    file = invocation.settings.file
    document = {
        "ok": True,
        "file": None if file is None else str(file),
        "settings": [{"setting": name, "value": value, "source": source} for name, value, source in found],
    }

    def human() -> None:
        said = [[name, _said(value), source] for name, value, source in found]
        output.write_table([Column("setting"), Column("value", "below"), Column("from", "middle")], said)
        if file is None:
            output.say("No daybook.toml here or in a folder above. Write one: daybook config init", err=True)

    invocation.answer(document, human)


def rows(invocation: Invocation) -> Iterator[tuple[str, Any, str]]:
    """(name, value, where it came from) of every setting."""
    settings = invocation.settings
    source = settings.source if settings.source != "the default" else "default"
    yield "db", *((shown(settings.db), source) if settings.server is None else (None, "default"))
    yield "server", *((settings.server, source) if settings.server is not None else (None, "default"))
    if settings.server is None:
        yield "user", invocation.actor.user, "--as" if invocation.user is not None else "account"
    else:
        yield "user", None, "whoever is signed in"
    for field in fields(settings):
        if field.name in ("db", "server", "file", "source", "given"):
            continue
        value = getattr(settings, field.name)
        origin = str(settings.file) if field.name in settings.given else "default"
        if field.name == "log_level" and invocation.log_level is not None:
            value, origin = invocation.log_level, "--log-level"
        if field.name == "roots":
            for recorded, place in value.sorted_at.items():
                yield f"sorted.{recorded}", place, str(settings.file)
            value = {prefix: list(places) for prefix, places in value.directories.items()}
        if is_dataclass(value):
            value = {each.name: getattr(value, each.name) for each in fields(value)}
        if isinstance(value, Mapping):
            for key, item in value.items():
                name = f"{field.name}.{key}"
                is_default = field.name == "limits" and name not in settings.given
                yield name, _plain(item), "default" if is_default else origin
        else:
            yield field.name, _plain(value), origin


def _plain(value: Any) -> Any:
    """The form that JSON takes."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _said(value: Any) -> str:
    if value is None:
        return "(not set)"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@config.command("init")
@click.argument("file", default="daybook.toml")
@pass_invocation
def init_(invocation: Invocation, file: str) -> None:
    """Write a file of settings, all of them commented out.

    FILE is daybook.toml in this folder unless said; it is read here and in the folders below.
    """
    path = Path(file)
    write_new(path, _FILE)
    where = near(path)
    invocation.answer(
        {"ok": True, "file": str(path.absolute())},
        lambda: output.say(
            f"Wrote {where}. Take the # from what you want to set; see what holds: daybook config"
        ),
    )
    if path.name != "daybook.toml":
        invocation.note(f"it is read where it is named: --config {printable(path)}")
