"""Invitations: made by an admin, good for seven days, used once. Who joins chooses a password, and takes over what was
done under that name before."""

from dataclasses import dataclass
from datetime import timedelta

from pydantic import Field, PrivateAttr

from commands.accounts import codes
from commands.accounts.random_text import Given, new
from commands.accounts.standing import DISABLED, account_event, account_of, known_account
from commands.accounts.times import from_now, now
from commands.door.actor import EVERYONE, checked_email, checked_user
from commands.door.command import Command, checked_command_id
from commands.door.permission import ADMIN, Role, look_alike, require_admin, require_self, role_of
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger import people, secrets
from ledger.database import Transaction
from ledger.errors import NextStep, Refusal
from ledger.events import InvitationRevoked, UserInvited, UserJoined
from ledger.look_alikes import difference

GOOD_FOR, FIRST_GOOD_FOR = timedelta(days=7), timedelta(hours=1)
_NAMED = 3  # records of each kind that stand in an invitation


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """What stands under a name already: ``count`` records of a kind, and the newest of them."""

    kind: str
    count: int
    newest: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited(Result):
    """``role`` is what the user gets by joining. ``superseded``: an earlier invitation has ended by this one.
    ``takes_over`` is what was done under that name."""

    user: str
    role: Role | None
    until: str
    superseded: bool
    takes_over: list[TakenOver]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationEnded(Result):
    """``changed`` is False where there was none. ``role`` is one that the user has whatever becomes of invitations."""

    user: str
    changed: bool
    role: Role | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined(Result):
    """``role`` is what the user has now by name."""

    user: str
    role: Role | None


class InviteUser(Command[Invited]):
    """``email`` is kept beside the log, and in no fingerprint."""

    user: str
    role: Role | None = None
    email: str | None = Field(default=None, exclude=True, repr=False)
    _given: Given = PrivateAttr(default_factory=lambda: new(secrets.INVITATION))

    def authorise(self, world: World) -> None:
        require_admin(world, f"invite {self.user}")

    def decide(self, world: World) -> Decision[Invited]:
        user = checked_user(self.user)
        email = None if self.email is None else checked_email(self.email)
        _refuse_who_cannot_be_invited(world, user, self.role)
        until = from_now(GOOD_FOR)
        earlier = secrets.of_user(world.transaction, user, secrets.INVITATION)
        superseded = any(one.is_living and not one.has_expired(now()) for one in earlier)
        details = {"role": self.role or "", "by": world.actor}
        codes.write(world.transaction, self._given, user, details, until)
        if email is not None:
            known = people.find(world.transaction, user)
            people.write(world.transaction, people.Person(user, None if known is None else known.name, email))
        result = Invited(
            user=user, role=self.role, until=until, superseded=superseded, takes_over=taken_over(world, user)
        )
        event = account_event(user, UserInvited(user=user, role=self.role or "", until=until))
        return Decision([event], result)


class InviteFirst(Command[Invited]):
    """By the server itself, where nobody has a password yet: an admin, for an hour."""

    RECOVERS = True
    user: str
    _given: Given = PrivateAttr(default_factory=lambda: new(secrets.INVITATION))

    def authorise(self, world: World) -> None:
        if somebody_can_sign_in(world.transaction):
            raise Refusal("not-first", "Somebody can sign in already.", "Let an admin invite others.")

    def decide(self, world: World) -> Decision[Invited]:
        if role_of(world, self.user) != ADMIN:
            raise Refusal("not-first", f"{self.user} is no admin.", "Invite one.")
        until = from_now(FIRST_GOOD_FOR)
        codes.write(world.transaction, self._given, self.user, {"role": "", "by": world.actor}, until)
        event = account_event(self.user, UserInvited(user=self.user, role="", until=until))
        return Decision(
            [event], Invited(user=self.user, role=None, until=until, superseded=False, takes_over=[])
        )


class RevokeInvitation(Command[InvitationEnded]):
    user: str

    def authorise(self, world: World) -> None:
        require_admin(world, f"revoke the invitation of {self.user}")

    def decide(self, world: World) -> Decision[InvitationEnded]:
        found = known_account(world, self.user)
        role: Role | None = found.role or None  # type: ignore[assignment]
        if found.invited_until is None:
            return Decision((), InvitationEnded(user=self.user, changed=False, role=role))
        secrets.end_of_user(world.transaction, self.user, codes.REVOKED, secrets.INVITATION)
        event = account_event(self.user, InvitationRevoked(user=self.user))
        return Decision([event], InvitationEnded(user=self.user, changed=True, role=role))


