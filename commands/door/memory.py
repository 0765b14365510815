"""What the ledger remembers of redactions: whether something that comes was redacted before. Reads; appends nothing.

Texts are compared without regard to Unicode's forms, capitals, kinds of blanks and line breaks; locations as they are
normalised. Of a redaction whose key is not there nothing is known.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import orjson

from commands.door.world import World
from ledger import marks
from ledger.look_alikes import comparable, folded
from projections.records import Redaction

# What is remembered, and of which texts. A text of a record belongs to its subject: of another subject's file it was
# never said.
LOCATION: Final = "location"  # a session's, normalised, as it was written, or where it led to
ABOVE: Final = "above"  # a directory that such a location lies in
GROUP: Final = "group_name"
TIME: Final = "session_time"  # subject, session_time
VALUE: Final = "value"  # table, value
TEXT: Final = "text"  # subject, notes or note
FILENAME: Final = "filename"  # subject, name
COMMENT: Final = "comment"  # subject, a comment of a file
_EXACT = {LOCATION, ABOVE, TIME}


def compared(kind: str, text: str) -> str:
    """The form in which texts of a kind are compared."""
    return comparable(text) if kind in _EXACT else " ".join(folded(text).split())


def marked(key: marks.Key, kind: str, *texts: str) -> str:
    """``texts`` are those of the kind, in the order that it names them."""
    return marks.mark(key, kind, [*texts[:-1], compared(kind, texts[-1])])


class Memory:
    """Of one moment of the ledger."""

    def __init__(self, redactions: Iterable[Redaction], keys: Mapping[str, marks.Key]) -> None:
        self._keys: dict[str, list[marks.Key]] = {}
        self._found: dict[tuple[str, str], list[Redaction]] = {}
        self.lost = 0
        """How many redactions cannot be known again, because their key is not there."""
        for row in redactions:
            key = keys.get(row.key or "")
            if key is None:
                self.lost += 1
                continue
            for kind, its_marks in orjson.loads(row.marks or "{}").items():
                if key not in self._keys.setdefault(kind, []):
                    self._keys[kind].append(key)
                for mark in its_marks:
                    self._found.setdefault((kind, mark), []).append(row)

    @classmethod
    def of(cls, world: World) -> "Memory":
        # few: two admins agreed on each; a look at the past shows as redacted what was so later
        condition = "position > ? AND marks IS NOT NULL AND event <= ?"
        rows = world.state.redactions.where(condition, [0, world.head.size])
        return cls(rows, {key.id: key for key in marks.keys(world.transaction)} if rows else {})

    def __bool__(self) -> bool:
        return bool(self._found)

    def has(self, *kinds: str) -> bool:
        """Whether anything of one of these kinds is remembered."""
        return any(kind in self._keys for kind in kinds)

    def all_of(self, kind: str, *texts: str) -> Iterator[Redaction]:
        """The redactions of what these texts say."""
        for key in self._keys.get(kind, ()):
            yield from self._found.get((kind, marked(key, kind, *texts)), ())

    def find(self, kind: str, *texts: str) -> Redaction | None:
        """The first of them; None where it is not remembered."""
        return next(self.all_of(kind, *texts), None)

    def find_of(self, subjects: Iterable[str], kind: str, text: str) -> Redaction | None:
        """The same for what belongs to one of these subjects."""
        if kind not in self._keys:
            return None
        return next(
            (row for subject in subjects if (row := self.find(kind, subject, text)) is not None), None
        )


def record_number(row: Redaction) -> int:
    """The number of the record whose event was redacted: ``session/57`` is 57."""
    return int(row.stream.rpartition("/")[2])
