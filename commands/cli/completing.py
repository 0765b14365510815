"""Verbs that add what a file left out, or decide: ``associate``, ``settle``, ``add-tasks``, ``add-clustering``,
``annotate``, ``amend``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.failures import ENTRY_FAILED, REFUSED
from commands.cli.finding_lines import counted, plain, write_findings
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import worded
from commands.cli.output import printable
from commands.cli.sources import read_source
from commands.cli.times import local_time
from commands.cli.verbs import WritingVerb
from commands.inputfile.findings import Finding
from ledger.errors import Refusal
from projections.lines import in_words

if TYPE_CHECKING:
    from commands.intake.completing import ClusteringAdded, CompletedSession


def _complete(invocation: Invocation, action: str, reference: str, *, file: str = "", **given: Any) -> int:
    """Carry the action out, and say how the session stands now."""
    try:
        result = invocation.do(action, ref=reference, **given)
    except Refusal as refusal:
        return _rejected(invocation, refusal, file or reference)
    invocation.answer(result, lambda: _write(result))
    return ENTRY_FAILED if getattr(result, "status", None) == "error" else 0


def _rejected(invocation: Invocation, refusal: Refusal, name: str) -> int:
    """Raises the refusal, where it is not for what was found in what was given."""
    findings: Sequence[Finding] = getattr(refusal, "findings", ())
    if not findings:
        raise refusal

    def human() -> None:
        write_findings(findings, name, most_of_a_kind=None)
        output.say(f"{counted(findings)}: nothing was added.")

    invocation.answer({"ok": False, "findings": plain(findings)}, human)
    return REFUSED


def _write(result: "CompletedSession | ClusteringAdded") -> None:
    from commands.intake.completing import ClusteringAdded

    if isinstance(result, ClusteringAdded):
        where = printable(f"{result.location}, {result.curation_time}")
        output.say(f"Added {result.clustering} to {result.session}: {where}.")
        return
    reason = f": {printable(result.reason)}" if result.reason else ""
    time = f" ({result.session_time})" if result.session_time else ""
    stands = output.coloured(in_words(result.status), output.STATUS_COLOURS.get(result.status))
    output.say(f"{result.session} {stands}{time}{reason}.".replace("..", "."))
    for step in result.next_steps:
        output.say(f"What to do about it: {worded(step)}")


def _pairs(_context: click.Context, _parameter: click.Parameter, pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, probe = pair.rpartition("=")
        if not (name and equals and probe):
            raise click.BadParameter(
                f'"{pair}" is not of the form disk_name=probe, such as imec0=npx_1_18408403232.'
            )
        if name in found:
            raise click.BadParameter(f'"{name}" is given twice.')
        found[name] = probe
    return found


@click.command(cls=WritingVerb)
@click.argument("session")
@click.argument("association", metavar="DISK_NAME=PROBE...", nargs=-1, required=True, callback=_pairs)
@click.option("--despite-serial", is_flag=True, help="It is meant although a serial number says otherwise.")
@click.option("--reason", metavar="TEXT", help="Why, with --despite-serial; it stays with the session.")
@pass_invocation
def associate(
    invocation: Invocation,
    session: str,
    association: dict[str, str],
    despite_serial: bool,
    reason: str | None,
) -> int:
    """Say which probe is which, for a waiting session.

    DISK_NAME is a probe's name on disk, PROBE its name in reference.Probe; daybook why SESSION lists both.
    The session is tried again at once.
    """
    if despite_serial != (reason is not None):
        raise click.UsageError("--despite-serial and --reason go together.")

    return _complete(
        invocation,
        "associate",
        session,
        association=association,
        despite_serial=despite_serial,
        reason=reason,
    )


@click.command(cls=WritingVerb)
@click.argument("session")
@click.option(
    "--despite-dates", is_flag=True, help="Its recordings are one session, however far apart they start."
)
@click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="Leave these data out, which cannot be read. May be repeated.",
)
@click.option("--as-crashed", is_flag=True, help="Its acquisition crashed: nothing more will come.")
@click.option("--start", metavar="TIME", callback=local_time, help="When it started, in local time.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays with the session.")
@pass_invocation
def settle(
    invocation: Invocation,
    session: str,
    despite_dates: bool,
    without: Sequence[str],
    as_crashed: bool,
    start: str | None,
    reason: str,
) -> int:
    """Decide on what a session waits for, with a reason.

    daybook why SESSION says what it waits for, and which of these ends it. The session is tried again at once.
    """
    if not (despite_dates or without or as_crashed or start):
        raise click.UsageError("Say what is decided: --despite-dates, --without, --as-crashed or --start.")

    return _complete(
        invocation, "settle", session, reason=reason, despite_dates=despite_dates, without=list(without),
        as_crashed=as_crashed, start=start,
    )  # fmt: skip


@click.command(cls=WritingVerb)
@click.argument("session")
@click.argument("file", metavar="FILE")
@pass_invocation
def add_tasks(invocation: Invocation, session: str, file: str) -> int:
    """Add tasks to a session that has none.

    FILE is YAML or JSON: a list of tasks as in an input file, or a mapping with the key tasks. It may be -
    for standard input.
    """
    source = read_source(file, invocation.settings.limits.input_file_bytes)
    given = {"content": source.data, "filename": source.name}
    return _complete(invocation, "add-tasks", session, file=source.shown, **given)


@click.command(cls=WritingVerb)
@click.argument("session")
@click.option(
    "--location", required=True, metavar="DIR", help="The folder that holds the clustering's output."
)
@click.option(
    "--curator", required=True, metavar="USER", help="Who curated it, as in reference.Experimenter."
)
@click.option(
    "--curation-time",
    metavar="TIME",
    callback=local_time,
    help="In local time; else that of the newest file of the output.",
)
@click.option("--notes", metavar="TEXT")
@pass_invocation
def add_clustering(
    invocation: Invocation,
    session: str,
    location: str,
    curator: str,
    curation_time: str | None,
    notes: str | None,
) -> int:
    """Add a single-session clustering to a session."""
    return _complete(
        invocation, "add-clustering", session, location=location, curator=curator, curation_time=curation_time,
        notes=notes,
    )  # fmt: skip


@click.command(cls=WritingVerb)
@click.argument("session")
@click.option("--room", metavar="ROOM", help="As in reference.ExperimentRoom.")
@click.option(
    "--project",
    "projects",
    multiple=True,
    metavar="PROJECT",
    help="As in acquisition.Project. May be repeated.",
)
@click.option("--notes", metavar="TEXT")
@pass_invocation
def annotate(
    invocation: Invocation, session: str, room: str | None, projects: Sequence[str], notes: str | None
) -> int:
    """Add room, project or notes that a file left out.

    What a session has already is not overwritten.
    """

    if room is None and not projects and notes is None:
        raise click.UsageError("There is nothing to add. Give --room, --project or --notes.")
    return _complete(invocation, "annotate", session, room=room, project=list(projects), notes=notes)


@click.command(cls=WritingVerb)
@click.argument("session")
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--from-disk", is_flag=True, help="Take in what the disk says by now, instead of a file.")
@click.option(
    "--start",
    metavar="TIME",
    callback=local_time,
    help="When it began, where the disk is wrong; needs --reason.",
)
@click.option(
    "--reason", default=None, metavar="TEXT", help="Why; read by whoever decides, where that is needed."
)
@click.option(
    "--despite-serial",
    is_flag=True,
    help="A probe is meant although the serials say otherwise; needs --reason.",
)
@pass_invocation
def amend(
    invocation: Invocation, session: str, file: str | None, from_disk: bool, start: str | None, reason: str | None,
    despite_serial: bool,
) -> int:  # fmt: skip
    """Add to a session what its file, or the disk, says by now beyond what is on record.

    FILE is the input file. Of the entry at the session's location, what was left out is added: one more task, a
    light level, objects, cue cards, curtains, notes, an experimenter; and a probe on disk can be another one. The
    session keeps its number. At once where nothing of another person stands on it, else it is a request.

    With --from-disk, a start and a sessions.txt that were mended since are read again; --start says when it began
    where the clock on the disk is the wrong one.
    """
    from commands.cli.changes import change

    if sum((file is not None, from_disk, start is not None)) != 1:
        raise click.UsageError("Give one of FILE, --from-disk and --start TIME.")
    if file is None:
        change(invocation, "amend", ref=session, from_disk=from_disk, start=start, reason=reason)
        return 0
    source = read_source(file, invocation.settings.limits.input_file_bytes)
    given = {"content": source.data, "filename": source.name}
    try:
        change(invocation, "amend", ref=session, **given, reason=reason, despite_serial=despite_serial)
    except Refusal as refusal:
        return _rejected(invocation, refusal, source.shown)
    return 0
