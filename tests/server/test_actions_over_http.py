"""What is done over HTTP is what the command line does: the same answers, the same refusals, safely repeated."""

import json
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from commands.accounts.invitations import password_of
from commands.answers.actions import ACTIONS
from commands.answers.receipts import VERBS, result_types
from commands.samples.lab import SampleLab
from ledger import secrets
from tests.cli.conftest import run_cli, write_input_file
from tests.server.conftest import Server

ACTIONS_AT = "/api/v1/actions"
NOT_HERE = {
    "the key is where the ledger is": {"checkpoint"},
    "about a whole ledger, at its machine": {
        "export",
        "import",
        "init",
        "rebuild",
        "archive check",
        "archive create",
        "backup create",
        "backup list",
        "backup check",
        "backup restore",
    },
    "the key of the server is where the server is": {
        "webhook add",
        "webhook list",
        "webhook show",
        "webhook remove",
        "webhook retry",
        "webhook send",
        "mail",
    },
    "its body is a file": {"upload", "validate"},
}
FILE = {"content": "- {task_type: OpenField}", "filename": "tasks.yml"}
# a body of each action, as far as it gets when somebody may not
BODIES: dict[str, dict[str, Any]] = {
    "add-clustering": {"ref": "s9", "location": "N:/x", "curator": "user_1"},
    "add-service-account": {"user": "rig_9"},
    "add-tasks": {"ref": "s9", **FILE},
    "add-value": {"table": "reference.Probe", "value": "npx_9"},
    "amend": {"ref": "s9", **FILE},
    "annotate": {"ref": "s9", "notes": "x"},
    "approve-request": {"ref": "d9"},
    "associate": {"ref": "s9", "association": {"imec0": "npx_9"}},
    "cancel-request": {"ref": "d9"},
    "correct": {"content": "subject: [", "filename": "a.yml", "reason": "x"},
    "create-token": {"name": "x", "user": "rig_9"},
    "disable-user": {"user": "user_2"},
    "enable-user": {"user": "user_2"},
    "erase-person": {"user": "user_2"},
    "invite-user": {"user": "user_9"},
    "revoke-invitation": {"user": "user_9"},
    "reset-password": {"user": "user_2"},
    "reset-second-factor": {"user": "user_2"},
    "set-second-factor-policy": {"role": "admin", "required": True},
    "grant-right": {"user": "rig_1", "right": "work"},
    "grant-role": {"user": "user_3", "role": "admin"},
    "insert-probe": {"subject": "12345", "probe": "npx_9", "insertion_time": "2023-03-01 00:00:00"},
    "load-catalogue": {"content": "{}"},
    "mend-insertion": {"subject": "12345", "probe": "npx_9", "reason": "x", "still_in": True},
    "propose-value": {"table": "reference.Probe", "value": "npx_9"},
    "register-subject": {"name": "999"},
    "reject-request": {"ref": "d9", "reason": "x"},
    "remove-probe": {"subject": "12345", "probe": "npx_9", "removal_time": "2023-03-01 00:00:00"},
    "rename-subject": {"subject": "12345", "new_name": "12354", "reason": "x"},
    "rename-value": {"table": "reference.Probe", "value": "npx_9", "new_value": "npx_8", "reason": "x"},
    "replay": {"ref": "u9"},
    "request-role": {"role": "researcher", "reason": "x"},
    "request-deletion": {"records": ["s9"], "reason": "x"},
    "request-redaction": {"position": 2, "reason": "x"},
    "restore": {"ref": "d9"},
    "retire-value": {"table": "reference.Probe", "value": "npx_9"},
    "revoke-right": {"user": "rig_1", "right": "work"},
    "revoke-role": {"user": "user_1", "role": "admin"},
    "revoke-token": {"id": "k7m2q9x4wd"},
    "set-approval-policy": {"own_requests": "allow"},
    "set-authentication-policy": {"authenticated_only": True},
    "set-person": {"user": "user_2", "name": "x"},
    "settle": {"ref": "s9", "reason": "x", "as_crashed": True},
    "take-back-insertion": {"subject": "12345", "probe": "npx_9", "reason": "x"},
    "take-back-subject": {"subject": "12345", "reason": "x"},
    "take-back-value": {"table": "reference.Probe", "value": "npx_9", "reason": "x"},
    "withdraw": {"records": ["s9"]},
    "work": {},
}


def test_every_command_has_an_action_or_a_reason_why_not() -> None:
    verbs = {action.verb for action in ACTIONS}

    assert verbs | {verb for some in NOT_HERE.values() for verb in some} == set(VERBS)
    assert set(BODIES) == {action.name for action in ACTIONS}


