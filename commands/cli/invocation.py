"""One run of the command line: its global options, its settings, its ledger, and where the answer goes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.times import shown
from ledger.addresses import shown as shown_address
from ledger.addresses import sqlite_file

if TYPE_CHECKING:
    from commands.door.actor import Actor
    from commands.door.settings import Settings
    from commands.door.submit import Daybook
    from commands.door.world import World
    from ledger.moments import Moment
    from projections.past import About
    from projections.references import Reference


@dataclass
class Invocation:
    """Settings are read when first asked for: ``daybook template`` works beside a broken daybook.toml."""

    db: str | None = None
    user: str | None = None
    on_behalf_of: str | None = None
    config: str | None = None
    json: bool = False
    utc: bool = False
    log_level: str | None = None
    command_id: str | None = None
    verb: str = "daybook"
    _stop_logging: Callable[[], None] | None = None

    @cached_property
    def settings(self) -> "Settings":
        from commands.door.settings import load

        settings = load(db=self.db, config=self.config)
        output.use_width(settings.width)
        output.use_utc(self.utc or (settings.zone is None and not _is_elsewhere()))
        if level := self.log_level or settings.log_level:
            from commands.door import logs

            self._stop_logging = logs.write_to(sys.stderr, level)
        return settings

    def stop_logging(self) -> None:
        if self._stop_logging is not None:
            self._stop_logging()

    @property
    def actor(self) -> "Actor":
        from commands.door.actor import Actor

        return Actor.of_process("cli", claimed=self.user, on_behalf_of=self.on_behalf_of)

    @property
    def repeatable(self) -> dict[str, Any]:
        """The id of the command, as a field of it, where one was given."""
        return {} if self.command_id is None else {"command_id": self.command_id}

    @property
    def shown_ledger(self) -> str:
        """The ledger for a sentence: the file of a SQLite one, else its address."""
        return near(self.sqlite_file) if self.sqlite_file is not None else shown_address(self.settings.db)

    @property
    def place_of_ledger(self) -> str:
        """Where the ledger is looked for: the whole path of a SQLite one, else its address."""
        file = self.sqlite_file
        return output.printable(file.absolute()) if file is not None else shown_address(self.settings.db)

    @property
    def sqlite_file(self) -> Path | None:
        """The file of a SQLite ledger, by the look of its address; None for any other."""
        file = sqlite_file(self.settings.db)
        return Path(file) if file is not None else None

    @property
    def state_folder(self) -> Path | None:
        """The folder of the SQLite ledger, if it is one. Never raises: it serves where all else failed."""
        try:
            return self.sqlite_file.absolute().parent if self.sqlite_file is not None else None
        except Exception:  # noqa: BLE001
            return None

    def contact(self) -> str | None:
        """Whom to ask, as the settings say. Never raises: it serves where all else failed."""
        try:
            return self.settings.contact
        except Exception:  # noqa: BLE001
            return None

    def damage(self) -> str | None:
        """What does not hold in the ledger, if anything does not. Raises what reading it raises."""
        from commands.proving.checking import first_damage

        return first_damage(self.settings.db)

    @contextmanager
    def daybook(self) -> "Iterator[Daybook]":
        """The opened ledger. Raises LedgerUnavailable."""
        from commands.door.submit import Daybook

        opened = Daybook.open(self.settings.db, self.actor)
        try:
            yield opened
            self.keep_checkpoint(opened)
            if (ahead := opened.ledger.ahead) is not None:
                self.warn(clock_ahead(ahead))
        finally:
            opened.close()

    def keep_checkpoint(self, daybook: "Daybook", *, at_work: bool = False) -> None:
        """After what was appended here, a checkpoint may be due. Where it cannot be kept, that is said and fails
        nothing.
        """
        settings = self.settings.checkpoints
        if settings is None or not (daybook.reached or at_work):
            return
        from commands.cli.next_steps import sentence
        from commands.moving.setup import key_path
        from commands.proving.keeping import keep_checkpoint
        from ledger.errors import Refusal

        try:
            keep_checkpoint(
                daybook, settings, settings.key or key_path(self.settings.db, Path()), at_work=at_work
            )
        except Refusal as refusal:
            self.warn(f"{refusal.message} {sentence(refusal.hint, refusal.steps)}".rstrip())
        except Exception as error:  # noqa: BLE001 - what the verb did is done, and its answer given
            self.warn(f"No checkpoint was kept: {type(error).__name__}: {error}")

    @contextmanager
    def reading(self, as_of: "Moment | None" = None, about: "About | None" = None) -> "Iterator[World]":
        """The ledger now, or at an earlier moment; then ``about`` says what of it is read (all records, unless
        said). Raises Refusal where there is no such moment."""
        with self.daybook() as daybook:
            if as_of is None:
                with daybook.reading() as world:
                    yield world
                return
            with daybook.reading_past(as_of, about) as world:
                if not self.json:
                    at = shown(world.head.recorded_at) or "the empty ledger"
                    self.note(f"as of position {world.head.size:,}, {at}")
                yield world

    def find(self, world: "World", text: str) -> "Reference":
        """The record that a person means; a location may be in any spelling."""
        from projections.references import find

        return find(world.transaction, world.head.live_slot, text, location=self._location(text))

    def about(self, text: str) -> "About":
        """About whatever record a person may mean, and what is shown with it."""
        location = self._location(text)
        return lambda past: past.one(text, location)

    def about_all(self, text: str) -> "About":
        """About whatever record a person may mean, and all that is linked to its subject."""
        location = self._location(text)
        return lambda past: past.named(text, location)

    def _location(self, text: str) -> str | None:
        from commands.recordings.roots import LocationError, normalise

        try:
            return normalise(text, self.settings.roots)
        except LocationError:
            return None

    def answer(self, document: Any, human: Callable[[], None], **own: object) -> None:
        """The answer of a verb: one JSON document, or what ``human`` prints. Of an answer by ``commands.answers`` the
        document is the answer, with ``ok`` and what else is the face's ``own`` before it."""
        if not self.json:
            human()
        elif isinstance(document, dict):
            output.write_json(document)
        else:
            output.write_answer(document, own)

    def note(self, text: str) -> None:
        """Say something in passing, on standard error."""
        output.say(output.coloured(f"note: {output.printable(text)}", dim=True), err=True)

    def warn(self, text: str) -> None:
        """Say something that needs a person's attention, on standard error."""
        label = output.coloured("warning:", "yellow", bold=True)
        output.say(f"{label} {output.printable(text)}", err=True)


def clock_ahead(at: str) -> str:
    return (
        f"The last event has the time {shown(at)}, which is not yet: a clock ran ahead. Until then every event gets "
        "that time, and keeps the writer's own under via.clock."
    )


def _is_elsewhere() -> bool:
    """Whether the machine's wall clock differs from UTC."""
    return bool(datetime.now().astimezone().utcoffset())


def near(path: Path) -> str:
    """A path for a sentence: relative where it lies below the working directory."""
    try:
        return output.printable(path.absolute().relative_to(Path.cwd()))
    except (OSError, ValueError):
        return output.printable(path)


def user_name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A user name that can stand in an event."""
    if value is not None and (not value.strip() or not value.isprintable() or len(value) > 200):
        raise click.BadParameter("expected a name of 1 to 200 printable characters.")
    return value


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)
