"""Export and import: the same ledger in another database."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from commands.accounts.server_key import server_key
from commands.accounts.sign_ins import accept, sign_in
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.intake.uploading import upload
from commands.lab.people import SetPerson
from commands.moving import importing
from commands.moving.cloudevents import BadLine, read_line
from commands.moving.importing import import_ledger
from commands.moving.setup import initialise
from commands.proving.checkpoints import make_checkpoint
from commands.recordings.roots import Roots
from commands.samples.lab import SampleLab
from ledger import log
from ledger.checkpoint import parse, sign
from ledger.database import Database
from ledger.envelope import NewEvent, StoredEvent, leaf_data
from ledger.errors import Refusal
from ledger.events import ReferenceValueAdded
from ledger.merkle import leaf_hash
from ledger.signing_keys import read_key
from ledger.verify import verify
from projections.rebuild import contents
from tests.accounts.people import HERE, PASSWORD, code_for
from tests.cli.conftest import Run, run_cli, write_input_file
from tests.ledger import killing
from tests.ledger.writing import added, append, elsewhere, is_sqlite, join_all, stored_events
from tests.moving.conftest import Nowhere, exported, exported_with_summary
from tests.projections.test_rebuild_equals_incremental import write_history

KINDS = ("sqlite", "postgresql")


def projections(url: str) -> dict[str, list[tuple[object, ...]]]:
    database = Database(url)
    with database.reading() as transaction:
        found = contents(transaction, log.read_head(transaction).live_slot)
    database.close()
    return found


def history(url: str, seed: int, steps: int) -> None:
    database = Database(url)
    write_history(database, seed, steps)
    database.close()


@pytest.fixture
def lines(ledger_templates: Callable[[str, Path], str], tmp_path: Path) -> list[bytes]:
    """The export of a small ledger: three commands, an input file, a checkpoint; ``daybook.db`` in the folder."""
    url = ledger_templates("sqlite", tmp_path)
    daybook = Daybook.open(url, Actor("user_1"))
    append(daybook.database, [added("user_1"), added("user_2")])
    upload(daybook, b"sessions: []\n", filename="a.yml", roots=Roots.of({}))
    make_checkpoint(daybook, tmp_path / "daybook.key")
    append(daybook.database, [added("user_3")])
    daybook.close()
    return exported(url)


# --- the same ledger --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_imported_ledger_has_the_same_root_lists_and_text(
    ledger_url: str, nowhere: Nowhere, kind: str
) -> None:
    for seed in (1, 2):
        history(ledger_url, seed, 60)
    lines, source = exported_with_summary(ledger_url)
    target = nowhere(kind)

    moved = import_ledger(target, lines)

    assert moved == source
    report = verify(target)
    assert report.problems == [] and report.root == source.root
    assert projections(target) == projections(ledger_url)
    assert exported(target) == lines


def test_an_import_holds_a_page_of_events_at_a_time(
    lines: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_PAGE", 2)
    (tmp_path / "other").mkdir()
    done: list[int] = []

    moved = import_ledger(
        f"sqlite:///{tmp_path / 'other' / 'daybook.db'}", lines, lambda now, _: done.append(now)
    )

    assert done[:2] == [2, 4] and moved.events > 4


def test_any_history_comes_back_as_it_was(
    ledger_templates: Callable[[str, Path], str], nowhere: Nowhere, tmp_path: Path
) -> None:
    url = ledger_templates("sqlite", tmp_path)

    @settings(max_examples=4)
    @given(seed=st.integers(0, 2**32), steps=st.integers(1, 60), page=st.sampled_from([1, 7, 5_000]))
    def check(seed: int, steps: int, page: int) -> None:
        history(url, seed, steps)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("commands.moving.importing._PAGE", page)
            lines, target = exported(url), nowhere("sqlite")
            import_ledger(target, lines)
            assert exported(target) == lines
        assert projections(target) == projections(url)
        assert verify(target).problems == []

    check()


def test_imported_ledger_goes_on(lines: list[bytes], nowhere: Nowhere, tmp_path: Path) -> None:
    target = nowhere("sqlite")
    import_ledger(target, lines)
    kept = next(json.loads(line)["data"]["text"] for line in lines if b"daybook.checkpoint.v1" in line)

    daybook = Daybook.open(target, Actor("user_1"))
    append(daybook.database, [added("user_4")])
    daybook.close()

    assert verify(target, kept=[kept]).problems == []


def test_payload_that_json_would_write_otherwise_survives(ledger_url: str, nowhere: Nowhere) -> None:
    database = Database(ledger_url)
    odd = {"big": 2**70, "precise": 0.1 + 0.2, "tiny": 5e-324, "text": '</>"\\ \u2028 \U0001f600'}
    append(database, [NewEvent("reference/x", ReferenceValueAdded(table="x", value="odd", attributes=odd))])
    payloads = [event.payload for event in stored_events(database)]
    database.close()
    lines, target = exported(ledger_url), nowhere("sqlite")

    import_ledger(target, lines)

    assert any(b'"data_base64"' in line for line in lines)
    database = Database(target)
    assert [event.payload for event in stored_events(database)] == payloads
    database.close()


def test_lines_are_cloudevents(lines: list[bytes]) -> None:
    """The rules of spec.md: required attributes, names of lower-case letters and digits, types of values."""
    documents = [json.loads(line) for line in lines]
    assert len({(one["source"], one["id"]) for one in documents}) == len(documents)
    for document in documents:
        assert document["specversion"] == "1.0" and document["type"].startswith("daybook.")
        for name, value in document.items():
            if name not in ("data", "data_base64"):
                assert name.isalnum() and name == name.lower() and name.isascii() and len(name) <= 20
                assert value != "" and isinstance(value, str | int)


def test_names_of_people_are_not_exported(daybook: Daybook, ledger_url: str) -> None:
    daybook.submit(SetPerson(user="user_1", name="Some Name", email="someone@example.org"))
    text = b"".join(exported(ledger_url))
    assert b"Some Name" not in text and b"someone@example.org" not in text


# --- what does not fit ------------------------------------------------------------------------------------------------


def refused(url: str, lines: list[bytes]) -> str:
    """The refusal; there is as little as before: not even tables."""
    with pytest.raises(Refusal) as caught:
        import_ledger(url, lines)
    assert caught.value.code == "bad-line"
    if is_sqlite(url):
        path = Path(str(make_url(url).database))
        assert not list(path.parent.glob(f"{path.name}*"))
    else:
        database = Database(url, role=None)
        with database.engine.connect() as connection:
            assert inspect(connection).get_table_names() == []
        database.close()
    return caught.value.message


def test_line_that_is_gone_doubled_or_out_of_order_is_refused(lines: list[bytes], nowhere: Nowhere) -> None:
    target = nowhere("sqlite")
    for at in range(len(lines)):
        assert "ine " in refused(target, lines[:at] + lines[at + 1 :]), at
        if b"daybook.file.v1" not in lines[at]:  # whose bytes may be there twice
            assert refused(target, [*lines[: at + 1], *lines[at:]]).startswith(
                (f"Line {at + 2}:", "Two lines")
            ), at
        if at + 1 < len(lines) and not _may_swap(lines[at], lines[at + 1]):
            swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
            assert "ine " in refused(target, swapped), at
    import_ledger(target, lines)


def _may_swap(first: bytes, second: bytes) -> bool:
    """An input file before or behind its event, a receipt before or behind a checkpoint: nothing is lost by it."""
    movable = (b"daybook.file.v1", b"daybook.checkpoint.v1")
    return (
        any(kind in line for kind in movable for line in (first, second))
        and b"daybook.export.v1" not in first
    )


def test_every_byte_of_an_event_counts(lines: list[bytes]) -> None:
    for line in lines:
        wanted = read_line(line)
        if wanted.event is None:
            continue
        for at in range(len(line) - 1):
            changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
            try:
                found = read_line(changed)
            except BadLine:
                continue
            assert found.event == wanted.event or found.origin != wanted.origin, changed


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        ("export", {"root": "0" * 64}, "line 1 says 0000"),
        ("export", {"events": 3}, "Line 1: "),
        ("receipt", {"first_position": 7}, "its command has others"),
        ("receipt", {"command_sha256": "x"}, "not hexadecimal"),
        ("receipt", {"command_id": "other"}, "not of the events before it"),
        ("checkpoint", {"text": "hello\n"}, "Line "),
        ("file", None, "not those that its name says"),
        ("end", {"lines": 3}, "the end of the export counts"),
        ("end", {"root": "0" * 64}, "the last line says 0000"),
    ],
)
def test_what_goes_with_the_events_is_checked(
    lines: list[bytes], nowhere: Nowhere, kind: str, change: dict[str, Any] | None, says: str
) -> None:
    at = next(at for at, line in enumerate(lines) if f'"daybook.{kind}.v1"'.encode() in line)
    document = orjson.loads(lines[at])
    if change is None:
        document["data_base64"] = "aGVsbG8="
    else:
        document["data"] |= change
    lines[at] = orjson.dumps(document) + b"\n"
    assert says in refused(nowhere("sqlite"), lines)


def test_an_export_of_an_older_version_has_no_end_and_a_newer_one_must_have_it(
    lines: list[bytes], nowhere: Nowhere
) -> None:
    assert "it is cut off" in refused(nowhere("sqlite"), lines[:-1])
    older = [lines[0].replace(b',"ends":true', b""), *lines[1:-1]]

    assert import_ledger(nowhere("sqlite"), older).events == len(
        [1 for line in older if b'"streamversion"' in line]
    )


def test_checkpoint_of_another_past_is_refused(lines: list[bytes], nowhere: Nowhere, tmp_path: Path) -> None:
    """The ledger's own key signed it, but not these events: somebody rewrote the past before the export."""
    at = next(at for at, line in enumerate(lines) if b"daybook.checkpoint.v1" in line)
    document = orjson.loads(lines[at])
    own = parse(document["data"]["text"]).checkpoint
    document["data"]["text"] = sign(replace(own, root=b"\1" * 32), read_key(tmp_path / "daybook.key"))
    lines[at] = orjson.dumps(document) + b"\n"
    assert "not what this checkpoint signed" in refused(nowhere("sqlite"), lines)


