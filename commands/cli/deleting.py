"""Verbs that take records away and bring them back: ``withdraw``, ``delete request``, ``restore``."""

from collections.abc import Sequence
from typing import Any

import click

from commands.cli import output
from commands.cli.failures import REFUSED, error_document
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import sentence, worded
from commands.cli.output import plural, printable
from commands.cli.request_lines import some, write_impact, write_takes
from commands.cli.requesting import older_spelling, request_argument
from commands.cli.requesting import request as requests_
from commands.cli.verbs import VerbGroup, WritingVerb
from ledger.errors import Refusal

# --- withdraw -----------------------------------------------------------------------------------------------


@click.command(cls=WritingVerb)
@click.argument("references", metavar="REF...", nargs=-1, required=True)
@pass_invocation
def withdraw(invocation: Invocation, references: Sequence[str]) -> None:
    """Take back entries of yours that were never inserted.

    REF is the exact id of a session or a multi-session clustering that is pending, waits or failed (s12, c34), or
    of an upload (u56) for all such entries of it. All of them or none.
    """
    result = invocation.do("withdraw", records=list(references))

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
    """Ask for a deletion, after a look at what would go with it.

    What was asked for is looked at and decided by daybook request. Its older spelling, daybook delete
    list|show|approve|reject|cancel, goes on working.
    """


for _verb in requests_.commands.values():
    delete.add_command(older_spelling(_verb))


@delete.command("request", cls=WritingVerb)
@click.argument("references", metavar="REF...", nargs=-1, required=True)
@click.option("--reason", metavar="TEXT", help="Why it has to go; kept for good.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and ask for nothing.")
@pass_invocation
def request_(invocation: Invocation, references: Sequence[str], reason: str | None, dry_run: bool) -> None:
    """Ask that records are deleted, and see what would go with them.

    REF is the exact id of a session, a clustering or an upload (s12, c34, u56); an upload stands for all that came
    of it. Nothing is deleted before an admin approves.
    """
    if dry_run:
        _look(invocation, list(references))
        return
    if reason is None:
        raise click.UsageError("Missing option '--reason'. To see what would go first: --dry-run.")
    with invocation.answering() as ledger:
        given: dict[str, Any] = {"records": list(references), "reason": reason}
        asked = ledger.do("request-deletion", command_id=invocation.command_id, **given).answer
        found = ledger.ask("request", request_id=asked.request)

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


def _look(invocation: Invocation, references: list[str]) -> None:
    looked = invocation.ask("would-delete", records=references)

    def human() -> None:
        write_impact(looked.takes, printable(looked.user), "It would take", "--json")
        output.say()
        output.say("Nothing was asked for, and nothing is recorded.")

    invocation.answer(looked, human)


@delete.command("policy", cls=WritingVerb, hidden=True)
@click.option(
    "--own-requests",
    type=click.Choice(("allow", "refuse")),
    help="Whether an admin may approve what he or she requested; never for redactions.",
)
@pass_invocation
def policy_(invocation: Invocation, own_requests: str | None) -> None:
    """The older spelling of: daybook policy own-requests."""
    if own_requests is None:
        from commands.requests.policy import ApprovalPolicy

        found = invocation.ask("policies")
        policy = ApprovalPolicy(position=found.position, own_requests=found.own_requests)
    else:
        policy = invocation.do("set-approval-policy", own_requests=own_requests)
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
    try:
        result = invocation.do("restore", ref=f"d{request}")
    except Refusal as refusal:
        if not getattr(refusal, "blockers", ()):
            raise
        return _blocked(invocation, refusal)

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


def _blocked(invocation: Invocation, refusal: Refusal) -> int:
    blockers: Sequence[str] = refusal.blockers  # type: ignore[attr-defined]
    document = {
        "ok": False,
        "error": error_document(refusal),
        "blockers": blockers,
    }
    if invocation.json:
        output.write_json(document)
        return REFUSED
    for blocker in blockers if blockers[1:] else ():  # a single one stands in the message
        output.say(printable(blocker))
    text = f"{refusal.message} {sentence(refusal.hint, refusal.steps)}"
    output.say(f"{output.coloured('error:', 'red', bold=True)} {printable(text)} [{refusal.code}]", err=True)
    return REFUSED
