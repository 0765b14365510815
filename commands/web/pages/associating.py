"""What a form offers of what lies on disk: which probe may be which of the subject's, and the tasks of a sessions.txt.
Only probes that fit can be chosen."""

from collections.abc import Mapping
from dataclasses import dataclass

from commands.answers.record import SessionRecord
from commands.recordings.locations import LocationError
from commands.recordings.session import SessionDirectoryError
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


def tasks_on_disk(visit: Visit, ref: str) -> str:
    """A file of the tasks that sessions.txt has, for a person to say what each was; empty where it has none."""
    try:
        found = visit.ask("record", ref=ref)
        if not isinstance(found, SessionRecord):
            return ""
        drafted = visit.ask("draft", directory=found.location, subject=found.subject).text
    except (Refusal, LocationError, SessionDirectoryError):
        return ""
    lines = drafted.splitlines()
    start = next((number for number, line in enumerate(lines) if line.strip() == "tasks:"), None)
    if start is None:
        return ""
    indent = len(lines[start]) - len(lines[start].lstrip())
    inside = [lines[start]]
    for line in lines[start + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        inside.append(line)
    return "\n".join(line[indent:] for line in inside).rstrip() + "\n"
