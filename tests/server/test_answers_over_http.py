"""What is asked over HTTP has the answer of the command line, now and then; what is wrong is a problem with its code."""

import json
from pathlib import Path
from typing import Any

import pytest

from commands.answers.questions import QUESTIONS
from commands.samples.lab import SampleLab
from commands.web.app import application
from tests.cli.conftest import run_cli, write_input_file
from tests.server.conftest import Server

API = "/api/v1"


class Stocked:
    """A ledger with an upload, a request and a deletion; the command line and a client of the server on it."""

    def __init__(self, server: Server, sample: SampleLab) -> None:
        self.server, self.client = server, server.as_("user_1")
        self.run("catalogue", "load", "catalogue.yml")
        write_input_file(sample)
        uploaded = self.run("upload", "subject_1.yml")
        self.upload: str = uploaded["upload"]
        self.sessions = [entry["session"] for entry in uploaded["sessions"]]
        self.run("policy", "own-requests", "allow")
        asked = self.run("delete", "request", self.sessions[0], "--reason", "wrong animal")
        self.run("request", "approve", asked["request"])
        self.open = self.run("delete", "request", self.sessions[1], "--reason", "x")["request"]
        self.run("person", "set", "user_1", "--name", "A Name")
        self.run("checkpoint")

    def run(self, *words: str) -> dict[str, Any]:
        ended = run_cli("--db", self.server.url, *words, "--json")
        assert ended.exit in (0, 1), (words, ended.out, ended.err)
        return ended.json


@pytest.fixture
def stocked(server: Server, sample: SampleLab) -> Stocked:
    return Stocked(server, sample)


def asked(stocked: Stocked) -> dict[str, list[tuple[list[str], str, dict[str, Any]]]]:
    """By the question: words of the command line, and the same over HTTP."""
    session, upload, request = stocked.sessions[2], stocked.upload, stocked.open
    location = stocked.run("show", session)["location"]
    return {
        "sessions": [
            (["sessions", "--limit", "2"], "/sessions", {"limit": 2}),
            (["sessions", "--limit", "100", "--status", "inserted", "--missing", "clusterings"], "/sessions",
             {"status": "inserted", "missing": "clusterings"}),
            (["sessions", "--after", session, "--limit", "1"], "/sessions", {"after": session[1:], "limit": 1}),
        ],
        "clusterings": [(["clusterings", "--limit", "5"], "/clusterings", {"limit": 5})],
        "uploads": [(["uploads", "--limit", "5", "--since", "yesterday"], "/uploads", {"limit": 5, "since": "yesterday"})],
        "requests": [
            (["request", "list", "--limit", "5"], "/requests", {"limit": 5}),
            (["request", "list", "--limit", "5", "--all"], "/requests", {"limit": 5, "decided": True}),
        ],
        "record": [(["show", ref], f"/records/{ref}", {}) for ref in (session, upload, request, location)],
        "why": [(["why", request], f"/why/{request}", {})],
        "history": [
            (["history", session], f"/history/{session}", {}),
            (["history", "subject/0/12345"], "/history/subject/0/12345", {}),
            (["history", "subject:12345"], "/history/subject:12345", {}),
            (["history", "user:user_1"], "/history/user:user_1", {}),
        ],
        "blame": [(["blame", session], f"/blame/{session}", {})],
        "log": [(["log", "--limit", "7"], "/log", {"limit": 7})],
        "status": [(["status", "--user", "user_1"], "/status", {"of": "user_1"})],
        "stored-file": [(["cat", upload], f"/files/{upload}", {})],
        "audit": [(["audit", "--by", "authentication"], "/audit", {"by": "authentication"})],
        "diff": [(["diff", "2", "9"], "/diff", {"start": 2, "end": 9}), (["diff", "0"], "/diff", {"start": 0})],
        "what-if": [(["what-if", "--without", upload], "/what-if", {"without": upload})],
        "trace": [(["trace", session], f"/trace/{session}", {})],
        "request": [(["request", "show", request], f"/requests/{request}", {})],
        "verification": [(["verify"], "/verification", {})],
        "checkpoint": [(["checkpoint", "--newest"], "/checkpoint", {})],
        "catalogue": [(["catalogue", "list", "reference.Probe"], "/catalogue", {"table": "reference.Probe"})],
        "subjects": [(["subject", "list"], "/subjects", {})],
        "roles": [(["role", "list"], "/roles", {})],
        "people": [(["person", "list"], "/people", {})],
        "users": [(["user", "list"], "/users", {})],
        "invitations": [(["user", "invitations"], "/invitations", {})],
        "tokens": [(["token", "list"], "/tokens", {})],
        "policies": [(["policy", "list"], "/policies", {})],
        "jobs": [(["jobs"], "/jobs", {}), (["jobs", "--status", "waiting"], "/jobs", {"status": "waiting"})],
    }  # fmt: skip


