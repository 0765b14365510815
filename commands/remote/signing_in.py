"""Come in at a server, and go: by a password, an invitation, a token that is there. Secrets go in bodies, and stay in
no answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from commands.answers.document import json_text
from commands.remote.ledger import API, Remote

if TYPE_CHECKING:
    from commands.answers.accounts import SignedOut, WhoIsIn


def sign_in(remote: Remote, user: str, password: str, code: str | None) -> str:
    """The token that a sign-in gives. ``code`` is one of the second factor. Raises SignInRefused."""
    given = {"user": user, "password": password} | ({} if code is None else {"code": code})
    return _token(remote, "/auth/login", given)


def accept(remote: Remote, code: str, password: str) -> str:
    """The token of whoever joins by the code of an invitation, with the password that is chosen."""
    return _token(remote, "/auth/accept", {"code": code, "password": password})


def sign_out(remote: Remote) -> "SignedOut":
    """Ends the sign-in that the token is of. Raises Refusal (``not-a-sign-in``) for a token that no sign-in made."""
    from commands.answers.accounts import SignedOut

    found: SignedOut = remote.read((SignedOut,), _sent(remote, "/auth/logout", {}))
    return found


def who_is_in(remote: Remote) -> "WhoIsIn":
    """Raises NotSignedIn."""
    from commands.answers.accounts import WhoIsIn

    found: WhoIsIn = remote.read(
        (WhoIsIn,), remote.answered(lambda: remote.connection.get(f"{API}/auth/status"))
    )
    return found


def _token(remote: Remote, path: str, given: Mapping[str, str]) -> str:
    token: str = _sent(remote, path, given).json()["secret"]["token"]
    return token


def _sent(remote: Remote, path: str, given: Mapping[str, str]) -> Any:
    """Once: an attempt to come in is counted."""
    body = json_text(given, indent=False)
    return remote.answered(
        lambda: remote.connection.send("POST", API + path, body=body, kind="application/json", again=False)
    )
