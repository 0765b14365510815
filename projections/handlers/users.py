"""Who has which role."""

from ledger.envelope import StoredEvent
from projections.handlers.record_status import Payload
from projections.records import User
from projections.rows import State


def ledger_created(state: State, event: StoredEvent, _body: Payload) -> None:
    """Whoever made the ledger is its first admin; everybody else may upload until an admin says otherwise."""
    state.users.add(User(event.actor, "admin", event.actor, event.recorded_at))
    state.users.add(User("everyone", "researcher", event.actor, event.recorded_at))


def role_granted(state: State, event: StoredEvent, body: Payload) -> None:
    _set_role(state, event, body["user"], body["role"])


def role_revoked(state: State, event: StoredEvent, body: Payload) -> None:
    _set_role(state, event, body["user"], "")


def _set_role(state: State, event: StoredEvent, name: str, role: str) -> None:
    if state.users.get(name) is None:
        state.users.add(User(name, role, event.actor, event.recorded_at))
    else:
        user = state.users.change(name)
        user.role, user.granted_by, user.granted_at = role, event.actor, event.recorded_at
