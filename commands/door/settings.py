"""Find and read ``daybook.toml``: which ledger, which roots, which limits. All settings are read here.

The file is looked for in the working directory and upwards. ``--db``, then ``DAYBOOK_DB``, go before its
``db``.
"""

import difflib
import os
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from commands.door.logs import LEVELS
from commands.inputfile.limits import Limits
from commands.recordings.roots import Roots

FILE_NAME = "daybook.toml"
DEFAULT_DB = "sqlite:///daybook.db"
_TYPE_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}


class SettingsError(Exception):
    """The settings cannot be used; the message names the file and the key."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``file`` is the daybook.toml that was read, or None; ``source`` says where ``db`` comes from."""

    db: str
    roots: Roots
    limits: Limits
    log_level: str | None
    file: Path | None
    source: str


def load(*, db: str | None = None, config: str | None = None) -> Settings:
    """Raises SettingsError for a file that is missing, broken, or holds what no setting is."""
    file = _given(config) if config is not None else _upwards()
    read = _Reader(file) if file is not None else None
    content = read.content() if read is not None else {}
    if read is not None:
        read.refuse_unknown(content, ("db", "log_level", "roots", "limits"), "")
    from_file = read.text(content, "db") if read is not None else None
    roots = read.roots(content) if read is not None else Roots.of({})
    limits = read.limits(content) if read is not None else Limits()
    level = read.log_level(content) if read is not None else None
    if db is not None:
        address, source = db, "--db"
    elif os.environ.get("DAYBOOK_DB"):
        address, source = os.environ["DAYBOOK_DB"], "DAYBOOK_DB"
    elif from_file is not None and file is not None:
        address, source = _relative_to(from_file, file.parent), str(file)
    else:
        address, source = DEFAULT_DB, "the default"
    return Settings(address, roots, limits, level, file, source)


def _given(config: str) -> Path:
    path = Path(config)
    if not path.is_file():
        raise SettingsError(f'There is no settings file "{config}".')
    return path.absolute()


def _upwards() -> Path | None:
    try:
        here = Path.cwd()
    except OSError:
        raise SettingsError("The working directory is gone. Change to one that exists.") from None
    for folder in (here, *here.parents):
        candidate = folder / FILE_NAME
        try:
            if candidate.is_file():
                return candidate
        except OSError:  # a parent that may not be looked into
            continue
    return None


def _relative_to(url: str, folder: Path) -> str:
    """A relative path of a SQLite address belongs to the folder of the file that states it."""
    match = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^/?][^?]*)(\?.*)?", url)
    if match is None or Path(match[2]).is_absolute():
        return url
    return f"{match[1]}{folder / match[2]}{match[3] or ''}"


class _Reader:
    """One settings file; every refusal names it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def _refuse(self, message: str) -> SettingsError:
        return SettingsError(f"{self._file}: {message}")

    def content(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._file.read_bytes().decode("utf-8-sig"))
        except tomllib.TOMLDecodeError as error:
            raise self._refuse(f"This is not TOML: {_one_line(error)}.") from None
        except UnicodeDecodeError as error:
            raise self._refuse(
                f"This is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}."
            ) from None
        except OSError as error:
            raise self._refuse(f"This cannot be read: {error.strerror}.") from None

    def refuse_unknown(self, table: dict[str, Any], known: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
                hint = f'Did you mean "{where}{near[0]}"?' if near else f"Expected {', '.join(known)}."
                raise self._refuse(f'There is no setting "{where}{key}". {hint}')

    def _typed(self, table: dict[str, Any], key: str, kind: type, where: str = "") -> Any:
        value = table.get(key)
        if value is not None and type(value) is not kind:
            raise self._wrong_type(f"{where}{key}", value, _TYPE_NAMES[kind])
        return value

    def _wrong_type(self, name: str, value: object, expected: str) -> SettingsError:
        found = _TYPE_NAMES.get(type(value), type(value).__name__)
        return self._refuse(f'"{name}" is {found}; expected {expected}.')

    def text(self, table: dict[str, Any], key: str) -> str | None:
        value: str | None = self._typed(table, key, str)
        if value == "":
            raise self._refuse(f'"{key}" is empty. Leave it out for {DEFAULT_DB}.')
        return value

    def log_level(self, content: dict[str, Any]) -> str | None:
        level: str | None = self._typed(content, "log_level", str)
        if level is not None and level not in LEVELS:
            raise self._refuse(f'"log_level" is "{level}"; expected {", ".join(LEVELS)}.')
        return level

    def roots(self, content: dict[str, Any]) -> Roots:
        table = self._typed(content, "roots", dict) or {}
        for prefix, listed in table.items():
            directories = [listed] if isinstance(listed, str) else listed
            if not isinstance(directories, list) or not all(isinstance(d, str) for d in directories):
                raise self._wrong_type(
                    f"roots.{prefix}", listed, 'a directory or a list of them, such as ["/mnt/N"]'
                )
        try:
            return Roots.of(table)
        except ValueError as error:
            raise self._refuse(str(error)) from None

    def limits(self, content: dict[str, Any]) -> Limits:
        table = self._typed(content, "limits", dict) or {}
        self.refuse_unknown(table, tuple(field.name for field in fields(Limits)), "limits.")
        for key in table:
            if self._typed(table, key, int, "limits.") < 1:
                raise self._refuse(f'"limits.{key}" is {table[key]}; expected 1 or more.')
        return Limits(**table)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
