"""The verb ``help``: what ``--help`` says of any verb, and what to do about anything else."""

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

    Without a VERB, all of them. Where the words are no verb, what to do about what they describe: an
    error, or its code.
    """
    root = context.find_root()
    command: click.Command | None = root.command
    at = click.Context(root.command, info_name=root.info_name)
    if words and command is not None and _is_no_verb(command, at, words):
        _topics(invocation, " ".join(words))
        return
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


def _is_no_verb(root: click.Command, at: click.Context, words: tuple[str, ...]) -> bool:
    """A single word that is nearly a verb is meant for one."""
    import difflib

    if not isinstance(root, VerbGroup) or root.get_command(at, words[0]) is not None:
        return False
    return len(words) > 1 or not difflib.get_close_matches(words[0], root.list_commands(at), n=1)


def _topics(invocation: Invocation, asked: str) -> None:
    """The same topics as on the pages of a server, without one."""
    from dataclasses import asdict

    from commands.answers.help_topics import help_for
    from commands.cli.next_steps import worded

    found = help_for(asked)
    if not found.topics:
        raise click.UsageError(f'There is no command and no help about "{asked}".')

    def human() -> None:
        for number, topic in enumerate(found.topics):
            if number:
                output.say()
            output.say(topic.title)
            for line in topic.says:
                output.say(f"  {line}")
            for step in topic.next_steps:
                output.say(f"  {worded(step)}")

    invocation.answer({"ok": True, **asdict(found)}, human)
