"""A small model of the ledger, in plain Python: what stands, who holds which key, and what is refused, and why.

It knows nothing of events, tables or locks. Each method is a command of a user: it says what comes of it, and what
is there afterwards. Records get their numbers from the ledger, once they are there.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from tests.histories.scene import TASKS_ADDED, Entry, File, Folder, GroupEntry

STANDING = ("pending", "waiting", "inserted")
OPEN = ("pending", "waiting")
NEVER_INSERTED = ("pending", "waiting", "error")
ADMIN, RESEARCHER, AUDITOR = "admin", "researcher", "auditor"


class Refused(Exception):
    """One of ``codes``: where several things are wrong, which is said first is of no account here."""

    def __init__(self, *codes: str) -> None:
        super().__init__(", ".join(codes))
        self.codes = frozenset(codes)


@dataclass(eq=False)
class Upload:
    owner: str
    file: File
    errors: frozenset[str] = frozenset()
    id: int = 0


@dataclass(eq=False)
class Record:
    owner: str
    subject: str
    upload: Upload
    status: str = "pending"
    id: int = 0
    replaces: "Record | None" = None
    replaced_by: "Record | None" = None

    @property
    def stands(self) -> bool:
        return self.status in STANDING


@dataclass(eq=False)
class Session(Record):
    """``time`` once it was inserted; ``probe`` where a user said which it is; ``completed``: tasks were added."""

    folder: Folder = field(kw_only=True)
    name: str = field(kw_only=True)
    room: str = field(kw_only=True)
    time: str | None = None
    probe: str | None = None
    completed: bool = False

    @property
    def tasks(self) -> int:
        return TASKS_ADDED if self.completed and self.time is not None else 0

    @property
    def entry(self) -> Entry:
        return Entry(self.folder, self.name, self.room)


@dataclass(eq=False)
class Single(Record):
    """The clustering that came with a session."""

    session: Session = field(kw_only=True)


@dataclass(eq=False)
class Group(Record):
    """A multi-session clustering."""

    name: str = field(kw_only=True)
    sessions: tuple[Session, ...] = field(kw_only=True)
    notes: str = ""


@dataclass(frozen=True)
class Impact:
    records: frozenset[Record]
    tasks: int

    def exceeds(self, shown: "Impact") -> bool:
        return bool(self.records - shown.records) or self.tasks > shown.tasks


@dataclass(eq=False)
class Request:
    """``named`` are the records and uploads that a deletion is about; ``sessions`` and ``groups`` what entries of a
    corrected file stand for. ``first`` is the impact when it was requested, ``shown`` that which was shown last."""

    kind: str
    by: str
    first: Impact
    named: tuple[Record | Upload, ...] = ()
    upload: Upload | None = None
    sessions: dict[Entry, Session] = field(default_factory=dict)
    groups: dict[GroupEntry, Group] = field(default_factory=dict)
    status: str = "requested"
    id: int = 0
    gone: dict[Record, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shown = self.first


@dataclass
class Plan:
    """What a correction would replace, what of it is impossible, and what each new session comes to."""

    sessions: dict[Session, Entry]
    groups: dict[Group, GroupEntry]
    outcomes: dict[Session, str]
    errors: frozenset[str]


class Model:
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

    def upload(self, user: str, file: File, *, owner: str | None = None) -> Upload:
        """``owner``: whose records its entries become; else the user's."""
        self._require_owner(user, ())
        owner = owner or user
        known = {
            one: held
            for one in file.entries
            if (held := self.locations.get(one.folder)) is not None and held.owner == owner
        }
        named = {one.name: known.get(one) for one in file.entries}
        fresh = [
            one
            for one in file.groups
            if (holder := self.names.get(one.name)) is None or holder.subject != file.subject
        ]
        upload = Upload(owner, file)
        upload.errors = self._errors(file, known, fresh, named)
        self.uploads.append(upload)
        if not upload.errors:
            new = {
                one.name: self._request(one, owner, file.subject, upload)
                for one in file.entries
                if one not in known
            }
            found = {name: new.get(name) or named[name] for name in named}
            groups = [
                Group(owner, file.subject, upload, name=one.name, notes=one.notes,
                      sessions=tuple(session for name in one.sessions if (session := found[name]) is not None))
                for one in fresh
            ]  # fmt: skip
            self.groups += groups
            self.names |= {one.name: one for one in groups}
            again = [self.names[one.name] for one in file.groups if one not in fresh]
            is_open = [session for session in found.values() if session and session.status in OPEN]
            self.work(user, is_open, [*groups, *again])
        return upload

    def _errors(
        self,
        file: File,
        known: Collection[Entry],
        fresh: Iterable[GroupEntry],
        named: dict[str, Session | None],
    ) -> frozenset[str]:
        errors = set()
        if any(one.folder in self.locations and one not in known for one in file.entries):
            errors.add("location-of-another-user")
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

    def replay(self, user: str, upload: Upload) -> Upload:
        self._require_owner(user, [upload])
        return self.upload(user, upload.file, owner=upload.owner)

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

    # --- withdrawing and deleting

    def of_upload(self, upload: Upload) -> list[Record]:
        return [one for one in [*self.sessions, *self.groups] if one.upload is upload]

    def _records(self, named: Iterable[Record | Upload]) -> list[Record]:
        found: dict[Record, None] = {}
        for one in named:
            found.update(dict.fromkeys(self.of_upload(one) if isinstance(one, Upload) else [one]))
        return list(found)

    def withdraw(self, user: str, named: Sequence[Record | Upload]) -> None:
        self._require_owner(user, named)
        direct = {one.status for one in named if isinstance(one, Record)}
        if direct.intersection(("inserted", "deleted")):
            raise Refused(*direct.intersection(("inserted", "deleted")))
        records = self._records(named)
        if any(isinstance(one, Upload) for one in named) and not any(
            one.status in (*NEVER_INSERTED, "withdrawn") for one in records
        ):
            raise Refused("nothing-to-withdraw")
        for one in records:
            if one.status in NEVER_INSERTED:
                one.status = "withdrawn"
                self._free(one)

    def impact(self, records: Iterable[Record]) -> Impact:
        going = {one for one in records if one.stands}
        for one in [*self.singles, *self.groups]:
            on = (one.session,) if isinstance(one, Single) else one.sessions
            if one.stands and going.intersection(on):
                going.add(one)
        return Impact(frozenset(going), sum(one.tasks for one in going if isinstance(one, Session)))

    def request_deletion(self, user: str, named: Sequence[Record | Upload]) -> Request:
        self._require_owner(user, named)
        if any(isinstance(one, Record) and not one.stands for one in named):
            raise Refused("not-standing")
        impact = self.impact(self._records(named))
        if not impact.records:
            raise Refused("not-standing")
        for other in self.requests:
            is_same = set(other.named) == set(named) or other.shown.records == impact.records
            if is_same and (other.kind, other.status) == ("deletion", "requested"):
                raise Refused("already-requested")
        self.requests.append(Request("deletion", user, impact, tuple(named)))
        return self.requests[-1]

    def approve(self, user: str, request: Request, accept_impact: bool) -> None:
        self._require_approver(user, request)
        self._require_requested(request)
        if request.kind == "correction":
            plan = self._fitting_plan(request)
            impact = self.impact([*plan.sessions, *plan.groups])
            self._refuse_growth(request, impact, accept_impact)
            self._replace(user, request, plan)
        else:
            impact = self.impact(self._records(request.named))
            if not impact.records:
                raise Refused("not-standing")
            self._refuse_growth(request, impact, accept_impact)
            for one in impact.records:
                self._delete(request, one)
        request.status = "executed"

    @staticmethod
    def _require_requested(request: Request) -> None:
        if request.status != "requested":
            raise Refused("already-decided")

    @staticmethod
    def _refuse_growth(request: Request, impact: Impact, accept_impact: bool) -> None:
        if impact.exceeds(request.shown if accept_impact else request.first):
            if impact.exceeds(request.shown):
                request.shown = impact
            raise Refused("impact-grown")

    def _delete(self, request: Request, record: Record, by: Record | None = None) -> None:
        request.gone[record] = record.status
        self._free(record)
        record.status, record.replaced_by = "deleted", by

    def reject(self, user: str, request: Request) -> None:
        self._require_approver(user, request)
        self._require_requested(request)
        request.status = "rejected"

    def cancel(self, user: str, request: Request) -> None:
        if request.by != user:
            raise Refused("not-permitted")
        self._require_owner(user, ())
        self._require_requested(request)
        request.status = "cancelled"

    def restore(self, user: str, request: Request) -> None:
        self._require_admin(user)
        if request.status != "executed":
            raise Refused("not-executed")
        if any(self._is_hindered(one, request) for one in request.gone):
            raise Refused("blocked")
        for one, was in request.gone.items():
            one.status, one.replaced_by = "inserted" if was == "inserted" else "pending", None
            if isinstance(one, Session):
                self.locations[one.folder] = one
                if one.time is not None:
                    self.times[one.subject, one.time] = one
            elif isinstance(one, Group):
                self.names[one.name] = one
        request.status = "restored"

    def _is_hindered(self, one: Record, request: Request) -> bool:
        if one.replaced_by is not None and one.replaced_by.stands:
            return True
        if isinstance(one, Session):
            return one.folder in self.locations or (one.subject, one.time or "") in self.times
        on = one.sessions if isinstance(one, Group) else (one.session,) if isinstance(one, Single) else ()
        if any(session.status == "deleted" and session not in request.gone for session in on):
            return True
        return isinstance(one, Group) and one.name in self.names

    # --- correcting

    def correct(self, user: str, file: File) -> Request | None:
        """None where nothing differs. Every entry stands for the session at its location, or of its name."""
        self._require_owner(user, ())
        sessions = {
            entry: self.locations.get(entry.folder) or self._named(entry, file.subject)
            for entry in file.entries
        }
        groups = {entry: self.names[entry.name] for entry in file.groups}
        plan = self._plan(file, sessions, groups)
        if not plan.sessions and not plan.groups:
            return None
        self._require_owner(user, [*plan.sessions, *plan.groups])
        if plan.errors:
            raise Refused(*plan.errors)
        if any(
            one.kind == "correction" and one.status == "requested" and one.upload and one.upload.file == file
            for one in self.requests
        ):
            raise Refused("already-requested")
        owners = {one.owner for one in [*plan.sessions, *plan.groups]}
        upload = Upload(owners.pop() if len(owners) == 1 else user, file)
        self.uploads.append(upload)
        request = Request("correction", user, self.impact([*plan.sessions, *plan.groups]), upload=upload)
        request.sessions = {entry: session for session, entry in plan.sessions.items()}
        request.groups = {entry: group for group, entry in plan.groups.items()}
        self.requests.append(request)
        return request

    def _named(self, entry: Entry, subject: str) -> Session:
        [found] = [
            one for one in self.sessions if one.stands and one.name == entry.name and one.subject == subject
        ]
        return found

    def _plan(self, file: File, sessions: dict[Entry, Session], groups: dict[GroupEntry, Group]) -> Plan:
        """``sessions`` and ``groups``: what the entries stand for; an entry that is in neither is left out."""
        changed = {
            old: entry
            for entry, old in sessions.items()
            if (old.folder, old.room, old.subject) != (entry.folder, entry.room, file.subject)
        }
        regrouped = {
            old: entry
            for entry, old in groups.items()
            if (old.notes, old.subject) != (entry.notes, file.subject)
            or self._stands_elsewhere(old, [sessions.get(self._entry(file, name)) for name in entry.sessions])
        }
        errors, outcomes = set(), dict[Session, str]()
        times = {key: held for key, held in self.times.items() if held not in changed}
        for old, entry in changed.items():
            taken_by = self.locations.get(entry.folder, old)
            if taken_by not in changed:
                errors.add("location-taken")
                if regrouped and taken_by.subject != file.subject:
                    errors.add("session-of-another-subject")
            probe = old.probe if file.subject == old.subject else None
            outcomes[old] = self.fate(entry.folder, probe)
            if outcomes[old] == "error":
                errors.add("no-recordings")
            elif (
                outcomes[old] == "inserted"
                and times.setdefault((file.subject, entry.folder.time), old) is not old
            ):
                errors.add("session-time-taken")
        for entry in regrouped.values():
            if any(self._entry(file, name) not in sessions for name in entry.sessions):
                errors.add("unknown-session")
        return Plan(changed, regrouped, outcomes, frozenset(errors))

    @staticmethod
    def _stands_elsewhere(group: Group, meant: Sequence[Session | None]) -> bool:
        return None not in meant and set(group.sessions) != set(meant)

    @staticmethod
    def _entry(file: File, name: str) -> Entry:
        return next(entry for entry in file.entries if entry.name == name)

    def _fitting_plan(self, request: Request) -> Plan:
        """As it stands now. What the request was not about is found by its key, and stays as it is."""
        assert request.upload is not None
        if not all(one.stands for one in [*request.sessions.values(), *request.groups.values()]):
            raise Refused("not-standing")
        file = request.upload.file
        others = {
            entry: held
            for entry in file.entries
            if entry not in request.sessions and (held := self.locations.get(entry.folder)) is not None
        }
        plan = self._plan(file, others | request.sessions, request.groups)
        plan.sessions = {old: entry for old, entry in plan.sessions.items() if entry in request.sessions}
        if plan.errors:
            raise Refused(*plan.errors)
        if not plan.sessions and not plan.groups:
            raise Refused("nothing-to-correct")
        return plan

    def _replace(self, user: str, request: Request, plan: Plan) -> None:
        """The old records go, the new ones take their keys, and the groups that still fit follow."""
        assert request.upload is not None
        file, upload = request.upload.file, request.upload
        standing_on = self.impact([*plan.sessions, *plan.groups]).records - {*plan.sessions, *plan.groups}
        following = [one for one in standing_on if isinstance(one, Group) and one.subject == file.subject]
        waited = [one for one in following if one.status != "inserted"]
        for one in [*plan.sessions, *plan.groups, *(standing_on - set(following))]:
            self._delete(request, one)
        new: dict[Session, Session] = {}
        for old, entry in plan.sessions.items():
            session = new[old] = self._request(entry, old.owner, file.subject, upload)
            session.probe = old.probe if file.subject == old.subject else None
            session.completed, session.replaces, old.replaced_by = old.completed, old, session
        for old, session in new.items():
            session.status = plan.outcomes[old]
            if session.status == "inserted":
                self._insert(session)
        for group in following:
            group.sessions = tuple(new.get(session, session) for session in group.sessions)
            if group.status == "inserted":
                self._settle_group(group)
        for old_group, entry in plan.groups.items():
            meant = [request.sessions.get(self._entry(file, name)) or self.locations[self._entry(file, name).folder]
                     for name in entry.sessions]  # fmt: skip
            group = Group(
                old_group.owner, file.subject, upload, name=entry.name, notes=entry.notes,
                sessions=tuple(new.get(session, session) for session in meant),
            )  # fmt: skip
            group.replaces, old_group.replaced_by = old_group, group
            self.groups.append(group)
            self.names[group.name] = group
            self._settle_group(group)
        self.work(user, (), waited)
