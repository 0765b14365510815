"""People: admins invite, disable, reset, grant; what they make is shown to them once."""

import re

from commands.accounts.standing import AddServiceAccount
from tests.accounts.people import ANOTHER, PASSWORD, code_for
from tests.server.test_signing_in import admin
from tests.serving import Server
from tests.web.conftest import OWN, Browser, joined


def an_admin(server: Server) -> Browser:
    return joined(server, "user_1")


def link_in(text: str) -> str:
    """The path of a link that is shown."""
    (found,) = re.findall(r"https?://[^/]+(/(?:accept|reset)/\w+[\w-]*)", text)
    return str(found)


def test_somebody_is_invited_by_a_link_that_is_shown_once_and_joins(server: Server) -> None:
    browser = an_admin(server)
    typed = {"user": "user_2", "role": "auditor", "email": "u2@example.org", "command_id": "inviting"}

    told = browser.post("/people/invite", **typed)
    again = browser.post("/people/invite", **typed)
    listed = browser.get("/people/invitations")
    inside = Browser(server)
    inside.post(link_in(told.text), password=PASSWORD, again=PASSWORD)

    assert "as auditor" in told.text and "shown this once" in told.text
    assert "dbi_" not in again.text and "is not kept" in again.text
    assert "user_2" in listed.text and "open" in listed.text and "dbi_" not in listed.text
    assert "· auditor" in inside.get("/account").text
    assert "No invitation is open" in browser.get("/people/invitations").text


def test_a_name_that_cannot_be_invited_is_said_at_its_field_and_the_rest_stays(server: Server) -> None:
    browser = an_admin(server)
    joined(server, "user_2")

    there = browser.post("/people/invite", user="user_2", email="u2@example.org", command_id="a")
    alike = browser.post("/people/invite", user="User_2", command_id="b")
    address = browser.post("/people/invite", user="user_3", email="nonsense", command_id="c")

    assert (
        there.status_code == 422
        and "has joined already" in there.text
        and 'value="u2@example.org"' in there.text
    )
    assert alike.status_code == 422 and "looks like" in alike.text
    assert (
        address.status_code == 422
        and 'value="user_3"' in address.text
        and "not an e-mail address" in address.text
    )


def test_an_expired_and_a_revoked_invitation_are_told_apart_and_invited_anew(server: Server) -> None:
    browser = an_admin(server)
    code = code_for(admin(server), "user_2")
    with server.ledger.database.writing() as transaction:
        transaction.run("UPDATE secrets SET expires_at = created_at WHERE kind = 'invitation'")

    assert "expired" in browser.get("/people/invitations").text
    told = browser.post("/people/invite", user="user_2", command_id="anew")
    assert "replaced by a newer one" in server.anonymous.get(f"/accept/{code}").text
    revoked = browser.post("/people/invitations/revoke", user="user_2", command_id="no")

    assert "is revoked" in revoked.text
    assert "was revoked" in server.anonymous.get(link_in(told.text)).text


def test_who_was_disabled_is_out_and_an_open_invitation_of_a_disabled_user_lets_nobody_in(
    server: Server,
) -> None:
    browser, other = an_admin(server), joined(server, "user_2")
    code = code_for(admin(server), "user_3", "researcher")

    said = browser.post("/people/user/disable", user="user_2", command_id="d1")
    browser.post("/people/user/disable", user="user_3", command_id="d2")

    assert "disabled" in said.text and other.get("/account").url.path == "/sign-in"
    shown = server.anonymous.get(f"/accept/{code}")
    sent = server.anonymous.post(
        f"/accept/{code}", data={"password": PASSWORD, "again": PASSWORD}, headers=OWN
    )
    assert shown.status_code == sent.status_code == 404 and "account was disabled" in sent.text
    refused = browser.post("/people/invite", user="user_3", command_id="again")
    assert refused.status_code in (403, 422) and "is disabled" in refused.text
    browser.post("/people/user/enable", user="user_2", command_id="e")
    assert (
        Browser(server).post("/sign-in", user="user_2", password=PASSWORD, next="/account").url.path
        == "/account"
    )
    own = browser.post("/people/user/disable", user="user_1", command_id="o")
    assert own.status_code == 422 and "acts under" in own.text


