"""Write a bundle: a zip file with events, input files and a checkpoint, and the script that verifies it all.

Its receiver needs nothing of Daybook. The same events under the same checkpoint give the same bytes. It takes the
memory of one page of events, whatever the size of the ledger.
"""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from io import BufferedWriter
from pathlib import Path
from typing import IO

import orjson

from commands.door.submit import Daybook
from commands.proving import bundle_verifier
from commands.proving.bundle_verifier import (
    CHECKPOINT,
    EVENTS,
    FILES,
    PUBLIC_KEY,
    README,
    SCRIPT,
    SEAL_BYTES,
    line_of,
)
from commands.proving.checkpoints import ledger_key, own_checkpoint
from commands.proving.documents import Plain
from commands.proving.proofs import event_fields, proven
from ledger import __version__, input_files, log
from ledger.checkpoint import Checkpoint
from ledger.database import Transaction
from ledger.envelope import StoredEvent, leaf_data
from ledger.errors import IntegrityFailure, NextStep, Refusal
from ledger.input_files import erased
from ledger.merkle import CompactRange, leaf_hash
from ledger.plurals import plural
from ledger.signing_keys import public_key_text
from projections.records import Clustering, Deletion, Session

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can state
_CHUNK = 1 << 20
_README = """\
{what} of the Daybook ledger {origin}.

{files}
events.jsonl    {events}
checkpoint.txt  what the ledger signed: its name, its {size} events, the root of their Merkle tree (C2SP)
public_key.txt  the key that signed it, fingerprint sha256 {fingerprint}

To verify all of it: python verify.py   (Python 3.9 or newer; pip install cryptography for the signature)
It needs no network and nothing of Daybook: read it, it is {lines} lines. Compare the key, or a checkpoint, with one
that you got from somebody else: python verify.py --key TEXT, python verify.py --checkpoint FILE
Written by Daybook {version}.
"""
_WRITERS: dict[str, tuple[str, str]] = {}
"""What released versions wrote, where this one writes something else: version -> (sha256 of the script, template of the
readme). Bundles are kept for years, and an old one was not changed because it is old."""
_WRITTEN_BY = re.compile(rb"Written by Daybook (\d+)\.(\d+)\.(\d+)\.\n\Z")


