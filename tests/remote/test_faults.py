"""What goes wrong between a client and its server is told apart, and each has its exit code."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from commands.remote import connection as connections
from commands.remote import pages, problems
from commands.remote.address import server_address
from commands.remote.faults import Unreachable
from ledger import __version__
from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable, Refusal
from tests.cli.conftest import Ended, run_cli, run_through
from tests.remote.conftest import saying
from tests.serving import Server, known_as


def ask(address: str, *words: str) -> Ended:
    return run_cli("--server", address, *(words or ("sessions",)), user=None)


def reply(status: str, body: dict[str, Any], *headers: str, kind: str = "application/problem+json") -> bytes:
    data = orjson.dumps(body)
    lines = [
        f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(data)}",
        f"Daybook-Version: {__version__}", "Connection: close", *headers,
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited: nobody waits here."""
    waited: list[float] = []
    monkeypatch.setattr(connections.time, "sleep", waited.append)
    return waited


def test_nobody_listens(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    ended = ask(f"http://127.0.0.1:{port}")

    assert (
        ended.exit == 6 and "nobody listens there" in ended.err and ended.err.endswith("[nobody-listens]\n")
    )


def test_a_host_that_nobody_knows(folder: Path) -> None:
    ended = ask("https://no.such.host.invalid")

    assert ended.exit == 6 and "knows no host no.such.host.invalid" in ended.err and "VPN" in ended.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError("timed out"), "timeout"),
        (OSError(101, "Network is unreachable"), "no-way"),
        (OSError(113, "No route to host"), "no-way"),
        (ConnectionResetError(104, "Connection reset by peer"), "connection-lost"),
    ],
)
def test_a_network_that_does_not_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, code: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", fails)

    ended = ask("https://daybook.example.org")

    assert ended.exit == 6 and ended.err.endswith(f"[{code}]\n")


def test_silence_is_no_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "ANSWER_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ended = ask(f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert ended.exit == 6 and "no answer came in time" in ended.err


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"220 mail.example.org ESMTP\r\n", "no-daybook"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no-daybook"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "no-daybook"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "gateway"),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://there.example.org\r\nContent-Length: 0\r\n\r\n", "moved"),
    ],
)
def test_what_answers_is_no_daybook_server(folder: Path, said: bytes, code: str) -> None:
    with saying(said) as (address, _):
        ended = ask(address)

    assert ended.exit == 6 and ended.err.endswith(f"[{code}]\n"), ended.err


def certificate(folder: Path, *, host: str = "127.0.0.1", days: int = 1) -> tuple[Path, Path]:
    key, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a lab")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )  # fmt: skip
    paths = folder / "lab.pem", folder / "lab.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


@pytest.mark.parametrize(
    ("host", "days", "trusted", "said"),
    [
        ("127.0.0.1", 1, False, "self"),  # self-signed, in the words of this version of OpenSSL
        ("127.0.0.1", -1, True, "expired"),
        ("127.0.0.9", 1, True, "IP address mismatch"),
    ],
)
def test_a_certificate_that_is_not_good_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch, host: str, days: int, trusted: bool, said: str
) -> None:
    pem, key = certificate(folder, host=host, days=days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)

    with tls_once(context) as port:
        ended = ask(f"https://127.0.0.1:{port}")

    assert ended.exit == 6 and said in ended.err and ended.err.endswith("[tls]\n"), ended.err


