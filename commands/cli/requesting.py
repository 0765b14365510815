"""Verbs about whatever waits for a decision: ``request list``, ``show``, ``approve``, ``reject``, ``cancel``."""

import copy
import re
from typing import Any

import click

from commands.cli import output
from commands.cli.changes import write_done
from commands.cli.correcting import write_corrected
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.lists import REQUEST_STATUSES, filter_options, list_records, query_of
from commands.cli.next_steps import worded
from commands.cli.output import plural
from commands.cli.redacting import write_redacted
from commands.cli.request_lines import write_request, write_requests
from commands.cli.times import as_of_option
from commands.cli.verbs import VerbGroup, WritingVerb


def _request_number(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    match = re.fullmatch(r"d([1-9][0-9]{0,17})", value)
    if match is None:
        raise click.BadParameter(f'"{value}" is not the id of a request, such as d70.')
    return int(match[1])


request_argument = click.argument("request", metavar="ID", callback=_request_number)


def older_spelling(verb: click.Command) -> click.Command:
    """The same verb for another group, whose help does not list it."""
    older = copy.copy(verb)
    older.hidden = True
    return older


@click.group(cls=VerbGroup)
def request() -> None:
    """See what waits for a decision; approve, reject or cancel it.

    Whatever is asked for is a request, numbered with the others: a deletion, a correction, a redaction, a
    proposal, an addition, a mending, a taking-back, a role.
    """


@request.command("list")
@filter_options(
    "requests",
    REQUEST_STATUSES,
    click.option("--all", "decided", is_flag=True, help="Those that were decided, too."),
)
@pass_invocation
def list_(invocation: Invocation, /, decided: bool, as_of: int | str | None, **asked: Any) -> None:
    """List the requests that are open.

    Of every kind; newest last, with --json newest first.
    """
    if asked["status"] is None and not decided:
        asked["status"] = "requested"
    empty = "No request is open. See all: daybook request list --all"
    if decided:
        empty = "Nothing was ever requested."
    list_records(
        invocation, "requests", query_of(invocation, "requests", asked), as_of, write_requests, empty
    )


@request.command("show")
@request_argument
@as_of_option
@pass_invocation
def show_(invocation: Invocation, request: int, as_of: int | str | None) -> None:
    """Show a request, its history, and what it takes with it."""
    found = invocation.ask("request", as_of=as_of, request_id=f"d{request}")
    invocation.answer(found, lambda: write_request(found))


@request.command("approve", cls=WritingVerb)
@request_argument
@click.option(
    "--accept-impact",
    is_flag=True,
    help="Also what has come to stand on the records since; exactly as the last refusal showed it.",
)
@pass_invocation
def approve_(invocation: Invocation, request: int, accept_impact: bool) -> None:
    """Approve a request, which carries it out at once.

    For an admin other than the requester. Refused where more would go than was shown: look at it, then
    repeat with --accept-impact.
    """
    done = invocation.do("approve-request", ref=f"d{request}", accept_impact=accept_impact)

    def human() -> None:
        if done.kind == "redaction":
            write_redacted(done)
        elif done.kind == "correction":
            write_corrected(done)
        elif done.kind != "deletion":
            write_done(done)
        else:
            output.say(
                f"{done.request} was carried out: {plural(done.sessions, 'session')} and "
                f"{plural(done.clusterings, 'clustering')} "
                f"{'is' if done.sessions + done.clusterings == 1 else 'are'} deleted."
            )
            output.say(f"To undo it, whole: {worded(done.next_steps[0])}")

    invocation.answer(done, human)


@request.command("reject", cls=WritingVerb)
@request_argument
@click.option("--reason", required=True, metavar="TEXT", help="Why not; the requester reads it.")
@pass_invocation
def reject_(invocation: Invocation, request: int, reason: str) -> None:
    """Turn a request down.

    For an admin other than the requester.
    """
    result = invocation.do("reject-request", ref=f"d{request}", reason=reason)
    invocation.answer(result, lambda: output.say(f"{result.request} is rejected; nothing was changed."))


@request.command("cancel", cls=WritingVerb)
@request_argument
@pass_invocation
def cancel_(invocation: Invocation, request: int) -> None:
    """Take back a request of yours."""
    result = invocation.do("cancel-request", ref=f"d{request}")
    invocation.answer(result, lambda: output.say(f"{result.request} is cancelled; nothing was changed."))
