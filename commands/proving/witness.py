"""Witnesses: people who countersign checkpoints, each for one history of a ledger only.

A witness does what https://c2sp.org/tlog-witness says, with files instead of HTTP: beside the witness's key lies what
it cosigned last of every ledger, and a checkpoint that is not proven to continue that is refused. So two checkpoints
with the signature of one witness never contradict each other. Needs no ledger and trusts none.
"""

import os
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from commands.door.result import Result
from ledger import checkpoint, signing_keys
from ledger.errors import NextStep, Refusal
from ledger.merkle import ProofError, verify_consistency
from ledger.plurals import plural
from ledger.signing_keys import CheckpointError, KeyKind, PublicKey, SigningKey
from ledger.small_files import read_small

_LARGEST_SEEN = 1 << 26  # it has a checkpoint of each ledger that the witness ever saw

Seen = dict[str, dict[str, str]]
Consistency = tuple[int, int, list[bytes]]
"""The sizes of the two checkpoints, and the proof that the later one continues the earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointCosigned(Result):
    """A checkpoint with the signature of a ``witness`` (its public key) under it, the ``file`` that it was written to,
    if it was, and the size of the one that it ``continues``; None where the witness had seen none."""

    checkpoint: str
    file: str | None
    witness: str
    continues: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessKey(Result):
    """The ``file`` that holds a new witness's key, and the public key that is given to others."""

    file: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Cosigned:
    """``first``: the witness had seen nothing of this ledger before, and took its key on trust."""

    text: str
    witness: PublicKey
    ledger: PublicKey
    size: int
    since: int
    first: bool

    def answer(self, file: str | None) -> CheckpointCosigned:
        return CheckpointCosigned(
            position=self.size,
            checkpoint=self.text,
            file=file,
            witness=signing_keys.public_key_text(self.witness),
            continues=None if self.first else self.since,
        )


def new_witness_key(path: Path, name: str) -> PublicKey:
    try:
        return signing_keys.write_new_key(path, name, kind=KeyKind.WITNESS).public()
    except CheckpointError as error:
        raise Refusal("key-not-written", f"{_sentence(error)}") from error


def last_seen(key_file: Path, origin: str) -> str | None:
    """The checkpoint that the witness cosigned last of this ledger, or None."""
    entry = _read_seen(_seen_file(key_file)).get(origin)
    return None if entry is None else entry["checkpoint"]


def cosign(
    key_file: Path, text: str, *, ledger: PublicKey | None, consistency: Consistency | None
) -> Cosigned:
    """The checkpoint with the witness's signature under it, once it is proven to continue what was cosigned before.

    ``ledger`` is the ledger's key, needed for the first checkpoint of a ledger and compared from then on;
    ``consistency`` the proof. What is cosigned is remembered before it is handed out:
    a crash in between costs nothing, as the same checkpoint may be cosigned again. Raises Refusal.
    """
    key = _key(key_file)
    signed = checkpoint.parse(text).checkpoint
    with _alone(key_file):
        seen = _read_seen(_seen_file(key_file))
        before = seen.get(signed.origin)
        trusted = _trusted(signed.origin, before, ledger)
        try:
            checkpoint.verify(text, [trusted], origin=trusted.name)
        except CheckpointError as error:
            raise Refusal(
                "checkpoint-unsound", f"It is not signed by the ledger's key: {_sentence(error)}"
            ) from error
        since = 0
        if before is not None:
            since = _require_continued(before["checkpoint"], signed, consistency)
        seen[signed.origin] = {"public_key": signing_keys.public_key_text(trusted), "checkpoint": text}
        _write_seen(_seen_file(key_file), seen)
    return Cosigned(checkpoint.cosign(text, key), key.public(), trusted, signed.size, since, before is None)