def test_who_may_not_is_refused_by_every_action_and_who_only_reads_too(server: Server) -> None:
    assert run_cli("--db", server.url, "role", "grant", "user_3", "auditor").exit == 0
    auditor, reader = server.as_("user_3"), server.as_("user_1", scope="read")

    refused = {name: auditor.post(f"{ACTIONS_AT}/{name}", json=body) for name, body in BODIES.items()}
    reading = {name: reader.post(f"{ACTIONS_AT}/{name}", json=body) for name, body in BODIES.items()}
    nobody = {name: server.anonymous.post(f"{ACTIONS_AT}/{name}", json=body) for name, body in BODIES.items()}

    told = {name: (response.status_code, response.json().get("code")) for name, response in refused.items()}
    assert told == dict.fromkeys(BODIES, (403, "not-permitted")) | {"request-role": (200, None)}
    told = {name: (response.status_code, response.json().get("code")) for name, response in reading.items()}
    assert told == dict.fromkeys(BODIES, (403, "token-reads-only"))
    assert {response.status_code for response in nobody.values()} == {401}


class Desk:
    """Says what is done, twice under one key: the answer is that of the command's type, and the same again."""

    def __init__(self, client: httpx.Client) -> None:
        self.client, self.done = client, set[str]()

    def do(self, name: str, /, **body: Any) -> Any:
        action = next(action for action in ACTIONS if action.name == name)
        key = {"Idempotency-Key": f"key-{len(self.done)}-{name}"}
        first = self.client.post(f"{ACTIONS_AT}/{name}", json=body, headers=key)
        again = self.client.post(f"{ACTIONS_AT}/{name}", json=body, headers=key)
        assert first.status_code == again.status_code == 200, (name, first.text, again.text)
        answer, repeated = first.json(), again.json()
        assert "secret" not in repeated
        self.secret = answer.pop("secret", None)
        if name not in ("erase-person", "set-person"):  # of which no receipt is kept
            assert repeated == answer, name
        kinds = result_types(action.verb)
        assert any(_fits(kind, answer) for kind in kinds), (name, answer)
        self.done.add(name)
        return answer


def _fits(kind: Any, answer: dict[str, Any]) -> bool:
    try:
        TypeAdapter(kind).validate_python(answer)
    except ValueError:
        return False
    return True


