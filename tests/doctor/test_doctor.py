"""``daybook doctor``: a line for each thing that Daybook stands on, and what to do about it."""

import os
from pathlib import Path
from typing import Any

import pytest

from commands.door import guards
from commands.door.actor import account
from commands.door.submit import Daybook
from ledger.database import Database
from tests.cli.conftest import Ended, Run, run_cli
from tests.ledger.writing import is_sqlite
from tests.remote.conftest import server as server  # a fixture
from tests.serving import Server

PARTS = ["versions", "settings", "database", "schema", "projections", "triggers", "clock", "account"]


def checks(ended: Ended) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in ended.json["checks"]}


def wrong(ended: Ended) -> list[str]:
    assert ended.exit == (1 if not ended.json["ok"] else 0)
    return [name for name, each in checks(ended).items() if each["health"] == "wrong"]


def test_where_all_is_well_it_says_so_in_a_line_each(run: Run) -> None:
    ended, plain = run("doctor", "--json"), run("doctor")

    assert (ended.exit, plain.exit, wrong(ended)) == (0, 0, [])
    assert list(checks(ended))[: len(PARTS)] == PARTS
    assert all(each["health"] == "ok" for each in ended.json["checks"])
    assert len([line for line in plain.out.splitlines() if line.startswith("ok ")]) == len(checks(ended))


def test_settings_stand_there_with_where_they_came_from(run: Run, folder: Path) -> None:
    (folder / "daybook.toml").write_text('contact = "lab@example.org"\n')

    document = run("doctor", "--json").json

    found = {row["setting"]: (row["value"], row["source"]) for row in document["settings"]}
    assert found["contact"] == ("lab@example.org", str(folder / "daybook.toml"))
    assert found["db"][1] == "--db" and document["contact"] == "lab@example.org"


def test_expected_triggers_are_just_those_that_are_there(daybook: Daybook) -> None:
    on = guards._ON_SQLITE if daybook.database.dialect == "sqlite" else guards._ON_POSTGRESQL
    with daybook.reading() as world:
        there = {name for (name,) in world.transaction.run(on).fetchall()}

    assert guards.expected_guards(daybook.database.dialect) == there


@pytest.mark.tampers
def test_a_trigger_that_was_lifted_is_missed(run: Run, ledger_url: str) -> None:
    where = "" if is_sqlite(ledger_url) else " ON events"
    owner = Database(ledger_url, role=None)
    with owner.writing() as transaction:
        transaction.run(f"DROP TRIGGER events_refuse_delete{where}")
    owner.close()

    ended = run("doctor", "--json")

    assert wrong(ended) == ["triggers"] and "events_refuse_delete is not there" in ended.out
    assert "daybook verify" in run("doctor").out


@pytest.mark.tampers
def test_an_older_schema_says_how_to_upgrade_and_what_was_not_asked(run: Run, ledger_url: str) -> None:
    owner = Database(ledger_url, role=None)
    with owner.writing() as transaction:
        transaction.run("UPDATE alembic_version SET version_num = '0001'")
    owner.close()

    ended = run("doctor", "--json")

    assert wrong(ended) == ["schema"] and "daybook init" in run("doctor").out
    assert {name for name, each in checks(ended).items() if each["health"] == "unknown"} == set(PARTS[4:])


@pytest.mark.parametrize("address", ["sqlite:///none.db", "postgresql://nobody:geheim@127.0.0.1:1/none"])
def test_a_ledger_that_is_not_there_is_one_line_and_no_secret(folder: Path, address: str) -> None:
    ended = run_cli("doctor", "--json", "--db", address)

    assert wrong(ended)[0] == "database" and "geheim" not in ended.shown
    assert {name for name, each in checks(ended).items() if each["health"] == "unknown"} == set(PARTS[3:])


def test_broken_settings_are_a_line_too(folder: Path) -> None:
    (folder / "daybook.toml").write_text("db = ")

    ended = run_cli("doctor", "--json", user=None)

    assert wrong(ended) == ["settings"] and "daybook.toml" in checks(ended)["settings"]["message"]


