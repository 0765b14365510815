"""A proof for others: that a record is in the ledger, or that nothing before a checkpoint was rewritten. Appends no
event; where the signing key is, it makes a checkpoint.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from commands.answers.typed import read

if TYPE_CHECKING:
    from commands.door.submit import Daybook


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenEvent:
    """An event as its hashes stand for it: ``payload`` is its exact text, null where it was redacted. ``proof`` are the
    hashes that lead from its leaf to the root, in base64; null without a checkpoint."""

    position: int
    stream: str
    stream_version: int
    type: str
    schema: int
    command_id: str
    correlation: str
    causation: int
    actor: str
    via: str
    recorded_at: str
    subject: str
    username: str
    payload_sha256: str
    payload: str | None
    leaf_sha256: str
    proof: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderCheckpoint:
    """That the events of the checkpoint begin with those of this one; ``proof`` in base64."""

    checkpoint: str
    proof: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofContent:
    """What stands in the file. Checkpoints are signed texts."""

    format: str
    public_key: str
    checkpoint: str | None
    since: OlderCheckpoint | None
    events: list[ProvenEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSize:
    """What a checkpoint says."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """``position`` is how many events the checkpoint covers, 0 without one; ``signed`` and ``older`` are what it and
    the older one say. ``text`` is the file as it has to be kept: it has one spelling."""

    position: int
    signed: SignedSize | None
    older: SignedSize | None
    proof: ProofContent
    text: str


def proof_of(
    daybook: "Daybook", stream_or_position: str | int, *, key_file: Path | None, checkpoint: str | None = None
) -> Proof:
    """Of all events of a stream, or of the one at a position; under the newest checkpoint unless one is given."""
    from commands.proving.proofs import prove

    return proof_in(prove(daybook, stream_or_position, checkpoint=checkpoint, key_file=key_file))


def proof_since(daybook: "Daybook", checkpoint: str, *, key_file: Path | None) -> Proof:
    """The proof that the ledger only grew since a checkpoint."""
    from commands.proving.proofs import prove_since

    return proof_in(prove_since(daybook, checkpoint, key_file=key_file))


def receipt_of(daybook: "Daybook", stream: str, *, key_file: Path | None) -> Proof:
    """As ``proof_of`` where the signing key is; else the events alone, which prove nothing yet."""
    from commands.proving.proofs import receipt

    return proof_in(receipt(daybook, stream, key_file=key_file))


def proof_in(text: str) -> Proof:
    """A proof or receipt as it was made."""
    content = read(ProofContent, orjson.loads(text))
    signed = _says(content.checkpoint)
    return Proof(
        position=0 if signed is None else signed.size,
        signed=signed,
        older=_says(None if content.since is None else content.since.checkpoint),
        proof=content,
        text=text,
    )


def _says(text: str | None) -> SignedSize | None:
    from ledger.checkpoint import parse

    if text is None:
        return None
    found = parse(text).checkpoint
    return SignedSize(origin=found.origin, size=found.size, root=found.root.hex())
