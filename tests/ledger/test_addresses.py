"""What an address names, and that none is ever shown with what may be a password in it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.setup import initialise
from ledger.addresses import NOT_SHOWN, address_of, shown, sqlite_file, without_secrets
from ledger.database import Database
from ledger.errors import LedgerUnavailable
from ledger.urls import checked
from ledger.verify import verify
from tests.conftest import create_database
from tests.patience import PATIENCE_S

SECRET = "hunter2hunter2"
SHAPES = [
    "postgresql://u:{}@h/d",
    "postgresql+psycopg://u:{}@h/d",
    "postgres://u:{}@h/d",
    "postgresql://u:a@{}@h/d",
    "postgresql://u:{}@b@h/d",
    "postgresql://u:a/{}@h/d",
    "postgresql://u:a?{}@h/d",
    "postgresql://u:a%40{}@h/d",
    "postgresql://u@h/d?password={}",
    "postgresql://u@h/d?sslpassword={}",
    "postgresql://u@h/d?passfile={}",
    "postgresql://u@h/d?options=-c%20app.key%3D{}",
    "postgresql://h/d?user=u&password={}&sslmode=disable",
    "postgresql://u:{}",
    "postgresql://u:{}/d",
    "postgresql://h:{}/d",
    "postgresql:/u:{}@h/d",
    "postgresql:u:{}@h/d",
    "postgresql:///u:{}@h/d",
    "postgresqll://u:{}@h/d",
    "mysql://u:{}@h/d",
    "sqlite://u:{}@h/d",
    "host=h password={} user=u dbname=d",
    "postgresql://[u:{}@h/d",
    "postgresql://u:{}@h:x/d",
    "postgresql://u:{}@127.0.0.1:1/d?nosuch=1",
    "postgresql://u:{}@127.0.0.1:1/d?connect_timeout=x",
    "postgresql://u:{}@127.0.0.1:1/d",
    "postgresql://u:{}@nohost.invalid/d",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_an_address_shows_its_password(shape: str) -> None:
    address = shape.format(SECRET)

    with pytest.raises(LedgerUnavailable) as refused:
        Daybook.open(address, Actor("user_1"))

    if not address.startswith("host="):  # which is a file's name
        assert SECRET not in str(refused.value)
        assert SECRET not in shown(address)
    assert SECRET not in without_secrets(f"x {address} y")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("postgresql://user_1:secret@host:5433/lab", "postgresql://host:5433/lab"),
        ("postgresql+psycopg://host/lab?schema=x", "postgresql://host/lab"),
        ("postgresql://postgres:@/lab?host=/tmp/pg", "postgresql:///lab?host=/tmp/pg"),
        ("postgresql://[::1]:5432/lab", "postgresql://[::1]:5432/lab"),
        ("sqlite:////data/my lab.db", "sqlite:////data/my lab.db"),
        ("mysql://host/lab", NOT_SHOWN),
    ],
)
def test_of_an_address_the_host_and_the_name_are_shown(address: str, found: str) -> None:
    assert shown(address) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x postgresql://user_1:se@cret@host y", f"x {NOT_SHOWN} y"),
        ("host=h password=secret user=user_1", "host=h password=*** user=user_1"),
        ("sqlite:///C:/a@b/daybook.db", "sqlite:///C:/a@b/daybook.db"),
        ("See postgresql://user_1@host/lab.", "See postgresql://user_1@host/lab."),
        ("See postgresql://user_1:x@host/lab.", "See postgresql://host/lab."),
    ],
)
def test_a_text_keeps_all_but_its_secrets(text: str, found: str) -> None:
    assert without_secrets(text) == found


@given(
    st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1, max_size=40)
)
def test_a_name_of_a_file_becomes_the_address_of_that_file(name: str) -> None:
    if address_of(name) == name or len(name.encode()) > 200:  # an address already
        return

    assert sqlite_file(address_of(name)) == name
    assert checked(name).database == name


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite:///x.db?mode=ro", "A SQLite address has no parameters; found mode."),
        ("postgresql://h/d?sslmod=require", 'Did you mean "sslmode"?'),
        ("postgresql://h/d?schema=" + "x" * 64, "1 to 63 bytes"),
        ("postgresql://h/d?sslmode=require&sslmode=disable", "several times"),
        ("x" * 300, "Each part of it has 1 to 255 bytes"),
        ("x/" * 3_000, "4,096 are the most"),
        ("a\0b", "no name of a file"),
        ("", "Expected a FILE"),
        ("sqlite:///:memory:", "Expected a FILE"),
    ],
)
def test_what_an_address_cannot_say_is_refused(address: str, said: str) -> None:
    with pytest.raises(LedgerUnavailable) as refused:
        checked(address)

    assert refused.value.code == "database-url"
    assert said in str(refused.value)


def test_a_ledger_can_lie_in_a_schema_of_its_own(postgresql_server: str, tmp_path: Path) -> None:
    plain = create_database(postgresql_server)
    address = f"{plain}{'&' if '?' in plain else '?'}schema=my%20lab"

    assert initialise(address, Actor("user_1"), key_directory=tmp_path).created

    assert verify(address).problems == []
    found = []
    database = Database(plain, role=None)
    with database.reading() as transaction:
        found = transaction.run("SELECT schemaname FROM pg_tables WHERE tablename = 'events'").fetchall()
    database.close()
    assert found == [("my lab",)]
    assert refusal(plain).code == "no-ledger"
    by_options = f"{plain}{'&' if '?' in plain else '?'}options=-csearch_path%3D%22my%5C%20lab%22"
    Daybook.open(by_options, Actor("user_1")).close()


# --- what is said of a server ---------------------------------------------------------------------------------------


def refusal(address: str) -> LedgerUnavailable:
    with pytest.raises(LedgerUnavailable) as refused:
        Daybook.open(address, Actor("user_1"))
    return refused.value


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A port behind which something answers that is no PostgreSQL server."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):  # nobody came a second time
                for _ in range(2):
                    client, _ = server.accept()
                    with client:
                        client.recv(100)
                        client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # ends the accept
            thread.join()


def test_causes_of_a_connection_that_does_not_come_about_are_told_apart(
    postgresql_server: str, silent_port: int
) -> None:
    join = "&" if "?" in postgresql_server else "?"
    patient = f"connect_timeout={PATIENCE_S}"
    found = {
        refusal(f"postgresql://u@127.0.0.1:{silent_port}/d").code: "nobody listens",
        refusal("postgresql://u@nohost.invalid/d").code: "no such host",
        refusal(postgresql_server.replace("/postgres?", "/nosuch?")).code: "no such database",
        refusal(postgresql_server.replace("postgres:", "stranger:", 1)).code: "no such login",
        refusal(f"{postgresql_server}{join}options=-cnosuch.x.y%3D1%20-cnosuch%3D1").code: "no such option",
        refusal("postgresql://u@h/d?connect_timeout=soon").code: "no such value",
        refusal("postgresql:///d?host=/nowhere").code: "no such socket",
    }
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        found[refusal(f"postgresql://u@127.0.0.1:{port}/d?{patient}").code] = "a web server"
    with answering(b"N") as port:
        found[refusal(f"postgresql://u@127.0.0.1:{port}/d?sslmode=require&{patient}").code] = "no TLS there"

    assert set(found) == {
        "connection-refused", "unknown-host", "no-such-database", "unknown-login", "server-options", "not-postgresql",
        "tls",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('FATAL:  password authentication failed for user "u"', "wrong-password"),
        ("connection failed: fe_sendauth: no password supplied", "no-password"),
        ("connection timeout expired", "timeout"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "u", database "d"', "login-refused"),
        ("FATAL:  sorry, too many clients already", "too-many-connections"),
        ("FATAL:  the database system is starting up", "server-starting"),
        ("SSL error: certificate verify failed", "tls"),
        ("connection to server failed: No route to host", "no-route"),
        ("something that nobody has seen yet", "unreachable"),
    ],
)
def test_what_a_driver_says_has_a_code_and_a_hint(text: str, code: str) -> None:
    from ledger.connection_errors import unreachable

    found = unreachable("postgresql://h/d", text)

    assert found.code == code
    assert "postgresql://h/d" in found.message and found.hint


def test_a_missing_ledger_is_named_whole_with_a_step_that_can_be_taken(
    tmp_path: Path, ledger_templates: Callable[[str, Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    here, nowhere = refusal("daybook.db"), refusal("nowhere/daybook.db")

    assert str(tmp_path / "daybook.db") in here.message
    assert [step.action for step in here.steps] == ["init"]
    assert f"there is no folder {tmp_path / 'nowhere'}" in nowhere.message
    assert nowhere.steps == ()
