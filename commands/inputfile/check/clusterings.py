"""The clusterings of an input file: who curated them, when and where, and the sessions that they stand on."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from commands.inputfile.blanking import placeholder
from commands.inputfile.check.checked import CheckedClustering, CheckedSession, SessionReference
from commands.inputfile.check.places import Places
from commands.inputfile.check.said import Parts, Said
from commands.inputfile.check.values import Values
from commands.inputfile.curation_times import doubtful_curation_time
from commands.inputfile.entries import ClusteringEntry, GroupClusteringEntry, SubjectEntry
from commands.inputfile.known import Known
from commands.inputfile.reference_values import quoted
from commands.inputfile.text_fields import DATE_TIME
from ledger.look_alikes import difference, folded


class Clusterings:
    """``now`` is naive, in the lab's zone; without it no curation_time counts as in the future."""

    def __init__(
        self, said: Said, places: Places, values: Values, subject: SubjectEntry, known: Known,
        now: datetime | None,
    ) -> None:  # fmt: skip
        self._said, self._places, self._values = said, places, values
        self._subject, self._known, self._now = subject, known, now

    def multi_session(
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
                    location = self.output(entry, at, self._starts(entry, named))
                    references = self._references(entry, (*at, "sessions"), named, left_out)
                    result.append(CheckedClustering(entry, location, holder.clustering, references or ()))
                else:
                    result.append(CheckedClustering(entry, None, holder.clustering, ()))
                continue
            self._group_name(entry.group_name, (*at, "group_name"))
            if holder is not None:
                self._said.error(
                    (*at, "group_name"),
                    "group-name-of-another-subject",
                    f"group_name {quoted(entry.group_name)} is that of clustering c{holder.clustering} "
                    f"of subject {holder.subject}.",
                    f"Group names are used once in a lab: begin it with {quoted(f'{self._subject.name}_')}.",
                )
            location = self.output(entry, at, self._starts(entry, named))
            references = self._references(entry, (*at, "sessions"), named, left_out)
            if location is not None and references is not None:
                result.append(CheckedClustering(entry, location, None, references))
        return result

    def output(
        self,
        entry: ClusteringEntry | GroupClusteringEntry,
        at: Parts,
        recordings: Iterable[tuple[str, datetime]] = (),
    ) -> str | None:
        """Check who curated a clustering, when and where it is; returns the normalised location. ``recordings`` are
        those of it that are known, each with what to call it and its start."""
        self._values.one_of("reference.Experimenter", "curator", entry.curator, (*at, "curator"))
        if entry.curation_time is not True:
            said = doubtful_curation_time(entry.curation_time, now=self._now, recordings=recordings)
            if said is not None:
                self._said.warn((*at, "curation_time"), *said)
        location = self._places.normalised(entry.location, at)
        if location is not None:
            self._places.look_for(at, location, entry.location)
        return location

    def outputs(self, clusterings: tuple[ClusteringEntry, ...], at: Parts) -> None:
        first_at: dict[str, int] = {}
        for index, clustering in enumerate(clusterings):
            location = self.output(clustering, (*at, index))
            if location is not None and (first := first_at.setdefault(location, index)) != index:
                message = f"location {quoted(clustering.location)} is that of clustering[{first}] too."
                hint = "A clustering is entered once: remove one."
                self._said.error((*at, index, "location"), "duplicate-location", message, hint)

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

    def _cut_of_held(self, entry: GroupClusteringEntry, at: Parts) -> None:
        """What was cut may be the only thing that tells an entry from the one in the ledger."""
        name_at, location_at = (*at, "group_name"), (*at, "location")
        self._said.refuse_cut(name_at, "group_name", entry.group_name, self._known.groups.__contains__)
        if entry.index not in self._known.renewed_groups:
            self._said.refuse_cut(location_at, "location", entry.location, self._places.is_there)

    def _group_name(self, name: str, at: Parts) -> None:
        self._said.refuse_cut(at, "group_name", name, self._known.groups.__contains__)
        alike = self._known.similar_groups.get(folded(name))
        if alike is not None and alike != name and name not in self._known.groups:
            message = f"group_name {quoted(name)} looks like {quoted(alike)}, which is there already."
            self._said.error(
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
            self._said.refuse_cut((*at, index), "session", text, named.__contains__)
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
                self._said.error(
                    (*at, index),
                    "repeated-session",
                    f"sessions {quoted(same)} and {quoted(text)} are one session, s{reference.session}.",
                    "A multi-session clustering needs two or more different sessions: remove one of the two.",
                )
        return tuple(found) if complete else None

    def _unknown_session(self, text: str, parts: Parts, named: dict[str, SessionReference]) -> None:
        if self._said.is_full:
            self._said.error(parts, "unknown-session", "")
            return
        subject = f"{self._subject.name:.60}"
        if DATE_TIME.fullmatch(text):
            message = f"session {quoted(text)} is not a session_time of subject {subject}."
            within = sorted(time for time in self._known.session_times if time.startswith(f"{text}."))
            hint = self._values.known_names.near(text, self._known.session_times)
            if within:  # the fraction of the second was left out
                hint = f"Did you mean {' or '.join(map(quoted, within[:5]))}?"
            elif not hint:
                hint = "A session of this file is referred to by a name: give it one with the key name."
        else:
            message = (
                f"session {quoted(text)} is no name in this file, and no session_time of subject {subject}."
            )
            hint = self._values.known_names.near_or_some(text, named)
            if not named:
                hint = "No session of this file has a name: add the key name to the one that is meant."
        self._said.error(parts, "unknown-session", message, hint)
