"""A request with its history, and what it would take with it, or took. Reads the ledger; appends nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from commands.answers.event import event_line
from commands.answers.record import line_of
from commands.answers.rows import EventLine
from commands.answers.typed import read
from commands.requests.changes.kinds import CHANGES
from commands.requests.fallen import fallen_by
from commands.requests.impact import Impact, counted, impact_at, impact_of_named
from commands.requests.naming import name_of, requested, rows_of, some_of
from commands.requests.would_go import WouldGo
from ledger import log
from ledger.bodies import body_of
from ledger.errors import NextStep, Refusal
from ledger.plurals import plural
from ledger.ranges import expanded
from projections.lines import ClusteringLine, RedactionLine, RequestLine, SessionLine
from projections.listings import whole
from projections.records import Clustering, Deletion, Session
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World

LISTED = 20  # records that are described one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactLine:
    """Everything that goes, as it was shown last: ids as inclusive ranges of numbers, and how many records of each
    user."""

    sessions: list[list[int]]
    clusterings: list[list[int]]
    tasks: int
    probes: int
    users: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerCounts:
    """How many records of a user go; ``own``: the requester's. ``over_several`` are clusterings over several
    sessions."""

    user: str
    own: bool
    sessions: int
    clusterings: int
    over_several: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingClustering:
    """A clustering over several sessions, with those that go."""

    clustering: str
    group_name: str | None
    username: str
    stands_on: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    """``owners``: the requester's own records first. ``first``: the first of ``records`` one by one, other people's
    before the requester's."""

    owners: list[OwnerCounts]
    tasks: int
    probes: int
    over_several: list[StandingClustering]
    first: list[SessionLine | ClusteringLine]
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedRecord:
    ref: str
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldDelete:
    """What a request for the deletion of ``records`` by ``user`` would take: ids as inclusive ranges of numbers, tasks,
    probes, how many records of each user; and ``takes``, the first of them one by one."""

    position: int
    user: str
    records: list[str]
    sessions: list[tuple[int, int]]
    clusterings: list[tuple[int, int]]
    tasks: int
    probes: int
    users: dict[str, int]
    takes: Takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What would go beyond what was shown last."""

    records: list[OwnedRecord]
    tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOfSubject:
    """An input file by its name and user, and the newest upload of it."""

    filename: str
    username: str
    upload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """What would follow a subject to its new name besides records: its probe insertions; and the ``files`` that say the
    old name, the newest first, 20 at most, which are rejected from then on, and told what to write."""

    probes: list[str]
    files: list[FileOfSubject]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(RequestLine):
    """``impact`` is what was shown last, ``takes`` the same record by record, then what went. While a deletion is open,
    ``grown`` is what it would take now beyond that. ``accept_impact``: the impact was shown again since the request,
    and an approval has to accept it. ``change`` is what is carried out of a proposal, an addition, a mending or a
    taking-back: an action and its arguments. ``would_go`` is what a redaction takes; null once it is gone.
    ``renames``: what a renaming of a subject concerns besides, while it is open."""

    ref: str
    position: int
    change: dict[str, Any] | None
    would_go: WouldGo | None
    renames: Renaming | None
    impact: ImpactLine | None
    events: list[EventLine]
    redactions: list[RedactionLine]
    takes: Takes | None
    grown: Growth | None
    accept_impact: bool


def request(world: "World", number: int) -> Request:
    """Raises Refusal where there is no such request."""
    row = world.state.deletions.get(number)
    if row is None:
        raise Refusal(
            "not-found",
            f"There is no request d{number}.",
            "",
            NextStep("list-requests", arguments={"all": "yes"}),
        )
    reference = Reference("deletion", number)
    found = whole(world.transaction, world.head.live_slot, reference)
    impact: dict[str, Any] | None = found["impact"]
    takes = row.kind in ("deletion", "correction", "taking-back")
    if impact is not None and takes and row.status in ("executed", "restored"):
        gone = fallen_by(world, row)[1]
        impact = counted(world, list(gone.sessions.values()), list(gone.clusterings.values())).plain()
    events = [event_line(event) for event in log.read_stream(world.transaction, reference.stream)]
    more = {
        "ref": str(reference),
        "position": world.head.size,
        "events": events,
        "change": (events[0].body or {}).get("change"),
        "renames": _renames(world, row, events[0].body or {}) if row.status == "requested" else None,
        "would_go": _would_go(world, row) if row.kind == "redaction" else None,
        "takes": None if impact is None else _told(world, impact, row.requested_by),
        "grown": grown(world, number),
        "accept_impact": row.status == "requested" and row.shown_position != row.id,
    }
    return read(Request, found | more)


def _renames(world: "World", row: Deletion, body: dict[str, Any]) -> Renaming | None:
    change = body.get("change") or {}
    if change.get("action") != "rename-subject":
        return None
    stream = log.read_stream(world.transaction, f"subject/{row.subject}")
    inserted = [body_of(event)["probe"] for event in stream if event.type == "ProbeInserted"]
    gone = [body_of(event)["probe"] for event in stream if event.type == "ProbeInsertionTakenBack"]
    newest = {
        (each.filename, each.username): each
        for each in world.state.uploads.where("subject = ?", [row.subject])
    }
    files = sorted(newest.values(), key=lambda each: -each.id)[:LISTED]
    return Renaming(
        probes=[probe for probe in dict.fromkeys(inserted) if inserted.count(probe) > gone.count(probe)],
        files=[
            FileOfSubject(filename=each.filename, username=each.username, upload=f"u{each.id}")
            for each in files
        ],
    )


def grown(world: "World", number: int) -> Growth | None:
    row = world.state.deletions[number]
    if row.kind == "redaction" or row.status != "requested":
        return None
    now = _impact_now(world, row)
    if now is None:
        return None
    shown = impact_at(world, row.shown_position)
    if not now.exceeds(shown):
        return None
    records = [
        OwnedRecord(ref=name_of(each), username=each.username) for each in rows_of(world, *now.beyond(shown))
    ]
    return Growth(records=records, tasks=max(0, now.tasks - int(shown["tasks"])))


def _impact_now(world: "World", row: Deletion) -> Impact | None:
    """What an open request would take now, or what it is about."""
    if row.kind not in CHANGES:
        return impact_of_named(world, requested(world, row))
    from commands.requests.changes.approval import impact_now  # seldom: it needs the models of commands

    return impact_now(world, row)


def _would_go(world: "World", row: Deletion) -> WouldGo | None:
    from commands.requests.redaction import redacted_position, would_go

    return would_go(world, redacted_position(row))


def told_growth(growth: Growth) -> str:
    """``c56 of user_2, and 2 tasks more``."""
    names = [f"{one.ref} of {one.username}" for one in growth.records]
    parts = [some_of(names)] if names else []
    parts += [f"{plural(growth.tasks, 'task')} more"] if growth.tasks else []
    return ", and ".join(parts)


def _told(world: "World", impact: Mapping[str, Any], requester: str) -> Takes:
    sessions, clusterings = list(expanded(impact["sessions"])), list(expanded(impact["clusterings"]))
    world.state.sessions.prefetch(sessions)
    world.state.clusterings.prefetch(clusterings)
    rows = rows_of(world, sessions, clusterings)
    return Takes(
        owners=_owners(rows, requester),
        tasks=impact["tasks"],
        probes=impact["probes"],
        over_several=_over_several(world, rows),
        first=[line_of(row) for row in sorted(rows, key=lambda row: row.username == requester)[:LISTED]],
        records=len(rows),
    )


def would_delete(world: "World", records: list[str]) -> WouldDelete:
    """What a request of the actor's for these records would take. Raises Refusal as the request would."""
    from commands.requests.deletion import looked_at  # it needs the models of commands

    looked = asdict(looked_at(world, records))
    looked.pop("ok")
    return WouldDelete(**looked, user=world.actor, takes=_told(world, looked, world.actor))


def _owners(rows: Iterable[Session | Clustering], requester: str) -> list[OwnerCounts]:
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        owner = counts.setdefault(row.username, {"sessions": 0, "clusterings": 0, "over_several": 0})
        if isinstance(row, Session):
            owner["sessions"] += 1
        else:
            owner["clusterings" if row.session is not None else "over_several"] += 1
    owners = [OwnerCounts(user=user, own=user == requester, **each) for user, each in counts.items()]
    return sorted(owners, key=lambda owner: (not owner.own, owner.user))


def _over_several(world: "World", rows: Iterable[Session | Clustering]) -> list[StandingClustering]:
    going = {row.id for row in rows if isinstance(row, Session)}
    found = []
    for row in rows:
        if isinstance(row, Clustering) and row.session is None:
            links = world.state.clustering_sessions.where("clustering = ?", [row.id])
            stands_on = [f"s{link.session}" for link in links if link.session in going]
            found.append(
                StandingClustering(
                    clustering=f"c{row.id}",
                    group_name=row.group_name,
                    username=row.username,
                    stands_on=stands_on,
                )
            )
    return found