def test_stream_with_a_gap_is_refused_at_its_line(ledger_url: str, nowhere: Nowhere) -> None:
    database = Database(ledger_url)
    append(database, [added("a"), added("b")])
    database.close()
    lines = [line.replace(b'"streamversion":2', b'"streamversion":3') for line in exported(ledger_url)]
    at = next(at for at, line in enumerate(lines) if b'"streamversion":3' in line)
    lines[at] = _with_leaf(lines[at])

    message = refused(nowhere("sqlite"), lines)
    assert message.startswith(f"Line {at + 1}:") and "expected version 2" in message


def _with_leaf(line: bytes) -> bytes:
    """The line with the leaf hash that fits, as somebody makes it who knows how."""
    d = orjson.loads(line)
    event = StoredEvent(
        int(d["id"].rpartition("-")[2]), d["stream"], d["streamversion"], d["type"].split(".")[1], 1, d["commandid"],
        d.get("correlation", ""), d.get("causation", 0), d["actor"], d["via"], d["time"], d.get("subject", ""),
        d.get("username", ""), bytes.fromhex(d["payloadsha256"]), None,
    )  # fmt: skip
    d["leafsha256"] = leaf_hash(leaf_data(event[:14])).hex()
    return orjson.dumps(d) + b"\n"


def test_event_of_a_newer_version_is_refused(lines: list[bytes], nowhere: Nowhere) -> None:
    at = next(at for at, line in enumerate(lines) if b"ReferenceValueAdded" in line)
    lines[at] = _with_leaf(lines[at].replace(b"ReferenceValueAdded", b"ReferenceValueImagined"))
    message = refused(nowhere("sqlite"), lines)
    assert message.startswith(f"Line {at + 1}:") and "ReferenceValueImagined" in message


