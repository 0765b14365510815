"""Random histories with every kind of event: beside what happens to records, who may do what, and redactions.

A redaction says in ``Step.redacted`` and ``Step.erased`` what goes with it: whoever appends the step removes it, and
makes the projections anew. ``WholeHistory`` then knows records by what is left of their keys.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ledger.envelope import NewEvent
from ledger.events import (
    ActionRefused,
    ApprovalPolicySet,
    AuthenticationPolicySet,
    Body,
    ClusteringInsertRequested,
    InputFileErased,
    InputFileReceived,
    InvitationRevoked,
    PasswordChanged,
    PayloadRedacted,
    ProbeInserted,
    ProbeInsertionMended,
    ProbeInsertionTakenBack,
    ProbeRemoved,
    RedactionRequested,
    ReferenceValueAdded,
    ReferenceValueRetired,
    ReferenceValueTakenBack,
    ResetIssued,
    RightGranted,
    RightRevoked,
    RoleGranted,
    RoleRevoked,
    SecondFactorAdded,
    SecondFactorPolicySet,
    SecondFactorRemoved,
    ServiceAccountAdded,
    SessionInserted,
    SessionInsertRequested,
    SessionMoved,
    SignInsFailed,
    TokenIssued,
    TokenRevoked,
    UserDisabled,
    UserEnabled,
    UserInvited,
    UserJoined,
    WebhookAdded,
    WebhookRemoved,
)
from ledger.redaction import skeleton, told_by_envelope, told_by_streams
from tests.projections.catalogue_history import USERS, Step
from tests.projections.choices import Choices
from tests.projections.histories import Entry
from tests.projections.wrong_data import REASON, Request, WrongDataHistory

ROLES = ("researcher", "admin", "auditor")
UNTIL = "2026-01-01T00:00:00.000000Z"
_FOR_ADMINS = (RoleGranted, RoleRevoked, RedactionRequested, UserInvited)
_OF_ACCOUNTS = (
    ServiceAccountAdded, RightGranted, RightRevoked, UserDisabled, UserEnabled, TokenIssued, TokenRevoked, WebhookAdded, WebhookRemoved, AuthenticationPolicySet, UserInvited,
    InvitationRevoked, UserJoined, ResetIssued, PasswordChanged, SecondFactorAdded, SecondFactorRemoved,
    SecondFactorPolicySet,
)  # fmt: skip
KEPT_WHOLE = (RoleGranted, RoleRevoked, RedactionRequested, PayloadRedacted, *_OF_ACCOUNTS)


class WholeHistory(WrongDataHistory):
    """``roles`` are those that users have, ``redactions`` the event of each redaction by the position redacted."""

    def __init__(self, choices: Choices, size: int, prefix: str = "") -> None:
        super().__init__(choices, size, prefix)
        self.users = [prefix + name for name in USERS]
        self.roles: dict[str, str] = {}
        self.invited: dict[str, str] = {}
        self.redactions: dict[int, int] = {}
        self.log: dict[int, NewEvent] = {}

    def step(self) -> Step:
        """The first makes somebody an admin who never asks for a redaction, and carries all of them out: ``verify`` wants
        two, and that whoever gives roles and asks for redactions is an admin."""
        if not self.log:
            self._events, self._files, self._redacted, self._erased = [], [], [], []
            self._emit("user/user_3", RoleGranted(user="user_3", role="admin"), username="user_3")
            return Step("user_1", "", self._events, [], [], [], is_for_admins=True)
        step = super().step()
        if step.redacted:
            return replace(step, actor="user_3")
        is_for_admins = any(isinstance(event.body, _FOR_ADMINS) for event in step.events)
        return replace(step, actor="user_1", is_for_admins=True) if is_for_admins else step

    def _always(self) -> list[Callable[[], str]]:
        return [*super()._always(), self._grant, self._refuse, self._set_policy, self._change_account]

    def _possibly(self) -> list[tuple[Callable[[], str], Any]]:
        return [
            *super()._possibly(),
            (self._revoke, any(self.roles.values())),
            (self._request_redaction, self.log),
        ]

    def _emit(self, stream: str, body: Body, *about: Any, **options: Any) -> int:
        position = super()._emit(stream, body, *about, **options)
        self.log[position] = self._events[-1]
        return position

    # --- who may do what

    def _grant(self) -> str:
        user, role = self.choices.choose(self.users), self.choices.choose(ROLES)
        self._emit(f"user/{user}", RoleGranted(user=user, role=role), username=user)
        self.roles[user] = role
        return ""

    def _revoke(self) -> str:
        user = self.choices.choose([user for user, role in self.roles.items() if role])
        self._emit(f"user/{user}", RoleRevoked(user=user, role=self.roles[user]), username=user)
        self.roles[user] = ""
        return ""

    def _refuse(self) -> str:
        user = self.choices.choose(self.users)
        record = self.choices.choose([*self.sessions, None])
        body = ActionRefused(
            action="withdraw entries",
            record=f"s{record.id}" if record else "",
            role="auditor",
            needed="the role researcher",
        )
        self._emit(f"user/{user}", body, record.subject if record else "", user)
        return ""

    def _set_policy(self) -> str:
        self._emit("ledger", ApprovalPolicySet(own_requests=bool(self.choices.number(0, 1))))
        return ""

    def _change_account(self) -> str:
        """What comes after what is the commands' to say; the rows take it in any order. But ``verify`` wants a role that
        somebody joins with to be that of an invitation by an admin."""
        user = self.choices.choose(self.users)
        invited = self.choices.choose(("", *ROLES))
        bodies = (
            ServiceAccountAdded(user=user, owner=self.choices.choose(self.users)),
            RightGranted(user=user, right="on-behalf-of", of=self.choices.choose(self.users)),
            RightGranted(user=user, right="work", of=""),
            RightRevoked(user=user, right="work", of=""),
            UserDisabled(user=user),
            UserEnabled(user=user),
            TokenIssued(user=user, token="t1", name="rig", scope="read", until=UNTIL),
            TokenRevoked(user=user, token="t1"),
            WebhookAdded(user=user, webhook="w1", host="example.org", since=0),
            WebhookRemoved(user=user, webhook="w1"),
            AuthenticationPolicySet(required=bool(self.choices.number(0, 1))),
            UserInvited(user=user, role=invited, until=UNTIL),
            InvitationRevoked(user=user),
            UserJoined(user=user, role=self.invited.get(user, ""), invited_by="user_1"),
            ResetIssued(user=user, what="password", until=UNTIL),
            PasswordChanged(user=user, by_reset=True),
            SecondFactorAdded(user=user),
            SecondFactorRemoved(user=user, by_reset=False),
            SecondFactorPolicySet(role=self.choices.choose(ROLES), required=bool(self.choices.number(0, 1))),
            SignInsFailed(of="account", user=user, failures=10),
        )
        body = self.choices.choose(bodies)
        if isinstance(body, UserInvited):
            self.invited[user] = invited
        if isinstance(body, UserJoined) and body.role and not self.roles.get(user):
            self.roles[user] = body.role
        of_ledger = isinstance(body, AuthenticationPolicySet | SecondFactorPolicySet | SignInsFailed)
        stream = "ledger" if of_ledger else f"user/{user}"
        self._emit(stream, body, username="" if stream == "ledger" else user)
        return ""

    # --- redactions

    def _request_redaction(self) -> str:
        """Of all kinds of events alike, however many there are of each."""
        kinds = list(dict.fromkeys(type(event.body) for event in self.log.values()))
        kind = self.choices.choose(kinds)
        position = self.choices.choose([at for at, event in self.log.items() if isinstance(event.body, kind)])
        body = RedactionRequested(position=position, reason=REASON)
        request = self._opened("redaction", self.log[position].subject, self.choices.choose(USERS), body)
        request.redacts = position
        return f"d{request.id}"

    def _is_about_something(self, request: Request) -> bool:
        if request.kind == "redaction":
            return self._redactable(request.redacts)
        return super()._is_about_something(request)

    def _redactable(self, position: int) -> bool:
        event = self.log[position]
        kind, _, name = event.stream.partition("/")
        if position in self.redactions or isinstance(event.body, KEPT_WHOLE):
            return False
        if kind == "deletion" and any(
            one.id == int(name) and one.status == "requested" for one in self.requests
        ):
            return False
        if any(one.id == int(name) and one.status in ("pending", "waiting") for one in self._records(kind)):
            return False
        if isinstance(event.body, ReferenceValueRetired):
            return (event.body.table, event.body.value) not in self.values
        if isinstance(event.body, ProbeRemoved):
            return (event.subject, event.body.probe) not in self.inserted
        if isinstance(event.body, ReferenceValueTakenBack | ProbeInsertionTakenBack):
            begun = ReferenceValueAdded if kind == "reference" else ProbeInserted
            field = "value" if kind == "reference" else "probe"
            if any(
                isinstance(other.body, begun)
                and other.stream == event.stream
                and getattr(other.body, field) == getattr(event.body, field)
                for at, other in self.log.items()
                if at < position and at not in self.redactions
            ):
                return False
        return self._kept(position) != event.body.model_dump(mode="json")

    def _records(self, kind: str) -> list[Entry]:
        return {"session": self.sessions, "clustering": self.clusterings}.get(kind, [])

    def _kept(self, position: int) -> dict[str, Any]:
        event = self.log[position]
        body = event.body.model_dump(mode="json")
        known = told_by_envelope(event.stream, event.subject) | told_by_streams(
            type(event.body).__name__, body
        )
        return skeleton(body, unique=f"(redacted) {position}", known=known)

    def _carry_out(self, request: Request) -> None:
        if request.kind != "redaction":
            super()._carry_out(request)
            return
        position = request.redacts
        event = self.log[position]
        body = PayloadRedacted(
            position=position, stream=event.stream, type=type(event.body).__name__, reason=REASON,
            requested_by=request.username, deletion=request.id, kept=self._kept(position),
        )  # fmt: skip
        self._emit(f"redaction/{position}", body, event.subject, event.username)
        self.redactions[position] = self.position
        self._redacted.append(position)
        if isinstance(event.body, InputFileReceived):
            digest = event.body.sha256  # no two files of a history have the same bytes
            erased = InputFileErased(sha256=digest, deletion=request.id)
            self._emit(f"input-file/{digest}", erased, event.subject, event.username)
            self._erased.append(digest)
        self._know_by_what_is_left(position)

    def _know_by_what_is_left(self, position: int) -> None:
        event, left = self.log[position], f"(redacted) {position}"
        kind, _, name = event.stream.partition("/")
        for record in self._records(kind):
            if record.id != int(name):
                continue
            if isinstance(event.body, SessionMoved | SessionInsertRequested):
                if position != (record.moved or record.id):
                    continue  # it lies elsewhere since
                self._moved(self.locations, record.key, left, record.id)
                record.key = left
            elif isinstance(event.body, ClusteringInsertRequested):
                self._moved(self.groups, record.key, left, record.id)
                record.key = left
            elif isinstance(event.body, SessionInserted):
                self._moved(self.times, (record.subject, str(record.time)), (record.subject, left), record.id)
                record.time = left
        self._count_catalogue_again()

    @staticmethod
    def _moved(held: dict[Any, int], key: Any, left: Any, number: int) -> None:
        if held.get(key) == number:
            del held[key]
            held[left] = number

    def _count_catalogue_again(self) -> None:
        """What was added under a name that is blanked now is there under what is left; what ended it ends nothing."""
        self.values, self.inserted = {}, {}
        for position, event in self.log.items():
            body, left = event.body, f"(redacted) {position}" if position in self.redactions else None
            if isinstance(body, ReferenceValueAdded):
                self.values[body.table, left or body.value] = True
            elif isinstance(body, ReferenceValueTakenBack) and left is None:
                self.values.pop((body.table, body.value), None)
            elif isinstance(body, ProbeInsertionTakenBack | ProbeInsertionMended):
                self._count_insertion_again(event, body, left)
            elif isinstance(body, ReferenceValueRetired) and (body.table, body.value) in self.values:
                self.values[body.table, body.value] = False
            elif isinstance(body, ProbeInserted):
                self.inserted[event.subject, left or body.probe] = True
            elif isinstance(body, ProbeRemoved) and (event.subject, body.probe) in self.inserted:
                self.inserted[event.subject, body.probe] = False

    def _count_insertion_again(
        self, event: NewEvent, body: ProbeInsertionTakenBack | ProbeInsertionMended, left: str | None
    ) -> None:
        key = (event.subject, body.probe)
        if left is not None or key not in self.inserted:
            return
        if isinstance(body, ProbeInsertionMended):
            self.inserted[key] = body.removal_time is None
        elif body.earlier is None:
            del self.inserted[key]
        else:
            self.inserted[key] = False
