"""A ledger that is asked and told by the names of questions and actions, wherever it is: here, or at a server.

A face that takes one of these does not know which: the answers are the same documents.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

from ledger.moments import Moment

if TYPE_CHECKING:
    from commands.answers.lists import AnyList
    from commands.intake.checking import CheckedFile
    from commands.intake.upload_report import UploadReport
    from commands.moving.importing import Moved
    from projections.queries import Kind, Query

T = TypeVar("T")
Progress = Callable[[int, int], None]
Noted = Callable[[int, str], None]
"""Called with the position of a moment that was asked for, and the time of its last event."""


def no_progress(done: int, total: int) -> None:
    """Where nobody watches."""


def begun(items: Iterator[T]) -> Iterator[T]:
    """The same, with the first one read already."""
    return chain(list(islice(items, 1)), items)


@dataclass(frozen=True, slots=True)
class Done:
    """``secret`` is what is told this once beside the answer; None where nothing is, or where it was told before."""

    answer: Any
    secret: Mapping[str, str | None] | None = None


class Answering(Protocol):
    """Raises the refusals of the ledger, whichever way it is asked."""

    @property
    def user(self) -> str:
        """Who asks, as the ledger has it. At a server known once something was asked."""

    def ask(self, question: str, /, *, as_of: Moment | None = None, **parameters: Any) -> Any:
        """The answer to one of ``commands.answers.questions``. What it gives row by row can be read until ``close``."""

    def page(self, kind: "Kind", query: "Query", *, as_of: Moment | None = None) -> "AnyList":
        """A page of a list, of as many records as the query says."""

    def pages(self, kind: "Kind", query: "Query", *, as_of: Moment | None = None) -> "Iterator[AnyList]":
        """One page after the other, of one moment. The first has been read when this returns: what is refused is
        refused before anything is printed."""

    def do(
        self, action: str, /, *, command_id: str | None = None, progress: Progress = no_progress, **parameters: Any
    ) -> Done:  # fmt: skip
        """Take one of ``commands.answers.actions``; a file among its parameters is given as bytes."""

    def upload(
        self, data: bytes, *, filename: str, command_id: str | None = None, progress: Progress = no_progress
    ) -> "UploadReport":
        """Take an input file in, and follow it to its end."""

    def validate(
        self, data: bytes, *, filename: str, record: bool, command_id: str | None = None
    ) -> "CheckedFile": ...

    def take_log(
        self, write: Callable[[bytes], Any], *, as_of: Moment | None = None, progress: Progress = no_progress
    ) -> "Moved":
        """The lines of the whole log, for ``write``, and what they were."""

    def take_bundle(
        self, target: IO[bytes], *, records: Sequence[str] = (), checkpoint: str | None = None,
        progress: Progress = no_progress,
    ) -> int:  # fmt: skip
        """A bundle, into a new file that can be read again; how many events it holds."""

    def close(self) -> None: ...
