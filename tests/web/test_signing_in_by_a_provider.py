"""OpenID Connect, against a small provider that the test starts: out to it, and back, with PKCE. Who has an account comes
in; nobody is made by surprise, and what another browser began is worth nothing here."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from commands.accounts.standing import AddServiceAccount, DisableUser
from commands.door.settings import ProviderSettings
from tests.accounts.people import code_for
from tests.server.test_signing_in import admin
from tests.serving import Server
from tests.web.conftest import Browser, form_of, joined
from tests.web.test_expiry_in_the_middle_of_an_edit import EDIT, end_all, zone_of

KEY = RSAKey.generate_key(2048, parameters={"kid": "one"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "one"})


class Provider:
    """Signs in whoever ``user`` is. ``claims`` go over what it says; ``key`` signs it."""

    def __init__(self) -> None:
        self.user, self.key = "user_2", KEY
        self.claims: dict[str, Any] = {}
        self.asked: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(provider.got(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._answer(provider.token({name: values[0] for name, values in parse_qs(body).items()}))

            def _answer(self, found: dict[str, Any]) -> None:
                text = json.dumps(found).encode()
                self.send_response(400 if "error" in found else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def got(self, path: str) -> dict[str, Any]:
        if path == "/keys":
            return {"keys": [KEY.as_dict(private=False)]}
        assert path == "/.well-known/openid-configuration", path
        return {
            "issuer": self.address, "authorization_endpoint": f"{self.address}/in",
            "token_endpoint": f"{self.address}/token", "jwks_uri": f"{self.address}/keys",
        }  # fmt: skip

    def approves(self, place: str) -> dict[str, str]:
        """What the browser brings back, once the user has signed in there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, sent: dict[str, str]) -> dict[str, Any]:
        asked = self.asked.pop(sent["code"], None)
        digest = sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["code_challenge_method"] != "S256":
            return {"error": "invalid_grant"}
        said = {
            "iss": self.address, "aud": "daybook", "sub": "1", "exp": int(time.time()) + 300, "iat": int(time.time()),
            "nonce": asked["nonce"], "preferred_username": self.user,
        }  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": "one"}, said | self.claims, self.key)
        return {"access_token": "a", "token_type": "Bearer", "id_token": token}


@pytest.fixture
def provider(server: Server) -> Iterator[Provider]:
    made = Provider()
    settings = ProviderSettings("the university", made.address, "daybook", "preferred_username")
    server.serving.settings = replace(server.serving.settings, provider=settings)
    yield made
    made.stop()


def out(browser: Browser, back: str = "/account") -> str:
    answer = browser.client.get("/sign-in/provider", params={"next": back})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def through(browser: Browser, provider: Provider, back: str = "/account") -> httpx.Response:
    return browser.get(f"/sign-in/provider/return?{urlencode(provider.approves(out(browser, back)))}")


def test_who_has_an_account_comes_in_and_the_events_say_by_what(server: Server, provider: Provider) -> None:
    joined(server, "user_2")
    browser = Browser(server)

    offered = browser.get("/sign-in?next=/sessions")
    inside = through(browser, provider, "/sessions?subject=1")
    browser.post("/account/role", role="auditor", reason="I read.", command_id="one")

    assert "Sign in with the university" in offered.text
    assert inside.url.path == "/sessions" and inside.url.query == b"subject=1"
    assert '<td data-label="By">oidc</td>' in browser.get("/account").text
    event = server.as_("user_1").get("/api/v1/log").json()["events"][-2]
    assert (event["actor"], event["via"]["authentication"]) == ("user_2", "oidc")