def test_the_life_of_a_lab_over_http(server: Server, sample: SampleLab) -> None:
    write_input_file(sample)
    desk, other = Desk(server.as_("user_1")), Desk(server.as_("user_2"))

    desk.do("load-catalogue", content=(sample.directory / "catalogue.yml").read_text())
    desk.do("add-value", table="reference.Probe", value="npx_777")
    desk.do("register-subject", name="777")
    desk.do("insert-probe", subject="777", probe="npx_777", insertion_time="2023-03-01 00:00:00")
    desk.do("remove-probe", subject="777", probe="npx_777", removal_time="2023-04-01 00:00:00")
    desk.do("add-value", table="reference.ExperimentRoom", value="9.999")
    desk.do("retire-value", table="reference.ExperimentRoom", value="9.999")
    desk.do("register-subject", name="778")
    desk.do("rename-subject", subject="778", new_name="779", reason="a slip")
    desk.do("take-back-subject", subject="779", reason="a slip")
    desk.do("insert-probe", subject="777", probe="npx_777", insertion_time="2023-05-01 00:00:00")
    desk.do(
        "mend-insertion",
        subject="777",
        probe="npx_777",
        insertion_time="2023-05-02 00:00:00",
        reason="a slip",
    )
    desk.do("take-back-insertion", subject="777", probe="npx_777", reason="a slip")
    desk.do("add-value", table="reference.ExperimentRoom", value="1.1")
    desk.do("rename-value", table="reference.ExperimentRoom", value="1.1", new_value="1.2", reason="a slip")
    desk.do("take-back-value", table="reference.ExperimentRoom", value="1.2", reason="a slip")
    desk.do("propose-value", table="reference.ExperimentRoom", value="1.3")
    Desk(server.as_("user_9")).do("request-role", role="auditor", reason="annual report")
    desk.do("grant-role", user="user_2", role="admin")
    desk.do("grant-role", user="user_3", role="auditor")
    desk.do("revoke-role", user="user_3", role="auditor")
    desk.do("set-person", user="user_1", name="A Name")
    desk.do("erase-person", user="user_1")
    invited = desk.do("invite-user", user="user_9", role="auditor", email="user_9@example.org")
    assert desk.secret["code"].startswith("dbi_") and desk.secret["link"].endswith(
        f"/accept/{desk.secret['code']}"
    )
    assert desk.secret["code"] not in str(invited) and "example.org" not in str(invited)
    desk.do("revoke-invitation", user="user_9")
    desk.do("set-second-factor-policy", role="auditor", required=True)
    with server.ledger.database.writing() as transaction:
        secrets.write(transaction, password_of("user_2", "x"))
        factor = secrets.Secret(
            "second-factor/user_2", secrets.SECOND_FACTOR, "user_2", "x", {}, "2026", None
        )
        secrets.write(transaction, factor)
    for what in ("reset-password", "reset-second-factor"):
        desk.do(what, user="user_2")
        assert desk.secret["link"].endswith(f"/reset/{desk.secret['code']}")
    desk.do("add-service-account", user="rig_1")
    desk.do("grant-right", user="rig_1", right="on-behalf-of", of="user_2")
    desk.do("revoke-right", user="rig_1", right="on-behalf-of", of="user_2")
    token = desk.do("create-token", name="rig", user="rig_1", length="1h")
    assert desk.secret["token"].startswith("dbk_") and desk.secret["token"] not in str(token)
    desk.do("revoke-token", id=token["id"])
    desk.do("disable-user", user="rig_1")
    desk.do("enable-user", user="rig_1")
    desk.do("set-authentication-policy", authenticated_only=True)
    desk.do("set-authentication-policy", authenticated_only=False)
    uploaded = run_cli("--db", server.url, "upload", "subject_1.yml", "--json").json
    one, two = (entry["session"] for entry in uploaded["sessions"][:2])
    desk.do("annotate", ref=one, notes="a note")
    desk.do("replay", ref=uploaded["upload"])
    desk.do("work")
    request = desk.do("request-deletion", records=[one], reason="wrong")["request"]
    other.do("approve-request", ref=request)
    desk.do("restore", ref=request)
    desk.do("cancel-request", ref=desk.do("request-deletion", records=[two], reason="wrong")["request"])
    request = desk.do("request-deletion", records=[two], reason="wrong")["request"]
    other.do("reject-request", ref=request, reason="right")
    desk.do("set-approval-policy", own_requests="allow")
    desk.do("request-redaction", position=int(uploaded["upload"][1:]), reason="asked for")
    desk.do("correct", content=(sample.directory / "subject_1.yml").read_text(), filename="subject_1.yml")

    waiting = {
        "amend",
        "add-clustering",
        "add-tasks",
        "associate",
        "settle",
        "withdraw",
    }  # on what waits; refused above
    assert desk.done | other.done | {"request-role"} == set(BODIES) - waiting, "do it here, once"


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("grant-role", {"user": "x"}, 422, "usage"),
        ("grant-role", {"user": "x", "role": "king"}, 422, "usage"),
        ("grant-role", {"user": 1, "role": "admin"}, 422, "usage"),
        ("grant-role", {"user": "x", "role": "admin", "more": 1}, 422, "usage"),
        ("approve-request", {"ref": "s1"}, 422, "usage"),
        ("approve-request", {"ref": "d1", "accept_impact": "yes"}, 422, "usage"),
        ("approve-request", {"ref": "d99999"}, 404, "not-found"),
        (
            "insert-probe",
            {"subject": "1", "probe": "2", "insertion_time": "2023-13-01 00:00:00"},
            422,
            "usage",
        ),
        ("set-person", {"user": "\x00", "name": "x"}, 422, "user-name"),
        ("add-value", {"table": "reference.Nothing", "value": "x"}, 422, "unknown-table"),
        ("nothing", {}, 404, "no-such-address"),
    ],
)
def test_what_is_wrong_is_refused_with_its_code(
    server: Server, name: str, body: dict[str, Any], status: int, code: str
) -> None:
    response = server.as_("user_1").post(f"{ACTIONS_AT}/{name}", json=body)

    assert (response.status_code, response.json()["code"]) == (status, code), response.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"name": "\\ud800"}',
        b'{"\\ud800": 1}',
        b"\xff",
        b"[" * 100_000,
        b"x" * 2_000_000,
    ],
)
def test_rubbish_is_refused_and_nothing_is_recorded(server: Server, body: bytes) -> None:
    client = server.as_("user_1")
    before = client.get("/api/v1/log").json()["position"]

    response = client.post(
        f"{ACTIONS_AT}/register-subject", content=body, headers={"Content-Type": "application/json"}
    )

    assert (
        400 <= response.status_code < 500 and response.headers["content-type"] == "application/problem+json"
    )
    assert json.loads(response.content)["message"]
    assert client.get("/api/v1/log").json()["position"] == before


def test_what_stands_in_the_way_of_a_restoration_is_named(server: Server, sample: SampleLab) -> None:
    write_input_file(sample)
    client = server.as_("user_1")
    for words in (["catalogue", "load", "catalogue.yml"], ["policy", "own-requests", "allow"]):
        assert run_cli("--db", server.url, *words).exit == 0
    uploaded = run_cli("--db", server.url, "upload", "subject_1.yml", "--json").json
    body = {"records": [uploaded["sessions"][0]["session"]], "reason": "x"}
    request = client.post(f"{ACTIONS_AT}/request-deletion", json=body).json()["request"]
    assert client.post(f"{ACTIONS_AT}/approve-request", json={"ref": request}).status_code == 200
    assert run_cli("--db", server.url, "upload", "subject_1.yml").exit == 0

    blocked = client.post(f"{ACTIONS_AT}/restore", json={"ref": request})

    assert blocked.status_code == 422 and blocked.json()["errors"][0]["message"]
