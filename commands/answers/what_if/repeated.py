"""Later files that named a record which is left out: what they would have brought anew."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from commands.answers.what_if.course import Course, told_otherwise
from commands.answers.what_if.fitting import Plain, name, number
from commands.inputfile.limits import Limits
from commands.inputfile.read import read_input_file
from commands.intake.duplicates import place
from commands.recordings.roots import Roots
from commands.stored import stored_bytes
from ledger.bodies import body_of
from ledger.envelope import StoredEvent
from ledger.errors import Refusal
from ledger.ranges import expanded
from projections.differences import Folding
from projections.records import Upload

if TYPE_CHECKING:
    from commands.door.world import World


_ENTRY = re.compile(r"(sessions|clustering)\[([0-9]{1,9})\]")
_HELD = ("location-of-another-user", "group-name-of-another-subject")


class Repeated:
    """Later files that named a record which is left out: as a duplicate of it, or, in the words of older
    versions, as another user's."""

    def __init__(self, world: "World", now: Folding, course: Course, roots: Roots, limits: Limits) -> None:
        self._world = world
        self._course = course
        self._roots = roots
        self._limits = limits
        there = course.folding.state
        gone = [row for row in now.state.sessions.every() if there.sessions.get(row.id) is None]
        groups = [
            row
            for row in now.state.clusterings.every()
            if row.group_name and not there.clusterings.get(row.id)
        ]
        self._sessions = {f"s{row.id}": row.location for row in gone}
        self._groups = {f"c{row.id}": str(row.group_name) for row in groups}

    def look(self, events: Sequence[StoredEvent]) -> None:
        for event in events:
            if not self._sessions and not self._groups:
                return
            upload = (
                self._course.folding.state.uploads.get(number(event))
                if event.stream[:7] == "upload/"
                else None
            )
            if upload is None:
                continue
            if event.type == "InputFileValidated" and upload.status != "rejected":
                self._duplicates(event, upload, body_of(event))
            elif event.type == "InputFileRejected":
                self._rejected(event, upload, body_of(event))

    def _duplicates(self, event: StoredEvent, upload: Upload, body: Plain) -> None:
        for what, wanted in (("session", self._sessions), ("clustering", self._groups)):
            for entry in body[f"changed_{what}s"]:
                self._would_be_new(event, upload, what, entry["index"], entry[what], wanted)
            held = {key: record for record, key in wanted.items()}
            if held and body[f"unchanged_{what}s"]:
                unchanged = set(expanded(body[f"unchanged_{what}s"]))
                for index, key in self._keys(upload, what):
                    if index in unchanged and key in held:
                        self._would_be_new(event, upload, what, index, held[key], wanted)

    def _keys(self, upload: Upload, what: str) -> Iterator[tuple[int, str]]:
        """The locations or group names of a file, by the index of the entry. None of one that was erased."""
        with suppress(Refusal):
            data = stored_bytes(self._world, upload)
            read = read_input_file(data, filename=upload.filename, limits=self._limits).input_file
            if read is not None and what == "session":
                yield from ((entry.index, place(entry.location, self._roots)) for entry in read.sessions)
            elif read is not None:
                yield from ((entry.index, entry.group_name) for entry in read.clustering)

    def _would_be_new(
        self, event: StoredEvent, upload: Upload, what: str, index: int, record: str, wanted: dict[str, Any]
    ) -> None:
        known = wanted.pop(record, None)
        if known is not None:
            self._course.folding.state.uploads.change(upload.id).duplicates -= 1
            at = f"{'sessions' if what == 'session' else 'clustering'}[{index}]"
            message = (
                f"{at} ({known}) was a duplicate of {record}; it would have been new, and inserted from there"
            )
            self._course.otherwise.append(told_otherwise(f"u{upload.id}", event.position, message))

    def _rejected(self, event: StoredEvent, upload: Upload, body: Plain) -> None:
        """Which record a finding is against follows from its entry: the file is read for it."""
        held: dict[str, dict[int, str]] = {}
        for finding in body["findings"]:
            at = _ENTRY.match(str(finding.get("path")))
            if finding.get("code") not in _HELD or at is None:
                continue
            what, wanted = (
                ("session", self._sessions) if at[1] == "sessions" else ("clustering", self._groups)
            )
            if what not in held:
                held[what] = dict(self._keys(upload, what))
            key = held[what].get(int(at[2]))
            against = next((record for record, known in wanted.items() if known == key), None)
            if against is not None:
                message = (
                    f"was rejected for {against}, among others perhaps; that would not have been against it"
                )
                self._course.otherwise.append(told_otherwise(name(event), event.position, message))
                return
