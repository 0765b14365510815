"""The values of an input file against the reference tables, the subjects and the probes."""

from commands.inputfile.check.said import Parts, Said
from commands.inputfile.entries import SubjectEntry, TaskEntry
from commands.inputfile.field_notes import ARENA_IS_OPTIONAL
from commands.inputfile.findings import INSERT_PROBE, REGISTER_SUBJECT, NextStep
from commands.inputfile.known import Known
from commands.inputfile.nearest import mean
from commands.inputfile.reference_values import ReferenceValues, quoted
from ledger.look_alikes import comparable


class Values:
    """``known_names`` says what of them a wrong name may have meant."""

    def __init__(self, said: Said, subject: SubjectEntry, known: Known) -> None:
        self._said, self._subject, self._known = said, subject, known
        self.known_names = ReferenceValues(known)
        self._reference = {
            table: frozenset(map(comparable, values)) for table, values in known.reference.items()
        }
        self._subjects = frozenset(map(comparable, known.subjects))
        self._inserted = frozenset(map(comparable, known.probes))

    def subject(self, subject: SubjectEntry, *, has_news: bool) -> None:
        at = ("subject", "name")
        self._said.refuse_cut(at, "subject", subject.name, lambda name: comparable(name) in self._subjects)
        renamed = self._known.renamed
        if subject.name not in self._subjects and renamed is not None:
            message = (
                f"subject {quoted(subject.name)} is called {quoted(renamed.name)} now ({renamed.since})."
            )
            hint = f"{mean(subject.name, renamed.name)} Write that here: its sessions are known by it."
            self._said.error(at, "renamed-subject", message, hint)
        elif subject.name not in self._subjects:
            hint = self.known_names.near(subject.name, self._known.subjects)
            step = NextStep(REGISTER_SUBJECT, arguments={"subject": subject.name})
            self._said.error(
                at,
                "unknown-subject",
                f"subject {quoted(subject.name)} is not registered.",
                hint or "Register it, with the probes that are inserted in it",
                () if hint else (step,),
            )
        elif has_news and not self._known.probes:
            message = f"subject {quoted(subject.name)} has no probe inserted."
            step = NextStep(INSERT_PROBE, arguments={"subject": subject.name, "probe": None, "at": None})
            self._said.error(at, "no-probe-inserted", message, "Record its probes first", (step,))

    def one_of(self, table: str, what: str, value: str, parts: Parts) -> bool:
        if self._said.cut:
            self._said.refuse_cut(parts, what, value, lambda longer: longer in self._reference.get(table, ()))
        if value in self._reference.get(table, ()):
            return True
        self._unknown_value(parts, what, value, table)
        return False

    def _unknown_value(self, parts: Parts, what: str, value: str, table: str) -> None:
        if self._said.is_full:
            self._said.error(parts, self.known_names.code(value, table), "")
        else:
            self._said.error(parts, *self.known_names.unknown(what, value, table))

    def some_of(self, table: str, what: str, values: tuple[str, ...], at: Parts) -> None:
        valid = self._reference.get(table, frozenset())
        for index, value in enumerate(values):
            if self._said.cut:
                self._said.refuse_cut(self._said.item((*at, what), index), what, value, valid.__contains__)
            if value not in valid:
                self._unknown_value(self._said.item((*at, what), index), what, value, table)

    def probes(self, association: dict[str, str], at: Parts) -> None:
        for name, probe in association.items():
            if not self.one_of("reference.Probe", "probe", probe, (*at, name)):
                continue
            if probe not in self._inserted and self._inserted:
                is_full = self._said.is_full
                hint = "" if is_full else self.known_names.near_or_some(probe, self._known.probes)
                message = f"probe {quoted(probe)} is not inserted in subject {self._subject.name:.60}."
                self._said.error((*at, name), "probe-not-inserted", message, hint)

    def task(self, task: TaskEntry, at: Parts) -> None:
        known_type = self.one_of("behavior.TaskType", "task_type", task.task_type, (*at, "task_type"))
        if task.arena_apparatus is not None:
            self.one_of(
                "reference.ArenaApparatus", "arena_apparatus", task.arena_apparatus, (*at, "arena_apparatus")
            )
        elif known_type and task.task_type not in self._known.arena_not_required:
            message = (
                f"A task of type {quoted(task.task_type)} needs the key arena_apparatus, which is missing."
            )
            hint = f"Add a name from reference.ArenaApparatus. It is required unless {ARENA_IS_OPTIONAL}."
            self._said.error(at, "missing-arena", message, hint)
        if task.light_level is not None:
            self.one_of("behavior.TaskLightLevel", "light_level", task.light_level, (*at, "light_level"))
        for index, placed in enumerate(task.objects):
            self.one_of(
                "reference.ArenaObject",
                "object_name",
                placed.object_name,
                (*at, "objects", index, "object_name"),
            )
        for index, card in enumerate(task.cue_cards):
            self.one_of(
                "reference.CueCard", "card_name", card.card_name, (*at, "cue_cards", index, "card_name")
            )
