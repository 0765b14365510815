"""Which rules refuse most files, and how long entries took from upload to inserted. Reads the log; appends nothing.

Both look at the newest events only, so many at most: they say what is so now, at the same cost in every ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ledger import log
from ledger.bodies import body_of
from ledger.envelope import StoredEvent

if TYPE_CHECKING:
    from commands.door.world import World

FILES = 200
FINDINGS = 5_000
INSERTED = 200
WITHIN = 20_000  # positions that are looked through
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """A rule by its code, how often it was broken, by how many people; ``message`` is what it said last, to ``user`` in
    ``upload`` at ``at`` (UTC)."""

    code: str
    times: int
    people: int
    message: str
    user: str
    upload: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFiles:
    """``files`` were looked at, the newest of them. Seconds are from the request of an entry to its insertion: of the
    newest ``inserted`` sessions half took ``median_s`` at most, and one in ten longer than ``ninth_tenth_s``."""

    position: int
    files: int
    rules: list[RuleCount]
    inserted: int
    median_s: float | None
    ninth_tenth_s: float | None


def refused_files(world: "World", *, since: str | None = None) -> RefusedFiles:
    """``since`` is a time of the log."""
    rules: dict[str, RuleCount] = {}
    people: dict[str, set[str]] = {}
    files = 0
    for event in _newest(world, "InputFileRejected", since, FILES):
        files += 1
        for finding in body_of(event).get("findings", []):
            if finding.get("severity") != "error":
                continue
            code = str(finding.get("code", ""))
            people.setdefault(code, set()).add(event.username)
            known = rules.get(code)
            rules[code] = RuleCount(
                code=code, times=1 + (known.times if known else 0), people=len(people[code]),
                message=known.message if known else str(finding.get("message", "")),
                user=known.user if known else event.username, upload=known.upload if known else f"u{event.stream[7:]}",
                at=known.at if known else event.recorded_at,
            )  # fmt: skip
        if sum(each.times for each in rules.values()) > FINDINGS:
            break
    took = sorted(_took(world, since))
    return RefusedFiles(
        position=world.head.size, files=files,
        rules=sorted(rules.values(), key=lambda each: (-each.times, each.code)), inserted=len(took),
        median_s=took[len(took) // 2] if took else None, ninth_tenth_s=took[len(took) * 9 // 10] if took else None,
    )  # fmt: skip


def _newest(world: "World", kind: str, since: str | None, most: int) -> Iterator[StoredEvent]:
    """Newest first, a few at a time: each may be large."""
    at = world.head.size
    bottom, left = max(at - WITHIN, 0), most
    while at > bottom and left > 0:
        floor = max(at - _AT_ONCE, bottom)
        found = log.read_all(
            world.transaction, floor, _AT_ONCE, " AND position <= ? AND type = ?", [at, kind]
        )
        for event in reversed(found[-left:]):
            if since is not None and event.recorded_at < since:
                return
            yield event
        left -= len(found)
        at = floor


def _took(world: "World", since: str | None) -> Iterator[float]:
    inserted = list(_newest(world, "SessionInserted", since, INSERTED))
    asked = log.read_positions(world.transaction, {int(event.stream.partition("/")[2]) for event in inserted})
    for event in inserted:
        request = asked.get(int(event.stream.partition("/")[2]))
        if request is not None:
            passed = datetime.fromisoformat(event.recorded_at) - datetime.fromisoformat(request.recorded_at)
            yield passed.total_seconds()
