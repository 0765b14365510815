"""Who has which role, and which account."""

import orjson

from ledger.envelope import StoredEvent
from projections.handlers.record_status import Payload
from projections.records import User, compact_json
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
    user.account, user.owner, user.joined_at = "active", body["owner"], event.recorded_at


def user_invited(state: State, event: StoredEvent, body: Payload) -> None:
    """Of a ledger that was imported, who has joined already is invited again."""
    user = _user(state, event, body["user"])
    user.account, user.invited_until = user.account or "invited", body["until"]


def invitation_revoked(state: State, event: StoredEvent, body: Payload) -> None:
    user = _user(state, event, body["user"])
    user.account, user.invited_until = "" if user.account == "invited" else user.account, None


def user_joined(state: State, event: StoredEvent, body: Payload) -> None:
    """Whoever was granted a role in between keeps it."""
    user = _user(state, event, body["user"])
    user.account, user.invited_until, user.joined_at = "active", None, user.joined_at or event.recorded_at
    if body["role"] and not user.role:
        user.role, user.granted_by, user.granted_at = body["role"], body["invited_by"], event.recorded_at


def second_factor_added(state: State, event: StoredEvent, body: Payload) -> None:
    _user(state, event, body["user"]).second_factor = "on"


def second_factor_removed(state: State, event: StoredEvent, body: Payload) -> None:
    _user(state, event, body["user"]).second_factor = ""


def second_factor_policy_set(state: State, event: StoredEvent, body: Payload) -> None:
    """Everyone's second factor is the roles that take one."""
    everyone = _user(state, event, "everyone")
    roles = {*everyone.second_factor.split()} - {body["role"]} | (
        {body["role"]} if body["required"] else set()
    )
    everyone.second_factor = " ".join(sorted(roles))


def right_granted(state: State, event: StoredEvent, body: Payload) -> None:
    user = _user(state, event, body["user"])
    user.rights = compact_json(sorted({*orjson.loads(user.rights), _right(body)}))


def right_revoked(state: State, event: StoredEvent, body: Payload) -> None:
    user = _user(state, event, body["user"])
    user.rights = compact_json(sorted({*orjson.loads(user.rights)} - {_right(body)}))


def _right(body: Payload) -> str:
    return f"{body['right']} {body['of']}".rstrip()


def user_disabled(state: State, event: StoredEvent, body: Payload) -> None:
    user = _user(state, event, body["user"])
    user.account, user.invited_until = "disabled", None


def user_enabled(state: State, event: StoredEvent, body: Payload) -> None:
    user = _user(state, event, body["user"])
    user.account = "active" if user.joined_at else ""


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
        User(
            name,
            role,
            event.actor,
            event.recorded_at,
            account="",
            owner="",
            invited_until=None,
            joined_at=None,
            second_factor="",
            rights="[]",
        )
    )
