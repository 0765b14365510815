"""Who may come in, by what, and what was refused. Stream ``user/<name>``, but for what is said otherwise."""

from ledger.events.body import Body


class RoleGranted(Body):
    """``role``: researcher, admin or auditor. A user has one role: the latest. ``user`` may be "everyone"."""

    user: str
    role: str


class RoleRevoked(Body):
    """The user is left with the role of everyone, if that has one."""

    user: str
    role: str


class ActionRefused(Body):
    """Somebody tried what he or she may not do. ``record`` is a reference such as s12, or empty."""

    action: str
    record: str
    role: str
    needed: str


class ServiceAccountAdded(Body):
    """An account for a rig or a script, which signs in with tokens alone. ``owner`` answers for it."""

    user: str
    owner: str


class RightGranted(Body):
    """What a service account may do besides its role. ``right`` is work (on anybody's entries; ``of`` is empty) or
    on-behalf-of (the user ``of``)."""

    user: str
    right: str
    of: str


class RightRevoked(Body):
    user: str
    right: str
    of: str


class UserDisabled(Body):
    """The account's sign-ins, tokens and invitations end; its records stay."""

    user: str


class UserEnabled(Body):
    user: str


class UserInvited(Body):
    """``role`` is what the user gets by joining, unless he or she has one by then; empty: none. ``until`` is the time
    that the invitation expires."""

    user: str
    role: str
    until: str


class InvitationRevoked(Body):
    user: str


class UserJoined(Body):
    """The user has chosen a password. ``role`` and ``invited_by`` are those of the invitation."""

    user: str
    role: str
    invited_by: str


class ResetIssued(Body):
    """A link was made by which the user gets in again. ``what`` is password or second-factor, ``until`` the time that
    it expires."""

    user: str
    what: str
    until: str


class PasswordChanged(Body):
    """``by_reset``: by the link of a reset, by which all sign-ins of the user ended."""

    user: str
    by_reset: bool


class SecondFactorAdded(Body):
    user: str


class SecondFactorRemoved(Body):
    """``by_reset``: by the link of a reset, by which all sign-ins of the user ended."""

    user: str
    by_reset: bool


class SignInsFailed(Body):
    """On the stream ``ledger``: so many attempts failed within an hour that no more are taken. ``of`` is an account,
    whose user is named, a name that nobody has, or an address; neither of these stands in an event.
    """

    of: str
    user: str
    failures: int


class TokenIssued(Body):
    """``token`` is its public id, never the secret. ``scope``: read or write. ``until`` is the time that it expires."""

    user: str
    token: str
    name: str
    scope: str
    until: str


class TokenRevoked(Body):
    user: str
    token: str


class WebhookAdded(Body):
    """``host`` is where events are sent from then on; the rest of the address may be a secret, and stands beside the
    accounts. ``since`` is the position behind which it begins."""

    user: str
    webhook: str
    host: str
    since: int


class WebhookRemoved(Body):
    user: str
    webhook: str
