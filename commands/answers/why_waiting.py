"""Why a session or a clustering waits, and what a person can decide on it. Pure: words what the record says."""

import re
from collections.abc import Mapping, Sequence

from commands.answers.record import ClusteringRecord, FoundProbe, SessionRecord
from commands.answers.sentences import listed
from commands.answers.why_told import LISTED, WORK, Told, related_to
from ledger.errors import NextStep
from projections.lines import in_words
from projections.references import Reference

_EXPERIMENTER = "reference.Experimenter"


def waiting(
    reference: Reference,
    found: SessionRecord | ClusteringRecord,
    proposed: Mapping[tuple[str, str], str],
    inserted: Sequence[str],
) -> Told:
    """``proposed`` are the values that wait for a decision, with their requests; ``inserted`` the probes that are in
    the subject by now."""
    message = str(found.message)
    if isinstance(found, SessionRecord):
        told = _waiting_session(reference, found, inserted)
        if told is not None:
            return told
    elif found.session is not None:
        return _waiting_clustering(found, proposed.get((_EXPERIMENTER, found.username)))
    if found.reason == "sessions-txt":
        return Told(f"{message}\nIt goes on by itself once the file is there.", [WORK])
    if isinstance(found, ClusteringRecord) and found.reason == "clustering-sessions":
        related = [related_to(session) for session in found.sessions if session.status != "inserted"]
        lines = [f"{one.ref} {in_words(one.status)}: {one.message or 'not processed yet'}" for one in related]
        steps = [NextStep("why", one.ref) for one in related[:LISTED]]
        return Told(listed(message, lines), [*steps, WORK], related)
    return Told(message, [WORK])


def _waiting_session(reference: Reference, found: SessionRecord, now: Sequence[str]) -> Told | None:
    """What a person can decide; None: it goes on by itself."""
    ref, message, waits = str(reference), str(found.message), found.waiting_for
    on_disk = (waits.found if waits else None) or []
    if found.reason == "probe-association":
        return _association(reference, found, now)
    if found.reason == "probe-of-another-subject":
        meant: dict[str, str | None] = dict.fromkeys(probe.name for probe in on_disk)
        message += "\nIt holds nothing: the location is free for the session of the right subject."
        steps = [
            NextStep("withdraw", ref),
            NextStep("associate", ref, meant | {"despite_serial": "yes", "reason": None}),
        ]
        return Told(message, steps)
    if found.reason == "serial-contradicts":
        given = found.entry.get("probe_association") or {}
        inserted = (waits.inserted if waits else None) or []
        right = _proposed(on_disk, inserted, {})
        meant = {probe.name: given.get(probe.name) or right[probe.name] for probe in on_disk}
        steps = [NextStep("associate", ref, meant | {"despite_serial": "yes", "reason": None})]
        if all(right.values()) and right != meant:
            steps.insert(0, NextStep("associate", ref, right))
        return Told(message, steps)
    if found.reason == "data-missing":
        names = [one.name for one in (waits.missing if waits else None) or []]
        steps = [NextStep("settle", ref, {"without": name, "reason": None}) for name in names[:LISTED]]
        return Told(f"{message}\nIt goes on when that is mended, or without it.", [WORK, *steps])
    if found.reason == "starts-apart":
        message += "\nIt holds nothing: each of the sessions in it can be entered by its own directory."
        steps = [NextStep("withdraw", ref), NextStep("settle", ref, {"despite_dates": "yes", "reason": None})]
        return Told(message, steps)
    if found.reason == "no-start":
        return Told(
            f"{message}\nA person who knows it can say it.",
            [NextStep("settle", ref, {"start": None, "reason": None})],
        )
    if found.reason == "acquiring":
        message += "\nIt goes on when the recording is finished and its headers are complete; or, if the acquisition "
        message += "crashed, when a person says so."
        return Told(message, [WORK, NextStep("settle", ref, {"as_crashed": "yes", "reason": None})])
    return None


def _waiting_clustering(found: ClusteringRecord, proposed: str | None) -> Told:
    """Of one session: it goes on when its output is there, or when one is chosen. ``proposed`` is the request that
    its uploader becomes an experimenter."""
    message = f"{found.message}\nIts session is inserted all the same."
    if found.reason == "curator":
        choose = NextStep("add-clustering", found.session, {"location": found.location, "curator": None})
        known = {"reference": _EXPERIMENTER, "value": found.username}
        name = NextStep("propose-value", arguments=known)
        there = "have the uploader put into the catalogue"
        if proposed is not None:
            name, there = (
                NextStep("show-request", proposed),
                f"have {proposed}, which proposes the uploader, approved",
            )
        message += f" Say who the curator is, or {there}; then look again."
        return Told(message, [choose, name, NextStep("work", found.session)])
    message += " It goes on by itself when the output is there."
    choose = NextStep("add-clustering", found.session, {"location": None, "curator": found.curator})
    return Told(message, [NextStep("work", found.session), choose])


def _association(reference: Reference, found: SessionRecord, now: Sequence[str]) -> Told:
    on_disk = (found.waiting_for.found if found.waiting_for else None) or []
    inserted = (found.waiting_for.inserted if found.waiting_for else None) or []
    given: dict[str, str] = found.entry.get("probe_association") or {}
    names = ", ".join(probe.name + _serial_of(probe) for probe in on_disk)
    message = listed(
        str(found.message),
        [
            f"on disk: {names or 'none'}",
            f"inserted in subject {found.subject}: {', '.join(inserted) or 'none'}",
        ],
    )
    if further := [name for name in now if name not in inserted]:
        has = "has" if len(further) == 1 else "have"
        return Told(
            f"{message}\n{', '.join(further)} {has} been recorded as inserted since: look again.", [WORK]
        )
    missing = len(on_disk) - len(inserted)
    if missing > 0:
        message += f"\n{missing} more on disk than inserted: if it is this subject's, its insertion has to be recorded."
        insert = NextStep("insert-probe", arguments={"subject": found.subject, "probe": None, "at": None})
        return Told(message, [insert, WORK])
    return Told(message, [NextStep("associate", str(reference), _proposed(on_disk, inserted, given))])


def _serial_of(probe: FoundProbe) -> str:
    if probe.serial:
        return f" (serial {probe.serial})"
    if probe.suggested_serial:
        return f" (serial not stated; the neighbouring session has {probe.suggested_serial})"
    return ""


def _proposed(
    found: Sequence[FoundProbe], inserted: Sequence[str], given: dict[str, str]
) -> dict[str, str | None]:
    """Each probe on disk, and the subject's probe that it must be; None where more than one is possible.

    What serial numbers or the file itself decide is filled in. Nothing is guessed: a wrong association
    would be stored.
    """
    sure = {name: probe for name, probe in given.items() if probe in inserted}
    for probe in found:
        serial = probe.serial or probe.suggested_serial
        named = [name for name in inserted if serial and _names_serial(name, serial)]
        if probe.name not in sure and len(named) == 1:
            sure[probe.name] = named[0]
    left = [name for name in inserted if name not in sure.values()]
    open_names = [probe.name for probe in found if probe.name not in sure]
    if len(left) == len(open_names) == 1:
        sure[open_names[0]] = left[0]
    return {probe.name: sure.get(probe.name) for probe in found}


def _names_serial(name: str, serial: str) -> bool:
    return re.search(rf"(?<!\d){re.escape(serial)}(?!\d)", name) is not None
