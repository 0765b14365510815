"""Stage 2: the values of an input file against what the ledger knows, and its paths against the disk.

Pure but for the disk, which it only looks at. A duplicate (its location is held by whomever, or its group_name by
the same subject) is not processed further, so nothing else of it is checked: a value that was retired since, or a
directory that was archived, must not block a file that grows.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from commands.inputfile.blanking import placeholder
from commands.inputfile.curation_times import doubtful_curation_time
from commands.inputfile.document import Part, path_text
from commands.inputfile.entries import (
    ClusteringEntry,
    GroupClusteringEntry,
    InputFile,
    SessionEntry,
    SubjectEntry,
    TaskEntry,
)
from commands.inputfile.field_notes import ARENA_IS_OPTIONAL
from commands.inputfile.findings import (
    INSERT_PROBE,
    REGISTER_SUBJECT,
    Finding,
    NextStep,
)
from commands.inputfile.kept_findings import NO_MORE, Gathered, MoreFindings
from commands.inputfile.known import Known
from commands.inputfile.limits import DEFAULT_LIMITS, Limits
from commands.inputfile.reference_values import ReferenceValues, quoted
from commands.inputfile.task_times import check_tasks
from commands.inputfile.text_fields import DATE_TIME
from commands.inputfile.twice import Twice, around_or_inside, inside_another, output_of_run
from commands.recordings.roots import LocationError, Roots, normalise
from commands.recordings.search import Search
from ledger.look_alikes import comparable, difference, folded

Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class CheckedSession:
    """``location`` is normalised. ``duplicate_of`` is the session that is there already, whoever owns it.
    ``leads_to`` is where a location leads over links, if nobody holds it as it is written.
    """

    entry: SessionEntry
    location: str
    duplicate_of: int | None
    leads_to: str | None = None


@dataclass(frozen=True, slots=True)
class SessionReference:
    """A session of a multi-session clustering: one of the ledger's, or the one with ``index`` in this file."""

    session: int | None
    index: int | None


