"""What was asked to be changed, and what was done about it: deletions, corrections, redactions. Streams
``deletion/<id>`` and ``redaction/<position>``.
"""

from typing import Any

from ledger.events.body import Body


class DeletionRequested(Body):
    """``records`` are those that were named (u34, s12, c56), ``impact`` everything that would go with them, as it
    was shown: ``{"sessions", "clusterings"}`` in inclusive ranges of ids, ``{"tasks", "probes"}`` counted, and
    ``users``, the number of records of each owner."""

    records: list[str]
    reason: str
    impact: dict[str, Any]


class CorrectionRequested(Body):
    """``upload`` holds the corrected file. ``sessions`` and ``clusterings`` are what it would replace:
    ``{"index", "session" | "clustering", "matched_by", "differences"}``, of a session ``session_time`` and
    ``new_session_time`` too; ``carried_over`` the multi-session
    clusterings that would follow."""

    upload: int
    reason: str
    impact: dict[str, Any]
    sessions: list[dict[str, Any]]
    clusterings: list[dict[str, Any]]
    carried_over: list[int]


class RedactionRequested(Body):
    position: int
    reason: str


class ChangeRequested(Body):
    """``kind``: proposal, addition, mending, taking-back or role. ``records`` say what it is about, as people name it;
    ``change`` is what is carried out when it is approved: ``{"action": ...}`` and its arguments. ``impact`` is what
    stands on it, as of a deletion: of a taking-back it goes, of the others it stays and says something else."""

    kind: str
    records: list[str]
    reason: str
    change: dict[str, Any]
    impact: dict[str, Any]


class DeletionImpactGrown(Body):
    """An approval was not carried out, because more would go than had been shown; this is what was shown now."""

    impact: dict[str, Any]


class DeletionApproved(Body):
    """Carried out at once: the events behind it, in the same transaction."""


class DeletionRejected(Body):
    reason: str


class DeletionCancelled(Body):
    """Taken back by whoever had requested it."""


class DeletionExecuted(Body):
    """How many records were deleted, and the tasks that stood on them."""

    sessions: int
    clusterings: int
    tasks: int


class CorrectionExecuted(Body):
    """``first`` is the number of the first new record of ``upload``; the pairs are (old, new)."""

    upload: int
    first: int
    sessions: list[tuple[int, int]]
    clusterings: list[tuple[int, int]]


class DeletionRestored(Body):
    """All that the deletion had deleted stands again."""

    sessions: int
    clusterings: int


class PayloadRedacted(Body):
    """On the stream ``redaction/<position>``: the payload at that position was removed. ``kept`` is what its body
    still says where every text is blanked: numbers, and which fields there were. ``marks`` are keyed hashes of what it
    is known by when it comes again, by their kind; ``key`` is the id of their key (``ledger.marks``)."""

    position: int
    stream: str
    type: str
    reason: str
    requested_by: str
    deletion: int
    kept: dict[str, Any]
    key: str = ""
    marks: dict[str, list[str]] = {}
