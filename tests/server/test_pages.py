"""Pages behind links: an invitation is accepted, a password and a second factor are reset, by plain forms."""

import re

import httpx
import pyotp

from commands.accounts.invitations import RevokeInvitation
from commands.accounts.resets import issue_reset
from tests.accounts.people import ANOTHER, PASSWORD, code_for
from tests.server.conftest import Server
from tests.server.test_signing_in import AUTH, admin

OWN = {"Sec-Fetch-Site": "same-origin"}
TYPED = {"password": PASSWORD, "again": PASSWORD}


def sent(server: Server, path: str, data: dict[str, str], **headers: str) -> httpx.Response:
    return server.anonymous.post(path, data=data, headers=headers or OWN)


def test_an_invitation_is_accepted_on_its_page(server: Server) -> None:
    path = f"/accept/{code_for(admin(server), 'user_2')}"

    shown = server.anonymous.get(path)
    different = sent(server, path, {"password": PASSWORD, "again": ANOTHER})
    weak = sent(server, path, {"password": "short", "again": "short"})
    done = sent(server, path, TYPED)
    again = server.anonymous.get(path)

    assert shown.status_code == 200 and "user_2" in shown.text and "<script" not in shown.text
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "style=" not in shown.text
    assert shown.headers["referrer-policy"] == "no-referrer" and shown.headers["cache-control"] == "no-store"
    assert different.status_code == 422 and "not the same" in different.text
    assert weak.status_code == 422 and "5 characters" in weak.text
    assert (
        done.status_code == 303
        and done.headers["location"] == "/"
        and "daybook=" in done.headers["set-cookie"]
    )
    assert again.status_code == 404 and "used already" in again.text and "<form" not in again.text
    assert not any(PASSWORD in page.text for page in (different, weak, done))
    assert (
        server.anonymous.post(f"{AUTH}/login", json={"user": "user_2", "password": PASSWORD}).status_code
        == 200
    )
    assert server.anonymous.get("/static/style.css").headers["content-type"].startswith("text/css")


def test_a_form_that_another_page_sends_is_refused(server: Server) -> None:
    path = f"/accept/{code_for(admin(server), 'user_2')}"

    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"X-None": "x"}):
        assert sent(server, path, TYPED, **headers).status_code == 403, headers

    assert sent(server, path, TYPED, Origin=server.address).status_code == 303


def test_a_code_that_is_good_no_more_is_said_on_the_page(server: Server) -> None:
    path = f"/accept/{code_for(admin(server), 'user_2')}"
    admin(server).submit(RevokeInvitation(user="user_2"))

    assert "was revoked" in server.anonymous.get(path).text
    assert "was revoked" in sent(server, path, TYPED).text
    unknown = server.anonymous.get("/accept/<b>")
    assert unknown.status_code == 404 and "<b>" not in unknown.text


def test_a_password_is_reset_on_its_page(server: Server) -> None:
    sent(server, f"/accept/{code_for(admin(server), 'user_2')}", TYPED)
    _, code = issue_reset(admin(server), "user_2", "password")

    done = sent(server, f"/reset/{code}", {"password": ANOTHER, "again": ANOTHER})

    assert "all sign-ins have ended" in done.text
    assert "used already" in sent(server, f"/reset/{code}", TYPED).text
    assert (
        server.anonymous.post(f"{AUTH}/login", json={"user": "user_2", "password": ANOTHER}).status_code
        == 200
    )


def test_a_second_factor_is_set_up_over_http_and_given_up_on_its_page(server: Server) -> None:
    sent(server, f"/accept/{code_for(admin(server), 'user_2')}", TYPED)
    body = {"user": "user_2", "password": PASSWORD}
    token = server.anonymous.post(f"{AUTH}/login", json=body).json()["secret"]["token"]
    client = server.client(Authorization=f"Bearer {token}")

    assert client.post(f"{AUTH}/second-factor", json={"password": "wrong"}).status_code == 401
    told = client.post(f"{AUTH}/second-factor", json={"password": PASSWORD}).json()["secret"]
    code = pyotp.TOTP(told["secret"]).now()
    codes = client.post(f"{AUTH}/second-factor/confirmation", json={"code": code}).json()["secret"]

    assert told["svg"].startswith("<svg") and len(codes["recovery_codes"]) == 10
    assert client.get(f"{AUTH}/status").status_code == 401
    asked = server.anonymous.post(f"{AUTH}/login", json=body)
    assert asked.json()["code"] == "second-factor-needed"
    inside = server.anonymous.post(f"{AUTH}/login", json=body | {"code": codes["recovery_codes"][0]})
    assert inside.json()["authentication"] == "second-factor"
    by_token = server.as_("user_2").post(f"{AUTH}/second-factor", json={"password": PASSWORD})
    assert (by_token.status_code, by_token.json()["code"]) == (403, "not-a-sign-in")

    _, link = issue_reset(admin(server), "user_2", "second-factor")
    wrong = sent(server, f"/reset/{link}", {"password": "wrong"})
    assert wrong.status_code == 401 and re.search("is wrong", wrong.text)
    assert "was reset" in sent(server, f"/reset/{link}", {"password": PASSWORD}).text
    assert server.anonymous.post(f"{AUTH}/login", json=body).status_code == 200
