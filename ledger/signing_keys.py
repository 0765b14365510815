"""Keys that sign checkpoints: their public text, and their files. The only module that touches private keys.

A key is written in the form of https://c2sp.org/signed-note, on one line.
"""

import base64
import os
import re
import stat
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from pathlib import Path

from ledger.folders import sync_folder

__all__ = [
    "CONTROL",
    "KEY_ID_BYTES",
    "CheckpointError",
    "KeyKind",
    "PublicKey",
    "SigningKey",
    "from_base64",
    "is_key_name",
    "parse_public_key",
    "public_key_text",
    "read_key",
    "to_base64",
    "write_new_key",
]

_LARGEST_FILE = 1_000_000  # bytes
_SIGNING_KEY_START = "PRIVATE+KEY+"
_ED25519_KEY_BYTES = 32
KEY_ID_BYTES = 4
_KEY_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)
CONTROL = re.compile(r"[\x00-\x1f\ud800-\udfff]")  # surrogates are no characters and have no UTF-8
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
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.key).digest()[:KEY_ID_BYTES]


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


def public_key_text(key: SigningKey | PublicKey) -> str:
    """The public key in signed-note's form ``name+key id+base64``: one line to publish or to configure."""
    public = key.public() if isinstance(key, SigningKey) else key
    return f"{public.name}+{public.key_id.hex()}+{to_base64(bytes([public.kind]) + public.key)}"


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
    line = f"{_SIGNING_KEY_START}{name}+{key.public().key_id.hex()}+{to_base64(secret)}\n"
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
            content = file.read(_LARGEST_FILE)
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


def _split_key(text: str, what: str) -> tuple[str, str, KeyKind, bytes]:
    """Name, key id, kind and 32 bytes of a key. No message repeats the text: it may be secret."""
    parts = text.split("+", 2)
    if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
        raise CheckpointError(f"{what}: expected name+key id+base64, with a key id of 8 digits 0-9 a-f")
    blob = from_base64(parts[2], f"{what}: the part after the key id")
    if len(blob) != 1 + _ED25519_KEY_BYTES or blob[0] not in set(KeyKind):
        raise CheckpointError(f"{what}: expected an Ed25519 key of kind 1 (log) or 4 (witness) and 32 bytes")
    return parts[0], parts[1], KeyKind(blob[0]), blob[1:]


def _check_key(name: str, key: bytes) -> None:
    if not is_key_name(name):
        raise CheckpointError(
            f"{name!r} cannot name a key; expected no spaces and no plus signs, as in lab.example.org/daybook"
        )
    if len(key) != _ED25519_KEY_BYTES:
        raise CheckpointError(f'key "{name}" has {len(key)} bytes; expected {_ED25519_KEY_BYTES}')


def is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not CONTROL.search(name) and not any(map(str.isspace, name))


def to_base64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def from_base64(text: str, what: str) -> bytes:
    try:
        blob = base64.b64decode(text, validate=True)
    except ValueError:
        blob = None
    # Python also takes spare bits in the last character, which would give one signature several spellings.
    if blob is None or to_base64(blob) != text:
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
    sync_folder(path.parent)
