"""Addresses of ledgers as texts: what one names, and how it is shown. Nothing is opened here.

An address can hold a password in more than one place. So what is shown is never cut out of it, but put together from
what was understood: the kind of database, the host, the name. What was not understood is not shown.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

NOT_SHOWN = "(an address that is not shown)"
_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///([^?]+)(\?.*)?", re.DOTALL)
_SERVER = re.compile(
    r"postgres(?:ql)?(?:\+\w+)?://"
    r"(?:[^:/]*(?::[^@]*)?@)?"
    r"(?:\[(?P<ipv6>[^/?\]]+)\]|(?P<host>[^/:?]+))?(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_IN_TEXT = re.compile(r"\bpostgres(?:ql)?(?:\+\w+)?:\S*|\b\w+(?:\+\w+)?://[^\s/@\"]*@[^\s\"]*", re.IGNORECASE)
_PASSWORD = re.compile(
    r"\b((?:ssl|pg)?pass(?:word|wd|file)?\s*=\s*)('[^']*'|\"[^\"]*\"|[^\s&\"']+)", re.IGNORECASE
)
_GIVEN = re.compile(
    r"\b(db[a-z]_[a-z0-9]{10}_)[A-Za-z0-9_-]{43}"
)  # tokens, and codes of links: their ids may be known
_HAS_SCHEME = re.compile(
    r"[A-Za-z][\w+.-]*://|(?:sqlite|postgres(?:ql)?|mysql|mariadb|file)(?:\+\w+)?:|:memory:"
)
_PLAIN = re.compile(r"[a-z]+(?:\+\w+)?://(?:[\w.-]+@)?[\w.-]*(?::[0-9]+)?(?:/[\w.$-]*)?")
_HOST = re.compile(r"[\w.-]+")
_SOCKET = re.compile(r"/[\w./-]*")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(?:%25\w+)?")
_NAME = re.compile(r"[\w.$-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """One that was understood (``urls.checked``). ``text`` is all of it, ``database`` the file, or the name on the
    server."""

    backend: str  # sqlite, postgresql
    database: str
    text: str

    def parsed(self) -> "URL":
        from sqlalchemy.engine import make_url  # a file does not need it, and loading it takes a while

        return make_url(self.text)


def address_of(text: str) -> str:
    """The address that a person means: ``lab.db`` and ``/data/lab.db`` are files of SQLite."""
    if not text or _HAS_SCHEME.match(text):
        return text
    return "sqlite:///" + text.replace("%", "%25").replace("?", "%3F")


def sqlite_file(address: str) -> str | None:
    """The file of a SQLite ledger; None for any other."""
    match = _SQLITE.fullmatch(address)
    return unquote(match[1]) if match is not None else None


def is_server(address: str) -> bool:
    return re.match(r"postgres(?:ql)?(?:\+\w+)?:", address) is not None


def shown(address: str) -> str:
    """What may be printed: ``sqlite:///FILE`` or ``postgresql://HOST:PORT/DATABASE``, without a user."""
    file = sqlite_file(address)
    if file is not None:
        return f"sqlite:///{file}"
    found = _SERVER.fullmatch(address)
    if found is None:
        return NOT_SHOWN
    host, database, port = _host(found), found["database"] or "", found["port"] or ""
    if host is None or not (database == "" or _NAME.fullmatch(database)) or not re.fullmatch("[0-9]*", port):
        return NOT_SHOWN
    socket = next((v for k, v in parse_qsl(found["query"] or "") if k == "host" and _SOCKET.fullmatch(v)), "")
    return f"postgresql://{host}{f':{port}' if port else ''}/{database}" + (
        f"?host={socket}" if socket else ""
    )


def _host(found: re.Match[str]) -> str | None:
    """None where it may be something else."""
    if found["ipv6"] is not None:
        return f"[{found['ipv6']}]" if _IPV6.fullmatch(found["ipv6"]) else None
    host = found["host"] or ""
    return host if not host or _HOST.fullmatch(host) else None


def without_secrets(text: str) -> str:
    """A text of whatever origin in which addresses are as ``shown`` has them, and passwords and tokens are masked."""
    text = _IN_TEXT.sub(lambda match: _shown_in_text(match[0]), text)
    text = _GIVEN.sub(lambda match: f"{match[1]}***", text)
    return _PASSWORD.sub(lambda match: f"{match[1]}***", text)


def _shown_in_text(found: str) -> str:
    """An address and the signs of the sentence behind it. One that can hold no secret stays."""
    address = found.rstrip(".,;:)'\"")
    if _PLAIN.fullmatch(address):
        return found
    return shown(address) + found[len(address) :]
