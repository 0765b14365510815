"""Reference values, subjects and probe insertions: what input files are checked against.

Every command is idempotent: it appends nothing for what is so already.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from commands.door.command import Command, checked_command_id
from commands.door.memory import VALUE, Memory
from commands.door.permission import require_admin
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.inputfile.catalogue import Catalogue, CatalogueValue, read_catalogue
from commands.inputfile.findings import Finding, in_file_order
from commands.inputfile.limits import Limits
from commands.intake.reference_tables import checked_table
from commands.intake.registering import add_value, insert_probe, reference_event, register
from commands.lab.subjects import Added
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import ReferenceValueRetired
from ledger.redaction import BLANK
from projections.renamed import called_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired(Result):
    """How many values were retired: 0 where that had been done before."""

    retired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTold:
    """A value on which the file and the ledger differ. ``became``: changed, where the file gives attributes; kept,
    where it leaves out those in the ledger; retired, where the value is retired and stays so; redacted, where it was
    redacted, stays out and is not named. ``before`` and ``now`` are its attributes. Or a subject, of the table
    "subjects": renamed, where it is called otherwise now; what the file says of it stays out, and ``now`` has its
    ``name``.
    """

    table: str
    value: str
    became: Literal["changed", "kept", "retired", "redacted", "renamed"]
    before: dict[str, Any]
    now: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueLoaded(Result):
    """How many facts were new, how many were known already, and the values on which file and ledger differ."""

    added: int
    known: int
    told: list[ValueTold] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueReport(CatalogueLoaded):
    """What became of a catalogue file; where ``ok`` is False nothing was loaded, and the findings say why."""

    findings: list[Finding]


def load_catalogue(
    daybook: Daybook,
    data: bytes,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    command_id: str | None = None,
) -> CatalogueReport:
    """Read a catalogue file and append what is new in it: all of it or nothing."""
    command_id = checked_command_id(command_id)
    daybook.require(lambda world: require_admin(world, "load a catalogue"))
    read = read_catalogue(data, limits=limits)
    findings = in_file_order(read.findings)
    if read.catalogue is None:
        with daybook.reading() as world:
            return CatalogueReport(ok=False, position=world.head.size, added=0, known=0, findings=findings)
    loaded = daybook.submit(LoadCatalogue(command_id=command_id, catalogue=read.catalogue)).result
    return CatalogueReport(
        position=loaded.position, added=loaded.added, known=loaded.known, told=loaded.told, findings=findings
    )


class AddReferenceValue(Command[Added]):
    table: str
    value: str
    attributes: dict[str, Any] = {}

    def authorise(self, world: World) -> None:
        require_admin(world, "add reference values")

    def decide(self, world: World) -> Decision[Added]:
        events = add_value(world, checked_table(self.table), self.value, self.attributes)
        return Decision(events, Added(added=len(events)))


class RetireReferenceValue(Command[Retired]):
    table: str
    value: str

    def authorise(self, world: World) -> None:
        require_admin(world, "retire reference values")

    def decide(self, world: World) -> Decision[Retired]:
        known = world.state.reference.get((checked_table(self.table), self.value))
        if known is None:
            raise Refusal(
                "unknown-value",
                f'"{self.value}" is not in {self.table}.',
                "",
                NextStep("list-values", arguments={"table": self.table}),
            )
        if known.retired:
            return Decision((), Retired(retired=0))
        event = ReferenceValueRetired(table=self.table, value=self.value)
        return Decision([reference_event(self.table, event)], Retired(retired=1))


class LoadCatalogue(Command[CatalogueLoaded]):
    """A whole catalogue file; appends what is new in it and nothing else."""

    catalogue: Catalogue

    def authorise(self, world: World) -> None:
        require_admin(world, "load a catalogue")

    def decide(self, world: World) -> Decision[CatalogueLoaded]:
        events: list[NewEvent] = []
        memory = Memory.of(world)
        told = [
            (value, one)
            for value in self.catalogue.values
            if (one := _told(world, memory, value)) is not None
        ]
        left_out = {
            (value.table, value.value) for value, one in told if one.became in ("retired", "redacted")
        }
        for value in self.catalogue.values:
            if (value.table, value.value) not in left_out:
                events += add_value(world, checked_table(value.table), value.value, value.attributes)
        probes = {value.value for value in self.catalogue.values if value.table == "reference.Probe"}
        placed: dict[str, str] = {}
        renamed: list[ValueTold] = []
        for subject in self.catalogue.subjects:
            key = f"{subject.datasource_id}/{subject.name}"
            now = called_now(world.transaction, key) if world.state.subjects.get(key) is None else key
            if now != key:
                renamed.append(_renamed(subject.name, now.partition("/")[2]))
                continue
            events += register(world, subject.datasource_id, subject.name, another=True)  # as was just seen
            for insertion in subject.probes:
                inserted = insert_probe(world, key, insertion.probe, insertion.insertion_time)
                known = world.state.reference.get(("reference.Probe", insertion.probe))
                is_added = known is None and insertion.probe in probes
                if inserted and not is_added and (known is None or known.retired):
                    raise Refusal(
                        "unknown-probe",
                        f'Probe "{insertion.probe}" of subject {subject.name} is not in reference.Probe'
                        f"{'' if known is None else ' any more'}.",
                        "Add it to reference.Probe in the same file."
                        if known is None
                        else "A catalogue does not bring back what was retired. To bring it back",
                        *([] if known is None else [_bring_back("reference.Probe", insertion.probe)]),
                    )
                if inserted and placed.setdefault(insertion.probe, subject.name) != subject.name:
                    raise Refusal(
                        "inserted-elsewhere",
                        f'Probe "{insertion.probe}" is inserted in subject {placed[insertion.probe]} and in '
                        f"subject {subject.name}.",
                        "A probe is in one subject at a time: take it out of one of the two.",
                    )
                events += inserted
        facts = len(self.catalogue.values) + sum(1 + len(each.probes) for each in self.catalogue.subjects)
        result = CatalogueLoaded(
            added=len(events), known=facts - len(events), told=[*(one for _, one in told), *renamed]
        )
        return Decision(events, result)


def _told(world: World, memory: Memory, value: CatalogueValue) -> ValueTold | None:
    """How the file and the ledger differ on a value that is known or was redacted; None where they agree."""
    known = world.state.reference.get((checked_table(value.table), value.value))
    if known is None:
        if memory.find(VALUE, value.table, value.value) is None:
            return None
        return ValueTold(table=value.table, value=BLANK, became="redacted", before={}, now={})
    before: dict[str, Any] = orjson.loads(known.attributes)
    became: Literal["changed", "kept", "retired"] = "changed"
    if known.retired:
        became = "retired"
    elif before == value.attributes:
        return None
    elif not value.attributes:
        became = "kept"
    now = value.attributes if became == "changed" else before
    return ValueTold(table=value.table, value=value.value, became=became, before=before, now=now)


def _renamed(name: str, now: str) -> ValueTold:
    return ValueTold(table="subjects", value=name, became="renamed", before={}, now={"name": now})


def _bring_back(table: str, value: str) -> NextStep:
    return NextStep("restore-value", arguments={"reference": table, "value": value})