@dataclass(frozen=True, slots=True)
class CheckedClustering:
    """``location`` is normalised; of a duplicate it is None and ``sessions`` is empty, unless it is renewed."""

    entry: GroupClusteringEntry
    location: str | None
    duplicate_of: int | None
    sessions: tuple[SessionReference, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What stage 2 hands on. Entries with an unusable location or reference are left out; each is an error.

    ``findings`` are in the order of the file, and ``more`` is what there is beyond those that are kept. The findings
    about times of tasks are of stage 1.
    """

    sessions: tuple[CheckedSession, ...]
    clusterings: tuple[CheckedClustering, ...]
    findings: tuple[Finding, ...]
    more: MoreFindings = NO_MORE


def check(
    input_file: InputFile,
    known: Known,
    roots: Roots,
    *,
    position: Callable[[str], tuple[int, int] | None],
    left_out_names: Iterable[str] = (),
    find: Callable[[str], object] | None = None,
    cut: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    now: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
    beside: Sequence[CheckedSession] = (),
) -> Checked:
    """Check what stage 1 made of a file.

    ``position``, ``left_out_names`` and ``cut`` are those of the ReadResult. ``find`` looks for a location on disk
    and raises LocationError; by default it is a new ``Search`` over the roots. ``now`` is naive, in the lab's zone;
    without it no curation_time counts as in the future. ``beside`` are sessions of the file that are not checked, and
    that clusterings may stand on.
    """
    look = _Look(position, find or Search(roots).directory, cut, now)
    run = _Check(input_file, known, roots, look, limits)
    sessions = run.sessions(input_file.sessions)
    unread = {*left_out_names, *(entry.name for entry in input_file.sessions if entry.name is not None)}
    clusterings = run.clusterings(input_file.clustering, [*sessions, *beside], unread)
    duplicates = sum(entry.duplicate_of is not None for entry in sessions)
    duplicates += sum(entry.duplicate_of is not None for entry in clusterings)
    entries = len(input_file.sessions) + len(input_file.clustering)
    run.subject(input_file.subject, has_news=not entries or duplicates < entries)
    return Checked(tuple(sessions), tuple(clusterings), *run.gathered.kept())


@dataclass(frozen=True, slots=True)
class _Look:
    """What is not in the entries: where they stand, what was cut from them, the disk and the clock."""

    position: Callable[[str], tuple[int, int] | None]
    find: Callable[[str], object]
    cut: Mapping[str, tuple[str, ...]]
    now: datetime | None


class _Check:
    """One check of one file: gathers findings, and remembers what it has said about a value."""

    def __init__(
        self,
        input_file: InputFile,
        known: Known,
        roots: Roots,
        look: _Look,
        limits: Limits,
    ) -> None:
        self.gathered = Gathered(limits)
        self._subject = input_file.subject
        self._known = known
        self._roots = roots
        self._position = look.position
        self._look = look
        self._values = ReferenceValues(known)
        self._reference = {
            table: frozenset(map(comparable, values)) for table, values in known.reference.items()
        }
        self._subjects = frozenset(map(comparable, known.subjects))
        self._inserted = frozenset(map(comparable, known.probes))

    def _error(
        self,
        parts: Iterable[Part],
        code: str,
        message: str,
        hint: str = "",
        steps: tuple[NextStep, ...] = (),
        *,
        stage: int = 2,
    ) -> None:
        self._add(Finding(stage, "error", code, path_text(tuple(parts)), None, None, message, hint, steps))

    def _warn(self, parts: Iterable[Part], code: str, message: str, hint: str = "") -> None:
        self._add(Finding(2, "warning", code, path_text(tuple(parts)), None, None, message, hint))

    def _add(self, finding: Finding) -> None:
        self.gathered.add(finding, self._position)

    def _refuse_cut(self, parts: Parts, what: str, value: str, exists: Callable[[str], bool]) -> None:
        """A bare value that YAML cut at `` #`` is an error where the longer value exists."""
        for longer in self._look.cut.get(path_text(parts), ()) if self._look.cut else ():
            if exists(longer):
                message = (
                    f"{what} is {quoted(value)}, cut where a comment begins; there is {quoted(longer)} too."
                )
                hint = f"Put it in quotes, whichever is meant: {quoted(longer)} or {quoted(value)}"
                self._error(parts, "cut-at-comment", message, hint)
                return

    def subject(self, subject: SubjectEntry, *, has_news: bool) -> None:
        at = ("subject", "name")
        self._refuse_cut(at, "subject", subject.name, lambda name: comparable(name) in self._subjects)
        if subject.name not in self._subjects:
            hint = self._values.near(subject.name, self._known.subjects)
            step = NextStep(REGISTER_SUBJECT, arguments={"subject": subject.name})
            self._error(
                at,
                "unknown-subject",
                f"subject {quoted(subject.name)} is not registered.",
                hint or "Register it, with the probes that are inserted in it",
                () if hint else (step,),
            )
        elif has_news and not self._known.probes:
            message = f"subject {quoted(subject.name)} has no probe inserted."
            step = NextStep(INSERT_PROBE, arguments={"subject": subject.name, "probe": None, "at": None})
            self._error(at, "no-probe-inserted", message, "Record its probes first", (step,))

    def sessions(self, entries: Iterable[SessionEntry]) -> list[CheckedSession]:
        checked: list[CheckedSession] = []
        first_at: dict[str | int, SessionEntry] = {}
        held, links = self._known.locations, self._known.leads_to
        for entry in entries:
            try:
                location = normalise(entry.location, self._roots)
            except LocationError as problem:
                self._location_error(("sessions", entry.index), problem)
                self._session_values(entry)
                continue
            holder, there = held.get(location), links.get(location)
            one = holder.session if holder is not None else there or location
            first = first_at.setdefault(one, entry)
            if first is not entry:
                self._error(
                    ("sessions", entry.index, "location"),
                    "duplicate-location",
                    f"location {quoted(entry.location)} is that of sessions[{first.index}] too, "
                    f"which has it as {quoted(first.location)}.",
                    "A session is entered once: remove one.",
                )
            if holder is not None:
                self._refuse_cut(
                    ("sessions", entry.index, "location"), "location", entry.location, self._is_there
                )
                checked.append(CheckedSession(entry, location, holder.session, there))
                if entry.index in self._known.renewed:
                    self._session_values(entry)
                continue
            checked.append(CheckedSession(entry, location, None, there))
            self._twice(entry, around_or_inside(entry, location, self._known))
            if first is entry:
                self._look_for(("sessions", entry.index), location, entry.location)
                self._twice(entry, output_of_run(entry, there or location, self._is_there))
            self._session_values(entry)
        new = {each.leads_to or each.location: each.entry for each in checked if each.duplicate_of is None}
        for entry, said in inside_another(new):
            self._twice(entry, said)
        return checked

    def _twice(self, entry: SessionEntry, problem: Twice | None) -> None:
        """What would be in twice if this location went in."""
        if problem is not None:
            self._error(("sessions", entry.index, "location"), *problem)

    def _location_error(self, parts: Parts, problem: LocationError) -> None:
        self._error((*parts, "location"), problem.code, problem.message, problem.hint)

    def _look_for(self, parts: Parts, location: str, written: str) -> None:
        try:
            self._look.find(location)
        except LocationError as problem:
            self._location_error(parts, problem)
        self._refuse_cut((*parts, "location"), "location", written, self._is_there)

    def _is_there(self, written: str) -> bool:
        try:
            self._look.find(normalise(written, self._roots))
        except LocationError:
            return False
        return True

    def _session_values(self, entry: SessionEntry) -> None:
        at = ("sessions", entry.index)
        self._some_of("reference.Experimenter", "experimenter", entry.experimenter, at)
        if entry.room is not None:
            self._one_of("reference.ExperimentRoom", "room", entry.room, (*at, "room"))
        if entry.project:
            self._some_of("acquisition.Project", "project", entry.project, at)
        if entry.probe_association:
            self._probes(entry.probe_association, (*at, "probe_association"))
        for index, task in enumerate(entry.tasks):
            self._task(task, (*at, "tasks", index))
        if len(entry.tasks) > 0:
            for below, code, message, hint in check_tasks(entry.tasks):
                self._error((*at, *below), code, message, hint, stage=1)
        if entry.clustering.__class__ is tuple:
            self._outputs(entry.clustering, (*at, "clustering"))

    def _outputs(self, clusterings: tuple[ClusteringEntry, ...], at: Parts) -> None:
        first_at: dict[str, int] = {}
        for index, clustering in enumerate(clusterings):
            location = self._output(clustering, (*at, index))
            if location is not None and (first := first_at.setdefault(location, index)) != index:
                message = f"location {quoted(clustering.location)} is that of clustering[{first}] too."
                hint = "A clustering is entered once: remove one."
                self._error((*at, index, "location"), "duplicate-location", message, hint)

    def _one_of(self, table: str, what: str, value: str, parts: Parts) -> bool:
        if self._look.cut:
            self._refuse_cut(parts, what, value, lambda longer: longer in self._reference.get(table, ()))
        if value in self._reference.get(table, ()):
            return True
        self._unknown_value(parts, what, value, table)
        return False

    def _unknown_value(self, parts: Parts, what: str, value: str, table: str) -> None:
        if self.gathered.is_full:
            self._error(parts, self._values.code(value, table), "")
        else:
            self._error(parts, *self._values.unknown(what, value, table))

    def _some_of(self, table: str, what: str, values: tuple[str, ...], at: Parts) -> None:
        valid = self._reference.get(table, frozenset())
        for index, value in enumerate(values):
            if self._look.cut:
                self._refuse_cut(self._item((*at, what), index), what, value, valid.__contains__)
            if value not in valid:
                self._unknown_value(self._item((*at, what), index), what, value, table)

    def _item(self, parts: Parts, index: int) -> Parts:
        """The place of one of several values; a single value may stand without a list."""
        item = (*parts, index)
        is_listed = index > 0 or self._position(path_text(item)) != self._position(path_text(parts))
        return item if is_listed else parts

    def _probes(self, association: dict[str, str], at: Parts) -> None:
        for name, probe in association.items():
            if not self._one_of("reference.Probe", "probe", probe, (*at, name)):
                continue
            if probe not in self._inserted and self._inserted:
                is_full = self.gathered.is_full
                hint = "" if is_full else self._values.near_or_some(probe, self._known.probes)
                message = f"probe {quoted(probe)} is not inserted in subject {self._subject.name:.60}."
                self._error((*at, name), "probe-not-inserted", message, hint)

    def _task(self, task: TaskEntry, at: Parts) -> None:
        known_type = self._one_of("behavior.TaskType", "task_type", task.task_type, (*at, "task_type"))
        if task.arena_apparatus is not None:
            self._one_of(
                "reference.ArenaApparatus", "arena_apparatus", task.arena_apparatus, (*at, "arena_apparatus")
            )
        elif known_type and task.task_type not in self._known.arena_not_required:
            message = (
                f"A task of type {quoted(task.task_type)} needs the key arena_apparatus, which is missing."
            )
            hint = f"Add a name from reference.ArenaApparatus. It is required unless {ARENA_IS_OPTIONAL}."
            self._error(at, "missing-arena", message, hint)
        if task.light_level is not None:
            self._one_of("behavior.TaskLightLevel", "light_level", task.light_level, (*at, "light_level"))
        for index, placed in enumerate(task.objects):
            self._one_of(
                "reference.ArenaObject",
                "object_name",
                placed.object_name,
                (*at, "objects", index, "object_name"),
            )
        for index, card in enumerate(task.cue_cards):
            self._one_of(
                "reference.CueCard", "card_name", card.card_name, (*at, "cue_cards", index, "card_name")
            )

    def _output(
        self,
        entry: ClusteringEntry | GroupClusteringEntry,
        at: Parts,
        recordings: Iterable[tuple[str, datetime]] = (),
    ) -> str | None:
        """Check who curated a clustering, when and where it is; returns the normalised location. ``recordings`` are
        those of it that are known, each with what to call it and its start."""
        self._one_of("reference.Experimenter", "curator", entry.curator, (*at, "curator"))
        if entry.curation_time is not True:
            said = doubtful_curation_time(entry.curation_time, now=self._look.now, recordings=recordings)
            if said is not None:
                self._warn((*at, "curation_time"), *said)
        try:
            location = normalise(entry.location, self._roots)
        except LocationError as problem:
            self._location_error(at, problem)
            return None
        self._look_for(at, location, entry.location)
        return location

    def _starts(
        self, entry: GroupClusteringEntry, named: Mapping[str, SessionReference]
    ) -> Iterator[tuple[str, datetime]]:
        """Those of its sessions that are in the ledger, by whatever name it uses for them."""
        times = {session: text for text, session in self._known.session_times.items()}
        for text in entry.sessions:
            reference = named.get(text)
            start = text if reference is None else times.get(reference.session or 0, "")
            if start in self._known.session_times:
                yield f"session {text}", datetime.fromisoformat(start)

    def clusterings(
        self,
        entries: Iterable[GroupClusteringEntry],
        sessions: list[CheckedSession],
        left_out: Collection[str],
    ) -> list[CheckedClustering]:
        named = {
            checked.entry.name: SessionReference(checked.duplicate_of, None)
            if checked.duplicate_of is not None
            else SessionReference(None, checked.entry.index)
            for checked in sessions
            if checked.entry.name is not None
        }
        named |= {placeholder(number): SessionReference(number, None) for number in self._known.redacted}
        result: list[CheckedClustering] = []
        for entry in entries:
            at = ("clustering", entry.index)
            holder = self._known.groups.get(entry.group_name)
            subject = (self._subject.name, self._subject.datasource_id)
            if holder is not None and (holder.subject, holder.datasource_id) == subject:
                self._cut_of_held(entry, at)
                if entry.index in self._known.renewed_groups:
                    location = self._output(entry, at, self._starts(entry, named))
                    references = self._references(entry, (*at, "sessions"), named, left_out)
                    result.append(CheckedClustering(entry, location, holder.clustering, references or ()))
                else:
                    result.append(CheckedClustering(entry, None, holder.clustering, ()))
                continue
            self._group_name(entry.group_name, (*at, "group_name"))
            if holder is not None:
                self._error(
                    (*at, "group_name"),
                    "group-name-of-another-subject",
                    f"group_name {quoted(entry.group_name)} is that of clustering c{holder.clustering} "
                    f"of subject {holder.subject}.",
                    f"Group names are used once in a lab: begin it with {quoted(f'{self._subject.name}_')}.",
                )
            location = self._output(entry, at, self._starts(entry, named))
            references = self._references(entry, (*at, "sessions"), named, left_out)
            if location is not None and references is not None:
                result.append(CheckedClustering(entry, location, None, references))
        return result

    def _cut_of_held(self, entry: GroupClusteringEntry, at: Parts) -> None:
        """What was cut may be the only thing that tells an entry from the one in the ledger."""
        name_at, location_at = (*at, "group_name"), (*at, "location")
        self._refuse_cut(name_at, "group_name", entry.group_name, self._known.groups.__contains__)
        if entry.index not in self._known.renewed_groups:
            self._refuse_cut(location_at, "location", entry.location, self._is_there)

    def _group_name(self, name: str, at: Parts) -> None:
        self._refuse_cut(at, "group_name", name, self._known.groups.__contains__)
        alike = self._known.similar_groups.get(folded(name))
        if alike is not None and alike != name and name not in self._known.groups:
            message = f"group_name {quoted(name)} looks like {quoted(alike)}, which is there already."
            self._error(
                at, "look-alike-name", message, f"Take another name. {difference(name, alike)}".rstrip()
            )

    def _references(
        self,
        entry: GroupClusteringEntry,
        at: Parts,
        named: dict[str, SessionReference],
        left_out: Collection[str],
    ) -> tuple[SessionReference, ...] | None:
        found: dict[SessionReference, str] = {}
        complete = True
        for index, text in enumerate(entry.sessions):
            self._refuse_cut((*at, index), "session", text, named.__contains__)
            reference = named.get(text)
            if reference is None and (session := self._known.session_times.get(text)) is not None:
                reference = SessionReference(session, None)
            if reference is None:
                complete = False
                if text not in left_out:
                    self._unknown_session(text, (*at, index), named)
                continue
            if (same := found.setdefault(reference, text)) != text:
                complete = False
                self._error(
                    (*at, index),
                    "repeated-session",
                    f"sessions {quoted(same)} and {quoted(text)} are one session, s{reference.session}.",
                    "A multi-session clustering needs two or more different sessions: remove one of the two.",
                )
        return tuple(found) if complete else None

    def _unknown_session(self, text: str, parts: Parts, named: dict[str, SessionReference]) -> None:
        if self.gathered.is_full:
            self._error(parts, "unknown-session", "")
            return
        subject = f"{self._subject.name:.60}"
        if DATE_TIME.fullmatch(text):
            message = f"session {quoted(text)} is not a session_time of subject {subject}."
            within = sorted(time for time in self._known.session_times if time.startswith(f"{text}."))
            hint = self._values.near(text, self._known.session_times)
            if within:  # the fraction of the second was left out
                hint = f"Did you mean {' or '.join(map(quoted, within[:5]))}?"
            elif not hint:
                hint = "A session of this file is referred to by a name: give it one with the key name."
        else:
            message = (
                f"session {quoted(text)} is no name in this file, and no session_time of subject {subject}."
            )
            hint = self._values.near_or_some(text, named)
            if not named:
                hint = "No session of this file has a name: add the key name to the one that is meant."
        self._error(parts, "unknown-session", message, hint)
