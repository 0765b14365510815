"""Verbs that help to write an input file: ``template``, ``schema``, ``compose``. None needs a ledger."""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Literal

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import printable
from commands.cli.targets import write_new
from commands.cli.verbs import Verb

if TYPE_CHECKING:
    from commands.answers.drafting import Draft

_SHOWN = 200  # characters of a name


@click.command(cls=Verb)
@click.option(
    "--format",
    "form",
    type=click.Choice(("yaml", "json")),
    default=None,
    help="YAML (with comments) or JSON.",
)
@click.option("--example", is_flag=True, help="Filled in with an example instead of empty.")
@pass_invocation
def template(invocation: Invocation, form: Literal["yaml", "json"] | None, example: bool) -> None:
    """Print an empty input file, with comments."""
    from commands.inputfile.template import template as template_text

    if invocation.json and form == "yaml":
        raise click.UsageError("--json and --format yaml exclude each other.")
    output.say(
        template_text("json" if invocation.json else form or "yaml", example=example).encode(), nl=False
    )


@click.command(cls=Verb)
@click.option(
    "--answers", is_flag=True, help="Of what the verbs answer with --json, by the name of the question."
)
def schema(answers: bool) -> None:
    """Print the JSON schema of input files, for editors.

    With --answers one JSON document with the schema of every answer.
    """
    if answers:
        from commands.cli.published import schemas

        output.write_json(schemas())
        return
    from commands.inputfile.schema import schema as input_file_schema

    output.write_json(input_file_schema())


@click.command(cls=Verb)
@click.argument("directory", metavar="DIR")
@click.option("--subject", metavar="NAME", help="The subject's name, as registered.")
@click.option(
    "-o", "--output", "target", metavar="FILE", help="Write it to a new file instead of standard output."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("yaml", "json")),
    default="yaml",
    help="YAML, with comments, or JSON; what the comments say is then said on standard error.",
)
@pass_invocation
def compose(
    invocation: Invocation,
    directory: str,
    subject: str | None,
    target: str | None,
    form: Literal["yaml", "json"],
) -> None:
    """Draft an input file from session directories.

    DIR is one session's directory, or the directory of one subject's sessions. What the disk tells is
    filled in; what only a person knows is left empty, with the table that it must match, and the valid values
    where there is a ledger.
    """
    found = _drafted(invocation, directory, subject, form)
    text, notes = found.text, found.notes
    if target is not None:
        write_new(Path(target), text)
    file = target or "-"

    def human() -> None:
        if target is None:
            output.say(text.encode(), nl=False)
        else:
            output.say(
                f"Wrote {printable(file)}. Fill in what is empty, then: daybook validate {printable(quote(str(file)))}"
            )
        for note in notes:
            output.say(printable(f"{note.path}: {note.text}" if note.path else note.text), err=True)

    invocation.answer(found, human, file=target)


def _drafted(
    invocation: Invocation, directory: str, subject: str | None, form: Literal["yaml", "json"]
) -> "Draft":
    if invocation.settings.server is not None:
        invocation.note("the directory is one of the server, as all paths in its ledger are.")
        found: Draft = invocation.ask("draft", directory=directory, subject=subject, form=form)
        return found
    from commands.answers.drafting import drafted

    place = _directory(invocation, directory)
    position, values = _valid_values(invocation, subject)
    return drafted(
        place, subject=subject, form=form, roots=invocation.settings.roots, values=values, position=position
    )


def _valid_values(invocation: Invocation, subject: str | None) -> tuple[int, dict[str, list[str]]]:
    """Of each table, where there is a ledger to ask, and how far it has come."""
    from commands.answers.drafting import valid_values
    from ledger.errors import Refusal

    file = invocation.sqlite_file
    if file is not None and not file.exists():
        return 0, {}
    try:
        with invocation.reading() as world:
            return world.head.size, valid_values(world, subject)
    except Refusal as refusal:
        invocation.note(f"without the valid values of the ledger: {refusal.message}")
        return 0, {}


def _directory(invocation: Invocation, text: str) -> Path:
    """A directory of this machine, or one in the notation of input files."""
    from commands.recordings.locations import LocationError
    from commands.recordings.search import resolve

    path = Path(text)
    try:
        is_directory, is_there = path.is_dir(), path.exists()
    except OSError as error:
        raise click.UsageError(f"{printable(text[:_SHOWN])} cannot be read: {error.strerror}.") from None
    if is_directory:
        return path.resolve()
    if is_there:
        raise click.UsageError(
            f"{printable(text)} is a file; expected the directory of a session, or of a subject."
        )
    try:
        return resolve(text, invocation.settings.roots)
    except LocationError as error:
        if error.code == "location-not-absolute":
            raise click.UsageError(f"There is no directory {printable(text)}.") from None
        raise


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """What a verb answers that has written its answer to a new file."""

    file: str