def test_event_without_what_it_has_to_hold_is_refused(lines: list[bytes], nowhere: Nowhere) -> None:
    at = next(at for at, line in enumerate(lines) if b"ReferenceValueAdded" in line)
    document = orjson.loads(lines[at])
    document["data"] = {"table": "reference.Experimenter"}
    document["payloadsha256"] = sha256(orjson.dumps(document["data"])).hexdigest()
    lines[at] = _with_leaf(orjson.dumps(document))
    message = refused(nowhere("sqlite"), lines)
    assert message.startswith(f"Line {at + 1}:") and "not what a ReferenceValueAdded holds" in message


@pytest.mark.parametrize(
    "text", [b"", b"hello\n", b"{}\n", b"[1]\n", b'{"specversion":"1.0"}\n', b"\xff\n", b"[" * 9999]
)
def test_what_is_no_export_is_refused(nowhere: Nowhere, text: bytes) -> None:
    with pytest.raises(Refusal, match=r"Line 1: |Line 2: "):
        import_ledger(nowhere("sqlite"), [text] if text else [])


def test_ledger_is_never_imported_into_another(lines: list[bytes], ledger_url: str) -> None:
    before = exported(ledger_url)
    with pytest.raises(Refusal) as caught:
        import_ledger(ledger_url, lines)
    assert caught.value.code == "not-empty" and exported(ledger_url) == before


