"""Verify a bundle, a proof or a receipt of a Daybook ledger, without Daybook.

Usage: python verify.py [FILE] [--key TEXT] [--trust TEXT]... [--checkpoint FILE]... [--consistency FILE]

FILE is a bundle (a zip file or the folder it was unpacked to), or a proof or receipt (JSON); without FILE it is the
folder of this script. Everything is recomputed: the hash of every payload, the leaf of every event, the root of the
tree (RFC 6962), the signatures under the checkpoint (C2SP signed-note), the sha256 of every input file. Exit code 0
where all of it holds, 1 where something does not, 2 for wrong usage.

Needs Python 3.9 or newer and nothing else; the signatures are checked where the package ``cryptography`` is installed.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NoReturn

PROOF_FORMAT = "daybook/proof/1"
README, SCRIPT, CHECKPOINT, PUBLIC_KEY, EVENTS = (
    "README.txt", "verify.py", "checkpoint.txt", "public_key.txt", "events.jsonl",
)  # fmt: skip
FILES = "files/"
SEAL_BYTES = 64  # the archive's comment: sha256, in hex, of all that is before it

# The fields of an event, in the order in which the leaf and the lines of events.jsonl have them.
TEXTS = ("stream", "type", "command_id", "correlation", "actor", "via", "recorded_at", "subject", "username")
NUMBERS = ("position", "stream_version", "schema", "causation")
FIELDS = (
    "position", "stream", "stream_version", "type", "schema", "command_id", "correlation", "causation", "actor", "via",
    "recorded_at", "subject", "username", "payload_sha256", "payload", "leaf_sha256",
)  # fmt: skip

_MEMBER = re.compile(
    r"(README\.txt|verify\.py|checkpoint\.txt|public_key\.txt|events\.jsonl|files/[0-9a-f]{64})"
)
_HEX = re.compile(r"[0-9a-f]{64}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LONGEST_LINE = 1 << 28
_LARGEST_TEXT = 1 << 28  # of a proof file
_LARGEST_NOTE = 1_000_000
_SUSPICIOUS_SIZE, _SUSPICIOUS_RATIO = 1 << 26, 200  # deflate reaches 1032; the text of a log does not
_MOST_PROBLEMS = 20
_CHUNK = 1 << 20
_KINDS = {1: "ledger", 4: "witness"}


class Malformed(Exception):
    """What was given is not in the format at all."""


class Foreign(Malformed):
    """A checkpoint of another ledger than the one it is to be compared with."""


@dataclass(frozen=True)
class Problem:
    """``position`` is the event concerned, or None."""

    code: str
    position: int | None
    message: str


@dataclass
class Report:
    """What was checked, what could not be, and what does not hold."""

    events: int = 0
    redacted: int = 0
    files: int = 0
    whole: bool = False
    origin: str = ""
    size: int = 0
    root: str = ""
    public_key: str = ""
    fingerprint: str = ""
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def add(self, code: str, message: str, position: int | None = None) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(code, position, message))


@dataclass(frozen=True)
class Elsewhere:
    """What the verifier got from elsewhere: texts of keys and checkpoints, and a consistency proof. The witnesses of
    ``trust`` must have signed these checkpoints, or where there are none that of the bundle."""

    key: str | None = None
    trust: Sequence[str] = ()
    checkpoints: Sequence[str] = ()
    consistency: str | None = None


# --- the tree (RFC 6962, RFC 9162) --------------------------------------------------------------------------------


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """The roots of the largest complete subtrees, left to right: all that is needed to append and to know the root."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        size = self.size
        while size & 1:
            leaf = _node(self._roots.pop(), leaf)
            size >>= 1
        self._roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self._roots:
            return sha256(b"").digest()
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = _node(left, root)
        return root


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    at, last = index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            leaf = _node(sibling, leaf)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            leaf = _node(leaf, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and leaf == root


def consistent(old: Note, new: Note, proof: Sequence[bytes]) -> bool:
    """RFC 9162, section 2.1.4.2."""
    if old.size == 0 or old.size >= new.size:
        return not proof and (old.size == 0 or (old.size, old.root) == (new.size, new.root))
    path = [old.root, *proof] if old.size & (old.size - 1) == 0 else list(proof)
    if not path:
        return False
    at, last = old.size - 1, new.size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_root = new_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old_root, new_root = _node(sibling, old_root), _node(sibling, new_root)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new_root = _node(new_root, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old_root == old.root and new_root == new.root


# --- keys and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ----------------------------------


@dataclass(frozen=True)
class Key:
    name: str
    kind: int
    key: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.key).digest()[:4]

    def text(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.kind]) + self.key).decode()}"


