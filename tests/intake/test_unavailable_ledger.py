"""A ledger that cannot be written now: a clear refusal, nothing half-done, and the same call finishes later."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.intake import uploading as intake
from commands.intake.uploading import upload
from commands.intake.validation import validate
from ledger import connections
from ledger.errors import LedgerUnavailable
from ledger.verify import verify
from tests.intake.lab import Lab, document, session

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)


class Settings:
    """PRAGMAs for every connection that the lab's ledger makes from now on."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.pragma = ""
        self.connections = lab.daybook.database.connections
        self._guarded = self.connections.prepare
        self.connections.prepare = self._prepare

    def _prepare(self, connection: Any) -> None:
        if self.pragma:
            connection.execute(f"PRAGMA {self.pragma}").close()  # before the guard
        self._guarded(connection)

    def set(self, pragma: str) -> None:
        self.pragma = pragma
        self.connections.close_free()

    def pages(self) -> int:
        connection = sqlite3.connect(str(make_url(self.lab.url).database))
        try:
            return int(connection.execute("PRAGMA page_count").fetchone()[0])
        finally:
            connection.close()


def assert_refused(call: Callable[[], object], code: str) -> None:
    with pytest.raises(LedgerUnavailable) as refused:
        call()
    assert refused.value.code == code and refused.value.hint


@on_sqlite
def test_a_full_disk_at_any_moment_is_a_refusal_and_the_same_call_finishes_later(lab: Lab) -> None:
    names = lab.record_quickly(40)
    settings = Settings(lab)
    refused = 0
    for n in range(20):
        data = document(*map(session, names[: 2 * (n + 1)]), subject="12345") + b"#" * 3000
        settings.set(f"max_page_count = {settings.pages() + n % 5}")
        try:
            lab.upload_bytes(data)
        except LedgerUnavailable as refusal:
            assert refusal.code == "disk-full" and "run the same command again" in refusal.hint
            refused += 1
            report = verify(lab.url)
            assert report.problems == []
        settings.set("")
        report_again = lab.upload_bytes(data)
        assert {entry.outcome for entry in report_again.sessions} <= {"inserted", "duplicate"}
    assert refused >= 5
    assert list(lab.statuses().values()) == ["inserted"] * 40
    assert lab.types().count("SessionInserted") == 40


@on_sqlite
def test_a_read_only_ledger_can_be_checked_against_but_not_uploaded_to(lab: Lab) -> None:
    lab.record_many(1)
    data = document(session("date_1"))
    settings = Settings(lab)
    settings.set("query_only = ON")
    before = lab.size()

    assert_refused(lambda: lab.upload_bytes(data), "read-only")
    assert_refused(lambda: lab.upload_bytes(b"nonsense"), "read-only")
    found = validate(lab.daybook, data, filename="", roots=lab.roots, record=False)

    assert found.ok and lab.size() == before
    settings.set("")
    assert lab.upload_bytes(data).sessions[0].outcome == "inserted"


@on_sqlite
def test_a_ledger_that_another_process_holds_is_busy(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.record_many(1)
    data = document(session("date_1"))
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.1)
    hurried = Daybook.open(lab.url, Actor("user_1"))
    other = sqlite3.connect(str(make_url(lab.url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert_refused(lambda: upload(hurried, data, filename="", roots=lab.roots), "busy")
        other.execute("ROLLBACK")
        assert upload(hurried, data, filename="", roots=lab.roots).sessions[0].outcome == "inserted"
    finally:
        other.close()
        hurried.close()


@on_sqlite
def test_a_ledger_that_is_gone_is_not_made_anew(lab: Lab) -> None:
    file = Path(str(make_url(lab.url).database))
    lab.daybook.close()
    file.rename(file.with_suffix(".away"))
    assert_refused(lambda: Daybook.open(lab.url, Actor("user_1")), "no-ledger")
    assert not file.exists()
    file.with_suffix(".away").rename(file)


@on_postgresql
def test_a_connection_lost_between_check_and_append_is_a_refusal_or_mended(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.record_many(1)
    data = document(session("date_1"))
    check = intake.check_file
    cut: list[int] = []

    def check_and_lose_the_connection(*args: Any, **options: Any) -> object:
        found = check(*args, **options)
        if not cut:
            cut.append(1)
            name = make_url(lab.url).database
            with psycopg.connect(lab.url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                    (name,),
                )
        return found

    monkeypatch.setattr(intake, "check_file", check_and_lose_the_connection)
    try:
        lab.upload_bytes(data)
    except LedgerUnavailable as refusal:
        assert refusal.code == "connection-lost" and refusal.hint
    assert cut
    assert lab.upload_bytes(data).sessions[0].outcome in ("inserted", "duplicate")
    assert lab.types().count("SessionInserted") == 1