def _require_continued(before: str, signed: checkpoint.Checkpoint, consistency: Consistency | None) -> int:
    """Returns the size seen before. Raises Refusal where the past differs, or is not proven to be the same."""
    old = checkpoint.parse(before).checkpoint
    start, end, proof = consistency if consistency is not None else (old.size, signed.size, [])
    if signed.size < old.size:
        raise Refusal(
            "older-than-seen",
            f"This checkpoint has {plural(signed.size, 'event')}; the witness has cosigned one of {old.size:,}.",
            "Give one that is newer.",
        )
    if start != old.size or (consistency is None and signed.size > old.size):
        raise Refusal(
            "no-consistency-proof",
            f"The last checkpoint that the witness cosigned has {plural(old.size, 'event')}; that this one of "
            f"{signed.size:,} continues it has to be proven.",
            "Give the proof of that. It is made from the checkpoint that the witness cosigned last, or any other "
            "of that size",
            NextStep("prove-since", arguments={"checkpoint": None}),
        )
    if end != signed.size:
        raise Refusal(
            "no-consistency-proof",
            f"The proof is about the checkpoint of {plural(end, 'event')}; this one has {signed.size:,}.",
            "Cosign the checkpoint that the proof was made with.",
        )
    try:
        verify_consistency(
            old_size=old.size, old_root=old.root, new_size=signed.size, new_root=signed.root, proof=proof
        )
    except ProofError as error:
        raise Refusal(
            "not-consistent",
            f"This checkpoint of {plural(signed.size, 'event')} does not continue the one of {old.size:,} that the "
            f"witness cosigned ({error}).",
            "Do not cosign it. If the ledger's key signed both, its past was rewritten: keep both checkpoints, they "
            "prove it.",
        ) from error
    return old.size


def consistency_in(document: dict[str, Any]) -> Consistency | None:
    """The consistency proof of a ``daybook/proof/1``."""
    try:
        since = document["since"]
        start, end = (checkpoint.parse(one["checkpoint"]).checkpoint.size for one in (since, document))
        return start, end, [b64decode(one, validate=True) for one in since["proof"]]
    except (KeyError, TypeError, ValueError):
        return None


def _trusted(origin: str, before: dict[str, str] | None, given: PublicKey | None) -> PublicKey:
    remembered = signing_keys.parse_public_key(before["public_key"]) if before is not None else None
    if given is None and remembered is None:
        raise Refusal(
            "no-ledger-key",
            f'The witness has not seen a checkpoint of "{origin}" before and does not know its key.',
            "Give the key as you got it from the ledger's owner.",
        )
    if given is not None and remembered is not None and given != remembered:
        raise Refusal(
            "other-ledger-key",
            f'The witness knows another key of "{origin}": {signing_keys.public_key_text(remembered)}.',
            "Ask the ledger's owner. Two keys for one ledger may mean two pasts.",
        )
    return remembered or given  # type: ignore[return-value]  # one of them is there


def _key(key_file: Path) -> SigningKey:
    try:
        key = signing_keys.read_key(key_file)
    except CheckpointError as error:
        raise Refusal(
            "no-key",
            f"The witness's key cannot be read: {_sentence(error)}",
            "Name the file that has it, or make one",
            NextStep("make-witness-key", arguments={"name": None}),
        ) from error
    if key.kind is not KeyKind.WITNESS:
        raise Refusal(
            "not-a-witness-key",
            f"{key_file} is the key of the ledger {key.name}; a witness signs with a key of its own.",
            "Make one",
            NextStep("make-witness-key", arguments={"name": None}),
        )
    return key


# --- what the witness has seen ----------------------------------------------------------------------------------------


def _seen_file(key_file: Path) -> Path:
    return key_file.with_name(key_file.name + ".seen")


def _read_seen(file: Path) -> Seen:
    """By origin: the ledger's key, and the checkpoint cosigned last."""
    try:
        found = orjson.loads(read_small(file, limit=_LARGEST_SEEN))
        for entry in found.values():
            checkpoint.parse(entry["checkpoint"])
            signing_keys.parse_public_key(entry["public_key"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal(
            "seen-unreadable",
            f"{file}, in which the witness keeps what it cosigned, cannot be read ({type(error).__name__}).",
            "Restore it from a backup. Without it, retire this witness's key and make another.",
        ) from error
    return dict(found)


def _write_seen(file: Path, seen: Seen) -> None:
    """Write the whole file or none of it: a witness that forgets what it cosigned can be made to sign two pasts."""
    temporary = file.with_name(f".{file.name}.{os.urandom(8).hex()}")
    try:
        with temporary.open("xb") as stream:
            stream.write(orjson.dumps(seen, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except OSError as error:
        raise Refusal(
            "seen-not-written", f"{file} cannot be written: {error.strerror}.", "Nothing was cosigned."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _alone(key_file: Path) -> Iterator[None]:
    """Two runs at once could each find their checkpoint to continue the same one, and sign both."""
    lock = key_file.with_name(key_file.name + ".lock")
    try:
        lock.touch(exist_ok=False)
    except FileExistsError as error:
        raise Refusal(
            "witness-busy",
            f"{lock} says that this witness is cosigning now.",
            "If it is not, remove that file.",
        ) from error
    except OSError as error:
        raise Refusal("seen-not-written", f"{lock} cannot be written: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _sentence(error: Exception) -> str:
    return str(error).rstrip(".") + "."
