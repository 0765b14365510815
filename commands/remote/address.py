"""The address of a server, as a person gives it. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

from commands.remote.faults import WrongAddress

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[^/:@?#\[\]\s]+))(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#\s]*)?",
    re.IGNORECASE,
)
_EXPECTED = "Expected one such as https://daybook.example.org"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """``prefix`` is the path below which the server is, without a slash at its end."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def text(self) -> str:
        """One server has one text."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _port_of(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.prefix}"

    @property
    def is_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def server_address(text: str) -> ServerAddress:
    """Raises WrongAddress."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        what = "an address with a name or a password in it" if "@" in text else f'"{text[:100]}"'
        raise WrongAddress("server-address", f"{what} is no address of a server.", f"{_EXPECTED}.")
    scheme = found["scheme"].lower()
    port = int(found["port"]) if found["port"] else _port_of(scheme)
    if not 0 < port < 1 << 16:
        raise WrongAddress("server-address", f"There is no port {port}.", f"{_EXPECTED}:8440.")
    host = found["ipv6"] or _in_ascii(found["host"])
    prefix = quote((found["path"] or "").rstrip("/"), safe="/%")
    address = ServerAddress(scheme, host.lower(), port, prefix)
    if scheme == "http" and not address.is_loopback:
        raise WrongAddress(
            "open-text",
            f"At {address.text} others could read your token on its way.",
            "Give an address that begins with https://.",
        )
    return address


def _port_of(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _in_ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise WrongAddress(
            "server-address", f'"{host[:100]}" is no name of a host.', f"{_EXPECTED}."
        ) from None
