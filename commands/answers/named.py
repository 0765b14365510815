"""A whole subject, probe or user, by its full name. Reads the ledger; appends nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

from commands.answers.rows import ProbeInsertionLine
from ledger.bodies import body_of
from ledger.errors import NextStep, Refusal
from projections.lines import subject_name
from projections.renamed import called_now, former_names, renamed

if TYPE_CHECKING:
    from commands.door.world import World

PREFIXES = ("subject:", "probe:", "user:")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRecord:
    """``sessions`` and ``clusterings`` count its records by their status. ``former_names``: what it was called before,
    the newest first."""

    ref: str
    kind: Literal["subject"] = "subject"
    position: int
    subject: str
    registered_at: str
    registered_by: str
    former_names: list[str]
    probes: list[ProbeInsertionLine]
    sessions: dict[str, int]
    clusterings: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamedSubject:
    """A name that a subject had; its records are of ``renamed_to``, which is what it is called by now."""

    ref: str
    kind: Literal["renamed-subject"] = "renamed-subject"
    position: int
    subject: str
    renamed_to: str
    renamed_at: str
    renamed_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedProbe:
    """Where a probe is, or was last, in each subject. Naive local times."""

    subject: str
    insertion_time: str
    removal_time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRecord:
    """``sessions`` counts those that recorded with it, by their status. ``attributes`` are whatever the lab keeps of
    it."""

    ref: str
    kind: Literal["probe"] = "probe"
    position: int
    probe: str
    retired: bool
    attributes: dict[str, Any]
    inserted_in: list[PlacedProbe]
    sessions: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRecord:
    """``role`` is null where none was granted by name. The counts are of what the user owns, by status."""

    ref: str
    kind: Literal["user"] = "user"
    position: int
    user: str
    role: str | None
    granted_by: str | None
    granted_at: str | None
    uploads: dict[str, int]
    sessions: dict[str, int]
    clusterings: dict[str, int]
    requests: dict[str, int]


Named = SubjectRecord | RenamedSubject | ProbeRecord | UserRecord


def named(world: "World", text: str) -> Named:
    """Finds ``subject:12345``, ``probe:NAME`` or ``user:NAME``. Raises Refusal where nothing has that full name."""
    kind, _, name = text.partition(":")
    if kind == "subject":
        return _subject(world, text, name)
    return _probe(world, text, name) if kind == "probe" else _user(world, text, name)


def _subject(world: "World", text: str, name: str) -> SubjectRecord | RenamedSubject:
    key = f"0/{name}"
    row = world.state.subjects.get(key)
    if row is None and (event := renamed(world.transaction, key)) is not None:
        return RenamedSubject(
            ref=text,
            position=world.head.size,
            subject=name,
            renamed_to=subject_name(called_now(world.transaction, key)),
            renamed_at=event.recorded_at,
            renamed_by=event.actor,
            reason=body_of(event)["reason"],
        )
    if row is None:
        raise _unknown("subject", name, NextStep("list-subjects"))
    probes = world.state.insertions.where("subject = ?", [key])
    return SubjectRecord(
        ref=text,
        position=world.head.size,
        subject=name,
        registered_at=row.registered_at,
        registered_by=row.registered_by,
        former_names=[subject_name(each) for each in former_names(world.transaction, key)],
        probes=[
            ProbeInsertionLine(probe=p.probe, insertion_time=p.insertion_time, removal_time=p.removal_time)
            for p in probes
        ],
        sessions=_counted(world, world.state.sessions.table, "subject = ?", key),
        clusterings=_counted(world, world.state.clusterings.table, "subject = ?", key),
    )


def _probe(world: "World", text: str, name: str) -> ProbeRecord:
    row = world.state.reference.get(("reference.Probe", name))
    if row is None:
        raise _unknown("probe", name, NextStep("list-values", arguments={"table": "reference.Probe"}))
    used = f"id IN (SELECT session FROM {world.state.probes.table} WHERE probe = ?)"
    return ProbeRecord(
        ref=text,
        position=world.head.size,
        probe=name,
        retired=bool(row.retired),
        attributes=orjson.loads(row.attributes),
        inserted_in=[
            PlacedProbe(
                subject=each.subject.partition("/")[2],
                insertion_time=each.insertion_time,
                removal_time=each.removal_time,
            )
            for each in world.state.insertions.where("probe = ?", [name])
        ],
        sessions=_counted(world, world.state.sessions.table, used, name),
    )


def _user(world: "World", text: str, name: str) -> UserRecord:
    row = world.state.users.get(name)
    state = world.state
    counts: dict[str, Any] = {
        "uploads": _counted(world, state.uploads.table, "username = ?", name),
        "sessions": _counted(world, state.sessions.table, "username = ?", name),
        "clusterings": _counted(world, state.clusterings.table, "username = ?", name),
        "requests": _counted(world, state.deletions.table, "requested_by = ?", name),
    }
    if row is None and not any(counts.values()):
        raise _unknown("user", name, NextStep("list-roles"))
    return UserRecord(
        ref=text,
        position=world.head.size,
        user=name,
        role=None if row is None else row.role or None,
        granted_by=None if row is None else row.granted_by,
        granted_at=None if row is None else row.granted_at,
        **counts,
    )


def _counted(world: "World", table: str, where: str, value: str) -> dict[str, int]:
    sql = f"SELECT status, count(*) FROM {table} WHERE {where} GROUP BY status ORDER BY status"
    return {status: int(number) for status, number in world.transaction.run(sql, (value,)).fetchall()}


def _unknown(kind: str, name: str, step: NextStep) -> Refusal:
    return Refusal("not-found", f'There is no {kind} "{name}".', "", step)
