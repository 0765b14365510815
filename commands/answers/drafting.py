"""An input file drafted from session directories, with the valid values of a ledger where there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from commands.door.world import World
    from commands.recordings.roots import Roots

Form = Literal["yaml", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftNote:
    """What is to be filled in at a ``path`` of the document; empty for the whole."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """``text`` is the file. In JSON, which takes no comments, these are ``notes``. ``position`` is that of the ledger
    whose values are listed; 0 without one."""

    position: int
    text: str
    notes: list[DraftNote]


def drafted(
    directory: Path, *, subject: str | None, form: Form, roots: "Roots", values: Mapping[str, Sequence[str]],
    position: int,
) -> Draft:  # fmt: skip
    """Of a directory of this machine. Raises the refusals of ``commands.inputfile.compose``."""
    from commands.inputfile.compose import draft
    from commands.inputfile.draft import draft_json, draft_yaml
    from commands.recordings.locations import LocationError
    from commands.recordings.roots import normalise

    def location_of(path: Path) -> str:
        try:
            return normalise(str(path), roots)
        except LocationError:
            return str(path)

    found = draft(directory, subject=subject, location_of=location_of, zone=roots.zone or UTC)
    listed = {table: list(some) for table, some in values.items()}
    text, notes = (draft_yaml(found, listed), []) if form == "yaml" else draft_json(found, listed)
    return Draft(
        position=position, text=text, notes=[DraftNote(path=path, text=note) for path, note in notes]
    )


def valid_values(world: "World", subject: str | None) -> dict[str, list[str]]:
    """Of each table; the probes are those that are inserted in the subject."""
    from commands.answers.lab import catalogue, subjects

    values: dict[str, list[str]] = {}
    for one in catalogue(world).values:
        values.setdefault(one.table, [])
        if not one.retired:
            values[one.table].append(one.value)
    for known in subjects(world).subjects:
        if known.subject == subject:
            values["reference.Probe"] = [line.probe for line in known.probes if line.removal_time is None]
    return values
