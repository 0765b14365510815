"""Take back entries that were never inserted: what waits, is pending, or failed."""

from dataclasses import dataclass

from commands.door.command import Command
from commands.door.permission import require_owner, require_writer
from commands.door.world import Decision, Result, World
from commands.requests.impact import parts
from commands.requests.naming import Named, name_of, named, some_of
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import ClusteringWithdrawn, SessionWithdrawn
from projections.asked_for import open_request
from projections.records import Clustering, Session

_NEVER_INSERTED = ("pending", "waiting", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Result):
    """``fails`` are the multi-session clusterings that wait for a session which was withdrawn: the next work lets them
    fail."""

    withdrawn: list[str]
    fails: list[str]


class Withdraw(Command[Withdrawn]):
    """``records`` are exact ids; an upload stands for all of its entries that were never inserted."""

    records: list[str]

    def authorise(self, world: World) -> None:
        require_writer(world, "withdraw entries")
        require_owner(world, "withdraw entries", named(world, self.records).owned)

    def decide(self, world: World) -> Decision[Withdrawn]:
        what = named(world, self.records)
        _refuse_others(world, what)
        going = [row for row in what.records if row.status in _NEVER_INSERTED]
        result = Withdrawn(withdrawn=[name_of(row) for row in going], fails=_waiting_on(world, going))
        return Decision([_event(row) for row in going], result)


def _refuse_others(world: World, what: Named) -> None:
    """Raises Refusal for what was ever inserted. What was withdrawn before stays as it is."""
    for row in what.direct:
        name = name_of(row)
        if row.status == "inserted":
            asked = open_request(world.state, "deletion", name)
            raise Refusal(
                "inserted",
                f"{name} is inserted; only what was never inserted can be withdrawn.",
                "Request its deletion" if asked is None else "Its deletion is requested",
                NextStep("request-deletion", name, {"reason": None})
                if asked is None
                else NextStep("show-request", f"d{asked.id}"),
            )
        if row.status == "deleted":
            raise Refusal("deleted", f"{name} is already deleted.", "", NextStep("why", name))
    if what.uploads and not any(row.status in (*_NEVER_INSERTED, "withdrawn") for row in what.records):
        names = some_of([name_of(upload) for upload in what.uploads])
        inserted = any(row.status == "inserted" for row in what.records)
        raise Refusal(
            "nothing-to-withdraw",
            f"Nothing that came of {names} is pending, waiting or failed.",
            "To delete what was inserted, request it" if inserted else "",
            NextStep("request-deletion", name_of(what.uploads[0]), {"reason": None})
            if inserted
            else NextStep("show", name_of(what.uploads[0])),
        )


def _event(row: Session | Clustering) -> NewEvent:
    is_session = isinstance(row, Session)
    return NewEvent(
        f"session/{row.id}" if is_session else f"clustering/{row.id}",
        SessionWithdrawn() if is_session else ClusteringWithdrawn(),
        row.version,
        row.subject,
        row.username,
        row.status_position,
        f"u{row.upload}",
    )


def _waiting_on(world: World, going: list[Session | Clustering]) -> list[str]:
    """The open multi-session clusterings that stand on a session of these, and are not among them."""
    clusterings, links = world.state.clusterings.table, world.state.clustering_sessions.table
    found: set[int] = set()
    for some, marks in parts([row.id for row in going if isinstance(row, Session)]):
        rows = world.transaction.run(
            f"SELECT c.id FROM {links} l JOIN {clusterings} c ON c.id = l.clustering "
            f"WHERE c.status IN ('pending', 'waiting') AND l.session IN ({marks})",
            some,
        )
        found.update(row[0] for row in rows.fetchall())
    found -= {row.id for row in going if isinstance(row, Clustering)}
    return [f"c{number}" for number in sorted(found)]
