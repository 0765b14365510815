"""The sessions of an input file: which of them are there already, and what the others say."""

from collections.abc import Iterable

from commands.inputfile.check.checked import CheckedSession
from commands.inputfile.check.clusterings import Clusterings
from commands.inputfile.check.places import Places
from commands.inputfile.check.said import Said
from commands.inputfile.check.values import Values
from commands.inputfile.entries import SessionEntry
from commands.inputfile.known import Known
from commands.inputfile.reference_values import quoted
from commands.inputfile.task_times import check_tasks
from commands.inputfile.twice import around_or_inside, inside_another, output_of_run


class Sessions:
    def __init__(
        self, said: Said, places: Places, values: Values, clusterings: Clusterings, known: Known
    ) -> None:
        self._said, self._places, self._values = said, places, values
        self._clusterings, self._known = clusterings, known

    def all_of(self, entries: Iterable[SessionEntry]) -> list[CheckedSession]:
        checked: list[CheckedSession] = []
        first_at: dict[str | int, SessionEntry] = {}
        held, links = self._known.locations, self._known.leads_to
        for entry in entries:
            location = self._places.normalised(entry.location, ("sessions", entry.index))
            if location is None:
                self._values_of(entry)
                continue
            holder, there = held.get(location), links.get(location)
            one = holder.session if holder is not None else there or location
            first = first_at.setdefault(one, entry)
            if first is not entry:
                self._said.error(
                    ("sessions", entry.index, "location"),
                    "duplicate-location",
                    f"location {quoted(entry.location)} is that of sessions[{first.index}] too, "
                    f"which has it as {quoted(first.location)}.",
                    "A session is entered once: remove one.",
                )
            if holder is not None:
                self._said.refuse_cut(
                    ("sessions", entry.index, "location"), "location", entry.location, self._places.is_there
                )
                checked.append(CheckedSession(entry, location, holder.session, there))
                if entry.index in self._known.renewed:
                    self._values_of(entry)
                continue
            checked.append(CheckedSession(entry, location, None, there))
            self._places.twice(entry, around_or_inside(entry, location, self._known))
            if first is entry:
                self._places.look_for(("sessions", entry.index), location, entry.location)
                self._places.twice(entry, output_of_run(entry, there or location, self._places.is_there))
            self._values_of(entry)
        new = {each.leads_to or each.location: each.entry for each in checked if each.duplicate_of is None}
        for entry, said in inside_another(new):
            self._places.twice(entry, said)
        return checked

    def _values_of(self, entry: SessionEntry) -> None:
        at = ("sessions", entry.index)
        self._values.some_of("reference.Experimenter", "experimenter", entry.experimenter, at)
        if entry.room is not None:
            self._values.one_of("reference.ExperimentRoom", "room", entry.room, (*at, "room"))
        if entry.project:
            self._values.some_of("acquisition.Project", "project", entry.project, at)
        if entry.probe_association:
            self._values.probes(entry.probe_association, (*at, "probe_association"))
        for index, task in enumerate(entry.tasks):
            self._values.task(task, (*at, "tasks", index))
        if len(entry.tasks) > 0:
            for below, code, message, hint in check_tasks(entry.tasks):
                self._said.error((*at, *below), code, message, hint, stage=1)
        if entry.clustering.__class__ is tuple:
            self._clusterings.outputs(entry.clustering, (*at, "clustering"))
