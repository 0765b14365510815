"""What the lab has put on record of itself: reference values, subjects with their probes, roles, people. Reads the
ledger; appends nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from commands.answers.rows import ProbeInsertionLine
from commands.answers.typed import read
from commands.intake.reference_tables import checked_table
from commands.lab.listed import list_people, list_roles
from projections.listings import reference_values
from projections.listings import subjects as registered

if TYPE_CHECKING:
    from commands.door.world import World

Role = Literal["researcher", "admin", "auditor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceValueLine:
    """``attributes`` are whatever the lab keeps of the value."""

    table: str
    value: str
    attributes: dict[str, Any]
    retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The reference values of one ``table``, or of all of them (null)."""

    position: int
    table: str | None
    values: list[ReferenceValueLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectLine:
    subject: str
    registered_at: str
    registered_by: str
    probes: list[ProbeInsertionLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    position: int
    subjects: list[SubjectLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLine:
    """``role`` is null for the user "everyone" where whoever is not named has none. Name and e-mail address as far as
    they are known."""

    user: str
    role: Role | None
    granted_by: str
    granted_at: str
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Whoever was granted a role and has one now; the user "everyone" stands for all others, and comes last."""

    position: int
    roles: list[RoleLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    user: str
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Names and addresses, as they are now: they are kept beside the log."""

    position: int
    people: list[PersonLine]


def catalogue(world: "World", table: str | None = None) -> Catalogue:
    """Raises Refusal for an unknown table."""
    if table is not None:
        checked_table(table)
    found = reference_values(world.transaction, world.head.live_slot, table)
    values = [read(ReferenceValueLine, value) for value in found]
    return Catalogue(position=world.head.size, table=table, values=values)


def subjects(world: "World") -> Subjects:
    found = registered(world.transaction, world.head.live_slot)
    return Subjects(position=world.head.size, subjects=[read(SubjectLine, each) for each in found])


def roles(world: "World") -> Roles:
    found = [read(RoleLine, each) for each in list_roles(world)]
    return Roles(position=world.head.size, roles=found)


def people(world: "World") -> People:
    found = [read(PersonLine, each) for each in list_people(world)]
    return People(position=world.head.size, people=found)
