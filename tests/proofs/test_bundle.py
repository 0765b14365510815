"""Bundles: what a stranger verifies with the script inside, and what the script finds."""

import ast
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.roles import GrantRole
from commands.proving import bundle_verifier
from commands.proving.bundle import _seal, write_bundle
from commands.proving.bundle_verifier import NOTHING, Given, Malformed, Report, read_note, verify
from commands.proving.checkpoints import make_checkpoint
from commands.requests.redaction import ApproveRedaction, RequestRedaction
from ledger.checkpoint import Checkpoint, sign
from ledger.database import Database
from ledger.merkle import CompactRange, inclusion_proof, leaf_hash, node_source
from ledger.signing_keys import public_key_text, read_key
from tests.cli.conftest import Run, run_cli
from tests.ledger.writing import added, append, append_plainly, as_owner
from tests.patience import PATIENCE_S
from tests.proofs.conftest import flipped, text_of

# Runs a script as a stranger's Python would: none of our packages can be imported.
STRANGER = """
import runpy, sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"ledger", "projections", "commands", "migrations", "orjson", "sqlalchemy"}:
            raise ImportError(name)

sys.meta_path.insert(0, Nothing())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def stranger(folder: Path, *arguments: str, isolated: str = "-I") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *isolated.split(), "-c", STRANGER, "verify.py", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done


def unpacked(bundle: str, folder: str = "unpacked") -> Path:
    with ZipFile(bundle) as archive:
        archive.extractall(folder)
    return Path(folder)


@pytest.fixture
def bundled(uploaded: Run) -> Run:
    """``old.txt`` is a checkpoint, behind which the ledger went on; ``all.zip`` and ``some.zip`` are bundles."""
    assert uploaded("checkpoint", "-o", "old.txt").exit == 0
    assert uploaded("subject", "add", "12346").exit == 0
    assert uploaded("bundle", "all.zip").exit == 0
    session = uploaded("sessions", "--json").json["sessions"][0]["session"]
    assert uploaded("bundle", "some.zip", session).exit == 0
    return uploaded


# --- a stranger -------------------------------------------------------------------------------------------------------


def test_a_stranger_verifies_a_bundle_with_nothing_of_ours(bundled: Run, folder: Path) -> None:
    for bundle in ("all.zip", "some.zip"):
        inside = unpacked(bundle, f"unpacked {bundle}")
        done = stranger(inside)

        assert done.returncode == 0, done.stdout + done.stderr
        assert "Everything that was checked holds." in done.stdout and "NOT CHECKED" not in done.stdout
        assert "compare it, or a checkpoint" in done.stdout
        assert stranger(inside, str(folder / bundle)).stdout == done.stdout
        assert bundled("verify", "--bundle", bundle).exit == 0


def test_the_script_needs_the_standard_library_and_cryptography_alone() -> None:
    source = Path(bundle_verifier.__file__).read_text(encoding="utf-8")
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported.update(name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])

    assert imported - sys.stdlib_module_names == {"cryptography"}


def test_without_cryptography_it_says_what_was_not_checked(bundled: Run) -> None:
    done = stranger(unpacked("all.zip"), isolated="-I -S")

    assert done.returncode == 1
    assert (
        "NOT CHECKED: the signature of the ledger daybook/" in done.stdout
        and "the root of the whole tree" in done.stdout
    )


def test_one_ledger_gives_one_bundle(bundled: Run) -> None:
    assert bundled("bundle", "again.zip").exit == 0
    assert Path("again.zip").read_bytes() == Path("all.zip").read_bytes()


def test_bundle_of_a_record_holds_its_events_its_upload_and_its_input_file(bundled: Run) -> None:
    inside = unpacked("some.zip")
    events = [orjson.loads(line) for line in (inside / "events.jsonl").read_bytes().splitlines()]

    assert [event["type"] for event in events] == [
        "InputFileReceived", "InputFileValidated", "SessionInsertRequested", "SessionInserted", "InputFileProcessed",
    ]  # fmt: skip
    assert all("proof" in event for event in events)
    (file,) = (inside / "files").iterdir()
    assert file.read_bytes() == Path("recordings.yml").read_bytes()
    assert len(text_of(str(inside / "README.txt")).splitlines()) == 11


def test_bundle_up_to_an_older_checkpoint_ends_there(bundled: Run) -> None:
    assert bundled("bundle", "then.zip", "--checkpoint", "old.txt").exit == 0
    inside = unpacked("then.zip")

    assert text_of(str(inside / "checkpoint.txt")) == text_of("old.txt")
    assert len((inside / "events.jsonl").read_bytes().splitlines()) == int(text_of("old.txt").splitlines()[1])


def test_key_and_checkpoint_from_elsewhere_are_compared(bundled: Run, folder: Path) -> None:
    key = public_key_text(read_key(folder / "daybook.key"))
    other = public_key_text(read_key(_other_key(folder)))
    whole, part = unpacked("all.zip", "whole"), unpacked("some.zip", "part")

    assert stranger(whole, "--key", key, "--checkpoint", "../old.txt").returncode == 0
    assert "compare it, or a checkpoint" not in stranger(whole, "--key", key).stdout
    assert "[other-key]" in stranger(whole, "--key", other).stdout
    assert "[not-comparable]" in stranger(part, "--checkpoint", "../old.txt").stdout


def _other_key(folder: Path) -> Path:
    (folder / "other").mkdir()
    assert run_cli("init", "--db", f"sqlite:///{folder / 'other' / 'daybook.db'}").exit == 0
    return folder / "other" / "daybook.key"


def test_redacted_event_is_in_it_with_its_hash_alone(
    daybook: Daybook, ledger_url: str, tmp_path: Path
) -> None:
    append(daybook.database, [added("a name")])
    daybook.submit(GrantRole(user="user_2", role="admin"))
    request = daybook.submit(RequestRedaction(position=2, reason="asked for")).result.request
    other = Daybook.open(ledger_url, Actor("user_2"))
    other.submit(ApproveRedaction(request=int(request[1:])))
    bundle_of(other, tmp_path)
    other.close()

    report = verify(tmp_path / "b.zip")
    assert holds(report) and report.redacted == 1 and report.events == report.size
    assert b"a name" not in ZipFile(tmp_path / "b.zip").read("events.jsonl")


def bundle_of(daybook: Daybook, folder: Path) -> None:
    text = make_checkpoint(daybook, folder / "daybook.key")
    with (folder / "b.zip").open("x+b") as target:
        write_bundle(daybook, target, checkpoint=text)


def test_files_of_the_desktop_do_not_disturb(small: Path) -> None:
    (small / "files" / ".DS_Store").write_bytes(b"x")
    (small / "notes.txt").write_text("mine")
    assert holds(verify(small))


def test_checkpoint_of_another_ledger_is_told_apart_from_damage(small: Path, folder: Path) -> None:
    _other_key(folder)
    db = f"sqlite:///{folder / 'other' / 'daybook.db'}"
    assert run_cli("checkpoint", "-o", "theirs.txt", "--db", db).exit == 0

    told = stranger(small, "--checkpoint", "../theirs.txt")
    assert told.returncode == 1 and "[other-ledger]" in told.stdout
    refused = run_cli("verify", "--bundle", "b.zip", "--checkpoint", "theirs.txt", "--json")
    assert (refused.exit, refused.json["error"]["code"]) == (1, "foreign-checkpoint")


# --- what it finds ----------------------------------------------------------------------------------------------------


def holds(report: Report) -> bool:
    return not report.problems


def problems(path: str | Path, given: Given = NOTHING) -> Report | None:
    """None for what is no bundle any more."""
    try:
        return verify(Path(path), given)
    except Malformed:
        return None


@pytest.fixture
def small(run_here: Run, folder: Path) -> Path:
    """A bundle of a small ledger with an input file and a name that is not ASCII, unpacked; ``b.zip`` is the same."""
    Path("a.yml").write_text("sessions: [Überfluß]\n", encoding="utf-8")
    assert run_here("subject", "add", "12345").exit == 0
    assert run_here("upload", "a.yml").exit == 1
    assert run_here("bundle", "b.zip").exit == 0
    assert run_here("bundle", "part.zip", "u3").exit == 0
    return unpacked("b.zip", "whole")


def test_every_byte_of_the_members_counts(small: Path) -> None:
    for inside in (small, unpacked("part.zip", "part")):
        for member in ("events.jsonl", "checkpoint.txt", "public_key.txt", *_files(inside)):
            file = inside / member
            content = file.read_bytes()
            for at in range(0, len(content), 1 if inside == small else 7):
                file.write_bytes(flipped(content, at))
                report = problems(inside)
                assert report is None or not holds(report), (member, at, content[max(0, at - 20) : at + 20])
            file.write_bytes(content)
        assert holds(verify(inside))


def _files(inside: Path) -> list[str]:
    found = [f"files/{file.name}" for file in (inside / "files").iterdir()]
    assert found
    return found


def test_every_byte_of_the_zip_file_counts(small: Path) -> None:
    content = Path("b.zip").read_bytes()
    for at in [*range(0, len(content), 7), *range(len(content) - 700, len(content))]:
        Path("changed.zip").write_bytes(flipped(content, at))
        assert problems("changed.zip") is None, at
    for cut in (1, 66, len(content) // 2):
        Path("changed.zip").write_bytes(content[:-cut])
        assert problems("changed.zip") is None


def change(inside: Path, edit: Callable[[list[bytes]], list[bytes]]) -> Report:
    events = inside / "events.jsonl"
    events.write_bytes(b"".join(edit(events.read_bytes().splitlines(keepends=True))))
    return verify(inside)


def rewritten(line: bytes, **changes: str) -> bytes:
    """An event changed by somebody who knows how leaves are made."""
    event = orjson.loads(line) | changes
    event["payload_sha256"] = bundle_verifier.sha256(event["payload"].encode()).hexdigest()
    event["leaf_sha256"] = bundle_verifier.leaf_of(event).hex()
    return bundle_verifier.line_of(event).encode()


@pytest.mark.parametrize(
    ("edit", "code", "position"),
    [
        (lambda lines: lines[:-1], "position-missing", 4),
        (lambda lines: [lines[0], *lines[2:]], "position-missing", 2),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "position-missing", 2),
        (lambda lines: [*lines[:2], rewritten(lines[2], actor="user_9"), *lines[3:]], "root-mismatch", None),
        (lambda lines: [*lines[:2], lines[2].replace(b"user_1", b"user_9"), *lines[3:]], "event-changed", 3),
        (lambda lines: [], "position-missing", 1),
    ],
)  # fmt: skip
def test_the_first_bad_position_is_named(
    small: Path, edit: Callable[[list[bytes]], list[bytes]], code: str, position: int | None
) -> None:
    report = change(small, edit)
    assert (report.problems[0].code, report.problems[0].position) == (code, position)


def test_changed_payload_is_found_at_its_position(small: Path) -> None:
    report = change(small, lambda lines: [*lines[:2], lines[2].replace(b"a.yml", b"b.yml"), *lines[3:]])
    assert ("payload-changed", 3) in {(p.code, p.position) for p in report.problems}


def test_event_that_is_not_in_the_tree_is_found(small: Path) -> None:
    part = unpacked("part.zip", "part")
    report = change(part, lambda lines: [rewritten(lines[0], actor="user_9"), *lines[1:]])
    assert {p.code for p in report.problems} == {"not-included"}


def test_input_file_that_is_missing_or_belongs_to_no_event_is_found(small: Path) -> None:
    (file,) = (small / "files").iterdir()
    stray = small / "files" / bundle_verifier.sha256(b"stray").hexdigest()
    file.unlink()
    stray.write_bytes(b"stray")
    assert {(p.code, p.position) for p in verify(small).problems} == {
        ("file-missing", 3),
        ("file-stray", None),
    }


def test_another_past_under_the_same_key_disagrees_with_an_older_checkpoint(
    small: Path, folder: Path
) -> None:
    key = read_key(folder / "daybook.key")
    own = read_note(text_of(str(small / "checkpoint.txt")))
    other = sign(Checkpoint(own.origin, 3, b"\1" * 32), key)
    report = verify(small, Given(checkpoints=[read_note(other)]))
    assert {p.code for p in report.problems} == {"checkpoint-mismatch"}


@pytest.mark.tampers
def test_ledger_that_was_changed_gives_no_bundle(uploaded: Run, ledger_url: str) -> None:
    as_owner(ledger_url, "UPDATE events SET actor = 'user_9' WHERE position = 3")
    refused = uploaded("bundle", "b.zip")
    assert refused.exit == 5 and not Path("b.zip").exists()


@given(size=st.integers(1, 70), index=st.integers(0, 70), spoilt=st.integers(-1, 8))
def test_the_script_judges_proofs_as_the_ledger_does(size: int, index: int, spoilt: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    root = CompactRange().extend(leaves).root()
    inside = min(index, size - 1)
    path = inclusion_proof(inside, size, node_source(leaves))
    if 0 <= spoilt < len(path):
        path[spoilt] = leaf_hash(path[spoilt])
    elif spoilt >= len(path):
        path = [*path, root] if spoilt % 2 else path[:-1]
    good = path == inclusion_proof(inside, size, node_source(leaves)) and index == inside

    assert (bundle_verifier.root_over(leaves[inside], index, size, path) == root) is good


@given(size=st.integers(1, 70))
def test_the_script_makes_of_leaves_the_root_that_the_ledger_makes(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    roots: list[bytes] = []
    for number, leaf in enumerate(leaves):
        bundle_verifier.append(roots, number, leaf)
    assert bundle_verifier.root_of(roots) == CompactRange().extend(leaves).root()


# --- hostile archives -------------------------------------------------------------------------------------------------


def hostile(name: str, content: bytes) -> Path:
    """A bundle with one more member, and a seal that fits."""
    raw = io.BytesIO(Path("b.zip").read_bytes())
    with ZipFile(raw, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b""
        archive.writestr(ZipInfo(name) if name.endswith("/") else name, content, zipfile.ZIP_DEFLATED)
    _seal(raw)
    Path("hostile.zip").write_bytes(raw.getvalue())
    return Path("hostile.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "files/../../evil",
        "C:\\evil",
        "events.jsonl",
        "files/short",
        "sitecustomize.py",
        "x/",
    ],
)
def test_member_that_does_not_belong_into_a_bundle_is_refused(small: Path, folder: Path, name: str) -> None:
    before = sorted(folder.rglob("*"))
    with pytest.raises(Malformed, match="does not belong"):
        verify(hostile(name, b"evil"))
    assert sorted(folder.rglob("*")) == sorted({*before, folder / "hostile.zip"})


def test_zip_bomb_is_refused_unread(small: Path) -> None:
    bomb = hostile("files/" + "0" * 64, bytes(200 << 20))
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(Malformed, match="zip bomb"):
        verify(bomb)


def test_bomb_that_states_another_size_is_read_no_further_than_that(small: Path) -> None:
    raw = bytearray(hostile(name := "files/" + "0" * 64, bytes(200 << 20)).read_bytes())
    for signature, field in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = raw.rindex(signature)
        assert name.encode() in raw[at : at + 120]
        raw[at + field : at + field + 4] = (1 << 20).to_bytes(4, "little")
    Path("bomb.zip").write_bytes(sealed(raw))

    read = 0
    with ZipFile("bomb.zip") as archive, archive.open(name) as stream, pytest.raises(zipfile.BadZipFile):
        while chunk := stream.read(1 << 16):
            read += len(chunk)
    assert 0 < read <= 1 << 20
    with pytest.raises(Malformed, match="damaged"):
        verify(Path("bomb.zip"))


def test_members_that_share_their_bytes_are_refused(small: Path) -> None:
    raw = bytearray(Path("b.zip").read_bytes())
    at = raw.index(b"PK\1\2")
    raw[at + 20 : at + 24] = len(raw).to_bytes(
        4, "little"
    )  # what the first member takes up, as the directory has it
    Path("shared.zip").write_bytes(sealed(raw))
    with pytest.raises(Malformed, match="zip bomb"):
        verify(Path("shared.zip"))


def test_whoever_seals_a_damaged_archive_again_gets_no_further(small: Path) -> None:
    content = Path("b.zip").read_bytes()
    for at in [*range(0, len(content) - 700, 31), *range(len(content) - 700, len(content) - 66, 3)]:
        for bit in (1, 0x80):
            changed = bytearray(content)
            changed[at] ^= bit
            Path("changed.zip").write_bytes(sealed(changed))
            report = problems("changed.zip")
            assert report is None or not holds(report) or same_evidence(Path("changed.zip")), at


def sealed(raw: bytes | bytearray) -> bytes:
    stream = io.BytesIO(bytes(raw))
    _seal_again(stream)
    return stream.getvalue()


def _seal_again(stream: io.BytesIO) -> None:
    stream.seek(-bundle_verifier.SEAL_BYTES, 2)
    stream.truncate()
    _seal(stream)


def same_evidence(file: Path) -> bool:
    """Only what proves nothing was changed: the fields of an archive, README.txt, verify.py."""
    with ZipFile("b.zip") as before, ZipFile(file) as after:
        names = {name for name in before.namelist() if name not in ("README.txt", "verify.py")}
        return all(before.read(name) == after.read(name) for name in names)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_archive_that_is_packed_in_another_way_is_refused(small: Path, method: int) -> None:
    raw = io.BytesIO()
    with ZipFile("b.zip") as before, ZipFile(raw, "w", method) as after:
        for name in before.namelist():
            after.writestr(name, before.read(name))
    _seal(raw)
    Path("other.zip").write_bytes(raw.getvalue())
    with pytest.raises(Malformed, match="does not belong"):
        verify(Path("other.zip"))


@pytest.mark.parametrize(
    "change",
    [
        {"position": 1.0}, {"position": "1"}, {"position": True}, {"schema": None}, {"actor": ["user_1"]},
        {"payload": 3}, {"payload_sha256": "AB" * 32}, {"leaf_sha256": "0"}, {"proof": None}, {"proof": 5},
        {"proof": {}}, {"proof": [None]}, {"proof": ["%"]}, {"proof": [[]]}, {"other": 1},
    ],
)  # fmt: skip
def test_event_with_something_else_in_a_field_is_malformed(small: Path, change: dict[str, object]) -> None:
    events = small / "events.jsonl"
    first, _, others = events.read_bytes().partition(b"\n")
    events.write_bytes(bundle_verifier.line_of(orjson.loads(first) | change).encode() + others)
    assert stranger(small).returncode == 1
    with pytest.raises(Malformed):
        verify(small)


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"\xff", b"{}", b"", b"\n", b'{"position": NaN}', b"9" * 10_000]
)
def test_file_that_holds_something_else_is_malformed(small: Path, content: bytes) -> None:
    for name in ("events.jsonl", "checkpoint.txt", "public_key.txt"):
        before = (small / name).read_bytes()
        (small / name).write_bytes(content)
        report = problems(small)
        assert report is None or not holds(report)
        assert stranger(small).returncode == 1
        (small / name).unlink()
        assert problems(small) is None
        (small / name).write_bytes(before)


def test_what_is_no_bundle_or_key_or_checkpoint_is_wrong_usage(small: Path) -> None:
    Path("text.txt").write_text("text")
    for arguments in (
        ["none.zip"], ["--key", "text"], ["--trust", "text"], ["--checkpoint", "none.txt"],
        ["--checkpoint", "../text.txt"], ["--checkpoint", "."], ["--other"],
    ):  # fmt: skip
        assert stranger(small, *arguments).returncode == 2


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\5\6" + bytes(18), b"hello", bytes(200)])
def test_what_is_no_bundle_is_refused(run_here: Run, content: bytes) -> None:
    Path("none.zip").write_bytes(content)
    refused = run_here("verify", "--bundle", "none.zip", "--json")
    assert (refused.exit, refused.json["error"]["code"]) == (1, "malformed")


def test_bundle_that_is_there_already_is_not_overwritten(run_here: Run) -> None:
    Path("b.zip").write_bytes(b"precious")
    assert run_here("bundle", "b.zip").exit == 2
    assert Path("b.zip").read_bytes() == b"precious"


def test_unknown_record_leaves_no_file(run_here: Run) -> None:
    assert run_here("bundle", "b.zip", "s999").exit == 1
    assert not Path("b.zip").exists()


def test_auditor_may_bundle(ledger_url: str, tmp_path: Path) -> None:
    opened = Daybook.open(ledger_url, Actor("somebody"))
    bundle_of(opened, tmp_path)
    opened.close()
    assert holds(verify(tmp_path / "b.zip"))


def test_bundle_of_many_events_is_whole(ledger_url: str, tmp_path: Path) -> None:
    database = Database(ledger_url)
    append_plainly(database, [added(str(number)) for number in range(700)])
    database.close()
    opened = Daybook.open(ledger_url, Actor("user_1"))
    bundle_of(opened, tmp_path)
    opened.close()
    report = verify(tmp_path / "b.zip")
    assert holds(report) and report.whole and report.events == report.size
