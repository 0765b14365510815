"""In over HTTP: by an invitation, by a password; who is in, and out again."""

import pytest

from commands.accounts.invitations import RevokeInvitation
from commands.accounts.policy import SetSecondFactorPolicy
from commands.accounts.standing import DisableUser
from commands.door.actor import Actor
from commands.door.submit import Daybook
from tests.accounts.people import ANOTHER, PASSWORD, code_for
from tests.accounts.test_second_factor import Telephone, second
from tests.server.conftest import Server

AUTH = "/api/v1/auth"


def admin(server: Server) -> Daybook:
    return Daybook(server.ledger, Actor("user_1"))


def test_invited_accepted_signed_in_and_known(server: Server) -> None:
    code = code_for(admin(server), "user_2", "researcher")

    accepted = server.anonymous.post(f"{AUTH}/accept", json={"code": code, "password": PASSWORD})
    again = server.anonymous.post(f"{AUTH}/login", json={"user": "user_2", "password": PASSWORD})

    assert accepted.status_code == again.status_code == 200, (accepted.text, again.text)
    assert set(again.json()) == {"ok", "position", "id", "user", "authentication", "until", "secret"}
    client = server.client(Authorization=f"Bearer {again.json()['secret']['token']}")
    status = client.get(f"{AUTH}/status").json()
    assert (
        status["user"] == "user_2"
        and status["authentication"] == "password"
        and status["role"] == "researcher"
    )
    assert (status["id"], status["until"]) == (again.json()["id"], again.json()["until"])
    done = client.post("/api/v1/actions/register-subject", json={"name": "12345"})
    assert done.status_code == 200
    event = client.get("/api/v1/log").json()["events"][-1]
    assert (event["actor"], event["via"]["authentication"]) == ("user_2", "password")

    out = client.post(f"{AUTH}/logout")

    assert out.json()["ok"] and out.json()["user"] == "user_2"
    assert client.get(f"{AUTH}/status").status_code == client.post(f"{AUTH}/logout").status_code == 401


def test_a_token_is_told_apart_from_a_sign_in(server: Server) -> None:
    client = server.as_("user_1", scope="read")

    status = client.get(f"{AUTH}/status").json()

    assert (status["authentication"], status["name"], status["scope"]) == ("token", "a test", "read")
    assert client.post(f"{AUTH}/logout").json()["code"] == "not-a-sign-in"


