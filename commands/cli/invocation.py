"""One run of the command line: its global options, its settings, its ledger, and where the answer goes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.times import shown
from ledger.addresses import shown as shown_address
from ledger.addresses import sqlite_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commands.answers.answering import Answering
    from commands.door.actor import Actor
    from commands.door.incidents import Around
    from commands.door.settings import Settings
    from commands.door.submit import Daybook
    from commands.door.world import World
    from ledger.moments import Moment
    from projections.past import About
    from projections.references import Reference

_SOON = timedelta(hours=6)


@dataclass
class Invocation:
    """Settings are read when first asked for: ``daybook template`` works beside a broken daybook.toml."""

    db: str | None = None
    server: str | None = None
    user: str | None = None
    on_behalf_of: str | None = None
    config: str | None = None
    json: bool = False
    utc: bool = False
    log_level: str | None = None
    command_id: str | None = None
    verb: str = "daybook"
    _stop_logging: Callable[[], None] | None = None
    _warned: bool = False

    @cached_property
    def settings(self) -> "Settings":
        from commands.door.reading_settings import load

        settings = load(db=self.db, server=self.server, config=self.config)
        if settings.server is not None and self.user is not None:
            raise click.UsageError(
                f"--as is for a ledger of this machine; at a server you are who is signed in. For somebody who "
                f"granted it to you: --on-behalf-of {output.printable(self.user)}"
            )
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
    def address(self) -> str:
        """Of the ledger of this machine. Raises Refusal where it is at a server: then the verb is not for it."""
        from ledger.errors import Refusal

        if self.settings.server is not None:
            raise Refusal(
                "not-at-a-distance",
                f"{self.verb} works on the ledger itself, and this one is at {output.printable(self.settings.server)}.",
                "Run it at the machine of the ledger.",
            )
        return self.settings.db

    @property
    def shown_ledger(self) -> str:
        """The ledger for a sentence: the file of a SQLite one, else its address."""
        return near(self.sqlite_file) if self.sqlite_file is not None else self.place_of_ledger

    @property
    def place_of_ledger(self) -> str:
        """Where the ledger is looked for: the whole path of a SQLite one, else its address."""
        file = self.sqlite_file
        if file is not None:
            return output.printable(file.absolute())
        server = self.settings.server
        return output.printable(server) if server is not None else shown_address(self.settings.db)

    @property
    def sqlite_file(self) -> Path | None:
        """The file of a SQLite ledger, by the look of its address; None for any other."""
        file = None if self.settings.server is not None else sqlite_file(self.settings.db)
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

    def around(self, words: "Sequence[str]") -> "Around | None":
        """For a report of a fault: this command, and those before it. Never raises."""
        from commands.door.incidents import Around
        from commands.door.recent import recent

        try:
            before = recent(self.user, limit=5)
            return Around(f"daybook {self._told(words)}", before, self.contact())
        except Exception:  # noqa: BLE001
            return None

    def remember(self, words: "Sequence[str]", code: int) -> None:
        """That it was run, where it had anything to do with a ledger. Never raises."""
        if "settings" not in self.__dict__:
            return
        from commands.door.recent import note

        with suppress(Exception):
            note(f"daybook {self._told(words)}", code, user=self.user)

    def _told(self, words: "Sequence[str]") -> str:
        from commands.cli.command_lines import told

        return told(words, self._roots())

    def shortened(self, text: str) -> str:
        """A text in which no path of a recording goes beyond its root."""
        from commands.cli.command_lines import told

        return told(text.split(), self._roots())

    def _roots(self) -> list[str]:
        settings = self.__dict__.get("settings")
        directories = {} if settings is None else settings.roots.directories
        return [*directories, *(place for each in directories.values() for place in each)]

    def damage(self) -> str | None:
        """What does not hold in the ledger, if anything does not. Raises what reading it raises."""
        from commands.proving.checking import first_damage

        return None if self.settings.server is not None else first_damage(self.settings.db)

    @contextmanager
    def daybook(self) -> "Iterator[Daybook]":
        """The opened ledger. Raises LedgerUnavailable."""
        from commands.door.submit import Daybook

        opened = Daybook.open(self.address, self.actor)
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
    def answering(self, *, at_work: bool = False) -> "Iterator[Answering]":
        """The ledger, here or at a server, to be asked and told by the names of questions and actions."""
        from contextlib import closing

        if self.settings.server is None:
            from commands.answers.here import Here

            with (
                self.daybook() as daybook,
                closing(Here(daybook, self.settings, noted=self._note_moment)) as here,
            ):
                yield here
                if at_work:
                    self.keep_checkpoint(daybook, at_work=True)
            return
        from commands.remote.opening import open_remote

        remote = open_remote(
            self.settings.server, on_behalf_of=self.on_behalf_of, noted=self._note_moment,
            ahead=lambda at: self.warn(clock_ahead(at)), expires=self._warn_of_end,
        )  # fmt: skip
        with closing(remote):
            yield remote

    def ask(self, question: str, /, *, as_of: "Moment | None" = None, **parameters: Any) -> Any:
        """One answer, whole."""
        with self.answering() as ledger:
            return ledger.ask(question, as_of=as_of, **parameters)

    def do(self, action: str, /, **parameters: Any) -> Any:
        """What an action answers, under the id that was given."""
        with self.answering() as ledger:
            return ledger.do(action, command_id=self.command_id, **parameters).answer

    def do_once(self, action: str, /, **parameters: Any) -> "tuple[Any, Mapping[str, str | None] | None]":
        """What an action answers, and what it tells this once beside that; None where it was told before."""
        with self.answering() as ledger:
            done = ledger.do(action, command_id=self.command_id, **parameters)
        return done.answer, done.secret

    def _note_moment(self, position: int, recorded_at: str) -> None:
        if not self.json:
            self.note(f"as of position {position:,}, {shown(recorded_at) or 'the empty ledger'}")

    def _warn_of_end(self, until: str) -> None:
        """Once, where what one is signed in by expires soon."""
        from datetime import UTC

        left = datetime.fromisoformat(until) - datetime.now(UTC)
        if self._warned or left > _SOON:
            return
        self._warned = True
        minutes = max(int(left.total_seconds() // 60), 0)
        in_words = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
        self.warn(
            f"you are signed in for {in_words} more, until {shown(until)}. Sign in anew: daybook auth login"
        )

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
                self._note_moment(world.head.size, world.head.recorded_at)
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