@dataclass(frozen=True)
class Note:
    """A checkpoint and the signatures under it: (name, key id, signature)."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]


def read_key(text: str) -> Key:
    parts = text.split("+", 2)
    blob = _base64(parts[2]) if len(parts) == 3 else b""
    if len(blob) != 33 or blob[0] not in _KINDS:
        raise Malformed("a public key is one line, name+key id+base64, of an Ed25519 key")
    key = Key(parts[0], blob[0], blob[1:])
    if key.key_id.hex() != parts[1]:
        raise Malformed(f'the public key of "{key.name}" does not fit its key id: it was mistyped or changed')
    return key


def read_note(text: str) -> Note:
    body, blank, below = text.partition("\n\n")
    lines = body.split("\n")
    if not blank or not below.endswith("\n") or len(lines) < 3 or not _SIZE.fullmatch(lines[1]):
        raise Malformed("a checkpoint has the lines origin, size and root, a blank line, and signatures")
    root = _base64(lines[2])
    signatures = []
    for line in below[:-1].split("\n"):
        mark, _, rest = line.partition(" ")
        name, _, signed = rest.partition(" ")
        blob = _base64(signed)
        if mark != "—" or not name or len(blob) < 5:
            raise Malformed("below the blank line of a checkpoint are signatures: — name base64")
        signatures.append((name, blob[:4], blob[4:]))
    if len(root) != 32:
        raise Malformed("the root of a checkpoint has 32 bytes")
    return Note(body + "\n", lines[0], int(lines[1]), root, tuple(signatures))


def signed_by(note: Note, key: Key) -> bool | None:
    """Whether the key signed the note; None where ``cryptography`` is not installed."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return None
    found = False
    for name, key_id, signature in note.signatures:
        if (name, key_id) != (key.name, key.key_id):
            continue
        message = note.text
        if key.kind == 4:
            message = f"cosignature/v1\ntime {int.from_bytes(signature[:8], 'big')}\n" + message
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(key.key).verify(signature, message.encode())
        except InvalidSignature:
            return False
        found = True
    return found


def _base64(text: str) -> bytes:
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    if not blob or base64.b64encode(blob).decode() != text:
        raise Malformed(f"{text[:20]!r} is not base64")
    return blob


# --- events -------------------------------------------------------------------------------------------------------


def leaf_of(event: dict[str, Any]) -> bytes:
    """The leaf commits to every field of the envelope, and to the payload by its hash."""
    numbers = ",".join(str(event[name]) for name in NUMBERS)
    texts = "".join(f"{len(event[name])}:{event[name]}" for name in TEXTS)
    data = f"daybook/event/1\n{numbers}\n{texts}".encode() + bytes.fromhex(event["payload_sha256"])
    return sha256(b"\x00" + data).digest()


def line_of(event: dict[str, Any]) -> str:
    """The one spelling of an event in JSON."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def document_text(document: dict[str, Any]) -> str:
    """The one spelling of a proof or receipt."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _check_form(event: Any) -> None:
    if not isinstance(event, dict) or tuple(event) not in (FIELDS, (*FIELDS, "proof")):
        raise Malformed("an event has the fields " + ", ".join(FIELDS))
    texts = [event[name] for name in TEXTS if type(event[name]) is str]
    numbers = [event[name] for name in NUMBERS if type(event[name]) is int]
    if (
        len(numbers) < len(NUMBERS)
        or len(texts) < len(TEXTS)
        or type(event["payload"]) not in (str, type(None))
    ):
        raise Malformed("a field of the event is neither the text nor the number that it has to be")
    for digest in (event["payload_sha256"], event["leaf_sha256"]):
        if type(digest) is not str or not _HEX.fullmatch(digest):
            raise Malformed("a sha256 is 64 digits 0-9 a-f")


