"""The verb ``demo``: a small lab in a directory of its own, and every step of its life with real commands."""

import io
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from commands.cli import output
from commands.cli.failures import REFUSED
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.verbs import Verb

_USER = "user_1"
_LONGEST_NAME = 255
_SORTED = datetime.fromisoformat("2023-05-06T10:00:00")
_SETTINGS = """\
db = "sqlite:///daybook.db"
[roots]
"N:" = [{recordings}]
"""


@dataclass(slots=True)
class _Stage:
    """Runs the verbs as if they were typed in ``folder``, and remembers them for --json."""

    folder: Path
    silent: bool
    steps: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, text: str) -> None:
        if not self.silent:
            output.say(output.coloured(f"\n# {text}", dim=True))

    def run(self, *arguments: str, expected: int = 0) -> None:
        """Raises RuntimeError where a verb does not end as the story has it."""
        from commands.cli.main import cli

        line = shlex.join(("daybook", *arguments))
        captured = ""
        if self.silent:
            code, captured = _captured(lambda: _call(cli, arguments))
        else:
            output.say(f"{output.coloured('$', 'green')} {output.coloured(line, bold=True)}")
            code = _call(cli, arguments)
        self.steps.append({"command": line, "exit": code, "output": captured})
        if code != expected:
            raise RuntimeError("a verb of the demo ended otherwise than expected")


def _call(cli: Any, arguments: tuple[str, ...]) -> int:
    return int(cli.main(arguments, obj=Invocation(user=_USER), standalone_mode=False))


def _captured(call: Any) -> tuple[int, str]:
    buffer = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(buffer), redirect_stderr(buffer):
        code = call()
    return code, buffer.buffer.getvalue().decode()


@click.command(cls=Verb)
@click.option("--keep", metavar="DIR", help="Play it in this new directory, and leave it there.")
@click.option(
    "--lab", metavar="DIR", help="Play nothing: only write a lab of three subjects there, to try things on."
)
@pass_invocation
def demo(invocation: Invocation, keep: str | None, lab: str | None) -> None:
    """Show it all on a small lab in a temporary directory.

    Needs no settings and leaves your own ledger alone. With --keep you can go on where the story ends.
    """
    if lab is not None:
        if keep is not None:
            raise click.UsageError("--keep and --lab do not go together: name one directory.")
        _write_lab(invocation, lab)
        return
    with _place(keep, "--keep") as folder, _without_settings(), chdir(folder):
        stage = _Stage(folder, silent=invocation.json)
        _play(stage)
    document = {"ok": True, "directory": str(folder) if keep else None, "steps": stage.steps}

    def human() -> None:
        output.say()
        if keep:
            output.say(f"It is all in {folder}. Go on from there as {_USER}:")
            output.say(f"  cd {shlex.quote(str(folder))} && daybook --as {_USER} uploads")
            output.say("See it in a browser, from there: daybook serve")
        else:
            output.say("The directory is gone again. To keep one and play on: daybook demo --keep DIR")

    invocation.answer(document, human)


def _write_lab(invocation: Invocation, lab: str) -> None:
    """Recordings, the catalogue that knows them, an input file of each subject, and settings; no ledger."""
    from commands.samples import lab as samples
    from commands.samples.clusterings import kilosort_output

    with _place(lab, "--lab") as folder:
        made = samples.lab(folder, subjects=3, sessions_per_subject=3)
        recordings = _settle_in(folder)
        for subject in made.subjects:
            kilosort_output(recordings / subject.name / "joined", curated=_SORTED)
            text = samples.input_file(subject, location_of=_locations(recordings))
            (folder / f"{subject.name}.yml").write_text(text, encoding="utf-8")
    names = [subject.name for subject in made.subjects]

    def human() -> None:
        output.say(
            f"Three subjects ({', '.join(names)}), three recorded sessions of each: {output.printable(lab)}"
        )
        output.say(f"Go there and begin: cd {shlex.quote(lab)} && daybook init")

    invocation.answer({"ok": True, "directory": str(folder), "subjects": names}, human)


def _settle_in(folder: Path) -> Path:
    """The settings of the lab, and where its recordings are."""
    recordings = folder / "recordings"
    root = '"' + recordings.as_posix().replace('"', '\\"') + '"'
    (folder / "daybook.toml").write_text(_SETTINGS.format(recordings=root), encoding="utf-8")
    return recordings


def _locations(recordings: Path) -> Callable[[Path], str]:
    return lambda directory: f"N:/{directory.relative_to(recordings).as_posix()}"


@contextmanager
def _place(keep: str | None, option: str) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="daybook-demo-") as folder:
            yield Path(folder).resolve()
        return
    path = Path(keep)
    was_there = path.exists() if len(keep) < _LONGEST_NAME else False
    try:
        path.mkdir(parents=True, exist_ok=True)
        taken = any(path.iterdir())
    except OSError as error:
        raise click.UsageError(
            f"{option}: {output.printable(path)} cannot be made: {error.strerror}."
        ) from None
    if taken:
        raise click.UsageError(f"{option}: {output.printable(path)} is not empty. Name a new directory.")
    try:
        yield path.resolve()
    except OSError:  # a full disk: half a lab is none
        if not was_there:
            shutil.rmtree(path, ignore_errors=True)
        raise


@contextmanager
def _without_settings() -> Iterator[None]:
    """The environment must not lead any verb of the story to the user's own ledger."""
    found = {name: os.environ.pop(name) for name in ("DAYBOOK_DB", "DAYBOOK_SERVER") if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(found)


def _play(stage: _Stage) -> None:
    from commands.samples.lab import input_file, lab

    made = lab(stage.folder, subjects=1, sessions_per_subject=3)
    subject = made.subjects[0]
    recordings = _settle_in(stage.folder)
    location_of = _locations(recordings)
    newest = subject.sessions[-1].directory
    table = (newest / "sessions.txt").read_bytes()
    (newest / "sessions.txt").unlink()
    file = stage.folder / f"subject_{subject.name}.yml"

    def grown(sessions: int) -> str:
        return input_file(subject, location_of=location_of, sessions=sessions)

    stage.tell(f"A lab with one subject and three recorded sessions. You are {_USER}. First, a ledger.")
    stage.run("init")
    stage.tell("What input files may refer to: experimenters, rooms, probes, task types, subjects.")
    stage.run("catalogue", "load", "catalogue.yml")
    stage.tell("A first draft of an input file, from what is on disk.")
    first = subject.sessions[0].directory.relative_to(stage.folder).as_posix()
    stage.run("compose", first, "--subject", subject.name)
    stage.tell("Filled in by hand for two sessions, with a slip of the pen. Checking ingests nothing.")
    file.write_text(grown(2).replace("user_2]", "user2]", 1), encoding="utf-8")
    stage.run("validate", file.name, expected=REFUSED)
    stage.tell("Corrected, and uploaded.")
    file.write_text(grown(2), encoding="utf-8")
    stage.run("upload", file.name)
    stage.tell("The campaign goes on, the file grows by a session, and is uploaded again.")
    file.write_text(grown(3), encoding="utf-8")
    stage.run("upload", file.name)
    waiting = location_of(newest)
    stage.tell("The new session waits. Why?")
    stage.run("why", waiting)
    stage.tell("The acquisition software writes the missing file; the next look finds it.")
    (newest / "sessions.txt").write_bytes(table)
    stage.run("work")
    stage.run("sessions")
    stage.tell("Everything that ever happened to that session, in the order it happened.")
    stage.run("history", waiting)
    stage.tell("And nothing of it was changed since: every hash and the whole tree, computed anew.")
    stage.run("verify")
    sys.stdout.flush()
