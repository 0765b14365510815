"""After a whole run with accounts, no secret that was used stands anywhere but where it has to: not in the database, the
log, an export, a bundle, an incident, the list of processes, or any other file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from ledger.database import Database
from tests.accounts.people import ANOTHER, PASSWORD
from tests.cli.conftest import Ended, run_cli
from tests.conftest import ROOT
from tests.ledger.writing import is_sqlite
from tests.patience import PATIENCE_S

MISTYPED = "sextant molten grape quarrel 8"
CHANGED = "copper lantern whisper dune 9"
KEYS = {"daybook.key", "server.key"}


@contextmanager
def served(url: str, folder: Path) -> Iterator[tuple[str, str, int]]:
    """The address, the first link, and the number of the process, whose log is kept in ``log.txt``."""
    with (folder / "log.txt").open("w") as kept:
        process = subprocess.Popen(
            [sys.executable, "-m", "commands.cli", "serve", "--port", "0", "--db", url, "--log-level", "debug"],
            stdout=subprocess.PIPE, stderr=kept, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=folder,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            process.stdout.readline()
            yield address, process.stdout.readline().strip(), process.pid
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)


class Run:
    """What is typed, and every secret that was used on the way."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.secrets: set[str] = set()
        self.http = httpx.Client(base_url=f"{address}/api/v1", timeout=PATIENCE_S, trust_env=False)

    def used(self, *texts: str) -> str:
        self.secrets.update(texts)
        return texts[0]

    def typed(self, *words: str, stdin: str | None = None) -> Ended:
        ended = run_cli("--server", self.address, *words, stdin=stdin, user=None)
        assert ended.exit == 0, ended.shown
        return ended

    def told(self, *words: str, stdin: str | None = None) -> dict[str, Any]:
        """What is told once beside an answer."""
        secret: dict[str, Any] = self.typed(*words, "--json", stdin=stdin).json["secret"]
        self.secrets.update(str(value) for value in secret.values() if value)
        return secret

    def post(self, path: str, **body: str) -> Any:
        token = body.pop("token", None)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        sent = self.http.post(path, json=body, headers=headers)
        assert sent.status_code == 200, sent.text
        return sent.json()


def of_files(folder: Path) -> Iterator[str]:
    for file in (folder / "home").rglob("*.json"):
        yield file.read_text().split('"token":"')[1].split('"')[0]


def play(run: Run, first: str, folder: Path) -> None:
    """A lab is begun, somebody joins, forgets, loses a telephone; a rig comes in; keys and links of all kinds."""
    for password in (PASSWORD, ANOTHER, CHANGED, MISTYPED):
        run.used(password)
    code = run.used(first.rpartition("/")[2])
    run.typed("auth", "accept", code, "--password-stdin", stdin=f"{PASSWORD}\n")
    invited = run.told("user", "invite", "user_2", "--role", "researcher")["code"]
    rig = run.told("token", "create", "rig")["token"]
    run.told("token", "create", "another", "--scope", "read")
    run.secrets.update(of_files(folder))

    joined = run.post("/auth/accept", code=invited, password=PASSWORD)["secret"]["token"]
    begun = run.post("/auth/second-factor", token=run.used(joined), password=PASSWORD)["secret"]["secret"]
    app = pyotp.TOTP(run.used(begun))
    done = run.post("/auth/second-factor/confirmation", token=joined, code=app.now())["secret"]
    recovery = done["recovery_codes"]
    run.secrets.update(recovery)
    wrong = run.http.post("/auth/login", json={"user": "user_2", "password": MISTYPED})
    assert wrong.status_code == 401
    again = run.post("/auth/login", user="user_2", password=PASSWORD, code=recovery[0])["secret"]["token"]
    run.post("/auth/password", token=run.used(again), password=PASSWORD, new_password=CHANGED)
    reset = run.told("user", "reset-password", "user_2")["code"]
    run.post("/auth/reset", code=reset, password=ANOTHER)
    factor = run.told("user", "reset-second-factor", "user_2")["code"]
    run.post("/auth/reset", code=factor, password=ANOTHER)
    assert run.http.get("/sessions", params={"token": rig}).status_code == 400
    assert run.http.get("/status", headers={"Authorization": f"Bearer {rig}"}).status_code == 200


def hand_on(run: Run, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever leaves the ledger or is kept of a fault."""
    run.typed("export", str(folder / "log.jsonl"))
    assert run_cli("--db", url, "bundle", str(folder / "bundle.zip")).exit == 0

    def broken(*_: Any, **__: Any) -> None:
        raise ValueError(" ".join(run.secrets))

    token = next(each for each in run.secrets if each.startswith("dbi_"))
    with monkeypatch.context() as patch:
        patch.setattr("commands.remote.signing_in.accept", broken)
        failed = run_cli(
            "--server", run.address, "auth", "accept", token, "--password-stdin", stdin=PASSWORD, user=None
        )
    assert failed.exit == 70
    run.typed("doctor", "--bundle", str(folder / "for-the-admin.json"))


def everything_in(url: str) -> bytes:
    """All rows of all tables, as text."""
    owner = Database(url, role=None)
    try:
        with owner.reading() as transaction:
            if transaction.dialect == "sqlite":
                names = transaction.run("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            else:
                names = transaction.run(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                ).fetchall()
            found = [transaction.run(f'SELECT * FROM "{name}"').fetchall() for (name,) in names]
    finally:
        owner.close()
    return repr(found).encode()


def command_line(number: int) -> bytes:
    file = Path(f"/proc/{number}/cmdline")
    return file.read_bytes() if file.exists() else b""


def test_no_secret_is_kept_where_it_need_not_be(
    ledger_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(ledger_url, folder) as (address, first, number):
        run = Run(address)
        play(run, first, folder)
        hand_on(run, ledger_url, folder, monkeypatch)
        run.http.close()
        process = command_line(number)
    run.secrets.update((folder / "server.key").read_text().split())
    run.secrets.add((folder / "daybook.key").read_text().strip())
    assert len(run.secrets) > 25 and min(map(len, run.secrets)) >= 8

    places = {"the list of processes": process, "the database": everything_in(ledger_url)}
    for file in folder.rglob("*"):
        if file.is_file() and file.name not in KEYS and "tokens" not in file.parts:
            places[str(file.relative_to(folder))] = file.read_bytes()

    assert {"log.txt", "log.jsonl", "bundle.zip", "for-the-admin.json"} <= set(places)
    assert any("incidents" in name for name in places)
    assert b"user_2" in places["the database"] and b"answered" in places["log.txt"]
    assert is_sqlite(ledger_url) <= ("daybook.db" in places)
    found = {
        (name, secret) for name, data in places.items() for secret in run.secrets if secret.encode() in data
    }
    assert found == set()
