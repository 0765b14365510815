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
_READABLE = 16
_GAP = "  "
_BELOW = "      "
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
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


def safe_cell(text: str) -> str:
    """A text for CSV, which a spreadsheet takes for text and not for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


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
    titles = _titles(columns)
    widths = {i: max(text_width(columns[i].title), *(text_width(row[i]) for row in cells)) for i in used}
    available = _available() if is_terminal() else 0
    pushed = _narrow(columns, widths, available) if available else []
    beside = [i for i in used if widths[i] and i not in pushed]
    say(coloured(_line(columns, beside, widths, titles, plain=True), bold=True))
    for row in cells:
        below = [i for i in used if columns[i].shrinks == "below" and text_width(row[i]) > widths[i]]
        say(_line(columns, beside, widths, ["" if i in below else v for i, v in enumerate(row)], plain=False))
        texts = [row[i] for i in below]
        told = ", ".join(f"{titles[i]}: {row[i]}" for i in pushed if row[i])
        if told:
            texts[-1:] = [f"{texts[-1]} ({told})" if texts else told]
        for text in texts:
            for line in wrapped(text, max(available - len(_BELOW), _NARROWEST)):
                say(f"{_BELOW}{line}")


def _narrow(columns: Sequence[Column], widths: dict[int, int], available: int) -> list[int]:
    """First narrows what may lose text, as far as it can still be read; then pushes columns from the right below
    their lines. What must stay whole gets the room that is left, and goes below where that is too little. Returns
    what is pushed.
    """
    whole = {i: widths.pop(i) for i in [*widths] if columns[i].shrinks == "below"}
    floors = {i: min(text_width(columns[i].title), whole[i]) for i in whole}
    natural = dict(widths)
    shrinkable = [i for i in widths if columns[i].shrinks in ("end", "middle")]
    if not _fits(widths | floors, shrinkable, available):
        floors = {}  # their titles, too
    while not _fits(widths | floors, [i for i in shrinkable if i in widths], available) and len(widths) > 1:
        del widths[max(widths)]
    reserved = sum(width + len(_GAP) for width in floors.values())
    fit(widths, [i for i in shrinkable if i in widths], available - reserved)
    pushed = [i for i in natural if i not in widths]
    room = available - _width(widths)
    for i, width in whole.items():
        given = min(width, room - len(_GAP))
        widths[i] = given if given >= min(width, text_width(columns[i].title)) else 0
        room -= widths[i] + len(_GAP) if widths[i] else 0
    widths |= dict.fromkeys(pushed, 0)
    return pushed


def _fits(widths: dict[int, int], shrinkable: Sequence[int], available: int) -> bool:
    """Whether the table can be made to fit, with every column still readable."""
    narrow = {i: min(width, _READABLE) if i in shrinkable else width for i, width in widths.items()}
    return _width(narrow) <= available


def _width(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


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
    excess = _width(widths) - available
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
    """The text in at most ``width`` cells, with an ellipsis at its ``end`` or in its ``middle``: then what is behind
    its last slash stays as far as it can."""
    if text_width(text) <= width:
        return text
    head = (
        0
        if where != "middle"
        else min((width - 1) // 3, max(width - 1 - text_width(text.rpartition("/")[2]), 0))
    )
    kept = width - 1 - head if where == "middle" else width - 1
    if where == "middle":
        return _cut(text, head) + "…" + _cut(text[::-1], kept)[::-1]
    return _cut(text, kept) + "…"


def _cut(text: str, width: int) -> str:
    while text_width(text) > width:
        text = text[: max(0, len(text) - max(1, (text_width(text) - width) // 2))]
    return text
