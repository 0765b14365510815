"""A ledger of this machine, asked and told by the names of questions and actions."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from commands.answers.answering import Done, Noted, Progress, begun, no_progress
from commands.answers.asking import Asking
from commands.answers.questions import question as question_of
from ledger.moments import Moment

if TYPE_CHECKING:
    from commands.answers.lists import AnyList
    from commands.door.settings import Settings
    from commands.door.submit import Daybook
    from commands.intake.checking import CheckedFile
    from commands.intake.upload_report import UploadReport
    from commands.moving.importing import Moved
    from projections.queries import Kind, Query


class Here:
    def __init__(self, daybook: "Daybook", settings: "Settings", *, noted: Noted | None = None) -> None:
        self.daybook, self._settings, self._noted = daybook, settings, noted
        self._open = ExitStack()

    @property
    def user(self) -> str:
        return self.daybook.actor.user

    def _key_file(self) -> Path:
        from commands.moving.setup import key_path

        return key_path(self._settings.db, Path())

    def _asking(self, as_of: Moment | None = None, progress: Progress = no_progress) -> Asking:
        settings = self._settings
        return Asking(
            self.daybook, settings.db, settings.roots, settings.limits, self._key_file, settings.checkpoints, as_of,
            settings.public_url, progress,
        )  # fmt: skip

    def _asked(self, as_of: Moment | None, ask: Callable[[Asking], Any]) -> Any:
        with ExitStack() as opened:
            asking = opened.enter_context(self._asking(as_of).opened())
            answer = ask(asking)
            if any(isinstance(getattr(answer, field.name), Iterator) for field in fields(answer)):
                self._open.enter_context(opened.pop_all())
        if asking.then is not None and self._noted is not None:
            self._noted(*asking.then)
        return answer

    def ask(self, question: str, /, *, as_of: Moment | None = None, **parameters: Any) -> Any:
        ask = question_of(question).ask
        if ask is None:
            raise KeyError(question)
        return self._asked(as_of, lambda asking: ask(asking, **parameters))

    def page(self, kind: "Kind", query: "Query", *, as_of: Moment | None = None) -> "AnyList":
        from commands.answers.lists import ANSWERS

        found: AnyList = self._asked(as_of, lambda asking: ANSWERS[kind](asking.world("lists"), query))
        return found

    def pages(self, kind: "Kind", query: "Query", *, as_of: Moment | None = None) -> "Iterator[AnyList]":
        from commands.answers.lists import every

        asking = self._open.enter_context(self._asking(as_of).opened())
        world = asking.world("lists")
        if asking.then is not None and self._noted is not None:
            self._noted(*asking.then)
        return begun(every(world, kind, query))

    def do(
        self, action: str, /, *, command_id: str | None = None, progress: Progress = no_progress, **parameters: Any
    ) -> Done:  # fmt: skip
        from commands.answers.actions import action as action_of

        found = action_of(action)
        with self._asking(None, progress).opened() as asking:
            answer = found.do(asking, command_id, **parameters)
        return Done(*answer) if found.secret else Done(answer)

    def upload(
        self, data: bytes, *, filename: str, command_id: str | None = None, progress: Progress = no_progress
    ) -> "UploadReport":
        from commands.intake.uploading import upload

        settings = self._settings
        return upload(
            self.daybook, data, filename=filename, roots=settings.roots, limits=settings.limits, progress=progress,
            command_id=command_id,
        )  # fmt: skip

    def validate(
        self, data: bytes, *, filename: str, record: bool, command_id: str | None = None
    ) -> "CheckedFile":
        from commands.intake.validation import validate

        settings = self._settings
        return validate(
            self.daybook, data, filename=filename, roots=settings.roots, limits=settings.limits, record=record,
            command_id=command_id,
        )  # fmt: skip

    def take_log(
        self, write: Callable[[bytes], Any], *, as_of: Moment | None = None, progress: Progress = no_progress
    ) -> "Moved":
        from commands.answers.taken_away import log_taken_away

        return log_taken_away(self._asking(as_of), write, progress)

    def take_bundle(
        self, target: IO[bytes], *, records: Sequence[str] = (), checkpoint: str | None = None,
        progress: Progress = no_progress,
    ) -> int:  # fmt: skip
        from commands.answers.taken_away import bundle_taken_away

        asking = self._asking()
        return bundle_taken_away(asking, target, records=records, checkpoint=checkpoint, progress=progress)

    def close(self) -> None:
        self._open.close()
