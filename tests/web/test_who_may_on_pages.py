"""Every page and every form, and every role: shown or done, or refused with what is needed and who grants it. Whoever is
not signed in is asked to sign in; and no form is taken from another page than the server's own."""

from collections.abc import Callable
from functools import cache

import httpx
import pytest

from commands.accounts.standing import AddServiceAccount, DisableUser
from commands.accounts.tokens import create_token
from commands.door.permission import Role
from commands.lab.roles import GrantRole, RevokeRole
from tests.accounts.people import ANOTHER, PASSWORD, code_for, joined
from tests.server.test_signing_in import admin
from tests.serving import Server
from tests.web.all_pages import routes
from tests.web.conftest import Browser

ROLES: tuple[Role | None, ...] = ("admin", "researcher", "auditor", None)
USERS = {"admin": "user_4", "researcher": "user_5", "auditor": "user_6", None: "user_7"}
FOR_ANYBODY = {
    "/sign-in", "/sign-in/here", "/sign-in/provider", "/sign-in/provider/return", "/sign-in/done", "/sign-out",
    "/accept/{code}", "/reset/{code}", "/static/style.css",
    "/static/htmx.min.js", "/static/editor.js",
}  # fmt: skip
"""Of whom nobody knows yet who it is."""

FOR_ADMINS = {"/people/outbox"}

#                                admin research audit none
TABLE = """
/account/address                   yes  yes  yes  yes
/account/mail                      yes  yes  yes  yes
/account/password                  yes  yes  yes  yes
/account/preferences               yes  yes  yes  yes
/account/role                      yes  yes  yes  yes
/account/second-factor             yes  yes  yes  yes
/account/second-factor/confirmation yes yes  yes  yes
/account/second-factor/removal     yes  yes  yes  yes
/account/sign-ins/end              yes  yes  yes  yes
/account/sign-ins/end-others       yes  yes  yes  yes
/account/tokens                    yes  yes  yes  yes
/account/tokens/revoke             yes  no   no   no
/compose                           yes  yes  yes  yes
/correct                           yes  yes  yes  yes
/do/{action}                       yes  no   no   no
/ingest                            yes  yes  yes  yes
/ingest/drop                       yes  yes  yes  yes
/ingest/keep                       yes  yes  yes  yes
/ingest/one                        yes  yes  yes  yes
/ingest/open                       yes  yes  yes  yes
/integrity/verify                  yes  yes  yes  yes
/people/invitations/revoke         yes  no   no   no
/people/invite                     yes  no   no   no
/people/policies                   yes  no   no   no
/people/service                    yes  no   no   no
/people/user/disable               yes  no   no   no
/people/user/enable                yes  no   no   no
/people/user/reset-password        yes  no   no   no
/people/user/reset-second-factor   yes  no   no   no
/people/user/right/grant           yes  no   no   no
/people/user/right/revoke          yes  no   no   no
/people/user/role/grant            yes  no   no   no
/people/user/role/revoke           yes  no   no   no
/people/user/sign-ins/end          yes  no   no   no
/people/user/token                 yes  no   no   no
/people/user/token/revoke          yes  no   no   no
/seen                              yes  yes  yes  yes
/wrong-data/delete                 yes  yes  yes  yes
"""
"""Forms, each sent with what concerns somebody else where that can be. ``no`` is a refusal because of who asks; ``yes``
is anything else, also that a field is wrong. Pages that only show are for every role."""

ADDRESSES = {"/people/user": "/people/user?name=user_1", "/do/{action}": "/do/retire-value"}


class Lab:
    """Somebody of each role, signed in; and others, on whom they try."""

    def __init__(self, server: Server) -> None:
        self.server, self.browsers = server, {}
        by = admin(server)
        by.submit(RevokeRole(user="everyone", role="researcher"))
        for role, user in USERS.items():
            joined(by, user, role)
            self.browsers[role] = Browser(server)
            self.browsers[role].post("/sign-in", user=user, password=PASSWORD, next="/account")
        self._made = 0

    def new(self) -> str:
        self._made += 1
        return f"new_{self._made}"

    def somebody(self) -> str:
        user = self.new()
        joined(admin(self.server), user)
        return user

    def service(self) -> str:
        user = self.new()
        admin(self.server).submit(AddServiceAccount(user=user))
        return user

    def token(self) -> str:
        return create_token(admin(self.server), "rig", user=self.service())[0].id

    def invited(self) -> str:
        user = self.new()
        code_for(admin(self.server), user)
        return user

    def disabled(self) -> str:
        user = self.somebody()
        admin(self.server).submit(DisableUser(user=user))
        return user

    def granted(self) -> str:
        user = self.new()
        admin(self.server).submit(GrantRole(user=user, role="researcher"))
        return user


