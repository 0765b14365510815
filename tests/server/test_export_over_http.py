"""The whole ledger over HTTP: the lines that the command line writes, and nothing of one that is not intact."""

import json
from pathlib import Path

from commands.samples.lab import SampleLab
from tests.cli.conftest import run_cli, write_input_file
from tests.server.conftest import Server


def test_what_comes_is_what_the_command_line_writes_and_makes_the_same_ledger(
    server: Server, sample: SampleLab, tmp_path: Path
) -> None:
    write_input_file(sample)
    assert run_cli("--db", server.url, "catalogue", "load", "catalogue.yml").exit == 0
    assert run_cli("--db", server.url, "upload", "subject_1.yml").exit == 0
    client = server.as_("user_1")

    answer = client.get("/api/v1/export")

    assert run_cli("--db", server.url, "export", "ledger.jsonl").exit == 0
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert answer.content == Path("ledger.jsonl").read_bytes()
    end = json.loads(answer.content.splitlines()[-1])
    assert end["type"] == "daybook.end.v1"
    assert end["data"]["lines"] == len(answer.content.splitlines())
    (tmp_path / "got.jsonl").write_bytes(answer.content)
    made = run_cli(
        "--db", f"sqlite:///{tmp_path}/other.db", "import", str(tmp_path / "got.jsonl"), "--json"
    ).json
    assert made["root"] == end["data"]["root"]


def test_an_earlier_moment_is_exported_and_what_was_never_is_refused(server: Server) -> None:
    client = server.as_("user_1")

    then = client.get("/api/v1/export", params={"as_of": "1"})

    assert json.loads(then.content.splitlines()[-1])["data"]["events"] == 1
    assert client.get("/api/v1/export", params={"as_of": "999"}).status_code == 404
    assert client.get("/api/v1/export", params={"format": "csv"}).status_code == 422
    assert server.anonymous.get("/api/v1/export").status_code == 401
