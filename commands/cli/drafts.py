"""Verbs that help to write an input file: ``template``, ``schema``, ``compose``. They need no ledger."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import printable
from commands.cli.verbs import Verb


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
@pass_invocation
def compose(invocation: Invocation, directory: str, subject: str | None, target: str | None) -> None:
    """Draft an input file from session directories.

    DIR is one session's directory, or the directory of one subject's sessions. What the disk tells is
    filled in; what only a person knows is left empty, with the table that it must match.
    """
    from commands.inputfile.compose import compose as compose_text
    from commands.recordings.locations import LocationError
    from commands.recordings.roots import normalise

    roots = invocation.settings.roots

    def location_of(path: Path) -> str:
        try:
            return normalise(str(path), roots)
        except LocationError:
            return str(path)

    text = compose_text(_directory(invocation, directory), subject=subject, location_of=location_of)
    if target is not None:
        write_new(Path(target), text)
    file = target or "-"
    document = {"ok": True, "file": target, "text": text}

    def human() -> None:
        if target is None:
            output.say(text.encode(), nl=False)
        else:
            output.say(
                f"Wrote {printable(file)}. Fill in what is empty, then: daybook validate {printable(file)}"
            )

    invocation.answer(document, human)


def _directory(invocation: Invocation, text: str) -> Path:
    """A directory of this machine, or one in the notation of input files."""
    from commands.recordings.locations import LocationError
    from commands.recordings.roots import resolve

    path = Path(text)
    if os.path.isdir(path):  # noqa: PTH112 - of a name that is too long, no error
        return path.resolve()
    if os.path.lexists(path):
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


def write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(
            f"{printable(path)} is there already. Remove it, or choose another name."
        ) from None
    except OSError as error:
        raise click.UsageError(f"{printable(path)} cannot be written: {error.strerror}.") from None
