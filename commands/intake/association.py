"""Which probe of the subject each probe on disk is, or whose it is where it is another subject's. Pure.

What the disk contradicts is never accepted in silence: where a serial number belongs to another subject's probe, or
to another probe than somebody said, the session waits until a person says that it is meant.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.intake.stopping import Fails, Waits
from commands.recordings.insertions import Insertion
from commands.recordings.session import ProbeOnDisk
from ledger.events import SessionWaiting

_NUMBERS = re.compile(r"\d+")
_SERIAL_DIGITS = 9  # at least: a shorter number in a probe's name may be anything
Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Implanted:
    """All probe insertions of the lab, as one subject sees them. ``taken`` are the probes on disk at its location
    that another session has: their names, each with that session.
    """

    subject: str
    insertions: tuple[Insertion, ...]
    taken: Mapping[str, str] = field(default_factory=dict)

    def own(self, time: str) -> list[Insertion]:
        """The probes that were not removed by then."""
        return [one for one in self.insertions if one.subject == self.subject and one.before_removal(time)]

    def elsewhere(self, probe: str, time: str) -> Insertion | None:
        """The other subject that a probe of that name was in at that time."""
        there = [one for one in self.insertions if one.probe == probe and one.at(time)]
        if any(one.subject == self.subject for one in there):
            return None
        return there[0] if there else None

    def owner_of(self, serial: str, time: str) -> Insertion | None:
        """Another subject's probe with that serial number, unless it was removed before."""
        named = [one for one in self.insertions if names_serial(one.probe, serial)]
        others = [one for one in named if one.subject != self.subject and one.before_removal(time)]
        return next((one for one in others if one.at(time)), others[0] if others else None)

    def removed_from(self, serial: str, time: str) -> Insertion | None:
        named = [one for one in self.insertions if names_serial(one.probe, serial)]
        return next(
            (one for one in named if one.subject != self.subject and not one.before_removal(time)), None
        )


@dataclass(slots=True)
class Association:
    """``matches`` go in; ``left_out`` are remarks on the others, ``absent`` the subject's probes without data there,
    ``early`` those whose recording began before they were inserted.
    """

    matches: list[Plain] = field(default_factory=list)
    left_out: list[Plain] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    early: list[Insertion] = field(default_factory=list)


def names_serial(name: str, serial: str) -> bool:
    """Whether it stands there by itself, not as a part of a longer number."""
    at = name.find(serial)
    while at >= 0:
        end = at + len(serial)
        if not (name[at - 1 : at].isdecimal() or name[end : end + 1].isdecimal()):
            return True
        at = name.find(serial, at + 1)
    return False


def other_serial(name: str, serial: str) -> str | None:
    """The serial number that a probe's name states, where it is another than that on disk."""
    if len(serial) < _SERIAL_DIGITS or names_serial(name, serial):
        return None
    return next((found for found in _NUMBERS.findall(name) if len(found) >= _SERIAL_DIGITS), None)


