"""The token that lets its bearer in: of the environment, or of a file in the user's own configuration, one a server.

A file that others can read gives away who one is: it is refused, not mended, so that its owner hears of it.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

import orjson

from commands.door.private_files import OF_GROUP, OWN, has_modes
from commands.remote.address import ServerAddress
from commands.remote.faults import NotSignedIn
from ledger.errors import NextStep, Refusal

IN_ENVIRONMENT = "DAYBOOK_TOKEN"
_LONGEST = 1 << 14


class UnusableToken(NotSignedIn):
    """The token file is there, and cannot be used as it is."""


@dataclass(frozen=True, slots=True)
class Token:
    """``file`` is where it is kept; None where the environment gave it."""

    text: str
    file: Path | None


def token_for(address: ServerAddress) -> Token | None:
    """Raises UnusableToken for a file with another mode than its own, and for one that is broken."""
    given = os.environ.get(IN_ENVIRONMENT, "").strip()
    if given:
        return Token(given, None)
    file = file_for(address)
    try:
        with file.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            data = stream.read(_LONGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableToken(
            "token-file",
            f"The token file {file} cannot be read: {error.strerror}.",
            "Sign in anew",
            NextStep("sign-in"),
        ) from None
    try:
        kept = orjson.loads(data)
        text, is_of_group = str(kept["token"]), kept.get("allow_group") is True
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnusableToken(
            "token-file", f"The token file {file} holds no token.", "Sign in anew", NextStep("sign-in")
        ) from None
    _refuse_mode(file, mode, is_of_group=is_of_group)
    return Token(text, file)


def _refuse_mode(file: Path, mode: int, *, is_of_group: bool) -> None:
    wanted = OF_GROUP if is_of_group else OWN
    if not has_modes() or mode in {OWN, wanted}:
        return
    raise UnusableToken(
        "token-file-mode",
        f"The token file {file} has the mode {mode:04o}; expected {wanted:04o}, as a token lets in whoever reads it.",
        "Set it right",
        NextStep("protect-file", arguments={"mode": f"{wanted:o}", "file": str(file)}),
    )


def file_for(address: ServerAddress) -> Path:
    name = re.sub(r"[^\w.-]+", "_", address.text.replace("://", "_"))
    return _folder() / f"{name}.json"


def keep(address: ServerAddress, token: str, *, allow_group: bool) -> Path:
    """Written aside and put into place. Raises Refusal where it cannot be."""
    file = file_for(address)
    mode = OF_GROUP if allow_group else OWN
    content = orjson.dumps({"server": address.text, "token": token, "allow_group": allow_group})
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if allow_group and has_modes():
            for folder in (file.parent, file.parent.parent):
                folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o050)
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN), "wb") as stream:
            if has_modes():
                os.fchmod(stream.fileno(), mode)
            stream.write(content)
        aside.replace(file)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise Refusal(
            "token-file",
            f"The token cannot be kept in {file}: {error.strerror}.",
            "Give another folder by XDG_CONFIG_HOME.",
        ) from None
    return file


def forget(address: ServerAddress) -> bool:
    """Whether there was one."""
    try:
        file_for(address).unlink()
    except FileNotFoundError:
        return False
    return True


def _folder() -> Path:
    if not has_modes() and (given := os.environ.get("APPDATA")):
        return Path(given) / "daybook" / "tokens"
    given = os.environ.get("XDG_CONFIG_HOME")
    base = Path(given) if given and Path(given).is_absolute() else Path.home() / ".config"
    return base / "daybook" / "tokens"
