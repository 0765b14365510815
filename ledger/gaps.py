"""Whether all that is gone from the log was removed by a redaction that two admins agreed on. Pure.

A payload may be missing where a later PayloadRedacted names its position, the bytes of an input file where
InputFileErased names them, in the same command as a DeletionApproved by somebody other than the requester; both were
admins then. What was removed has to be gone. An event that is damaged itself is reported where it stands, and not
again for what it no longer accounts for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ledger.hashing import Noted, Problem

_EVERYONE = "everyone"
_ROLES_BY = {
    "RoleGranted": "grants a role",
    "RoleRevoked": "revokes a role",
    "UserJoined": "takes a role by an invitation",
}


class Admins:
    """Who was an admin when, as the log says. Only a role counts that an admin of that time granted, or invited to."""

    def __init__(self, noted: Sequence[Noted]) -> None:
        self._roles: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._invited: set[tuple[str, str, str]] = set()
        self.unfounded: list[Noted] = []
        for event in sorted(noted, key=lambda each: each.position):
            if event.type == "LedgerCreated" and event.position == 1:
                self._roles[event.actor].append((1, "admin"))
            elif event.type in ("RoleGranted", "RoleRevoked") and not event.damaged:
                if not self.were_at(event.position, event.actor):
                    self.unfounded.append(event)
                    continue
                role = str(event.body.get("role")) if event.type == "RoleGranted" else ""
                self._roles[str(event.body.get("user"))].append((event.position, role))

            elif event.type == "UserInvited" and not event.damaged:
                if self.were_at(event.position, event.actor):
                    self._invited.add((*_told(event), event.actor))
            elif event.type == "UserJoined" and not event.damaged:
                self._join(event)

    def _join(self, event: Noted) -> None:
        """Whoever was granted a role in between keeps it."""
        user, role = _told(event)
        if not role or self._role(event.position, user):
            return
        if (user, role, str(event.body.get("invited_by"))) in self._invited:
            self._roles[user].append((event.position, role))
        else:
            self.unfounded.append(event)

    def were_at(self, position: int, user: str) -> bool:
        return (self._role(position, user) or self._role(position, _EVERYONE)) == "admin"

    def _role(self, position: int, user: str) -> str:
        return next((role for at, role in reversed(self._roles.get(user, ())) if at < position), "")


class Gaps:
    """What the log says of removals. ``blank``: positions without a payload. ``received``: (position, sha256) of the
    files whose receipts have theirs. ``is_cut``: the log was not read to its end, so what it lacks proves nothing."""

    def __init__(
        self,
        blank: Sequence[int],
        received: Sequence[tuple[int, str]],
        noted: Sequence[Noted],
        *,
        is_cut: bool,
    ) -> None:
        self.blank = blank
        self.received = received
        self.is_cut = is_cut
        self.redactions = [
            e for e in noted if e.type == "PayloadRedacted" or e.stream.startswith("redaction/")
        ]
        self.erasures = [
            e for e in noted if e.type == "InputFileErased" or e.stream.startswith("input-file/")
        ]
        self._requests = [e for e in noted if e.type == "RedactionRequested"]
        self._admins = Admins(noted)
        self._of_stream: dict[str, list[Noted]] = defaultdict(list)
        self._of_command: dict[str, list[Noted]] = defaultdict(list)
        for event in noted:
            self._of_stream[event.stream].append(event)
            self._of_command[event.command_id].append(event)
        self.sound = {redacted_position(event): event for event in self.redactions if self._is_sound(event)}

    def problems(self, present: Iterable[str]) -> list[Problem]:
        """``present`` are the sha256 of the input files that are there and hold the bytes that their names say."""
        files = frozenset(present)
        return [*self._roles(), *self._payloads(), *self._files_received(files), *self._files_erased(files)]

    def _roles(self) -> Iterator[Problem]:
        for event in self._admins.unfounded if not self.is_cut else ():
            what = _ROLES_BY[event.type]
            who = event.actor if event.type != "UserJoined" else "whoever made it"
            text = f"Event {event.position} {what}, but {who} was no admin then."
            yield Problem("role-unfounded", event.position, text)

    def _payloads(self) -> Iterator[Problem]:
        for position in self.blank:
            if position not in self.sound and not self._is_reported(position):
                text = (
                    f"The payload of event {position} is gone, and no redaction that was approved says why."
                )
                yield Problem("payload-missing", position, text)
        blank = frozenset(self.blank)
        for event in self.redactions:
            position = redacted_position(event)
            if self.sound.get(position) is event:
                if position not in blank:
                    text = f"The payload of event {position} is there, although event {event.position} redacted it."
                    yield Problem("payload-present", position, text)
            elif not event.damaged and not self._is_reported(position):
                text = (
                    f"Event {event.position} says that position {position} was redacted, but not by an admin's request "
                    "that another admin approved."
                )
                yield Problem("redaction-unfounded", event.position, text)

    def _files_received(self, present: frozenset[str]) -> Iterator[Problem]:
        for position, digest in self.received:
            if digest not in present:
                text = f"Event {position} received input file {digest}, which is not there."
                yield Problem("file-missing", position, text)
        accounted = present.union(digest for _, digest in self.received)
        accounted = accounted.union(_name_of(event) for event in self.erasures)
        for position, event in self.sound.items():
            redacted = _file_of(event)
            if redacted is None or redacted in accounted or self._is_reported(position):
                continue
            text = f"Event {position} received input file {redacted}, which is not there and was not erased."
            yield Problem("file-missing", position, text)

    def _files_erased(self, present: frozenset[str]) -> Iterator[Problem]:
        needed = {digest for _, digest in self.received}
        last = {_name_of(event): event for event in self.erasures}
        for event in self.erasures:
            digest = _name_of(event)
            if event.damaged or self.is_cut or any(e.damaged for e in self._of_command[event.command_id]):
                continue
            redacted = {_file_of(e) for e in self._of_command[event.command_id] if e in self.sound.values()}
            if digest not in redacted:
                text = f"Event {event.position} says that input file {digest} was erased, but not with a redaction."
                yield Problem("erasure-unfounded", event.position, text)
            elif digest in present and digest not in needed and last[digest] is event:
                text = (
                    f"Input file {digest} is there, although event {event.position} says that it was erased."
                )
                yield Problem("file-present", event.position, text)

    def _is_sound(self, event: Noted) -> bool:
        position, request = redacted_position(event), event.body.get("deletion")
        if event.damaged or event.type != "PayloadRedacted" or not 0 < position < event.position:
            return False
        if (event.stream, event.correlation) != (f"redaction/{position}", f"d{request}"):
            return False
        of_request = self._of_stream[f"deletion/{request}"]
        requests = [
            e
            for e in of_request
            if e.type == "RedactionRequested"
            and e.body.get("position") == position
            and e.position < event.position
        ]
        approved = any(
            (e.type, e.command_id, e.actor) == ("DeletionApproved", event.command_id, event.actor)
            for e in of_request
        )
        return (
            approved
            and self._admins.were_at(event.position, event.actor)
            and any(self._admins.were_at(e.position, e.actor) for e in requests)
            and all(event.actor != e.actor for e in requests)
        )

    def _is_reported(self, position: int) -> bool:
        """Whether the event that would account for this position is missing or damaged, and reported as such."""
        if self.is_cut:
            return True
        about = [*self._of_stream[f"redaction/{position}"]]
        about += [e for e in (*self.redactions, *self._requests) if redacted_position(e) == position]
        return any(
            other.damaged
            for event in about
            for other in (
                event,
                *self._of_command[event.command_id],
                *self._of_stream[f"deletion/{event.body.get('deletion')}"],
            )
        )


def redacted_position(event: Noted) -> int:
    """The position that an event says is redacted; 0 where it does not say."""
    position = event.body.get("position")
    return position if isinstance(position, int) else 0


def _name_of(erasure: Noted) -> str:
    return erasure.stream.partition("/")[2]


def _file_of(redaction: Noted) -> str | None:
    """The sha256 of the file whose receipt was redacted by this event, if it was one."""
    kept = redaction.body.get("kept")
    if redaction.body.get("type") != "InputFileReceived" or not isinstance(kept, dict):
        return None
    return str(kept.get("sha256"))


def _told(event: Noted) -> tuple[str, str]:
    """The user and the role of it."""
    return str(event.body.get("user")), str(event.body.get("role") or "")
