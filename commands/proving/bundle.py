"""Write a bundle: a zip file with events, input files and a checkpoint, and the script that verifies it all.

Who receives it needs nothing of ours. The same events under the same checkpoint give the same bytes. Memory is that of
one page of events, whatever the size of the ledger.
"""

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
from ledger.checkpoint import Checkpoint, public_key_text
from ledger.database import Transaction
from ledger.envelope import StoredEvent, leaf_data
from ledger.errors import IntegrityFailure, NextStep, Refusal
from ledger.input_files import erased
from ledger.merkle import CompactRange, leaf_hash
from ledger.plurals import plural
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
"""


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
            readme = _readme(signed.origin, signed.size, fingerprint, not streams, len(files), script)
            _write(archive, README, readme)
    _seal(target)
    return total


def origins(daybook: Daybook, streams: Sequence[str]) -> list[str]:
    """These streams, and those of the uploads that their records came from: they name the input files."""
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
    """The script and the readme of a bundle that was verified: whoever receives it runs the one and believes the
    other. Both follow from the rest, and from the version of daybook that wrote them."""
    script = Path(bundle_verifier.__file__).read_bytes()
    readme = _readme(report.origin, report.size, report.fingerprint, report.whole, report.files, script)
    if path.is_dir():
        found = _companions(bundle_verifier.in_folder(path))
    else:
        with zipfile.ZipFile(path) as archive:
            found = _companions(bundle_verifier.in_zip(path, archive))
    for name, expected in ((SCRIPT, script), (README, readme)):
        if name not in found:
            report.add("companion-missing", f"{name} is missing.")
        elif found[name] != expected:
            text = f"{name} is not the one that Daybook {__version__} writes: do not run it, or believe it."
            report.add("companion-changed", f"{text} Another version wrote it, or somebody changed it.")
    report.checked.append(f"that {SCRIPT} and {README} are those that Daybook {__version__} writes")


def _companions(members: bundle_verifier.Members) -> dict[str, bytes]:
    found = {}
    for name in (SCRIPT, README):
        if name in members:
            with members[name]() as stream:
                found[name] = stream.read(_CHUNK)
    return found


def _readme(origin: str, size: int, fingerprint: str, whole: bool, files: int, script: bytes) -> bytes:
    return _README.format(
        what="All that was recorded" if whole else "A part",
        origin=origin,
        size=size,
        events="every event, one to a line, oldest first" if whole else "each event with its inclusion proof",
        files=f"files/          {plural(files, 'input file')}, named by sha256"
        if files
        else "It has no input files.",
        fingerprint=fingerprint,
        lines=script.count(b"\n"),
    ).encode()


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(_member(name), content)


def _member(name: str) -> zipfile.ZipInfo:
    """Nothing about the machine or the moment: else one ledger would give two bundles."""
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3
    member.external_attr = 0o100644 << 16
    return member


def _seal(target: IO[bytes]) -> None:
    """Put the hash of all bytes into the archive's comment: damage anywhere is found, also where no checksum is."""
    end = target.seek(0, 2) - 2  # the length of the comment, which is the last that is written
    hashed = sha256()
    target.seek(0)
    left = end
    while left and (chunk := target.read(min(left, _CHUNK))):
        hashed.update(chunk)
        left -= len(chunk)
    target.seek(end)
    target.write(SEAL_BYTES.to_bytes(2, "little") + hashed.hexdigest().encode())