def test_roots_that_are_not_mounted_are_named(run: Run, folder: Path) -> None:
    for name in ("there", "empty"):
        (folder / name).mkdir()
    (folder / "there" / "12345").mkdir()
    roots = {"A:": folder / "there", "B:": folder / "empty", "C:": folder / "gone"}
    (folder / "daybook.toml").write_text(
        "[roots]\n" + "".join(f'"{name}" = ["{place}"]\n' for name, place in roots.items())
    )

    assert wrong(run("doctor", "--json")) == ["root B:", "root C:"]


@pytest.mark.skipif(os.name == "nt", reason="files have no modes there")
def test_a_key_that_others_can_read_is_named_with_the_command_that_mends_it(run: Run, folder: Path) -> None:
    (folder / "daybook.key").chmod(0o644)

    assert wrong(run("doctor", "--json")) == ["signing key"]
    assert f"chmod 600 {folder / 'daybook.key'}" in run("doctor").out


def test_a_disk_that_is_nearly_full_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, ledger_url: str
) -> None:
    monkeypatch.setattr("commands.answers.examination.LEAST_FREE", 1 << 60)

    assert wrong(run("doctor", "--json")) == (["disk"] if is_sqlite(ledger_url) else [])


def test_a_clock_that_runs_ahead_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.log.lies_ahead", lambda recorded_at, of=None: True)

    assert wrong(run("doctor", "--json")) == ["clock"]


def test_checkpoints_need_their_folder(run: Run, folder: Path) -> None:
    (folder / "daybook.toml").write_text('[checkpoints]\ndirectory = "gone"\n')

    assert wrong(run("doctor", "--json")) == ["checkpoints"]


def test_who_has_no_role_is_told_how_to_ask_for_one(run: Run) -> None:
    assert run("role", "revoke", "everyone", "researcher").exit == 0

    assert wrong(run("doctor", "--json", user="user_9")) == ["account"]


def test_it_changes_nothing(run: Run) -> None:
    before = run("log", "--limit", "0", "--json").json["events"]
    run("doctor")

    assert run("log", "--limit", "0", "--json").json["events"] == before


# --- through a server -----------------------------------------------------------------------------------------------


def test_through_a_server_it_says_whether_that_is_in_order_and_who_one_is(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBOOK_TOKEN", server.token("user_1"))

    ended = run_cli("doctor", "--json", "--server", server.address, user=None)

    assert wrong(ended) == []
    assert list(checks(ended))[2:] == [
        "token", "server", "tls", "version", "clock", "database", "schema", "projections", "disk", "account",
    ]  # fmt: skip
    assert "user_1, by token" in checks(ended)["account"]["message"]


def test_who_is_not_signed_in_is_told_how(server: Server) -> None:
    ended = run_cli("doctor", "--server", server.address, user=None)

    assert ended.exit == 1 and "daybook auth login" in ended.out


def test_a_token_that_has_ended_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBOOK_TOKEN", "dbk_aaaaaaaaaa_" + 43 * "x")

    assert wrong(run_cli("doctor", "--json", "--server", server.address, user=None)) == ["account"]


def test_a_server_that_cannot_be_reached_is_told(silent_port: int, folder: Path) -> None:
    ended = run_cli("doctor", "--json", "--server", f"http://127.0.0.1:{silent_port}", user=None)

    assert wrong(ended) == ["token", "server"] and "nobody listens" in ended.out


def test_a_server_whose_ledger_is_gone_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBOOK_TOKEN", server.token("user_1"))
    monkeypatch.setattr("commands.web.health._LEAST_FREE", 1 << 60)

    assert wrong(run_cli("doctor", "--json", "--server", server.address, user=None)) == ["disk"]


def test_own_account_is_that_of_the_process(run: Run) -> None:
    assert account() in checks(run("doctor", "--json", user=None))["account"]["message"]
