"""Every verb that needs a ledger: through a server it answers as beside the ledger, or is refused by name."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from commands.cli.main import cli
from commands.samples.lab import SampleLab
from tests.cli.conftest import Ended, run_cli, run_through, write_input_file
from tests.permission.test_every_verb import APART, READING, WRITING, lines, verbs
from tests.serving import Server

REFUSED = """
init
rebuild
checkpoint
import log.jsonl
work --watch
export --damaged log.jsonl
archive create archive
query SELECT
backup create backups
backup restore backup
webhook add https://example.org
webhook list
webhook show k7m2q9x4wd
webhook remove k7m2q9x4wd
webhook retry k7m2q9x4wd
webhook send
mail
"""
OF_NO_LEDGER = {
    "archive check", "backup check", "backup list", "demo", "help", "config show", "config init", "template", "schema", "serve",
    "auth accept", "auth login", "auth logout", "auth status", "doctor", "incident list", "incident show",
}  # fmt: skip
WITHOUT_END = {"watch"}
"""What goes on until it is stopped is played through a server where it is tested: ``tests/workers``."""
OF_EACH = {"ledger", "settings", "file", "secret", "id", "token", "via", "command_id"}
"""What is each one's own: where it is asked, the names of files, what is made up anew."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


class Two:
    """The same ledger twice: one beside, the other behind a server."""

    def __init__(self, url: str, server: Server, ids: dict[str, str]) -> None:
        self.url, self.server, self.ids = url, server, ids

    def both(self, line: str, *more: str) -> tuple[Ended, Ended]:
        words = [*line.format(**self.ids).split(), *more]
        return run_cli("--db", self.url, *words), run_through(self.server, *words)


@pytest.fixture
def two(sample: SampleLab, server: Server, tmp_path: Path) -> Iterator[Two]:
    write_input_file(sample, sessions=1).rename(sample.directory / "first.yml")
    write_input_file(sample)
    for name, text in (("broken.yml", "subject: ["), ("tasks.yml", "- {task_type: OpenField}")):
        (sample.directory / name).write_text(text)

    def run(*words: str) -> Any:
        ended = run_cli("--db", server.url, *words, "--json")
        assert ended.exit == 0, (words, ended.out)
        return ended.json

    run("catalogue", "load", "catalogue.yml")
    uploaded = run("upload", "subject_1.yml")
    sessions = [entry["session"] for entry in uploaded["sessions"]]
    run("policy", "own-requests", "allow")
    executed = run("delete", "request", sessions[0], "--reason", "x")["request"]
    run("request", "approve", executed)
    request = run("delete", "request", sessions[1], "--reason", "x")["request"]
    run("user", "add", "rig_9", "--service")
    ids = {"u": uploaded["upload"], "s": sessions[2], "d": request, "executed": executed}
    run("checkpoint")
    file = Path(str(make_url(server.url).database))
    copy = tmp_path / "beside" / "daybook.db"
    copy.parent.mkdir()
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    yield Two(f"sqlite:///{copy}", server, ids)


def same(value: Any) -> Any:
    """An answer without what is its own, or of its time."""
    if isinstance(value, dict):
        return {key: same(item) for key, item in value.items() if key not in OF_EACH}
    if isinstance(value, list):
        return [same(item) for item in value]
    return _TIME.sub("TIME", value) if isinstance(value, str) else value


def documents(line: str, ended: Ended) -> Any:
    """One document, but of a follower one an event."""
    return list(map(json.loads, ended.out.splitlines())) if line.startswith("tail") else ended.json


def test_every_verb_is_walked_here_or_needs_no_ledger() -> None:
    walked = [*lines(WRITING + READING + REFUSED), "compose .", "role request"]

    left = {verb for verb in verbs(cli) if not any(f"{line} ".startswith(f"{verb} ") for line in walked)}

    assert left == {*OF_NO_LEDGER, *WITHOUT_END}
    assert {
        verb for verb in verbs(cli) if any(f"{line} ".startswith(f"{verb} ") for line in lines(APART))
    } >= OF_NO_LEDGER


def test_every_verb_that_reads_answers_alike(two: Two) -> None:
    # what is recorded of a validation says by what it was asked, and with that the root is another
    for line in sorted(lines(READING), key=lambda line: line.startswith("validate")):
        if line.startswith(("bundle", "export")):
            continue
        here, there = two.both(line)
        assert here.exit == there.exit, (line, here, there)
        if not line.startswith("status"):  # which says where the ledger is
            assert same(here.out) == same(there.out), line
        here, there = two.both(line, "--json")
        assert same(documents(line, here)) == same(documents(line, there)), line
        assert here.err == there.err, line


@pytest.mark.parametrize("line", [line for line in lines(READING) if line.startswith(("bundle", "export"))])
def test_what_is_written_to_a_file_is_the_same_file(two: Two, line: str, tmp_path: Path) -> None:
    words = line.format(**two.ids).split()
    name = words[1]

    here = run_cli("--db", two.url, *words)
    beside = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    there = run_through(two.server, *words)

    assert here.exit == there.exit == 0 and here.out == there.out
    assert (tmp_path / name).read_bytes() == beside
    assert run_through(two.server, *words).exit == 2  # it is there already


def test_every_verb_that_writes_answers_alike(two: Two) -> None:
    """One after the other, as the table has them: what one does the next finds."""
    for line in lines(WRITING):
        here, there = two.both(
            line, "--json", "--command-id", line.replace(" ", "-")[:60].replace("=", "").replace("/", "")
        )

        assert here.exit == there.exit, (line, here, there)
        assert same(here.json) == same(there.json), line
    here, there = two.both("log", "--json")
    assert [event["type"] for event in here.json["events"]] == [
        event["type"] for event in there.json["events"]
    ]


@pytest.mark.parametrize("line", lines(REFUSED))
def test_what_has_to_be_done_at_the_ledger_is_refused_by_name(server: Server, line: str) -> None:
    def there() -> list[str]:
        """But for the user's own folder, in which a refusal is noted."""
        return sorted(path.name for path in Path.cwd().iterdir() if path.name != "state")

    before = there()

    ended = run_through(server, *line.split())

    assert ended.exit in (1, 2) and f"daybook {line.split()[0]}" in ended.err, ended
    assert there() == before


def test_a_draft_is_of_a_directory_of_the_server(two: Two, sample: SampleLab) -> None:
    folder = str(sample.subjects[0].sessions[0].directory.parent)

    here, there = two.both("compose", folder, "--subject", "12345")
    nothing = two.both("compose", f"{folder}/nothing")[1]

    assert here.exit == there.exit == 0 and here.out == there.out
    assert "the directory is one of the server" in there.err and here.err == ""
    assert nothing.exit == 1 and "[location-not-found]" in nothing.err
