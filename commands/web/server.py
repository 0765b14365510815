"""Run the server: bind, say where, serve until a signal, and end what was begun."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from commands.accounts.invitations import invite_first
from commands.accounts.links import link_of
from commands.accounts.second_factor import renew
from commands.accounts.server_key import server_key
from commands.door.actor import Actor
from commands.door.ledger import Ledger
from commands.door.settings import Settings
from commands.web.app import application
from commands.web.hooking import Hooking
from commands.web.patience import PatientProtocol
from commands.web.posting import Posting
from commands.web.serving import INTERFACE, Serving
from commands.web.working import Working
from ledger.errors import Refusal

CONNECTIONS = 16  # to the database
_MOST_CLIENTS = 512
_HEADER_BYTES = 1 << 15
_IDLE_S = 30
_PATIENCE_AT_STOP_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``proxies`` are addresses of a proxy in front, which ends TLS and says who calls."""

    host: str
    port: int
    tls_cert: Path | None = None
    tls_key: Path | None = None
    proxies: tuple[str, ...] = ()
    work: bool = True


@dataclass(frozen=True, slots=True)
class FirstLink:
    """For an admin, where nobody can sign in yet; good for an hour."""

    user: str
    link: str


def run(
    settings: Settings, folder: Path | None, options: Options, tell: Callable[[str, FirstLink | None], None]
) -> None:
    """Until a signal to stop. ``tell`` is called once, with the address, when it can be reached. Raises Refusal where
    it cannot be served there, LedgerUnavailable where there is no ledger."""
    refuse_open_text(options)
    ledger = Ledger.open(settings.db, connections=CONNECTIONS)
    try:
        listening = bind(options.host, options.port)
        with listening:
            key = server_key(settings.file.parent if settings.file is not None else folder or Path())
            renew(ledger, key)
            serving = Serving(ledger, settings, key, folder, frozenset(options.proxies))
            serving.working = Working(serving) if options.work else None
            serving.address = _address(listening, options)
            first = first_link(serving)
            server = server_of(serving, listening, options, lambda address: tell(address, first))
            hooking = Hooking(serving)
            serving.posting = Posting(serving) if settings.mail is not None else None
            if serving.posting is not None:
                serving.posting.start()
            try:
                asyncio.run(server.serve(sockets=[listening]))
            finally:
                hooking.stop()
                if serving.posting is not None:
                    serving.posting.stop()
                if serving.working is not None:
                    serving.working.stop()
    finally:
        ledger.close()


def refuse_open_text(options: Options) -> None:
    """Raises Refusal where passwords and tokens would cross a network that anybody can read."""
    if (options.tls_cert is None) != (options.tls_key is None):
        raise Refusal("half-tls", "TLS takes a certificate and its key.", "Give both, or neither.")
    if options.tls_cert is None and not options.proxies and not is_loopback(options.host):
        raise Refusal(
            "open-text",
            f"At {options.host} others could read passwords and tokens on their way.",
            "Serve on 127.0.0.1, give a certificate and its key, or name the proxy in front that ends TLS.",
        )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Refusal(
            "no-such-host", f"{host} is no address of this machine: {error.strerror}.", "Give another."
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_MOST_CLIENTS)
    except OSError as error:
        listening.close()
        raise Refusal(
            "address-taken",
            f"{host} port {port} cannot be served: {error.strerror}.",
            "Give another port, or 0 for a free one.",
        ) from None
    return listening


def server_of(
    serving: Serving, listening: socket.socket, options: Options, tell: Callable[[str], None]
) -> uvicorn.Server:
    """Ready to be served; it stops when its ``should_exit`` is set."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # what is worth a line, Daybook logs itself
    config = uvicorn.Config(
        application(serving), loop="asyncio", http=PatientProtocol, ws="none", lifespan="on", log_config=None,
        access_log=False, server_header=False,
        proxy_headers=bool(options.proxies), forwarded_allow_ips=list(options.proxies),
        limit_concurrency=_MOST_CLIENTS, timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_PATIENCE_AT_STOP_S, h11_max_incomplete_event_size=_HEADER_BYTES,
        ssl_certfile=options.tls_cert, ssl_keyfile=options.tls_key,
    )  # fmt: skip
    serving.address = _address(listening, options)
    return _Telling(config, lambda: tell(_address(listening, options)), serving)


def first_link(serving: Serving) -> FirstLink | None:
    found = None
    with suppress(Refusal):  # of a ledger that takes nothing now; it can be read all the same
        found = invite_first(serving.daybook(Actor.of_process(INTERFACE)))
    if found is None:
        return None
    invited, code = found
    return FirstLink(invited.user, str(link_of("accept", code, serving.public_url)["link"]))


class _Telling(uvicorn.Server):
    """Says when it can be reached."""

    def __init__(self, config: uvicorn.Config, tell: Callable[[], None], serving: Serving) -> None:
        super().__init__(config)
        self._tell, self._serving = tell, serving

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._serving.stopping.set()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()
        if self._serving.working is not None:
            await asyncio.to_thread(self._serving.working.take_up)


def _address(listening: socket.socket, options: Options) -> str:
    scheme = "http" if options.tls_cert is None else "https"
    host, port = listening.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
