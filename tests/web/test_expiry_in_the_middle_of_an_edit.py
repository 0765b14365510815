"""A sign-in that ends while somebody types: asked for in place, and what was typed goes on its way."""

import httpx
import pytest

from commands.accounts.policy import SetSecondFactorPolicy
from tests.accounts.people import ANOTHER, PASSWORD
from tests.accounts.test_second_factor import Telephone, second
from tests.server.test_signing_in import admin
from tests.serving import Server
from tests.web.conftest import Browser, form_of, joined

EDIT = "/account/preferences"
SCRIPT = "<script>alert(1)</script>"


def end_all(server: Server, user: str = "user_2") -> None:
    """As time does: nobody has signed out."""
    with server.ledger.database.writing() as transaction:
        transaction.run(
            "UPDATE secrets SET expires_at = created_at WHERE kind = 'sign-in' AND username = ?", (user,)
        )


def zone_of(server: Server, user: str = "user_2") -> str | None:
    with server.ledger.database.reading() as transaction:
        row = transaction.run(
            "SELECT value FROM preferences WHERE username = ? AND name = 'zone'", (user,)
        ).fetchone()
    return None if row is None else row[0]


def test_what_was_typed_is_kept_and_carried_out_after_the_password(server: Server) -> None:
    browser = joined(server, "user_2")
    end_all(server)

    asked = browser.post(EDIT, zone="Europe/Oslo", other=SCRIPT)
    kept = form_of(asked)

    assert asked.status_code == 401 and 'action="/account/preferences"' in asked.text
    assert kept == {"zone": "Europe/Oslo", "other": SCRIPT, "sign-in.was": "user_2"}
    assert SCRIPT not in asked.text and 'value="user_2"' in asked.text and zone_of(server) is None

    wrong = browser.post(EDIT, **kept, **{"sign-in.user": "user_2", "sign-in.password": ANOTHER})
    assert wrong.status_code == 401 and form_of(wrong) == kept and ANOTHER not in wrong.text
    assert "is wrong" in wrong.text and zone_of(server) is None

    done = browser.post(EDIT, **form_of(wrong), **{"sign-in.user": "user_2", "sign-in.password": PASSWORD})
    assert done.url.path == "/account" and zone_of(server) == "Europe/Oslo"
    assert browser.get("/sessions").url.path == "/sessions"


def test_a_second_factor_is_asked_for_in_place_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    telephone = Telephone(monkeypatch)
    second(admin(server), server.serving.key, telephone)
    telephone.wait(2)
    browser = Browser(server)

    asked = browser.post(EDIT, zone="Europe/Oslo")
    code = browser.post(EDIT, **form_of(asked), **{"sign-in.user": "user_2", "sign-in.password": PASSWORD})
    wrong = browser.post(EDIT, **form_of(code), **{"sign-in.code": "000000"})
    done = browser.post(EDIT, **form_of(wrong), **{"sign-in.code": telephone.shows()})

    assert "Code of your second factor" in code.text and PASSWORD not in code.text
    assert wrong.status_code == 401 and done.url.path == "/account" and zone_of(server) == "Europe/Oslo"


def test_what_one_person_typed_is_not_sent_under_anothers_name(server: Server) -> None:
    browser = joined(server, "user_2")
    joined(server, "user_3")
    end_all(server)
    kept = form_of(browser.post(EDIT, zone="Europe/Oslo"))

    other = browser.post(EDIT, **kept, **{"sign-in.user": "user_3", "sign-in.password": PASSWORD})

    assert other.status_code == 403 and "user_2 has typed this" in other.text
    assert zone_of(server, "user_3") is None and browser.get("/sessions").url.path == "/sign-in"


def test_what_is_secret_in_a_form_is_not_put_into_the_page(server: Server) -> None:
    browser = joined(server, "user_2")
    end_all(server)

    asked = browser.post(
        "/account/password", password=PASSWORD, new_password=ANOTHER, again=ANOTHER, barcode="1"
    )

    assert ANOTHER not in asked.text and PASSWORD not in asked.text and "what is secret in it" in asked.text
    assert form_of(asked) == {"barcode": "1", "sign-in.was": "user_2"}


def test_a_file_that_came_along_is_kept(server: Server) -> None:
    browser = joined(server, "user_2")
    end_all(server)
    content = "subject:\r\n  name: 'Ø'\n".encode()

    asked = browser.client.post(EDIT, data={"zone": "UTC"}, files={"file": ("Ø.yml", content)})
    too_large = browser.client.post(EDIT, files={"file": ("b.yml", b"x" * ((1 << 19) + 1))})

    from starlette.datastructures import FormData

    from commands.web.pages.carrying_on import without_sign_in

    found = without_sign_in(FormData(list(form_of(asked).items())))
    assert (
        found["zone"] == "UTC" and found["file"].filename == "Ø.yml" and found["file"].file.read() == content
    )
    assert "the file b.yml" in too_large.text and len(too_large.content) < 10_000


def test_a_script_gets_a_fragment_and_the_page_stays(server: Server) -> None:
    browser = joined(server, "user_2")
    end_all(server)
    script = {"HX-Request": "true", "HX-Current-URL": f"{server.address}/sessions?subject=1"}

    asked = browser.client.post(EDIT, data={"zone": "Europe/Oslo"}, headers=script)
    shown = browser.client.get("/sessions", headers=script)
    wrong = browser.client.post(
        "/sign-in/here", data={**form_of(asked), "user": "user_2", "password": ANOTHER}, headers=script
    )
    inside = browser.client.post(
        "/sign-in/here", data={**form_of(wrong), "user": "user_2", "password": PASSWORD}, headers=script
    )
    done = browser.client.post(EDIT, data={"zone": "Europe/Oslo"}, headers=script)

    for each in (asked, shown):
        assert each.status_code == 401 and "<html" not in each.text and 'hx-post="/sign-in/here"' in each.text
        assert each.headers["hx-retarget"] == "#said"
    assert form_of(asked)["next"] == "/sessions?subject=1"
    assert wrong.status_code == 401 and "is wrong" in wrong.text and "<html" not in wrong.text
    assert inside.status_code == 200 and "signed in again" in inside.text and "<html" not in inside.text
    assert done.status_code in (200, 303) and zone_of(server) == "Europe/Oslo"


def test_a_form_of_another_page_that_brings_a_password_is_refused(server: Server) -> None:
    joined(server, "user_2")
    foreign = server.client(**{"Sec-Fetch-Site": "cross-site"})

    answer = foreign.post(EDIT, data={"zone": "UTC", "sign-in.user": "user_2", "sign-in.password": PASSWORD})

    assert answer.status_code == 403 and "set-cookie" not in answer.headers and zone_of(server) is None


def test_the_sign_in_of_an_edit_leads_whoever_needs_a_second_factor_to_set_one_up(server: Server) -> None:
    joined(server, "user_2")
    admin(server).submit(SetSecondFactorPolicy(role="researcher", required=True))

    led = _carried_on(Browser(server))

    assert led.url.path == "/account/second-factor" and zone_of(server) is None


def _carried_on(browser: Browser) -> httpx.Response:
    kept = form_of(browser.post(EDIT, user="user_5"))
    return browser.post(EDIT, **kept, **{"sign-in.user": "user_2", "sign-in.password": PASSWORD})
