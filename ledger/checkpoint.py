"""Checkpoints: what the ledger was at some size, as a short text that people can sign, keep and compare.

Reads and writes the C2SP formats https://c2sp.org/tlog-checkpoint (origin, size and root of a log),
https://c2sp.org/signed-note (the signatures under it) and https://c2sp.org/tlog-cosignature (a witness's
signature, with the time). It knows nothing of databases: whether a root is the right one is for ``ledger.merkle``
and the log to say.

A checkpoint has exactly one valid spelling. Whatever differs from it by a byte is refused.
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.signing_keys import (
    CONTROL,
    KEY_ID_BYTES,
    CheckpointError,
    KeyKind,
    PublicKey,
    SigningKey,
    from_base64,
    is_key_name,
    to_base64,
)

__all__ = [
    "MAX_SIGNATURES",
    "MAX_TEXT_BYTES",
    "ROOT_BYTES",
    "Checkpoint",
    "Signature",
    "SignedCheckpoint",
    "VerifiedSignature",
    "cosign",
    "parse",
    "sign",
    "verified_signatures",
    "verify",
]

ROOT_BYTES = 32
MAX_TEXT_BYTES = 1_000_000
MAX_SIGNATURES = 100
_SIGNATURE_LINE_START = "— "
_TIME_BYTES = 8
_MAX_TIME_S = 2**63 - 1
_MAX_SIZE = 2**64 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The ledger called ``origin`` had ``size`` events and the Merkle root ``root`` (32 bytes).

    ``extensions`` are further lines that other logs may add; we sign none of our own. Raises CheckpointError
    when the values cannot be written as a checkpoint.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, line in [("origin", self.origin), *(("extension line", line) for line in self.extensions)]:
            if not line or CONTROL.search(line):
                raise CheckpointError(
                    f"the {what} of a checkpoint is {line!r}; expected a line of text, no control characters"
                )
        if not 0 <= self.size <= _MAX_SIZE:
            raise CheckpointError(f"the size of a checkpoint is {self.size}; expected 0 to 2^64 - 1")
        if len(self.root) != ROOT_BYTES:
            raise CheckpointError(f"the root of a checkpoint is {len(self.root)} bytes, not {ROOT_BYTES}")

    def note_text(self) -> str:
        """The lines that are signed, each with its newline."""
        lines = (self.origin, self.size, to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, not checked. What is in ``payload`` depends on the key."""

    name: str
    key_id: bytes
    payload: bytes

    def line(self) -> str:
        """The signature line with its newline."""
        return f"{_SIGNATURE_LINE_START}{self.name} {to_base64(self.key_id + self.payload)}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A well-formed checkpoint and the signatures under it, none of them checked yet."""

    checkpoint: Checkpoint
    signatures: tuple[Signature, ...]
    note_text: str


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """A signature that holds. ``cosigned_at_s`` is a witness's POSIX time, None under a log's key."""

    key: PublicKey
    cosigned_at_s: int | None


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The checkpoint as text, signed by the ledger's own key. Raises CheckpointError for a witness key."""
    if key.kind is not KeyKind.LOG:
        raise CheckpointError(
            f'"{key.name}" is a witness key. A ledger signs with its own key; witnesses cosign afterwards.'
        )
    note_text = checkpoint.note_text()
    return f"{note_text}\n{_sign_note(note_text, key, time_s=0).line()}"


def cosign(text: str | bytes, key: SigningKey, *, time_s: int | None = None) -> str:
    """The same checkpoint with one more signature line; an older one of the same key is replaced.

    With a witness key the line is a ``cosignature/v1`` made at ``time_s`` (POSIX seconds; now, if None): the
    statement that this is the largest checkpoint of its origin seen so far and consistent with all others.
    This function cannot know that: before it, verify the log's signature and a consistency proof from the
    checkpoint cosigned last. With a log key the line is a plain signature, as when a ledger changes its key.
    """
    signed = parse(text)
    made = _sign_note(signed.note_text, key, time_s=int(time.time()) if time_s is None else time_s)
    kept = [one for one in signed.signatures if (one.name, one.key_id) != (made.name, made.key_id)]
    if len(kept) >= MAX_SIGNATURES:
        raise CheckpointError(f"the checkpoint has {len(kept)} signatures already, the most there may be")
    return signed.note_text + "\n" + "".join(one.line() for one in (*kept, made))


def parse(text: str | bytes) -> SignedCheckpoint:
    """Take a signed checkpoint apart without checking a signature; for a judgement call ``verify``.

    Give bytes as they come from a file or the network: reading a file as text may repair its line ends.
    Raises CheckpointError, with the line number, for anything that is not exactly the format.
    """
    lines = _lines(text)
    if "" not in lines:
        raise CheckpointError(
            f"line {len(lines) + 1}: the text ends; expected a blank line and the signatures below it"
        )
    blank = lines.index("")
    if blank < 3:
        raise CheckpointError(
            f"line {blank + 1} is blank; expected a checkpoint to begin with the lines origin, size and root"
        )
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise CheckpointError(f"line 2: the size is {size!r}; expected digits without leading zeros")
    checkpoint = Checkpoint(origin, int(size), from_base64(root, "line 3: the root"), tuple(lines[3:blank]))
    signature_lines = lines[blank + 1 :]
    if not 1 <= len(signature_lines) <= MAX_SIGNATURES:
        raise CheckpointError(
            f"line {blank + 2}: {len(signature_lines)} signature lines follow; expected 1 to {MAX_SIGNATURES}"
        )
    signatures = [_parse_signature(line, at) for at, line in enumerate(signature_lines, start=blank + 2)]
    return SignedCheckpoint(checkpoint, tuple(signatures), checkpoint.note_text())


