"""What a caller gives, as the answers take it: moments, times and files. It asks no ledger."""

from datetime import UTC, date, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from daybook.errors import WrongArgument

if TYPE_CHECKING:
    from commands.inputfile.limits import Limits
    from ledger.moments import Moment

When = int | str | datetime | None
"""A moment of the ledger: a position of the log, or a time. A text without an offset is in UTC; None is now."""
Time = str | date | datetime | None


def moment_given(when: When) -> "Moment | None":
    from commands.answers.times import moment_of

    if when is None or type(when) is int:
        return when
    try:
        return moment_of(text_of(when))
    except ValueError:
        raise WrongArgument(
            "wrong-argument", f"{when!r} is no moment.", "Expected a position of the log, or a time."
        ) from None


def time_given(when: Time) -> str | None:
    return None if when is None else text_of(when)


def text_of(when: int | str | date | datetime | None) -> str:
    """A time without a zone is in UTC."""
    if isinstance(when, datetime):
        return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).isoformat()
    return str(when)


def file_given(
    path: str | PathLike[str], content: bytes | str | None, limits: "Limits"
) -> tuple[str, bytes | int]:
    """Its name, and its bytes; only their number where they are more than is taken."""
    file = Path(path)
    if content is not None:
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    else:
        with file.open("rb") as stream:
            data = stream.read(limits.input_file_bytes + 1)
            if len(data) > limits.input_file_bytes:
                return file.name, max(len(data), file.stat().st_size)
    return file.name, data if len(data) <= limits.input_file_bytes else len(data)