def test_payload_that_is_gone_without_a_redaction_is_refused(ledger_url: str, nowhere: Nowhere) -> None:
    database = Database(ledger_url)
    append(database, [added("a")])
    database.close()
    lines = exported(ledger_url)  # of a ledger in which it is gone, there is no export
    [at] = [at for at, line in enumerate(lines) if b'"streamversion"' in line and b'-2","source"' in line]
    event = {
        name: value
        for name, value in json.loads(lines[at]).items()
        if name not in ("data", "datacontenttype")
    }
    lines[at] = orjson.dumps(event) + b"\n"

    assert "no later event says that it was redacted" in refused(nowhere("sqlite"), lines)


# --- crashes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_import_that_was_killed_leaves_nothing_and_the_next_one_succeeds(
    lines: list[bytes], nowhere: Nowhere, tmp_path: Path, kind: str
) -> None:
    """What it did leave is named by the next one."""
    (tmp_path / "log.jsonl").write_bytes(b"".join(lines))
    join_all([elsewhere(killing.import_, nowhere(kind), lines, None, tmp_path / "steps")])
    named = 0
    for step in killing.chosen(tmp_path / "steps", statements=4):
        target = nowhere(kind)
        child = elsewhere(killing.import_, target, lines, step)
        child.join()
        assert child.exitcode == killing.KILLED, step
        if _size(target) == 0:
            left = [path.name for path in tmp_path.glob(f"{Path(target).name}.*.new*")]
            ended = run_cli("--db", target, "import", "log.jsonl")
            assert ended.exit == 0 and all(name in ended.err for name in left), (step, left, ended.err)
            assert ("was never finished" in ended.err) is bool(left)
            named += len(left)
        assert exported(target) == lines, step  # opening it finishes what was behind the commit
        assert verify(target).problems == []
    assert (named > 0) is (kind == "sqlite"), "what a database server leaves of it is nothing"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", [0, 3])
def test_import_that_was_overtaken_while_it_read_leaves_the_ledger_of_the_other(
    lines: list[bytes], nowhere: Nowhere, tmp_path: Path, kind: str, when: int
) -> None:
    """Before its first line, or in the middle. On PostgreSQL whoever comes in the middle has to wait."""
    if kind == "postgresql" and when:
        pytest.skip("the other one waits for the end of the import")
    target, meanwhile = nowhere(kind), []

    def slow() -> Iterator[bytes]:
        for number, line in enumerate(lines):
            if number == when:
                meanwhile.append(initialise(target, Actor("user_2"), key_directory=tmp_path / "keys"))
            yield line

    (tmp_path / "keys").mkdir()
    with pytest.raises(Refusal) as caught:
        import_ledger(target, slow())

    assert caught.value.code == "not-empty" and meanwhile[0].created
    assert verify(target).problems == [] and len(exported(target)) < len(lines)
    assert not list(tmp_path.glob("*.new*"))


def test_of_two_imports_the_second_leaves_what_the_first_made(lines: list[bytes], nowhere: Nowhere) -> None:
    target = nowhere("sqlite")

    def overtaken() -> Iterator[bytes]:
        yield from lines[:2]
        import_ledger(target, lines)
        yield from lines[2:]

    with pytest.raises(Refusal, match="already a ledger"):
        import_ledger(target, overtaken())
    assert exported(target) == lines and verify(target).problems == []


def _size(url: str) -> int:
    database = Database(url, role=None)
    try:
        with database.reading() as transaction:
            return log.read_head(transaction).size
    except Refusal:
        return 0
    finally:
        database.close()


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.fixture
def uploaded(stocked: Run, sample: SampleLab) -> Run:
    assert stocked("upload", str(write_input_file(sample, sessions=2))).exit == 0
    assert stocked("checkpoint", "-o", "kept.txt").exit == 0
    return stocked


