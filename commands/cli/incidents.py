"""The verbs ``incident list`` and ``incident show``: faults of Daybook itself that were kept on this machine."""

import re
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column, printable
from commands.cli.times import shown
from commands.cli.verbs import Verb, VerbGroup
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.door.incidents import Incident

_ID = re.compile("[0-9a-f]{1,12}")


@click.group(cls=VerbGroup)
def incident() -> None:
    """Faults of Daybook itself, as they were kept on this machine.

    Those of a server are kept at its machine, beside its ledger.
    """


@incident.command("list", cls=Verb)
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List them, the newest last.

    Each has the id that whoever met it was shown.
    """
    from commands.door.incidents import kept

    found = kept(invocation.state_folder)

    def human() -> None:
        if not found:
            output.say_instead("No fault of daybook was kept on this machine.")
            return
        columns = [Column("incident"), Column("at"), Column("what failed", "middle")]
        output.write_table(columns, [[each.incident, shown(each.at), each.verb] for each in found])

    invocation.answer({"ok": True, "incidents": [_plain(each) for each in found]}, human)


@incident.command("show", cls=Verb)
@click.argument("incident_id", metavar="ID")
@pass_invocation
def show_(invocation: Invocation, incident_id: str) -> None:
    """Show one, as it was kept: the command, those before it, where it failed.

    It holds none of your data. The beginning of an ID will do.
    """
    from commands.door.incidents import kept, text_of

    wanted = incident_id.strip().lower()
    found = [each for each in kept(invocation.state_folder) if each.incident.startswith(wanted)]
    if not _ID.fullmatch(wanted) or not found:
        raise Refusal(
            "not-found",
            f'No incident "{incident_id[:40]}" was kept on this machine.',
            "See those that were: daybook incident list",
        )
    try:
        text = text_of(found[-1])
    except OSError as error:
        raise Refusal(
            "not-readable", f"{found[-1].file} cannot be read: {error.strerror}.", "Ask its owner."
        ) from None
    document = {"ok": True, **_plain(found[-1]), "text": text}
    invocation.answer(document, lambda: output.say("\n".join(map(printable, text.splitlines()))))


def _plain(found: "Incident") -> dict[str, str]:
    return {"incident": found.incident, "at": found.at, "verb": found.verb, "file": found.file}
