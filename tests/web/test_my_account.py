"""My account: what everybody does to his or her own; what is secret is shown once."""

import re
from html import unescape

import httpx
import pyotp
import pytest

from commands.accounts.policy import SetSecondFactorPolicy
from commands.lab.roles import GrantRole
from ledger import people
from tests.accounts.people import ANOTHER, PASSWORD
from tests.server.test_signing_in import admin
from tests.serving import Server
from tests.web.conftest import Browser, form_of, joined


def command_id(page: httpx.Response) -> str:
    """Of the last form."""
    return form_of(page)["command_id"]


def signs_in(server: Server, password: str) -> int:
    answer = Browser(server).client.post(
        "/sign-in", data={"user": "user_2", "password": password, "next": "/"}
    )
    return answer.status_code


def test_a_password_is_changed_and_this_sign_in_goes_on_while_others_end(server: Server) -> None:
    browser, other = joined(server, "user_2"), Browser(server)
    other.post("/sign-in", user="user_2", password=PASSWORD, next="/")
    typed = {"password": PASSWORD, "new_password": ANOTHER, "again": ANOTHER}

    different = browser.post("/account/password", **(typed | {"again": PASSWORD}))
    weak = browser.post("/account/password", **(typed | {"new_password": "short", "again": "short"}))
    wrong = browser.post("/account/password", **(typed | {"password": "wrong"}))
    done = browser.post("/account/password", **typed)

    assert different.status_code == 422 and "not the same" in different.text
    assert weak.status_code == 422 and "5 characters" in weak.text
    assert wrong.status_code == 401 and "is wrong" in wrong.text
    assert all(
        PASSWORD not in page.text and ANOTHER not in page.text for page in (different, weak, wrong, done)
    )
    assert all('aria-invalid="true"' in page.text for page in (different, weak, wrong))
    assert done.url.path == "/account" and "password is changed" in done.text
    assert browser.get("/account").url.path == "/account" and other.get("/account").url.path == "/sign-in"
    assert (signs_in(server, PASSWORD), signs_in(server, ANOTHER)) == (401, 303)


def test_a_second_factor_is_set_up_by_its_picture_and_shows_recovery_codes_once(server: Server) -> None:
    browser = joined(server, "user_2")

    wrong = browser.post("/account/second-factor", password="wrong")
    picture = browser.post("/account/second-factor", password=PASSWORD)
    key = re.search('<p class="mono">([A-Z2-7 ]+)</p>', picture.text)[1].replace(" ", "")  # type: ignore[index]
    mistyped = browser.post("/account/second-factor/confirmation", code="000000")
    done = browser.post("/account/second-factor/confirmation", code=pyotp.TOTP(key).now())
    codes = re.findall("<li>([a-z0-9]{4}(?:-[a-z0-9]{4}){3})</li>", done.text)

    assert wrong.status_code == 401 and "<svg" not in wrong.text
    assert "<svg" in picture.text and "style=" not in picture.text
    assert mistyped.status_code == 401 and key not in mistyped.text.replace(" ", "")
    assert len(codes) == 10 and "On: signing in takes a code" in browser.get("/account").text
    assert not any(code in browser.get("/account/second-factor").text for code in codes)
    other = Browser(server)
    asked = other.post("/sign-in", user="user_2", password=PASSWORD, next="/")
    assert other.client.post("/sign-in", data={**form_of(asked), "code": codes[3]}).status_code == 303

    kept = browser.post("/account/second-factor/removal", password="wrong")
    gone = browser.post("/account/second-factor/removal", password=PASSWORD)
    assert kept.status_code == 401 and "Off: the password alone" in gone.text


def test_who_needs_a_second_factor_is_led_to_set_one_up_and_then_everything_opens(server: Server) -> None:
    browser = joined(server, "user_2")
    admin(server).submit(SetSecondFactorPolicy(role="researcher", required=True))

    led = browser.get("/sessions")
    assert led.url.path == "/account/second-factor" and "Your role, researcher, needs" in led.text
    assert browser.get("/account").url.path == "/account/second-factor"
    picture = browser.post("/account/second-factor", password=PASSWORD)
    key = re.search('<p class="mono">([A-Z2-7 ]+)</p>', picture.text)[1].replace(" ", "")  # type: ignore[index]
    browser.post("/account/second-factor/confirmation", code=pyotp.TOTP(key).now())

    assert browser.get("/sessions").url.path == "/sessions"
    kept = browser.post("/account/second-factor/removal", password=PASSWORD)
    assert "Set up another in its place" in kept.text and "On: signing in" in browser.get("/account").text


