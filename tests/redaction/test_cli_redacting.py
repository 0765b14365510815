"""daybook redact, and what its approval says."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, run_cli
from tests.redaction.conftest import REASON, Office

pytestmark = pytest.mark.both_ways


def run(office: Office, *arguments: str, user: str = "user_1") -> Ended:
    return run_cli("--db", office.lab.url, *arguments, user=user)


@pytest.fixture
def position(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The receipt of an uploaded file."""
    monkeypatch.chdir(tmp_path)
    return int(
        office.lab.upload_bytes(b"subject: {name: '99999'}\nsessions: []\n", filename="Jane.yml").upload[1:]
    )


def test_redaction_from_request_to_what_is_shown(office: Office, position: int) -> None:
    asked = run(office, "redact", str(position), "--reason", REASON)
    assert asked.exit == 0
    [request] = re.findall(r"daybook request approve (d\d+)", asked.out)
    assert f"InputFileReceived of upload/{position}, position {position}" in asked.out
    assert f"redacted one by one: {position + 1}." in asked.out
    assert "redaction of position" in run(office, "request", "show", request).out

    approved = run(office, "request", "approve", request, user="user_2")
    assert approved.exit == 0
    assert f"{request} was carried out" in approved.out and "the stored file with it" in approved.out
    assert "Backups, exports and bundles" in approved.out
    assert ("VACUUM FULL" in approved.out) is (not office.lab.url.startswith("sqlite"))

    for arguments in (
        ("history", f"u{position}"),
        ("log",),
        ("why", f"u{position}"),
        ("uploads",),
        ("show", f"u{position}"),
    ):
        said = run(office, *arguments)
        assert "Jane" not in said.out + said.err
        for words in ("redacted", "user_2", REASON):
            assert words in said.out + said.err, (arguments, said)
    assert run(office, "verify").exit == 0


def test_answers_as_json(office: Office, position: int) -> None:
    asked = run(office, "redact", str(position), "--reason", REASON, "--json").json
    assert asked == {
        "ok": True, "request": asked["request"], "position": int(asked["request"][1:]), "redacts": position,
        "type": "InputFileReceived", "stream": f"upload/{position}", "copies": [position + 1],
        "next_steps": [{"action": "approve-request", "ref": asked["request"], "arguments": {}}],
    }  # fmt: skip

    approved = run(office, "request", "approve", asked["request"], "--json", user="user_2").json
    assert approved == {
        "ok": True, "request": asked["request"], "kind": "redaction", "status": "executed",
        "position": approved["position"], "redacts": position, "type": "InputFileReceived", "stream": f"upload/{position}", "file_erased": True,
        "clean": office.lab.url.startswith("sqlite"), "archives": [],
    }  # fmt: skip
    [redaction] = run(office, "show", f"u{position}", "--json").json["redactions"]
    assert (redaction["position"], redaction["redacted_by"], redaction["requested_by"]) == (
        position,
        "user_2",
        "user_1",
    )
    assert run(office, "uploads", "--json").json["redactions"] == [redaction]
    [event, _] = run(office, "history", f"u{position}", "--json").json["events"]
    assert event["body"]["filename"] == "(redacted)" and event["body"]["redacted"]["reason"] == REASON


def test_exit_codes(office: Office, position: int) -> None:
    office.lab.as_user("user_3")
    for code, arguments, user in (
        (4, ("redact", str(position), "--reason", REASON), "user_3"),
        (1, ("redact", "1", "--reason", REASON), "user_1"),
        (1, ("redact", "99999", "--reason", REASON), "user_1"),
        (1, ("redact", str(position), "--reason", "  "), "user_1"),
        (2, ("redact", str(position)), "user_1"),
        (2, ("redact", f"u{position}", "--reason", REASON), "user_1"),
        (2, ("redact", "0", "--reason", REASON), "user_1"),
        (0, ("redact", str(position), "--reason", REASON), "user_1"),
        (1, ("redact", str(position), "--reason", REASON), "user_2"),
    ):
        ended = run(office, *arguments, user=user)
        assert ended.exit == code, (arguments, ended)
    request = office.last("RedactionRequested").stream.replace("deletion/", "d")
    assert run(office, "request", "approve", request).exit == 4
    assert run(office, "request", "reject", request, "--reason", "no", user="user_2").exit == 0
    assert run(office, "request", "approve", request, user="user_2").exit == 1
    assert run(office, "redact", str(position), "--reason", REASON).exit == 0  # it was rejected: asked again
