"""Verbs that take records away and bring them back: ``withdraw``, ``delete ...``, ``restore``."""

import re
from collections.abc import Sequence
from typing import Any

import click

from commands.cli import output
from commands.cli.correcting import write_corrected
from commands.cli.failures import REFUSED, error_document
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.lists import REQUEST_STATUSES, filter_options, list_records, query_of
from commands.cli.next_steps import sentence, worded
from commands.cli.output import plural, printable
from commands.cli.redacting import write_redacted
from commands.cli.request_lines import some, write_request, write_requests, write_takes
from commands.cli.times import as_of_option
from commands.cli.verbs import VerbGroup, WritingVerb
from ledger.errors import Refusal


def _request_number(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    match = re.fullmatch(r"d([1-9][0-9]{0,17})", value)
    if match is None:
        raise click.BadParameter(f'"{value}" is not the id of a request, such as d70.')
    return int(match[1])


request_argument = click.argument("request", metavar="ID", callback=_request_number)


# --- withdraw -----------------------------------------------------------------------------------------------


@click.command(cls=WritingVerb)
@click.argument("references", metavar="REF...", nargs=-1, required=True)
@pass_invocation
def withdraw(invocation: Invocation, references: Sequence[str]) -> None:
    """Take back entries of yours that were never inserted.

    REF is the exact id of a session or a multi-session clustering that is pending, waits or failed (s12, c34), or
    of an upload (u56) for all such entries of it. All of them or none.
    """
    from commands.requests.withdrawal import Withdraw

    with invocation.daybook() as daybook:
        command = Withdraw(**invocation.repeatable, records=list(references))
        result = daybook.submit(command).result

    def human() -> None:
        names = result.withdrawn
        if not names:
            output.say("Nothing to do: all of it was withdrawn before.")
            return
        output.say(f"Withdrawn: {some(names)}.")
        if result.fails:
            output.say(
                f"{some(result.fails)} stands on what was withdrawn and will fail when it is next looked at."
                if len(result.fails) == 1
                else f"{some(result.fails)} stand on what was withdrawn and will fail when next looked at."
            )

    invocation.answer(result, human)


# --- delete -------------------------------------------------------------------------------------------------


@click.group(cls=VerbGroup)
def delete() -> None:
    """Request, preview, approve or reject a deletion.

    Corrections and redactions are requests too: list, show, approve, reject and cancel are for all of them.
    """


@delete.command("request", cls=WritingVerb)
@click.argument("references", metavar="REF...", nargs=-1, required=True)
@click.option("--reason", required=True, metavar="TEXT", help="Why it has to go; kept for good.")
@pass_invocation
def request_(invocation: Invocation, references: Sequence[str], reason: str) -> None:
    """Ask that records are deleted, and see what would go with them.

    REF is the exact id of a session, a clustering or an upload (s12, c34, u56); an upload stands for all that came
    of it. Nothing is deleted before an admin approves.
    """
    from commands.answers.request import request
    from commands.requests.deletion import RequestDeletion

    with invocation.daybook() as daybook:
        command = RequestDeletion(**invocation.repeatable, records=list(references), reason=reason)
        asked = daybook.submit(command).result
        with daybook.reading() as world:
            found = request(world, int(asked.request[1:]))

    def human() -> None:
        output.say(f"{asked.request} asks for the deletion of {some(asked.records)}. Nothing is deleted yet.")
        if found.takes is not None:
            write_takes(found, found.takes)
        other = "" if asked.own_approval else f" other than {printable(found.requested_by)}"
        approve, cancel = map(worded, asked.next_steps)
        output.say()
        output.say(f"An admin{other} decides: {approve}")
        output.say(f"To take it back: {cancel}")

    invocation.answer(asked, human)


@delete.command("list")
@filter_options(
    REQUEST_STATUSES, click.option("--all", "decided", is_flag=True, help="Those that were decided, too.")
)
@pass_invocation
def list_(invocation: Invocation, /, decided: bool, as_of: int | str | None, **asked: Any) -> None:
    """List the requests that are open.

    Deletions, corrections and redactions; newest last, with --json newest first.
    """
    if asked["status"] is None and not decided:
        asked["status"] = "requested"
    empty = "No request is open. See all: daybook delete list --all"
    if decided:
        empty = "Nothing was ever requested."
    list_records(invocation, "requests", query_of(invocation, asked), as_of, write_requests, empty)


@delete.command("show")
@request_argument
@as_of_option
@pass_invocation
def show_(invocation: Invocation, request: int, as_of: int | str | None) -> None:
    """Show a request, its history, and what it takes with it."""
    from commands.answers.request import request as find

    with invocation.reading(as_of, invocation.about(f"d{request}")) as world:
        found = find(world, request)
    invocation.answer(found, lambda: write_request(found))


@delete.command("approve", cls=WritingVerb)
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
    from commands.requests.approving import approve

    with invocation.daybook() as daybook:
        done = approve(
            daybook,
            request,
            accept_impact=accept_impact,
            roots=invocation.settings.roots,
            command_id=invocation.command_id,
        )

    def human() -> None:
        if done.kind == "redaction":
            write_redacted(done)
        elif done.kind == "correction":
            write_corrected(done)
        else:
            output.say(
                f"{done.request} was carried out: {plural(done.sessions, 'session')} and "
                f"{plural(done.clusterings, 'clustering')} "
                f"{'is' if done.sessions + done.clusterings == 1 else 'are'} deleted."
            )
            output.say(f"To undo it, whole: {worded(done.next_steps[0])}")

    invocation.answer(done, human)


@delete.command("reject", cls=WritingVerb)
@request_argument
@click.option("--reason", required=True, metavar="TEXT", help="Why not; the requester reads it.")
@pass_invocation
def reject_(invocation: Invocation, request: int, reason: str) -> None:
    """Turn a request down.

    For an admin other than the requester.
    """
    from commands.requests.rules import RejectRequest

    with invocation.daybook() as daybook:
        command = RejectRequest(**invocation.repeatable, request=request, reason=reason)
        result = daybook.submit(command).result
    invocation.answer(result, lambda: output.say(f"{result.request} is rejected; nothing was changed."))


@delete.command("cancel", cls=WritingVerb)
@request_argument
@pass_invocation
def cancel_(invocation: Invocation, request: int) -> None:
    """Take back a request of yours."""
    from commands.requests.rules import CancelRequest

    with invocation.daybook() as daybook:
        result = daybook.submit(CancelRequest(**invocation.repeatable, request=request)).result
    invocation.answer(result, lambda: output.say(f"{result.request} is cancelled; nothing was changed."))


@delete.command("policy", cls=WritingVerb)
@click.option(
    "--own-requests",
    type=click.Choice(("allow", "refuse")),
    help="Whether an admin may approve what he or she requested; never for redactions.",
)
@pass_invocation
def policy_(invocation: Invocation, own_requests: str | None) -> None:
    """Say whether admins may approve their own requests, or set it."""
    from commands.requests.policy import SetApprovalPolicy, approval_policy

    with invocation.daybook() as daybook:
        if own_requests is None:
            policy = approval_policy(daybook)
        else:
            command = SetApprovalPolicy(**invocation.repeatable, own_requests=own_requests == "allow")
            policy = daybook.submit(command).result
    may = "may" if policy.own_requests == "allow" else "may not"
    invocation.answer(
        policy,
        lambda: output.say(f"Admins {may} approve deletions and corrections that they requested themselves."),
    )


# --- restore ------------------------------------------------------------------------------------------------


@click.command(cls=WritingVerb)
@request_argument
@pass_invocation
def restore(invocation: Invocation, request: int) -> int:
    """Undo an executed deletion, whole.

    For an admin. Refused, with everything that stands in the way, where a location, a session time or a group name
    was taken since.
    """
    from commands.requests.restoration import Blocked, RestoreDeletion

    with invocation.daybook() as daybook:
        try:
            result = daybook.submit(RestoreDeletion(**invocation.repeatable, request=request)).result
        except Blocked as blocked:
            return _blocked(invocation, blocked)

    def human() -> None:
        output.say(
            f"{result.request} is undone: {plural(result.sessions, 'session')} and "
            f"{plural(result.clusterings, 'clustering')} "
            f"{'stands' if result.sessions + result.clusterings == 1 else 'stand'} again."
        )
        if result.pending:
            are = "had not been inserted and is" if result.pending == 1 else "had not been inserted and are"
            output.say(f"{result.pending:,} of them {are} pending: {worded(result.next_steps[0])}")

    invocation.answer(result, human)
    return 0


def _blocked(invocation: Invocation, blocked: Any) -> int:
    refusal: Refusal = blocked
    document = {
        "ok": False,
        "error": error_document(refusal),
        "blockers": blocked.blockers,
    }
    if invocation.json:
        output.write_json(document)
        return REFUSED
    for blocker in blocked.blockers:
        output.say(printable(blocker))
    text = f"{refusal.message} {sentence(refusal.hint, refusal.steps)}"
    output.say(f"{output.coloured('error:', 'red', bold=True)} {printable(text)} [{refusal.code}]", err=True)
    return REFUSED