def test_every_question_has_over_http_the_answer_of_the_command_line(stocked: Stocked) -> None:
    questions = asked(stocked)
    derived = {question.name for question in QUESTIONS if question.path is not None}

    for name, forms in questions.items():
        for words, path, query in forms:
            response = stocked.client.get(API + path, params=query)
            assert response.status_code == 200, (name, response.text)
            own = ("ledger", "settings", "file")  # of the command line alone
            told = {key: value for key, value in stocked.run(*words).items() if key not in own}
            assert response.json() == told, name

    # a proof at a distance is under the newest checkpoint: below
    assert derived == {*questions, "proof", "proof-since", "would-delete", "draft", "verification-of-proof"}


def test_a_proof_at_a_distance_signs_nothing_and_verifies(stocked: Stocked, folder: Path) -> None:
    before = stocked.run("checkpoint", "--newest")["size"]

    proof = stocked.client.get(f"{API}/proofs/{stocked.sessions[0]}")

    assert proof.status_code == 200 and stocked.run("checkpoint", "--newest")["size"] == before
    (folder / "proof.json").write_text(proof.json()["text"])
    assert run_cli("--db", stocked.server.url, "verify", "--receipt", "proof.json").exit == 0


def test_proofs_at_a_distance_are_of_streams_and_positions_and_of_growth(
    stocked: Stocked, folder: Path
) -> None:
    older = stocked.run("checkpoint", "--newest")["checkpoint"]
    stocked.run("annotate", stocked.sessions[2], "--notes", "x")
    stocked.run("checkpoint")

    for number, (path, query) in enumerate((
        ("/proofs/subject/0/12345", {}), ("/proofs/3", {"checkpoint": older}), ("/proof-since", {"checkpoint": older}),
        (f"/proofs/{stocked.upload}", {"or_events": True}),
    )):  # fmt: skip
        proof = stocked.client.get(API + path, params=query)
        assert proof.status_code == 200, proof.text
        (folder / f"{number}.json").write_text(proof.json()["text"])
        assert run_cli("--db", stocked.server.url, "verify", "--receipt", f"{number}.json").exit == 0


def test_the_past_over_http_is_that_of_the_command_line(stocked: Stocked) -> None:
    for moment in ("9", "12"):
        now = stocked.client.get(f"{API}/sessions", params={"as_of": moment, "limit": 100})
        assert now.json() == stocked.run("sessions", "--as-of", moment, "--limit", "100")
        assert "etag" not in now.headers
    assert stocked.client.get(f"{API}/sessions", params={"as_of": "99999"}).status_code == 404


def test_an_answer_that_is_known_is_not_sent_again_until_something_is_added(stocked: Stocked) -> None:
    first = stocked.client.get(f"{API}/sessions")
    again = stocked.client.get(f"{API}/sessions", headers={"If-None-Match": first.headers["etag"]})
    stocked.run("annotate", stocked.sessions[2], "--notes", "x")
    later = stocked.client.get(f"{API}/sessions", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert later.status_code == 200 and later.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/records/s99999", 404, "not-found"),
        ("/requests/s1", 404, "not-found"),
        ("/sessions?limit=0", 422, "usage"),
        ("/sessions?limit=100000", 422, "usage"),
        ("/sessions?status=gone", 422, "usage"),
        ("/sessions?subjct=1", 422, "no-such-parameter"),
        ("/requests?project=x", 422, "no-such-parameter"),
        ("/clusterings?missing=clusterings", 422, "usage"),
        ("/sessions?after=1&before=2", 422, "two-cursors"),
        ("/sessions?since=whenever", 422, "usage"),
        ("/sessions?subject=", 422, "usage"),
        ("/sessions?as_of=tomorrow", 422, "usage"),
        ("/log?type=Nothing", 422, "unknown-type"),
        ("/diff", 422, "usage"),
        ("/diff?start=2&end=1", 422, "order"),
        ("/sessions?token=x", 400, "secret-in-address"),
        ("/nothing", 404, "no-such-address"),
        ("/sessions/", 404, "no-such-address"),
    ],
)
def test_what_is_wrong_is_a_problem_with_a_code(server: Server, path: str, status: int, code: str) -> None:
    response = server.as_("user_1").get(API + path)

    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status and problem["message"] and problem["type"] == f"urn:daybook:{code}"
    assert response.headers["x-request-id"]


def test_a_problem_has_the_code_hint_and_steps_of_the_command_line(server: Server) -> None:
    ended = run_cli("--db", server.url, "show", "s99999", "--json")

    problem = server.as_("user_1").get(f"{API}/records/s99999").json()

    assert ended.json["error"] == {
        name: problem[name] for name in ("code", "message", "hint", "next_steps", "contact")
    }


