"""Find and read ``daybook.toml``: which ledger, which roots, which limits. All settings are read here.

The file is looked for in the working directory and in the folders above it. What the caller gives comes before
``DAYBOOK_DB``, and that before the file's ``db``. Every setting knows where it came from.
"""

import difflib
import os
import re
import tomllib
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote

from commands.door.address import DEFAULT_DB, relative_to, settings_file
from commands.door.logs import LEVELS
from commands.door.settings import (
    EVERY,
    LIST_LIMIT,
    ON_WORK,
    Checkpoints,
    MailSettings,
    ProviderSettings,
    Settings,
    SettingsError,
)
from commands.inputfile.limits import Limits
from commands.recordings.roots import Roots
from ledger.addresses import address_of, is_server
from ledger.small_files import read_small

_SINGLE = ("log_level", "schema", "list_limit", "width", "timezone", "contact", "public_url")

_KNOWN = (
    "db",
    "server",
    *_SINGLE,
    "roots",
    "sorted",
    "limits",
    "checkpoints",
    "webhooks",
    "mail",
    "provider",
)
_LONGEST_CONTACT = 200
_PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,250}(/[A-Za-z0-9._~/-]{0,200})?")

_TYPE_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}


def load(*, db: str | None = None, server: str | None = None, config: str | None = None) -> Settings:
    """Raises SettingsError for a file that is missing, broken, or holds what no setting is."""
    file = _given(config) if config is not None else _upwards()
    read = _Reader(file) if file is not None else None
    content = read.content() if read is not None else {}
    kept: dict[str, Any] = {}
    in_file: _Two = None, None
    if read is not None:
        read.refuse_unknown(content, _KNOWN, "")
        from_file = read.text(content, "db", f"Leave it out for {DEFAULT_DB}.")
        if from_file is not None and file is not None:
            from_file = relative_to(address_of(from_file), file.parent)
        in_file = from_file, read.text(content, "server")
        kept = read.single_settings(content) | {
            "checkpoints": read.checkpoints(content),
            "webhooks": read.webhooks(content),
            "mail": read.mail(content),
            "provider": read.provider(content),
        }
    roots = read.roots(content) if read is not None else Roots.of({})
    limits = read.limits(content) if read is not None else Limits()
    address, there, source = _ledger((db, server), in_file, file)
    address = _with_schema(address, kept["schema"]) if kept.get("schema") else address
    return Settings(address, roots, limits, file, source, given=_names(content), server=there, **kept)


_Two = tuple[str | None, str | None]


def _ledger(given: _Two, in_file: _Two, file: Path | None) -> tuple[str, str | None, str]:
    """The address of the ledger, the server where it is at one, and where that was said: on the command line, in the
    environment, in the file, looked for in this order. Raises SettingsError where one of them says both."""
    environment = os.environ.get("DAYBOOK_DB") or None, os.environ.get("DAYBOOK_SERVER") or None
    levels = (
        (given, "--db", "--server"),
        (environment, "DAYBOOK_DB", "DAYBOOK_SERVER"),
        (in_file, str(file), str(file)),
    )
    for (db, server), of_db, of_server in levels:
        if db is not None and server is not None:
            both = f"{of_db} and {of_server}" if of_db != of_server else f'{file}: "db" and "server"'
            raise SettingsError(f"{both} name two ledgers; leave one of them out.")
        if server is not None:
            return DEFAULT_DB, server, of_server
        if db is not None:
            return address_of(db), None, of_db
    return DEFAULT_DB, None, "the default"


def _names(content: dict[str, Any]) -> frozenset[str]:
    """The names that a file sets: ``limits``, and ``limits.depth``."""
    tables = ((name, table) for name, table in content.items() if isinstance(table, dict))
    return frozenset({*content, *(f"{name}.{key}" for name, table in tables for key in table)})


def _with_schema(address: str, schema: str) -> str:
    """Only servers have schemas. A schema in the address comes before the setting."""
    if not is_server(address) or re.search(r"[?&]schema=", address):
        return address
    return f"{address}{'&' if '?' in address else '?'}schema={quote(schema, safe='')}"


