"""Actions about who may, and who comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from commands.answers.doing.common import submitted

if TYPE_CHECKING:
    from commands.answers.asking import Asking
    from commands.answers.parameters import Right, Role, Scope, Text

DEFAULT_LENGTH = "90d"


def grant_role(asking: Asking, command_id: str | None, *, user: Text, role: Role) -> Any:
    """Give a user a role, in place of the one before."""
    from commands.lab.roles import GrantRole

    return submitted(asking, GrantRole, command_id, user=user, role=role)


def revoke_role(asking: Asking, command_id: str | None, *, user: Text, role: Role) -> Any:
    """Take a role from a user, who is left with that of everyone."""
    from commands.lab.roles import RevokeRole

    return submitted(asking, RevokeRole, command_id, user=user, role=role)


def request_role(asking: Asking, command_id: str | None, *, role: Role, reason: Text) -> Any:
    """Ask for a role, which an admin grants or refuses."""
    from commands.requests.changes.roles import RequestRole

    return submitted(asking, RequestRole, command_id, role=role, reason=reason)


def set_person(
    asking: Asking, command_id: str | None, *, user: Text, name: Text | None = None, email: Text | None = None
) -> Any:
    """Say who is behind a username; what is not given stays as it is."""
    from commands.lab.people import SetPerson

    return submitted(asking, SetPerson, command_id, user=user, name=name, email=email)


def erase_person(asking: Asking, command_id: str | None, *, user: Text) -> Any:
    """Erase name and address of a username, for good."""
    from commands.lab.people import erase_person

    return erase_person(asking.daybook, user, command_id=command_id)


def add_service_account(
    asking: Asking, command_id: str | None, *, user: Text, owner: Text | None = None
) -> Any:
    """Add a service account; whoever adds it answers for it, unless said."""
    from commands.accounts.standing import AddServiceAccount

    return submitted(asking, AddServiceAccount, command_id, user=user, owner=owner)


def grant_right(
    asking: Asking, command_id: str | None, *, user: Text, right: Right, of: Text | None = None
) -> Any:
    """Give a service account a right besides its role: work, or on-behalf-of a user."""
    from commands.accounts.rights import GrantRight

    return submitted(asking, GrantRight, command_id, user=user, right=right, of=of)


def revoke_right(
    asking: Asking, command_id: str | None, *, user: Text, right: Right, of: Text | None = None
) -> Any:
    """Take a right from a service account."""
    from commands.accounts.rights import RevokeRight

    return submitted(asking, RevokeRight, command_id, user=user, right=right, of=of)


def disable_user(asking: Asking, command_id: str | None, *, user: Text) -> Any:
    """Disable an account: its sign-ins and tokens end, its records stay."""
    from commands.accounts.standing import DisableUser

    return submitted(asking, DisableUser, command_id, user=user)


def enable_user(asking: Asking, command_id: str | None, *, user: Text) -> Any:
    """Enable an account again."""
    from commands.accounts.standing import EnableUser

    return submitted(asking, EnableUser, command_id, user=user)


def invite_user(
    asking: Asking, command_id: str | None, *, user: Text, role: Role | None = None, email: Text | None = None
) -> tuple[Any, dict[str, str | None] | None]:
    """Invite somebody: the link and the code are told this once, and are good for seven days."""
    from commands.accounts.invitations import invite
    from commands.accounts.links import link_of

    result, code = invite(asking.daybook, user, role=role, email=email, command_id=command_id)
    return result, None if code is None else link_of("accept", code, asking.public_url)


def revoke_invitation(asking: Asking, command_id: str | None, *, user: Text) -> Any:
    """Revoke the open invitation of a user."""
    from commands.accounts.invitations import RevokeInvitation

    return submitted(asking, RevokeInvitation, command_id, user=user)


def reset_password(
    asking: Asking, command_id: str | None, *, user: Text
) -> tuple[Any, dict[str, str | None] | None]:
    """Make a link by which a user chooses a new password; it is told this once, and is good for an hour."""
    return _reset(asking, command_id, user, "password")


def reset_second_factor(
    asking: Asking, command_id: str | None, *, user: Text
) -> tuple[Any, dict[str, str | None] | None]:
    """Make a link by which a user gives up a second factor that is lost; it is told this once, and is good for an
    hour."""
    return _reset(asking, command_id, user, "second-factor")


def _reset(
    asking: Asking, command_id: str | None, user: str, what: Literal["password", "second-factor"]
) -> tuple[Any, dict[str, str | None] | None]:
    from commands.accounts.links import link_of
    from commands.accounts.resets import issue_reset

    result, code = issue_reset(asking.daybook, user, what, command_id=command_id)
    return result, None if code is None else link_of("reset", code, asking.public_url)


def create_token(
    asking: Asking, command_id: str | None, *, name: Text, user: Text | None = None, scope: Scope = "write",
    length: Text = DEFAULT_LENGTH,
) -> tuple[Any, dict[str, str] | None]:  # fmt: skip
    """Create a token, for oneself or for a service account; it is told this once."""
    from commands.accounts.tokens import create_token

    result, token = create_token(
        asking.daybook, name, user=user, scope=scope, length=length, command_id=command_id
    )
    return result, None if token is None else {"token": token}


def revoke_token(asking: Asking, command_id: str | None, *, id: Text) -> Any:  # noqa: A002 - as it is called
    """End a token at once."""
    from commands.accounts.tokens import RevokeToken

    return submitted(asking, RevokeToken, command_id, id=id)


def set_authentication_policy(asking: Asking, command_id: str | None, *, authenticated_only: bool) -> Any:
    """Take commands only of who is authenticated, or of everybody again."""
    from commands.accounts.policy import SetAuthenticationPolicy

    return submitted(asking, SetAuthenticationPolicy, command_id, authenticated_only=authenticated_only)


def set_second_factor_policy(asking: Asking, command_id: str | None, *, role: Role, required: bool) -> Any:
    """Say whether whoever has a role needs a second factor."""
    from commands.accounts.policy import SetSecondFactorPolicy

    return submitted(asking, SetSecondFactorPolicy, command_id, role=role, required=required)


def set_approval_policy(
    asking: Asking, command_id: str | None, *, own_requests: Literal["allow", "refuse"]
) -> Any:
    """Say whether admins may approve their own requests."""
    from commands.requests.closing import SetApprovalPolicy

    return submitted(asking, SetApprovalPolicy, command_id, own_requests=own_requests == "allow")
