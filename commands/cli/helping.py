"""The verb ``help``: what ``--help`` says of any verb."""

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.verbs import Verb, VerbGroup


@click.command("help", cls=Verb)
@click.argument("words", metavar="[VERB...]", nargs=-1)
@click.pass_context
@pass_invocation
def help_(invocation: Invocation, context: click.Context, words: tuple[str, ...]) -> None:
    """Explain a verb, with two examples.

    Without a VERB, all of them.
    """
    root = context.find_root()
    command: click.Command | None = root.command
    at = click.Context(root.command, info_name=root.info_name)
    for word in words:
        if not isinstance(command, VerbGroup):
            raise click.UsageError(f'"{at.command_path}" has no verbs of its own.', at)
        name, command, _ = command.resolve_command(at, [word])
        if command is None:
            raise click.UsageError(f'There is no command "{word}".', at)
        at = click.Context(command, info_name=name, parent=at)
    at.color = output.colour_wanted()
    text = at.get_help()
    invocation.answer({"ok": True, "verb": at.command_path, "help": text}, lambda: output.say(text))
