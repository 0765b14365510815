"""Checkpoints: what the ledger was at some size, as a short text that people can sign, keep and compare.

Reads and writes the C2SP formats https://c2sp.org/tlog-checkpoint (origin, size and root of a log),
https://c2sp.org/signed-note (the signatures under it) and https://c2sp.org/tlog-cosignature (a witness's
signature, with the time), and keeps signing keys in files. The only module that touches private keys. It
knows nothing of databases: whether a root is the right one is for ``ledger.merkle`` and the log to say.

A checkpoint has exactly one valid spelling. Whatever differs from it by a byte is refused.
"""

import base64
import os
import re
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from pathlib import Path

__all__ = [
    "MAX_SIGNATURES",
    "MAX_TEXT_BYTES",
    "ROOT_BYTES",
    "Checkpoint",
    "CheckpointError",
    "KeyKind",
    "PublicKey",
    "Signature",
    "SignedCheckpoint",
    "SigningKey",
    "VerifiedSignature",
    "cosign",
    "parse",
    "parse_public_key",
    "public_key_text",
    "read_key",
    "sign",
    "verified_signatures",
    "verify",
    "write_new_key",
]

ROOT_BYTES = 32
MAX_TEXT_BYTES = 1_000_000
MAX_SIGNATURES = 100

_SIGNATURE_LINE_START = "— "
_SIGNING_KEY_START = "PRIVATE+KEY+"
_ED25519_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_TIME_BYTES = 8
_MAX_TIME_S = 2**63 - 1
_MAX_SIZE = 2**64 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\ud800-\udfff]")  # surrogates are no characters and have no UTF-8
_OTHERS_MAY_USE = stat.S_IRWXG | stat.S_IRWXO


class CheckpointError(ValueError):
    """A checkpoint, a signature under it or a key is not what it has to be. The message is for users."""


class KeyKind(IntEnum):
    """What a key signs; the number is the signature type that signed-note assigns."""

    LOG = 0x01  # plain Ed25519 over the note text: the ledger's own signature
    WITNESS = 0x04  # Ed25519 cosignature/v1 over the time and the note text


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are checked with. ``key`` are the 32 bytes of an Ed25519 public key."""

    name: str
    kind: KeyKind
    key: bytes

    def __post_init__(self) -> None:
        _check_key(self.name, self.key)

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that, with the name, say on a signature line which key signed."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.key).digest()[:_KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. ``seed`` are the 32 secret bytes of RFC 8032; it never shows in a repr or an error."""

    name: str
    kind: KeyKind
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_key(self.name, self.seed)

    def public(self) -> PublicKey:
        """The public half, to hand to everybody who is to check signatures."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return PublicKey(self.name, self.kind, private.public_key().public_bytes_raw())


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
            if not line or _CONTROL.search(line):
                raise CheckpointError(
                    f"the {what} of a checkpoint is {line!r}; expected a line of text, no control characters"
                )
        if not 0 <= self.size <= _MAX_SIZE:
            raise CheckpointError(f"the size of a checkpoint is {self.size}; expected 0 to 2^64 - 1")
        if len(self.root) != ROOT_BYTES:
            raise CheckpointError(f"the root of a checkpoint is {len(self.root)} bytes, not {ROOT_BYTES}")

    def note_text(self) -> str:
        """The lines that are signed, each with its newline."""
        lines = (self.origin, self.size, _to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, not checked. What is in ``payload`` depends on the key."""

    name: str
    key_id: bytes
    payload: bytes

    def line(self) -> str:
        """The signature line with its newline."""
        return f"{_SIGNATURE_LINE_START}{self.name} {_to_base64(self.key_id + self.payload)}\n"


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
    checkpoint = Checkpoint(origin, int(size), _from_base64(root, "line 3: the root"), tuple(lines[3:blank]))
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


def public_key_text(key: SigningKey | PublicKey) -> str:
    """The public key in signed-note's form ``name+key id+base64``: one line to publish or to configure."""
    public = key.public() if isinstance(key, SigningKey) else key
    return f"{public.name}+{public.key_id.hex()}+{_to_base64(bytes([public.kind]) + public.key)}"


def parse_public_key(text: str) -> PublicKey:
    """Read what ``public_key_text`` writes; white space around it is ignored. Raises CheckpointError."""
    name, key_id, kind, key = _split_key(text.strip(), "public key")
    public = PublicKey(name, kind, key)
    if public.key_id.hex() != key_id:
        raise CheckpointError(
            f'public key of "{name}": the key id is {key_id}, but name and key give {public.key_id.hex()}. '
            "It was mistyped or cut: copy the whole line again."
        )
    return public


