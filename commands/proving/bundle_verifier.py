"""Verify a bundle of a Daybook ledger, without Daybook.

Usage: python verify.py [BUNDLE] [--key TEXT] [--trust TEXT]... [--checkpoint FILE]...

BUNDLE is the zip file or the folder that it was unpacked to; without it, the folder of this script. Recomputed are
the hash of every payload, the leaf of every event, the root of the tree or every inclusion proof, the signatures under
the checkpoint and the sha256 of every input file. Exit code 0 where all of it was checked and holds, 1 where something
does not or could not be checked, 2 for wrong usage. Nothing is written. Needs Python 3.9 or newer, and for the
signatures the package ``cryptography``. One file that imports nothing else of Daybook, because it travels with bundles.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import zipfile
import zlib
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

README, SCRIPT, CHECKPOINT, PUBLIC_KEY, EVENTS = NAMES = (
    "README.txt", "verify.py", "checkpoint.txt", "public_key.txt", "events.jsonl",
)  # fmt: skip
FILES = "files/"  # and the sha256 of the file
SEAL_BYTES = 64  # the comment at the end of the zip file: sha256, in hex, of all before it and its length
CHUNK = 1 << 20

# A key of kind 1 is a ledger's, of kind 4 a witness's, who signs the time as well. A note is a checkpoint; its
# signatures are (name, key id, signature). Given is what the verifier got elsewhere. A position is an event's, or None.
Key = namedtuple("Key", "text name key_id kind key")
Note = namedtuple("Note", "text origin size root signatures")
Given = namedtuple("Given", "key trust checkpoints", defaults=(None, (), ()))
NOTHING = Given()
Problem = namedtuple("Problem", "code position message")


class Malformed(ValueError):
    """What was given is not in the format at all."""


class Report:
    def __init__(self) -> None:
        self.events = self.redacted = self.files = self.size = 0
        self.whole = True
        self.origin = self.root = self.public_key = self.fingerprint = ""
        self.checked: list[str] = []
        self.unchecked: list[str] = []
        self.problems: list[Problem] = []

    def add(self, code: str, message: str, position: int | None = None) -> None:
        if len(self.problems) < 20:
            self.problems.append(Problem(code, position, message))

    def lines(self) -> Iterator[str]:
        yield f"Ledger {self.origin}: {self.events:,} of {self.size:,} events, root {self.root}"
        yield f"  redacted payloads: {self.redacted:,}; input files: {self.files:,}"
        yield from (f"  checked: {text}" for text in self.checked)
        yield from (f"  NOT CHECKED: {text}" for text in self.unchecked)
        for code, position, message in self.problems:
            yield f"  PROBLEM: {f'position {position}: ' if position else ''}{message} [{code}]"


# --- the leaf: what the tree holds of an event

FIELDS = {
    "position": int, "stream": str, "stream_version": int, "type": str, "schema": int, "command_id": str,
    "correlation": str, "causation": int, "actor": str, "via": str, "recorded_at": str, "subject": str,
    "username": str, "payload_sha256": str, "payload": str, "leaf_sha256": str,
}  # fmt: skip
NUMBERS = [name for name, kind in FIELDS.items() if kind is int]
TEXTS = [name for name, kind in FIELDS.items() if kind is str][:-3]


def leaf_of(event: dict[str, Any]) -> bytes:
    """It holds the payload by its hash: a payload can be redacted, and the leaf remains what it was."""
    numbers = ",".join(str(event[name]) for name in NUMBERS)
    texts = "".join(f"{len(event[name])}:{event[name]}" for name in TEXTS)
    data = f"daybook/event/1\n{numbers}\n{texts}".encode() + bytes.fromhex(event["payload_sha256"])
    return sha256(b"\x00" + data).digest()


def line_of(event: dict[str, Any]) -> str:
    """The one spelling of an event."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n"


def read_event(line: bytes) -> dict[str, Any]:
    event = json.loads(line)
    if not isinstance(event, dict) or tuple(event) not in (tuple(FIELDS), (*FIELDS, "proof")):
        raise Malformed("an event has the fields " + ", ".join(FIELDS))
    for name, kind in FIELDS.items():
        if type(event[name]) is not kind and (name, event[name]) != ("payload", None):
            raise Malformed(f"{name} is neither the text nor the number that it has to be")
        if name.endswith("_sha256") and not re.fullmatch("[0-9a-f]{64}", event[name]):
            raise Malformed(f"{name} is not 64 digits 0-9 a-f")
    proof = event.get("proof", [])
    if type(proof) is not list or any(type(one) is not str for one in proof):
        raise Malformed("proof is not a list of texts")
    if line_of(event).encode() != line:
        raise Malformed("it is not spelled as it was written")
    return event