def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(server: Server) -> None:
    server.anonymous.post(
        f"{AUTH}/accept", json={"code": code_for(admin(server), "user_2"), "password": PASSWORD}
    )

    answers = [
        server.anonymous.post(f"{AUTH}/login", json={"user": user, "password": "wrong"})
        for user in ("user_2", "user_9", "user_1")
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1 and answers[0].json()["code"] == "wrong-credentials"


def test_a_disabled_user_is_out_at_once_and_told_so_only_with_the_password(server: Server) -> None:
    accepted = server.anonymous.post(
        f"{AUTH}/accept", json={"code": code_for(admin(server), "user_2"), "password": PASSWORD}
    )
    client = server.client(Authorization=f"Bearer {accepted.json()['secret']['token']}")
    admin(server).submit(DisableUser(user="user_2"))

    assert client.get(f"{AUTH}/status").status_code == 401
    right = server.anonymous.post(f"{AUTH}/login", json={"user": "user_2", "password": PASSWORD})
    wrong = server.anonymous.post(f"{AUTH}/login", json={"user": "user_2", "password": "wrong"})
    assert (right.status_code, right.json()["code"]) == (403, "account-disabled")
    assert wrong.json()["code"] == "wrong-credentials"


def test_a_code_that_is_good_no_more_is_refused_with_why(server: Server) -> None:
    code = code_for(admin(server), "user_2")
    admin(server).submit(RevokeInvitation(user="user_2"))

    refused = server.anonymous.post(f"{AUTH}/accept", json={"code": code, "password": PASSWORD})
    unknown = server.anonymous.post(f"{AUTH}/accept", json={"code": "x", "password": PASSWORD})

    assert (refused.status_code, refused.json()["code"]) == (422, "invitation-ended")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no-such-invitation")


def test_no_secret_is_taken_from_an_address(server: Server) -> None:
    token = server.token("user_1")

    for address in (
        f"{AUTH}/status?token={token}",
        f"/api/v1/sessions?code={token}",
        f"{AUTH}/status?password=x",
    ):
        refused = server.anonymous.get(address)
        assert (refused.status_code, refused.json()["code"]) == (400, "secret-in-address")
    assert (
        server.anonymous.post(f"{AUTH}/login?password=x", json={"user": "a", "password": "b"}).status_code
        == 400
    )


def test_a_second_factor_is_asked_for_and_a_link_gets_in_without(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephone = Telephone(monkeypatch)
    second(admin(server), server.serving.key, telephone)
    telephone.wait(2)
    body = {"user": "user_2", "password": PASSWORD}

    asked = server.anonymous.post(f"{AUTH}/login", json=body)
    assert (asked.status_code, asked.json()["code"]) == (401, "second-factor-needed")
    wrong = server.anonymous.post(f"{AUTH}/login", json=body | {"code": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong-code")
    inside = server.anonymous.post(f"{AUTH}/login", json=body | {"code": telephone.shows()})
    assert inside.json()["authentication"] == "second-factor"

    code = server.as_("user_1").post("/api/v1/actions/reset-second-factor", json={"user": "user_2"})
    code = code.json()["secret"]["code"]
    done = server.anonymous.post(f"{AUTH}/reset", json={"code": code, "password": PASSWORD})
    assert (done.json()["what"], done.json()["sign_ins"]) == ("second-factor", 1)
    assert server.anonymous.post(f"{AUTH}/login", json=body).json()["authentication"] == "password"
    again = server.anonymous.post(f"{AUTH}/reset", json={"code": code, "password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (422, "link-ended")


def test_who_needs_a_second_factor_and_has_none_may_ask_who_he_is_and_nothing_else(server: Server) -> None:
    accepted = server.anonymous.post(
        f"{AUTH}/accept", json={"code": code_for(admin(server), "user_2"), "password": PASSWORD}
    )
    client = server.client(Authorization=f"Bearer {accepted.json()['secret']['token']}")
    assert client.get("/api/v1/sessions").status_code == 200
    admin(server).submit(SetSecondFactorPolicy(role="researcher", required=True))

    for refused in (
        client.get("/api/v1/sessions"), client.post("/api/v1/actions/register-subject", json={"name": "1"}),
    ):  # fmt: skip
        assert (refused.status_code, refused.json()["code"]) == (403, "second-factor-required")
    assert client.get(f"{AUTH}/status").json()["user"] == "user_2"
    assert client.post(f"{AUTH}/logout").status_code == 200


def test_a_password_is_changed_by_who_knows_it_and_sign_ins_are_seen_and_ended(server: Server) -> None:
    body = {"code": code_for(admin(server), "user_2"), "password": PASSWORD}
    first = server.anonymous.post(f"{AUTH}/accept", json=body).json()
    login = {"user": "user_2", "password": PASSWORD}
    second = server.anonymous.post(f"{AUTH}/login", json=login).json()
    client = server.client(Authorization=f"Bearer {second['secret']['token']}")

    seen = client.get(f"{AUTH}/sign-ins").json()["sign_ins"]
    assert [one["id"] for one in seen] == [first["id"], second["id"]]
    assert client.delete(f"{AUTH}/sign-ins/{first['id']}").json()["id"] == first["id"]
    assert client.delete(f"{AUTH}/sign-ins/{first['id']}").json()["code"] == "no-such-sign-in"
    other = server.as_("user_1").delete(f"{AUTH}/sign-ins/{second['id']}")
    assert (other.status_code, other.json()["code"]) == (403, "not-a-sign-in")

    wrong = client.post(f"{AUTH}/password", json={"password": "wrong", "new_password": ANOTHER})
    weak = client.post(f"{AUTH}/password", json={"password": PASSWORD, "new_password": "short"})
    done = client.post(f"{AUTH}/password", json={"password": PASSWORD, "new_password": ANOTHER})
    assert (wrong.status_code, weak.status_code, done.json()["sign_ins"]) == (401, 422, 1)
    assert client.get(f"{AUTH}/status").status_code == 401
    assert server.anonymous.post(f"{AUTH}/login", json=login).status_code == 401
    assert server.anonymous.post(f"{AUTH}/login", json=login | {"password": ANOTHER}).status_code == 200
