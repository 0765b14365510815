"""Who has which role, and which account."""

from ledger.envelope import StoredEvent
from projections.handlers.record_status import Payload
from projections.records import User
from projections.rows import State


def ledger_created(state: State, event: StoredEvent, _body: Payload) -> None:
    """Who made the ledger is its first admin. Everybody else may upload until an admin says otherwise."""
    _add(state, event, event.actor, "admin")
    _add(state, event, "everyone", "researcher")


def role_granted(state: State, event: StoredEvent, body: Payload) -> None:
    _set_role(state, event, body["user"], body["role"])


def role_revoked(state: State, event: StoredEvent, body: Payload) -> None:
    _set_role(state, event, body["user"], "")


def _set_role(state: State, event: StoredEvent, name: str, role: str) -> None:
    if state.users.get(name) is None:
        _add(state, event, name, role)
    else:
        user = state.users.change(name)
        user.role, user.granted_by, user.granted_at = role, event.actor, event.recorded_at


def service_added(state: State, event: StoredEvent, body: Payload) -> None:
    user = _user(state, event, body["user"])
    user.account, user.owner = "active", body["owner"]


def user_disabled(state: State, event: StoredEvent, body: Payload) -> None:
    _user(state, event, body["user"]).account = "disabled"


def user_enabled(state: State, event: StoredEvent, body: Payload) -> None:
    _user(state, event, body["user"]).account = "active"


def authentication_policy_set(state: State, event: StoredEvent, body: Payload) -> None:
    """The account of everyone is "required" where the ledger takes no command without authentication."""
    _user(state, event, "everyone").account = "required" if body["required"] else ""


def _user(state: State, event: StoredEvent, name: str) -> User:
    """The row, to be changed."""
    if state.users.get(name) is None:
        _add(state, event, name, "")
    return state.users.change(name)


def _add(state: State, event: StoredEvent, name: str, role: str) -> None:
    state.users.add(
        User(name, role, event.actor, event.recorded_at, account="", owner="", invited_until=None)
    )