def _check_event(event: dict[str, Any], report: Report) -> bytes:
    """The payload and the envelope of one event against its hashes. Returns the leaf as it ought to be."""
    position, payload, leaf = event["position"], event["payload"], leaf_of(event)
    report.events += 1
    if leaf.hex() != event["leaf_sha256"]:
        report.add(
            "event-changed", f"Event {position} is not the one that its leaf hash was made of.", position
        )
    if payload is None:
        report.redacted += 1
    elif sha256(payload.encode()).hexdigest() != event["payload_sha256"]:
        report.add("payload-changed", f"The payload of event {position} is not the one recorded.", position)
    return leaf


def _check_proof(event: dict[str, Any], leaf: bytes, note: Note, report: Report) -> None:
    position = event["position"]
    if not included(leaf, position - 1, note.size, _hashes(event["proof"]), note.root):
        report.add("not-included", f"Event {position} is not in the tree of the checkpoint.", position)


def _hashes(texts: Any) -> list[bytes]:
    hashes = [_base64(text) for text in texts] if isinstance(texts, list) else [b""]
    if any(len(one) != 32 for one in hashes):
        raise Malformed("a proof is a list of hashes of 32 bytes, in base64")
    return hashes


class _Files:
    """Which input files the events name, and which of them were erased."""

    def __init__(self) -> None:
        self._received: dict[str, int] = {}
        self._erased: set[str] = set()

    def note(self, event: dict[str, Any]) -> None:
        if event["type"] not in ("InputFileReceived", "InputFileErased") or event["payload"] is None:
            return
        try:
            digest = str(json.loads(event["payload"])["sha256"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return  # a payload that was changed is reported already
        if event["type"] == "InputFileErased":
            self._erased.add(digest)
        else:
            self._received.setdefault(digest, event["position"])

    def check(self, bundle: _Bundle, report: Report) -> None:
        for name in bundle.files():
            digest = name[len(FILES) :]
            position = self._received.pop(digest, None)
            report.files += 1
            if bundle.digest(name) != digest:
                report.add("file-changed", f"{name} does not hold the bytes that its name says.", position)
            elif position is None:
                report.add("file-stray", f"No event in the bundle received {name}.")
        for digest, position in self._received.items():
            if digest not in self._erased:
                report.add("file-missing", f"Input file {digest} of event {position} is missing.", position)


# --- where the members of a bundle are ----------------------------------------------------------------------------


class _Bundle:
    """A zip file or a folder. Only names of the format are ever opened, and nothing is written anywhere."""

    def __init__(self, place: zipfile.ZipFile | Path) -> None:
        self._place = place
        self._names: set[str] = set()
        for member in place.infolist() if isinstance(place, zipfile.ZipFile) else ():
            name = member.orig_filename
            if not _MEMBER.fullmatch(name) or name in self._names:
                raise Malformed(f"{name!r} does not belong into a bundle, or is in it twice")
            if member.file_size > max(_SUSPICIOUS_SIZE, _SUSPICIOUS_RATIO * member.compress_size):
                raise Malformed(
                    f"{name} would unpack to {member.file_size:,} bytes: it looks like a zip bomb"
                )
            self._names.add(name)
        if isinstance(place, zipfile.ZipFile):
            packed = sum(member.compress_size for member in place.infolist())
            if packed > Path(str(place.filename)).stat().st_size:
                raise Malformed("members of the zip file overlap: it looks like a zip bomb")
            return
        files = place / "files"
        if files.is_dir():  # hidden ones are those of the desktop
            self._names = {FILES + file.name for file in files.iterdir() if not file.name.startswith(".")}

    def files(self) -> list[str]:
        return sorted(name for name in self._names if name.startswith(FILES))

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        if not _MEMBER.fullmatch(name):
            raise Malformed(f"{name!r} does not belong into a bundle")
        if isinstance(self._place, zipfile.ZipFile) and name not in self._names:
            raise Malformed(f"{name} is missing")
        with (
            self._place.open(name)
            if isinstance(self._place, zipfile.ZipFile)
            else (self._place / name).open("rb") as stream
        ):
            yield stream

    def text(self, name: str) -> str:
        with self.open(name) as stream:
            return _decoded(stream.read(_LARGEST_NOTE + 1), name, _LARGEST_NOTE)

    def digest(self, name: str) -> str:
        hashed = sha256()
        with self.open(name) as stream:
            while chunk := stream.read(_CHUNK):
                hashed.update(chunk)
        return hashed.hexdigest()


def _check_seal(path: Path) -> None:
    """The comment of the archive is the hash of every byte before it: damage in transit is found wherever it is."""
    left, hashed = path.stat().st_size - SEAL_BYTES - 2, sha256()
    with path.open("rb") as stream:
        while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
            hashed.update(chunk)
            left -= len(chunk)
        end = stream.read(SEAL_BYTES + 2)
    if end != SEAL_BYTES.to_bytes(2, "little") + hashed.hexdigest().encode():
        raise Malformed("the zip file is damaged: its bytes do not have the hash at its end. Fetch it again")


# --- verifying ----------------------------------------------------------------------------------------------------


def verify_bundle(bundle: _Bundle, elsewhere: Elsewhere, progress: Callable[[int, int], None]) -> Report:
    report, files, tree, before = Report(), _Files(), Tree(), 0
    note, own = read_note(bundle.text(CHECKPOINT)), read_key(_one_line(bundle.text(PUBLIC_KEY), PUBLIC_KEY))
    kept = _check_signatures(note, own, elsewhere, report)
    roots = dict.fromkeys((note.size, *(one.size for one in kept)), b"")
    for event in _events(bundle):
        position, proven = event["position"], "proof" in event
        report.whole = report.whole if before else not proven
        if report.whole is proven:
            raise Malformed(f"event {position}: either all events of a bundle have proofs, or none")
        if report.whole and position != before + 1:
            report.add("position-missing", f"There is no event at position {before + 1}.", before + 1)
            return report
        if position <= before:
            raise Malformed(f"event {position} follows event {before}")
        leaf, before = _check_event(event, report), position
        files.note(event)
        if proven:
            _check_proof(event, leaf, note, report)
            continue
        tree.append(leaf)
        if tree.size in roots:
            roots[tree.size] = tree.root()
        progress(tree.size, note.size)
    report.checked.append("the hash of every payload, the leaf of every event")
    if report.whole:
        _check_root(note, tree.size, roots[note.size], report)
    elif report.events:
        report.checked.append("an inclusion proof for every event")
    else:
        report.add("position-missing", "There is no event in the bundle.", 1)
    if not report.whole:
        roots = {note.size: note.root}
    _check_kept(kept, note, roots, elsewhere, report)
    files.check(bundle, report)
    report.checked.append("the sha256 of every input file")
    report.problems.sort(key=lambda problem: (problem.position is None, problem.position or 0))
    return report


def _events(bundle: _Bundle) -> Iterator[dict[str, Any]]:
    with bundle.open(EVENTS) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), start=1):
            where = f"{EVENTS}, line {number}"
            if not line.endswith(b"\n"):
                raise Malformed(f"{where}: the line does not end")
            text = _decoded(line[:-1], where, _LONGEST_LINE)
            event = _parsed(text, where)
            try:
                _check_form(event)
                one_spelling = line_of(event) == text
            except (Malformed, ValueError) as error:
                raise Malformed(f"{where}: {error}") from None
            if not one_spelling:
                raise Malformed(f"{where}: the line is not spelled as it was written")
            yield event