def check_event(event: dict[str, Any], report: Report) -> bytes:
    """An event against its own hashes. Returns the leaf, as it ought to be."""
    position, payload, leaf = event["position"], event["payload"], leaf_of(event)
    report.events += 1
    report.redacted += payload is None
    if leaf.hex() != event["leaf_sha256"]:
        report.add("event-changed", f"Event {position} is not the one that its leaf was made of.", position)
    if payload is not None and sha256(payload.encode()).hexdigest() != event["payload_sha256"]:
        report.add("payload-changed", f"The payload of event {position} is not the one recorded.", position)
    return leaf


# --- the tree (RFC 6962; the event at position 1 is leaf 0)


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def append(roots: list[bytes], size: int, leaf: bytes) -> None:
    """``roots`` are those of the largest complete subtrees over so many leaves, left to right."""
    while size & 1:
        leaf, size = node(roots.pop(), leaf), size >> 1
    roots.append(leaf)


def root_of(roots: Sequence[bytes]) -> bytes:
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node(left, root)
    return root


def root_over(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of a tree of this size in which the leaf at ``index`` has this audit path (section 2.1.1)."""
    if size <= 1 or not path:
        return leaf if (index, size, len(path)) == (0, 1, 0) else b""  # b"" leads to no root
    left = 1 << ((size - 1).bit_length() - 1)  # the leaves of the left subtree
    if index < left:
        return node(root_over(leaf, index, left, path[:-1]), path[-1])
    return node(path[-1], root_over(leaf, index - left, size - left, path[:-1]))


# --- the signed note: keys, and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature)


def from_base64(text: str) -> bytes:
    try:
        blob = base64.b64decode(text, validate=True)
    except ValueError:
        blob = b""
    if base64.b64encode(blob).decode() != text:
        raise Malformed(f"{text[:20]!r} is not base64")
    return blob


def read_key(text: str) -> Key:
    found = re.fullmatch(r"([^+\n]+)\+([0-9a-f]{8})\+(.+)", text)
    blob = from_base64(found[3]) if found else b""
    if not found or len(blob) != 33 or blob[0] not in (1, 4):
        raise Malformed("a public key is one line, name+key id+base64, of an Ed25519 key")
    if sha256(found[1].encode() + b"\n" + blob).hexdigest()[:8] != found[2]:
        raise Malformed(f'the public key of "{found[1]}" does not fit its key id: it was mistyped or changed')
    return Key(text, found[1], bytes.fromhex(found[2]), blob[0], blob[1:])


def read_note(text: str) -> Note:
    form = r"((.+)\n(0|[1-9][0-9]{0,18})\n(.+)\n(?:.+\n)*)\n((?:— [^ \n]+ [^ \n]+\n)+)"
    found = re.fullmatch(form, text)
    if not found:
        raise Malformed("a checkpoint has the lines origin, size and root, a blank line, and signatures")
    signatures = []
    for line in found[5][:-1].split("\n"):
        name, signature = line.split(" ")[1:]
        signatures.append((name, from_base64(signature)[:4], from_base64(signature)[4:]))
    return Note(found[1], found[2], int(found[3]), from_base64(found[4]), signatures)


def signed_by(note: Note, key: Key) -> bool | None:
    """None where ``cryptography`` is not installed."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return None
    for name, key_id, blob in note.signatures:
        if (name, key_id) == (key.name, key.key_id):
            text, signature = note.text, blob
            if key.kind == 4:
                text = f"cosignature/v1\ntime {int.from_bytes(blob[:8], 'big')}\n{text}"
                signature = blob[8:]
            try:
                Ed25519PublicKey.from_public_bytes(key.key).verify(signature, text.encode())
            except InvalidSignature:
                return False
            return True
    return False


def check_signatures(note: Note, own: Key, given: Given, report: Report) -> None:
    """A witness must have signed the checkpoints that were given, or where there are none that of the bundle."""
    key = given.key or own
    report.origin, report.size, report.root = note.origin, note.size, note.root.hex()
    report.public_key, report.fingerprint = key.text, sha256(key.key).hexdigest()
    if key != own or key.name != note.origin:
        report.add("other-key", f'The checkpoint is of "{note.origin}"; the bundle has the key {own.text}.')
    signed = [(one, key) for one in (note, *given.checkpoints)]
    signed += [(one, witness) for one in given.checkpoints or [note] for witness in given.trust]
    for one, key in signed:
        who = f"the {'ledger' if key.kind == 1 else 'witness'} {key.name}+{key.key_id.hex()}"
        what = "the checkpoint" if one is note else f"the checkpoint of {one.size} events given"
        sound = signed_by(one, key)
        if sound is None:
            report.unchecked.append(f"the signature of {who}: the package cryptography is not installed")
        elif sound:
            report.checked.append(f"the signature of {who} under {what}")
        else:
            report.add("signature-wrong", f"There is no sound signature of {who} under {what}.")


# --- the files of a bundle: what opens each of them, by its name

Members = dict[str, Callable[[], Any]]
Progress = Callable[[int, int], None]


def in_folder(folder: Path) -> Members:
    """What else lies there is not looked at; hidden files are those of the desktop."""
    paths = [*map(folder.joinpath, NAMES), *folder.glob(FILES + "[!.]*")]
    return {path.relative_to(folder).as_posix(): partial(path.open, "rb") for path in paths if path.is_file()}


def in_zip(file: Path, archive: zipfile.ZipFile) -> Members:
    """Only names of the format, each once: else who unpacks it gets something else than what is verified here."""
    found: Members = {}
    for member in archive.infolist():
        name, known = member.orig_filename, member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if not known or name in found or not (name in NAMES or re.fullmatch(FILES + "[0-9a-f]{64}", name)):
            raise Malformed(f"{name!r} does not belong into a bundle, or is in it twice")
        found[name] = partial(archive.open, member)
    packed = sum(member.compress_size for member in archive.infolist())
    unpacked = sum(member.file_size for member in archive.infolist())  # zipfile reads no more than that
    if packed > file.stat().st_size or unpacked > 200 * packed + 64 * CHUNK:
        raise Malformed("it would unpack to so much that it looks like a zip bomb")
    return found


def check_seal(file: Path) -> None:
    """Damage on the way is found wherever it is, also where the format of zip files has no checksum."""
    end, hashed = b"", sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            hashed.update((end + chunk)[: -SEAL_BYTES - 2])
            end = (end + chunk)[-SEAL_BYTES - 2 :]
    if end != SEAL_BYTES.to_bytes(2, "little") + hashed.hexdigest().encode():
        raise Malformed("the bytes of the zip file do not have the hash at its end: fetch it again")


def beginning_of(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(CHUNK)


def text_in(members: Members, name: str) -> str:
    with members[name]() as stream:
        return str(stream.read(CHUNK), "utf-8")


def events_in(members: Members) -> Iterator[dict[str, Any]]:
    with members[EVENTS]() as stream:
        for number, line in enumerate(iter(lambda: stream.readline(256 * CHUNK), b""), start=1):
            try:
                yield read_event(line)
            except (ValueError, RecursionError) as error:
                raise Malformed(f"{EVENTS}, line {number}: {error}") from None


def check_files(members: Members, received: dict[str, int], report: Report) -> None:
    """``received``: the position of the event that received a file first, by the sha256 of the file."""
    for name in sorted(name for name in members if name.startswith(FILES)):
        digest, hashed = name[len(FILES) :], sha256()
        position = received.pop(digest, None)
        report.files += 1
        with members[name]() as stream:
            while chunk := stream.read(CHUNK):
                hashed.update(chunk)
        if hashed.hexdigest() != digest:
            report.add("file-changed", f"{name} does not hold the bytes that its name says.", position)
        elif position is None:
            report.add("file-stray", f"No event in the bundle received {name}.")
    for digest, position in received.items():
        report.add("file-missing", f"Input file {digest} of event {position} is missing.", position)
    report.checked.append("the sha256 of every input file")


# --- all of it


def verify(path: Path, given: Given = NOTHING, progress: Progress = lambda done, total: None) -> Report:
    """Raises Malformed, with a message for people, for what is no bundle or is damaged."""
    try:
        if path.is_dir():
            return verify_members(in_folder(path), given, progress)
        with zipfile.ZipFile(path) as archive:
            check_seal(path)
            return verify_members(in_zip(path, archive), given, progress)
    except OSError as error:
        raise Malformed(f"{error.filename or path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise Malformed(f"the bundle is damaged: {error}") from None


def verify_members(members: Members, given: Given, progress: Progress) -> Report:
    missing = [name for name in (CHECKPOINT, PUBLIC_KEY, EVENTS) if name not in members]
    if missing:
        raise Malformed(f"there is no {', '.join(missing)} in it")
    note, own = read_note(text_in(members, CHECKPOINT)), read_key(text_in(members, PUBLIC_KEY).rstrip("\n"))
    report, last = Report(), 0
    tree: list[bytes] = []
    received: dict[str, int] = {}
    check_signatures(note, own, given, report)
    roots = dict.fromkeys([note.size, *(one.size for one in given.checkpoints)], b"")
    for event in events_in(members):
        position, proof, leaf = event["position"], event.get("proof"), check_event(event, report)
        report.whole = report.whole if last else proof is None
        if report.whole is not (proof is None) or position <= last:
            raise Malformed(f"event {position}: events are in order, and either all or none have proofs")
        if report.whole and position > last + 1:
            report.add("position-missing", f"There is no event at position {last + 1}.", last + 1)
            return report
        last = position
        if event["type"] == "InputFileReceived" and event["payload"]:
            received.setdefault(file_in(event["payload"]), position)
        if report.whole:
            append(tree, position - 1, leaf)
            if position in roots:
                roots[position] = root_of(tree)
            progress(position, note.size)
        elif root_over(leaf, position - 1, note.size, [from_base64(one) for one in proof or ()]) != note.root:
            report.add("not-included", f"Event {position} is not in the tree that was signed.", position)
    report.checked.append("the hash of every payload, the leaf of every event")
    check_roots(note, last, roots, given, report)
    check_files(members, received, report)
    report.problems.sort(key=lambda problem: (problem.position is None, problem.position or 0))
    return report


def file_in(payload: str) -> str:
    try:
        return str(json.loads(payload)["sha256"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return "(unnamed)"


def check_roots(note: Note, size: int, roots: dict[int, bytes], given: Given, report: Report) -> None:
    """``roots``: of the first so many events, as far as they are in the bundle."""
    if not report.whole:
        report.checked.append("an inclusion proof for every event")
        roots[note.size] = note.root
    elif size != note.size:
        text = f"The bundle has {size} events; {note.size} were signed."
        report.add("position-missing", text, min(size, note.size) + 1)
    elif roots[size] != note.root:
        report.add("root-mismatch", f"The events have the root {roots[size].hex()}, which was not signed.")
    else:
        report.checked.append("the root of the whole tree")
    for one in given.checkpoints:
        what = f"the checkpoint of {one.size} events given"
        if one.origin != note.origin:
            report.add("other-ledger", f'The checkpoint given is of another ledger, "{one.origin}".')
        elif not roots[one.size]:
            report.add("not-comparable", f"Only a bundle of the whole ledger can be compared with {what}.")
        elif roots[one.size] != one.root:
            report.add("checkpoint-mismatch", f"It does not agree with {what}: the past was rewritten.")
        else:
            report.checked.append(f"that it agrees with {what}")


def printable(text: str) -> str:
    """Without characters that a terminal would obey: who made the bundle chose them."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("bundle", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--key", type=read_key, help="the ledger's public key, as you got it elsewhere")
    parser.add_argument(
        "--trust", type=read_key, action="append", help="key of a witness who must have signed"
    )
    parser.add_argument("--checkpoint", type=Path, action="append", help="one that you got elsewhere")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    options = parser.parse_args()
    try:
        kept = [read_note(beginning_of(file).decode()) for file in options.checkpoint or ()]
        options.bundle.stat()
    except (OSError, ValueError) as error:
        parser.error(printable(str(error)))
    try:
        report = verify(options.bundle, Given(options.key, options.trust or (), kept))
    except Malformed as error:
        print(f"NOT INTACT: {printable(str(error))}.", file=sys.stderr)
        return 1
    print("\n".join(map(printable, report.lines())))
    print(f"Key: {printable(report.public_key)}\nFingerprint: sha256 {report.fingerprint}")
    if not (options.key or kept):
        print("The key came with what it signs: compare it, or a checkpoint, with one that you got elsewhere")
        print("(--key TEXT, --checkpoint FILE). Who has both the ledger and its key can make another past.")
    apart = " Not everything was: see NOT CHECKED." if report.unchecked else ""
    print("NOT EVERYTHING HOLDS." if report.problems else f"Everything that was checked holds.{apart}")
    return 1 if report.problems or report.unchecked else 0


if __name__ == "__main__":
    sys.exit(main())
