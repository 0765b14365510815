"""Verbs that set right what an input file said: ``correct``, ``replay``."""

import re

import click

from commands.cli.input_files import answer_upload
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import file_name
from commands.cli.progress import shown_progress
from commands.cli.verbs import Verb


def _upload_number(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    if not re.fullmatch(r"u[0-9]{1,18}", value):
        raise click.BadParameter(f'"{value}" is not the id of an upload, such as u34. See: daybook uploads')
    return int(value[1:])


@click.command(cls=Verb)
@click.argument("upload", metavar="UPLOAD", callback=_upload_number)
@pass_invocation
def replay(invocation: Invocation, upload: int) -> int:
    """Take the stored bytes of an earlier upload again.

    They go the whole way of a new upload, against the ledger and the disk as they are now: what is missing is
    inserted, the rest are duplicates. UPLOAD is an id such as u34.
    """
    from commands.intake import replay as take_again

    settings = invocation.settings
    with invocation.daybook() as daybook, shown_progress("processing") as progress:
        report = take_again(daybook, upload, roots=settings.roots, limits=settings.limits, progress=progress)
        with daybook.reading() as world:
            name = world.state.uploads[int(report.upload[1:])].filename
    return answer_upload(invocation, report, file_name(name))
