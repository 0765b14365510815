"""The proxy that the environment names for a server. Only https goes through one, as a tunnel."""

import os
import re
from base64 import b64encode
from dataclasses import dataclass, field

from commands.remote.address import ServerAddress
from commands.remote.faults import Unreachable

_PROXY = re.compile(
    r"(?:(?P<scheme>\w+)://)?(?:(?P<who>[^@]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^:/@]+)(?::(?P<port>[0-9]+))?/?"
)


@dataclass(frozen=True, slots=True)
class Proxy:
    host: str
    port: int
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        return f"{self.host}:{self.port}"


def proxy_for(address: ServerAddress) -> Proxy | None:
    """Raises Unreachable for one that is not understood."""
    given = next((value for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
                  if (value := os.environ.get(name))), None)  # fmt: skip
    if given is None or address.scheme != "https" or address.is_loopback or _is_without(address):
        return None
    found = _PROXY.fullmatch(given.strip())
    if found is None or (found["scheme"] or "http").lower() != "http":
        raise Unreachable(
            "proxy",
            "HTTPS_PROXY names no proxy that can be used.",
            "Expected one such as http://proxy.example.org:3128.",
        )
    headers = {}
    if found["who"]:
        from urllib.parse import unquote

        headers["Proxy-Authorization"] = f"Basic {b64encode(unquote(found['who']).encode()).decode()}"
    return Proxy(found["host"].strip("[]"), int(found["port"] or 3128), headers)


def _is_without(address: ServerAddress) -> bool:
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    for each in (part.strip().lower().lstrip(".") for part in listed.split(",")):
        if each == "*" or (each and (address.host == each or address.host.endswith(f".{each}"))):
            return True
        if each == f"{address.host}:{address.port}":
            return True
    return False