def verify(
    text: str | bytes, public_keys: Iterable[PublicKey], *, at_least: int = 1, origin: str | None = None
) -> Checkpoint:
    """The checkpoint, if at least ``at_least`` different keys of ``public_keys`` signed it.

    ``origin``, when given, is the one it must have: a key may sign for several ledgers. To ask for the
    ledger's signature and for a quorum of witnesses, call it once with each set of keys. Raises
    CheckpointError with the reason otherwise, and whenever a signature by one of the keys is wrong, however
    many are right.
    """
    signed = parse(text)
    keys = tuple(public_keys)
    if origin is not None and signed.checkpoint.origin != origin:
        found = signed.checkpoint.origin
        raise CheckpointError(f'this is a checkpoint of "{found}"; expected one of "{origin}"')
    signers = {one.key.key for one in verified_signatures(signed, keys)}
    wanted = max(at_least, 1)
    if len(signers) < wanted:
        found = ", ".join(f"{one.name}+{one.key_id.hex()}" for one in signed.signatures)
        known = ", ".join(f"{key.name}+{key.key_id.hex()}" for key in keys) or "none"
        raise CheckpointError(
            f"{len(signers)} of the known keys signed the checkpoint; expected {wanted}. "
            f"It is signed by {found}; the known keys are {known}."
        )
    return signed.checkpoint


def verified_signatures(
    signed: SignedCheckpoint, public_keys: Iterable[PublicKey]
) -> tuple[VerifiedSignature, ...]:
    """The signatures by known keys, all checked, in their order; those by unknown keys are skipped.

    Raises CheckpointError if one by a known key is wrong.
    """
    known = {(key.name, key.key_id): key for key in public_keys}
    keyed = [(one, known.get((one.name, one.key_id))) for one in signed.signatures]
    return tuple(_verify_signature(one, signed.note_text, key) for one, key in keyed if key)


def _sign_note(note_text: str, key: SigningKey, *, time_s: int) -> Signature:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not 0 <= time_s <= _MAX_TIME_S:
        raise CheckpointError(f"a cosignature cannot be made at time {time_s}; expected POSIX seconds")
    signature = Ed25519PrivateKey.from_private_bytes(key.seed).sign(_message(note_text, key.kind, time_s))
    made_at = time_s.to_bytes(_TIME_BYTES, "big") if key.kind is KeyKind.WITNESS else b""
    return Signature(key.name, key.public().key_id, made_at + signature)


def _verify_signature(signature: Signature, note_text: str, key: PublicKey) -> VerifiedSignature:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    time_bytes = _TIME_BYTES if key.kind is KeyKind.WITNESS else 0
    time_s = int.from_bytes(signature.payload[:time_bytes], "big")
    if time_s > _MAX_TIME_S:
        raise CheckpointError(
            f'the cosignature by "{key.name}" gives the time {time_s}; expected POSIX seconds'
        )
    try:
        Ed25519PublicKey.from_public_bytes(key.key).verify(
            signature.payload[time_bytes:], _message(note_text, key.kind, time_s)
        )
    except InvalidSignature:
        raise CheckpointError(
            f'the signature by "{key.name}" (key id {key.key_id.hex()}) does not fit the checkpoint: one of '
            "the two was changed after signing. Do not trust it; fetch it again from where it was published."
        ) from None
    return VerifiedSignature(key, time_s if key.kind is KeyKind.WITNESS else None)


def _message(note_text: str, kind: KeyKind, time_s: int) -> bytes:
    """What is signed. The header line keeps a cosignature from ever being taken for a log's signature."""
    header = f"cosignature/v1\ntime {time_s}\n" if kind is KeyKind.WITNESS else ""
    return f"{header}{note_text}".encode()


def _lines(text: str | bytes) -> list[str]:
    if len(text) > MAX_TEXT_BYTES:
        raise CheckpointError(f"the text is longer than {MAX_TEXT_BYTES:,} bytes: this is no checkpoint")
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"byte {error.start + 1} of the text is not UTF-8: this is no checkpoint"
        ) from None
    lines = decoded.split("\n")
    for at, line in enumerate(lines, start=1):
        if odd := CONTROL.search(line):
            raise CheckpointError(
                f"line {at} has the control character {odd[0]!r}; expected none, and a newline alone at each "
                "line's end. Get the file again without converting its line ends."
            )
    if lines.pop() != "":
        raise CheckpointError(
            f"line {len(lines) + 1}: the text ends without a newline; it may have been cut off"
        )
    return lines


def _parse_signature(line: str, at: int) -> Signature:
    parts = line.removeprefix(_SIGNATURE_LINE_START).split(" ")
    if not line.startswith(_SIGNATURE_LINE_START) or len(parts) != 2 or not is_key_name(parts[0]):
        raise CheckpointError(f"line {at} is {line!r}; expected a signature: — name base64")
    blob = from_base64(parts[1], f"line {at}: the signature")
    if len(blob) <= KEY_ID_BYTES:
        raise CheckpointError(f"line {at}: the signature has {len(blob)} bytes; expected a key id and more")
    return Signature(parts[0], blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])
