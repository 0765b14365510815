"""Write to the terminal: JSON documents, aligned tables, printable text, colours where they are wanted."""

import errno
import io
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

from ledger.errors import NO_ROOM, Refusal
from ledger.plurals import plural as plural

_NARROWEST = 8
_GAP = "  "
_BELOW = "      "
_WIDTH, _UTC = "daybook.width", "daybook.utc"
STATUS_COLOURS = {
    "inserted": "green",
    "processed": "green",
    "valid": "green",
    "duplicate": "cyan",
    "waiting": "yellow",
    "pending": "yellow",
    "received": "yellow",
    "validated": "yellow",
    "requested": "yellow",
    "executed": "green",
    "restored": "cyan",
    "error": "red",
    "rejected": "red",
    "deleted": "magenta",
    "withdrawn": "magenta",
    "cancelled": "magenta",
}


class ClosedPipe(Exception):
    """Nobody reads the output any more."""


def printable(text: object) -> str:
    """One line that cannot steer a terminal: control characters and lone surrogates are spelled out."""
    line = str(text)
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def prepare_streams() -> None:
    """A terminal that cannot show a character gets its escape, never an error. Streams without a buffer
    (PYTHONUNBUFFERED) get one: on a full disk they write a part and say nothing of the rest."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(getattr(stream, "buffer", None), io.RawIOBase):
            encoding, line_buffering = stream.encoding, stream.line_buffering
            raw = io.FileIO(stream.fileno(), "w", closefd=False)
            stream = io.TextIOWrapper(
                io.BufferedWriter(raw), encoding=encoding, line_buffering=line_buffering, write_through=True
            )
            setattr(sys, name, stream)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def plain_wanted() -> bool:
    """Whether colours and cursor movements are unwanted, or not understood."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def colour_wanted() -> bool | None:
    """False where colours are unwanted; None lets the stream decide."""
    return False if plain_wanted() else None


def is_terminal() -> bool:
    """Whether a person reads along: what goes into a pipe or a file is never cut."""
    return sys.stdout is not None and sys.stdout.isatty()


def say(text: str | bytes = "", *, err: bool = False, nl: bool = True) -> None:
    """Write a line. Raises ClosedPipe where nobody reads any more, Refusal where the stream cannot be written to."""
    context = click.get_current_context(silent=True)
    colour = colour_wanted() if context is None else context.color
    try:
        click.echo(text, err=err, nl=nl, color=colour)
    except OSError as error:
        raise unwritable(error, "Standard error" if err else "Standard output") from error


def say_instead(text: str) -> None:
    """Where there is nothing to list: for a person, and nothing that a pipe should have."""
    say(text, err=not is_terminal())


def unwritable(error: OSError, stream: str = "Standard output") -> ClosedPipe | Refusal:
    """What to raise where a stream cannot be written to."""
    if error.errno == errno.EPIPE:
        return ClosedPipe()
    if error.errno in NO_ROOM:
        return Refusal("disk-full", f"{stream} cannot be written to: {error.strerror}.", "Free some space.")
    return Refusal("output", f"{stream} cannot be written to: {error.strerror}.")


def file_name(text: object) -> str:
    """A file's name for a line: bytes that are no UTF-8 as ``\\xNN``, and never nothing."""
    return printable(os.fsencode(str(text)).decode("utf-8", "backslashreplace")) or '""'


def write_json(document: object) -> None:
    """One JSON document in UTF-8, whatever the locale says."""
    from commands.answers.document import json_text

    say(json_text(document))


def write_answer(answer: object, own: Mapping[str, object]) -> None:
    """An answer as one JSON document, in pieces where it is long."""
    from commands.answers.document import json_pieces

    for piece in json_pieces(answer, {"ok": True, **own}):
        say(piece, nl=False)


