"""What a request would take with it, or took: as plain data, for whoever decides. Reads the ledger; appends nothing."""

from collections.abc import Iterable
from typing import Any

from commands.door.world import World
from commands.requests.growth import added
from commands.requests.impact import counted, impact_at, impact_of_named
from commands.requests.naming import requested, rows_of
from commands.requests.restoration import fallen_by
from ledger.errors import NextStep, Refusal
from ledger.ranges import expanded
from projections.listings import clustering_line, session_line, whole
from projections.records import Clustering, Session
from projections.references import Reference

Plain = dict[str, Any]
LISTED = 20  # records that are described one by one


def request(world: World, number: int) -> Plain:
    """The request with its history, and ``takes``: the impact that was shown last, then what went. While a deletion is
    open, ``grown`` is what it would take now beyond that, None where nothing: see ``commands.requests.growth.added``.
    ``accept_impact`` says whether the impact was shown again since the request: an approval has to accept it."""
    row = world.state.deletions.get(number)
    if row is None:
        raise Refusal(
            "not-found",
            f"There is no request d{number}.",
            "",
            NextStep("list-requests", arguments={"all": "yes"}),
        )
    found = whole(world.transaction, world.head.live_slot, Reference("deletion", number))
    impact: Plain | None = found["impact"]
    if impact is not None and row.status in ("executed", "restored"):
        gone = fallen_by(world, row)[1]
        impact = counted(world, list(gone.sessions.values()), list(gone.clusterings.values())).plain()
    return found | {
        "takes": None if impact is None else told(world, impact, row.requested_by),
        "grown": grown(world, number),
        "accept_impact": row.status == "requested" and row.shown_position != row.id,
    }


def grown(world: World, number: int) -> Plain | None:
    row = world.state.deletions[number]
    if row.kind == "redaction" or row.status != "requested":
        return None
    now = impact_of_named(world, requested(world, row))
    shown = impact_at(world, row.shown_position)
    return added(world, now, shown) if now.exceeds(shown) else None


def told(world: World, impact: Plain, requester: str) -> Plain:
    """``owners``: how many records of each, the requester's own first. ``over_several``: the multi-session clusterings,
    with the sessions that go. ``first``: the first records one by one, other people's before the requester's."""
    sessions, clusterings = list(expanded(impact["sessions"])), list(expanded(impact["clusterings"]))
    world.state.sessions.prefetch(sessions)
    world.state.clusterings.prefetch(clusterings)
    rows = rows_of(world, sessions, clusterings)
    return {
        "owners": _owners(rows, requester),
        "tasks": impact["tasks"],
        "probes": impact["probes"],
        "over_several": _over_several(world, rows),
        "first": [_line(row) for row in sorted(rows, key=lambda row: row.username == requester)[:LISTED]],
        "records": len(rows),
    }


def _owners(rows: Iterable[Session | Clustering], requester: str) -> list[Plain]:
    owners: dict[str, Plain] = {}
    for row in rows:
        owner = owners.setdefault(
            row.username,
            {
                "user": row.username,
                "own": row.username == requester,
                "sessions": 0,
                "clusterings": 0,
                "over_several": 0,
            },
        )
        if isinstance(row, Session):
            owner["sessions"] += 1
        else:
            owner["clusterings" if row.session is not None else "over_several"] += 1
    return sorted(owners.values(), key=lambda owner: (not owner["own"], owner["user"]))


def _over_several(world: World, rows: Iterable[Session | Clustering]) -> list[Plain]:
    going = {row.id for row in rows if isinstance(row, Session)}
    found = []
    for row in rows:
        if isinstance(row, Clustering) and row.session is None:
            links = world.state.clustering_sessions.where("clustering = ?", [row.id])
            found.append(
                {
                    "clustering": f"c{row.id}",
                    "group_name": row.group_name,
                    "username": row.username,
                    "stands_on": [f"s{link.session}" for link in links if link.session in going],
                }
            )
    return found


def _line(row: Session | Clustering) -> Plain:
    return session_line(row) if isinstance(row, Session) else clustering_line(row)