@pytest.mark.parametrize("who", ["nobody", "disabled", "service", "invited", "User_2"])
def test_nobody_comes_in_by_surprise(server: Server, provider: Provider, who: str) -> None:
    joined(server, "user_2")
    provider.user = "user_2" if who == "disabled" else who
    if who == "disabled":
        admin(server).submit(DisableUser(user="user_2"))
    elif who == "service":
        admin(server).submit(AddServiceAccount(user=who))
    elif who == "invited":
        code_for(admin(server), who)
    before = server.as_("user_1").get("/api/v1/users").json()["users"]
    browser = Browser(server)

    refused = through(browser, provider)

    assert "has no account here" in refused.text and browser.get("/account").url.path == "/sign-in"
    assert [one["user"] for one in server.as_("user_1").get("/api/v1/users").json()["users"]] == [
        one["user"] for one in before
    ]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"nonce": "another"}, {"exp": 1}, {"exp": None},
        {"preferred_username": None}, {"preferred_username": ["user_2"]},
    ],
)  # fmt: skip
def test_what_is_not_said_for_this_sign_in_lets_nobody_in(
    server: Server, provider: Provider, claims: dict[str, Any]
) -> None:
    joined(server, "user_2")
    provider.claims = claims
    browser = Browser(server)

    refused = through(browser, provider)

    assert "did not work" in refused.text and browser.get("/account").url.path == "/sign-in"


def test_what_another_key_signed_lets_nobody_in(server: Server, provider: Provider) -> None:
    joined(server, "user_2")
    provider.key = OTHER
    browser = Browser(server)

    assert "did not work" in through(browser, provider).text
    assert browser.get("/account").url.path == "/sign-in"


def test_what_another_browser_began_or_is_brought_twice_is_worth_nothing(
    server: Server, provider: Provider
) -> None:
    joined(server, "user_2")
    thief, victim = Browser(server), Browser(server)
    brought = urlencode(provider.approves(out(thief)))

    without = victim.get(f"/sign-in/provider/return?{brought}")
    out(victim)
    with_its_own = victim.get(f"/sign-in/provider/return?{brought}")
    first = thief.get(f"/sign-in/provider/return?{brought}")
    again = thief.get(f"/sign-in/provider/return?{brought}")

    assert "not begun in this browser" in without.text and "not begun in this browser" in with_its_own.text
    assert victim.get("/account").url.path == "/sign-in"
    assert first.url.path == "/account" and "not begun in this browser" in again.text


def test_a_mail_address_counts_where_the_provider_has_verified_it(server: Server, provider: Provider) -> None:
    settings = server.serving.settings
    assert settings.provider is not None
    server.serving.settings = replace(settings, provider=replace(settings.provider, claim="email"))
    joined(server, "user_2@example.org")

    for verified, path in (
        (False, "/sign-in/provider/return"),
        ("true", "/sign-in/provider/return"),
        (True, "/account"),
    ):
        provider.claims = {"email": "user_2@example.org", "email_verified": verified}
        assert through(Browser(server), provider).url.path == path, verified


def test_a_provider_that_is_away_or_refuses_is_said_and_passwords_go_on(
    server: Server, provider: Provider
) -> None:
    joined(server, "user_2")
    browser = Browser(server)
    state = parse_qs(urlsplit(out(browser)).query)["state"][0]

    refused = browser.get(f"/sign-in/provider/return?{urlencode({'error': 'access_denied', 'state': state})}")
    settings = server.serving.settings
    assert settings.provider is not None
    away = replace(settings.provider, issuer="http://127.0.0.1:1")
    server.serving.settings = replace(settings, provider=away)
    gone = browser.get("/sign-in/provider")

    assert "did not let you in" in refused.text and 'name="password"' in refused.text
    assert "cannot be reached" in gone.text
    server.serving.settings = replace(settings, provider=None)
    assert browser.get("/sign-in/provider").status_code == 404


def test_an_edit_goes_on_after_a_sign_in_at_the_provider_in_another_tab(
    server: Server, provider: Provider
) -> None:
    browser = joined(server, "user_2")
    joined(server, "user_3")
    end_all(server)

    asked = browser.post(EDIT, zone="Europe/Oslo")
    too_early = browser.post(EDIT, **form_of(asked), **{"sign-in.user": "", "sign-in.by": "provider"})
    provider.user = "user_3"
    other = through(browser, provider, "/sign-in/done")
    of_another = browser.post(EDIT, **form_of(asked), **{"sign-in.user": "", "sign-in.by": "provider"})
    provider.user = "user_2"
    through(browser, provider, "/sign-in/done")
    done = browser.post(EDIT, **form_of(asked), **{"sign-in.user": "", "sign-in.by": "provider"})

    assert too_early.status_code == 401 and "Go back to where you were" in other.text
    assert of_another.status_code == 403 and zone_of(server, "user_3") is None
    assert done.url.path == "/account" and zone_of(server) == "Europe/Oslo"
