"""Who looks at pages is signed in by a cookie, which nobody else can set or use."""

from tests.accounts.people import ANOTHER, PASSWORD
from tests.serving import Server
from tests.web.conftest import Browser, joined


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