@dataclass(slots=True)
class _Sorting:
    """One probe on disk after the other. ``foreign`` and ``against`` contradict the entry, ``open`` needs a person."""

    implanted: Implanted
    given: Mapping[str, str]
    time: str
    only: bool
    despite_serial: bool
    matched: Association = field(default_factory=Association)
    claims: list[tuple[str, str]] = field(default_factory=list)
    foreign: list[tuple[ProbeOnDisk, Insertion]] = field(default_factory=list)
    against: list[tuple[ProbeOnDisk, str]] = field(default_factory=list)
    open: list[tuple[ProbeOnDisk, str]] = field(default_factory=list)
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = [one.probe for one in self.implanted.own(self.time)]

    def sort(self, probe: ProbeOnDisk) -> None:
        if probe.name in self.implanted.taken:
            holder = self.implanted.taken[probe.name]
            self._leave(probe, f"{quoted(probe.name)} is left out: session {holder} has it.")
        elif probe.name in self.given:
            self._given(probe, self.given[probe.name])
        else:
            self._by_serial(probe)

    def _given(self, probe: ProbeOnDisk, name: str) -> None:
        if name not in self.names:
            said = f"{quoted(probe.name)} was associated with {quoted(name)}, "
            said += "which was not inserted in this subject then"
            self.open.append((probe, said))
        else:
            self.claims.append((probe.name, name))
            if self.despite_serial or not self._contradicts(probe, name):
                self._match(probe, name, "given")

    def _contradicts(self, probe: ProbeOnDisk, name: str) -> bool:
        """Whether the serial number or the times of insertions speak against it, which is then noted."""
        elsewhere = self.implanted.elsewhere(name, self.time)
        if elsewhere is not None:
            self.foreign.append((probe, elsewhere))
            return True
        if not probe.serial or names_serial(name, probe.serial):
            return False
        own = next((one for one in self.names if names_serial(one, probe.serial)), None)
        if own is not None:
            said = f"its serial {probe.serial} is that of {quoted(own)}, not of {quoted(name)}"
            self.against.append((probe, said))
            return True
        owner = self.implanted.owner_of(probe.serial, self.time)
        if owner is not None:
            self.foreign.append((probe, owner))
            return True
        if other_serial(name, probe.serial):
            said = f"its serial is {probe.serial}, and {quoted(name)} names another"
            self.against.append((probe, said))
            return True
        return False

    def _by_serial(self, probe: ProbeOnDisk) -> None:
        names = self.names
        found = [name for name in names if probe.serial and names_serial(name, probe.serial)]
        if len(found) > 1:
            self.open.append(
                (probe, f"serial {probe.serial} of {quoted(probe.name)} is in the names of {listed(found)}")
            )
        elif found and (elsewhere := self.implanted.elsewhere(found[0], self.time)) is not None:
            self.foreign.append((probe, elsewhere))
        elif found:
            self.claims.append((probe.name, found[0]))
            self._match(probe, found[0], "serial")
        elif probe.serial and (owner := self.implanted.owner_of(probe.serial, self.time)) is not None:
            self.foreign.append((probe, owner))
        elif self.only and len(names) == 1:
            if not self._contradicts(probe, names[0]):
                self._match(probe, names[0], "only-one")
        else:
            self.open.append((probe, self._needed(probe, names)))

    def _needed(self, probe: ProbeOnDisk, names: Sequence[str]) -> str:
        was = self.implanted.removed_from(probe.serial, self.time) if probe.serial else None
        before = (
            f" ({quoted(was.probe)} was in {subject_name(was.subject)} until {was.removal_time})"
            if was
            else ""
        )
        if not names:
            return (
                f"{quoted(probe.name)} has no counterpart: no probe was inserted in this subject then{before}"
            )
        if probe.serial:
            return (
                f"serial {probe.serial} of {quoted(probe.name)} is in no name of the probes inserted, "
                f"{listed(names)}{before}"
            )
        return f"{quoted(probe.name)} may be any of {listed(names)}"

    def _match(self, probe: ProbeOnDisk, name: str, how: str) -> None:
        self.matched.matches.append(
            {
                "name": probe.name,
                "probe": name,
                "serial": probe.serial,
                "part_number": probe.part_number,
                "shanks": probe.shanks,
                "matched_by": how,
            }
        )

    def _leave(self, probe: ProbeOnDisk, message: str) -> None:
        self.matched.left_out.append(
            {
                "code": "probe-left-out",
                "name": probe.name,
                "files": list(probe.recordings),
                "message": message,
            }
        )

    def leave_others_out(self) -> None:
        """Where a probe of the recording is the subject's, the others are named and left out."""
        for probe, owner in self.foreign:
            self._leave(probe, f"{quoted(probe.name)} is left out: {_whose(probe, owner)}.")
        self.foreign = []
        used = {match["probe"] for match in self.matched.matches}
        if all(match["matched_by"] == "given" for match in self.matched.matches) and used >= set(self.names):
            for probe, _ in self.open:
                if probe.name not in self.given:
                    self._leave(probe, f"{quoted(probe.name)} is left out: it is associated with no probe.")
            self.open = [(probe, said) for probe, said in self.open if probe.name in self.given]


