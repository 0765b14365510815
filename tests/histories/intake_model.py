"""The first half of the model: who may do what, what comes of an upload, what is settled when."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from tests.histories.records import (
    ADMIN,
    OPEN,
    RESEARCHER,
    Group,
    Record,
    Refused,
    Request,
    Session,
    Single,
    Upload,
)
from tests.histories.scene import Entry, File, Folder, GroupEntry

R = TypeVar("R", Session, Group)


class IntakeModel:
    def __init__(self, admin: str) -> None:
        self.roles = {admin: ADMIN, "everyone": RESEARCHER}
        self.own_requests = False
        self.uploads: list[Upload] = []
        self.sessions: list[Session] = []
        self.singles: list[Single] = []
        self.groups: list[Group] = []
        self.requests: list[Request] = []
        self.locations: dict[Folder, Session] = {}
        self.times: dict[tuple[str, str], Session] = {}
        self.names: dict[str, Group] = {}

    # --- who may what

    def role(self, user: str) -> str:
        return self.roles.get(user) or self.roles["everyone"]

    def _require_admin(self, user: str) -> None:
        if self.role(user) != ADMIN:
            raise Refused("not-permitted")

    def _require_owner(self, user: str, owned: Iterable[Record | Upload]) -> None:
        role = self.role(user)
        if role != ADMIN and (role != RESEARCHER or any(one.owner != user for one in owned)):
            raise Refused("not-permitted")

    def _require_approver(self, user: str, request: Request) -> None:
        self._require_admin(user)
        if request.by == user and not self.own_requests:
            raise Refused("not-permitted")

    def grant(self, user: str, whom: str, role: str) -> None:
        self._require_admin(user)
        if self.roles.get(whom) != role:
            self._keep_an_admin(whom)
            self.roles[whom] = role

    def revoke(self, user: str, whom: str, role: str) -> None:
        self._require_admin(user)
        if self.roles.get(whom) not in ("", role):
            raise Refused("no-such-role")
        if self.roles[whom]:
            self._keep_an_admin(whom)
            self.roles[whom] = ""

    def _keep_an_admin(self, whom: str) -> None:
        admins = {user for user, role in self.roles.items() if role == ADMIN}
        if admins == {whom}:
            raise Refused("last-admin")

    def set_policy(self, user: str, own_requests: bool) -> None:
        self._require_admin(user)
        self.own_requests = own_requests

    # --- uploads

    def upload(self, user: str, file: File, *, owner: str | None = None, renewing: bool = True) -> Upload:
        """``owner``: whose records its entries become; else the user's. The newest file renews what still waits."""
        self._require_owner(user, ())
        owner = owner or user
        known = {one: held for one in file.entries if (held := self.locations.get(one.folder)) is not None}
        named = {one.name: known.get(one) for one in file.entries}
        fresh = [
            one
            for one in file.groups
            if (holder := self.names.get(one.name)) is None or holder.subject != file.subject
        ]
        upload = Upload(owner, file)
        upload.errors = self._errors(file, fresh, named)
        self.uploads.append(upload)
        if not upload.errors:
            for one, held in known.items() if renewing else ():
                own = (held.owner, held.subject) == (owner, file.subject)
                if own and held.status in OPEN and held.room != one.room:
                    held.name, held.room = one.name, one.room
            new = {
                one.name: self._again(self._request(one, owner, file.subject, upload), self.sessions)
                for one in file.entries
                if one not in known
            }
            found = {name: new.get(name) or named[name] for name in named}
            groups = [
                Group(owner, file.subject, upload, name=one.name, notes=one.notes,
                      sessions=tuple(session for name in one.sessions if (session := found[name]) is not None))
                for one in fresh
            ]  # fmt: skip
            for one in groups:
                self._again(one, self.groups)
            self.groups += groups
            self.names |= {one.name: one for one in groups}
            again = [self.names[one.name] for one in file.groups if one not in fresh]
            for one in file.groups if renewing else ():
                group = self.names[one.name]
                on = tuple(session for name in one.sessions if (session := found[name]) is not None)
                differs = group.notes != one.notes or set(group.sessions) != set(on)
                if group in again and group.owner == owner and group.status in OPEN and differs:
                    group.notes, group.sessions = one.notes, on
            is_open = [session for session in found.values() if session and session.status in OPEN]
            self.work(user, is_open, [*groups, *again])
        return upload

    def _errors(
        self,
        file: File,
        fresh: Iterable[GroupEntry],
        named: dict[str, Session | None],
    ) -> frozenset[str]:
        errors = set()
        for one in fresh:
            if one.name in self.names:
                errors.add("group-name-of-another-subject")
            stands_on = [session for name in one.sessions if (session := named[name]) is not None]
            if any(session.subject != file.subject for session in stands_on):
                errors.add("session-of-another-subject")
        return frozenset(errors)

    def _request(self, entry: Entry, owner: str, subject: str, upload: Upload) -> Session:
        session = Session(owner, subject, upload, folder=entry.folder, name=entry.name, room=entry.room)
        self.sessions.append(session)
        self.locations[entry.folder] = session
        return session

    @staticmethod
    def _again(one: R, others: Sequence[R]) -> R:
        """Its entry may have failed before, once or several times: that is told under it."""
        failed = [
            other
            for other in others
            if other is not one and other.status == "error" and other.replaced_by is None
            and (other.owner, other.subject, other.key) == (one.owner, one.subject, one.key)
        ]  # fmt: skip
        for other in failed:
            other.replaced_by = one
        one.replaces = failed[-1] if failed else None
        return one

    def replay(self, user: str, upload: Upload) -> Upload:
        self._require_owner(user, [upload])
        return self.upload(user, upload.file, owner=upload.owner, renewing=False)

    # --- stage 3

    def work(
        self,
        user: str,
        sessions: Collection[Session] | None = None,
        groups: Collection[Group] = (),
    ) -> None:
        """All that is open and the user may settle, or these sessions, these groups and what stands on the sessions."""
        self._require_owner(user, ())
        is_admin = self.role(user) == ADMIN
        for session in [one for one in self.sessions if is_admin or one.owner == user]:
            if session.status in OPEN and (sessions is None or session in sessions):
                self._settle(session)
        for group in [one for one in self.groups if is_admin or one.owner == user]:
            named = sessions is None or group in groups or any(one in sessions for one in group.sessions)
            if named and group.status in OPEN:
                self._settle_group(group)

    def fate(self, folder: Folder, probe: str | None) -> str:
        return {"empty": "error", "strange": "waiting" if probe is None else "inserted"}.get(
            folder.kind, "inserted"
        )

    def _settle(self, session: Session) -> None:
        session.status = self.fate(session.folder, session.probe)
        if session.status == "inserted" and (session.subject, session.folder.time) in self.times:
            session.status = "error"
        if session.status == "error":
            self._free(session)
        elif session.status == "inserted":
            self._insert(session)

    def _insert(self, session: Session) -> None:
        session.status, session.time = "inserted", session.folder.time
        self.times[session.subject, session.folder.time] = session
        if session.folder.kind == "sorted":
            self.singles.append(
                Single(session.owner, session.subject, session.upload, "inserted", session=session)
            )

    def _settle_group(self, group: Group) -> None:
        statuses = {session.status for session in group.sessions}
        if statuses.intersection(("error", "withdrawn", "deleted")):
            group.status = "error"
            self._free(group)
        else:
            group.status = "inserted" if statuses == {"inserted"} else "waiting"

    def _free(self, record: Record) -> None:
        if isinstance(record, Session):
            if self.locations.get(record.folder) is record:
                del self.locations[record.folder]
            if record.time is not None and self.times.get((record.subject, record.time)) is record:
                del self.times[record.subject, record.time]
        elif isinstance(record, Group) and self.names.get(record.name) is record:
            del self.names[record.name]

    # --- completing

    def _require_open(self, user: str, session: Session) -> None:
        self._require_owner(user, [session])
        if not session.stands:
            raise Refused("session-closed")

    def associate(self, user: str, session: Session, probe: str) -> None:
        self._require_open(user, session)
        if session.status == "inserted":
            raise Refused("not-waiting")
        session.probe, session.status = probe, "pending"
        self.work(user, [session])

    def add_tasks(self, user: str, session: Session) -> None:
        self._require_open(user, session)
        if session.completed:
            raise Refused("has-tasks")
        session.completed = True
        if session.status != "inserted":
            self.work(user, [session])