def test_nobody_is_let_in_without_a_token_that_is_good(server: Server) -> None:
    good = server.token("user_1")
    wrong = [
        "",
        "Bearer",
        "Bearer x",
        "Basic dXNlcjp4",
        f"Bearer {good[:-1]}",
        f"Bearer {good}x",
        f"Token {good}",
    ]

    refused = [server.anonymous.get(f"{API}/sessions", headers={"Authorization": each}) for each in wrong]
    refused.append(server.anonymous.get(f"{API}/sessions"))

    assert {response.status_code for response in refused} == {401}
    assert len({json.dumps(response.json()) for response in refused}) == 1  # nobody learns what was wrong
    assert all("Bearer" in response.headers["www-authenticate"] for response in refused)


def test_a_fault_of_ours_is_an_incident_and_no_traceback(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.as_("user_1")

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("projections.pages.page", fails)
    response = client.get(f"{API}/sessions")

    problem = response.json()
    assert (response.status_code, problem["code"]) == (500, "incident")
    assert problem["incident"] in problem["message"]
    assert "secret" not in response.text and "Zero" not in response.text


def test_no_page_of_a_library_is_served(server: Server) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
        assert server.anonymous.get(path).status_code == 404


def test_health_is_told_to_everybody_and_nothing_else(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.anonymous.get("/healthz").text == "ok\n"
    ready = server.anonymous.get("/readyz")
    assert ready.status_code == 200 and set(ready.json()["checks"]) == {
        "database",
        "schema",
        "projections",
        "disk",
    }

    monkeypatch.setattr("commands.web.health._LEAST_FREE", 1 << 60)
    if server.serving.folder is not None:
        assert server.anonymous.get("/readyz").status_code == 503


def test_metrics_count_by_the_pattern_of_a_path_and_hold_nothing_of_the_ledger(server: Server) -> None:
    client = server.as_("user_1")
    for address in (
        f"{API}/sessions",
        f"{API}/records/s77777",
        "/nothing/secret_name",
        f"{API}/sessions?text=a_text",
    ):
        client.get(address)
    client.request("BREW", "/healthz")

    text = server.anonymous.get("/metrics").text

    assert 'daybook_answers_total{method="GET",path="/records/{ref:path}",status="404"} 1.0' in text
    assert 'path="/sessions",status="200"} 2.0' in text and 'method="other"' in text
    assert "daybook_ledger_position 2.0" in text
    assert not any(word in text for word in ("s77777", "secret_name", "a_text", "user_1", "BREW"))


def test_the_openapi_document_names_every_operation_and_every_schema_in_it_is_there(server: Server) -> None:
    document = server.anonymous.get(f"{API}/openapi.json").json()

    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    for reference in {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
        assert reference in schemas, reference
    assert "$defs" not in text
    for question in QUESTIONS:
        if question.path is not None:
            path = question.path.replace("{ref}", "{ref}")
            assert f"{API}{path}" in document["paths"], path


def test_telemetry_is_off(server: Server) -> None:
    assert not application(server.serving)._native_telemetry.enabled()


def _lacking(schema: dict[str, Any], components: dict[str, Any]) -> bool:
    """Whether a text or a number is asked for, and none is shown."""
    if "$ref" in schema:
        return _lacking(components[schema["$ref"].rpartition("/")[2]], components)
    kinds = [schema, *schema.get("anyOf", ())]
    plain = [each for each in kinds if each.get("type") in ("string", "integer") and "enum" not in each]
    return bool(plain) and not any("examples" in each for each in kinds)


def test_the_openapi_document_has_an_example_for_whatever_is_asked_and_each_error(server: Server) -> None:
    document = server.anonymous.get(f"{API}/openapi.json").json()
    components = document["components"]["schemas"]
    lacking = set()
    for path, methods in document["paths"].items():
        if "/auth/" in path or path.endswith(("/events", "/export")):
            continue
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] != "header" and _lacking(parameter["schema"], components):
                    lacking.add((path, parameter["name"]))
            body = (
                operation.get("requestBody", {})
                .get("content", {})
                .get("application/json", {})
                .get("schema", {})
            )
            if "$ref" in body:
                for name, schema in components[body["$ref"].rpartition("/")[2]]["properties"].items():
                    if _lacking(schema, components):
                        lacking.add((path, name))
            problems = {int(status) for status in operation["responses"] if status >= "400"}
            assert {400, 401, 403, 404, 409, 422, 429, 500, 503} <= problems, path
            for status in problems:
                content = operation["responses"][str(status)]["content"]["application/problem+json"]
                assert content["example"]["status"] == status and content["example"]["code"]

    assert lacking == set()