def write_bundle(
    daybook: Daybook,
    target: IO[bytes],
    *,
    checkpoint: str,
    streams: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write the whole ledger up to ``checkpoint``, or only the events of these streams. Returns how many events.

    ``target`` is a new file that can be read again. Raises Refusal where the checkpoint is not this ledger's or covers
    none of the streams, and IntegrityFailure where the ledger does not hold what was signed.
    """
    with daybook.database.reading() as transaction:
        signed = own_checkpoint(transaction, checkpoint)
        key = ledger_key(transaction)
        if streams:
            some = _of_streams(transaction, streams, signed)
            fields = proven(transaction, some, signed)
            total = len(some)
        else:
            fields, total = _all(transaction, signed), signed.size
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            _write(archive, CHECKPOINT, checkpoint.encode())
            _write(archive, PUBLIC_KEY, f"{public_key_text(key)}\n".encode())
            files = _write_events(archive, fields, total, progress)
            files = [digest for digest in files if not erased(transaction, digest)]
            for digest in files:
                _write(archive, FILES + digest, input_files.fetch(transaction, digest))
            script = Path(bundle_verifier.__file__).read_bytes()
            _write(archive, SCRIPT, script)
            fingerprint = sha256(key.key).hexdigest()
            about = bundle_verifier.Report()
            about.origin, about.size, about.fingerprint = signed.origin, signed.size, fingerprint
            about.whole, about.files = not streams, len(files)
            _write(archive, README, _readme(about, script))
    _seal(target)
    return total


def origins(daybook: Daybook, streams: Sequence[str]) -> list[str]:
    """These streams, and the streams of the uploads that their records came from: those name the input files."""
    found = dict.fromkeys(streams)
    with daybook.reading() as world:
        state = world.state
        for stream in streams:
            kind, _, number = stream.partition("/")
            row: Session | Clustering | Deletion | None = None
            if kind == "session":
                row = state.sessions.get(int(number))
            elif kind == "clustering":
                row = state.clusterings.get(int(number))
            elif kind == "deletion":
                row = state.deletions.get(int(number))
            if row is not None and row.upload is not None:
                found[f"upload/{row.upload}"] = None
    return list(found)


def _all(transaction: Transaction, signed: Checkpoint) -> Iterator[Plain]:
    """Raises IntegrityFailure, at the end, where these are not the events that were signed."""
    tree = CompactRange()
    for page in log.stored_pages(transaction, 0, signed.size):
        leaves = [leaf_hash(leaf_data(event[:14])) for event in page]
        tree = tree.extend(leaves)
        yield from map(event_fields, page, leaves)
    if (tree.size, tree.root()) != (signed.size, signed.root):
        raise IntegrityFailure(
            "not-as-signed",
            f"The first {plural(signed.size, 'event')} do not have the root that was signed.",
            "Verify the ledger",
            NextStep("verify"),
        )


def _of_streams(transaction: Transaction, streams: Sequence[str], signed: Checkpoint) -> list[StoredEvent]:
    found = {
        event.position: event
        for stream in streams
        for event in log.stored_stream(transaction, stream)
        if event.position <= signed.size
    }
    if not found:
        raise Refusal(
            "not-covered",
            f"These records came after the checkpoint, which covers {plural(signed.size, 'event')}.",
            "Whoever has the key can make a newer one",
            NextStep("make-checkpoint"),
        )
    return [found[position] for position in sorted(found)]


def _write_events(
    archive: zipfile.ZipFile, fields: Iterable[Plain], total: int, progress: Callable[[int, int], None]
) -> list[str]:
    """Returns the sha256 of the input files that these events received."""
    files: dict[str, None] = {}
    with archive.open(_member(EVENTS), "w", force_zip64=True) as member:
        out = BufferedWriter(member, _CHUNK)
        for done, event in enumerate(fields, start=1):
            if event["type"] == "InputFileReceived" and event["payload"] is not None:
                files[orjson.loads(event["payload"])["sha256"]] = None
            out.write(line_of(event).encode())
            progress(done, total)
        out.flush()
    return sorted(files)


def check_companions(path: Path, report: bundle_verifier.Report) -> None:
    """The script and the readme of a bundle that was verified: its receiver runs the one and believes the other.
    Both follow from the rest, and from the version of Daybook that wrote them.
    """
    script = Path(bundle_verifier.__file__).read_bytes()
    if path.is_dir():
        found = _companions(bundle_verifier.in_folder(path))
    else:
        with zipfile.ZipFile(path) as archive:
            found = _companions(bundle_verifier.in_zip(path, archive))
    missing = [name for name in (SCRIPT, README) if name not in found]
    for name in missing:
        report.add("companion-missing", f"{name} is missing.")
    if missing:
        return
    version = _version_of(found[README])
    if version is not None and _numbers(version) > _numbers(__version__):
        report.unchecked.append(
            f"{SCRIPT} and {README}: Daybook {version} wrote them, it says, and this is {__version__}. Do not run the "
            "script; check the bundle with that version"
        )
        return
    version, digest, template = __version__, sha256(script).hexdigest(), _README
    if (stated := _version_of(found[README])) in _WRITERS:
        version, (digest, template) = str(stated), _WRITERS[str(stated)]
    as_written = {
        SCRIPT: sha256(found[SCRIPT]).hexdigest() == digest,
        README: found[README] == _readme(report, found[SCRIPT], template=template, version=version),
    }
    for name, holds in as_written.items():
        if not holds:
            text = f"{name} is not the one that Daybook {version} writes: do not run it, or believe it."
            report.add("companion-changed", f"{text} Somebody changed it.")
    if all(as_written.values()):
        report.checked.append(f"that {SCRIPT} and {README} are those that Daybook {version} writes")


def _version_of(readme: bytes) -> str | None:
    """The version that wrote it, as the bundle says."""
    found = _WRITTEN_BY.search(readme)
    return None if found is None else ".".join(str(int(number)) for number in found.groups())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _companions(members: bundle_verifier.Members) -> dict[str, bytes]:
    found = {}
    for name in (SCRIPT, README):
        if name in members:
            with members[name]() as stream:
                found[name] = stream.read(_CHUNK)
    return found


def _readme(
    of: bundle_verifier.Report, script: bytes, *, template: str = _README, version: str = __version__
) -> bytes:
    return template.format(
        what="All that was recorded" if of.whole else "A part",
        origin=of.origin,
        size=of.size,
        events="every event, one to a line, oldest first"
        if of.whole
        else "each event with its inclusion proof",
        files=f"files/          {plural(of.files, 'input file')}, named by sha256"
        if of.files
        else "It has no input files.",
        fingerprint=of.fingerprint,
        lines=script.count(b"\n"),
        version=version,
    ).encode()


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(_member(name), content)


def _member(name: str) -> zipfile.ZipInfo:
    """Says nothing about the machine or the moment: else one ledger would give two bundles."""
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3
    member.external_attr = 0o100644 << 16
    return member


def _seal(target: IO[bytes]) -> None:
    """Put the hash of all bytes into the archive's comment: it shows damage anywhere, even where there is no
    checksum.
    """
    end = target.seek(0, 2) - 2  # the length of the comment, which is the last that is written
    hashed = sha256()
    target.seek(0)
    left = end
    while left and (chunk := target.read(min(left, _CHUNK))):
        hashed.update(chunk)
        left -= len(chunk)
    target.seek(end)
    target.write(SEAL_BYTES.to_bytes(2, "little") + hashed.hexdigest().encode())
