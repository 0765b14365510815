"""A session that is on record, beside what the disk says of it now: what can be added, and what differs."""

from dataclasses import dataclass, replace
from typing import Any

from commands.inputfile.entries import SessionEntry
from commands.intake.association import Association, Implanted, associate
from commands.intake.inherited_tasks import Opened
from commands.intake.insertion import Present, remark, remarks_on
from commands.intake.plain_records import time_text
from commands.intake.stopping import Waits
from commands.recordings.disk import read_file
from commands.recordings.session import SessionDirectoryError
from commands.recordings.sessions_txt import SIZE_LIMIT, listed_sessions_txt, parse_sessions_txt
from projections.records import Clustering, Session

_STAYS = ("task-outside-recording",)  # remarks that do not come from the disk alone
Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """A session as the ledger has it."""

    row: Session
    entry: SessionEntry
    present: Present
    inserted: Plain
    remarks: list[Plain]
    probes: list[Plain]
    waiting: list[tuple[Clustering, Plain]]
    left: list[Clustering]


def data_now(one: Standing, opened: Opened) -> tuple[list[Plain], list[Plain]]:
    """The probes that can be added, and all remarks that there are now."""
    found, implanted, start = opened.found, one.present.implanted, str(one.row.session_time)
    names = {str(probe["name"]) for probe in one.probes}
    used = {str(probe["probe"]) for probe in one.probes}
    rest = tuple(i for i in implanted.insertions if i.subject != implanted.subject or i.probe not in used)
    new = [probe for probe in found.probes if probe.name not in names]
    association = Association()
    extra: list[Plain] = []
    if new:
        given = {n: p for n, p in (one.entry.probe_association or {}).items() if n not in names}
        known = {probe.name for probe in new}
        try:
            association = associate(
                new,
                {n: p for n, p in given.items() if n in known},
                Implanted(implanted.subject, rest, implanted.taken),
                time=start,
                despite_serial=one.present.decided.despite_serial,
            )
        except Waits as waits:
            for probe in new:
                said = f'"{probe.name}" is on disk, and not in the record: {waits.event.message}'
                extra.append(remark("more-on-disk", probe.name, said, probe.recordings))
        except SessionDirectoryError as problem:
            extra.append(remark("more-on-disk", new[0].name, problem.message, new[0].recordings))
    now = used | {str(match["probe"]) for match in association.matches}
    association.absent = [i.probe for i in implanted.own(start) if i.at(start) and i.probe not in now]
    association.early = [i for i in implanted.own(start) if i.probe in now and i.insertion_time > start]
    everything = replace(association, matches=[*one.probes, *association.matches])
    remarks = remarks_on(found, everything, one.present.decided, start)
    remarks += [*extra, *_otherwise(one, opened), *(r for r in one.remarks if r["code"] in _STAYS)]
    return association.matches, remarks


def _otherwise(one: Standing, opened: Opened) -> list[Plain]:
    """What the disk says otherwise than the record."""
    found, row = opened.found, one.row
    said = []
    stated = None if found.start is None else time_text(found.start)
    if stated not in (None, row.session_time) and one.present.decided.start is None:
        message = f"The disk says now that it started at {stated}; the record says {row.session_time}."
        said.append(remark("start-differs", str(stated), message))
    there = {probe.name for probe in found.probes}
    for probe in one.probes:
        if probe["name"] not in there:
            message = f'"{probe["name"]}" of the record is on disk no longer.'
            said.append(remark("probe-gone", str(probe["name"]), message))
    said += [
        remark("data-missing", missing.name, f"{missing.message} {missing.hint}".rstrip(), missing.files)
        for missing in found.missing
        if missing.name not in one.present.decided.without
    ]
    if changed := _other_table(one, opened):
        said.append(
            remark("sessions-txt-differs", changed, f"{changed} has changed since its tasks were read.")
        )
    return said


def _other_table(one: Standing, opened: Opened) -> str | None:
    table = one.inserted.get("sessions_txt")
    file = listed_sessions_txt(opened.listing) if table else None
    if table is None or file is None:
        return None
    now = parse_sessions_txt(read_file(opened.root, file, limit=SIZE_LIMIT)).sha256
    return None if now == table["sha256"] else file