def coloured(text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
    return click.style(text, fg=colour, bold=bold or None, dim=dim or None)


def status(text: str) -> str:
    return coloured(text, STATUS_COLOURS.get(text.strip()))


@dataclass(frozen=True, slots=True)
class Column:
    """``shrinks``: a value that is too wide loses text nowhere, at its ``end``, in its ``middle``; or it is what the
    table is read for, and stands whole ``below`` its line."""

    title: str
    shrinks: str = ""
    right: bool = False
    is_status: bool = False


def use_width(columns: int | None) -> None:
    """Lines of tables have this many cells in this run, whatever the terminal has; None for what it has."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[_WIDTH] = columns


def use_utc(is_utc: bool) -> None:
    """Whether titles say that the times below them are UTC; each time says it itself."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[_UTC] = is_utc


def _titles(columns: Sequence[Column]) -> list[str]:
    context = click.get_current_context(silent=True)
    is_utc = context is None or context.meta.get(_UTC, True)
    return [column.title if is_utc else column.title.removesuffix(" (UTC)") for column in columns]


def _available() -> int:
    import shutil

    context = click.get_current_context(silent=True)
    return (context and context.meta.get(_WIDTH)) or shutil.get_terminal_size().columns


def write_table(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """An aligned table; columns without any value are left out. On a terminal no line is wider than the terminal."""
    cells = [[printable("" if value is None else value) for value in row] for row in rows]
    used = [i for i in range(len(columns)) if any(row[i] for row in cells)]
    widths = {i: max(text_width(columns[i].title), *(text_width(row[i]) for row in cells)) for i in used}
    available = _available() if is_terminal() else 0
    if available:
        _narrow(columns, widths, available)
    say(coloured(_line(columns, used, widths, _titles(columns), plain=True), bold=True))
    for row in cells:
        below = [i for i in used if columns[i].shrinks == "below" and text_width(row[i]) > widths[i]]
        beside = ["" if i in below else value for i, value in enumerate(row)]
        say(_line(columns, used, widths, beside, plain=False))
        for i in below:
            for line in wrapped(row[i], max(available - len(_BELOW), _NARROWEST)):
                say(f"{_BELOW}{line}")


def _narrow(columns: Sequence[Column], widths: dict[int, int], available: int) -> None:
    """First narrows what may lose text. What must stay whole gets the room that is left, and goes below where that
    is too little.
    """
    whole = {i: widths[i] for i in widths if columns[i].shrinks == "below"}
    for i in whole:
        widths[i] = min(widths[i], text_width(columns[i].title))
    fit(widths, [i for i in widths if columns[i].shrinks in ("end", "middle")], available)
    room = available - sum(widths.values()) - len(_GAP) * (len(widths) - 1)
    for i, width in whole.items():
        given = min(width - widths[i], max(room, 0))
        widths[i] += given
        room -= given


def wrapped(text: str, width: int) -> list[str]:
    """The words of a text in lines of so many cells; a longer word is divided."""
    lines = [""]
    for word in text.split(" "):
        room = width - text_width(lines[-1]) - 1
        if lines[-1] and text_width(word) <= room:
            lines[-1] += f" {word}"
            continue
        while text_width(word) > width:
            head = _cut(word, width)
            lines.append(head)
            word = word[len(head) :]
        lines.append(word)
    return [line for line in lines if line]


def fit(widths: dict[int, int], shrinkable: Sequence[int], available: int) -> None:
    """Narrow the widest of the shrinkable columns, again and again, until the table fits."""
    excess = sum(widths.values()) + len(_GAP) * (len(widths) - 1) - available
    while excess > 0 and shrinkable:
        widest = max(shrinkable, key=lambda i: widths[i])
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1
        excess -= 1


def _line(
    columns: Sequence[Column], used: Sequence[int], widths: dict[int, int], row: Sequence[str], *, plain: bool
) -> str:
    parts = []
    for i in used:
        text = shortened(row[i], widths[i], columns[i].shrinks)
        padding = " " * (widths[i] - text_width(text))
        if columns[i].is_status and not plain:
            text = status(text)
        last = i == used[-1] and not columns[i].right
        parts.append(padding + text if columns[i].right else text + ("" if last else padding))
    return _GAP.join(parts).rstrip()


def text_width(text: str) -> int:
    """How many terminal cells a printable text takes."""
    if text.isascii():
        return len(text)
    import unicodedata

    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def shortened(text: str, width: int, where: str = "end") -> str:
    """The text in at most ``width`` cells, with an ellipsis at its ``end`` or in its ``middle``."""
    if text_width(text) <= width:
        return text
    head = 0 if where != "middle" else (width - 1) // 3
    kept = width - 1 - head if where == "middle" else width - 1
    if where == "middle":
        return _cut(text, head) + "…" + _cut(text[::-1], kept)[::-1]
    return _cut(text, kept) + "…"


def _cut(text: str, width: int) -> str:
    while text_width(text) > width:
        text = text[: max(0, len(text) - max(1, (text_width(text) - width) // 2))]
    return text