FORMS: dict[str, Callable[[Lab], dict[str, str]]] = {
    "/do/{action}": lambda lab: {"table": "reference.ExperimentRoom", "value": "2.345"},
    "/ingest": lambda lab: {"name": "a.yml", "text": "subject:\n  name: '1'\n"},
    "/ingest/keep": lambda lab: {"name": "a.yml", "text": "subject:\n  name: '1'\n"},
    "/ingest/drop": lambda lab: {"name": "a.yml"},
    "/account/address": lambda lab: {"email": "x@example.org"},
    "/account/password": lambda lab: {"password": "wrong", "new_password": ANOTHER, "again": ANOTHER},
    "/account/preferences": lambda lab: {"zone": "Europe/Oslo"},
    "/account/role": lambda lab: {"role": "researcher", "reason": "I record."},
    "/account/second-factor": lambda lab: {"password": PASSWORD},
    "/account/second-factor/confirmation": lambda lab: {"code": "0"},
    "/account/second-factor/removal": lambda lab: {"password": "wrong"},
    "/account/sign-ins/end": lambda lab: {"id": "none"},
    "/account/tokens": lambda lab: {"name": "rig"},
    "/account/tokens/revoke": lambda lab: {"id": lab.token()},
    "/people/invitations/revoke": lambda lab: {"user": lab.invited()},
    "/people/invite": lambda lab: {"user": lab.new()},
    "/people/policies": lambda lab: {"policy": "own-requests", "own_requests": "allow"},
    "/people/service": lambda lab: {"user": lab.new()},
    "/people/user/disable": lambda lab: {"user": lab.somebody()},
    "/people/user/enable": lambda lab: {"user": lab.disabled()},
    "/people/user/reset-password": lambda lab: {"user": lab.somebody()},
    "/people/user/reset-second-factor": lambda lab: {"user": lab.somebody()},
    "/people/user/right/grant": lambda lab: {"user": lab.service(), "right": "work"},
    "/people/user/right/revoke": lambda lab: {"user": lab.service(), "right": "work"},
    "/people/user/role/grant": lambda lab: {"user": lab.new(), "role": "auditor"},
    "/people/user/role/revoke": lambda lab: {"user": lab.granted(), "role": "researcher"},
    "/people/user/sign-ins/end": lambda lab: {"user": lab.somebody()},
    "/people/user/token": lambda lab: {"user": lab.service(), "name": "rig"},
    "/people/user/token/revoke": lambda lab: {"user": "user_1", "id": lab.token()},
}


@cache
def table() -> dict[str, dict[Role | None, str]]:
    lines = [line.split() for line in TABLE.splitlines() if line]
    return {path: dict(zip(ROLES, cells, strict=True)) for path, *cells in lines}


def _address(path: str) -> str:
    """Of something that is not there, where the address names it."""
    if path in ADDRESSES:
        return ADDRESSES[path]
    parts = ["x" if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


@pytest.fixture
def lab(server: Server) -> Lab:
    return Lab(server)


def test_every_page_is_for_every_role_but_what_is_for_admins(lab: Lab) -> None:
    for path in set(routes(lab.server, "GET")) - FOR_ANYBODY:
        for role, browser in lab.browsers.items():
            answer = _got(browser, _address(path))
            if path in FOR_ADMINS and role != "admin":
                assert answer.status_code == 403, (path, role)
                _assert_tells_what_is_needed_and_who_grants_it(answer, path)
            else:
                assert answer.status_code not in (401, 403, 405, 500), (path, role, answer.status_code)


def _got(browser: Browser, address: str) -> httpx.Response:
    """Without what comes later, of what does not end by itself."""
    with browser.client.stream("GET", address) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
    return answer


def test_every_form_is_taken_or_refused_as_the_table_says(lab: Lab) -> None:
    missing = set(routes(lab.server, "POST")) - FOR_ANYBODY - set(table())
    assert not missing, f"forms that the table does not tell of: {sorted(missing)}"

    for path, cells in table().items():
        for role, expected in cells.items():
            typed = FORMS.get(path, lambda lab: {})(lab)
            answer = lab.browsers[role].client.post(_address(path), data=typed)
            found = "no" if answer.status_code == 403 else "yes"
            assert found == expected and answer.status_code < 500, (
                path,
                role,
                answer.status_code,
                answer.text,
            )
            if found == "no":
                _assert_tells_what_is_needed_and_who_grants_it(answer, path)


def _assert_tells_what_is_needed_and_who_grants_it(answer: httpx.Response, path: str) -> None:
    assert "This needs" in answer.text and "user_1" in answer.text and "can grant it" in answer.text, path


def test_who_is_not_signed_in_is_asked_to_sign_in_everywhere(server: Server) -> None:
    anybody = Browser(server)

    for path in set(routes(server, "GET")) - FOR_ANYBODY:
        shown = _got(anybody, _address(path))
        if (
            shown.status_code == 204
        ):  # what follows the log has nothing for whoever is not signed in, and ends
            assert shown.content == b"" and path == "/live"
            continue
        assert shown.status_code == 303 and shown.headers["location"].startswith("/sign-in?next="), path
    for path in set(routes(server, "POST")) - FOR_ANYBODY:
        asked = anybody.client.post(_address(path), data={"a": "1"})
        assert asked.status_code == 401 and "Sign in again" in asked.text, path


def test_no_form_is_taken_from_another_page(lab: Lab) -> None:
    size = _size(lab.server)
    foreign = (
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, {"Sec-Fetch-Site": "", "Origin": "null"},
    )  # fmt: skip

    for path in routes(lab.server, "POST"):
        for headers in foreign:
            typed = {"user": USERS["admin"], "password": PASSWORD, "command_id": "from-elsewhere"}
            answer = lab.browsers["admin"].client.post(_address(path), data=typed, headers=headers)
            assert answer.status_code == 403 and "from another page" in answer.text, (path, headers)
            assert "set-cookie" not in answer.headers
    bare = lab.server.client()
    bare.cookies.set("daybook", lab.browsers["admin"].client.cookies["daybook"])
    assert bare.post("/people/invite", data={"user": "user_9"}).status_code == 403
    assert _size(lab.server) == size and lab.browsers["admin"].get("/account").url.path == "/account"


def _size(server: Server) -> int:
    with server.ledger.database.reading() as transaction:
        (size,) = transaction.run("SELECT size FROM head").fetchone()
    return int(size)