def verify_document(text: str, elsewhere: Elsewhere) -> Report:
    """A proof or a receipt. One without a checkpoint proves nothing by itself: ``unchecked`` says so."""
    document = _parsed(text, "the file")
    if not isinstance(document, dict) or document.get("format") != PROOF_FORMAT:
        raise Malformed(f"this is neither a bundle nor a {PROOF_FORMAT}")
    if tuple(document) != ("format", "public_key", "checkpoint", "since", "events"):
        raise Malformed("a proof has the members format, public_key, checkpoint, since, events")
    for event in document["events"] if isinstance(document["events"], list) else [None]:
        _check_form(event)
    if document_text(document) != text:
        raise Malformed("the file is not spelled as it was written")
    report, own = Report(), read_key(str(document["public_key"]))
    note = None if document["checkpoint"] is None else read_note(str(document["checkpoint"]))
    kept = _check_signatures(note, own, elsewhere, report)
    for event in document["events"]:
        leaf = _check_event(event, report)
        if (note is None) is ("proof" in event):
            raise Malformed(f"event {event['position']}: a proof needs a checkpoint, a checkpoint proofs")
        if note is not None:
            _check_proof(event, leaf, note, report)
    if document["events"]:
        report.checked.append("the hash of every payload, the leaf of every event")
    if note is None:
        report.unchecked.append("whether the events are in the ledger: there is no proof of it here")
        if kept or elsewhere.trust:
            report.add("not-comparable", "Without a proof in it, it can only be checked against the ledger.")
        return report
    if document["events"]:
        report.checked.append("an inclusion proof for every event")
    _check_kept(kept, note, {note.size: note.root}, elsewhere, report)
    if document["since"] is not None:
        _check_since(document["since"], own, note, report)
    return report


