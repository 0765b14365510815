"""Where the entries of an uploaded file stand in its stored bytes. Reads the ledger; keeps nothing of a file but lines.

A large file takes a while to be read, and its bytes never change: so the lines of the last few are kept in memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from commands.inputfile.entries import GroupClusteringEntry, SessionEntry
from commands.inputfile.read import read_input_file
from ledger import input_files
from ledger.errors import IntegrityFailure, Refusal

if TYPE_CHECKING:
    from ledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Places:
    """``lines``: line and column, from 1, of the subject's name and of each field of each entry, by their path
    (``sessions[3].room``). ``entries``: the path of an entry by its location, or its group name, as it stands there."""

    lines: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    entries: Mapping[str, str] = field(default_factory=dict)

    def of(self, path: str) -> tuple[int | None, int | None]:
        """Of a field that the entry does not have, the entry's."""
        return self.lines.get(path) or self.lines.get(path.rpartition(".")[0]) or (None, None)


_SESSION, _GROUP = (
    tuple(each.name for each in fields(kind) if each.name != "index")
    for kind in (SessionEntry, GroupClusteringEntry)
)
_KEPT = 4  # files
_read: dict[tuple[str, str], Places] = {}


def lines_of(transaction: "Transaction", sha256: str, filename: str) -> Places:
    """Empty where the bytes are not there, or are not those that came."""
    key = (sha256, filename)
    if key not in _read:
        try:
            content = input_files.fetch(transaction, sha256)
        except (Refusal, IntegrityFailure):
            return Places()
        while len(_read) >= _KEPT:
            _read.pop(next(iter(_read)), None)
        _read[key] = _places(content, filename)
    elif not transaction.run("SELECT 1 FROM input_files WHERE sha256 = ?", (sha256,)).fetchone():
        return Places()
    return _read[key]


def _places(content: bytes, filename: str) -> Places:
    read = read_input_file(content, filename=filename)
    if read.input_file is None:
        return Places()
    lists: tuple[tuple[str, Iterable[Any], Iterable[str]], ...] = (
        ("sessions", read.input_file.sessions, _SESSION),
        ("clustering", read.input_file.clustering, _GROUP),
    )
    paths, named = ["subject.name"], {}
    for where, entries, names in lists:
        for entry in entries:
            at = f"{where}[{entry.index}]"
            paths += [at, *(f"{at}.{name}" for name in names if getattr(entry, name))]
            named[entry.location if names is _SESSION else entry.group_name] = at
    return Places({path: place for path in paths if (place := read.position(path)) is not None}, named)
