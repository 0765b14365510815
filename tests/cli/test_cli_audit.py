"""init, verify, rebuild."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.cli.conftest import Run, run_cli

pytestmark = pytest.mark.both_ways


def test_init_makes_a_ledger_where_none_was(folder: Path) -> None:
    ended = run_cli("init", "--json")
    assert ended.exit == 0
    assert ended.json == {
        "ok": True, "position": 1, "created": True, "db": "sqlite:///daybook.db", "key": "daybook.key",
        "next_steps": [{"action": "load-catalogue", "ref": None, "arguments": {"file": None}}],
        "created_by": ended.json["created_by"], "created_at": ended.json["created_at"], "upgraded_from": None,
    }  # fmt: skip
    assert (folder / "daybook.db").is_file() and (folder / "daybook.key").is_file()
    assert run_cli("sessions").exit == 0


@pytest.mark.beside_the_ledger
def test_init_again_changes_nothing(run: Run) -> None:
    before = run("verify", "--json").json
    assert run("init", "--json").json["created"] is False
    again = run("init")
    assert "There is a ledger" in again.out and "It was created by user_1" in again.out
    assert run("verify", "--json").json == before


def test_init_says_where_key_and_ledger_are_and_what_comes_next() -> None:
    out = run_cli("init").out
    assert "Created the ledger daybook.db." in out
    assert "daybook.key: keep a copy" in out
    assert "daybook catalogue load FILE" in out


def test_verify_says_that_the_ledger_is_intact(run: Run) -> None:
    document = run("verify", "--json").json
    assert (document["ok"], document["events"], document["problems"]) == (True, 1, [])
    assert len(document["root"]) == 64
    assert run("verify").out.startswith("Intact: 1 event, root ")


@pytest.mark.tampers
def test_verify_finds_a_changed_payload_and_exits_with_5(run: Run, ledger_url: str) -> None:
    run("catalogue", "add", "acquisition.Project", "mine")
    if ledger_url.startswith("sqlite"):
        connection = sqlite3.connect(str(make_url(ledger_url).database))
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE events SET payload = replace(payload, 'mine', 'yours') WHERE position = 2")
        connection.commit()
        connection.close()
    else:
        import psycopg

        with psycopg.connect(
            ledger_url.replace("postgresql+psycopg", "postgresql"), autocommit=True
        ) as server:
            server.execute("ALTER TABLE events DISABLE TRIGGER USER")
            server.execute("UPDATE events SET payload = replace(payload, 'mine', 'yours') WHERE position = 2")
    ended = run("verify", "--json")
    assert ended.exit == 5
    assert ended.json["ok"] is False
    changed, listed = ended.json["problems"]
    assert (changed["code"], changed["position"]) == ("payload-changed", 2)
    assert listed["code"] == "list-wrong"  # the list still has what the payload said
    human = run("verify")
    assert human.exit == 5
    assert "position 2" in human.out and "not intact" in human.out


@pytest.mark.beside_the_ledger
def test_rebuild_gives_the_same_lists(run: Run) -> None:
    run("catalogue", "add", "acquisition.Project", "mine")
    before = run("catalogue", "list", "--json").json
    document = run("rebuild", "--json").json
    assert set(document) == {"ok", "position", "events", "seconds", "longest_pause_s", "repaired"}
    assert document["events"] == 2
    assert run("catalogue", "list", "--json").json == before
    assert run("rebuild").out.startswith("Rebuilt from 2 events in ")
