"""How verbs are declared: options good before and after the verb, lazy loading, errors as exit codes."""

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from commands.cli import output
from commands.cli.failures import USAGE, Failure, Interrupted, error_document, failure_of
from commands.cli.invocation import Invocation, user_name
from commands.cli.next_steps import sentence
from ledger.errors import NextStep, Refusal

GLOBAL_OPTIONS = ("db", "server", "user", "on_behalf_of", "config", "json", "utc", "log_level")
LOG_LEVELS = ("debug", "info", "warning", "error")
NAMES_OF_FILES = (
    "file",
    "files",
    "directory",
    "target",
    "keep",
    "since",
    "receipt",
    "proof",
    "key_file",
    "cursor",
    "backup",
    "archive",
)
_LONGEST_WORD = 60
_BROKEN = re.compile("[\\0\ud800-\udfff]")


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Where an option stands before and after the verb, the later one counts."""
    if value is not None and value is not False:
        setattr(context.find_root().ensure_object(Invocation), str(parameter.name), value)


def _remember_user(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    _remember(context, parameter, user_name(context, parameter, value))


def _global_options() -> list[click.Option]:
    """Read before all others, as they decide how the others are read."""
    return [
        click.Option(
            ["--db"],
            metavar="LEDGER",
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help="The ledger: a FILE of SQLite, or postgresql://USER@HOST/DATABASE.",
        ),
        click.Option(
            ["--server"],
            metavar="URL",
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help="The server that has the ledger, such as https://daybook.example.org.",
        ),
        click.Option(
            ["--as", "user"],
            metavar="USER",
            expose_value=False,
            is_eager=True,
            callback=_remember_user,
            help="Act as this user instead of the account that you run it under.",
        ),
        click.Option(
            ["--on-behalf-of"],
            metavar="USER",
            expose_value=False,
            is_eager=True,
            callback=_remember_user,
            help="For a service account that may: what it makes is this user's.",
        ),
        click.Option(
            ["--config"],
            metavar="FILE",
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help="Settings; else daybook.toml here or in a folder above.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help="Answer with one JSON document on standard output.",
        ),
        click.Option(
            ["--utc"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help="Times in UTC instead of your zone. JSON is always in UTC.",
        ),
        click.Option(
            ["--log-level"],
            type=click.Choice(LOG_LEVELS),
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help="Log what the ledger does on standard error, a line each.",
        ),
    ]


def _without_examples(text: str) -> tuple[str, list[str]]:
    """A description, and the examples in it: paragraphs of nothing but command lines."""
    kept, examples = [], []
    for paragraph in text.split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip(" \b")]
        if "\b" in paragraph and lines and all(line.startswith("daybook ") for line in lines):
            examples += lines
        else:
            kept.append(paragraph)
    return "\n\n".join(kept), examples


class _TakesGlobalOptions(click.Command):
    """A command that takes the global options too, and lists them apart."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help, self._examples = _without_examples(self.help or "")
        taken = {name for parameter in self.params for name in parameter.opts}
        self.params += [option for option in _global_options() if not taken & set(option.opts)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, is_global in (("Options", False), ("Global options, before or after the verb", True)):
            records = [
                record
                for parameter in self.get_params(ctx)
                if isinstance(parameter, click.Option)
                and (parameter.name in GLOBAL_OPTIONS and not parameter.expose_value) is is_global
                and (record := parameter.get_help_record(ctx)) is not None
            ]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)

    def examples(self, verb: str) -> Sequence[str]:
        """Those at the end of its description, else those of the table."""
        from commands.cli.examples import EXAMPLES

        return self._examples or EXAMPLES.get(verb, ())

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Two examples, whatever the verb; each on a line of its own, however long, so that it can be pasted."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Examples"):
            for example in self.examples(" ".join(ctx.command_path.split()[1:])):
                formatter.write(f"{' ' * formatter.current_indent}{example}\n")


def _refuse_broken_text(context: click.Context) -> None:
    """Only names of files may be anything but UTF-8 text; a ledger stores nothing else."""
    for name, value in context.params.items():
        for text in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
            if name not in NAMES_OF_FILES and isinstance(text, str) and _BROKEN.search(text):
                raise click.UsageError(f"{output.printable(text)} is not text in UTF-8.", context)


