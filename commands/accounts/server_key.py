"""The key of the server, with which it encrypts what it has to read again: ``server.key``, beside the settings.

A line is a key (Fernet: AES-128-CBC and HMAC-SHA256). The first encrypts, all of them decrypt: to change the key, put a
new line before the old one, start the server, which encrypts everything anew, and take the old line out.
"""

import os
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ledger.errors import Refusal

NAME = "server.key"
_LONGEST = 10_000  # bytes


class ServerKey:
    def __init__(self, lines: list[bytes]) -> None:
        keys = [Fernet(line) for line in lines]
        self._newest, self._keys = keys[0], MultiFernet(keys)

    def encrypted(self, text: str) -> str:
        return self._keys.encrypt(text.encode()).decode()

    def decrypted(self, kept: str) -> str:
        """Raises Refusal where it was encrypted with none of these keys."""
        try:
            return self._keys.decrypt(kept.encode()).decode()
        except InvalidToken:
            raise Refusal(
                "other-server-key",
                "What the server encrypted cannot be read: its key is another by now.",
                "Put the key that it had back into server.key, below the one that is there.",
            ) from None

    def is_newest(self, kept: str) -> bool:
        """Whether the first of the keys reads it."""
        try:
            self._newest.decrypt(kept.encode())
        except InvalidToken:
            return False
        return True

    def renewed(self, kept: str) -> str:
        """The same, encrypted with the first of the keys. Raises what ``decrypted`` raises."""
        return self.encrypted(self.decrypted(kept))


def server_key(folder: Path) -> ServerKey:
    """The one in this folder, which is made where there is none. Raises Refusal where it cannot be used, or others can
    read it."""
    path = folder / NAME
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise _unusable(path, f"cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        line = Fernet.generate_key()
        file.write(line + b"\n")
    return ServerKey([line])


def _read(path: Path) -> ServerKey:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            lines = file.read(_LONGEST).split()
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refusal(
            "key-open-to-others",
            f"{path} has mode {stat.S_IMODE(mode):o}: others can read it.",
            f"Make it yours alone: chmod 600 {path}",
        )
    try:
        if not lines:
            raise ValueError("no line")
        return ServerKey(lines)
    except ValueError:
        raise _unusable(path, "holds no keys, one in a line") from None


def _unusable(path: Path, what: str) -> Refusal:
    return Refusal("server-key", f"{path} {what}.", "Put it right, or move it away to have a new one made.")