def _given(config: str) -> Path:
    path = Path(config)
    try:
        is_there = path.is_file()
    except OSError:  # a name that is too long, a folder that may not be looked into
        is_there = False
    if not is_there:
        raise SettingsError(f'There is no settings file "{config[:_LONGEST_CONTACT]}".')
    return path.absolute()


def _upwards() -> Path | None:
    try:
        return settings_file()
    except OSError:
        raise SettingsError("The working directory is gone. Change to one that exists.") from None


class _Reader:
    """One settings file; every refusal names it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def _refuse(self, message: str) -> SettingsError:
        return SettingsError(f"{self._file}: {message}")

    def content(self) -> dict[str, Any]:
        try:
            return tomllib.loads(read_small(self._file).decode("utf-8-sig"))
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

    def text(self, table: dict[str, Any], key: str, without: str = "Leave it out.") -> str | None:
        value: str | None = self._typed(table, key, str)
        if value is not None and not value.strip():
            raise self._refuse(f'"{key}" is empty. {without}')
        return value

    def single_settings(self, content: dict[str, Any]) -> dict[str, Any]:
        """All settings that are one value and no table, but for the address."""
        limit = self._number(content, "list_limit", 0)
        contact = self.text(content, "contact")
        if contact is not None and (len(contact) > _LONGEST_CONTACT or not contact.isprintable()):
            raise self._refuse(f'"contact" is no line of at most {_LONGEST_CONTACT} characters.')
        return {
            "log_level": self.log_level(content),
            "schema": self.text(content, "schema"),
            "list_limit": LIST_LIMIT if limit is None else limit,
            "width": self._number(content, "width", 40),
            "timezone": self._zone(content),
            "contact": contact,
            "public_url": self.public_url(content),
        }

    def public_url(self, content: dict[str, Any]) -> str | None:
        """Without a slash at its end."""
        text = self.text(content, "public_url")
        if text is not None and not _PUBLIC_URL.fullmatch(text):
            raise self._refuse(
                f'"public_url" is "{text[:_LONGEST_CONTACT]}"; expected where people reach the server, such as '
                '"https://daybook.example.org".'
            )
        return None if text is None else text.rstrip("/")

    def _number(self, content: dict[str, Any], key: str, least: int) -> int | None:
        value: int | None = self._typed(content, key, int)
        if value is not None and not least <= value <= 1_000_000:
            raise self._refuse(f'"{key}" is {value}; expected {least} to 1000000.')
        return value

    def _zone(self, content: dict[str, Any]) -> str | None:
        name = self.text(content, "timezone")
        if name is not None:
            from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

            try:
                ZoneInfo(name)
            except (ValueError, OSError, ZoneInfoNotFoundError):
                raise self._refuse(
                    f'"timezone" is "{name}", which this machine does not know; expected a name such as '
                    '"Europe/Oslo" or "UTC".'
                ) from None
        return name

    def log_level(self, content: dict[str, Any]) -> str | None:
        level: str | None = self._typed(content, "log_level", str)
        if level is not None and level not in LEVELS:
            raise self._refuse(f'"log_level" is "{level}"; expected {", ".join(LEVELS)}.')
        return level

    def roots(self, content: dict[str, Any]) -> Roots:
        from zoneinfo import ZoneInfo

        table = self._typed(content, "roots", dict) or {}
        for prefix, listed in table.items():
            directories = [listed] if isinstance(listed, str) else listed
            if not isinstance(directories, list) or not all(isinstance(d, str) for d in directories):
                raise self._wrong_type(
                    f"roots.{prefix}", listed, 'a directory or a list of them, such as ["/mnt/N"]'
                )
        places = self._typed(content, "sorted", dict) or {}
        for recorded, place in places.items():
            if not isinstance(place, str):
                raise self._wrong_type(f"sorted.{recorded}", place, 'a place, such as "P:/sorted"')
        zone = self.single_settings(content).get("timezone")
        try:
            return Roots.of(table, sorted_at=places, **({"zone": ZoneInfo(zone)} if zone else {}))
        except ValueError as error:
            raise self._refuse(str(error)) from None

    def limits(self, content: dict[str, Any]) -> Limits:
        table = self._typed(content, "limits", dict) or {}
        self.refuse_unknown(table, tuple(field.name for field in fields(Limits)), "limits.")
        for key in table:
            if self._typed(table, key, int, "limits.") < 1:
                raise self._refuse(f'"limits.{key}" is {table[key]}; expected 1 or more.')
        return Limits(**table)

    def checkpoints(self, content: dict[str, Any]) -> Checkpoints | None:
        table = self._typed(content, "checkpoints", dict)
        if table is None:
            return None
        self.refuse_unknown(table, ("directory", "repository", "key", "every"), "checkpoints.")
        places = {
            name: path
            for name in ("directory", "repository", "key")
            if (path := self._path(table, name)) is not None
        }
        folders = places.keys() - {"key"}
        if len(folders) != 1:
            raise self._refuse('"checkpoints" needs either a "directory" or a "repository" to keep them in.')
        every = table.get("every", EVERY)
        if every != ON_WORK and (type(every) is not int or every < 1):
            raise self._refuse(
                f'"checkpoints.every" is {every!r}; expected a number of events, or "{ON_WORK}".'
            )
        return Checkpoints(
            places[folders.pop()],
            "repository" in places,
            places.get("key"),
            None if every == ON_WORK else every,
        )

    def webhooks(self, content: dict[str, Any]) -> tuple[str, ...]:
        table = self._typed(content, "webhooks", dict) or {}
        self.refuse_unknown(table, ("networks",), "webhooks.")
        networks = self._typed(table, "networks", list, "webhooks.") or []
        for network in networks:
            try:
                ip_network(network)
            except (ValueError, TypeError):
                raise self._refuse(
                    f'"webhooks.networks" names {str(network)[:50]!r}; expected networks such as "10.0.0.0/8".'
                ) from None
        return tuple(networks)

    def mail(self, content: dict[str, Any]) -> MailSettings | None:
        table = self._typed(content, "mail", dict)
        if table is None:
            return None
        self.refuse_unknown(table, ("host", "port", "from", "security", "user", "password_file"), "mail.")
        texts = {
            name: self._typed(table, name, str, "mail.") for name in ("host", "from", "security", "user")
        }
        if (
            not texts["host"]
            or not texts["from"]
            or "@" not in texts["from"]
            or not texts["from"].isprintable()
        ):
            raise self._refuse('"mail" needs a "host" and a "from", such as "daybook@example.org".')
        security: Any = texts["security"] or "starttls"
        if security not in ("starttls", "tls", "none"):
            raise self._refuse(f'"mail.security" is "{security}"; expected starttls, tls or none.')
        port = self._typed(table, "port", int, "mail.") or {"tls": 465, "starttls": 587}.get(security, 25)
        if not 0 < port < 65536:
            raise self._refuse(f'"mail.port" is {port}; expected 1 to 65535.')
        password = self._path(table, "password_file", "mail.")
        if texts["user"] is not None and (password is None or security == "none"):
            raise self._refuse('"mail.user" needs a "password_file", and no password goes without TLS.')
        return MailSettings(texts["host"], port, texts["from"], security, texts["user"], password)

    def provider(self, content: dict[str, Any]) -> ProviderSettings | None:
        table = self._typed(content, "provider", dict)
        if table is None:
            return None
        names = ("name", "issuer", "client_id", "claim")
        self.refuse_unknown(table, (*names, "secret_file"), "provider.")
        texts = {name: self._typed(table, name, str, "provider.") for name in names}
        missing = [name for name, text in texts.items() if not text]
        if missing:
            raise self._refuse(f'"provider" needs a "{missing[0]}".')
        issuer = texts["issuer"]
        if not _PUBLIC_URL.fullmatch(issuer) or not issuer.startswith(("https:", "http://127.0.0.1:")):
            raise self._refuse(f'"provider.issuer" is "{issuer[:200]}"; expected an https address.')
        return ProviderSettings(**texts, secret_file=self._path(table, "secret_file", "provider."))

    def _path(self, table: dict[str, Any], key: str, where: str = "checkpoints.") -> Path | None:
        """A relative path starts at the folder of the file that states it."""
        text: str | None = self._typed(table, key, str, where)
        if text is None:
            return None
        if not text or "\0" in text:
            raise self._refuse(f'"{where}{key}" names no place.')
        return self._file.parent / Path(text).expanduser()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
