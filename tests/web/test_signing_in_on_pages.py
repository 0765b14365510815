"""Who looks at pages is signed in by a cookie, which nobody else can set or use."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.accounts.own import SignInLine, change_password, sign_ins
from commands.accounts.policy import SetSecondFactorPolicy
from commands.accounts.standing import DisableUser
from commands.accounts.times import before_now
from commands.door.actor import SECOND_FACTOR
from commands.lab.roles import GrantRole
from tests.accounts.people import ANOTHER, HERE, PASSWORD, code_for, signed_in
from tests.accounts.test_second_factor import Telephone, second
from tests.server.test_signing_in import admin
from tests.serving import Server
from tests.web.conftest import Browser, form_of, joined


def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(server: Server) -> None:
    joined(server, "user_2")
    browser = Browser(server)

    shown = browser.get("/sessions?subject=12345")
    signed = browser.post("/sign-in", user="user_2", password=PASSWORD, next="/sessions?subject=12345")

    assert shown.url.path == "/sign-in" and 'value="/sessions?subject=12345"' in shown.text
    assert signed.url.path == "/sessions" and signed.url.query == b"subject=12345"
    assert "user_2" in signed.text and "Nothing matches: subject 12345" in signed.text


def test_a_wrong_password_is_said_at_its_field_and_what_was_typed_stays(server: Server) -> None:
    joined(server, "user_2")

    wrong = Browser(server).post("/sign-in", user="user_2", password=ANOTHER, next="/")

    assert wrong.status_code == 401 and "User name or password is wrong" in wrong.text
    assert 'value="user_2"' in wrong.text and ANOTHER not in wrong.text


def test_a_sign_in_leads_to_no_other_server(server: Server) -> None:
    joined(server, "user_2")
    browser = Browser(server)

    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\r\nX: y"):
        answer = browser.client.post(
            "/sign-in", data={"user": "user_2", "password": PASSWORD, "next": elsewhere}
        )
        assert answer.headers["location"] == "/", elsewhere


def test_who_signed_out_is_out(server: Server) -> None:
    browser = joined(server, "user_2")
    kept = browser.client.cookies["daybook"]

    assert browser.get("/sessions").url.path == "/sessions"
    browser.post("/sign-out")
    browser.client.cookies.set("daybook", kept)

    assert browser.get("/sessions").url.path == "/sign-in"


def test_a_cookie_is_no_bearer_token_and_the_other_way_round(server: Server) -> None:
    browser = joined(server, "user_2")
    cookie = browser.client.cookies["daybook"]
    bearer = server.anonymous.post(
        "/api/v1/auth/login", json={"user": "user_2", "password": PASSWORD}
    ).json()["secret"]["token"]

    assert server.client(Authorization=f"Bearer {cookie}").get("/api/v1/sessions").status_code == 401
    assert browser.client.get("/api/v1/sessions").status_code == 401
    other = Browser(server)
    other.client.cookies.set("daybook", bearer)
    assert other.get("/sessions").url.path == "/sign-in"


def test_an_invitation_signs_in_whoever_accepts_it(server: Server) -> None:
    browser = Browser(server)

    inside = browser.post(f"/accept/{code_for(admin(server), 'user_2')}", password=PASSWORD, again=PASSWORD)

    assert inside.url.path == "/" and browser.get("/sessions").url.path == "/sessions"


def test_a_second_factor_is_asked_for_in_a_second_step_without_the_password(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephone = Telephone(monkeypatch)
    codes = second(admin(server), server.serving.key, telephone)
    telephone.wait(2)
    browser = Browser(server)

    asked = browser.post("/sign-in", user="user_2", password=PASSWORD, next="/sessions?subject=1")
    half = form_of(asked)
    wrong = browser.post("/sign-in", **half, code="000000")
    inside = browser.post("/sign-in", **form_of(wrong), code=telephone.shows())

    assert "second factor" in asked.text and PASSWORD not in asked.text and not asked.history
    assert wrong.status_code == 401 and "code is wrong" in wrong.text
    assert inside.url.path == "/sessions" and inside.url.query == b"subject=1"
    other = Browser(server)
    again = other.post("/sign-in", **half, code=telephone.shows())
    assert again.status_code == 422 and 'name="password"' in again.text, "a step that was used is used"
    asked = other.post("/sign-in", user="user_2", password=PASSWORD, next="/")
    assert other.post("/sign-in", **form_of(asked), code=codes[0]).url.path == "/"
    assert SECOND_FACTOR in [one.authentication for one in signed_in_as(server, "user_2")]


def test_a_code_that_was_used_signs_nobody_in_a_second_time(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephone = Telephone(monkeypatch)
    second(admin(server), server.serving.key, telephone)
    telephone.wait(2)
    first, thief = Browser(server), Browser(server)
    of_first = form_of(first.post("/sign-in", user="user_2", password=PASSWORD, next="/"))
    of_thief = form_of(thief.post("/sign-in", user="user_2", password=PASSWORD, next="/"))

    assert first.post("/sign-in", **of_first, code=telephone.shows()).url.path == "/"
    replayed = thief.post("/sign-in", **of_thief, code=telephone.shows())

    assert replayed.status_code == 401 and thief.get("/sessions").url.path == "/sign-in"


@pytest.mark.parametrize("change", ["disabled", "password", "late"])
def test_half_a_sign_in_ends_with_what_it_rests_on(
    server: Server, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    telephone = Telephone(monkeypatch)
    second(admin(server), server.serving.key, telephone)
    telephone.wait(2)
    browser = Browser(server)
    half = form_of(browser.post("/sign-in", user="user_2", password=PASSWORD, next="/"))

    if change == "disabled":
        admin(server).submit(DisableUser(user="user_2"))
    elif change == "password":
        change_password(signed_in(admin(server), "user_2"), PASSWORD, ANOTHER, HERE)
    else:
        with server.ledger.database.writing() as transaction:
            transaction.run("UPDATE secrets SET expires_at = created_at WHERE kind = 'half-sign-in'")
    refused = browser.post("/sign-in", **half, code=telephone.shows())

    assert refused.status_code == 422 and browser.get("/sessions").url.path == "/sign-in"


def test_ten_wrong_codes_are_as_many_as_ten_wrong_passwords(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephone = Telephone(monkeypatch)
    second(admin(server), server.serving.key, telephone)
    telephone.wait(2)
    browser = Browser(server)
    half = form_of(browser.post("/sign-in", user="user_2", password=PASSWORD, next="/"))

    answers = [browser.post("/sign-in", **half, code="000000").status_code for _ in range(11)]
    too_many = browser.post("/sign-in", **half, code=telephone.shows())

    assert answers == [401] * 10 + [429]
    assert too_many.status_code == 429 and too_many.headers["retry-after"] and "Wait" in too_many.text


def test_a_known_and_an_unknown_user_get_the_same_page(server: Server) -> None:
    joined(server, "user_2")
    admin(server).submit(GrantRole(user="user_3", role="auditor"))

    pages = [
        Browser(server).post("/sign-in", user=user, password="wrong", next="/")
        for user in ("user_2", "user_3", "user_9")
    ]

    same = {
        page.text.replace(user, "X") for page, user in zip(pages, ("user_2", "user_3", "user_9"), strict=True)
    }
    assert len(same) == 1 and {page.status_code for page in pages} == {401}


def test_a_sign_in_that_somebody_put_into_the_browser_is_worth_nothing_afterwards(server: Server) -> None:
    of_thief = joined(server, "user_3").client.cookies["daybook"]
    joined(server, "user_2")
    victim = Browser(server)
    victim.client.cookies.set("daybook", of_thief)

    answer = victim.client.post("/sign-in", data={"user": "user_2", "password": PASSWORD, "next": "/"})

    (begun,) = re.findall("daybook=([^;]+)", answer.headers["set-cookie"])
    assert begun != of_thief
    thief = Browser(server)
    thief.client.cookies.set("daybook", of_thief)
    assert thief.get("/sessions").url.path == "/sign-in"


@pytest.mark.parametrize("public_url", [None, "https://daybook.example.org"])
def test_what_a_browser_is_told_about_the_cookie(server: Server, public_url: str | None) -> None:
    code = code_for(admin(server), "user_2")
    server.serving.settings = replace(server.serving.settings, public_url=public_url)
    origin = {"Origin": public_url} if public_url else {"Sec-Fetch-Site": "same-origin"}

    told = (
        server.client(**origin)
        .post(f"/accept/{code}", data={"password": PASSWORD, "again": PASSWORD})
        .headers["set-cookie"]
    )

    name, *attributes = (part.strip() for part in told.split(";"))
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=604800"} <= set(attributes)
    assert not any(each.startswith("Domain") for each in attributes)
    assert ("Secure" in attributes) == name.startswith("__Host-daybook=") == (public_url is not None)


def test_a_sign_in_in_a_cookie_ends_after_twelve_idle_hours(server: Server) -> None:
    browser, idle = joined(server, "user_2"), joined(server, "user_3")
    for user, hours in (("user_2", 11), ("user_3", 13)):
        with server.ledger.database.writing() as transaction:
            transaction.run(
                "UPDATE secrets SET created_at = ?, used_at = ? WHERE kind = 'sign-in' AND username = ?",
                (before_now(timedelta(hours=hours)), before_now(timedelta(hours=hours)), user),
            )

    assert browser.get("/sessions").url.path == "/sessions"
    assert idle.get("/sessions").url.path == "/sign-in"


def test_a_role_that_is_given_or_an_account_that_is_disabled_counts_at_once(server: Server) -> None:
    browser = joined(server, "user_2")

    admin(server).submit(SetSecondFactorPolicy(role="researcher", required=True))
    led = browser.client.get("/sessions")
    admin(server).submit(SetSecondFactorPolicy(role="researcher", required=False))
    assert browser.client.get("/sessions").status_code == 200
    admin(server).submit(DisableUser(user="user_2"))

    assert (led.status_code, led.headers["location"]) == (303, "/account/second-factor")
    assert browser.get("/sessions").url.path == "/sign-in"


def test_no_page_believes_a_proxy_that_was_not_named(server: Server) -> None:
    joined(server, "user_2")
    browser = Browser(server)
    lies = {
        "X-Forwarded-For": "198.51.100.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
    }
    browser.client.headers.update(lies | {"Forwarded": "for=198.51.100.1;host=evil.example"})

    answer = browser.client.post("/sign-in", data={"user": "user_2", "password": PASSWORD, "next": "/"})
    wrong = browser.post("/sign-in", user="user_2", password=ANOTHER, next="/")

    assert answer.headers["location"] == "/" and "evil" not in wrong.text
    with server.ledger.database.reading() as transaction:
        rows = transaction.run("SELECT who FROM sign_in_failures").fetchall()
    assert "address 198.51.100.1" not in {row[0] for row in rows}
    elsewhere = server.client(Origin="https://evil.example", **{"X-Forwarded-Host": "evil.example"})
    assert elsewhere.post("/sign-in", data={"user": "user_2", "password": PASSWORD}).status_code == 403


def signed_in_as(server: Server, user: str) -> list[SignInLine]:
    with signed_in(admin(server), user).reading() as world:
        return sign_ins(world).sign_ins


def test_a_page_that_is_not_there_is_said_on_a_page(server: Server) -> None:
    browser = server.client(Accept="text/html,*/*")

    shown, api = browser.get("/nowhere"), browser.get("/api/v1/nowhere")
    plain = server.anonymous.get("/nowhere")

    assert shown.status_code == 404 and "There is no page at this address." in shown.text
    assert shown.headers["content-type"].startswith("text/html") and 'href="/"' in shown.text
    assert api.json()["code"] == plain.json()["code"] == "no-such-address"