def _check_since(since: Any, key: Key, note: Note, report: Report) -> None:
    if not isinstance(since, dict) or tuple(since) != ("checkpoint", "proof"):
        raise Malformed("since has the members checkpoint and proof")
    old = read_note(str(since["checkpoint"]))
    if signed_by(old, key) is False or old.origin != note.origin:
        report.add("signature-wrong", "The older checkpoint is not signed by the ledger's key.")
    if consistent(old, note, _hashes(since["proof"])):
        report.checked.append(
            f"that the {note.size} events begin with the {old.size} of the older checkpoint"
        )
    else:
        report.add(
            "not-consistent",
            f"The {note.size} events do not begin with the {old.size}: the past was rewritten.",
        )


def _check_signatures(note: Note | None, own: Key, elsewhere: Elsewhere, report: Report) -> list[Note]:
    """Under the checkpoint, and under those from elsewhere, which are returned."""
    key = own if elsewhere.key is None else read_key(elsewhere.key.strip())
    report.origin, report.public_key, report.fingerprint = own.name, key.text(), sha256(key.key).hexdigest()
    if key != own:
        report.add("other-key", f"The key that came with it is another than the one given: {own.text()}.")
    witnesses = [read_key(text.strip()) for text in elsewhere.trust]
    kept = [read_note(text) for text in elsewhere.checkpoints]
    if note is not None:
        report.size, report.root = note.size, note.root.hex()
        _check_signed(note, [key, *([] if kept else witnesses)], "The checkpoint", report)
        if note.origin != own.name:
            report.add("other-key", f'The checkpoint is one of "{note.origin}", the key one of "{own.name}".')
    for one in kept:
        if one.origin != own.name:
            raise Foreign(f'the checkpoint given is of the ledger "{one.origin}", this is "{own.name}"')
        _check_signed(one, [key, *witnesses], f"The checkpoint of {one.size} events given", report)
    return kept


def _check_signed(note: Note, keys: Sequence[Key], what: str, report: Report) -> None:
    for key in keys:
        who = f"the {_KINDS[key.kind]} {key.name}+{key.key_id.hex()}"
        signed = signed_by(note, key)
        if signed:
            report.checked.append(f"the signature of {who} under {what[0].lower()}{what[1:]}")
        elif signed is None:
            report.unchecked.append(f"the signature of {who}: the package cryptography is not installed")
        else:
            report.add("signature-wrong", f"{what} is not signed by {who}.")


def _check_root(note: Note, size: int, root: bytes, report: Report) -> None:
    if size != note.size:
        text = f"The bundle has {size} events; signed are {note.size}."
        report.add("position-missing", text, min(size, note.size) + 1)
    elif root != note.root:
        report.add("root-mismatch", f"The events have the root {root.hex()}; signed is {note.root.hex()}.")
    else:
        report.checked.append("the root of the whole tree")


def _check_kept(
    kept: Sequence[Note], note: Note, roots: dict[int, bytes], elsewhere: Elsewhere, report: Report
) -> None:
    """``roots``: of the events that are here, by size; empty for a size that they do not reach."""
    for one in kept:
        what = f"the checkpoint of {one.size} events given"
        if roots.get(one.size):
            holds = roots[one.size] == one.root
        elif elsewhere.consistency is not None:
            holds = _joined(one, note, elsewhere.consistency)
        else:
            hint = "Give --consistency FILE, made by: daybook prove --since CHECKPOINT"
            report.add(
                "not-comparable", f"This, of {note.size} events, cannot be compared with {what}. {hint}"
            )
            continue
        if holds:
            report.checked.append(f"that it agrees with {what}")
        else:
            report.add("checkpoint-mismatch", f"It does not agree with {what}: the past was rewritten.")


