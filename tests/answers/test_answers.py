"""Every question through two faces, on both databases, against its published schema."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from commands.answers.accounts import invitations, policies, tokens, users
from commands.answers.audit import audit
from commands.answers.blame import blame
from commands.answers.checkpoint import checkpoint_state
from commands.answers.diff import diff
from commands.answers.document import json_pieces
from commands.answers.drafting import drafted, valid_values
from commands.answers.history import history
from commands.answers.jobs import jobs
from commands.answers.lab import catalogue, people, roles, subjects
from commands.answers.lists import ANSWERS, requests
from commands.answers.log import log
from commands.answers.named import named as named_record
from commands.answers.proof import proof_of, proof_since
from commands.answers.query.asking import query
from commands.answers.receipts import VERBS
from commands.answers.record import record
from commands.answers.request import request, would_delete
from commands.answers.status import status
from commands.answers.stored_file import stored_file
from commands.answers.trace import trace
from commands.answers.typed import read_any
from commands.answers.verified import verified, verified_bundle, verified_proof
from commands.answers.what_if import what_if
from commands.answers.why import why
from commands.cli.published import ASKED, page, schemas
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.door.world import World
from commands.inputfile.limits import Limits
from commands.intake.checking import CheckedFile
from commands.intake.validation import validate
from commands.moving.setup import key_path
from commands.recordings.roots import Roots
from commands.samples.lab import SampleLab
from projections.listings import whole
from projections.queries import Query
from projections.references import Reference, find
from tests.answers_page import PAGE
from tests.cli.conftest import Run, write_input_file
from tests.permission.test_every_verb import READING

Ask = Callable[[World], Any]
# a preview that is a command's, files for others, and what has no end
NOT_QUESTIONS = {"correct", "bundle", "export", "tail"}


class Asked:
    """A ledger with an upload, a request and a deletion, and both faces on it."""

    def __init__(self, run: Run, url: str, folder: Path) -> None:
        self.run, self.url, self.folder = run, url, folder
        self.key_file = key_path(url, Path())
        uploaded = run("upload", "subject_1.yml", "--receipt", "receipt.json", "--json").json
        self.upload: str = uploaded["upload"]
        self.sessions = [entry["session"] for entry in uploaded["sessions"]]
        (folder / "bad.yml").write_text("subject: {name: x}\nsessions: [{locatoin: 1}]\n")
        self.rejected = run("upload", "bad.yml", "--json").json["upload"]
        assert run("policy", "own-requests", "allow").exit == 0
        asked = run("delete", "request", self.sessions[0], "--reason", "wrong animal", "--json").json
        assert run("request", "approve", asked["request"]).exit == 0
        self.executed = asked["request"]
        self.open = run("delete", "request", self.sessions[1], "--reason", "x", "--json").json["request"]
        self.clustering = run("clusterings", "--json").json["clusterings"][-1]["clustering"]
        assert run("person", "set", "user_1", "--name", "A Name").exit == 0
        assert run("checkpoint", "-o", "old.txt").exit == 0
        assert run("annotate", self.sessions[2], "--notes", "moved").exit == 0
        assert run("bundle", "bundle.zip", self.sessions[2]).exit == 0

    @contextmanager
    def daybook(self) -> Iterator[Daybook]:
        opened = Daybook.open(self.url, Actor("user_1", "cli"))
        try:
            yield opened
        finally:
            opened.close()

    def in_python(self, ask: Ask) -> dict[str, Any]:
        """The same fields as on the command line, as JSON has them."""
        with self.daybook() as daybook, daybook.reading() as world:
            return orjson.loads(b"".join(json_pieces(ask(world), {"ok": True})))

    def of_daybook(self, ask: Callable[[Daybook], Any]) -> dict[str, Any]:
        with self.daybook() as daybook:
            return orjson.loads(b"".join(json_pieces(ask(daybook), {"ok": True})))

    def on_command_line(self, *words: str) -> dict[str, Any]:
        ended = self.run(*words, "--json")
        assert ended.exit in (0, 1, 5), (words, ended.err)
        return ended.json


@pytest.fixture
def asked(stocked: Run, sample: SampleLab, ledger_url: str, folder: Path) -> Asked:
    write_input_file(sample)
    return Asked(stocked, ledger_url, folder)


def named(world: World, text: str) -> Reference:
    return find(world.transaction, world.head.live_slot, text)


def questions(asked: Asked) -> Iterator[tuple[str, list[str], Callable[[], dict[str, Any]]]]:
    """(name, words on the command line, the same in Python)."""
    roots, limits = Roots.of({}), Limits()
    sessions, upload = asked.sessions, asked.upload
    records = [*sessions, upload, asked.rejected, asked.clustering]

    def of(name: str, words: list[str], ask: Ask) -> tuple[str, list[str], Callable[[], dict[str, Any]]]:
        return name, words, lambda: asked.in_python(ask)

    for ref in records:
        yield of("show", ["show", ref], lambda world, ref=ref: record(world, named(world, ref)))
    for ref in ("subject:12345", "user:user_1", "probe:npx_1_18408400000"):
        yield of("show", ["show", ref], lambda world, ref=ref: named_record(world, ref))
    for ref in (asked.open, asked.executed):
        yield of("show", ["show", ref], lambda world, ref=ref: request(world, int(ref[1:])))
        yield of(
            "request show", ["request", "show", ref], lambda world, ref=ref: request(world, int(ref[1:]))
        )
    for ref in [*records, asked.open, asked.executed]:
        yield of("why", ["why", ref], lambda world, ref=ref: why(world, named(world, ref)))
        yield of("history", ["history", ref], lambda world, ref=ref: history(world, named(world, ref)))
        yield of("trace", ["trace", ref], lambda world, ref=ref: trace(world, named(world, ref)))
    for ref in records:
        yield of("blame", ["blame", ref], lambda world, ref=ref: blame(world, named(world, ref)))
    for ref in (upload, asked.executed):
        yield of(
            "what-if --without",
            ["what-if", "--without", ref],
            lambda world, ref=ref: what_if(world, ref, roots=roots, limits=limits),
        )
    for kind in ("sessions", "clusterings", "uploads"):
        yield of(kind, [kind, "--limit", "2"], lambda world, kind=kind: ANSWERS[kind](world, Query(limit=2)))
    yield of(
        "request list",
        ["request", "list", "--limit", "2"],
        lambda world: requests(world, Query(limit=2, status="requested")),
    )
    yield of("status", ["status"], lambda world: status(world, now=datetime.now(UTC)))
    yield of("status", ["status", "--user", "x"], lambda world: status(world, of="x", now=datetime.now(UTC)))
    for ref in (upload, asked.rejected):
        yield of("cat", ["cat", ref], lambda world, ref=ref: stored_file(world, named(world, ref)))
    yield of("log", ["log"], lambda world: log(world, limit=None))
    yield of("log", ["log", "--limit", "3"], lambda world: log(world, limit=3))
    yield of("audit", ["audit", "--by", "user"], lambda world: audit(world, "user"))
    yield of("audit", ["audit"], lambda world: audit(world, None))
    for sql in ("SELECT session, requested_at FROM sessions", "SELECT max(position) FROM events"):
        yield of("query", ["query", sql], lambda world, sql=sql: query(world, sql))
    yield of("diff", ["diff", "0"], lambda world: diff(world, 0))
    yield of("diff", ["diff", "2", "9"], lambda world: diff(world, 2, 9))
    yield of("policy list", ["policy", "list"], policies)
    yield of("user list", ["user", "list"], users)
    yield of("user invitations", ["user", "invitations"], invitations)
    yield of("jobs", ["jobs"], jobs)
    yield of("token list", ["token", "list"], tokens)
    yield of("checkpoint --newest", ["checkpoint", "--newest"], checkpoint_state)
    yield of("catalogue list", ["catalogue", "list"], catalogue)
    yield of("subject list", ["subject", "list"], subjects)
    yield of("role list", ["role", "list"], roles)
    yield of("person list", ["person", "list"], people)
    yield from beside_the_ledger(asked, roots, limits)


def beside_the_ledger(
    asked: Asked, roots: Roots, limits: Limits
) -> Iterator[tuple[str, list[str], Callable[[], dict[str, Any]]]]:
    old = (asked.folder / "old.txt").read_text()
    receipt = (asked.folder / "receipt.json").read_text()
    ref, kept = asked.sessions[2], {"old.txt": old}

    def plain(answer: Any) -> dict[str, Any]:
        return orjson.loads(b"".join(json_pieces(answer, {"ok": True})))

    yield (
        "verify",
        ["verify", "--checkpoint", "old.txt"],
        lambda: plain(verified(asked.url, kept=kept)),
    )
    yield (
        "verify --receipt",
        ["verify", "--receipt", "receipt.json"],
        lambda: plain(verified_proof(asked.url, receipt, kept={})),
    )
    yield (
        "verify --bundle",
        ["verify", "--bundle", "bundle.zip"],
        lambda: plain(verified_bundle(asked.folder / "bundle.zip")),
    )
    yield (
        "prove",
        ["prove", ref],
        lambda: asked.of_daybook(lambda d: proof_of(d, f"session/{ref[1:]}", key_file=asked.key_file)),
    )
    yield (
        "prove --since",
        ["prove", "--since", "old.txt"],
        lambda: asked.of_daybook(lambda d: proof_since(d, old, key_file=asked.key_file)),
    )
    yield (
        "delete request --dry-run",
        ["delete", "request", ref, "--dry-run"],
        lambda: asked.in_python(lambda world: would_delete(world, [ref])),
    )
    folder = next(folder for folder in asked.folder.rglob("12345") if folder.is_dir())
    yield (
        "compose",
        ["compose", str(folder), "--subject", "12345"],
        lambda: asked.in_python(
            lambda world: drafted(
                folder,
                subject="12345",
                form="yaml",
                roots=roots,
                values=valid_values(world, "12345"),
                position=world.head.size,
            )
        ),
    )
    for file in ("subject_1.yml", "bad.yml"):
        data = (asked.folder / file).read_bytes()
        yield (
            "validate",
            ["validate", file, "--no-record"],
            lambda data=data, file=file: asked.of_daybook(
                lambda d: validate(d, data, filename=file, roots=roots, limits=limits, record=False)
            ),
        )


def read_again(types: tuple[type[Any], ...], plain: dict[str, Any]) -> dict[str, Any]:
    """What a client makes of an answer, and gives on."""
    ok = plain["ok"]
    given = plain if any(field.name == "ok" for field in fields(types[0])) else {**plain}
    if given is not plain:
        given.pop("ok")
    read = read_any(types, given)
    return orjson.loads(b"".join(json_pieces(read, {"ok": ok})))


def test_both_faces_give_the_same_answer_and_it_is_as_published(asked: Asked) -> None:
    published = schemas()
    types = {each.name: each.question.answers for each in ASKED} | {"validate": (CheckedFile,)}
    names = set()

    for name, words, in_python in questions(asked):
        names.add(name)
        shown = asked.on_command_line(*words)
        Draft202012Validator(published[name]).validate(shown)
        own = next((each.own for each in ASKED if each.name == name), {})
        answer = in_python()
        assert {key: value for key, value in shown.items() if key not in own} == answer, words
        assert read_again(types[name], answer) == answer, words

    assert names == {each.name for each in ASKED} - {"auth status"} | {"validate"}  # it is asked of a server


def test_every_verb_that_reads_is_a_question() -> None:
    names = {each.name for each in ASKED} | set(VERBS)

    for line in READING.split("\n"):
        words = line.replace("{u}", "").replace("{s}", "").replace("{d}", "").split()
        if words:
            known = names | NOT_QUESTIONS
            assert any(" ".join(words[:length]) in known for length in (1, 2)), line


def test_every_published_schema_is_one() -> None:
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)
        assert "position" in str(schema)


def test_the_page_of_answers_is_as_the_code_has_them() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "An answer has changed, and with it what scripts read: say so in CHANGELOG.md, then "
        "python -m tests.answers_page"
    )


def test_nothing_that_is_known_of_a_record_is_lost_on_the_way_to_its_answer(asked: Asked) -> None:
    def all_of(world: World, ref: str) -> None:
        known = whole(world.transaction, world.head.live_slot, named(world, ref))
        answer = orjson.loads(orjson.dumps(record(world, named(world, ref))))
        said = without_nothing(answer)
        assert {key: said.get(key) for key in without_nothing(known)} == without_nothing(known), ref

    with asked.daybook() as daybook, daybook.reading() as world:
        for ref in (*asked.sessions, asked.upload, asked.rejected, asked.clustering):
            all_of(world, ref)


def without_nothing(value: Any) -> Any:
    """What is said: neither nulls nor what is empty."""
    if isinstance(value, dict):
        found = {key: without_nothing(item) for key, item in value.items()}
        return {key: item for key, item in found.items() if item not in (None, {}, [], "")}
    if isinstance(value, list):
        return [without_nothing(item) for item in value]
    return value


def test_asking_in_python_needs_no_command_line(asked: Asked) -> None:
    with asked.daybook() as daybook, daybook.reading() as world:
        answer = why(world, named(world, asked.open))

    assert [step.action for step in answer.next_steps] == [
        "show-request", "approve-request", "reject-request", "cancel-request",
    ]  # fmt: skip
    assert all(step.ref == asked.open for step in answer.next_steps)
    assert answer.next_steps[2].arguments == {"reason": None}