def write_new_key(path: Path, name: str, *, kind: KeyKind = KeyKind.LOG) -> SigningKey:
    """Make a new key and write it to ``path``, which only its owner may read (mode 0600).

    The file is complete or not there at all, and one that exists is never touched: a lost key cannot be made
    again. It holds one line, ``PRIVATE+KEY+name+key id+base64``, as Go's note package has it, not PEM: the
    line carries the name and the kind, for which PEM has no place, and its key id shows a damaged line.
    Raises CheckpointError when the name is unfit, the file exists or the directory cannot hold it.
    """
    key = SigningKey(name, kind, os.urandom(_ED25519_KEY_BYTES))
    secret = bytes([kind]) + key.seed
    line = f"{_SIGNING_KEY_START}{name}+{key.public().key_id.hex()}+{_to_base64(secret)}\n"
    try:
        _write_once(path, line.encode())
    except FileExistsError:
        raise CheckpointError(
            f"{path} exists already, and a key is never overwritten. Choose another name."
        ) from None
    except OSError as error:
        raise CheckpointError(f"{path}: the key cannot be written there: {error.strerror}") from error
    return key


def read_key(path: Path) -> SigningKey:
    """Read a key that ``write_new_key`` wrote.

    Raises CheckpointError when it is not one, and when others than its owner may read or write the file.
    """
    try:
        with path.open("rb") as file:
            # The open file is asked, not the path: between a check and an open the path could change.
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(MAX_TEXT_BYTES)
    except OSError as error:
        raise CheckpointError(f"{path}: the key cannot be read: {error.strerror}") from error
    if os.name == "posix" and mode & _OTHERS_MAY_USE:
        raise CheckpointError(
            f"{path} is open to others than its owner (mode {stat.S_IMODE(mode):04o}, not 0600): they may "
            f"know the key. If you are sure that they do not, run: chmod 600 {path}. Else make a new key."
        )
    try:
        line = content.decode().strip()
    except UnicodeDecodeError:
        line = ""
    if not line.startswith(_SIGNING_KEY_START):
        raise CheckpointError(f"{path} is no signing key; expected a line that begins {_SIGNING_KEY_START}")
    name, key_id, kind, seed = _split_key(line.removeprefix(_SIGNING_KEY_START), f"{path}: signing key")
    key = SigningKey(name, kind, seed)
    if key.public().key_id.hex() != key_id:
        raise CheckpointError(
            f"{path}: the key id does not fit the key; the file is damaged. Use its backup."
        )
    return key


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
        if odd := _CONTROL.search(line):
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
    if not line.startswith(_SIGNATURE_LINE_START) or len(parts) != 2 or not _is_key_name(parts[0]):
        raise CheckpointError(f"line {at} is {line!r}; expected a signature: — name base64")
    blob = _from_base64(parts[1], f"line {at}: the signature")
    if len(blob) <= _KEY_ID_BYTES:
        raise CheckpointError(f"line {at}: the signature has {len(blob)} bytes; expected a key id and more")
    return Signature(parts[0], blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:])


def _split_key(text: str, what: str) -> tuple[str, str, KeyKind, bytes]:
    """Name, key id, kind and 32 bytes of a key. No message repeats the text: it may be secret."""
    parts = text.split("+", 2)
    if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
        raise CheckpointError(f"{what}: expected name+key id+base64, with a key id of 8 digits 0-9 a-f")
    blob = _from_base64(parts[2], f"{what}: the part after the key id")
    if len(blob) != 1 + _ED25519_KEY_BYTES or blob[0] not in set(KeyKind):
        raise CheckpointError(f"{what}: expected an Ed25519 key of kind 1 (log) or 4 (witness) and 32 bytes")
    return parts[0], parts[1], KeyKind(blob[0]), blob[1:]


def _check_key(name: str, key: bytes) -> None:
    if not _is_key_name(name):
        raise CheckpointError(
            f"{name!r} cannot name a key; expected no spaces and no plus signs, as in lab.example.org/daybook"
        )
    if len(key) != _ED25519_KEY_BYTES:
        raise CheckpointError(f'key "{name}" has {len(key)} bytes; expected {_ED25519_KEY_BYTES}')


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not _CONTROL.search(name) and not any(map(str.isspace, name))


def _to_base64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def _from_base64(text: str, what: str) -> bytes:
    try:
        blob = base64.b64decode(text, validate=True)
    except ValueError:
        blob = None
    # Python also takes spare bits in the last character, which would give one signature several spellings.
    if blob is None or _to_base64(blob) != text:
        raise CheckpointError(f"{what} is not base64; expected the standard alphabet with padding")
    return blob


def _write_once(path: Path, content: bytes) -> None:
    temporary = path.parent / f".{path.name}.{os.urandom(8).hex()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: it fails if the file exists. A crash before it leaves only the temporary file.
        path.hardlink_to(temporary)
    finally:
        temporary.unlink()
    if os.name == "posix":
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