def _joined(kept: Note, note: Note, text: str) -> bool:
    """Whether the consistency proof joins the two checkpoints, in either order."""
    document = _parsed(text, "the consistency proof")
    try:
        since = document["since"]
        old, new = read_note(since["checkpoint"]), read_note(document["checkpoint"])
        proof = _hashes(since["proof"])
    except (KeyError, TypeError, AttributeError):
        raise Malformed("the consistency proof is none") from None
    ends = {(old.size, old.root), (new.size, new.root)}
    return ends == {(kept.size, kept.root), (note.size, note.root)} and consistent(old, new, proof)


def _decoded(data: bytes, what: str, limit: int) -> str:
    if len(data) > limit:
        raise Malformed(f"{what} is longer than {limit:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed(f"{what} is not UTF-8") from None


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed(f"{what} is not JSON") from None


def _one_line(text: str, what: str) -> str:
    if not text.endswith("\n") or text.count("\n") != 1:
        raise Malformed(f"{what} is one line")
    return text[:-1]


def verify(
    path: Path,
    elsewhere: Elsewhere = Elsewhere(),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Raises Malformed, with a message for people, for what is no bundle, proof or receipt, or is damaged."""
    try:
        if path.is_dir():
            return verify_bundle(_Bundle(path), elsewhere, progress)
        with path.open("rb") as stream:
            zipped = stream.read(2) == b"PK"
        if not zipped:
            return verify_document(_source(path), elsewhere)
        _check_seal(path)
        with zipfile.ZipFile(path) as archive:
            return verify_bundle(_Bundle(archive), elsewhere, progress)
    except FileNotFoundError as error:
        raise Malformed(f"there is no {error.filename}") from None
    except OSError as error:
        raise Malformed(f"{error.filename or path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Malformed(f"the zip file is damaged: {error}") from None


def lines_of(report: Report) -> Iterable[str]:
    """The report for people."""
    events = _counted(report.events, "event")
    what = f"all {events}" if report.whole else f"{events} of the first {report.size:,}"
    if not report.size:
        yield f"Ledger {report.origin}: {events}, without a checkpoint."
    else:
        yield f"Ledger {report.origin}: {what if report.events else 'a checkpoint'}, root {report.root}."
    if report.redacted or report.files:
        yield f"  with {_counted(report.files, 'input file')}; the payloads of {report.redacted:,} were redacted"
    for text in report.checked:
        yield f"  checked: {text}"
    for text in report.unchecked:
        yield f"  NOT CHECKED: {text}"
    for problem in report.problems:
        where = "" if problem.position is None else f"position {problem.position}: "
        yield f"  PROBLEM: {where}{problem.message} [{problem.code}]"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _source(file: Path) -> str:
    with file.open("rb") as stream:
        return _decoded(stream.read(_LARGEST_TEXT + 1), str(file), _LARGEST_TEXT)


def _run(arguments: argparse.Namespace) -> int:
    elsewhere = Elsewhere(
        arguments.key,
        tuple(arguments.trust),
        tuple(_source(file) for file in arguments.checkpoint),
        None if arguments.consistency is None else _source(arguments.consistency),
    )
    report = verify(arguments.file, elsewhere)
    for line in lines_of(report):
        print(line)
    print(f"Key: {report.public_key}\nFingerprint: sha256 {report.fingerprint}")
    if arguments.key is None and not arguments.checkpoint:
        print("The key came with what it signs: compare it, or a checkpoint, with one that you got elsewhere")
        print("(--key TEXT, --checkpoint FILE). Who has both the ledger and its key can make another past.")
    apart = " Not everything was: see NOT CHECKED." if report.unchecked else ""
    print(f"Everything that was checked holds.{apart}" if report.ok else "NOT INTACT.")
    return 0 if report.ok else 1


def main() -> NoReturn:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=Path(__file__).parent, help="else this folder")
    parser.add_argument("--key", help="the ledger's public key, as you got it elsewhere")
    parser.add_argument(
        "--trust", action="append", default=[], help="public key of a witness that must have signed"
    )
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="one from elsewhere")
    parser.add_argument("--consistency", type=Path, help="a proof that joins that checkpoint and this one")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = _run(parser.parse_args())
    except Foreign as error:
        print(f"{error}.", file=sys.stderr)
        code = 2
    except Malformed as error:
        print(f"NOT INTACT: {error}.", file=sys.stderr)
        code = 1
    except OSError as error:
        print(f"{error.filename} cannot be read: {error.strerror}.", file=sys.stderr)
        code = 2
    sys.exit(code)


if __name__ == "__main__":
    main()