def test_a_reset_link_is_shown_to_the_admin_and_good_once(server: Server) -> None:
    browser = an_admin(server)
    other = joined(server, "user_2")

    told = browser.post("/people/user/reset-password", user="user_2", command_id="reset")
    again = browser.post("/people/user/reset-password", user="user_2", command_id="reset")
    path = link_in(told.text)
    someone = Browser(server)
    done = someone.post(path, password=ANOTHER, again=ANOTHER)
    second = someone.post(path, password=PASSWORD, again=PASSWORD)

    assert "dbr_" not in again.text and "Sign in again" in done.text
    assert second.status_code == 404 and "used already" in second.text
    assert other.get("/account").url.path == "/sign-in"
    assert someone.post("/sign-in", user="user_2", password=ANOTHER, next="/account").url.path == "/account"


def test_roles_are_granted_and_revoked_and_the_last_admin_stays(server: Server) -> None:
    browser = an_admin(server)
    joined(server, "user_2")

    granted = browser.post("/people/user/role/grant", user="user_2", role="admin", command_id="g")
    revoked = browser.post("/people/user/role/revoke", user="user_2", role="admin", command_id="r")
    last = browser.post("/people/user/role/revoke", user="user_1", role="admin", command_id="l")

    assert "role is granted" in granted.text and "role is revoked" in revoked.text
    assert last.status_code == 422 and "last admin" in last.text


def test_a_service_account_gets_an_owner_rights_and_a_token(server: Server) -> None:
    browser, owner = an_admin(server), joined(server, "user_2")

    added = browser.post("/people/service", user="rig", owner="user_2", command_id="s")
    browser.post("/people/user/right/grant", user="rig", right="work", command_id="w")
    wrong = browser.post(
        "/people/user/right/grant", user="rig", right="on-behalf-of", of="rig", command_id="x"
    )
    browser.post("/people/user/right/grant", user="rig", right="on-behalf-of", of="user_2", command_id="y")
    of_owner = owner.get("/people/user?name=rig")
    told = owner.post(
        "/people/user/token", user="rig", name="at the rig", scope="write", length="30d", command_id="t"
    )

    assert "user_2" in added.text and wrong.status_code == 422 and "on behalf of rig" in wrong.text
    assert "on-behalf-of user_2, work" in browser.get("/people/user?name=rig").text
    assert "Create a token for it" in of_owner.text and "What you may not" in of_owner.text
    (token,) = re.findall("dbk_[a-z0-9]{10}_[A-Za-z0-9_-]{43}", told.text)
    assert server.client(Authorization=f"Bearer {token}").get("/api/v1/auth/status").json()["user"] == "rig"
    browser.post("/people/user/right/revoke", user="rig", right="on-behalf-of", of="user_2", command_id="z")
    assert "on-behalf-of user_2" not in browser.get("/people/user?name=rig").text


def test_an_admin_sees_where_somebody_is_signed_in_and_ends_it_and_nobody_else_does(server: Server) -> None:
    browser, other = an_admin(server), joined(server, "user_2")
    other.client.headers["User-Agent"] = "left at the desk"
    other.post("/sign-in", user="user_2", password=PASSWORD, next="/account")

    seen = browser.get("/people/user?name=user_2")
    not_seen = other.get("/people/user?name=user_1")
    ended = browser.post("/people/user/sign-ins/end", user="user_2", command_id="e")

    assert "left at the desk" in seen.text and "signed in" not in not_seen.text
    assert "have ended" in ended.text and other.get("/account").url.path == "/sign-in"


def test_policies_are_shown_to_all_and_set_by_admins(server: Server) -> None:
    browser = an_admin(server)

    browser.post("/people/policies", policy="own-requests", own_requests="allow", command_id="a")
    browser.post("/people/policies", policy="second-factor", role="auditor", required="yes", command_id="b")
    shown = browser.get("/people/policies").text

    assert (
        "may approve what they requested themselves" in shown and shown.count("Needed: a password alone") == 1
    )
    other = joined(server, "user_2").get("/people/policies")
    assert "What you may not" in other.text and '<form method="post" action="/people' not in other.text


def test_what_was_typed_into_names_is_shown_and_not_run(server: Server) -> None:
    browser = an_admin(server)
    name = '<script>alert(1)</script>"&'
    admin(server).submit(AddServiceAccount(user=name))

    listed, shown = browser.get("/people"), browser.client.get("/people/user", params={"name": name})

    assert shown.status_code == 200
    assert all(
        "<script>alert" not in page.text and "&lt;script&gt;alert(1)" in page.text for page in (listed, shown)
    )
