"""A small model of the ledger, in plain Python: what stands, who holds which key, and what is refused, and why.

It knows nothing of events, tables or locks. Each method is a command of a user: it says what comes of it, and what
is there afterwards. Records get their numbers from the ledger, once they are there.
"""

from collections.abc import Iterable, Sequence

from tests.histories.intake_model import IntakeModel
from tests.histories.records import (
    NEVER_INSERTED,
    RESEARCHER,
    Group,
    Impact,
    Plan,
    Record,
    Refused,
    Request,
    Session,
    Single,
    Upload,
)
from tests.histories.scene import Entry, File, GroupEntry


class Model(IntakeModel):
    """What is done about wrong data, on top of how it came in."""

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
        if any(other.stands for other in [*one.later(), *one.earlier()]):
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
        owners = {one.owner for one in [*sessions.values(), *groups.values()]}
        shared = self.role(user) == RESEARCHER and user in owners
        plan = self._plan(file, sessions, groups, only=user if shared else None)
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

    def _plan(
        self,
        file: File,
        sessions: dict[Entry, Session],
        groups: dict[GroupEntry, Group],
        *,
        only: str | None = None,
    ) -> Plan:
        """``sessions`` and ``groups``: what the entries stand for; an entry that is in neither is left out, as is what is
        not of the user ``only``."""
        changed = {
            old: entry
            for entry, old in sessions.items()
            if (old.folder, old.room, old.subject) != (entry.folder, entry.room, file.subject)
            and only in (None, old.owner)
        }
        regrouped = {
            old: entry
            for entry, old in groups.items()
            if only in (None, old.owner)
            and (
                (old.notes, old.subject) != (entry.notes, file.subject)
                or self._stands_elsewhere(
                    old, [sessions.get(self._entry(file, name)) for name in entry.sessions]
                )
            )
        }
        meant = set(sessions.values())
        owners = {one.owner for one in meant}
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
            others = [one for one in changed if one.time is not None and one.time == entry.folder.time]
            is_named = entry.folder not in self.locations
            if is_named and outcomes[old] == "inserted" and old not in others:
                holder = self.times.get((file.subject, entry.folder.time))
                if others or (holder is not None and holder not in meant and holder.owner in owners):
                    errors.add("match-contradicted")
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
