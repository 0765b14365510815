"""What an address means to the drivers. Whatever is not understood of it is refused, and never shown."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from ledger.addresses import Address, address_of, sqlite_file
from ledger.database_errors import BUSY_TIMEOUT_S
from ledger.errors import LedgerUnavailable
from ledger.plurals import plural

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

SCHEMA = "schema"  # a parameter of our own: where in a PostgreSQL database the tables are
CONNECT_TIMEOUT_S = 10
_LONGEST_NAME = 63  # bytes of any name in PostgreSQL
_LONGEST_ADDRESS = 4_096
_LONGEST_PART = 255  # bytes, of the name of a file or a folder
_EXPECTED = "Expected a FILE, sqlite:///FILE or postgresql://USER@HOST/DATABASE."


def checked(text: str) -> Address:
    """Of an address, or of the name of a file. Raises LedgerUnavailable, which never shows what may be a password."""
    address = address_of(text)
    if len(address) > _LONGEST_ADDRESS:
        found = plural(len(address), "character")
        raise _refused(f"The address is too long: {found}; {_LONGEST_ADDRESS:,} are the most.", _EXPECTED)
    file = sqlite_file(address) if "?" not in address else None
    if file is not None and file != ":memory:":
        _check_file(file)
        return Address("sqlite", file, address)
    return _checked_elsewhere(address)


def _checked_elsewhere(address: str) -> Address:
    from sqlalchemy import exc
    from sqlalchemy.engine import make_url

    try:
        url = make_url(address)
        backend = "postgresql" if url.drivername == "postgres" else url.get_backend_name()
    except (exc.SQLAlchemyError, ValueError):  # ValueError: a port that is no number
        backend = ""
    if backend == "postgresql":
        _check_server(url)
        text = url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return Address(backend, url.database or "", text)
    if backend == "sqlite" and url.database not in (None, "", ":memory:") and not url.host and url.query:
        raise _refused(f"A SQLite address has no parameters; found {_names(url.query)}.", "Leave them out.")
    begins = re.match(r"\w{1,20}(?=:)", address)
    found = f' It begins with "{begins[0]}".' if begins else ""
    raise _refused(f"This is not the address of a ledger.{found}", _EXPECTED)


def _refused(message: str, hint: str) -> LedgerUnavailable:
    return LedgerUnavailable("database-url", message, hint)


def _names(query: Iterable[str]) -> str:
    """The names of parameters, without their values."""
    found = (name if re.fullmatch(r"\w{1,40}", name) else "one without a proper name" for name in query)
    return ", ".join(sorted(found))


def _check_file(file: str) -> None:
    parts = re.split(r"[/\\]", file)
    if "\0" in file or any(len(part.encode(errors="replace")) > _LONGEST_PART for part in parts):
        raise _refused(
            "The address of the ledger is no name of a file.",
            f"Each part of it has 1 to {_LONGEST_PART} bytes.",
        )


def _check_server(url: "URL") -> None:
    if "@" in (url.host or ""):
        raise _refused(
            'The host in the address holds an "@".', 'In a password, "@" is written %40, "/" %2F and ":" %3A.'
        )
    known = server_parameters()
    for name, value in url.query.items():
        if name not in known:
            near = get_close_matches(name[:40], known, n=1)
            hint = f'Did you mean "{near[0]}"?' if near else "Leave it out."
            raise _refused(f"PostgreSQL knows no such parameter of an address: {_names([name])}.", hint)
        if not isinstance(value, str) and name != "host":
            raise _refused(f"The address has the parameter {_names([name])} several times.", "Give it once.")
    schema = url.query.get(SCHEMA)
    if schema is not None and ("\0" in schema or not 0 < len(str(schema).encode()) <= _LONGEST_NAME):
        raise _refused("What the address gives as schema cannot be the name of one.", "It has 1 to 63 bytes.")


@cache
def server_parameters() -> frozenset[str]:
    """What may follow the "?" of a PostgreSQL address: what libpq takes, and the schema."""
    from psycopg.pq import Conninfo

    return frozenset({SCHEMA, *(option.keyword.decode() for option in Conninfo.get_defaults())})


def schema_of(address: Address) -> str | None:
    """The schema that the address names; a file has none."""
    found = address.parsed().query.get(SCHEMA) if address.backend == "postgresql" else None
    return found if isinstance(found, str) else None


def server_arguments(address: Address, role: str | None) -> dict[str, Any]:
    """The keywords of ``psycopg.connect``. Options that the address gives stay; ours go before them."""
    given = _given(address.parsed().difference_update_query([SCHEMA]))
    options = [str(given.get("options") or "")]  # the last one counts
    if (schema := schema_of(address)) is not None:
        options.append("-c search_path=" + _escaped(quoted(schema)))
    options.append(f"-c client_encoding=UTF8 -c lock_timeout={BUSY_TIMEOUT_S:.0f}s")
    if role:
        options.append(f"-c role={role}")
    named = {"connect_timeout": CONNECT_TIMEOUT_S} | given
    return named | {"options": " ".join(filter(None, options))}


def _given(url: "URL") -> dict[str, Any]:
    hosts = url.query.get("host", "")
    if isinstance(hosts, str) and not {",", ":"} & set(hosts):
        return {**url.translate_connect_args(username="user", database="dbname"), **url.query}
    _, given = url.get_dialect()().create_connect_args(
        url
    )  # several hosts; it loads what other drivers need too
    return dict(given)


def quoted(name: str) -> str:
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def _escaped(value: str) -> str:
    """For ``options``, which a blank ends and a backslash escapes."""
    return re.sub(r"([\\\s])", r"\\\1", value)