def test_export_and_import_by_the_command_line(uploaded: Run, folder: Path) -> None:
    there = f"sqlite:///{folder / 'there.db'}"
    out = uploaded("export", "log.jsonl.gz")
    done = run_cli("import", "log.jsonl.gz", "--db", there)

    assert out.exit == 0 and done.exit == 0
    root = out.out.rpartition(" ")[2].strip().rstrip(".")
    assert root in done.out and "copy it from the old ledger to there.key" in done.out
    assert run_cli("verify", "--checkpoint", "kept.txt", "--db", there).exit == 0
    assert run_cli("sessions", "--db", there).out == uploaded("sessions").out
    assert run_cli("init", "--db", there).exit == 0


def test_compressed_export_is_the_same_text_and_the_same_file_again(uploaded: Run) -> None:
    for file in ("a.jsonl", "a.jsonl.gz", "b.jsonl.gz"):
        assert uploaded("export", file, "--json").json["ok"]
    assert gzip.decompress(Path("a.jsonl.gz").read_bytes()) == Path("a.jsonl").read_bytes()
    assert Path("a.jsonl.gz").read_bytes() == Path("b.jsonl.gz").read_bytes()


def test_export_and_import_through_standard_streams(uploaded: Run, folder: Path) -> None:
    there = f"sqlite:///{folder / 'there.db'}"
    out = uploaded("export", "-")
    assert out.exit == 0 and "Exported" in out.err
    assert run_cli("import", "-", "--db", there, stdin=out.out).exit == 0
    assert run_cli("export", "-", "--db", there).out == out.out
    assert uploaded("export", "-", "--json").exit == 2


def test_refused_import_leaves_no_file(uploaded: Run, folder: Path) -> None:
    assert uploaded("export", "log.jsonl.gz").exit == 0
    content = Path("log.jsonl.gz").read_bytes()
    for name, broken in (
        ("cut.gz", content[:-300]),
        ("flip.gz", content[:500] + b"x" + content[501:]),
        ("a", b""),
    ):
        Path(name).write_bytes(broken)
        refused = run_cli("import", name, "--db", f"sqlite:///{folder / 'there.db'}", "--json")
        assert refused.exit == 1 and refused.json["error"]["code"] in ("bad-line", "unreadable")
        assert not list(folder.glob("there*"))


def test_export_that_is_there_already_is_not_overwritten(uploaded: Run) -> None:
    Path("log.jsonl").write_text("precious")
    assert uploaded("export", "log.jsonl").exit == 2
    assert Path("log.jsonl").read_text() == "precious"
    assert uploaded("import", "missing.jsonl").exit == 2


def test_address_of_a_folder_that_is_not_there_is_refused(uploaded: Run) -> None:
    assert uploaded("export", "log.jsonl").exit == 0
    assert run_cli("import", "log.jsonl", "--db", "sqlite:///none/there.db").exit == 1


def test_accounts_go_along_without_what_lets_them_in_and_both_verbs_say_so(
    ledger_url: str, nowhere: Nowhere, folder: Path
) -> None:
    daybook = Daybook.open(ledger_url, Actor("user_1"))
    code = code_for(daybook, "user_2", "researcher")
    daybook.submit(SetPerson(user="user_2", email="canary@example.org"))
    _, token = accept(daybook.ledger, code, PASSWORD, HERE)
    daybook.close()

    out = run_cli("--db", ledger_url, "export", "log.jsonl")
    empty = nowhere("sqlite")
    back = run_cli("--db", empty, "import", "log.jsonl")

    assert "events of 1 account are in it" in out.err and "daybook user invite USER" in out.err
    assert "passwords and tokens of 1 account: nobody can sign in here yet" in back.out
    text = (folder / "log.jsonl").read_text()
    assert "UserJoined" in text and not any(each in text for each in (code, token, PASSWORD, "canary"))
    there = Daybook.open(empty, Actor("user_1"))
    with pytest.raises(Refusal) as refused:
        sign_in(there.ledger, server_key(folder), "user_2", PASSWORD, HERE)
    assert refused.value.code == "wrong-credentials"
    _, again = accept(there.ledger, code_for(there, "user_2"), PASSWORD, HERE)
    there.close()
    assert again


def test_a_ledger_without_accounts_says_nothing_of_them(ledger_url: str, nowhere: Nowhere) -> None:
    out = run_cli("--db", ledger_url, "export", "log.jsonl")
    back = run_cli("--db", nowhere("sqlite"), "import", "log.jsonl")

    assert "account" not in out.shown and "sign in" not in back.shown