class Verb(_TakesGlobalOptions):
    """One verb. Its function returns an exit code, or None for 0."""

    def invoke(self, ctx: click.Context) -> Any:
        invocation = ctx.find_root().ensure_object(Invocation)
        invocation.verb = ctx.command_path
        ctx.color = output.colour_wanted()
        _refuse_broken_text(ctx)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise Interrupted from interrupt


class WritingVerb(Verb):
    """A verb that changes the ledger, and that can be repeated safely under one id."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        option = click.Option(
            ["--command-id"],
            metavar="ID",
            expose_value=False,
            callback=_remember_command_id,
            help="Repeat safely: the same ID does nothing twice and answers as the first time.",
        )
        self.params.insert(sum(p.expose_value is not False for p in self.params), option)


def _remember_command_id(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        from commands.door.command_ids import checked_command_id

        checked_command_id(value)
    _remember(context, parameter, value)


class VerbGroup(_TakesGlobalOptions, click.Group):
    """Verbs with a common first word."""

    command_class = Verb

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing and not self.invoke_without_command:
            if ctx.find_root().ensure_object(Invocation).json:
                raise click.UsageError(f"Missing command: {', '.join(self.list_commands(ctx))}.", ctx)
            output.say(ctx.get_help(), err=True)
            ctx.exit(USAGE)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        command = self.get_command(ctx, args[0])
        if command is None and not ctx.resilient_parsing and not args[0].startswith("-"):
            import difflib

            word = args[0][:_LONGEST_WORD]
            near = difflib.get_close_matches(word, self.list_commands(ctx), n=1, cutoff=0.6)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            raise click.UsageError(f'There is no command "{word}".{hint}', ctx)
        return super().resolve_command(ctx, args)


class LazyRoot(VerbGroup):
    """The root: knows its verbs by a table, imports the module of the one that is called, and ends every run.

    ``sections`` maps a title to verbs, ``places`` a verb to ``module:attribute``, ``helps`` a verb to its
    short help.
    """

    def __init__(
        self,
        *args: Any,
        sections: Mapping[str, Sequence[str]],
        places: Mapping[str, str],
        helps: Mapping[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections, self.places, self.helps = sections, places, helps

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.places:
            return None
        module, _, attribute = self.places[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for title, verbs in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(verb, self.helps[verb]) for verb in verbs], col_max=16)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and exit. Nothing that is raised gets past this."""
        output.prepare_streams()
        arguments = list(sys.argv[1:] if args is None else args)
        invocation = extra.setdefault("obj", Invocation())
        prog_name = prog_name or "daybook"
        code = self._ended(
            lambda: super(LazyRoot, self).main(
                arguments, prog_name, complete_var, standalone_mode=False, **extra
            ),
            invocation,
            arguments,
        )
        if standalone_mode:
            invocation.remember(arguments, code)
            _discard_output()
            sys.exit(code)
        return code

    def _ended(self, run: Callable[[], Any], invocation: Invocation, arguments: Sequence[str]) -> int:
        try:
            result = run()
        except Exception as error:  # noqa: BLE001 - nobody ever sees a traceback
            failure = failure_of(
                error,
                verb=invocation.verb,
                beside=invocation.state_folder,
                damage=invocation.damage,
                contact=invocation.contact,
                around=lambda: invocation.around(arguments),
            )
            if failure.code == "no-ledger" and failure.steps and invocation.db is not None:
                file = invocation.sqlite_file
                step = NextStep("init", arguments={"db": None if file is None else str(file)})
                failure = replace(failure, steps=(step,))
        except KeyboardInterrupt as error:
            failure = failure_of(error, verb=invocation.verb, beside=None)
        else:
            return result if type(result) is int else 0
        finally:
            invocation.stop_logging()
        _say(failure, as_json=invocation.json or "--json" in arguments)
        return failure.exit


def _say(failure: Failure, *, as_json: bool) -> None:
    """Print the one line. A stream that can no longer be written to must not cause a second error."""
    if failure.message is None:
        _discard_output()
        return
    try:
        if as_json:
            output.write_json({"ok": False, "error": error_document(failure)})
        text = output.printable(f"{failure.message} {sentence(failure.hint, failure.steps)}".rstrip())
        if failure.contact is not None:
            text = f"{text.rstrip('.')}. Contact: {output.printable(failure.contact)}"
        if not as_json:
            output.say(f"{output.coloured('error:', 'red', bold=True)} {text} [{failure.code}]", err=True)
    except (output.ClosedPipe, Refusal):
        _discard_output()


def _discard_output() -> None:
    """Nobody reads any more: what is still buffered must not fail when the interpreter ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
