"""What is taken away as a file: the whole log, a bundle that a stranger can verify. It appends nothing."""

from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any

from commands.answers.answering import Progress, no_progress

if TYPE_CHECKING:
    from commands.answers.asking import Asking
    from commands.moving.importing import Moved


def log_taken_away(
    asking: "Asking", write: Callable[[bytes], Any], progress: Progress = no_progress
) -> "Moved":
    """The lines of the whole log. Raises IntegrityFailure before any of them where the ledger is not intact."""
    from commands.moving.exporting import export_ledger

    return export_ledger(asking.daybook, write, progress, as_of=asking.as_of)


def bundle_taken_away(
    asking: "Asking", target: IO[bytes], *, records: Sequence[str] = (), checkpoint: str | None = None,
    progress: Progress = no_progress,
) -> int:  # fmt: skip
    """Of the whole ledger, or of these records and the uploads that they came from; how many events. ``target`` is a
    new file that can be read again. Raises Refusal where nothing was signed yet."""
    from commands.answers.verified import require_checkpoint
    from commands.proving.bundle import origins, write_bundle
    from commands.proving.checkpoints import newest_checkpoint, nothing_signed

    require_checkpoint(checkpoint)
    text = checkpoint if checkpoint is not None else newest_checkpoint(asking.daybook, asking.key_file)
    if text is None:
        raise nothing_signed(asking.key_file)
    streams = origins(asking.daybook, [asking.stream(each) for each in records])
    return write_bundle(asking.daybook, target, checkpoint=text, streams=streams, progress=progress)
