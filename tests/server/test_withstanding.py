"""What signing in withstands: who guesses, who listens, who forges where he comes from, who kept what he had."""

import logging
from pathlib import Path

import pytest

from commands.accounts import passwords
from commands.accounts.attempts import OF_ADDRESS
from commands.accounts.passwords import HASHER
from commands.door.logs import OneLine
from commands.lab.roles import GrantRole, RevokeRole
from tests.accounts.people import PASSWORD, code_for
from tests.cli.conftest import run_cli
from tests.ledger.writing import is_sqlite
from tests.server.conftest import Server
from tests.server.test_signing_in import AUTH, admin


def joins(server: Server, user: str = "user_2") -> str:
    body = {"code": code_for(admin(server), user), "password": PASSWORD}
    token: str = server.anonymous.post(f"{AUTH}/accept", json=body).json()["secret"]["token"]
    return token


def test_a_known_and_an_unknown_user_cost_one_check_with_the_same_parameters(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    joins(server)
    checked: list[str] = []

    class Counting:
        def hash(self, password: bytes) -> str:
            return HASHER.hash(password)

        def verify(self, kept: str, password: bytes) -> bool:
            checked.append(kept.rpartition("$")[0].rpartition("$")[0])
            return HASHER.verify(kept, password)

    with server.ledger.database.writing() as transaction:
        kept = HASHER.hash(PASSWORD)
        transaction.run("UPDATE secrets SET digest = ? WHERE kind = 'password'", (kept,))
    monkeypatch.setattr(passwords, "HASHER", Counting())

    for user in ("user_2", "user_9"):
        server.anonymous.post(f"{AUTH}/login", json={"user": user, "password": "wrong"})

    assert len(checked) == 2 and len(set(checked)) == 1 and "argon2id" in checked[0]


def test_a_role_that_is_given_or_taken_holds_at_once_for_who_is_signed_in(server: Server) -> None:
    client = server.client(Authorization=f"Bearer {joins(server)}")
    grant = ("/api/v1/actions/add-value", {"table": "reference.Probe", "value": "npx_1"})
    assert client.post(grant[0], json=grant[1]).status_code == 403

    admin(server).submit(GrantRole(user="user_2", role="admin"))
    assert client.post(grant[0], json=grant[1]).status_code == 200

    admin(server).submit(RevokeRole(user="user_2", role="admin"))
    assert client.post("/api/v1/actions/grant-role", json={"user": "x", "role": "admin"}).status_code == 403


def test_a_header_of_a_proxy_that_was_not_named_is_not_believed(server: Server) -> None:
    """Else whoever guesses would be somebody else each time."""
    for number in range(OF_ADDRESS):
        forged = {
            "X-Forwarded-For": f"192.0.2.{number}",
            "X-Real-IP": f"192.0.2.{number}",
            "Forwarded": "for=192.0.2.1",
        }
        body = {"user": f"somebody {number}", "password": "wrong"}
        assert server.anonymous.post(f"{AUTH}/login", json=body, headers=forged).status_code == 401

    refused = server.anonymous.post(
        f"{AUTH}/login", json={"user": "x", "password": "y"}, headers={"X-Forwarded-For": "198.51.100.1"}
    )

    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-attempts")
    assert int(refused.headers["retry-after"]) > 3000 and "minutes" in refused.json()["hint"]


def test_no_secret_stands_in_database_log_or_export(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="daybook")
    code = code_for(admin(server), "user_2")
    used = [code, PASSWORD]
    accepted = server.anonymous.post(f"{AUTH}/accept", json={"code": code, "password": PASSWORD})
    used.append(accepted.json()["secret"]["token"])
    server.anonymous.get(f"/accept/{code}")
    client = server.client(Authorization=f"Bearer {used[-1]}")
    used.append(client.post("/api/v1/actions/create-token", json={"name": "x"}).json()["secret"]["token"])
    told = client.post(f"{AUTH}/second-factor", json={"password": PASSWORD}).json()["secret"]
    used.append(told["secret"])
    reset = server.as_("user_1").post("/api/v1/actions/reset-password", json={"user": "user_2"}).json()
    used.append(reset["secret"]["code"])
    server.anonymous.post(f"{AUTH}/login", json={"user": "wrong field 1", "password": "another wrong one"})
    used += ["wrong field 1", "another wrong one"]
    parts = [secret.split("_", 2)[-1] for secret in used]
    exported = tmp_path / "log.jsonl"
    assert run_cli("--db", server.url, "export", str(exported)).exit == 0

    with server.ledger.database.reading() as transaction:
        for table in ("events", "receipts", "secrets", "sign_in_failures", "people"):
            rows = str(transaction.run(f"SELECT * FROM {table}").fetchall())
            assert [part for part in parts if part in rows] == [], table
    logged = "\n".join(OneLine().format(record) for record in caplog.records)
    assert "answered" in logged and [part for part in parts if part in logged] == []
    assert [part for part in parts if part in exported.read_text()] == []
    if is_sqlite(server.url):
        for file in tmp_path.glob("daybook.db*"):
            content = file.read_bytes()
            assert [part for part in parts if part.encode() in content] == [], file