def test_a_token_is_shown_once_and_revoked(server: Server) -> None:
    browser = joined(server, "user_2")
    made = {"name": "rig <3>", "scope": "read", "length": "12h", "command_id": "one-two-three"}

    wrong = browser.post("/account/tokens", **(made | {"length": "soon", "command_id": "x"}))
    told = browser.post("/account/tokens", **made)
    again = browser.post("/account/tokens", **made)
    (token,) = re.findall("dbk_[a-z0-9]{10}_[A-Za-z0-9_-]{43}", told.text)
    listed = browser.get("/account")

    assert (
        wrong.status_code == 422
        and "no length of time" in wrong.text
        and 'value="rig &lt;3&gt;"' in wrong.text
    )
    assert token not in again.text and "is not kept" in again.text
    assert token not in listed.text and "rig &lt;3&gt;" in listed.text
    client = server.client(Authorization=f"Bearer {token}")
    assert client.get("/api/v1/sessions").status_code == 200
    browser.post("/account/tokens/revoke", id=token.split("_")[1], command_id="another")
    assert client.get("/api/v1/sessions").status_code == 401


def test_open_sign_ins_are_listed_and_ended_one_or_all_others(server: Server) -> None:
    browser = joined(server, "user_2")
    others = [Browser(server) for _ in range(3)]
    for other in others:
        other.client.headers["User-Agent"] = "<b>phone</b>"
        other.post("/sign-in", user="user_2", password=PASSWORD, next="/")

    listed = browser.get("/account")
    ids = re.findall(
        'action="/account/sign-ins/end"><input type="hidden" name="id" value="([^"]+)"', listed.text
    )
    browser.post("/account/sign-ins/end", id=ids[0])
    left = [other.get("/account").url.path for other in others]
    browser.post("/account/sign-ins/end-others")

    assert listed.text.count("this one") == 1 and "<b>phone" not in listed.text and len(ids) == 4
    assert sorted(left) == ["/account", "/account", "/sign-in"]
    assert {other.get("/account").url.path for other in others} == {"/sign-in"}
    assert browser.get("/account").url.path == "/account"
    of_another = joined(server, "user_3")
    own = re.findall('name="id" value="([^"]+)"', browser.get("/account").text)
    of_another.post("/account/sign-ins/end", id=own[0])
    assert browser.get("/account").url.path == "/account", "nobody ends the sign-in of somebody else"


def test_times_are_shown_in_the_zone_that_the_account_chose(server: Server) -> None:
    browser, other = joined(server, "user_2"), joined(server, "user_3")

    wrong = browser.post("/account/preferences", zone="Europe/<b>")
    browser.post("/account/preferences", zone="Asia/Kathmandu")
    begun = {each.get("/account").text for each in (browser, other)}

    assert (
        wrong.status_code == 422 and "no time zone" in wrong.text and 'value="Europe/&lt;b&gt;"' in wrong.text
    )
    there, here = (re.search('data-label="Begun"><time datetime="([^"]+)" title="[^"]+ UTC">([^<]+)<', each)
                   for each in sorted(begun, key=lambda page: "user_3" in page))  # fmt: skip
    assert there is not None and here is not None
    minutes = [int(shown[2][-2:]) for shown in (there, here)]
    in_utc = [int(shown[1][14:16]) for shown in (there, here)]
    assert (minutes[0] - in_utc[0]) % 60 == 45 and minutes[1] == in_utc[1]
    assert "Asia/Kathmandu" in browser.get("/account").text
    browser.post("/account/preferences", zone="")
    assert 'name="zone" type="text" value=""' in browser.get("/account").text


def test_a_mail_address_is_noted_in_no_event_and_removed_again(server: Server) -> None:
    browser = joined(server, "user_2")
    admin(server).submit(GrantRole(user="user_2", role="auditor"))
    browser.post("/account/address", email="user_2@example.org")
    shown = browser.get("/account")
    wrong = browser.post("/account/address", email="no address")

    assert 'value="user_2@example.org"' in shown.text
    assert wrong.status_code == 422 and "not an e-mail address" in wrong.text
    browser.post("/account/address", email="")
    with server.ledger.database.reading() as transaction:
        assert people.find(transaction, "user_2") is None


def test_a_role_is_asked_for(server: Server) -> None:
    browser = joined(server, "user_2")

    asked = browser.post("/account/role", role="admin", reason="I keep the rig.", command_id="asking")
    empty = browser.post("/account/role", role="admin", reason="", command_id="another")

    assert "An admin decides" in asked.text and empty.status_code == 422
    (request,) = server.as_("user_1").get("/api/v1/requests").json()["requests"]
    assert request["requested_by"] == "user_2"


@pytest.mark.parametrize("path", ["/account", "/account/second-factor"])
def test_who_is_not_signed_in_sees_nothing_of_it(server: Server, path: str) -> None:
    assert Browser(server).get(path).url.path == "/sign-in"
    assert unescape(Browser(server).get(path).text).count(f'value="{path}"') == 1