def tls_once(context: ssl.SSLContext) -> Any:
    from contextlib import contextmanager, suppress
    from threading import Thread

    def shake_hands(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()

    @contextmanager
    def once() -> Any:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = Thread(target=shake_hands, args=(listening,), daemon=True)
            thread.start()
            yield listening.getsockname()[1]
            thread.join(20)

    return once()


def test_a_server_without_tls_is_told_from_one_whose_certificate_is_wrong(
    server: Server, folder: Path
) -> None:
    ended = ask(server.address.replace("http:", "https:"))

    assert ended.exit == 6 and "speaks no TLS" in ended.err


def test_a_proxy_that_does_not_connect_is_told_from_the_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with saying(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as (proxy, asked):
        monkeypatch.setenv("HTTPS_PROXY", proxy.replace("http://", "http://name:secret@"))
        ended = ask("https://daybook.example.org")

    assert ended.exit == 6 and "407 Proxy Authentication Required" in ended.err
    assert asked[0].startswith(b"CONNECT daybook.example.org:443")
    assert b"Proxy-Authorization: Basic bmFtZTpzZWNyZXQ=" in asked[0]
    assert "secret" not in ended.shown

    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert "The proxy" in ask("https://daybook.example.org").err  # nobody listens there any more
    monkeypatch.setenv("NO_PROXY", "example.com,.invalid")
    assert "no.host.invalid" in ask("https://no.host.invalid").err


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("daybook.example.org", "server-address"),
        ("ftp://daybook.example.org", "server-address"),
        ("https://user:secret@daybook.example.org", "server-address"),
        ("https://daybook.example.org?token=secret", "server-address"),
        ("https://daybook.example.org:99999", "server-address"),
        ("https://", "server-address"),
        ("http://daybook.example.org", "open-text"),
    ],
)
def test_what_is_no_address_of_a_server_is_wrong_usage(folder: Path, address: str, code: str) -> None:
    ended = ask(address)

    assert ended.exit == 2 and ended.err.endswith(f"[{code}]\n")
    assert "secret" not in ended.err or "@" not in address


def test_who_is_not_signed_in_is_told_from_who_may_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = ask(server.address)
    monkeypatch.setenv("DAYBOOK_TOKEN", "dbk_of_somebody")
    stranger = ask(server.address, "sessions", "--json")
    run_through(server, "role", "grant", "user_3", "auditor")
    auditor = run_through(server, "subject", "add", "777", user="user_3")

    assert nobody.exit == stranger.exit == 7 and "You are not signed in" in nobody.err
    assert (
        stranger.json["error"]["code"] == "not-signed-in"
        and "does not take your token" in stranger.json["error"]["message"]
    )
    assert auditor.exit == 4 and "user_1 can grant it" in auditor.err


