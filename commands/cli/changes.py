"""What came of a change: it is made, asked for, or carried out."""

from typing import TYPE_CHECKING, Any

from commands.cli import output
from commands.cli.next_steps import worded
from commands.cli.output import plural, printable
from commands.cli.request_lines import some

if TYPE_CHECKING:
    from commands.cli.invocation import Invocation
    from commands.requests.changes.approval import ChangeDone
    from commands.requests.changes.asking import ChangeMade

_MADE = {
    "proposal": "It is in the catalogue",
    "addition": "Added",
    "mending": "Mended",
    "taking-back": "Taken back",
    "role": "Granted",
}

_ASKED = {
    "proposal": "proposes",
    "addition": "asks to add to",
    "mending": "asks to mend",
    "taking-back": "asks to take back",
    "role": "asks for the role",
}
_DONE = {
    "proposal": "is in the catalogue",
    "addition": "has what was added",
    "mending": "is mended",
    "taking-back": "is taken back",
    "role": "is granted",
}


def change(invocation: "Invocation", action: str, **parameters: Any) -> None:
    """Take an action that changes what is on record, or asks for that, and say which."""
    with invocation.answering() as ledger:
        made = ledger.do(action, command_id=invocation.command_id, **parameters).answer
        user = ledger.user
    invocation.answer(made, lambda: write_made(made, user))


def write_made(made: "ChangeMade", user: str) -> None:
    """``user`` is who asked."""
    about = printable(some(made.records))
    if made.request is None:
        output.say(f"{_MADE[made.kind]}: {about}.")
        return
    output.say(f"{made.request} {_ASKED[made.kind]} {about}. Nothing is changed yet.")
    concerned = _concerned(made)
    if concerned:
        number = sum(last - first + 1 for first, last in [*made.sessions, *made.clusterings])
        stand = "On it stands" if number == 1 else "On it stand"
        verb = "It would take" if made.kind == "taking-back" else stand
        output.say(f"{verb} {concerned}.")
        others = {name: count for name, count in made.users.items() if name != user}
        if others:
            each = ", ".join(f"{count:,} of {printable(name)}" for name, count in others.items())
            output.say(f"Not all of it is {printable(user)}'s own: {each}.")
    other = "" if made.own_approval else f" other than {printable(user)}"
    approve, cancel = map(worded, made.next_steps)
    output.say(f"An admin{other} decides: {approve}")
    output.say(f"To take it back: {cancel}")


def _concerned(made: "ChangeMade") -> str:
    sessions = sum(last - first + 1 for first, last in made.sessions)
    clusterings = sum(last - first + 1 for first, last in made.clusterings)
    parts = [plural(sessions, "session")] if sessions else []
    parts += [plural(clusterings, "clustering")] if clusterings else []
    return " and ".join(parts)


def write_done(done: "ChangeDone") -> None:
    """Of an approval."""
    concerned = [plural(done.sessions, "session")] if done.sessions else []
    concerned += [plural(done.clusterings, "clustering")] if done.clusterings else []
    text = f"{done.request} was carried out: {printable(some(done.records))} {_DONE[done.kind]}."
    if concerned:
        are = "is" if done.sessions + done.clusterings == 1 else "are"
        joined = " and ".join(concerned)
        text += (
            f" {joined} {are} deleted with it." if done.kind == "taking-back" else f" It concerns {joined}."
        )
    output.say(text)
    for step in done.next_steps:
        output.say(f"To undo it, whole: {worded(step)}")
