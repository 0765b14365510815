"""Input files over HTTP: accepted at once, processed by the server, followed to the end; bounded while they arrive."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from commands.inputfile.limits import Limits
from commands.samples.lab import SampleLab
from commands.web import working
from tests.cli.conftest import run_cli, write_input_file
from tests.patience import PATIENCE_S
from tests.server.conftest import Server

UPLOADS = "/api/v1/uploads"


@pytest.fixture
def data(server: Server, sample: SampleLab) -> bytes:
    assert run_cli("--db", server.url, "catalogue", "load", "catalogue.yml").exit == 0
    return write_input_file(sample).read_bytes()


def followed(client: httpx.Client, address: str) -> dict[str, object]:
    for _ in range(10):
        response = client.get(address, params={"wait": 20})
        if response.status_code == 200:
            found: dict[str, object] = response.json()
            return found
    raise AssertionError("it never ended")


def test_an_upload_is_accepted_then_processed_and_ends_as_that_of_the_command_line(
    server: Server, data: bytes
) -> None:
    client = server.as_("user_1")

    accepted = client.post(UPLOADS, params={"filename": "subject_1.yml"}, content=data)
    ended = followed(client, accepted.headers["location"])

    assert accepted.status_code == 202
    assert [session["outcome"] for session in ended["sessions"]] == ["inserted"] * 3  # type: ignore[index,attr-defined]
    again = run_cli("--db", server.url, "upload", "subject_1.yml", "--json").json
    assert [session["outcome"] for session in again["sessions"]] == ["duplicate"] * 3
    assert set(ended) == set(again)
    events = run_cli("--db", server.url, "log", "--limit", "0", "--json").json["events"]
    inserted = [event["via"] for event in events if event["type"] == "SessionInserted"]
    assert {(via["interface"], via["authentication"], len(via["token"])) for via in inserted} == {
        ("api", "token", 10)
    }


def test_a_report_is_202_while_the_upload_is_processed_even_where_nothing_of_it_is_new(
    server: Server, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, held = server.as_("user_1"), Event()

    def go_on(*given: Any, **options: Any) -> None:
        assert held.wait(PATIENCE_S)
        real(*given, **options)

    real = working.go_on
    monkeypatch.setattr(working, "go_on", go_on)

    for outcome in ("pending", "duplicate"):
        held.clear()
        address = client.post(UPLOADS, content=data).headers["location"]
        begun = client.get(address)
        held.set()
        followed(client, address)

        assert begun.status_code == 202
        assert {session["outcome"] for session in begun.json()["sessions"]} == {outcome}


def test_multipart_is_the_same_as_raw_bytes(server: Server, data: bytes) -> None:
    client = server.as_("user_1")

    accepted = client.post(UPLOADS, files={"file": ("subject_1.yml", data)})

    assert accepted.status_code == 202 and accepted.json()["filename"] == "subject_1.yml"
    followed(client, accepted.headers["location"])
    raw = client.post(UPLOADS, params={"filename": "subject_1.yml"}, content=data)
    assert [session["outcome"] for session in raw.json()["sessions"]] == ["duplicate"] * 3


def test_a_key_repeats_safely_and_only_for_the_same_file(server: Server, data: bytes) -> None:
    client, key = server.as_("user_1"), {"Idempotency-Key": "once"}

    first = client.post(UPLOADS, content=data, headers=key)
    followed(client, first.headers["location"])
    again = client.post(UPLOADS, content=data, headers=key)
    other = client.post(UPLOADS, content=data + b"\n", headers=key)

    assert again.json()["upload"] == first.json()["upload"] and again.status_code == 202
    assert (other.status_code, other.json()["code"]) == (409, "command-id-reused")
    assert (
        client.post(UPLOADS, content=data, headers={"Idempotency-Key": "a b"}).json()["code"] == "command-id"
    )


def test_a_file_with_findings_is_refused_with_all_of_them(server: Server, data: bytes) -> None:
    client = server.as_("user_1")
    wrong = data.replace(b"12345", b"99999", 1)

    response = client.post(UPLOADS, content=wrong, params={"filename": "wrong.yml"})
    checked = client.post("/api/v1/validations", content=wrong, params={"filename": "wrong.yml"})

    assert response.status_code == 422 and response.json()["ok"] is False
    assert response.json()["findings"][0]["code"] == "unknown-subject"
    assert checked.status_code == 200 and checked.json()["findings"] == response.json()["findings"]


def test_who_may_not_upload_is_told_so_and_a_token_that_reads_reads(server: Server, data: bytes) -> None:
    assert run_cli("--db", server.url, "role", "grant", "user_3", "auditor").exit == 0

    auditor = server.as_("user_3").post(UPLOADS, content=data)
    reader = server.as_("user_1", scope="read")
    reads_only = reader.post(UPLOADS, content=data)

    assert (auditor.status_code, auditor.json()["code"]) == (403, "not-permitted")
    assert (reads_only.status_code, reads_only.json()["code"]) == (403, "token-reads-only")
    assert reader.get("/api/v1/sessions").status_code == 200
    assert reader.post("/api/v1/validations", content=data).status_code == 200


@pytest.fixture
def small(ledger_url: str, tmp_path: Path) -> Iterator[Server]:
    server = Server(ledger_url, tmp_path, limits=Limits(input_file_bytes=1000))
    yield server
    server.close()


def test_a_body_beyond_the_limit_is_refused_while_it_arrives(small: Server) -> None:
    client, sent = small.as_("user_1"), 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 10_000
            yield b"x" * 10_000

    response = client.post(UPLOADS, content=endless())

    assert (response.status_code, response.json()["code"]) == (413, "too-large")
    for just in (
        client.post(UPLOADS, content=b"x" * 1001),
        client.post(UPLOADS, files={"file": ("a", b"x" * 1001)}),
    ):
        assert (just.status_code, just.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nrubbish", 422),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
            422,
        ),
        ("application/x-www-form-urlencoded", b"a=b", 415),
    ],
)
def test_a_broken_form_is_refused(server: Server, content_type: str, body: bytes, status: int) -> None:
    response = server.as_("user_1").post(UPLOADS, content=body, headers={"Content-Type": content_type})

    assert (
        response.status_code in (status, 422)
        and response.headers["content-type"] == "application/problem+json"
    )


def test_what_was_open_when_the_server_ended_goes_on_under_whoever_brought_it(
    ledger_url: str, tmp_path: Path, sample: SampleLab
) -> None:
    assert run_cli("--db", ledger_url, "catalogue", "load", "catalogue.yml").exit == 0
    data = write_input_file(sample).read_bytes()
    idle = Server(ledger_url, tmp_path, work=False)
    address = idle.as_("user_2").post(UPLOADS, content=data).headers["location"]
    assert idle.as_("user_2").get(address).status_code == 202
    idle.close()

    server = Server(ledger_url, tmp_path)
    assert server.serving.working is not None
    server.serving.working.take_up()
    ended = followed(server.as_("user_2"), address)
    server.close()

    assert [session["outcome"] for session in ended["sessions"]] == ["inserted"] * 3  # type: ignore[index,attr-defined]
    events = run_cli("--db", ledger_url, "log", "--type", "SessionInserted", "--json").json["events"]
    assert {(event["actor"], event["via"]["authentication"]) for event in events} == {("user_2", "token")}