def test_a_fault_of_the_server_is_its_incident_and_nothing_is_kept_here(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("projections.pages.page", fails)

    ended = run_through(server, "sessions", "--limit", "1")

    assert ended.exit == 70 and "Please report it with that number" in ended.err


def test_a_ledger_that_is_not_there_now_is_waited_for_where_the_server_says_how_long(
    folder: Path, waits: list[float]
) -> None:
    problem = {"code": "locked", "message": "The ledger is busy.", "hint": "Try again.", "next_steps": []}
    busy = reply("503 Service Unavailable", problem, "Retry-After: 5")
    later = reply("503 Service Unavailable", problem, "Retry-After: 600")

    with saying(busy, busy, later) as (address, _):
        ended = ask(address)

    assert waits == [5.0, 5.0] and ended.exit == 1 and "The ledger is busy." in ended.err


def test_a_lost_answer_is_asked_for_again_under_the_same_id(folder: Path, waits: list[float]) -> None:
    added = {"ok": True, "position": 3, "added": 1, "subject": "777", "next_steps": []}

    with saying(b"", b"", reply("200 OK", added, kind="application/json")) as (address, asked):
        ended = ask(address, "subject", "add", "777")

    assert ended.exit == 0 and "Registered subject 777." in ended.out
    ids = {
        line for each in asked for line in each.split(b"\r\n") if line.lower().startswith(b"idempotency-key")
    }
    assert len(asked) == 3 and len(ids) == 1 and len(waits) == 2


def test_a_command_whose_answers_were_all_lost_is_told_with_its_id(folder: Path) -> None:
    with saying(b"", b"", b"", b"") as (address, asked):
        ended = ask(address, "subject", "add", "777")

    identity = next(line for line in asked[0].split(b"\r\n") if line.lower().startswith(b"idempotency-key"))
    assert ended.exit == 6 and "Whether it was done is not known" in ended.err
    assert f"--command-id {identity.partition(b': ')[2].decode()}" in ended.err


def test_a_restarted_server_gives_the_first_receipt(server: Server) -> None:
    first = run_through(server, "subject", "add", "777", "--command-id", "one", "--json")

    again = run_through(server, "subject", "add", "777", "--command-id", "one", "--json")

    assert first.json == again.json and first.json["added"] == 1


# --- versions -------------------------------------------------------------------------------------------------------


def test_other_versions_refuse_each_other_with_both_numbers(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.remote.connection.__version__", "0.0.1")
    monkeypatch.setattr("commands.remote.ledger.__version__", "0.0.1")
    monkeypatch.setattr("commands.remote.ledger.wire", Otherwise())

    ended = run_through(server, "subject", "add", "777")

    assert (
        ended.exit == 1 and "This is daybook 0.0.1" in ended.err and f"is daybook {__version__}" in ended.err
    )
    assert "777" not in run_through_again(server, monkeypatch, "subject", "list").out


class Otherwise:
    """The names of the wire, and answers that are others."""

    def __getattr__(self, name: str) -> Any:
        from commands.answers import wire

        return (lambda: "0" * 32) if name == "answers_digest" else getattr(wire, name)


def run_through_again(server: Server, monkeypatch: pytest.MonkeyPatch, *words: str) -> Ended:
    monkeypatch.undo()
    return run_through(server, *words)


def test_other_versions_that_answer_alike_work_together(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.remote.connection.__version__", "0.0.1")
    monkeypatch.setattr("commands.remote.ledger.__version__", "0.0.1")

    assert run_through(server, "subject", "add", "777").exit == 0
    assert "777" in run_through(server, "subject", "list").out


def test_a_server_that_looks_at_no_version_is_refused_by_the_client(folder: Path) -> None:
    good = reply("200 OK", {"ok": True}, kind="application/json")
    older = good.replace(f"Daybook-Version: {__version__}".encode(), b"Daybook-Version: 0.0.1")

    with saying(older) as (address, _):
        ended = ask(address)

    assert ended.exit == 1 and "is daybook 0.0.1" in ended.err


# --- who acts -------------------------------------------------------------------------------------------------------


def test_as_is_for_this_machine_and_on_behalf_of_for_a_server(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = run_cli("--server", server.address, "sessions", user="user_2")
    monkeypatch.setenv("DAYBOOK_TOKEN", known_as("user_1"))
    delegated = ask(server.address, "--on-behalf-of", "user_2", "subject", "add", "777")

    assert claimed.exit == 2 and "--on-behalf-of user_2" in claimed.err
    assert delegated.exit == 4 and "user_2" in delegated.err


def test_a_file_of_which_one_byte_is_missing_is_refused() -> None:
    with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab") as (address, _):
        came: list[bytes] = []
        with pytest.raises(Unreachable) as caught:
            connections.Connection(server_address(address), None).take(
                "/export", (), came.append, lambda done, size: None
            )

    assert caught.value.code == "connection-lost"


def test_a_server_that_is_being_started_again_is_waited_for(waits: list[float]) -> None:
    """Nobody listens there for a moment; whom nobody ever answered is told so at once."""
    with saying(reply("200 OK", {}, kind="application/json")) as (address, _):
        connection = connections.Connection(server_address(address), None)
        assert connection.get("/").status == 200

    with pytest.raises(Unreachable) as caught:
        connection.get("/")

    assert caught.value.code == "nobody-listens"
    assert waits == list(connections.PAUSES_S)
    waits.clear()
    with pytest.raises(Unreachable):
        connections.Connection(server_address(address), None).get("/")
    assert waits == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(409, Conflict), (403, Refusal), (500, IntegrityFailure), (503, LedgerUnavailable)],
)
def test_a_refusal_of_a_server_is_of_the_kind_that_it_is_there(status: int, kind: type[Refusal]) -> None:
    problem = {"code": "taken", "message": "Somebody was faster.", "hint": "Try again."}
    headers = {"content-type": "application/problem+json"}

    with pytest.raises(kind, match="Somebody was faster") as caught:
        problems.refuse(connections.Reply(status, headers, orjson.dumps(problem)), "a server", had_token=True)

    kinds = (Conflict, IntegrityFailure, LedgerUnavailable)
    assert [isinstance(caught.value, each) for each in kinds] == [each is kind for each in kinds]


def test_no_page_of_the_log_is_asked_for_behind_its_end() -> None:
    class Nobody:
        def ask_once(self, *_: object) -> None:
            raise AssertionError("there is nothing behind it")

    page: Any = SimpleNamespace(events=[SimpleNamespace(position=4)], newer=4)

    assert [event.position for event in pages._onward(Nobody(), page, None, {}, 5)] == [4]  # type: ignore[arg-type]
