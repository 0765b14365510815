"""Which probe on disk is which of the subject's: what a form for it offers. Only probes that fit can be chosen."""

from collections.abc import Mapping
from dataclasses import dataclass

from commands.answers.record import SessionRecord
from commands.web.pages.fields import PAIR
from commands.web.pages.visiting import Visit
from ledger.errors import Refusal


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A probe on disk: ``serial`` as it is told, ``probe`` the one that it must be, where that is known."""

    name: str
    serial: str
    probe: str
    choices: tuple[str, ...]

    @property
    def field(self) -> str:
        return PAIR + self.name


def probes_on_disk(visit: Visit, ref: str, given: Mapping[str, str]) -> list[OnDisk]:
    """Those of a session that waits; where there is none, those that are ``given``."""
    try:
        found = visit.ask("record", ref=ref) if ref else None
    except Refusal:
        found = None
    if not isinstance(found, SessionRecord) or found.waiting_for is None:
        names = [name.removeprefix(PAIR) for name in given if name.startswith(PAIR)]
        return [OnDisk(name, "", given[PAIR + name], ()) for name in names]
    advised = [step.arguments for step in visit.ask("why", ref=ref).next_steps if step.action == "associate"]
    proposed = advised[0] if advised else {}
    inserted = tuple(found.waiting_for.inserted or ())
    return [
        OnDisk(probe.name, _serial(probe.serial, probe.suggested_serial),
            given.get(PAIR + probe.name) or proposed.get(probe.name) or "", inserted)
        for probe in found.waiting_for.found or ()
    ]  # fmt: skip


def _serial(stated: str | None, suggested: str | None) -> str:
    if stated:
        return f"serial {stated}"
    return f"serial not stated; the neighbouring session has {suggested}" if suggested else "no serial stated"
