"""What the ledger holds of an upload: what is answered to whoever brought it, the first time as any other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.door.steps import Steps
from commands.door.submit import Daybook
from commands.door.world import Result, World
from commands.inputfile.blanking import record_of
from commands.inputfile.findings import FAULT, Finding, finding_of, in_file_order
from commands.inputfile.kept_findings import NO_MORE, MoreFindings, more_of
from commands.intake.accepting import Taken, in_runs
from commands.intake.blanked_lines import BlankedLines, blanked_lines
from commands.intake.checking import Difference
from commands.intake.working import incidents
from ledger import log
from ledger.bodies import body_of
from ledger.errors import NextStep
from projections.records import Clustering, Session

_UNSETTLED = ("waiting", "error")
_EXPLAINED = 10  # entries for which a next step is named


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedSession:
    """What became of an entry. ``outcome`` is the status of its record where this upload made the record, or went on
    with it while it waited; ``moved`` where the upload recorded that its recordings lie here now; else it is a
    duplicate. ``username`` owns the record. ``reason`` says why it waits or failed, ``incident`` where that was a fault
    of the program. ``renewed``: it was never inserted, and took what this file says. ``moved_from`` is where a
    moved one lay.
    """

    index: int
    location: str
    session: str
    username: str
    outcome: str
    session_time: str | None
    reason: str | None
    incident: str | None
    differences: list[Difference]
    renewed: bool
    moved_from: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedClustering:
    """As of a session."""

    index: int
    group_name: str | None
    clustering: str
    username: str
    outcome: str
    reason: str | None
    incident: str | None
    differences: list[Difference]
    renewed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadReport(Result):
    """What the ledger holds of an upload at ``position``. ``ok`` is False for a file that was rejected; ``upload``
    is None where its bytes were not even kept. ``username`` owns the records of its new entries. ``blanked`` are lines
    that came with something that had been redacted, and are not in the bytes that are kept.
    """

    upload: str | None
    username: str | None = None
    filename: str
    findings: list[Finding]
    more: MoreFindings = NO_MORE
    blanked: list[BlankedLines] = field(default_factory=list)
    sessions: list[UploadedSession] = field(default_factory=list)
    clusterings: list[UploadedClustering] = field(default_factory=list)
    next_steps: tuple[NextStep, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether an entry of an accepted file failed."""
        entries: list[UploadedSession | UploadedClustering] = [*self.sessions, *self.clusterings]
        at_fault = self.ok and any(finding.code == FAULT for finding in self.findings)
        return at_fault or any(entry.outcome == "error" for entry in entries)


def report_at(daybook: Daybook, taken: Taken, steps: Steps) -> UploadReport:
    """Read from the ledger, the first time as any other: what is answered is what it holds."""
    with daybook.reading() as world:
        events = {event.type: event for event in log.read_stream(world.transaction, f"upload/{taken.upload}")}
    ended = [taken.position, *(e.position for e in events.values() if e.type == "InputFileProcessed")]
    position = steps.last_position(*ended)
    kind = "InputFileValidated" if taken.accepted else "InputFileRejected"
    body = body_of(events[kind])
    with daybook.reading_at(position, now=not steps.repeatable) as world:
        owner = world.state.uploads[taken.upload].username
        received = body_of(events["InputFileReceived"])
        blanked = blanked_lines(world, received["blanked"])
        sessions = _sessions(world, taken, steps, body.get("changed_sessions", ()))
        clusterings = _clusterings(world, taken, steps, body.get("changed_clusterings", ()))
    names = [entry.session for entry in sessions if entry.outcome in _UNSETTLED]
    names += [entry.clustering for entry in clusterings if entry.outcome in _UNSETTLED]
    return UploadReport(
        ok=taken.accepted,
        position=position,
        upload=f"u{taken.upload}",
        username=owner,
        filename=received["filename"],
        findings=in_file_order(finding_of(finding) for finding in body["findings"]),
        more=more_of(body["more"]),
        blanked=blanked,
        sessions=sessions,
        clusterings=clusterings,
        next_steps=tuple(NextStep("why", name) for name in names[:_EXPLAINED]),
    )


def _sessions(
    world: World, taken: Taken, steps: Steps, changed: Iterable[dict[str, Any]]
) -> list[UploadedSession]:
    records = list(in_runs(taken.sessions))
    world.state.sessions.prefetch(number for _, number in records)
    rows = [(index, world.state.sessions[number]) for index, number in records]
    lay = {entry["index"]: str(entry["moved"]) for entry in changed if entry.get("moved")}
    told = _told(world, taken, steps, rows, changed)
    return [
        UploadedSession(
            location=row.location,
            session=f"s{row.id}",
            session_time=row.session_time,
            moved_from=lay.get(fields["index"]),
            **fields | ({"outcome": "moved"} if fields["index"] in lay else {}),
        )
        for (_, row), fields in zip(rows, told, strict=True)
    ]


def _clusterings(
    world: World, taken: Taken, steps: Steps, changed: Iterable[dict[str, Any]]
) -> list[UploadedClustering]:
    records = list(in_runs(taken.clusterings))
    world.state.clusterings.prefetch(number for _, number in records)
    rows = [(index, world.state.clusterings[number]) for index, number in records]
    told = _told(world, taken, steps, rows, changed)
    return [
        UploadedClustering(group_name=row.group_name, clustering=f"c{row.id}", **fields)
        for (_, row), fields in zip(rows, told, strict=True)
    ]


def _told(
    world: World,
    taken: Taken,
    steps: Steps,
    rows: Sequence[tuple[int, Session | Clustering]],
    changed: Iterable[dict[str, Any]],
) -> Iterator[dict[str, Any]]:
    """What is told about every entry, be it a session or a clustering."""
    faults, differing = incidents(world, [row for _, row in rows]), _differing(changed)
    owner = world.state.uploads[taken.upload].username
    for index, row in rows:
        differences, renewed = differing.get(index, ([], False))
        yield {
            "index": index,
            "username": row.username,
            "outcome": _outcome(row, taken, steps, owner),
            "reason": row.message,
            "incident": faults.get(row.id),
            "differences": differences,
            "renewed": renewed,
        }


def _outcome(row: Session | Clustering, taken: Taken, steps: Steps, owner: str) -> str:
    """For a record that another upload made, only what this one found or did: many may look at it at once. What
    another person's record still waits for does not concern this upload.
    """
    is_open = row.status in ("pending", "waiting") and row.username == owner
    # what was redacted is known, whatever became of it
    if row.upload != taken.upload and row.status == "error" and record_of(row.location) == row.id:
        return "duplicate"
    if row.upload == taken.upload or row.status == "error" or is_open:
        return row.status
    waited = f"{type(row).__name__[0].lower()}{row.id}" in taken.waiting
    return row.status if waited and steps.done_at(row.status_position) else "duplicate"


def _differing(changed: Iterable[dict[str, Any]]) -> dict[int, tuple[list[Difference], bool]]:
    """How entries differ from what was stored, and whether they took what the file says."""
    return {
        entry["index"]: (
            [Difference(**difference) for difference in entry["differences"]],
            bool(entry.get("renewed")),
        )
        for entry in changed
    }