class AcceptInvitation(Command[Joined]):
    """By whoever has the code: see ``sign_ins.accept``. ``invitation`` is its public id."""

    RECOVERS = True  # of who comes with a password alone, whatever the role needs
    user: str
    invitation: str
    _code: str = PrivateAttr(default="")
    _password: str = PrivateAttr(default="")

    def authorise(self, world: World) -> None:
        require_self(world, self.user, f"accept the invitation of {self.user}")

    def decide(self, world: World) -> Decision[Joined]:
        kept = codes.good(world.transaction, self._code, secrets.INVITATION)
        if kept.username != self.user:
            raise ValueError("a code of somebody else's invitation")
        secrets.end(world.transaction, kept, codes.USED)
        secrets.write(world.transaction, password_of(self.user, self._password))
        role, by = kept.details["role"], kept.details["by"]
        account = known_account(world, self.user)
        result = Joined(user=self.user, role=account.role or role or None)  # type: ignore[arg-type]
        return Decision(
            [account_event(self.user, UserJoined(user=self.user, role=role, invited_by=by))], result
        )


def invite(
    daybook: Daybook, user: str, *, role: Role | None = None, email: str | None = None,
    command_id: str | None = None,
) -> tuple[Invited, str | None]:  # fmt: skip
    """What the receipt keeps, and the code, which is told this once: None where the command is repeated."""
    command = InviteUser(command_id=checked_command_id(command_id), user=user, role=role, email=email)
    receipt = daybook.submit(command)
    return receipt.result, None if receipt.repeated else command._given.text


def invite_first(daybook: Daybook) -> tuple[Invited, str] | None:
    """By the server's process. None where somebody can sign in already."""
    with daybook.reading() as world:
        if somebody_can_sign_in(world.transaction):
            return None
        named = world.state.users.where("role = ? AND account <> ? AND owner = ?", [ADMIN, DISABLED, ""])
    admins = sorted(row.username for row in named)
    own = daybook.actor.user
    command = InviteFirst(user=own if own in admins else admins[0])
    return daybook.submit(command).result, command._given.text


def somebody_can_sign_in(transaction: Transaction) -> bool:
    return any(kept.is_living for kept in secrets.of_kind(transaction, secrets.PASSWORD))


def password_of(user: str, kept: str) -> secrets.Secret:
    return secrets.Secret(password_id(user), secrets.PASSWORD, user, kept, {}, now(), None)


def password_id(user: str) -> str:
    """There is one of each user."""
    return f"{secrets.PASSWORD}/{user}"


def taken_over(world: World, user: str) -> list[TakenOver]:
    state, found = world.state, []
    kinds = (
        ("uploads", "u", state.uploads.table, "username"),
        ("sessions", "s", state.sessions.table, "username"),
        ("clusterings", "c", state.clusterings.table, "username"),
        ("requests", "d", state.deletions.table, "requested_by"),
    )
    for kind, letter, table, column in kinds:
        where = f"FROM {table} WHERE {column} = ?"
        (count,) = world.transaction.run(f"SELECT count(*) {where}", (user,)).fetchone()
        if count:
            rows = world.transaction.run(
                f"SELECT id {where} ORDER BY id DESC LIMIT {_NAMED}", (user,)
            ).fetchall()
            found.append(
                TakenOver(kind=kind, count=count, newest=[f"{letter}{number}" for (number,) in rows])
            )
    return found


def _refuse_who_cannot_be_invited(world: World, user: str, role: Role | None) -> None:
    found = account_of(world, user)
    if user == EVERYONE:
        raise Refusal("user-name", f'"{EVERYONE}" stands for all users.', "Invite each by name.")
    if found is None and (alike := look_alike(world, user)) is not None:
        raise Refusal(
            "look-alike",
            f'"{user}" looks like "{alike}", who is there already.',
            f"Invite that one, or take another name. {difference(user, alike)}".rstrip(),
        )
    if found is None:
        return
    if found.owner:
        raise Refusal(
            "service-owner", f"{user} is a service account, and has no password.", "Give it a token",
            NextStep("create-token", arguments={"name": None, "for": user}),
        )  # fmt: skip
    if found.account == DISABLED:
        raise Refusal("account-disabled", f"The account of {user} is disabled.", "Enable it first",
                      NextStep("enable-user", arguments={"user": user}))  # fmt: skip
    if secrets.find(world.transaction, password_id(user)) is not None:
        raise Refusal(
            "account-exists", f"{user} has joined already.", "Where the password is lost",
            NextStep("reset-password", arguments={"user": user}),
        )  # fmt: skip
    if role is not None and found.role not in ("", role):
        raise Refusal(
            "role-granted", f"{user} has the role {found.role} already.",
            "Invite without a role, and change the one that is there",
            NextStep("grant-role", arguments={"user": user, "role": role}),
        )  # fmt: skip