def associate(
    found: Sequence[ProbeOnDisk],
    given: Mapping[str, str] | None,
    implanted: Implanted,
    *,
    time: str,
    despite_serial: bool = False,
    missing: Iterable[str] = (),
    suggested: Mapping[str, str] | None = None,
) -> Association:
    """As given, else by serial number, else the only one there is. ``missing`` are names on disk of what cannot be
    read, ``suggested`` the serials that a neighbouring session has for these names. Raises Waits or Fails.
    """
    given = given or {}
    names = [probe.name for probe in found]
    unknown = sorted(set(given) - set(names) - set(missing))
    if unknown:
        raise Fails(
            "probe-not-on-disk",
            f"probe_association names {quoted(unknown[0])}, which is not on disk. "
            f"On disk {'is' if len(names) == 1 else 'are'} {listed(names)}.",
            "Use the names on disk as keys.",
        )
    sorting = _Sorting(implanted, given, time, len(found) == 1, despite_serial)
    for probe in found:
        sorting.sort(probe)
    _refuse_double_use(sorting.claims)
    matched = sorting.matched
    if matched.matches:
        sorting.leave_others_out()
    if sorting.against or sorting.foreign:
        raise Waits(_contradiction(sorting, found))
    if sorting.open:
        raise Waits(_association(sorting, found, suggested or {}))
    if not matched.matches:
        raise Waits(_all_taken(matched, found, sorting.names))
    used = {match["probe"] for match in matched.matches}
    own = implanted.own(time)
    matched.absent = [one.probe for one in own if one.probe not in used and one.at(time)]
    matched.early = [one for one in own if one.probe in used and one.insertion_time > time]
    return matched


def _contradiction(sorting: _Sorting, found: Sequence[ProbeOnDisk]) -> SessionWaiting:
    said = [f"{quoted(probe.name)}: {_whose(probe, owner)}" for probe, owner in sorting.foreign]
    said += [f"{quoted(probe.name)}: {against}" for probe, against in sorting.against]
    reason = "probe-of-another-subject" if sorting.foreign else "serial-contradicts"
    what = (
        "The recording is not of this subject, by what the ledger says"
        if sorting.foreign
        else "What was said of the probes contradicts the disk"
    )
    return SessionWaiting(
        reason=reason,
        message=f"{what}: {'; '.join(said)}.",
        found=_found(found),
        inserted=sorting.names,
        belongs=[
            {
                "name": probe.name,
                "serial": probe.serial,
                "probe": owner.probe,
                "subject": subject_name(owner.subject),
            }
            for probe, owner in sorting.foreign
        ],
        holds=False,
    )


def _association(
    sorting: _Sorting, found: Sequence[ProbeOnDisk], suggested: Mapping[str, str]
) -> SessionWaiting:
    message = f"Probe association is required: {'; '.join(said for _, said in sorting.open)}."
    return SessionWaiting(
        reason="probe-association",
        message=message,
        found=_found(found, suggested),
        inserted=sorting.names,
    )


def _all_taken(matched: Association, found: Sequence[ProbeOnDisk], inserted: Sequence[str]) -> SessionWaiting:
    said = " ".join(str(one["message"]) for one in matched.left_out)
    return SessionWaiting(
        reason="probe-of-another-subject",
        message=f"No probe is left for this session. {said}".rstrip(),
        found=_found(found),
        inserted=list(inserted),
        holds=False,
    )


def _found(found: Sequence[ProbeOnDisk], suggested: Mapping[str, str] | None = None) -> list[Plain]:
    plain = []
    for probe in found:
        one: Plain = {"name": probe.name, "serial": probe.serial, "part_number": probe.part_number}
        if suggested and not probe.serial and probe.name in suggested:
            one["suggested_serial"] = suggested[probe.name]
        plain.append(one)
    return plain


def _whose(probe: ProbeOnDisk, owner: Insertion) -> str:
    until = f" until {owner.removal_time}" if owner.removal_time else ""
    serial = f"serial {probe.serial}" if probe.serial and names_serial(owner.probe, probe.serial) else "it"
    return (
        f"{serial} is probe {quoted(owner.probe)}, which is inserted in subject {subject_name(owner.subject)} "
        f"(from {owner.insertion_time}{until})"
    )


def _refuse_double_use(claims: Sequence[tuple[str, str]]) -> None:
    """``claims`` are names on disk and the probe that each is said to be."""
    owner: dict[str, str] = {}
    for name, probe in claims:
        other = owner.setdefault(probe, name)
        if other != name:
            raise Fails(
                "probe-twice",
                f"{quoted(other)} and {quoted(name)} are both associated with probe {quoted(probe)}.",
                "Give each probe on disk a probe of its own in probe_association.",
            )


def quoted(text: str) -> str:
    return f'"{text}"'


def listed(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names)) or "none"


def subject_name(key: str) -> str:
    return key.removeprefix("0/")
